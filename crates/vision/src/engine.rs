//! The inference threads and the queue before them.
//!
//! Two lanes: frames of cameras come first and are refused when there are too many, photos wait their turn
//! without holding up a thread. After [`LIVE_IN_A_ROW`] frames a waiting photo gets its share.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use domain::ports::Lane;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// Frames that are served before a waiting photo.
const LIVE_IN_A_ROW: u32 = 3;

/// How much may wait.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    /// Frames of cameras; one more is refused.
    pub(crate) live: usize,
    /// Photos; one more waits outside.
    pub(crate) photos: usize,
}

/// Why a job was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The lane is full.
    Full,
    /// The job's thread panicked, or the engine is shutting down.
    Lost,
}

/// What has happened so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Frames of cameras looked at.
    pub live_done: u64,
    /// Frames of cameras refused because too many were waiting.
    pub live_refused: u64,
    /// Photos looked at.
    pub photos_done: u64,
    /// Time spent inside networks, over all threads.
    pub in_networks: Duration,
}

/// A piece of work for a thread that owns a `W`.
trait Task<W>: Send {
    /// Whether nobody waits for the result any more.
    fn is_abandoned(&self) -> bool;
    /// Does the work and answers.
    fn run(self: Box<Self>, owned: &mut W);
}

/// Work, and who waits for its result.
struct Request<F, T> {
    work: F,
    answer: oneshot::Sender<T>,
    /// The place of a photo among those that may wait; given back when its turn has come.
    place: Option<OwnedSemaphorePermit>,
}

impl<W, T: Send, F: FnOnce(&mut W) -> T + Send> Task<W> for Request<F, T> {
    fn is_abandoned(&self) -> bool {
        self.answer.is_closed()
    }

    fn run(self: Box<Self>, owned: &mut W) {
        drop(self.place);
        // Whoever asked may have gone meanwhile.
        let _ = self.answer.send((self.work)(owned));
    }
}

type Job<W> = Box<dyn Task<W>>;

/// Threads, each of which owns a `W`. Dropping the engine lets running jobs end and drops waiting ones.
pub(crate) struct Engine<W> {
    queue: Arc<Queue<W>>,
    threads: Vec<JoinHandle<()>>,
    photo_places: Arc<Semaphore>,
}

impl<W: Send + 'static> Engine<W> {
    /// Starts one thread per `owned`.
    pub(crate) fn start(owned: Vec<W>, room: Room) -> std::io::Result<Self> {
        let queue = Arc::new(Queue::new(room.live));
        let mut engine = Self { queue, threads: Vec::new(), photo_places: Arc::new(Semaphore::new(room.photos)) };
        for (index, owned) in owned.into_iter().enumerate() {
            let queue = Arc::clone(&engine.queue);
            let name = format!("inference-{index}");
            engine.threads.push(thread::Builder::new().name(name).spawn(move || serve(&queue, owned))?);
        }
        Ok(engine)
    }

    /// Has a job done; dropping the future abandons it.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        lane: Lane,
        work: impl FnOnce(&mut W) -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let place = match lane {
            Lane::Live => None,
            Lane::Photo => Some(Arc::clone(&self.photo_places).acquire_owned().await.map_err(|_| Refusal::Lost)?),
        };
        let (answer, waiting) = oneshot::channel();
        let job = Box::new(Request { work, answer, place });
        self.queue.push(lane, job)?;
        waiting.await.map_err(|_| Refusal::Lost)
    }

    pub(crate) fn counters(&self) -> Counters {
        self.queue.counters.read()
    }
}

impl<W> Drop for Engine<W> {
    fn drop(&mut self) {
        self.queue.close();
        for thread in self.threads.drain(..) {
            // A thread catches its jobs' panics, so there is nothing left to report.
            let _ = thread.join();
        }
    }
}

fn serve<W>(queue: &Queue<W>, mut owned: W) {
    while let Some((lane, job)) = queue.next() {
        if job.is_abandoned() {
            continue;
        }
        queue.counters.count(lane);
        if catch_unwind(AssertUnwindSafe(|| job.run(&mut owned))).is_err() {
            tracing::error!("analysing a picture panicked");
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The two lanes.
struct Queue<W> {
    lanes: Mutex<Lanes<Job<W>>>,
    filled: Condvar,
    live_room: usize,
    counters: Counted,
}

impl<W> Queue<W> {
    fn new(live_room: usize) -> Self {
        Self { lanes: Mutex::new(Lanes::default()), filled: Condvar::new(), live_room, counters: Counted::default() }
    }

    fn push(&self, lane: Lane, job: Job<W>) -> Result<(), Refusal> {
        let mut lanes = lock(&self.lanes);
        if lanes.closed {
            return Err(Refusal::Lost);
        }
        if lane == Lane::Live && lanes.live.len() >= self.live_room {
            lanes.live.retain(|job| !job.is_abandoned());
            if lanes.live.len() >= self.live_room {
                self.counters.live_refused.fetch_add(1, Ordering::Relaxed);
                return Err(Refusal::Full);
            }
        }
        match lane {
            Lane::Live => lanes.live.push_back(job),
            Lane::Photo => lanes.photos.push_back(job),
        }
        drop(lanes);
        self.filled.notify_one();
        Ok(())
    }

    /// The next job; `None` when the engine is shutting down.
    fn next(&self) -> Option<(Lane, Job<W>)> {
        let mut lanes = lock(&self.lanes);
        loop {
            if lanes.closed {
                return None;
            }
            if let Some(next) = lanes.take() {
                return Some(next);
            }
            lanes = self.filled.wait(lanes).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn close(&self) {
        let mut lanes = lock(&self.lanes);
        lanes.closed = true;
        let waiting = (std::mem::take(&mut lanes.live), std::mem::take(&mut lanes.photos));
        drop(lanes);
        drop(waiting);
        self.filled.notify_all();
    }
}

/// What waits, and whose turn it is.
struct Lanes<J> {
    live: VecDeque<J>,
    photos: VecDeque<J>,
    /// Frames served since the last photo, while photos waited.
    live_in_a_row: u32,
    closed: bool,
}

impl<J> Default for Lanes<J> {
    fn default() -> Self {
        Self { live: VecDeque::new(), photos: VecDeque::new(), live_in_a_row: 0, closed: false }
    }
}

impl<J> Lanes<J> {
    fn take(&mut self) -> Option<(Lane, J)> {
        let photo_turn = self.live.is_empty() || self.live_in_a_row >= LIVE_IN_A_ROW;
        if photo_turn && let Some(photo) = self.photos.pop_front() {
            self.live_in_a_row = 0;
            return Some((Lane::Photo, photo));
        }
        let live = self.live.pop_front()?;
        self.live_in_a_row = if self.photos.is_empty() { 0 } else { self.live_in_a_row + 1 };
        Some((Lane::Live, live))
    }
}

#[derive(Default)]
struct Counted {
    live_done: AtomicU64,
    live_refused: AtomicU64,
    photos_done: AtomicU64,
}

impl Counted {
    fn count(&self, lane: Lane) {
        let counter = match lane {
            Lane::Live => &self.live_done,
            Lane::Photo => &self.photos_done,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    fn read(&self) -> Counters {
        Counters {
            live_done: self.live_done.load(Ordering::Relaxed),
            live_refused: self.live_refused.load(Ordering::Relaxed),
            photos_done: self.photos_done.load(Ordering::Relaxed),
            in_networks: Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const ROOM: Room = Room { live: 2, photos: 2 };

    /// An engine of one thread that is held up until the sender is dropped.
    async fn held_up() -> (Arc<Engine<Vec<u32>>>, mpsc::Sender<()>, tokio::task::JoinSet<()>) {
        let engine = Arc::new(Engine::start(vec![Vec::new()], ROOM).unwrap());
        let (go, gate) = mpsc::channel::<()>();
        let (started, has_started) = oneshot::channel();
        let mut tasks = tokio::task::JoinSet::new();
        let held = Arc::clone(&engine);
        tasks.spawn(async move {
            let wait = move |_: &mut Vec<u32>| {
                let _ = started.send(());
                let _ = gate.recv();
            };
            held.run(Lane::Live, wait).await.unwrap();
        });
        has_started.await.unwrap();
        (engine, go, tasks)
    }

    /// Queues a job that notes its number, and waits until it is in the queue.
    async fn queue(engine: &Arc<Engine<Vec<u32>>>, tasks: &mut tokio::task::JoinSet<()>, lane: Lane, number: u32) {
        let before = waiting(engine);
        let queued = Arc::clone(engine);
        tasks.spawn(async move { queued.run(lane, move |done| done.push(number)).await.unwrap() });
        until(|| waiting(engine) == before + 1).await;
    }

    fn waiting(engine: &Engine<Vec<u32>>) -> usize {
        let lanes = lock(&engine.queue.lanes);
        lanes.live.len() + lanes.photos.len()
    }

    async fn until(met: impl Fn() -> bool) {
        let poll = async {
            while !met() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), poll).await.unwrap();
    }

    #[tokio::test]
    async fn a_full_live_lane_refuses_and_counts() {
        let (engine, go, mut tasks) = held_up().await;
        queue(&engine, &mut tasks, Lane::Live, 1).await;
        queue(&engine, &mut tasks, Lane::Live, 2).await;
        assert_eq!(engine.run(Lane::Live, |done| done.push(3)).await, Err(Refusal::Full));
        drop(go);
        tasks.join_all().await;
        assert_eq!(engine.run(Lane::Live, |done| done.clone()).await.unwrap(), [1, 2]);
        assert_eq!(engine.counters(), Counters { live_done: 4, live_refused: 1, ..Counters::default() });
    }

    #[tokio::test]
    async fn photos_get_a_share_among_live_frames() {
        let engine = Engine::start(vec![Vec::<u32>::new()], Room { live: 100, photos: 2 }).unwrap();
        let mut lanes = Lanes::default();
        lanes.photos.extend([100, 101]);
        lanes.live.extend(1..=8);
        let served: Vec<i32> = std::iter::from_fn(|| lanes.take()).map(|(_, job)| job).collect();
        assert_eq!(served, [1, 2, 3, 100, 4, 5, 6, 101, 7, 8]);
        drop(engine);
    }

    #[tokio::test]
    async fn a_photo_too_many_waits_outside_and_is_served_in_the_end() {
        let (engine, go, mut tasks) = held_up().await;
        queue(&engine, &mut tasks, Lane::Photo, 1).await;
        queue(&engine, &mut tasks, Lane::Photo, 2).await;
        let outside = Arc::clone(&engine);
        tasks.spawn(async move { outside.run(Lane::Photo, |done| done.push(3)).await.unwrap() });
        until(|| engine.photo_places.available_permits() == 0).await;
        assert_eq!(waiting(&engine), 2);
        drop(go);
        tasks.join_all().await;
        assert_eq!(engine.run(Lane::Live, |done| done.clone()).await.unwrap(), [1, 2, 3]);
    }

    #[tokio::test]
    async fn an_abandoned_job_is_not_done_and_makes_room() {
        let (engine, go, mut tasks) = held_up().await;
        queue(&engine, &mut tasks, Lane::Live, 1).await;
        let abandoned = engine.run(Lane::Live, |done| done.push(2));
        assert!(tokio::time::timeout(Duration::from_millis(1), abandoned).await.is_err());
        queue_in_place(&engine, &mut tasks).await;
        drop(go);
        tasks.join_all().await;
        assert_eq!(engine.run(Lane::Live, |done| done.clone()).await.unwrap(), [1, 3]);
    }

    /// Queues a third job in a lane for two.
    async fn queue_in_place(engine: &Arc<Engine<Vec<u32>>>, tasks: &mut tokio::task::JoinSet<()>) {
        let queued = Arc::clone(engine);
        tasks.spawn(async move { queued.run(Lane::Live, |done| done.push(3)).await.unwrap() });
        until(|| lock(&engine.queue.lanes).live.iter().all(|job| !job.is_abandoned())).await;
    }

    #[tokio::test]
    async fn a_panic_is_told_to_its_caller_and_the_thread_goes_on() {
        let engine = Engine::start(vec![7], ROOM).unwrap();
        let panics = engine.run(Lane::Photo, |_: &mut i32| -> i32 { panic!("a test wants this") }).await;
        assert_eq!(panics, Err(Refusal::Lost));
        assert_eq!(engine.run(Lane::Photo, |owned| *owned).await, Ok(7));
    }

    #[tokio::test]
    async fn dropping_the_engine_ends_its_threads() {
        struct Ended(mpsc::Sender<()>);
        impl Drop for Ended {
            fn drop(&mut self) {
                let _ = self.0.send(());
            }
        }
        let (ended, has_ended) = mpsc::channel();
        let engine = Engine::start(vec![Ended(ended.clone()), Ended(ended)], ROOM).unwrap();
        drop(engine);
        assert_eq!(has_ended.try_iter().count(), 2, "what the threads own is gone when drop returns");
    }
}
