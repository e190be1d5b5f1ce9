//! Records and heartbeats over HTTP.

use std::sync::Arc;

use serde_json::{Value, json};
use testkit::contract::Ledger;

use crate::subscriber::{Post, Server};
use crate::witness::Witness;

/// Holds a message against the catalogue, and gives its `info`.
pub(crate) fn event(ledger: &Ledger, kind: &str, post: &Post) -> Value {
    let mut message = post.message["info"].clone();
    let mut beside = post.message.as_object().unwrap().clone();
    beside.remove("info");
    message["top"] = Value::Object(beside);
    assert_eq!(ledger.event(kind, &message, &[]), Ok(()), "{kind}");
    message
}

pub(crate) async fn records_and_heartbeats_go_to_a_subscriber(ledger: &Arc<Ledger>) {
    let (witness, mut server) = (Witness::start(ledger).await, Server::start().await);
    let before = witness.ok("GetHTTPconfig", json!({})).await;
    assert_eq!((&before["Verify"], &before["VerifyURL"]), (&json!("0"), &json!("/Subscribe/Verify")));
    let set = json!({
        "ServerAddr": "127.0.0.1", "ServerPort": server.address.port(), "Verify": "3", "Snap": 1, "SnapURL": "/elsewhere",
        "BeatInterval": 1, "Auth": "1", "User": "admin", "Pwd": "secret", "ResumefromBreakpoint": "1",
    });
    witness.ok("UpHTTPconfig", set).await;
    let after = witness.ok("GetHTTPconfig", json!({})).await;
    assert_eq!(
        (&after["UserName"], &after["Pwd"], &after["SnapURL"]),
        (&json!("admin"), &json!("******"), &json!("/elsewhere"))
    );
    // What was reported changes nothing when it is sent back.
    let back = json!({"UserName": "admin", "PassWord": after["PassWord"], "Pwd": after["Pwd"]});
    witness.ok("UpHTTPconfig", back).await;
    event(ledger, "HTTP HeartBeat", &server.post("/Subscribe/HeartBeat").await);
    server.will_answer(["busy", r#"{"code": 500, "desc": "no"}"#]);
    witness.enrol("alice").await;
    witness.device.watch(&["alice", "mallory"]).await;
    let mut verify = Vec::new();
    for _ in 0..3 {
        verify.push(server.post("/Subscribe/Verify").await);
    }
    let info = event(ledger, "HTTP Verify", &verify[2]);
    assert!(verify.iter().all(|post| post.message["info"]["RecordID"] == info["RecordID"]), "until it is taken");
    assert_eq!(
        (&info["PersonUUID"], &info["VerifyStatus"], &info["Name"]),
        (&json!("alice"), &json!(1), &json!("alice"))
    );
    for picture in ["SanpPic", "RegisteredPic"] {
        assert!(info["top"][picture].as_str().unwrap().starts_with("data:image/jpeg;base64,"), "{picture}");
    }
    assert_eq!(verify[0].login.as_deref(), Some("Basic YWRtaW46c2VjcmV0"));
    let snap = server.post("/elsewhere").await;
    let stranger = event(ledger, "HTTP Snap", &snap);
    assert_eq!(stranger["DeviceID"], json!(1_306_612));
    // From the time set on, everything comes again.
    witness.ok("UpHTTPconfig", json!({"RFBPTimeBegin": "2000-1-1 00:00:00", "Verify": 4})).await;
    let again = server.post("/Subscribe/Verify").await;
    assert_eq!(again.message["info"]["RecordID"], info["RecordID"]);
    assert!(again.message.get("SanpPic").is_none());
    witness.stop().await;
}

pub(crate) async fn a_password_is_for_one_subscriber_only(ledger: &Arc<Ledger>) {
    let (witness, mut first, mut second) = (Witness::start(ledger).await, Server::start().await, Server::start().await);
    let to = |server: &Server| json!({"ServerAddr": "127.0.0.1", "ServerPort": server.address.port()});
    let mut set = to(&first);
    let more = json!({"Verify": 4, "BeatInterval": 1, "Auth": 1, "UserName": "admin", "PassWord": "secret"});
    set.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    witness.ok("UpHTTPconfig", set).await;
    assert_eq!(first.post("/Subscribe/HeartBeat").await.login.as_deref(), Some("Basic YWRtaW46c2VjcmV0"));
    // Somebody who may change the settings has it sent elsewhere.
    let mut elsewhere = to(&second);
    elsewhere["PassWord"] = json!("******");
    witness.ok("UpHTTPconfig", elsewhere).await;
    assert_eq!(second.post("/Subscribe/HeartBeat").await.login.as_deref(), Some("Basic YWRtaW46"));
    assert_eq!(witness.ok("GetHTTPconfig", json!({})).await["PassWord"], "");
    witness.stop().await;
}

pub(crate) async fn an_invalid_subscription_is_refused(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let before = witness.ok("GetHTTPconfig", json!({})).await;
    let cases = [
        (json!({"ServerAddr": ""}), 463),
        (json!({"ServerAddr": "0.0.0.0"}), 463),
        (json!({"ServerAddr": "a b"}), 463),
        (json!({"ServerAddr": "127.0.0.1", "ServerPort": 0}), 464),
        (json!({"ServerPort": "many"}), 464),
        (json!({"Verify": 5}), 462),
    ];
    for (info, code) in cases {
        witness.refused("UpHTTPconfig", info, code).await;
    }
    witness.refused_command("UpHTTPconfig", json!({"operator": "UpHTTPconfig"}), 462).await;
    let mut after = witness.ok("GetHTTPconfig", json!({})).await;
    after["RFBPTimeBegin"] = before["RFBPTimeBegin"].clone();
    assert_eq!(after, before);
    witness.stop().await;
}
