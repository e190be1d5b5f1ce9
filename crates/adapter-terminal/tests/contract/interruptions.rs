//! Batches that a restart interrupts.

use std::sync::Arc;

use domain::ports::AdapterState;
use domain::{Job, LibraryId, NewPerson, SeveralFaces};
use serde_json::{Value, json};
use testkit::contract::Ledger;
use testkit::mqtt::Platform;
use testkit::{FakeFace, Picture, actor, until};

use crate::batches::{batch, entry, progress};
use crate::subscriber::Server;
use crate::witness::Witness;

/// Waits until what the device keeps of its batches is like this.
async fn wait_for_jobs(witness: &Witness, fits: impl Fn(&[Job]) -> bool) {
    until("the batch goes on", async || fits(&witness.device.handles.store.jobs("terminal").unwrap())).await;
}

fn done(jobs: &[Job]) -> usize {
    jobs.iter().flat_map(|job| &job.items).filter(|item| item.outcome.is_some()).count()
}

fn report(answer: &Value) -> (Vec<&str>, Vec<(&str, &str)>) {
    let list = |name: &str| answer["info"][name].as_array().unwrap().iter();
    let (done, failed) = (list("AddSucInfo"), list("AddErrInfo"));
    let failed = failed.map(|entry| (entry["customId"].as_str().unwrap(), entry["errcode"].as_str().unwrap()));
    (done.map(|entry| entry["customId"].as_str().unwrap()).collect(), failed.collect())
}

/// A person enrolled before the restart counts as done, even when the outcome was not stored any more; a person who
/// existed before the batch does not.
pub(crate) async fn an_interrupted_batch_is_resumed(ledger: &Arc<Ledger>) {
    let (witness, server, slow) = (Witness::start(ledger).await, Server::start().await, Server::start().await);
    witness.enrol("old").await;
    slow.close().await;
    let missing = json!({"customId": "carol", "picURI": format!("http://{}/missing", slow.address)});
    let people =
        json!([entry(&server, "alice"), entry(&slow, "old"), entry(&slow, "bob"), missing, entry(&server, "alice")]);
    let mut command = batch("AddPersons", &people);
    command["messageId"] = json!("the batch");
    witness.platform.send(&command).await;
    wait_for_jobs(&witness, |jobs| done(jobs) == 2).await;
    let enrolled = async |appliance: &domain::Appliance| {
        let person = NewPerson {
            code: Some("bob".parse().unwrap()),
            profile: domain::Profile::default(),
            libraries: vec![LibraryId::DEFAULT],
            photo: Picture::of([FakeFace::of("bob")]).png(),
            several_faces: SeveralFaces::TakeLargest,
            ..NewPerson::default()
        };
        appliance.by(&actor("terminal")).enrol(person).await.unwrap();
    };
    let witness = witness.crash(enrolled).await;
    progress(&witness, "AddPersons", "1").await;
    witness.refused_command("EditPersons", batch("EditPersons", &people), 410).await;
    slow.open();
    let answer = witness.platform.wait("Ack", |answer| answer["messageId"] == json!("the batch")).await;
    witness.note_success("AddPersons", &answer, "after the restart");
    assert_eq!(report(&answer), (vec!["alice", "bob"], vec![("old", "461"), ("carol", "465"), ("alice", "461")]));
    progress(&witness, "None", "0").await;
    assert_eq!(witness.ok("SearchPerson", json!({"customId": "bob"})).await["name"], json!("bob"));
    wait_for_jobs(&witness, <[Job]>::is_empty).await;
    witness.stop().await;
}

/// Once, and without doing anything again.
pub(crate) async fn a_batch_that_was_not_answered_is_answered_after_the_restart(ledger: &Arc<Ledger>) {
    let (mut witness, server) = (Witness::start(ledger).await, Server::start().await);
    server.close().await;
    let mut command = batch("EditPersonsNew", &json!([entry(&server, "alice")]));
    command["messageId"] = json!(7);
    witness.platform.send(&command).await;
    wait_for_jobs(&witness, |jobs| jobs.len() == 1).await;
    witness.broker.go_away().await;
    server.open();
    wait_for_jobs(&witness, |jobs| done(jobs) == 1).await;
    server.close().await;
    witness.broker.come_back().await;
    witness.platform = Platform::connect(witness.broker.address(), None).await;
    let witness = witness.crash(async |_: &domain::Appliance| {}).await;
    let answer = witness.platform.wait("Ack", |answer| answer["messageId"] == json!(7)).await;
    assert_eq!(report(&answer), (vec!["alice"], vec![]));
    progress(&witness, "None", "0").await;
    wait_for_jobs(&witness, <[Job]>::is_empty).await;
    witness.stop().await;
}
