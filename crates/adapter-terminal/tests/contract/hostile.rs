//! Broken connections, brokers that refuse, and messages that mean harm.

use std::sync::Arc;
use std::time::{Duration, Instant};

use adapter::Component;
use adapter_terminal::Trust;
use serde_json::{Value, json};
use testkit::contract::Ledger;
use testkit::mqtt::{Broker, ID, Platform};
use testkit::{DEADLINE, Rig, until};

use crate::device::{Device, config, file};
use crate::witness::{Witness, person};

async fn answers_at_once(platform: &Platform) {
    let asked = Instant::now();
    platform.ask(json!({"operator": "Versions", "info": {}})).await;
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
}

pub(crate) async fn nothing_that_is_sent_breaks_the_link(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let topic = format!("mqtt/face/{ID}");
    let hostile: [&[u8]; 9] = [
        b"",
        b"\xff\xfe\x00",
        b"[]",
        b"{\"operator\": \"EditPerson\"",
        b"{\"operator\": {}}",
        b"{\"operator\": \"GetNetConfig\", \"info\": {}}",
        b"{\"operator\": \"EditPerson-Ack\", \"info\": {}}",
        &[b'['; 100_000],
        &[b' '; 2 << 20],
    ];
    for message in hostile {
        witness.platform.publish(&topic, message).await;
        answers_at_once(&witness.platform).await;
    }
    assert!(witness.platform.left("Ack").is_empty(), "nobody answers what is no command");
    let wild =
        json!({"operator": "EditPerson", "info": {"customId": {"a": 1}, "name": [], "pic": 7, "tempCardType": "x"}});
    assert_eq!(witness.platform.ask(wild).await["code"], json!("461"));
    witness.stop().await;
}

pub(crate) async fn answers_come_in_the_order_of_the_commands_and_each_once(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    for number in 0..100 {
        witness.platform.send(&json!({"messageId": number, "operator": "Versions", "info": {}})).await;
    }
    for number in 0..100 {
        let waiting = witness.platform.wait("Ack", |_| true);
        let answer = tokio::time::timeout(Duration::from_secs(20), waiting).await;
        let answer = answer.unwrap_or_else(|_| panic!("the answer to {number} does not come"));
        assert_eq!(answer["messageId"], json!(number), "a number stays a number");
    }
    witness.platform.send(&json!({"operator": "Versions", "info": {}})).await;
    assert!(witness.platform.wait("Ack", |_| true).await.get("messageId").is_none());
    answers_at_once(&witness.platform).await;
    assert!(witness.platform.left("Ack").is_empty());
    witness.stop().await;
}

pub(crate) async fn records_of_an_outage_arrive_in_order_and_none_is_sent_after_its_confirmation(ledger: &Arc<Ledger>) {
    let mut witness = Witness::start(ledger).await;
    witness.ok("UpMQTTconfig", json!({"ResumefromBreakpoint": 1})).await;
    witness.enrol("alice").await;
    witness.broker.go_away().await;
    witness.device.watch(&["alice", "alice", "alice"]).await;
    let appliance = witness.device.appliance.clone();
    let mut newest = appliance.newest_entry();
    tokio::time::timeout(DEADLINE, newest.wait_for(|seq| seq.0 >= 2)).await.unwrap().unwrap();
    assert!(matches!(witness.device.broker(), Component::Down { .. }));
    witness.broker.come_back().await;
    let platform = Platform::connect(witness.broker.address(), None).await;
    let mut confirmed: Vec<Value> = Vec::new();
    while confirmed.len() < 3 {
        let push = platform.wait("Rec", |push| push["operator"] == "RecPush").await;
        let id = push["info"]["RecordID"].clone();
        if confirmed.last() == Some(&id) {
            continue;
        }
        let ack = json!({"operator": "PushAck", "info": {"PushAckType": 2, "SnapOrRecordID": id}});
        assert_eq!(platform.ask(ack).await["code"], json!("200"));
        confirmed.push(id);
    }
    assert_eq!(confirmed, [json!("1"), json!("2"), json!("3")]);
    let settled = Instant::now();
    while settled.elapsed() < Duration::from_millis(700) {
        platform.wait_on("mqtt/face/heartbeat", |_| true).await;
    }
    let late: Vec<_> = platform.left("Rec").iter().map(|push| push["info"]["RecordID"].clone()).collect();
    assert!(late.iter().all(|id| *id == json!("3")), "{late:?}");
    assert!(late.len() <= 1, "{late:?}");
    witness.stop().await;
}

pub(crate) async fn a_restarted_device_resumes(ledger: &Arc<Ledger>) {
    let mut witness = Witness::start(ledger).await;
    witness.ok("UpMQTTconfig", json!({"ResumefromBreakpoint": 1})).await;
    witness.enrol("alice").await;
    witness.device.watch(&["alice"]).await;
    let first = witness.event("Rec", "RecPush").await;
    let handles = witness.device.crash().await;
    while witness.platform.take_one(&format!("mqtt/face/{ID}/Rec")).is_some() {}
    witness.device = Device::start_on(Rig::restart(handles), config(witness.broker.url()));
    let again = witness.event("Rec", "RecPush").await;
    assert_eq!(again["RecordID"], first["RecordID"], "it was never confirmed");
    assert_eq!(witness.ok("QueryProgress", json!({})).await["Status"], json!("0"));
    witness.stop().await;
}

pub(crate) async fn a_broker_that_refuses_the_password_is_named_as_the_reason(_: &Arc<Ledger>) {
    let folder = tempfile::tempdir().unwrap();
    let broker = Broker::with(|folder| {
        let passwords = folder.join("passwords");
        std::fs::write(&passwords, "device:secret\n").unwrap();
        let done = std::process::Command::new("mosquitto_passwd").arg("-U").arg(&passwords).status().unwrap();
        assert!(done.success());
        format!("allow_anonymous false\npassword_file {}\n", passwords.display())
    })
    .await;
    let settings = |password: &str| adapter_terminal::Config {
        username: "device".into(),
        password_file: Some(file(&folder, "password", password)),
        ..config(broker.url())
    };
    let device = Device::start_on(Rig::start(testkit::options()), settings("wrong\n"));
    let refused = Component::Down { reason: "the broker refuses the user name or password".to_owned() };
    until("the reason is told", async || device.broker() == refused).await;
    // The file is read at every connection.
    file(&folder, "password", "secret\n");
    device.wait_until_connected().await;
    let platform = Platform::connect(broker.address(), Some(("device", "secret"))).await;
    let online = platform.wait_on("mqtt/face/basic", |message| message["operator"] == "Online").await;
    assert_eq!(online["info"]["username"], json!("device"));
    device.stop().await;
}

pub(crate) async fn the_link_can_be_encrypted_and_trusts_only_the_certificates_given(_: &Arc<Ledger>) {
    let key = rcgen::generate_simple_self_signed(vec!["127.0.0.1".into(), "localhost".into()]).unwrap();
    let secure = testkit::mqtt::free_port().await;
    let (certificate, private) = (key.cert.pem(), key.signing_key.serialize_pem());
    let broker = Broker::with(|folder| {
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            std::fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let (certificate, private) = (write("cert.pem", &certificate), write("key.pem", &private));
        format!("allow_anonymous true\nlistener {secure} 127.0.0.1\ncertfile {certificate}\nkeyfile {private}\n")
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let url = format!("mqtts://localhost:{secure}");
    let other = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap().cert.pem();
    let trusting = |pem: &str, name: &str| adapter_terminal::Config {
        ca_file: Some(file(&folder, name, pem)),
        trust: Trust::Tls,
        ..config(url.clone())
    };
    let platform = Platform::connect(broker.address(), None).await;
    let wary = Device::start_on(Rig::start(testkit::options()), trusting(&other, "other.pem"));
    let distrust = |state: Component| matches!(state, Component::Down { reason } if reason.contains("trust"));
    until("it trusts no stranger", async || distrust(wary.broker())).await;
    wary.stop().await;
    assert!(platform.take_one("mqtt/face/basic").is_none());
    let device = Device::start_on(Rig::start(testkit::options()), trusting(&certificate, "ca.pem"));
    device.wait_until_connected().await;
    let added = platform.ask(json!({"operator": "EditPerson", "info": person("alice")})).await;
    assert_eq!(added["code"], json!("200"));
    // Over such a link people can be removed without further trust.
    let removed = platform.ask(json!({"operator": "DelPerson", "info": {"customId": "alice"}})).await;
    assert_eq!(removed["code"], json!("200"));
    assert_eq!(device.health.report().attention, [""; 0]);
    device.stop().await;
}
