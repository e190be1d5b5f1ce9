//! The connection slots of a listener, and which connection is closed when all are taken.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::Limits;

/// Time after which a connection that is still sending a body may be closed for a new one.
const FAIR_BODY: Duration = Duration::from_secs(5);
/// Time for the last bytes of a response or head when the listener closes.
const CLOSING: Duration = Duration::from_secs(1);

/// All slots of a listener.
#[derive(Clone)]
pub(super) struct Places {
    most: usize,
    tasks: TaskTracker,
    next: Arc<AtomicU64>,
    taken: Arc<Mutex<HashMap<u64, Arc<Pulse>>>>,
    vacated: CancellationToken,
}

/// A connection's slot, released when dropped. It is owned by the socket, so a WebSocket keeps it.
pub(super) struct Place {
    number: u64,
    pulse: Arc<Pulse>,
    places: Places,
    _running: TaskTrackerToken,
}

/// Activity of a connection.
pub(super) struct Pulse {
    phase: Mutex<Phase>,
    given_up: CancellationToken,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// No request has arrived yet.
    New(Instant),
    /// Between two requests.
    Idle(Instant),
    /// A further request has begun to arrive.
    Head(Instant),
    /// The body of a request is arriving.
    Body(Instant),
    /// A request is being answered.
    Answering,
    /// The connection no longer uses HTTP.
    Upgraded,
}

impl Places {
    pub(super) fn new(most: usize, tasks: TaskTracker) -> Self {
        let (next, taken, vacated) = (Arc::default(), Arc::default(), CancellationToken::new());
        Self { most, tasks, next, taken, vacated }
    }

    /// A slot, if necessary that of the least active connection; `None` when all are being served.
    pub(super) fn take(&self) -> Option<Place> {
        let mut taken = self.lock();
        if taken.len() >= self.most {
            let least = taken.iter().filter_map(|(number, pulse)| Some((pulse.rank()?, *number))).min();
            let given_up = taken.remove(&least?.1)?;
            given_up.given_up.cancel();
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let pulse =
            Arc::new(Pulse { phase: Mutex::new(Phase::New(Instant::now())), given_up: self.vacated.child_token() });
        taken.insert(number, pulse.clone());
        Some(Place { number, pulse, places: self.clone(), _running: self.tasks.token() })
    }

    /// Closes every connection.
    pub(super) fn vacate(&self) {
        self.vacated.cancel();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Arc<Pulse>>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    pub(super) fn pulse(&self) -> &Arc<Pulse> {
        &self.pulse
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.lock().remove(&self.number);
    }
}

impl Pulse {
    /// Bytes have arrived.
    pub(super) fn heard(&self) {
        self.turn(|phase| match phase {
            Phase::Idle(_) => Phase::Head(Instant::now()),
            other => other,
        });
    }

    /// The head of a request is complete.
    pub(super) fn requested(&self, has_body: bool) {
        self.turn(|_| if has_body { Phase::Body(Instant::now()) } else { Phase::Answering });
    }

    /// The body of the request is complete.
    pub(super) fn received(&self) {
        self.turn(|phase| if matches!(phase, Phase::Body(_)) { Phase::Answering } else { phase });
    }

    /// The response is written.
    pub(super) fn answered(&self) {
        self.turn(|phase| if phase == Phase::Upgraded { phase } else { Phase::Idle(Instant::now()) });
    }

    /// The connection has switched to another protocol.
    pub(super) fn upgraded(&self) {
        self.turn(|_| Phase::Upgraded);
    }

    /// Cancelled when the connection is to be closed.
    pub(super) fn given_up(&self) -> &CancellationToken {
        &self.given_up
    }

    /// Whether the caller has exceeded a timeout. When the listener closes, only requests already received are
    /// completed.
    pub(super) fn is_overdue(&self, limits: &Limits, closing: bool) -> bool {
        let allowed = |since: Instant, time| since.elapsed() >= if closing { limits.stall.min(CLOSING) } else { time };
        match *self.lock() {
            Phase::New(since) => closing || allowed(since, limits.head),
            Phase::Head(since) => allowed(since, limits.head),
            Phase::Idle(since) => allowed(since, limits.idle),
            Phase::Body(_) | Phase::Answering | Phase::Upgraded => false,
        }
    }

    /// Sort key: the smallest is closed first when slots run out; `None`: never.
    fn rank(&self) -> Option<(u8, Instant)> {
        match *self.lock() {
            Phase::New(since) => Some((0, since)),
            Phase::Idle(since) | Phase::Head(since) => Some((1, since)),
            Phase::Body(since) if since.elapsed() >= FAIR_BODY => Some((2, since)),
            Phase::Body(_) | Phase::Answering | Phase::Upgraded => None,
        }
    }

    fn turn(&self, change: impl FnOnce(Phase) -> Phase) {
        let mut phase = self.lock();
        *phase = change(*phase);
    }

    fn lock(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
