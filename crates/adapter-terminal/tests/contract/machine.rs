//! The device itself.

use std::io::Cursor;
use std::sync::Arc;

use domain::Options;
use minisign::KeyPair;
use serde_json::json;
use testkit::contract::Ledger;
use testkit::{Act, actor};

use crate::subscriber::Server;
use crate::witness::Witness;

pub(crate) async fn the_version_and_the_time_are_reported(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let version = witness.ok("Versions", json!({})).await;
    assert!(version["name"].as_str().unwrap().starts_with("polyface "), "{version}");
    let told = witness.ok("GetSysTime", json!({})).await;
    let now = witness.device.appliance.now().in_zone(&witness.device.appliance.time_zone());
    assert_eq!(told["SysTime"].as_str().unwrap()[..13], now.strftime("%Y-%m-%dT%H").to_string());
    witness.stop().await;
}

pub(crate) async fn the_clock_is_set(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    witness.ok("SetSysTime", json!({"SysTime": "2031-4-2T8:09:04"})).await;
    let told = witness.ok("GetSysTime", json!({})).await;
    assert_eq!(&told["SysTime"].as_str().unwrap()[..16], "2031-04-02T08:09");
    for wrong in [
        json!({}),
        json!({"SysTime": "noon"}),
        json!({"SysTime": "2031-13-02T08:00:00"}),
        json!({"SysTime": "9999-12-31T23:59:59"}),
    ] {
        witness.refused("SetSysTime", wrong, 463).await;
    }
    witness.refused_command("SetSysTime", json!({"operator": "SetSysTime"}), 462).await;
    let told = witness.ok("GetSysTime", json!({})).await;
    assert_eq!(&told["SysTime"].as_str().unwrap()[..16], "2031-04-02T08:09");
    witness.stop().await;
}

pub(crate) async fn the_machine_restarts(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    witness.ok("RebootDevice", json!({"IsRebootDevice": 1})).await;
    assert_eq!(witness.device.handles.host.acts(), [Act::Restart]);
    witness.device.handles.host.forbid(true);
    let refused = witness.platform.ask(json!({"operator": "RebootDevice", "info": {}})).await;
    assert_eq!((&refused["code"], &refused["info"]["result"]), (&json!("461"), &json!("fail")));
    assert_eq!(witness.device.handles.host.acts(), [Act::Restart]);
    witness.stop().await;
}

pub(crate) async fn parts_are_reset_to_factory_settings(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let reset = |parts: serde_json::Value| witness.ok("SetFactoryDefault", parts);
    let before = witness.ok("GetSoundconfig", json!({})).await;
    witness.ok("UpSoundconfig", json!({"Volume": 10})).await;
    witness.ok("Upconfig", json!({"LedLightType": 1})).await;
    assert_eq!(reset(json!({"DefaltSoundSet": "1", "DefaltPerson": "0"})).await["reboot"], json!("0"));
    assert_eq!(witness.ok("GetSoundconfig", json!({})).await, before);
    assert_eq!(witness.ok("Getconfig", json!({})).await["LedLightType"], json!("1"));
    reset(json!({"DefaltSystemSettings": 1, "DefaltCenterPar ": 1})).await;
    assert_eq!(witness.ok("Getconfig", json!({})).await["LedLightType"], json!("0"));
    let door = witness.ok("GetDoorconfig", json!({})).await;
    witness.ok("UpDoorconfig", json!({"OpendoorWay": 1, "IOStayTime": 900, "Endian": 1})).await;
    reset(json!({"DefaltDoorSet": 1})).await;
    assert_eq!(witness.ok("GetDoorconfig", json!({})).await, door);
    witness.enrol("alice").await;
    witness.device.watch(&["alice", "mallory"]).await;
    witness.event("Snap", "StrSnapPush").await;
    assert_eq!(reset(json!({"DefaltRecord": 1})).await["reboot"], json!("1"));
    let left = |witness: &Witness| {
        let appliance = witness.device.appliance.clone();
        async move { appliance.records_after(domain::Seq(0), 10).await.unwrap().len() }
    };
    assert_eq!(left(&witness).await, 1, "the stranger");
    witness.platform.wait_for_return().await;
    reset(json!({"DefaltCapture": 1, "DefaltPerson": 1})).await;
    assert_eq!(left(&witness).await, 0);
    witness.platform.wait_for_return().await;
    assert_eq!(witness.ok("QueryPerson", json!({})).await["QueryPersonNum"], json!("0"));
    witness.stop().await;
}

pub(crate) async fn network_log_and_time_are_reset_too(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let appliance = witness.device.appliance.clone();
    let zone = appliance.time_zone();
    appliance.by(&actor("test")).set_time(appliance.now(), Some("Etc/UTC")).await.unwrap();
    let done = witness.ok("SetFactoryDefault", json!({"DefaltMaintainTime": "1"})).await;
    assert_eq!((appliance.time_zone(), &done["reboot"]), (zone, &json!("0")));
    witness.ok("SetFactoryDefault", json!({"DefaltLog": 1})).await;
    let log = appliance.by(&actor("test")).audit_log(10).await.unwrap();
    let entries: Vec<_> = log.iter().map(|entry| (&*entry.actor, &*entry.action)).collect();
    assert_eq!(entries, [("terminal", "audit.clear")]);
    let done = witness.ok("SetFactoryDefault", json!({"DefaltNetPar": 1})).await;
    assert_eq!(done["reboot"], json!("1"));
    assert!(appliance.network().await.unwrap().ports.iter().all(|port| port.dhcp));
    witness.platform.wait_for_return().await;
    let wrong = witness.platform.ask(json!({"operator": "SetFactoryDefault", "info": {"DefaltPerson": 2}})).await;
    assert_eq!(wrong["code"], json!("462"));
    witness.stop().await;
}

pub(crate) async fn packages_are_fetched_and_only_signed_ones_installed(ledger: &Arc<Ledger>) {
    let (keys, uploads) = (KeyPair::generate_unencrypted_keypair().unwrap(), tempfile::tempdir().unwrap());
    let upgrade_key = Some(keys.pk.to_base64());
    let options = Options { upgrade_key, uploads: uploads.path().to_owned(), ..testkit::options() };
    let (witness, server) = (Witness::start_of(ledger, options).await, Server::start().await);
    let signature =
        minisign::sign(None, &keys.sk, Cursor::new(b"new"), Some("polyface 99.0.0"), None).unwrap().into_string();
    let good = server.offer("/a475ed.swx", [&b"new"[..], signature.as_bytes()].concat().into());
    let unsigned = server.offer("/unsigned.swx", b"new"[..].to_vec().into());
    let cases = [
        (json!({"path": good}), 462),
        (json!({"name": "2"}), 464),
        (json!({"name": "2", "path": "http://127.0.0.1/x.zip"}), 475),
        (json!({"name": "2", "path": unsigned}), 475),
        (json!({"name": "2", "path": format!("http://{}/missing.swx", server.address)}), 463),
        (json!({"name": "2", "path": good, "facesluiceId": "1"}), 468),
    ];
    for (info, code) in cases {
        witness.refused("Upgrade", info, code).await;
    }
    witness.refused_command("Upgrade", json!({"operator": "Upgrade"}), 461).await;
    assert_eq!(witness.device.handles.host.acts(), []);
    assert_eq!(witness.ok("Upgrade", json!({"name": "2", "path": good})).await["name"], json!("2"));
    let done = [Act::Install(b"new".to_vec()), Act::Restart];
    testkit::until("it is installed", async || witness.device.handles.host.acts() == done).await;
    assert_eq!(std::fs::read_dir(uploads.path()).unwrap().count(), 0, "nothing is left of the downloads");
    witness.stop().await;
}
