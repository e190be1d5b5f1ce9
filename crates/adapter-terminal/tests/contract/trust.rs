//! What keeps the device at its broker, and whom it obeys there.

use std::net::SocketAddr;
use std::sync::Arc;

use adapter_terminal::{Config, Trust};
use domain::{DoorOptions, Options};
use serde_json::{Value, json};
use testkit::contract::Ledger;
use testkit::mqtt::{Broker, ID, Platform};
use testkit::{Rig, until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::device::{Device, config, photo};
use crate::witness::Witness;

pub(crate) async fn topics_that_no_broker_takes_are_refused(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let before = witness.ok("GetMQTTconfig", json!({})).await;
    for topic in ["a\u{1}b", "a\0b", "line\nbreak", "a\u{7f}", "a\u{85}", "+/a", "a/#", "$SYS/broker", "a\u{ffff}"] {
        for name in ["OnlineTopic", "HeartbeatTopic"] {
            witness.refused("UpMQTTconfig", json!({ name: topic }), 462).await;
        }
    }
    let mut after = witness.ok("GetMQTTconfig", json!({})).await;
    after["BeginTime"] = before["BeginTime"].clone();
    assert_eq!(after, before);
    witness.stop().await;
}

/// A broker that ends the connection of a client that names a forbidden topic, as some do.
struct Strict {
    address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Strict {
    async fn before(broker: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(relay(client, broker));
            }
        });
        Self { address, _tasks: tasks }
    }
}

async fn relay(client: TcpStream, broker: SocketAddr) {
    let Ok(broker) = TcpStream::connect(broker).await else { return };
    let ((mut from_client, mut to_client), (mut from_broker, mut to_broker)) =
        (client.into_split(), broker.into_split());
    let up = async {
        let mut bytes = vec![0; 64 << 10];
        loop {
            let length = from_client.read(&mut bytes).await.unwrap_or(0);
            let forbidden = bytes[..length].windows(9).any(|word| word == b"forbidden");
            if length == 0 || forbidden || to_broker.write_all(&bytes[..length]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = up => {}
        _ = tokio::io::copy(&mut from_broker, &mut to_client) => {}
    }
}

pub(crate) async fn topics_with_which_nothing_connects_are_given_up(_: &Arc<Ledger>) {
    let broker = Broker::start().await;
    let platform = Platform::connect(broker.address(), None).await;
    let strict = Strict::before(broker.address()).await;
    let device = Device::start(format!("mqtt://{}", strict.address)).await;
    let heard = async |topic: &str| platform.wait_on(topic, |_| true).await;
    heard("mqtt/face/heartbeat").await;
    heard("mqtt/face/basic").await;
    let set = async |info: Value| platform.ask(json!({"operator": "UpMQTTconfig", "info": info})).await;
    assert_eq!(
        set(json!({"OnlineTopic": "mqtt/face/site/online", "HeartbeatTopic": "mqtt/face/site/beat"})).await["code"],
        "200"
    );
    heard("mqtt/face/site/online").await;
    heard("mqtt/face/site/beat").await;
    // The device confirms it and is cut off; it does not matter that it restarts meanwhile.
    assert_eq!(set(json!({"OnlineTopic": "mqtt/face/forbidden"})).await["code"], "200");
    until("the device is cut off", async || device.broker() != adapter::Component::Up).await;
    let device = device.restart().await;
    while platform.take_one("mqtt/face/site/online").is_some() {}
    heard("mqtt/face/site/online").await;
    device.wait_until_connected().await;
    let now = platform.ask(json!({"operator": "GetMQTTconfig", "info": {}})).await;
    let topics = [&now["info"]["OnlineTopic"], &now["info"]["HeartbeatTopic"]];
    assert_eq!(topics, ["mqtt/face/site/online", "mqtt/face/site/beat"]);
    device.stop().await;
}

/// Commands that open doors, remove people, restart or reset, and the code that refuses them.
fn grave() -> [(Value, &'static str); 7] {
    let command = |operator: &str, info: Value| json!({"operator": operator, "info": info});
    [
        (command("Unlock", json!({"openDoor": 1})), "462"),
        (command("DelPerson", json!({"customId": "alice"})), "462"),
        (command("DeleteAllPerson", json!({"deleteall": "1"})), "462"),
        (
            json!({"operator": "DeletePersons", "DataBegin": "BeginFlag", "DataEnd": "EndFlag", "PersonNum": 1,
                "info": {"customId": ["alice"]}}),
            "414",
        ),
        (command("RebootDevice", json!({})), "462"),
        (command("SetFactoryDefault", json!({"DefaltPerson": 1})), "462"),
        (command("Upgrade", json!({"facesluiceId": ID, "name": "x", "path": "http://127.0.0.1/x.swx"})), "461"),
    ]
}

pub(crate) async fn grave_commands_are_obeyed_only_where_the_broker_is_trusted(_: &Arc<Ledger>) {
    let broker = Broker::start().await;
    let platform = Platform::connect(broker.address(), None).await;
    let wary = Config { trust: Trust::Tls, ..config(broker.url()) };
    let doors = DoorOptions { own_door: true, ..DoorOptions::default() };
    let device = Device::start_on(Rig::start(Options { doors, ..testkit::options() }), wary);
    device.wait_until_connected().await;
    let attention = device.health.report().attention;
    assert!(attention.iter().any(|line| line.starts_with("terminal.broker_trust: ") && line.contains("refused")));
    let person = json!({"customId": "alice", "name": "alice", "personType": 0, "pic": photo("alice")});
    let added = platform.ask(json!({"operator": "EditPerson", "info": person})).await;
    assert_eq!(added["code"], "200", "{added}");
    for (command, code) in grave() {
        let answer = platform.ask(command.clone()).await;
        assert_eq!(answer["code"], code, "{command}: {answer}");
        assert!(answer["info"]["detail"].as_str().unwrap().contains("without TLS"), "{answer}");
    }
    let there = platform.ask(json!({"operator": "QueryPerson", "info": {}})).await;
    assert_eq!(there["info"]["customId"], "alice");
    opens_no_door_by_other_commands(&device, &platform).await;
    assert_eq!(device.handles.host.acts(), []);
    device.stop().await;
}

/// Neither by the answer about a person, which is confirmed all the same, nor by turning the contact round.
async fn opens_no_door_by_other_commands(device: &Device, platform: &Platform) {
    let ask = async |operator: &str, info: Value| platform.ask(json!({"operator": operator, "info": info})).await;
    let refused = |answer: &Value| {
        assert_eq!(answer["code"], "462", "{answer}");
        assert!(answer["info"]["detail"].as_str().unwrap().contains("without TLS"), "{answer}");
    };
    refused(&ask("UpDoorconfig", json!({"IOType": 1, "IOStayTime": 500})).await);
    let rules = ask("GetDoorconfig", json!({})).await;
    assert_eq!((&rules["info"]["IOType"], &rules["info"]["IOStayTime"]), (&json!("0"), &json!("200")));
    assert_eq!(ask("UpDoorconfig", json!({"IOType": 0, "OpendoorWay": 3})).await["code"], "200");
    assert_eq!(ask("UpMQTTconfig", json!({"ResumefromBreakpoint": 1})).await["code"], "200");
    device.watch(&["alice"]).await;
    let record = platform.wait("Rec", |push| push["operator"] == "RecPush").await["info"]["RecordID"].clone();
    let confirmation = |door: Value| {
        let mut info = json!({"PushAckType": 2, "SnapOrRecordID": record});
        info.as_object_mut().unwrap().extend(door.as_object().unwrap().clone());
        info
    };
    refused(&ask("PushAck", confirmation(json!({"openDoor": 1}))).await);
    assert_eq!(device.handles.host.switched(), []);
    assert_eq!(ask("PushAck", confirmation(json!({"openDoor": 0}))).await["code"], "200");
    assert_eq!(ask("PushAck", confirmation(json!({}))).await["code"], "200");
    // Where it has no effect, it may be sent.
    assert_eq!(ask("UpDoorconfig", json!({"OpendoorWay": 2})).await["code"], "200");
    assert_eq!(ask("PushAck", confirmation(json!({"openDoor": 1}))).await["code"], "200");
}
