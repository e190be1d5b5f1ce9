//! Proofs at the own door.

use std::sync::Arc;

use domain::ports::Reader;
use domain::{
    CameraChange, CameraId, Category, Decider, Document, DoorRules, LibraryId, LibraryKind, PersonId, Profile, Proof,
    Scan, Timestamp, Validity, readers,
};
use testkit::{FakeReader, Take, actor};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::doors::{OPEN, own_door_before};
use crate::stage::{Stage, face, newcomer, secs};

/// Bob's card.
const CARD: Scan = Scan::Card(1_369_406_761);
/// A card without a holder.
const STRANGE: Scan = Scan::Card(17);

struct Gate {
    stage: Stage,
    reader: Arc<FakeReader>,
    bob: PersonId,
    _tasks: JoinSet<()>,
}

impl Gate {
    /// A door that opens to this proof, with a reader; bob appears one second after surveillance starts.
    async fn demanding(proof: Proof) -> Self {
        Self::by(DoorRules { proof, ..DoorRules::default() }).await
    }

    async fn by(rules: DoorRules) -> Self {
        let takes = Take::new().nobody(secs(1.0)).show(secs(2.0), [face("bob")]).nobody(secs(600.0));
        let (stage, mut tasks) = own_door_before(rules, takes).await;
        let bob = enrol(&stage, "bob", |_| ()).await;
        let reader = FakeReader::new("gate");
        let all: Vec<Arc<dyn Reader>> = vec![reader.clone()];
        tasks.spawn(readers::run(stage.appliance.clone(), all, CancellationToken::new()));
        while !reader.is_read() {
            tokio::time::sleep(secs(0.01)).await;
        }
        Self { stage, reader, bob, _tasks: tasks }
    }

    /// Shows it to the reader and waits until the door has opened and closed. Returns how often it was opened so far.
    async fn show(&self, scan: Scan) -> usize {
        assert!(self.reader.show(scan));
        self.wait(0.5).await
    }

    /// Waits for this many seconds. Returns how often the door was opened so far.
    async fn wait(&self, time: f64) -> usize {
        tokio::time::sleep(secs(time)).await;
        self.stage.fakes.host.switched().iter().filter(|switched| **switched == OPEN).count()
    }
}

/// Enrols a person with bob's card and document.
async fn enrol(stage: &Stage, name: &str, change: impl FnOnce(&mut Profile)) -> PersonId {
    let mut person = newcomer(name, LibraryId::DEFAULT);
    person.profile.cards = vec!["1369406761".into()];
    person.profile.document_number = "4211".into();
    change(&mut person.profile);
    stage.appliance.by(&actor("test")).enrol(person).await.unwrap().id
}

fn document(number: &str) -> Scan {
    Scan::Document(Box::new(Document { number: number.into(), ..Document::default() }))
}

#[tokio::test(start_paused = true)]
async fn a_card_opens_where_a_card_is_enough_and_the_device_decides() {
    for (rules, opens) in [
        (DoorRules { proof: Proof::Card, ..DoorRules::default() }, 1),
        (DoorRules { proof: Proof::FaceOrCard, ..DoorRules::default() }, 1),
        (DoorRules { proof: Proof::Card, decided_by: Decider::FaceOrRemote, ..DoorRules::default() }, 1),
        (DoorRules { proof: Proof::Card, decided_by: Decider::Remote, ..DoorRules::default() }, 0),
        (DoorRules { proof: Proof::Card, decided_by: Decider::FaceThenRemote, ..DoorRules::default() }, 0),
        (DoorRules::default(), 0),
        (DoorRules { proof: Proof::FaceAndCard, ..DoorRules::default() }, 0),
        (DoorRules { proof: Proof::Impossible, ..DoorRules::default() }, 0),
    ] {
        let gate = Gate::by(rules).await;
        assert_eq!(gate.show(STRANGE).await, 0);
        assert_eq!(gate.show(Scan::Code("1369406761".into())).await, 0, "a code is not a card");
        assert_eq!(gate.show(document("4211")).await, 0);
        assert_eq!(gate.show(CARD).await, opens, "{rules:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_opening_with_a_card_is_in_the_audit_log() {
    let gate = Gate::demanding(Proof::Card).await;
    assert_eq!(gate.show(CARD).await, 1);
    let log = gate.stage.appliance.by(&actor("test")).audit_log(50).await.unwrap();
    let opening = log.iter().find(|entry| entry.action == "door.open").unwrap();
    let subject = format!("own door for person {}", gate.bob);
    assert_eq!((&*opening.actor, &*opening.subject), ("reader gate", &*subject));
}

#[tokio::test(start_paused = true)]
async fn a_card_of_a_person_who_is_not_admitted_opens_nothing() {
    let gate = Gate::demanding(Proof::Card).await;
    let past = Validity::Between(Timestamp::from_millis(0), Timestamp::from_millis(1));
    for (category, validity, opens) in [
        (Category::Blocked, Validity::Permanent, 0),
        (Category::Staff, past, 0),
        (Category::Staff, Validity::Uses(0), 0),
        (Category::Staff, Validity::Uses(1), 1),
    ] {
        let put = move |profile| Profile { category, validity, ..profile };
        gate.stage.appliance.by(&actor("test")).change_profile(gate.bob, put).await.unwrap();
        assert_eq!(gate.show(CARD).await, opens);
    }
    assert_eq!(gate.show(CARD).await, 1, "no use is left");
    let wanted = gate.stage.library("wanted", LibraryKind::Block).await;
    enrol(&gate.stage, "eve", |profile| profile.cards = vec!["18".into()]).await;
    assert_eq!(gate.show(Scan::Card(18)).await, 2);
    let mut mallory = newcomer("mallory", wanted);
    mallory.profile.cards = vec!["19".into()];
    gate.stage.appliance.by(&actor("test")).enrol(mallory).await.unwrap();
    assert_eq!(gate.show(Scan::Card(19)).await, 2, "in a blocked library");
}

#[tokio::test(start_paused = true)]
async fn face_and_card_open_in_either_order_while_they_are_fresh() {
    let mut gate = Gate::demanding(Proof::FaceAndCard).await;
    assert_eq!(gate.show(CARD).await, 0);
    gate.stage.open();
    assert_eq!(gate.wait(5.0).await, 1, "the card came first");
    assert_eq!(gate.show(CARD).await, 1, "the face was used up");
    gate.stage.close().await;
    let mut gate = Gate::demanding(Proof::FaceAndCard).await;
    gate.stage.open();
    assert_eq!(gate.wait(5.0).await, 0);
    assert_eq!(gate.show(CARD).await, 1, "the face came first");
    gate.stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn halves_that_are_old_or_not_of_the_same_person_open_nothing() {
    let mut gate = Gate::demanding(Proof::FaceAndCard).await;
    enrol(&gate.stage, "eve", |profile| profile.cards = vec!["18".into()]).await;
    assert_eq!(gate.show(Scan::Card(18)).await, 0);
    assert_eq!(gate.show(CARD).await, 0);
    assert_eq!(gate.wait(10.1).await, 0);
    gate.stage.open();
    assert_eq!(gate.wait(5.0).await, 0, "the card is ten seconds old, and eve's was another's");
    assert_eq!(gate.show(Scan::Card(18)).await, 0);
    assert_eq!(gate.wait(9.0).await, 0);
    assert_eq!(gate.show(CARD).await, 0, "the face is too old");
    gate.stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_document_opens_only_together_with_the_face_of_its_holder() {
    let mut gate = Gate::demanding(Proof::FaceAndDocument).await;
    assert_eq!(gate.show(document("4211")).await + gate.show(document("4212")).await, 0);
    gate.stage.open();
    assert_eq!(gate.wait(5.0).await, 1);
    gate.stage.close().await;
    // A document of two people identifies neither.
    let mut gate = Gate::demanding(Proof::FaceAndDocument).await;
    enrol(&gate.stage, "eve", |profile| profile.cards.clear()).await;
    assert_eq!(gate.show(document("4211")).await, 0);
    gate.stage.open();
    assert_eq!(gate.wait(5.0).await, 0);
    gate.stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn set_rules_discard_proofs_and_a_lost_reader_has_none() {
    let mut gate = Gate::demanding(Proof::FaceAndCard).await;
    assert_eq!(gate.show(CARD).await, 0);
    let rules = gate.stage.appliance.door_rules().await.unwrap();
    gate.stage.appliance.by(&actor("test")).set_door_rules(rules).await.unwrap();
    gate.reader.set_plugged(false);
    gate.stage.open();
    assert_eq!(gate.wait(8.0).await, 0);
    gate.stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_card_opens_only_to_people_who_may_pass_a_camera() {
    let gate = Gate::demanding(Proof::Card).await;
    let reserve = async |groups: &[&str]| {
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        let change = CameraChange { permission_groups: Some(groups), ..CameraChange::default() };
        gate.stage.appliance.by(&actor("test")).update_camera(CameraId(1), change).await.unwrap();
    };
    reserve(&["lab"]).await;
    assert_eq!(gate.show(CARD).await, 0, "bob is in no group");
    let change = |profile| Profile { permission_groups: vec!["lab".into()], ..profile };
    gate.stage.appliance.by(&actor("test")).change_profile(gate.bob, change).await.unwrap();
    assert_eq!(gate.show(CARD).await, 1);
    reserve(&["office"]).await;
    assert_eq!(gate.show(CARD).await, 1);
    reserve(&[]).await;
    assert_eq!(gate.show(CARD).await, 2);
}
