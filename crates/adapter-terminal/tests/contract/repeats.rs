//! Old commands, and commands that arrive more than once.

use std::sync::Arc;
use std::time::Duration;

use domain::{LibraryId, NewPerson};
use serde_json::{Value, json};
use testkit::contract::Ledger;
use testkit::mqtt::ID;
use testkit::{DEADLINE, FakeFace, Picture, Rig, actor};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::device::{Device, config};
use crate::doors::{openings, with_door};
use crate::witness::{Witness, person};

fn topic() -> String {
    format!("mqtt/face/{ID}")
}

fn command(id: impl Into<Value>, operator: &str, info: &Value) -> Value {
    json!({"messageId": id.into(), "operator": operator, "info": info})
}

/// A question.
fn question(id: &str) -> String {
    command(id, "Versions", &json!({})).to_string()
}

/// Sends a command, whatever its id was used for before, and gives the next answer.
async fn say(witness: &Witness, command: &Value) -> Value {
    witness.platform.send(command).await;
    witness.platform.wait("Ack", |_| true).await
}

async fn some_heartbeats(witness: &Witness) {
    for _ in 0..8 {
        witness.platform.wait_on("mqtt/face/heartbeat", |_| true).await;
    }
}

pub(crate) async fn a_retained_command_is_not_executed_after_a_reconnect(ledger: &Arc<Ledger>) {
    let witness = with_door(ledger).await;
    let retained = [
        command("r1", "EditPerson", &person("alice")),
        command("r2", "Unlock", &json!({"openDoor": 1})),
        command("r3", "UpSoundconfig", &json!({"Volume": 1})),
        json!({"operator": "Unlock", "info": {"openDoor": 1}}),
    ];
    for (seconds, command) in (40..).zip(retained) {
        witness.platform.publish_retained(&topic(), command.to_string().as_bytes()).await;
        let answer = witness.platform.wait("Ack", |answer| answer["messageId"] == command["messageId"]).await;
        assert_eq!(answer["code"], json!("200"), "it is live now");
        witness.platform.ask(json!({"operator": "DelPerson", "info": {"customId": "alice"}})).await;
        witness.ok("UpSoundconfig", json!({"Volume": 30})).await;
        let before = openings(&witness);
        // Another heartbeat interval makes the device connect again.
        witness.ok("UpMQTTconfig", json!({"KeepAliveInterval": seconds})).await;
        witness.platform.wait_for_return().await;
        assert_eq!(witness.ok("QueryPerson", json!({})).await["QueryPersonNum"], json!("0"), "{command}");
        assert_eq!(witness.ok("GetSoundconfig", json!({})).await["Volume"], json!("30"), "{command}");
        assert_eq!(openings(&witness), before, "{command}");
        // The answer to the new settings may come once more: its confirmation broke off with the connection.
        let mut left = witness.platform.left("Ack");
        left.retain(|answer| answer["operator"] != "UpMQTTconfig-Ack");
        assert!(left.is_empty(), "{command}");
    }
    witness.stop().await;
}

pub(crate) async fn a_retained_removal_of_all_people_starts_one_session(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let all = command("b1", "DeleteAllPerson", &json!({"deleteall": 1}));
    witness.platform.publish_retained(&topic(), all.to_string().as_bytes()).await;
    witness.platform.wait_for_return().await;
    witness.enrol("alice").await;
    some_heartbeats(&witness).await;
    assert_eq!(witness.ok("QueryPerson", json!({})).await["QueryPersonNum"], json!("1"));
    let answers = witness.platform.left("Ack").into_iter().filter(|answer| answer["messageId"] == "b1").count();
    assert_eq!(answers, 1);
    // Emptying it is no command either.
    witness.platform.publish_retained(&topic(), b"").await;
    witness.ok("Versions", json!({})).await;
    witness.stop().await;
}

pub(crate) async fn a_command_that_arrives_twice_is_executed_once_and_answered_twice(ledger: &Arc<Ledger>) {
    let witness = with_door(ledger).await;
    let unlock = command("17", "Unlock", &json!({"openDoor": 1}));
    let (first, second) = (say(&witness, &unlock).await, say(&witness, &unlock).await);
    assert_eq!((&first, &first["code"]), (&second, &json!("200")));
    assert_eq!(openings(&witness), 1);
    // One that failed was not executed, and may be tried again.
    witness.ok("UpDoorconfig", json!({"OpendoorWay": 0})).await;
    let other = command("18", "Unlock", &json!({"openDoor": 1}));
    assert_eq!(say(&witness, &other).await["code"], json!("462"));
    witness.ok("UpDoorconfig", json!({"OpendoorWay": 2})).await;
    assert_eq!(say(&witness, &other).await["code"], json!("200"));
    assert_eq!(openings(&witness), 2);
    // Everybody who was enrolled elsewhere since is not removed by the same command.
    let all = command("19", "DeleteAllPerson", &json!({"deleteall": 1}));
    say(&witness, &all).await;
    witness.platform.wait_for_return().await;
    let photo = Picture::of([FakeFace::of("alice")]).jpeg();
    let alice = NewPerson { libraries: vec![LibraryId::DEFAULT], photo, ..NewPerson::default() };
    witness.device.appliance.by(&actor("test")).enrol(alice).await.unwrap();
    assert_eq!(say(&witness, &all).await["code"], json!("200"));
    assert_eq!(witness.ok("QueryPerson", json!({})).await["QueryPersonNum"], json!("1"));
    witness.stop().await;
}

pub(crate) async fn a_command_is_executed_again_after_another_one(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let enrol = command("17", "EditPerson", &person("alice"));
    let remove = command("18", "DelPerson", &json!({"customId": "alice"}));
    for (wanted, people) in [(&enrol, "1"), (&remove, "0"), (&enrol, "1"), (&remove, "0")] {
        assert_eq!(say(&witness, wanted).await["code"], json!("200"));
        assert_eq!(witness.ok("QueryPerson", json!({})).await["QueryPersonNum"], json!(people));
        assert_eq!(say(&witness, wanted).await["code"], json!("200"), "at once it is the same command");
    }
    witness.stop().await;
}

pub(crate) async fn a_platform_with_one_id_for_all_commands_is_served(ledger: &Arc<Ledger>) {
    let witness = with_door(ledger).await;
    let enrol = command(1, "EditPerson", &person("alice"));
    let remove = command(1, "DelPerson", &json!({"customId": "alice"}));
    for _ in 0..2 {
        for wanted in [&enrol, &remove] {
            assert_eq!(say(&witness, wanted).await["code"], json!("200"));
        }
        assert_eq!(say(&witness, &remove).await["code"], json!("464"), "it is done again, in vain");
    }
    let unlock = command(1, "Unlock", &json!({"openDoor": 1}));
    for times in 1..=3 {
        assert_eq!(say(&witness, &unlock).await["code"], json!("200"));
        assert_eq!(openings(&witness), times, "each press of the button opens the door");
    }
    let without = json!({"operator": "Unlock", "info": {"openDoor": 1}});
    for times in 4..=5 {
        assert_eq!(say(&witness, &without).await["code"], json!("200"));
        assert_eq!(openings(&witness), times, "what has no id is new");
    }
    witness.stop().await;
}

pub(crate) async fn questions_are_answered_afresh_however_often_they_come(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let question = command("q", "QueryPerson", &json!({}));
    assert_eq!(say(&witness, &question).await["info"]["QueryPersonNum"], json!("0"));
    witness.enrol("alice").await;
    assert_eq!(say(&witness, &question).await["info"]["QueryPersonNum"], json!("1"));
    witness.stop().await;
}

/// A broker that sends preset packets.
struct Puppet {
    stream: TcpStream,
}

impl Puppet {
    /// Takes a device in and lets it listen.
    async fn take(listener: &TcpListener) -> Self {
        let (stream, _) = listener.accept().await.unwrap();
        let mut puppet = Self { stream };
        puppet.next(0x10).await;
        puppet.stream.write_all(&[0x20, 2, 0, 0]).await.unwrap();
        let subscription = puppet.next(0x80).await;
        puppet.stream.write_all(&[0x90, 4, subscription[0], subscription[1], 1, 1]).await.unwrap();
        puppet
    }

    /// Delivers a message with QoS 1.
    async fn deliver(&mut self, number: u8, again: bool, payload: &str) {
        let topic = topic();
        let mut packet = vec![0x32 | u8::from(again) << 3];
        let length = 2 + topic.len() + 2 + payload.len();
        packet.extend([(length % 128) as u8 | 0x80, (length / 128) as u8, 0, topic.len() as u8]);
        packet.extend(topic.as_bytes());
        packet.extend([0, number]);
        packet.extend(payload.as_bytes());
        self.stream.write_all(&packet).await.unwrap();
    }

    /// The next answer of the device.
    async fn answer(&mut self) -> Value {
        let answering = async {
            loop {
                let publish = self.next(0x30).await;
                let topic = usize::from(publish[0]) << 8 | usize::from(publish[1]);
                let (name, rest) = publish[2..].split_at(topic);
                self.stream.write_all(&[0x40, 2, rest[0], rest[1]]).await.unwrap();
                if name.ends_with(b"/Ack") {
                    return serde_json::from_slice(&rest[2..]).unwrap();
                }
            }
        };
        tokio::time::timeout(DEADLINE, answering).await.expect("no answer")
    }

    /// What the next packet of this kind holds.
    async fn next(&mut self, kind: u8) -> Vec<u8> {
        loop {
            let first = self.stream.read_u8().await.unwrap();
            let (mut length, mut shift) = (0, 0);
            loop {
                let byte = usize::from(self.stream.read_u8().await.unwrap());
                length |= (byte & 0x7f) << shift;
                shift += 7;
                if byte & 0x80 == 0 {
                    break;
                }
            }
            let mut content = vec![0; length];
            self.stream.read_exact(&mut content).await.unwrap();
            if first & 0xf0 == kind {
                return content;
            }
        }
    }
}

pub(crate) async fn a_redelivered_command_is_executed_once(_: &Arc<Ledger>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let doors = domain::DoorOptions { own_door: true, ..testkit::options().doors };
    let rig = Rig::start(domain::Options { doors, ..testkit::options() });
    let url = format!("mqtt://{}", listener.local_addr().unwrap());
    let device = Device::start_on(rig, config(url));
    let mut broker = Puppet::take(&listener).await;
    let opened = |device: &Device| device.handles.host.switched().iter().filter(|(_, on)| *on).count();
    // Without an id, with one, and with one that was used before.
    let commands = [
        json!({"operator": "Unlock", "info": {"openDoor": 1}}),
        command("17", "Unlock", &json!({"openDoor": 1})),
        command("17", "Unlock", &json!({"openDoor": 1, "uid": "2"})),
    ];
    for (number, command) in (1..).zip(commands) {
        broker.deliver(number, false, &command.to_string()).await;
        assert_eq!(broker.answer().await["code"], json!("200"));
        broker.deliver(number, true, &command.to_string()).await;
        if number == 2 {
            assert_eq!(broker.answer().await["code"], json!("200"), "the answer may have been lost");
        }
        // The next command gets the next answer: nothing else was sent.
        let asked = format!("asked {number}");
        broker.deliver(number + 100, false, &question(&asked)).await;
        assert_eq!(broker.answer().await["messageId"], json!(asked));
        assert_eq!(opened(&device), usize::from(number), "{command}");
    }
    // A broker that keeps the session delivers what it did not see confirmed in the next connection.
    let late = command("20", "Unlock", &json!({"openDoor": 1})).to_string();
    broker.deliver(9, false, &late).await;
    broker.answer().await;
    drop(broker);
    let mut broker = tokio::time::timeout(Duration::from_secs(20), Puppet::take(&listener)).await.unwrap();
    broker.deliver(9, true, &late).await;
    assert_eq!(broker.answer().await["code"], json!("200"));
    assert_eq!(opened(&device), 4);
    broker.deliver(10, true, &command("21", "Unlock", &json!({"openDoor": 1})).to_string()).await;
    // The answer to the one before may come once more: its confirmation broke off with the connection.
    while broker.answer().await["messageId"] != "21" {}
    assert_eq!(opened(&device), 5, "the first delivery of this one was lost");
    device.stop().await;
}
