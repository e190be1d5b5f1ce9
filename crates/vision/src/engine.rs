//! The inference threads and their queue.
//!
//! The queue has three lanes. Camera frames searched for faces have priority and are rejected when their lane is full;
//! photos wait asynchronously. After [`LIVE_IN_A_ROW`] frames, a waiting photo is served. Camera frames searched for
//! objects come last: when nothing else waits, and after [`OTHERS_IN_A_ROW`] other jobs.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use domain::ports::Lane;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::counters::{Counted, Counters};

/// Number of frames served before a waiting photo.
const LIVE_IN_A_ROW: u32 = 3;
/// Number of other jobs served before a waiting search for objects.
const OTHERS_IN_A_ROW: u32 = 4;

/// Capacity of the queue.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    /// Maximum number of camera frames; further ones are rejected.
    pub(crate) live: usize,
    /// Maximum number of photos; further ones wait outside the queue.
    pub(crate) photos: usize,
    /// Maximum number of camera frames searched for objects; further ones are rejected.
    pub(crate) objects: usize,
}

/// Which lane a job takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// A camera frame searched for faces, or a face in it.
    Live,
    /// A photo.
    Photo,
    /// A camera frame searched for objects.
    Objects,
}

impl From<Lane> for Turn {
    fn from(lane: Lane) -> Self {
        match lane {
            Lane::Live => Self::Live,
            Lane::Photo => Self::Photo,
        }
    }
}

/// Why a job was not completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The lane is full.
    Full,
    /// The job panicked, or the engine is shutting down.
    Lost,
}

/// A job for a thread that owns a `W`.
trait Task<W>: Send {
    /// Whether the caller has stopped waiting for the result.
    fn is_abandoned(&self) -> bool;
    /// Runs the job and sends the result.
    fn run(self: Box<Self>, owned: &mut W);
}

/// A job and the channel for its result.
struct Request<F, T> {
    work: F,
    answer: oneshot::Sender<T>,
    /// Queue permit of a photo, released when its turn comes.
    place: Option<OwnedSemaphorePermit>,
}

impl<W, T: Send, F: FnOnce(&mut W) -> T + Send> Task<W> for Request<F, T> {
    fn is_abandoned(&self) -> bool {
        self.answer.is_closed()
    }

    fn run(self: Box<Self>, owned: &mut W) {
        drop(self.place);
        // The caller may have stopped waiting.
        let _ = self.answer.send((self.work)(owned));
    }
}

type Job<W> = Box<dyn Task<W>>;

/// Threads, each of which owns a `W`. Dropping the engine completes running jobs and drops queued ones.
pub(crate) struct Engine<W> {
    queue: Arc<Queue<W>>,
    threads: Vec<JoinHandle<()>>,
    photo_places: Arc<Semaphore>,
}

impl<W: Send + 'static> Engine<W> {
    /// Starts one thread per `owned`.
    pub(crate) fn start(owned: Vec<W>, room: Room) -> std::io::Result<Self> {
        let queue = Arc::new(Queue::new(room));
        let mut engine = Self { queue, threads: Vec::new(), photo_places: Arc::new(Semaphore::new(room.photos)) };
        for (index, owned) in owned.into_iter().enumerate() {
            let queue = Arc::clone(&engine.queue);
            let name = format!("inference-{index}");
            engine.threads.push(thread::Builder::new().name(name).spawn(move || serve(&queue, owned))?);
        }
        Ok(engine)
    }

    /// Runs a job; dropping the future abandons it.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        turn: impl Into<Turn>,
        work: impl FnOnce(&mut W) -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let turn = turn.into();
        let place = match turn {
            Turn::Live | Turn::Objects => None,
            Turn::Photo => Some(Arc::clone(&self.photo_places).acquire_owned().await.map_err(|_| Refusal::Lost)?),
        };
        let (answer, waiting) = oneshot::channel();
        let job = Box::new(Request { work, answer, place });
        self.queue.push(turn, job)?;
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
    while let Some((turn, job)) = queue.next() {
        if job.is_abandoned() {
            continue;
        }
        queue.counters.count(turn);
        if catch_unwind(AssertUnwindSafe(|| job.run(&mut owned))).is_err() {
            tracing::error!("picture analysis panicked");
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The lanes.
struct Queue<W> {
    lanes: Mutex<Lanes<Job<W>>>,
    filled: Condvar,
    room: Room,
    counters: Counted,
}

impl<W> Queue<W> {
    fn new(room: Room) -> Self {
        Self { lanes: Mutex::new(Lanes::default()), filled: Condvar::new(), room, counters: Counted::default() }
    }

    fn push(&self, turn: Turn, job: Job<W>) -> Result<(), Refusal> {
        let mut lanes = lock(&self.lanes);
        if lanes.closed {
            return Err(Refusal::Lost);
        }
        let (lane, room) = match turn {
            Turn::Live => (&mut lanes.live, self.room.live),
            Turn::Objects => (&mut lanes.objects, self.room.objects),
            // Further ones wait outside.
            Turn::Photo => (&mut lanes.photos, usize::MAX),
        };
        if lane.len() >= room {
            lane.retain(|job| !job.is_abandoned());
            if lane.len() >= room {
                self.counters.refuse(turn);
                return Err(Refusal::Full);
            }
        }
        lane.push_back(job);
        drop(lanes);
        self.filled.notify_one();
        Ok(())
    }

    /// The next job; `None` when the engine is shutting down.
    fn next(&self) -> Option<(Turn, Job<W>)> {
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
        let mut guard = lock(&self.lanes);
        let lanes = &mut *guard;
        lanes.closed = true;
        let waiting = [&mut lanes.live, &mut lanes.photos, &mut lanes.objects].map(std::mem::take);
        drop(guard);
        drop(waiting);
        self.filled.notify_all();
    }
}

/// The queued jobs and the order in which they are served.
struct Lanes<J> {
    live: VecDeque<J>,
    photos: VecDeque<J>,
    objects: VecDeque<J>,
    /// Frames served since the last photo, while photos waited.
    live_in_a_row: u32,
    /// Other jobs served since the last search for objects, while such searches waited.
    others_in_a_row: u32,
    closed: bool,
}

impl<J> Default for Lanes<J> {
    fn default() -> Self {
        Self {
            live: VecDeque::new(),
            photos: VecDeque::new(),
            objects: VecDeque::new(),
            live_in_a_row: 0,
            others_in_a_row: 0,
            closed: false,
        }
    }
}

impl<J> Lanes<J> {
    fn take(&mut self) -> Option<(Turn, J)> {
        let is_turn_of_objects =
            self.others_in_a_row >= OTHERS_IN_A_ROW || (self.live.is_empty() && self.photos.is_empty());
        if is_turn_of_objects && let Some(job) = self.objects.pop_front() {
            self.others_in_a_row = 0;
            return Some((Turn::Objects, job));
        }
        let other = self.take_other()?;
        self.others_in_a_row = if self.objects.is_empty() { 0 } else { self.others_in_a_row + 1 };
        Some(other)
    }

    /// A face or photo.
    fn take_other(&mut self) -> Option<(Turn, J)> {
        let photo_turn = self.live.is_empty() || self.live_in_a_row >= LIVE_IN_A_ROW;
        if photo_turn && let Some(photo) = self.photos.pop_front() {
            self.live_in_a_row = 0;
            return Some((Turn::Photo, photo));
        }
        let live = self.live.pop_front()?;
        self.live_in_a_row = if self.photos.is_empty() { 0 } else { self.live_in_a_row + 1 };
        Some((Turn::Live, live))
    }
}

#[cfg(test)]
mod tests;
