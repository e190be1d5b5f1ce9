//! The platform: logins, and commands from its broker (4 to 6).

use std::sync::Arc;

use serde_json::{Value, json};
use testkit::contract::Ledger;
use testkit::rabbitmq::{Broker, Client};
use testkit::until;

use crate::broker;
use crate::device::{Device, photo};
use crate::platform::Platform;

/// A device that is logged in at a platform.
pub(crate) struct Set {
    pub(crate) device: Device,
    pub(crate) platform: Platform,
    pub(crate) broker: Arc<Broker>,
    pub(crate) client: Client,
}

impl Set {
    pub(crate) async fn start(ledger: &Arc<Ledger>, name: &str, change: impl FnOnce(&mut Value)) -> Self {
        Self::start_on(Device::start(ledger).await, name, |told, _| change(told)).await
    }

    pub(crate) async fn start_on(device: Device, name: &str, change: impl FnOnce(&mut Value, &Broker)) -> Self {
        let (platform, broker) = (Platform::start().await, broker::shared().await);
        let client = broker.client(name).await;
        let mut told =
            json!({"token": "t1", "imgServerAddr": "", "message": "登录成功", "rabbitmq": client.told(broker.port())});
        change(&mut told, &broker);
        platform.answer_at("/login", told.to_string());
        device.ok("PUT DevSno", json!({"dev_sno": "SNO1"})).await;
        device.ok("PUT LoginUrl", json!({"login_url": format!("{}/login", platform.url)})).await;
        Self { device, platform, broker, client }
    }

    pub(crate) async fn stop(self) {
        self.device.stop().await;
        drop(self.broker);
    }

    /// A result, held against the catalogue.
    pub(crate) async fn done(&mut self, command: Value) -> Value {
        let method = command["method"].as_str().unwrap().to_owned();
        let result = self.client.done(command).await;
        assert_eq!((&result["messageKey"], &result["dev_sno"]), (&json!(method), &json!("SNO1")), "{result}");
        if result["success"] == true {
            assert_eq!(self.device.ledger().answer(&method, None, Some(&result)), Ok(()), "{result}");
            let event = json!({"result": {}, "code": result["code"], "success": true, "message": result["message"],
                "dev_sno": result["dev_sno"], "messageKey": method});
            assert_eq!(self.device.ledger().event("mq result", &event, &[]), Ok(()));
        } else {
            let (code, text) = (result["code"].as_i64().unwrap(), result["message"].as_str().unwrap());
            assert_eq!(self.device.ledger().refusal(&method, None, code, text), Ok(()), "{result}");
        }
        result
    }
}

pub(crate) async fn people_come_from_the_platform_and_go(ledger: &Arc<Ledger>) {
    let mut set = Set::start(ledger, "people", |_| {}).await;
    let login = set.platform.several("/login", 1).await.remove(0);
    let login = login.as_str().unwrap();
    assert!(login.starts_with("dev_sno=SNO1&hex_mac=0x"), "{login}");
    let fields = json!({"dev_sno": "SNO1", "hex_mac": login.split_once("hex_mac=").unwrap().1});
    assert_eq!(ledger.event("platform login", &fields, &[]), Ok(()));
    set.platform.answer_at("/pic/bob.jpg", testkit::portrait("bob"));
    let details = json!({"data": {"user_list": [
        {"identity_id": "alice", "reg_photo": photo("alice"), "register_type": 1,
            "info": {"name": "Alice", "type": 5, "permission_ids": ["1046"]}},
        {"identity_id": "bob", "relative_pic_url": "/pic/bob.jpg", "register_type": 1, "info": {"name": "Bob", "type": 1}},
        {"identity_id": "carol", "reg_url": format!("{}/none.jpg", set.platform.url), "info": {"name": "C", "type": 1}},
    ]}});
    set.platform.answer_at("/getUserInfo", details.to_string());
    let result = set
        .done(json!({"method": "add_users_plus", "messageId": "m1", "userid_list": ["alice", "bob", "carol", "dan"],
        "extend_params": {"path": "/getUserInfo"}}))
        .await;
    assert_eq!((&result["messageId"], &result["code"]), (&json!("m1"), &json!(0)));
    let told = |list: &str| -> Vec<(String, i64)> {
        let users = result["result"][list].as_array().unwrap();
        users.iter().map(|user| (user["userid"].as_str().unwrap().to_owned(), user["code"].as_i64().unwrap())).collect()
    };
    assert_eq!(told("success_users"), [("alice".to_owned(), 0), ("bob".to_owned(), 0)]);
    // There is no picture of one, and the platform says nothing of the other.
    assert_eq!(told("failed_users"), [("dan".to_owned(), 40401), ("carol".to_owned(), 40003)]);
    assert_eq!(ledger.event("user detail fetch", &set.platform.messages("/getUserInfo")[0], &[]), Ok(()));
    assert_eq!(set.platform.messages("/pic/bob.jpg").len(), 1);
    assert_eq!(ledger.event("picture fetch", &json!({}), &[]), Ok(()));
    assert_eq!(set.device.members(Some("default_group")).await, ["alice", "bob"]);
    assert_eq!(standing(&set.device, "alice").await, (json!(5), json!(["1046"])));
    let again = json!([{"identity_id": "alice", "reg_photo": photo("alice"), "info": {"name": "Alice"}}]);
    set.done(json!({"method": "add_users_plus", "user_info_list": again, "extend_params": {}})).await;
    assert_eq!(standing(&set.device, "alice").await, (json!(1), json!(["0"])), "who is sent again is overwritten");
    let gone = set.done(json!({"method": "delete_users", "userid_list": ["alice", "none"], "extend_params": {}})).await;
    assert_eq!(gone["result"]["success_users"], json!([{"userid": "alice", "message": "人员删除成功", "code": 0}]));
    assert_eq!(gone["result"]["failed_users"][0]["code"], 40401);
    assert_eq!(set.device.members(None).await, ["bob"]);
    let wiped = set.done(json!({"method": "wipe_data", "wipe_options": {"users": true, "events": false}})).await;
    assert_eq!(wiped["result"], json!({"wipe_options": {"users": true, "events": false}}));
    assert_eq!(set.device.members(None).await, [] as [&str; 0]);
    set.stop().await;
}

/// The type and the permissions of a person.
async fn standing(device: &Device, id: &str) -> (Value, Value) {
    let mut found = device.ok("GET users", json!({"identity_id": id})).await;
    let info = found["identities_list"][0]["info"].take();
    (info["type"].clone(), info["permission_ids"].clone())
}

pub(crate) async fn permission_groups_and_pictures_come_from_the_platform(ledger: &Arc<Ledger>) {
    let mut set = Set::start(ledger, "names", |_| {}).await;
    let entry = |id: &str, name: &str| json!({"id": id, "info": {"name": name}});
    let list = json!([entry("12365", "one"), entry("12366", "two"), entry("12366", "three")]);
    set.done(json!({"method": "sync_permissions", "permissions_info_list": list, "extend_params": {}})).await;
    let all = set.device.ok("GET permissions", json!({})).await;
    assert_eq!(crate::device::column(&all["permissions_list"], "name"), ["one", "three"]);
    let judged =
        set.done(json!({"method": "fiqa", "info": {"image_base64_str": photo("alice"), "fiqa_level": "no"}})).await;
    assert_eq!(judged["result"]["data"][0]["fiqa_result"], true);
    let empty = json!({"method": "fiqa", "info": {"image_base64_str": photo("alice"), "fiqa_level": ""}});
    assert_eq!(set.done(empty).await["code"], 0);
    for (command, code) in [
        (json!({"method": "fiqa", "info": {"image_base64_str": "x!", "fiqa_level": "no"}}), 40003),
        (json!({"method": "fiqa", "info": {}}), 40071),
        (json!({"method": "add_users_plus", "userid_list": ["1"], "extend_params": {}}), 40071),
        (json!({"method": "add_users_plus", "userid_list": ["1"], "extend_params": {"path": "/nothing"}}), 50074),
        (
            json!({"method": "add_users_plus", "userid_list": ["1"], "extend_params": {"path": "http://127.0.0.1:1/"}}),
            50073,
        ),
        (json!({"method": "wipe_data", "wipe_options": {"users": "x", "events": true}}), 40005),
        (
            json!({"method": "add_users_plus", "userid_list": vec!["1"; 10_001], "extend_params": {"path": "/many"}}),
            40071,
        ),
    ] {
        let refused = set.done(command.clone()).await;
        assert_eq!((&refused["code"], &refused["success"]), (&json!(code), &json!(false)), "{command}");
    }
    assert_eq!(set.platform.messages("/many").len(), 0, "too many people are not asked about");
    let unknown = set.client.done(json!({"method": "control_config"})).await;
    assert_eq!(unknown["code"], 40071);
    set.stop().await;
}

pub(crate) async fn what_is_no_command_holds_up_nothing(ledger: &Arc<Ledger>) {
    let mut set = Set::start(ledger, "poison", |_| {}).await;
    let large = vec![b' '; 50 << 20];
    for body in [&b"no json"[..], b"[]", b"", b"\xff\x00", &large] {
        set.client.send(body).await;
    }
    let result = set.done(json!({"method": "delete_users", "userid_list": []})).await;
    assert_eq!(result["result"], json!({"success_users": [], "failed_users": []}));
    // The queue is bound to the exchange of the platform.
    let exchange = format!("{}-exchange", set.client.commands());
    set.client.send_by(&exchange, "routing.dev", b"{\"method\": \"delete_users\", \"userid_list\": []}").await;
    assert_eq!(set.client.result().await["code"], 0);
    let Set { device, client, .. } = set;
    device.stop().await;
    assert_eq!(client.waiting().await, 0);
}

pub(crate) async fn results_go_to_an_address_where_there_is_no_queue(ledger: &Arc<Ledger>) {
    let without_queue = |told: &mut Value| {
        let broker = told["rabbitmq"].as_object_mut().unwrap();
        broker.remove("uploadQueue");
        broker.remove("exchange");
        broker.insert("unNeedBindExchange".into(), json!(true));
    };
    let set = Set::start(ledger, "notify", without_queue).await;
    let command = json!({"method": "delete_users", "userid_list": [], "extend_params": {"notify_path": "/getResult"}});
    set.client.send(command.to_string().as_bytes()).await;
    let result = set.platform.several("/getResult", 1).await.remove(0);
    assert_eq!((&result["success"], &result["messageKey"]), (&json!(true), &json!("delete_users")));
    set.stop().await;
}

pub(crate) async fn the_device_tells_what_the_platform_wants(ledger: &Arc<Ledger>) {
    let (device, platform) = (Device::start(ledger).await, Platform::start().await);
    device.enrol("alice").await;
    let broker = json!({"host": "127.0.0.1", "port": 1, "login": "a", "password": "b", "queue": "c"});
    let told = json!({"token": "t", "rabbitmq": broker, "recordAddr": "/record , /record2", "recordUploadPeriod": 1,
        "deviceMonitorAddr": "/status", "deviceMonitorPeriod": "1", "deviceListInfoAddr": "/cameras",
        "eventServerAddr": "/now", "realRecordAddr": "/now, /now2"});
    platform.answer_at("/login", told.to_string());
    device.ok("PUT LoginUrl", json!({"login_url": format!("{}/login", platform.url)})).await;
    assert_eq!(platform.several("/cameras", 1).await[0], json!({"devSno": "PF0001", "deviceList": []}));
    device.add_gate(&["alice"]).await;
    let list = testkit::eventually("the list has the camera", async || {
        platform.messages("/cameras").into_iter().find(|list| list["deviceList"] != json!([]))
    })
    .await;
    assert_eq!(ledger.event("device list sync", &list, &[]), Ok(()));
    for path in ["/record", "/record2", "/status", "/now", "/now2"] {
        platform.several(path, 1).await;
    }
    assert_eq!((platform.messages("/now").len(), &platform.messages("/now2")[0]["identity_id"]), (1, &json!("alice")));
    assert_eq!(platform.messages("/record")[0]["identity_id"], "alice");
    device.stop().await;
}

pub(crate) async fn a_platform_of_the_first_version_is_told_of_single_cameras(ledger: &Arc<Ledger>) {
    let (device, platform) = (Device::start(ledger).await, Platform::start().await);
    let broker = json!({"host": "127.0.0.1", "port": 1, "login": "a", "password": "b", "queue": "c"});
    let told = json!({"token": "t", "rabbitmq": broker, "deviceMonitorPeriod": 1, "deviceInfoAddr": "/device"});
    platform.answer_at("/login", told.to_string());
    device.ok("PUT LoginUrl", json!({"login_url": format!("{}/login", platform.url)})).await;
    device.add_gate(&[]).await;
    let added = platform.several("/device", 1).await.remove(0);
    assert_eq!(ledger.event("device operation", &added, &[]), Ok(()));
    let camera = &added["deviceInfo"];
    assert_eq!((&added["actionType"], &camera["epId"]), (&json!(1), &json!("PF0001__192.0.2.7")));
    assert_eq!((&camera["epType"], &camera["epGroupName"]), (&json!("3"), &json!("default_group")));
    // What the platform has is not sent again; what it has not is, also over a restart.
    platform.answer_at("/device", "{\"status\": 1}");
    device.appliance.by(&testkit::actor("root")).remove_camera(domain::CameraId(1)).await.unwrap();
    platform.several("/device", 2).await;
    let device = device.restart().await;
    let so_far = platform.messages("/device").len();
    platform.answer_at("/device", "{\"status\": 0}");
    let all = platform.several("/device", so_far + 1).await;
    for gone in &all[1..] {
        assert_eq!((&gone["actionType"], &gone["deviceInfo"]["epId"]), (&json!(2), &camera["epId"]), "{gone}");
    }
    device.add_gate(&[]).await;
    let again = testkit::eventually("the new camera is told of", async || {
        platform.messages("/device").last().filter(|last| last["actionType"] == 1).cloned()
    });
    again.await;
    device.stop().await;
}

pub(crate) async fn the_device_logs_in_again(ledger: &Arc<Ledger>) {
    let (device, platform) = (Device::start(ledger).await, Platform::start().await);
    platform.answer(500);
    device.ok("PUT LoginUrl", json!({"login_url": format!("{}/login", platform.url)})).await;
    platform.several("/login", 2).await;
    // A broker that is not there.
    platform.answer(200);
    let broker = json!({"host": "127.0.0.1", "port": 1, "login": "a", "password": "b", "queue": "c"});
    platform.answer_at("/login", json!({"token": "t", "rabbitmq": broker}).to_string());
    let before = platform.messages("/login").len();
    until("it logs in twice", async || platform.messages("/login").len() >= before + 2).await;
    device.ok("PUT DevSno", json!({"dev_sno": "SNO2"})).await;
    until("it logs in with the new code", async || {
        platform.messages("/login").last().unwrap().as_str().unwrap().starts_with("dev_sno=SNO2&")
    })
    .await;
    device.ok("PUT LoginUrl", json!({"login_url": ""})).await;
    device.stop().await;
}

pub(crate) async fn the_history_waits_for_the_login(ledger: &Arc<Ledger>) {
    let (device, platform) = (Device::start(ledger).await, Platform::start().await);
    device.enrol("alice").await;
    platform.answer(500);
    device.ok("PUT LoginUrl", json!({"login_url": format!("{}/login", platform.url)})).await;
    device.add_gate(&["alice"]).await;
    device.recorded(1).await;
    // Neither other settings nor a restart make the device pass over what the platform has not got.
    device.ok("PUT DevSno", json!({"dev_sno": "SNO2"})).await;
    platform.several("/login", 2).await;
    let device = device.restart().await;
    let before = platform.messages("/login").len();
    platform.several("/login", before + 1).await;
    let broker = json!({"host": "127.0.0.1", "port": 1, "login": "a", "password": "b", "queue": "c"});
    let told = json!({"token": "t", "rabbitmq": broker, "recordAddr": "/record", "recordUploadPeriod": 1});
    platform.answer_at("/login", told.to_string());
    platform.answer(200);
    assert_eq!(platform.several("/record", 1).await[0]["identity_id"], "alice");
    device.stop().await;
}

pub(crate) async fn a_refused_token_leads_to_a_new_login(ledger: &Arc<Ledger>) {
    let record = |told: &mut Value| {
        told["recordAddr"] = json!("/record");
        told["recordUploadPeriod"] = json!(1);
    };
    let mut set = Set::start(ledger, "token", record).await;
    let refusal = json!({"error": {"code": 40003, "message": "未授权", "status": "PARAM_ERROR"}});
    for path in ["/record", "/getUserInfo"] {
        set.platform.answer_at(path, refusal.to_string());
    }
    // A command is answered all the same.
    let ask = json!({"method": "add_users_plus", "userid_list": ["alice"], "extend_params": {"path": "/getUserInfo"}});
    assert_eq!(set.done(ask.clone()).await["code"], 50073);
    set.platform.several("/login", 2).await;
    let person = json!({"identity_id": "alice", "reg_photo": photo("alice"), "info": {"name": "Alice", "type": 1}});
    set.platform.answer_at("/getUserInfo", json!({"data": {"user_list": [person]}}).to_string());
    assert_eq!(set.done(ask).await["code"], 0);
    // So does the history, which the platform gets after the login.
    set.device.add_gate(&["alice"]).await;
    set.platform.several("/record", 1).await;
    set.platform.several("/login", 3).await;
    let refused = set.platform.messages("/record").len();
    set.platform.answer_at("/record", "{\"status\": 0}");
    assert_eq!(set.platform.several("/record", refused + 1).await[refused]["identity_id"], "alice");
    set.stop().await;
}
