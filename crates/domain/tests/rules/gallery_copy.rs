//! The copy of the gallery: written for the next start, and never with people who were removed.

use std::time::Duration;

use domain::ports::{FaceAnalyzer, GalleryStore};
use domain::{LibraryId, LibraryKind, Limits, Similarity};
use testkit::actor;
use tokio_util::sync::CancellationToken;

use crate::stage::{Stage, newcomer};

/// Whether the store has a copy of the present gallery.
fn is_copied(stage: &Stage) -> bool {
    let store = &stage.fakes.store;
    let generation = store.generation().unwrap();
    store.read_copy(stage.fakes.analyzer.model(), generation, &mut |_| true).unwrap()
}

async fn reaches(what: &str, stage: &Stage, state: bool) {
    let looking = async {
        while is_copied(stage) != state {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    let seen = tokio::time::timeout(Duration::from_secs(700), looking).await;
    assert!(seen.is_ok(), "{what}");
}

/// Runs `scene` while the copy is maintained.
async fn while_keeping(stage: &Stage, scene: impl AsyncFnOnce()) {
    let cancel = CancellationToken::new();
    let keeping = stage.appliance.keep_gallery_copy(cancel.clone());
    let acting = async {
        scene().await;
        cancel.cancel();
    };
    tokio::join!(keeping, acting);
}

#[tokio::test(start_paused = true)]
async fn the_copy_follows_when_people_have_settled() {
    let stage = Stage::new();
    while_keeping(&stage, async || {
        reaches("an empty gallery is copied", &stage, true).await;
        stage.enrol("ada").await;
        assert!(!is_copied(&stage), "it may change again at once");
        reaches("a copy with one person", &stage, true).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_copy_is_written_at_the_end_and_used_at_the_next_start() {
    let stage = Stage::new();
    while_keeping(&stage, async || drop(stage.enrol("ada").await)).await;
    assert!(is_copied(&stage));
    let restarted = stage.fakes.restart(Limits::default()).unwrap();
    let photo = newcomer("ada", LibraryId::DEFAULT).photo;
    let library = vec![LibraryId::DEFAULT];
    let found = restarted.search(photo, library, 1, Similarity::DEFAULT_THRESHOLD).await.unwrap();
    assert_eq!(found.hits[0].person.profile.name, "ada");
}

#[tokio::test(start_paused = true)]
async fn a_removal_removes_the_copy_at_once() {
    let stage = Stage::new();
    let library = stage.library("visitors", LibraryKind::Allow).await;
    let (ada, _) = (stage.enrol("ada").await, stage.enrol_into("ben", library).await);
    for round in 0..2 {
        while_keeping(&stage, async || reaches("a copy", &stage, true).await).await;
        let before = stage.fakes.store.generation().unwrap();
        match round {
            0 => stage.appliance.by(&actor("test")).remove_person(ada.id).await.unwrap(),
            _ => stage.appliance.by(&actor("test")).remove_library(library).await.unwrap(),
        }
        let model = stage.fakes.analyzer.model();
        for generation in [before, stage.fakes.store.generation().unwrap()] {
            assert!(!stage.fakes.store.read_copy(model, generation, &mut |_| true).unwrap());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_outdated_or_foreign_copy_is_removed_and_not_used() {
    let stage = Stage::new();
    while_keeping(&stage, async || {}).await;
    let before = stage.fakes.store.generation().unwrap();
    stage.enrol("ada").await;
    let restarted = stage.fakes.restart(Limits::default()).unwrap();
    let model = stage.fakes.analyzer.model();
    assert!(!stage.fakes.store.read_copy(model, before, &mut |_| true).unwrap());
    let chunks = [b"no gallery at all".to_vec()];
    let now = stage.fakes.store.generation().unwrap();
    assert!(stage.fakes.store.keep_copy(model, now, &mut chunks.into_iter()).unwrap());
    for appliance in [restarted, stage.fakes.restart(Limits::default()).unwrap()] {
        let photo = newcomer("ada", LibraryId::DEFAULT).photo;
        let library = vec![LibraryId::DEFAULT];
        let found = appliance.search(photo, library, 1, Similarity::DEFAULT_THRESHOLD).await.unwrap();
        assert_eq!(found.hits.len(), 1);
    }
}
