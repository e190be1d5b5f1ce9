//! One address takes a share of a listener, and callers who have proved nothing give way.

use std::time::Duration;

use polyface_tests::{ADMIN_PASSWORD, Attacker, Device, SenseTime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A connection that has switched to a WebSocket and never subscribes.
async fn keyless(attacker: &Attacker, device: &Device) -> TcpStream {
    let mut stream = attacker.connect(device.listener("sensetime")).await;
    let request = "GET /ws/ HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    // Without an answer the device is full, which is for the test to find.
    let _ = timeout(Duration::from_secs(1), stream.read(&mut [0; 1024])).await;
    stream
}

async fn is_open(stream: &mut TcpStream) -> bool {
    matches!(timeout(Duration::from_millis(1), stream.read(&mut [0; 1024])).await, Err(_) | Ok(Ok(1..)))
}

/// A login and a call, within the time-out of keyless WebSockets.
async fn assert_served(device: &Device) {
    let login = SenseTime::log_in(device.listener("sensetime"), "admin", ADMIN_PASSWORD);
    let client = timeout(Duration::from_secs(5), login).await.unwrap();
    assert_eq!(client.call(serde_json::json!({"msg_id": "1281"})).await.code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_shuts_nobody_out() {
    let device = Device::start().await;
    let attacker = Attacker::at(2);
    let mut held = Vec::new();
    for _ in 0..600 {
        held.push(keyless(&attacker, &device).await);
    }
    assert_served(&device).await;
    let mut open = 0;
    for stream in &mut held {
        open += usize::from(is_open(stream).await);
    }
    assert!(open <= 128, "{open} of 512");
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_who_proved_nothing_give_way_to_one_who_may() {
    let device = Device::start().await;
    let mut held = Vec::new();
    for last in 2..8 {
        let attacker = Attacker::at(last);
        for _ in 0..110 {
            held.push(keyless(&attacker, &device).await);
        }
    }
    assert_served(&device).await;
}
