//! Pictures that capture cameras upload (2).

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use adapter::FtpLimits;
use adapter_sophon::{Config, Ftp, Login};
use serde_json::{Value, json};
use testkit::contract::Ledger;
use testkit::ftp::FtpClient;
use testkit::portrait;
use tokio::net::TcpListener;

use crate::device::{Device, config};
use crate::platform::Platform;

const PASSWORD: &str = "Camera-1";

/// A device with an FTP server, and the server's address.
async fn start(ledger: &Arc<Ledger>) -> (Device, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let login = Login { user: "linaro".into(), password: PASSWORD.into() };
    let limits = FtpLimits { passive_ports: 0..=0, ..FtpLimits::default() };
    let ftp = Some(Ftp { listener: Arc::new(listener), login, limits });
    (Device::start_as(ledger, Config { ftp, ..config() }).await, address)
}

/// A camera that sends from this machine.
async fn add_camera(device: &Device) {
    let camera = json!({"device_type": "photo", "device_name": "entrance", "device_key": "127.0.0.1", "group_id": "1",
        "permission_id": "0"});
    device.later("POST Devices", json!({"devices_list": [camera]})).await;
}

pub(crate) async fn pictures_that_cameras_upload_are_recorded(ledger: &Arc<Ledger>) {
    let (device, address) = start(ledger).await;
    let receiver = Platform::start().await;
    device.enrol("alice").await;
    add_camera(&device).await;
    let history = json!({"history_upload_event_url": [format!("{}/event", receiver.url)], "content-type": "json",
        "reported_peroid": 1});
    device.ok("POST HistoryEventUrl", history).await;
    let mut camera = FtpClient::logged_in(address, "linaro", PASSWORD).await;
    assert_eq!(camera.say("CWD share").await.as_deref(), Some("250 ok"));
    for who in ["alice", "mallory"] {
        let stored = camera.store(&format!("{who}.jpg"), &portrait(who)).await;
        assert_eq!(stored.as_deref(), Some("226 taken"));
    }
    assert_eq!(ledger.answer("FTP STOR", None, None), Ok(()));
    // It is recorded by then.
    let records = device.appliance.records_after(domain::Seq(0), 9).await.unwrap();
    let known = |record: &domain::Record| record.accepted().map(|person| person.code.to_string());
    assert_eq!(records.iter().map(known).collect::<Vec<_>>(), [Some("alice".to_owned()), None]);
    let events = receiver.several("/event", 2).await;
    let origin = |event: &Value| (event["ext_data"]["device_ip"].clone(), event["ext_data"]["device_type"].clone());
    for event in &events {
        assert_eq!(origin(event), (json!("127.0.0.1"), json!("1")));
        assert_eq!(ledger.event("history event", event, &[]), Ok(()));
    }
    device.stop().await;
    assert_eq!(camera.reply().await.as_deref(), Some("421 the device stops"));
}

pub(crate) async fn uploads_of_others_are_refused(ledger: &Arc<Ledger>) {
    let (device, address) = start(ledger).await;
    let mut camera = FtpClient::logged_in(address, "linaro", PASSWORD).await;
    let refused = "553 no camera sends from this address";
    assert_eq!(camera.store("a.jpg", &portrait("alice")).await.as_deref(), Some(refused));
    add_camera(&device).await;
    let no_picture = "553 not a picture that can be read";
    for file in [&b""[..], b"no picture", &portrait("alice")[..20]] {
        assert_eq!(camera.store("a.jpg", file).await.as_deref(), Some(no_picture));
    }
    // What is recorded only in memory is not acknowledged.
    device.handles.store.write_protect(true);
    assert_eq!(camera.store("a.jpg", &portrait("alice")).await.as_deref(), Some("450 not taken now"));
    device.handles.store.write_protect(false);
    device.stop().await;
}

pub(crate) async fn failed_ftp_logins_lock_the_address(ledger: &Arc<Ledger>) {
    let (device, address) = start(ledger).await;
    for guess in ["", "camera-1", "Camera-1 ", "linaro", "Camera-2"] {
        let (mut client, _) = FtpClient::connect(address).await;
        assert!(client.log_in("linaro", guess).await.unwrap().starts_with("530"), "{guess:?}");
    }
    let (mut client, _) = FtpClient::connect(address).await;
    assert!(client.log_in("linaro", PASSWORD).await.unwrap().starts_with("530"), "it is locked");
    device.stop().await;
}
