//! Records and snapshots on their way to the platform.

use std::sync::Arc;

use domain::Seq;
use serde_json::{Value, json};
use testkit::contract::Ledger;
use testkit::until;

use crate::witness::Witness;

async fn confirm(witness: &Witness, kind: &str, id: &Value) {
    let answer = witness.ok("PushAck", json!({"PushAckType": kind, "SnapOrRecordID": id})).await;
    assert_eq!(&answer["SnapOrRecordID"], id);
}

async fn report(witness: &Witness, settings: Value) {
    witness.ok("UpMQTTconfig", settings).await;
}

pub(crate) async fn records_and_snapshots_are_pushed_until_confirmed(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    report(&witness, json!({"ResumefromBreakpoint": "1", "Direction": 1})).await;
    witness.enrol("alice").await;
    witness.device.watch(&["alice", "mallory", "alice"]).await;
    let first = witness.event("Rec", "RecPush").await;
    let expected = [
        ("customId", json!("alice")),
        ("VerifyStatus", json!("1")),
        ("PersonType", json!("0")),
        ("personName", json!("alice")),
        ("persionName", json!("alice")),
        ("otype", json!("1")),
        ("direction", json!("exit")),
        ("PushType", json!(0)),
        ("Sendintime", json!(1)),
        ("RFIDCard", json!("")),
    ];
    expected.iter().for_each(|(name, value)| assert_eq!(&first[name], value, "{name}"));
    assert!(first["similarity1"].as_str().unwrap().parse::<f64>().unwrap() > 90.0);
    assert!(first["pic"].as_str().unwrap().starts_with("data:image/jpeg;base64,"));
    let again = witness.event("Rec", "RecPush").await;
    assert_eq!(again["RecordID"], first["RecordID"], "it is not confirmed");
    let snap = witness.event("Snap", "StrSnapPush").await;
    confirm(&witness, "1", &snap["SnapID"]).await;
    witness.device.handles.store.write_protect(true);
    witness.refused("PushAck", json!({"PushAckType": 2, "SnapOrRecordID": first["RecordID"]}), 468).await;
    witness.device.handles.store.write_protect(false);
    let again = witness.event("Rec", "RecPush").await;
    assert_eq!(again["RecordID"], first["RecordID"], "it could not be marked");
    confirm(&witness, "2", &first["RecordID"]).await;
    let second = loop {
        let next = witness.event("Rec", "RecPush").await;
        if next["RecordID"] != first["RecordID"] {
            break next;
        }
    };
    confirm(&witness, "2", &second["RecordID"]).await;
    // A confirmation that comes twice is one of a record that exists.
    confirm(&witness, "2", &first["RecordID"]).await;
    for _ in 0..8 {
        witness.platform.wait_on("mqtt/face/heartbeat", |_| true).await;
    }
    let late = witness.platform.left("Rec").into_iter().filter(|push| push["info"]["RecordID"] != second["RecordID"]);
    assert_eq!(late.count(), 0, "a confirmed record came again");
    witness.stop().await;
}

/// A confirmation marks its record, whether or not it is that record's turn.
pub(crate) async fn a_record_that_was_confirmed_after_a_push_on_demand_is_not_pushed(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    report(&witness, json!({"ResumefromBreakpoint": "1"})).await;
    witness.enrol("alice").await;
    witness.device.watch(&["alice", "alice", "alice"]).await;
    let first = witness.event("Rec", "RecPush").await;
    until("there are three", async || witness.device.appliance.records_after(Seq(0), 9).await.unwrap().len() == 3)
        .await;
    let period = json!({"TimeS": "2000-01-01T00:00:00", "TimeE": "2100-01-01T00:00:00"});
    witness.ok("ManualPushRecords", period).await;
    let rec = format!("mqtt/face/{}/Rec", testkit::mqtt::ID);
    let mut demanded = Vec::new();
    for _ in 0..3 {
        let push = witness.event_on(&rec, "RecPush", |push| push["info"]["PushType"] == json!(2)).await;
        demanded.push(push["RecordID"].clone());
    }
    assert_eq!(demanded[0], first["RecordID"]);
    confirm(&witness, "2", &demanded[1]).await;
    confirm(&witness, "2", &demanded[0]).await;
    let next = witness.event_on(&rec, "RecPush", |push| push["info"]["RecordID"] != first["RecordID"]).await;
    assert_eq!(next["RecordID"], demanded[2]);
    confirm(&witness, "2", &demanded[2]).await;
    witness.stop().await;
}

pub(crate) async fn what_is_switched_off_is_not_pushed(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    witness
        .refused(
            "UpMQTTconfig",
            json!({"StrangerUploadType": 1, "RecordUploadType": 0, "ResumefromBreakpoint": 1}),
            463,
        )
        .await;
    report(&witness, json!({"StrangerUploadType": "1", "RecordUploadType": "2"})).await;
    witness.enrol("alice").await;
    witness.device.watch(&["mallory", "alice"]).await;
    let record = witness.event("Rec", "RecPush").await;
    assert!(record.get("pic").is_none(), "without the picture");
    assert!(witness.platform.left("Snap").is_empty());
    witness
        .refused("ManualPushSnaps", json!({"TimeS": "2000-01-01T00:00:00", "TimeE": "2100-01-01T00:00:00"}), 467)
        .await;
    report(&witness, json!({"RecordUploadType": "0"})).await;
    witness
        .refused("ManualPushRecords", json!({"TimeS": "2000-01-01T00:00:00", "TimeE": "2100-01-01T00:00:00"}), 467)
        .await;
    witness.stop().await;
}

pub(crate) async fn records_of_a_period_are_pushed_again(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    witness.enrol("alice").await;
    witness.device.watch(&["alice", "mallory"]).await;
    let record = witness.event("Rec", "RecPush").await;
    let snap = witness.event("Snap", "StrSnapPush").await;
    let period = json!({"TimeS": "2000-01-01T6:00:00", "TimeE": "2100-01-01T00:00:00"});
    let pushes = [
        ("ManualPushRecords", "ManualPushRecords", "Rec", "RecPush", "RecordID", &record),
        ("ManualPushSnaps", "ManualPushSaps", "Snap", "StrSnapPush", "SnapID", &snap),
    ];
    for (operator, asked, topic, push, id, before) in pushes {
        let answer = witness.ok_command(operator, json!({"operator": asked, "info": period})).await;
        assert_eq!(answer["RecordNum"], json!("1"));
        let again = witness.event(topic, push).await;
        assert_eq!((&again[id], &again["PushType"]), (&before[id], &json!(2)));
        let cases = [
            (json!({"TimeE": "2100-01-01T00:00:00"}), 464),
            (json!({"TimeS": "2000-01-01T00:00:00"}), 465),
            (json!({"TimeS": "2000-01-01T00:00:00", "TimeE": "2000-01-02T00:00:00"}), 466),
            (json!({"facesluiceId": "1", "TimeS": "2000-01-01T00:00:00", "TimeE": "2000-01-02T00:00:00"}), 463),
        ];
        for (info, code) in cases {
            witness.refused(operator, info, code).await;
        }
        witness.refused_command(operator, json!({"operator": operator}), 462).await;
    }
    witness.stop().await;
}

pub(crate) async fn confirmations_that_fit_nothing_are_refused(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    witness.refused("PushAck", json!({"PushAckType": 2, "SnapOrRecordID": 1}), 466).await;
    report(&witness, json!({"ResumefromBreakpoint": 1, "StrangerUploadType": 1})).await;
    witness.refused_command("PushAck", json!({"operator": "PushAck"}), 462).await;
    let cases = [
        (json!({"SnapOrRecordID": 1}), 463),
        (json!({"PushAckType": 3, "SnapOrRecordID": 1}), 464),
        (json!({"PushAckType": 2}), 465),
        (json!({"PushAckType": 1, "SnapOrRecordID": 1}), 466),
        (json!({"PushAckType": 2, "SnapOrRecordID": 1}), 469),
    ];
    for (info, code) in cases {
        witness.refused("PushAck", info, code).await;
    }
    witness.stop().await;
}
