//! How commands arrive: wrong ones, repeated ones, and over which connection.

use std::path::Path;
use std::sync::Arc;

use lapin::options::ExchangeDeclareOptions;
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Connection, ConnectionProperties, ExchangeKind};
use serde_json::{Value, json};
use testkit::contract::Ledger;
use testkit::rabbitmq::Broker;
use testkit::until;

use crate::broker;
use crate::commands::Set;
use crate::device::{Device, config, photo};

pub(crate) async fn commands_that_cannot_be_are_refused(ledger: &Arc<Ledger>) {
    let mut set = Set::start(ledger, "wrong", |_| {}).await;
    for command in [
        json!({"method": "add_users_plus", "userid_list": {"1": 2}, "extend_params": {"path": "/p"}}),
        json!({"method": "add_users_plus", "user_info_list": ["1"], "extend_params": {}}),
        json!({"method": "add_users_plus", "userid_list": ["1"], "extend_params": "none"}),
        json!({"method": "delete_users", "userid_list": {"id": 7}}),
        json!({"method": "delete_users"}),
        json!({"method": "sync_permissions", "permissions_info_list": [{"id": "1", "info": "x"}]}),
        json!({"method": "fiqa", "info": {"image_base64_str": 5}}),
    ] {
        let refused = set.done(command.clone()).await;
        assert_eq!((&refused["code"], &refused["result"]), (&json!(40071), &json!({})), "{command}");
    }
    for (command, method) in [
        (json!({"method": "createidentities", "messageId": "m7"}), "createidentities"),
        (json!({"method": "", "messageId": "m7"}), ""),
        (json!({"method": null, "messageId": "m7"}), ""),
        (json!({"method": ["fiqa"], "messageId": "m7"}), ""),
        (json!({"messageId": "m7"}), ""),
    ] {
        let refused = set.client.done(command.clone()).await;
        assert_eq!((&refused["code"], &refused["messageKey"]), (&json!(40071), &json!(method)), "{command}");
    }
    set.stop().await;
}

pub(crate) async fn a_command_that_comes_again_is_answered_once_more(ledger: &Arc<Ledger>) {
    let narrow = |told: &mut Value, _: &Broker| told["rabbitmq"]["uploadQueue"] = json!("again-narrow");
    let device = Device::start(ledger).await;
    device.enrol("alice").await;
    let broker = broker::shared().await;
    let client = broker.client("again").await;
    client.add_narrow_queue("again-narrow").await;
    client.send_by("", "again-narrow", b"in the way").await;
    let set = Set::start_on(device, "again", narrow).await;
    // The device carries it out, and the broker refuses the result.
    let command = json!({"method": "delete_users", "messageId": "once", "userid_list": ["alice", "none"]});
    set.client.send(command.to_string().as_bytes()).await;
    until("the person is removed", async || set.device.members(None).await.is_empty()).await;
    client.empty("again-narrow").await;
    let result = testkit::eventually("the result comes", async || client.taken_from("again-narrow").await).await;
    // Carried out again, it would find nobody.
    let users = |list: &str| result["result"][list].as_array().unwrap().len();
    assert_eq!((users("success_users"), users("failed_users"), &result["messageId"]), (1, 1, &json!("once")));
    // The same command on purpose is another one.
    set.client.send(command.to_string().as_bytes()).await;
    let result = testkit::eventually("the result comes", async || client.taken_from("again-narrow").await).await;
    assert_eq!(result["result"]["success_users"], json!([]));
    let Set { device, client, .. } = set;
    device.stop().await;
    assert_eq!(client.waiting().await, 0);
}

pub(crate) async fn a_command_that_is_cut_off_is_carried_out_after_the_restart(ledger: &Arc<Ledger>) {
    let set = Set::start(ledger, "cut", |_| {}).await;
    let held = set.platform.hold("/getUserInfo");
    let command =
        json!({"method": "add_users_plus", "userid_list": ["alice"], "extend_params": {"path": "/getUserInfo"}});
    set.client.send(command.to_string().as_bytes()).await;
    set.platform.several("/getUserInfo", 1).await;
    let Set { device, platform, broker, mut client } = set;
    let device = device.restart().await;
    let person = json!({"identity_id": "alice", "reg_photo": photo("alice"), "info": {"name": "Alice", "type": 1}});
    platform.answer_at("/getUserInfo", json!({"data": {"user_list": [person]}}).to_string());
    drop(held);
    let result = client.result().await;
    assert_eq!(result["result"]["success_users"][0]["userid"], "alice");
    assert_eq!(device.members(None).await, ["alice"]);
    device.stop().await;
    assert_eq!(client.waiting().await, 0);
    drop(broker);
}

pub(crate) async fn the_exchange_has_the_arguments_that_the_platform_names(ledger: &Arc<Ledger>) {
    let named =
        |told: &mut Value| told["rabbitmq"]["exchange"]["arguments"] = json!({"alternate-exchange": "amq.fanout"});
    let mut set = Set::start(ledger, "arguments", named).await;
    set.done(json!({"method": "delete_users", "userid_list": []})).await;
    let uri = format!("amqp://guest:guest@127.0.0.1:{}/%2f", set.broker.port());
    let connection = Connection::connect(&uri, ConnectionProperties::default()).await.unwrap();
    let exchange = format!("{}-exchange", set.client.commands());
    // The broker refuses the declaration of an exchange that is there with other arguments.
    for (alternate, is_same) in [("amq.fanout", true), ("amq.direct", false)] {
        let mut arguments = FieldTable::default();
        arguments.insert("alternate-exchange".into(), AMQPValue::LongString(alternate.into()));
        let channel = connection.create_channel().await.unwrap();
        let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        let declared = channel.exchange_declare(exchange.as_str().into(), ExchangeKind::Topic, options, arguments);
        assert_eq!(declared.await.is_ok(), is_same, "{alternate}");
    }
    set.stop().await;
}

/// A device that trusts what the broker's certificate is issued by.
fn trusting(folder: &Path) -> adapter_sophon::Config {
    let file = folder.join("ca.pem");
    std::fs::write(&file, broker::issuer()).unwrap();
    adapter_sophon::Config { ca_file: Some(file), ..config() }
}

/// Has the platform name its broker as it is reached over TLS.
fn over_tls(host: &str) -> impl FnOnce(&mut Value, &Broker) {
    move |told, broker| {
        told["rabbitmq"]["host"] = json!(format!("amqps://{host}"));
        told["rabbitmq"]["port"] = json!(broker.tls_port());
    }
}

pub(crate) async fn commands_come_over_tls(ledger: &Arc<Ledger>) {
    let folder = tempfile::tempdir().unwrap();
    let device = Device::start_as(ledger, trusting(folder.path())).await;
    let mut set = Set::start_on(device, "tls", over_tls(broker::NAME)).await;
    let result = set.done(json!({"method": "delete_users", "userid_list": [], "extend_params": {}})).await;
    assert_eq!(result["code"], 0);
    set.stop().await;
}

pub(crate) async fn a_broker_that_does_not_prove_its_name_gets_no_password(ledger: &Arc<Ledger>) {
    let folder = tempfile::tempdir().unwrap();
    for (name, config, host) in
        [("unknown-issuer", config(), broker::NAME), ("another-name", trusting(folder.path()), "127.0.0.1")]
    {
        let set = Set::start_on(Device::start_as(ledger, config).await, name, over_tls(host)).await;
        set.client.send(b"{\"method\": \"delete_users\", \"userid_list\": []}").await;
        // The attempt fails, and it logs in again.
        set.platform.several("/login", 2).await;
        let Set { device, client, .. } = set;
        device.stop().await;
        assert_eq!(client.waiting().await, 1, "{name}: the command is not taken");
    }
}
