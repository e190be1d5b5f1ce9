//! Re-embedding after a change of the model.

use std::sync::Arc;

use domain::{Appliance, Event, LibraryId, Limits, Reembedding, Similarity};
use testkit::{FakeAnalyzer, Handles, actor, portrait};
use tokio_util::sync::CancellationToken;

use crate::stage::{Stage, face};

/// Restarts on the same fakes with this model.
fn restarted(fakes: &Handles, model: &str) -> (Appliance, Handles) {
    let fakes = Handles { analyzer: Arc::new(FakeAnalyzer::of_model(model)), ..fakes.clone() };
    (fakes.restart(Limits::default()).unwrap(), fakes)
}

async fn with(names: &[&str]) -> Handles {
    let stage = Stage::new();
    for name in names {
        stage.enrol(name).await;
    }
    stage.fakes.clone()
}

async fn reembed(appliance: &Appliance) -> Reembedding {
    appliance.reembed(&CancellationToken::new()).await.unwrap();
    appliance.reembedding()
}

async fn is_found(appliance: &Appliance, name: &str) -> bool {
    let libraries = vec![LibraryId::DEFAULT];
    let found = appliance.search(portrait(name), libraries, 1, Similarity::DEFAULT_THRESHOLD).await.unwrap();
    found.hits.first().is_some_and(|hit| hit.person.code.as_str() == name)
}

#[tokio::test(start_paused = true)]
async fn all_people_are_found_by_another_model() {
    let fakes = with(&["alice", "bob"]).await;
    let (appliance, _) = restarted(&fakes, "fake-2");
    assert!(!is_found(&appliance, "alice").await, "not described yet");
    let progress = reembed(&appliance).await;
    assert_eq!(progress, Reembedding { total: 2, done: 2, ..Reembedding::default() });
    assert!(is_found(&appliance, "alice").await && is_found(&appliance, "bob").await);
    let (again, _) = restarted(&fakes, "fake-2");
    assert!(is_found(&again, "bob").await);
    assert_eq!(reembed(&again).await, Reembedding::default(), "nothing is left to do");
}

#[tokio::test(start_paused = true)]
async fn going_back_to_a_model_needs_no_photo() {
    let fakes = with(&["alice"]).await;
    reembed(&restarted(&fakes, "fake-2").0).await;
    let (back, _) = restarted(&fakes, "fake-1");
    assert!(is_found(&back, "alice").await);
    assert_eq!(reembed(&back).await.total, 0);
}

#[tokio::test(start_paused = true)]
async fn a_photo_without_a_face_for_the_new_model_is_counted_and_not_tried_again() {
    let fakes = with(&["alice", "bob"]).await;
    let (appliance, new) = restarted(&fakes, "fake-2");
    new.analyzer.overlook(&face("alice"));
    let progress = reembed(&appliance).await;
    assert_eq!(progress, Reembedding { total: 2, done: 1, unusable: 1, postponed: 0 });
    assert!(is_found(&appliance, "bob").await);
    assert_eq!(reembed(&restarted(&fakes, "fake-2").0).await.total, 0);
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_run_resumes_at_the_next_start() {
    let fakes = with(&["alice", "bob", "carol", "dave"]).await;
    let (appliance, _) = restarted(&fakes, "fake-2");
    let (mut events, cancel) = (appliance.events(), CancellationToken::new());
    let stop = async {
        assert!(matches!(events.recv().await, Ok(Event::Reembedding(Reembedding { total: 4, done: 1, .. }))));
        cancel.cancel();
    };
    let (worked, ()) = tokio::join!(appliance.reembed(&cancel), stop);
    worked.unwrap();
    let done = appliance.reembedding().done;
    assert!((1..4).contains(&done), "{done} were described before the end");
    let (again, _) = restarted(&fakes, "fake-2");
    let progress = reembed(&again).await;
    assert!(progress.total <= 4 - done && progress.done == progress.total, "{done} before, {progress:?}");
    for name in ["alice", "bob", "carol", "dave"] {
        assert!(is_found(&again, name).await, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_person_removed_meanwhile_stays_removed() {
    let fakes = with(&["alice", "bob", "carol", "dave"]).await;
    let (appliance, _) = restarted(&fakes, "fake-2");
    let mut events = appliance.events();
    let remove = async {
        events.recv().await.unwrap();
        let dave = appliance.person_by_code("dave".parse().unwrap()).await.unwrap();
        appliance.by(&actor("test")).remove_person(dave.id).await.unwrap();
    };
    let (progress, ()) = tokio::join!(reembed(&appliance), remove);
    assert_eq!((progress.total, progress.left()), (4, 0));
    assert!(!is_found(&appliance, "dave").await && is_found(&appliance, "carol").await);
    assert!(!is_found(&restarted(&fakes, "fake-2").0, "dave").await);
}

#[tokio::test(start_paused = true)]
async fn a_person_enrolled_meanwhile_is_found_at_once() {
    let fakes = with(&["alice"]).await;
    let (appliance, _) = restarted(&fakes, "fake-2");
    let bob = crate::stage::newcomer("bob", LibraryId::DEFAULT);
    appliance.by(&actor("test")).enrol(bob).await.unwrap();
    assert!(is_found(&appliance, "bob").await);
    assert_eq!(reembed(&appliance).await.total, 1);
}

#[tokio::test(start_paused = true)]
async fn a_template_that_a_full_disk_prevents_is_postponed() {
    let fakes = with(&["alice"]).await;
    let (appliance, new) = restarted(&fakes, "fake-2");
    new.store.fill_up(true);
    assert_eq!(reembed(&appliance).await, Reembedding { total: 1, postponed: 1, ..Reembedding::default() });
    new.store.fill_up(false);
    assert_eq!(reembed(&restarted(&fakes, "fake-2").0).await.done, 1);
}
