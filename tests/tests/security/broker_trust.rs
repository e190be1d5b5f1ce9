//! Commands that open doors, remove people, restart or reset are obeyed only over TLS, or where the network is trusted;
//! and what was given to the device in secret is not reported back.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use polyface_tests::{Device, cast, eventually_within};
use serde_json::{Value, json};
use testkit::mqtt::{Broker, ID, Platform};

/// The commands, each with the code that refuses it.
fn grave() -> [(Value, &'static str); 5] {
    let command = |operator: &str, info: Value| json!({"operator": operator, "info": info});
    let several = json!({"operator": "DeletePersons", "DataBegin": "BeginFlag", "DataEnd": "EndFlag", "PersonNum": 1,
        "info": {"customId": ["alice"]}});
    [
        (command("Unlock", json!({"openDoor": 1})), "462"),
        (command("DelPerson", json!({"customId": "alice"})), "462"),
        (several, "414"),
        (command("RebootDevice", json!({})), "462"),
        (command("SetFactoryDefault", json!({"DefaltPerson": 1})), "462"),
    ]
}

/// A broker that also listens over TLS at the port, with a certificate of its own for `localhost`.
async fn broker(secure: u16, certificate: &str, key: &str) -> Broker {
    Broker::with(|folder| {
        let [certificate, key] = [("cert.pem", certificate), ("key.pem", key)].map(|(name, text)| {
            std::fs::write(folder.join(name), text).unwrap();
            folder.join(name).display().to_string()
        });
        format!("allow_anonymous true\nlistener {secure} 127.0.0.1\ncertfile {certificate}\nkeyfile {key}\n")
    })
    .await
}

async fn start(broker: &str, more: &str) -> Device {
    let section = format!("[terminal]\nenabled = true\nbroker = {broker:?}\ndevice_id = {ID:?}\n{more}");
    Device::start_with_sections(&section).await
}

async fn enrol(platform: &Platform) {
    let photo = STANDARD.encode(std::fs::read(&cast()[1].enrolled).unwrap());
    let info = json!({"customId": "alice", "name": "Alice", "personType": 0,
        "pic": format!("data:image/jpeg;base64,{photo}")});
    let added = platform.ask(json!({"operator": "EditPerson", "info": info})).await;
    assert_eq!(added["code"], "200", "{added}");
}

async fn people(platform: &Platform) -> Value {
    platform.ask(json!({"operator": "QueryPerson", "info": {}})).await["info"]["customId"].clone()
}

/// What `/healthz` says about the trust in the broker.
async fn attention(device: &Device) -> Option<String> {
    let (_, health) = device.health().await.unwrap();
    let lines = health["attention"].as_array().cloned().unwrap_or_default();
    lines.iter().filter_map(Value::as_str).find(|line| line.starts_with("terminal.broker_trust: ")).map(str::to_owned)
}

/// The platform, once the device is there.
async fn platform(broker: &Broker) -> Platform {
    let platform = Platform::connect(broker.address(), None).await;
    let question = json!({"messageId": "there", "operator": "Versions", "info": {}});
    eventually_within(Duration::from_secs(30), "the device answers", async || {
        platform.send(&question).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        platform.take_one(&format!("mqtt/face/{ID}/Ack"))
    })
    .await;
    platform
}

#[tokio::test(flavor = "multi_thread")]
async fn grave_commands_need_a_broker_that_is_trusted() {
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let secure = testkit::mqtt::free_port().await;
    let broker = broker(secure, &signed.cert.pem(), &signed.signing_key.serialize_pem()).await;

    let mut device = start(&broker.url(), "").await;
    let first = platform(&broker).await;
    enrol(&first).await;
    for (command, code) in grave() {
        let refused = first.ask(command.clone()).await;
        assert_eq!(refused["code"], code, "{command}: {refused}");
    }
    assert_eq!(people(&first).await, "alice");
    assert!(attention(&device).await.unwrap().contains("refused"));
    assert!(device.log().contains("not obeyed over a broker without TLS"), "the log says why");
    assert!(!device.log().contains("host.act"), "nothing was done");

    // What is secret is not told back, and what is told back changes nothing.
    let ask = async |operator: &str, info: Value| {
        let answer = first.ask(json!({"operator": operator, "info": info})).await;
        assert_eq!(answer["code"], "200", "{answer}");
        answer["info"].clone()
    };
    let secret = json!({"ServerAddr": "127.0.0.1", "Auth": 1, "UserName": "u", "PassWord": "geheim"});
    ask("UpHTTPconfig", secret).await;
    let told = ask("GetHTTPconfig", json!({})).await;
    assert_eq!((&told["PassWord"], &told["Pwd"]), (&json!("******"), &json!("******")));
    assert!(!told.to_string().contains("geheim"));
    ask("UpHTTPconfig", json!({"PassWord": "******"})).await;
    assert_eq!(ask("GetHTTPconfig", json!({})).await["PassWord"], "******");

    // Where the owner trusts the network they are obeyed, and the owner is reminded of it.
    device.reconfigure("[terminal]\n", "[terminal]\nbroker_trust = \"network\"\n");
    device.restart().await;
    let second = platform(&broker).await;
    assert!(attention(&device).await.unwrap().contains("obeyed"));
    let removed = second.ask(json!({"operator": "DelPerson", "info": {"customId": "alice"}})).await;
    assert_eq!(removed["code"], "200", "{removed}");

    // Over TLS nobody needs to be trusted but the broker.
    let ca = device.storage().join("ca.pem");
    std::fs::write(&ca, signed.cert.pem()).unwrap();
    device.reconfigure("broker_trust = \"network\"\n", &format!("ca_file = {ca:?}\n"));
    device.reconfigure(&format!("{:?}", broker.url()), &format!("\"mqtts://localhost:{secure}\""));
    device.restart().await;
    let third = platform(&broker).await;
    enrol(&third).await;
    let removed = third.ask(json!({"operator": "DelPerson", "info": {"customId": "alice"}})).await;
    assert_eq!((removed["code"].as_str(), attention(&device).await), (Some("200"), None));
    eventually_within(Duration::from_secs(10), "nobody is left", async || (people(&third).await == "").then_some(()))
        .await;
}
