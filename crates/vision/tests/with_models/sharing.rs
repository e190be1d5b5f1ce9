//! Cameras and photos share the inference threads.

use std::sync::Arc;

use domain::Error;
use domain::ports::{FaceAnalyzer, Lane, Search};
use tokio::task::JoinSet;

use crate::support::{analyzer, photo};

/// The inference threads of this process.
fn inference_threads() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().filter_map(Result::ok);
    let name = |task: std::fs::DirEntry| std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
    tasks.map(name).filter(|name| name.starts_with("inference-")).count()
}

#[tokio::test]
async fn too_many_live_frames_are_refused_while_photos_wait_their_turn() {
    let analyzer = Arc::new(analyzer());
    let frame = photo(&analyzer, "Eileen_Collins/astronaut.png").await;
    let mut tasks = JoinSet::new();
    for lane in [[Lane::Live; 60].as_slice(), &[Lane::Photo; 30]].concat() {
        let (analyzer, frame) = (Arc::clone(&analyzer), frame.clone());
        tasks.spawn(async move { (lane, analyzer.detect(frame, Search::ANYWHERE, lane).await) });
    }
    let (mut found, mut refused) = (0, 0);
    for (lane, result) in tasks.join_all().await {
        match (lane, result) {
            (_, Ok(faces)) => found += faces.len(),
            (Lane::Live, Err(Error::Busy)) => refused += 1,
            (lane, Err(error)) => panic!("{lane:?}: {error}"),
        }
    }
    let counters = analyzer.counters();
    assert!(refused > 0 && found + refused == 90, "{found} found, {refused} refused");
    assert_eq!((counters.live_refused, counters.photos_done), (refused as u64, 30));
    assert_eq!(counters.live_done, 60 - refused as u64);
}

#[tokio::test]
async fn dropping_the_analyzer_ends_its_threads() {
    let analyzer = analyzer();
    let frame = photo(&analyzer, "Eileen_Collins/astronaut.png").await;
    assert!(inference_threads() > 0);
    let work = analyzer.detect(frame, Search::ANYWHERE, Lane::Live);
    assert!(tokio::time::timeout(std::time::Duration::from_millis(1), work).await.is_err(), "left in the middle");
    drop(analyzer);
    assert_eq!(inference_threads(), 0);
}
