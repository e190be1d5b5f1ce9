//! The connection slots of a listener, and which connection is closed when all are taken.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::Limits;

/// Bits of an IPv6 address that a network assigns to one customer or machine, who can take any address below them.
const IPV6_PREFIX: u128 = u128::MAX << 64;
/// Time after which an authenticated connection that is still sending a body may be closed for a new one.
const FAIR_BODY: Duration = Duration::from_secs(5);
/// Time for the last bytes of a response or head when the listener closes.
const CLOSING: Duration = Duration::from_secs(1);

/// All slots of a listener.
#[derive(Clone)]
pub(super) struct Places {
    most: usize,
    most_per_address: usize,
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
    /// Whose share of the slots it takes; `None` for a trusted proxy, which may take all.
    address: Option<IpAddr>,
    phase: Mutex<Phase>,
    /// Whether a request was authenticated.
    authenticated: AtomicBool,
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
    Answering(Instant),
    /// The connection no longer uses HTTP.
    Upgraded(Instant),
}

/// Sort key: of several connections the smallest is closed first.
type Rank = (bool, Reverse<usize>, u8, Instant);

impl Places {
    pub(super) fn new(limits: &Limits, tasks: TaskTracker) -> Self {
        let (next, taken, vacated) = (Arc::default(), Arc::default(), CancellationToken::new());
        Self { most: limits.connections, most_per_address: limits.per_address, tasks, next, taken, vacated }
    }

    /// A slot for a connection from this address (`None`: from a trusted proxy), if necessary that of another
    /// connection; `None` when all must be kept. An address that has its share gives up a slot of its own. Otherwise
    /// connections without authentication give way first, those of the address with the most of them before others.
    pub(super) fn take(&self, address: Option<IpAddr>) -> Option<Place> {
        let address = address.map(share);
        let mut taken = self.lock();
        let own = taken.values().filter(|pulse| address.is_some() && pulse.address == address).count();
        if own >= self.most_per_address {
            close_least(&mut taken, |pulse| pulse.address == address)?;
        } else if taken.len() >= self.most {
            close_least(&mut taken, |_| true)?;
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let pulse = Arc::new(Pulse::new(address, self.vacated.child_token()));
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

/// Closes the connection among these that is to give way; `None` when all must be kept.
fn close_least(taken: &mut HashMap<u64, Arc<Pulse>>, among: impl Fn(&Pulse) -> bool) -> Option<()> {
    let mut crowds = HashMap::<_, usize>::new();
    for pulse in taken.values().filter(|pulse| !pulse.is_authenticated()) {
        *crowds.entry(pulse.address).or_default() += 1;
    }
    let rank = |pulse: &Pulse| pulse.rank(crowds.get(&pulse.address).copied().unwrap_or_default());
    let candidates = taken.iter().filter(|(_, pulse)| among(pulse));
    let least = candidates.filter_map(|(number, pulse)| Some((rank(pulse)?, *number))).min();
    taken.remove(&least?.1)?.given_up.cancel();
    Some(())
}

/// The network whose connections are counted together.
fn share(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & IPV6_PREFIX)),
        v4 => v4,
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
    fn new(address: Option<IpAddr>, given_up: CancellationToken) -> Self {
        let phase = Mutex::new(Phase::New(Instant::now()));
        Self { address, phase, authenticated: AtomicBool::new(false), given_up }
    }

    /// A request was authenticated.
    pub(super) fn authenticated(&self) {
        self.authenticated.store(true, Ordering::Relaxed);
    }

    fn is_authenticated(&self) -> bool {
        self.authenticated.load(Ordering::Relaxed)
    }

    /// Bytes have arrived.
    pub(super) fn heard(&self) {
        self.turn(|phase| match phase {
            Phase::Idle(_) => Phase::Head(Instant::now()),
            other => other,
        });
    }

    /// The head of a request is complete.
    pub(super) fn requested(&self, has_body: bool) {
        let now = Instant::now();
        self.turn(|_| if has_body { Phase::Body(now) } else { Phase::Answering(now) });
    }

    /// The body of the request is complete.
    pub(super) fn received(&self) {
        self.turn(|phase| if matches!(phase, Phase::Body(_)) { Phase::Answering(Instant::now()) } else { phase });
    }

    /// The response is written.
    pub(super) fn answered(&self) {
        let now = Instant::now();
        self.turn(|phase| if matches!(phase, Phase::Upgraded(_)) { phase } else { Phase::Idle(now) });
    }

    /// The connection has switched to another protocol.
    pub(super) fn upgraded(&self) {
        self.turn(|_| Phase::Upgraded(Instant::now()));
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
            Phase::Body(_) | Phase::Answering(_) | Phase::Upgraded(_) => false,
        }
    }

    /// `None`: the connection must be kept. `crowd`: number of connections without authentication of its address.
    fn rank(&self, crowd: usize) -> Option<Rank> {
        let is_authenticated = self.is_authenticated();
        let (order, since) = match *self.lock() {
            Phase::New(since) => (0, since),
            Phase::Idle(since) | Phase::Head(since) => (1, since),
            Phase::Body(since) if !is_authenticated || since.elapsed() >= FAIR_BODY => (2, since),
            Phase::Answering(since) | Phase::Upgraded(since) if !is_authenticated => (3, since),
            Phase::Body(_) | Phase::Answering(_) | Phase::Upgraded(_) => return None,
        };
        Some((is_authenticated, Reverse(if is_authenticated { 0 } else { crowd }), order, since))
    }

    fn turn(&self, change: impl FnOnce(Phase) -> Phase) {
        let mut phase = self.lock();
        *phase = change(*phase);
    }

    fn lock(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
