//! A reader on a serial line of the built daemon.

use std::io::Write;

use polyface_tests::{Device, eventually};
use testkit::SerialSocket;

/// A device with a reader of cards, plugged in at a place of its storage.
async fn with_reader() -> (Device, SerialSocket) {
    let mut device = Device::start().await;
    let socket = SerialSocket::at(device.storage().join("reader"));
    let section = format!("[[reader]]\nname = \"gate\"\ndevice = {:?}\n[console]", socket.device());
    device.reconfigure("[console]", &section);
    device.launch();
    (device, socket)
}

/// Waits until the device's health is this, for this reason.
async fn healthy(device: &Device, status: u16, reason: &str) {
    eventually(&format!("the health is {status}"), async || {
        let (now, health) = device.health().await?;
        (now == status && health.to_string().contains(reason)).then_some(())
    })
    .await;
}

/// Waits until so many cards were read.
async fn cards(device: &Device, count: u32) {
    let url = format!("http://{}/metrics", device.listener("console"));
    eventually("the card is read", async || {
        let metrics = reqwest::get(&url).await.ok()?.text().await.ok()?;
        let counted = metrics.lines().find(|line| line.starts_with("polyface_scans_total{"))?;
        assert!(counted.contains("reader=\"gate\"") && counted.contains("kind=\"card\""), "{counted}");
        counted.ends_with(&format!(" {count}")).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_may_be_plugged_in_late_and_anew() {
    let (mut device, socket) = with_reader().await;
    let reason = device.restart_refusing().await;
    assert!(reason.contains("gate: it cannot be opened"), "{reason}");
    let mut far = socket.plug_in().unwrap();
    healthy(&device, 200, "ok").await;
    far.write_all(b"0001369406761\r\n").unwrap();
    cards(&device, 1).await;
    drop(far);
    healthy(&device, 503, "gate: it").await;
    let mut far = socket.plug_in().unwrap();
    healthy(&device, 200, "ok").await;
    far.write_all(b"17\r\n").unwrap();
    cards(&device, 2).await;
    assert!(!device.log().contains("1369406761"), "numbers of cards are for no log");
}
