//! Of a caller who has proved nothing, little is ever in memory, whatever is sent.

use std::time::Duration;

use futures_util::future::join_all;
use polyface_tests::{Attacker, Device, memory_growth};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// What each connection sends.
const SENT: usize = 4 << 20;
/// Number of connections of each kind.
const CONNECTIONS: usize = 40;
/// Memory for all connections of a test: "a few tens of KiB" each, and what the allocator does not give back at once.
const MOST_MEMORY: u64 = 24 << 20;

/// Sends zeros for as long as the device takes them, at most [`SENT`] bytes, and keeps the connection.
async fn pour(mut stream: TcpStream, head: &[u8]) -> TcpStream {
    let zeros = vec![b' '; 64 << 10];
    let send = async {
        stream.write_all(head).await?;
        for _ in 0..SENT / zeros.len() {
            stream.write_all(&zeros).await?;
        }
        Ok::<_, std::io::Error>(())
    };
    // A device that stops reading, or closes the connection, is what is wanted.
    let _ = timeout(Duration::from_secs(2), send).await;
    stream
}

async fn upgraded(device: &Device) -> TcpStream {
    let mut stream = Attacker::at(2).connect(device.listener("sensetime")).await;
    let request = "GET /ws/ HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = [0; 1024];
    let length = stream.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..length]);
    assert!(answer.starts_with("HTTP/1.1 101"), "{answer}");
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_without_a_key_takes_no_memory_for_frames_of_any_length() {
    let mut device = Device::start().await;
    // A masked text frame that announces 15 MiB.
    let mut frame = vec![0x81, 0xff];
    frame.extend((15_u64 << 20).to_be_bytes());
    frame.extend([0; 4]);
    let attack = async {
        let sockets = join_all((0..CONNECTIONS).map(|_| upgraded(&device))).await;
        join_all(sockets.into_iter().map(|socket| pour(socket, &frame))).await
    };
    let (_held, growth) = memory_growth(device.pid(), attack).await;
    assert!(growth < MOST_MEMORY, "{} MiB", growth >> 20);
    assert!(device.is_running());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_without_a_login_takes_no_memory_on_any_interface() {
    let sections = "[uniview]\nenabled = true\nlisten = \"127.0.0.1:0\"\n\
        [sophon]\nenabled = true\nlisten = \"127.0.0.1:0\"\nallow_from = [\"127.0.0.1\"]";
    let mut device = Device::start_with_sections(sections).await;
    let targets = [
        ("console", "/login", "application/json"),
        ("sensetime", "/api/json", "application/json"),
        ("sensetime", "/api/form", "multipart/form-data; boundary=x"),
        ("uniview", "/api/v2/personlib/list", "application/json"),
        ("facebox", "/AddPerson", "application/json"),
        ("facebox", "/UploadPersonPicture", "multipart/form-data; boundary=x"),
        ("sophon", "/SophonFogSys/api/users", "application/json"),
    ];
    for (name, path, kind) in targets {
        let start = if kind.starts_with('m') {
            "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n"
        } else {
            "{\"username\": \""
        };
        // Never complete, and below the largest body that the interface takes of anybody.
        let length = 1_000_000;
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{start}"
        );
        let padding = " ".repeat(length - start.len() - 1);
        let request = format!("{head}{padding}");
        let (attacker, listener) = (Attacker::at(2), device.listener(name));
        let one = async || {
            let mut stream = attacker.connect(listener).await;
            // A device that stops reading, or closes the connection, is what is wanted.
            let _ = timeout(Duration::from_millis(500), stream.write_all(request.as_bytes())).await;
            stream
        };
        let attack = async {
            let held = join_all((0..CONNECTIONS).map(|_| one())).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
            held
        };
        let (_held, growth) = memory_growth(device.pid(), attack).await;
        assert!(growth < MOST_MEMORY, "{name}{path}: {} MiB", growth >> 20);
    }
    assert!(device.is_running());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_without_an_end_takes_no_memory() {
    let mut device = Device::start().await;
    let attack = async {
        let one =
            async || pour(Attacker::at(2).connect(device.listener("console")).await, b"GET / HTTP/1.1\r\nX: ").await;
        join_all((0..CONNECTIONS).map(|_| one())).await
    };
    let (_held, growth) = memory_growth(device.pid(), attack).await;
    assert!(growth < MOST_MEMORY / 4, "{} MiB", growth >> 20);
    assert!(device.is_running());
}
