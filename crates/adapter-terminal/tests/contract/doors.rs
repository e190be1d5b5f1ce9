//! The door.

use std::sync::Arc;
use std::time::Duration;

use domain::{DoorOptions, Options, Output};
use serde_json::{Value, json};
use testkit::contract::Ledger;
use testkit::{actor, until};

use crate::witness::Witness;

const OPEN: (Output, bool) = (Output::Contact, true);

/// A device with a door of its own.
pub(crate) async fn with_door(ledger: &Arc<Ledger>) -> Witness {
    let doors = DoorOptions { own_door: true, ..testkit::options().doors };
    Witness::start_of(ledger, Options { doors, ..testkit::options() }).await
}

pub(crate) fn openings(witness: &Witness) -> usize {
    witness.device.handles.host.switched().iter().filter(|switched| **switched == OPEN).count()
}

pub(crate) async fn opened(witness: &Witness) {
    until("the door opens", async || openings(witness) != 0).await;
}

pub(crate) async fn the_door_opens_by_the_rules_that_are_set(ledger: &Arc<Ledger>) {
    let witness = with_door(ledger).await;
    let before = witness.ok("GetDoorconfig", json!({})).await;
    for (name, value) in [("OpendoorWay", "2"), ("FaceThreshold", "80"), ("VerifyMode", "1"), ("IOStayTime", "200")] {
        assert_eq!(before[name], json!(value), "{name}");
    }
    witness.enrol("alice").await;
    witness.device.watch(&["alice"]).await;
    opened(&witness).await;
    let change = json!({
        "OpendoorWay": "3", "FaceThreshold": 91, "VerifyMode": "3", "VerifyResetTime": 5, "IOStayTime": "500",
        "Wiegand": 0, "IsOutFF": "1",
    });
    witness.ok("UpDoorconfig", change.clone()).await;
    let after = witness.ok("GetDoorconfig", json!({})).await;
    for (name, value) in before.as_object().unwrap() {
        let wanted = change.get(name).map_or_else(|| value.clone(), text);
        assert_eq!(after[name], wanted, "{name}");
    }
    let camera = witness.device.appliance.cameras().await.unwrap().remove(0);
    assert_eq!(camera.watch.settings.threshold.percent(), 91);
    assert_eq!(camera.watch.settings.rearm, Duration::from_secs(5));
    for mode in [0, 5, 20, 257, 513] {
        witness.refused("UpDoorconfig", json!({"OpendoorWay": 0, "VerifyMode": mode}), 463).await;
    }
    for wrong in
        [json!({"OpendoorWay": 4}), json!({"FaceThreshold": 49}), json!({"IOStayTime": 0}), json!({"Endian": 2})]
    {
        witness.refused("UpDoorconfig", wrong, 462).await;
    }
    witness.refused_command("UpDoorconfig", json!({"operator": "UpDoorconfig"}), 462).await;
    assert_eq!(witness.ok("GetDoorconfig", json!({})).await, after);
    witness.stop().await;
}

/// Settings are reported as text.
fn text(value: &Value) -> Value {
    value.as_str().map_or_else(|| json!(value.to_string()), |text| json!(text))
}

pub(crate) async fn a_command_opens_the_door_where_commands_decide(ledger: &Arc<Ledger>) {
    let witness = with_door(ledger).await;
    witness.ok("UpDoorconfig", json!({"OpendoorWay": 0})).await;
    let refused = witness.platform.ask(json!({"operator": "Unlock", "info": {"openDoor": "1"}})).await;
    assert_eq!(
        (&refused["code"], &refused["info"]["detail"]),
        (&json!("462"), &json!("OpendoorWay not support Unlock"))
    );
    assert_eq!(openings(&witness), 0, "faces decide");
    witness.ok("UpDoorconfig", json!({"OpendoorWay": 1})).await;
    let mut events = witness.device.appliance.events();
    let done = witness.ok("Unlock", json!({"uid": "00021", "openDoor": "1", "showInfo": "please pass"})).await;
    assert_eq!((&done["uid"], openings(&witness)), (&json!("00021"), 1));
    let shown = std::iter::from_fn(|| events.try_recv().ok());
    let front_end = |event| matches!(event, domain::Event::FrontEnd { what, content } if what == "showInfo" && content == "please pass");
    assert!(shown.into_iter().any(front_end));
    let record = witness.event("Rec", "RecPush").await;
    assert_eq!((&record["otype"], &record["customId"]), (&json!("7"), &json!("")));
    witness.ok("Unlock", json!({"openDoor": 0})).await;
    assert_eq!(openings(&witness), 1);
    witness.refused_command("Unlock", json!({"operator": "Unlock"}), 461).await;
    witness.refused("Unlock", json!({"openDoor": 2}), 462).await;
    // Nobody is compared: the platform decides by the snapshot.
    witness.enrol("alice").await;
    witness.device.watch(&["alice"]).await;
    let snap = witness.event("Snap", "StrSnapPush").await;
    assert!(witness.platform.left("Rec").is_empty());
    assert_eq!(openings(&witness), 1);
    // Confirmed as the kind that was pushed, also when no push waits for it.
    witness.ok("UpMQTTconfig", json!({"ResumefromBreakpoint": "1"})).await;
    witness.ok("PushAck", json!({"PushAckType": 1, "SnapOrRecordID": snap["SnapID"]})).await;
    let log = witness.device.appliance.by(&actor("test")).audit_log(50).await.unwrap();
    let opening = log.iter().find(|entry| entry.action == "door.open").unwrap();
    assert_eq!((&*opening.actor, &*opening.subject), ("terminal", "own door"));
    witness.stop().await;
}

pub(crate) async fn the_platform_is_asked_before_the_door_opens(ledger: &Arc<Ledger>) {
    let witness = with_door(ledger).await;
    witness.ok("UpDoorconfig", json!({"OpendoorWay": 3})).await;
    witness.ok("UpMQTTconfig", json!({"ResumefromBreakpoint": "1"})).await;
    witness.enrol("alice").await;
    witness.enrol("bob").await;
    witness.device.watch(&["alice", "bob"]).await;
    for (opens, openings_then) in [("0", 0), ("1", 1)] {
        let record = witness.event("Rec", "RecPush").await;
        assert_eq!(record["VerifyStatus"], json!("22"));
        let answer =
            json!({"PushAckType": 2, "SnapOrRecordID": record["RecordID"], "openDoor": opens, "showInfo": "hello"});
        // Twice: an answer that is delivered again is no second decision.
        for _ in 0..2 {
            witness.ok("PushAck", answer.clone()).await;
            assert_eq!(openings(&witness), openings_then);
        }
    }
    witness.stop().await;
}

pub(crate) async fn a_text_is_shown_without_opening_the_door(ledger: &Arc<Ledger>) {
    let witness = with_door(ledger).await;
    let mut events = witness.device.appliance.events();
    for info in [json!({"showInfo": "please wait"}), json!({"showInfo": "please wait", "openDoor": ""})] {
        let answer = witness.ok("Unlock", info).await;
        assert!(answer.get("openDoor").is_none(), "{answer}");
        let shown = std::iter::from_fn(|| events.try_recv().ok()).filter(
            |event| matches!(event, domain::Event::FrontEnd { what, content } if what == "showInfo" && content == "please wait"),
        );
        assert_eq!(shown.count(), 1);
    }
    witness.ok("Unlock", json!({})).await;
    assert_eq!(openings(&witness), 0);
    // A new device opens to a platform's button.
    witness.ok("Unlock", json!({"openDoor": 1})).await;
    assert_eq!(openings(&witness), 1);
    witness.stop().await;
}

pub(crate) async fn passes_are_counted(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let mut visitor = crate::witness::person("alice");
    (visitor["tempCardType"], visitor["EffectNumber"]) = (json!(3), json!(1));
    witness.ok("EditPerson", visitor).await;
    witness.device.watch(&["alice", "alice"]).await;
    for status in ["1", "24"] {
        assert_eq!(witness.event("Rec", "RecPush").await["VerifyStatus"], json!(status));
        assert_eq!(witness.ok("SearchPerson", json!({"customId": "alice"})).await["EffectNumber"], json!("0"));
    }
    witness.stop().await;
}

/// One at a time, in order, also over a restart, with a number of its own.
pub(crate) async fn an_opening_is_pushed_until_it_is_confirmed(ledger: &Arc<Ledger>) {
    let witness = with_door(ledger).await;
    witness.ok("UpDoorconfig", json!({"OpendoorWay": 1})).await;
    witness.ok("UpMQTTconfig", json!({"ResumefromBreakpoint": "1"})).await;
    for _ in 0..2 {
        witness.ok("Unlock", json!({"openDoor": "1"})).await;
    }
    let first = witness.event("Rec", "RecPush").await;
    let again = witness.event("Rec", "RecPush").await;
    assert_eq!((&again["otype"], &again["RecordID"]), (&json!("7"), &first["RecordID"]));
    let witness = witness.crash(async |_: &domain::Appliance| {}).await;
    while !witness.platform.left("Rec").is_empty() {
        witness.event("Rec", "RecPush").await;
    }
    let after = witness.event("Rec", "RecPush").await;
    assert_eq!((&after["RecordID"], &after["time"]), (&first["RecordID"], &first["time"]));
    let confirm = async |id: &Value| {
        witness.ok("PushAck", json!({"PushAckType": 2, "SnapOrRecordID": id})).await;
    };
    confirm(&first["RecordID"]).await;
    let rec = format!("mqtt/face/{}/Rec", testkit::mqtt::ID);
    let second = witness.event_on(&rec, "RecPush", |push| push["info"]["RecordID"] != first["RecordID"]).await;
    confirm(&second["RecordID"]).await;
    let period = json!({"TimeS": "2000-01-01T00:00:00", "TimeE": "2100-01-01T00:00:00"});
    assert_eq!(witness.ok("ManualPushRecords", period.clone()).await["RecordNum"], json!("2"));
    for opening in [&first, &second] {
        let again = witness.event_on(&rec, "RecPush", |push| push["info"]["PushType"] == json!(2)).await;
        assert_eq!((&again["RecordID"], &again["otype"]), (&opening["RecordID"], &json!("7")));
    }
    let mut named = period;
    named["Name"] = json!("alice");
    witness.refused("ManualPushRecords", named, 466).await;
    // A confirmation that comes twice is one of an opening that exists, but of no snapshot.
    confirm(&second["RecordID"]).await;
    witness.refused("PushAck", json!({"PushAckType": 1, "SnapOrRecordID": second["RecordID"]}), 469).await;
    witness.stop().await;
}
