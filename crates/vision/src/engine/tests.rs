use std::sync::mpsc;
use std::time::Duration;

use super::*;

const ROOM: Room = Room { live: 2, photos: 2, objects: 2 };

/// An engine of one thread that is blocked until the sender is dropped.
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

/// Queues a job that records its number, and waits until it is in the queue.
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
    let engine = Engine::start(vec![Vec::<u32>::new()], Room { live: 100, ..ROOM }).unwrap();
    let mut lanes = Lanes::default();
    lanes.photos.extend([100, 101]);
    lanes.live.extend(1..=8);
    let served: Vec<i32> = std::iter::from_fn(|| lanes.take()).map(|(_, job)| job).collect();
    assert_eq!(served, [1, 2, 3, 100, 4, 5, 6, 101, 7, 8]);
    drop(engine);
}

#[test]
fn objects_are_searched_for_when_nothing_else_waits_and_now_and_then_when_something_does() {
    let mut lanes = Lanes::default();
    lanes.objects.extend([100, 101, 102]);
    lanes.live.extend(1..=9);
    let served: Vec<i32> = std::iter::from_fn(|| lanes.take()).map(|(_, job)| job).collect();
    assert_eq!(served, [1, 2, 3, 4, 100, 5, 6, 7, 8, 101, 9, 102]);
}

#[tokio::test]
async fn a_full_lane_of_objects_refuses_without_a_face_being_refused() {
    let (engine, go, mut tasks) = held_up().await;
    for number in [1, 2] {
        let queued = Arc::clone(&engine);
        tasks.spawn(async move { queued.run(Turn::Objects, move |done| done.push(number)).await.unwrap() });
    }
    until(|| lock(&engine.queue.lanes).objects.len() == 2).await;
    assert_eq!(engine.run(Turn::Objects, |done| done.push(3)).await, Err(Refusal::Full));
    queue(&engine, &mut tasks, Lane::Live, 4).await;
    drop(go);
    tasks.join_all().await;
    let mut done = engine.run(Lane::Live, |done| done.clone()).await.unwrap();
    assert_eq!(done.remove(0), 4, "the face comes first");
    done.sort_unstable();
    assert_eq!(done, [1, 2]);
    let expected = Counters { live_done: 3, objects_done: 2, objects_refused: 1, ..Counters::default() };
    assert_eq!(engine.counters(), expected);
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

/// Eight cameras that each send a new frame as soon as the last one is done, and eight callers with photos.
#[tokio::test]
async fn busy_cameras_and_enrolment_share_the_threads_and_nobody_starves() {
    const ROUNDS: usize = 60;
    let engine = Arc::new(Engine::start(vec![Vec::<u32>::new()], Room { live: 32, photos: 16, ..ROOM }).unwrap());
    let mut tasks = tokio::task::JoinSet::new();
    for caller in 0..16 {
        let engine = Arc::clone(&engine);
        let lane = if caller < 8 { Lane::Live } else { Lane::Photo };
        tasks.spawn(async move {
            loop {
                let work = move |done: &mut Vec<u32>| {
                    std::thread::sleep(Duration::from_micros(500));
                    done.push(caller);
                    done.len()
                };
                if engine.run(lane, work).await.unwrap() >= ROUNDS * 16 {
                    break;
                }
            }
        });
    }
    tasks.join_all().await;
    let done = engine.run(Lane::Photo, |done| done.clone()).await.unwrap();
    let served: Vec<usize> = (0..16).map(|caller| done.iter().filter(|done| **done == caller).count()).collect();
    let (cameras, photos) = served.split_at(8);
    let spread = |counts: &[usize]| counts.iter().max().unwrap() - counts.iter().min().unwrap();
    assert!(spread(cameras) <= ROUNDS / 10 && spread(photos) <= ROUNDS / 10, "{served:?}");
    let share = photos.iter().sum::<usize>() as f64 / done.len() as f64;
    assert!((0.2..0.3).contains(&share), "one in four is a photo: {share}");
}
