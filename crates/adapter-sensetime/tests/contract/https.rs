//! HTTPS (section 8).

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use testkit::contract::Ledger;
use testkit::{ADMIN, DEADLINE};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::witness::Witness;

/// A certificate valid until that year, and its key; the device's clock says 2026.
fn pair(until: i32) -> (Bytes, Bytes) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(["device".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(until, 1, 1);
    (params.self_signed(&key).unwrap().pem().into(), key.serialize_pem().into())
}

async fn upload(witness: &Witness, kind: &str, file: &Bytes) {
    witness.ok_form("upload_https_file", json!({"file_type": kind}), &[("file", file.clone())]).await;
}

async fn encrypted(ledger: &Arc<Ledger>) -> Witness {
    let mut witness = Witness::start(ledger).await;
    let (certificate, key) = pair(2030);
    upload(&witness, "crt", &certificate).await;
    upload(&witness, "key", &key).await;
    witness.ok("switch_https", json!({"prot_mode": "https"})).await;
    witness.device.use_https();
    witness.refused("get_https_state", json!({}), -141).await;
    witness.device.log_in(ADMIN.1).await;
    witness
}

fn names(cert: &str, key: &str) -> Value {
    json!({"https_cert": cert, "https_key": key})
}

pub(crate) async fn files_for_https_are_kept_named_and_removed(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let (certificate, key) = pair(2030);
    assert_eq!(witness.ok("get_https_files", json!({})).await, names("", ""));
    for kind in ["crt", "key"] {
        witness.refused("delete_https_file", json!({"file_type": kind}), -3625).await;
    }
    upload(&witness, "crt", &certificate).await;
    assert_eq!(witness.ok("get_https_files", json!({})).await, names("picture.png", ""));
    upload(&witness, "key", &key).await;
    assert_eq!(witness.ok("get_https_files", json!({})).await, names("picture.png", "picture.png"));
    for (fields, file) in [
        (json!({"file_type": "crt"}), &key),
        (json!({"file_type": "key"}), &certificate),
        (json!({"file_type": "pem"}), &certificate),
        (json!({}), &certificate),
    ] {
        witness.refused_form("upload_https_file", fields, &[("file", file.clone())], -3596).await;
    }
    witness.refused("upload_https_file", json!({"file_type": "crt"}), -3596).await;
    witness.refused("delete_https_file", json!({"file_type": "pem"}), -3596).await;
    witness.ok("delete_https_file", json!({"file_type": "key"})).await;
    assert_eq!(witness.ok("get_https_files", json!({})).await, names("picture.png", ""));
    witness.stop().await;
}

pub(crate) async fn the_device_switches_only_with_a_certificate_that_serves(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let ((certificate, key), (outdated, outdated_key)) = (pair(2030), pair(2021));
    witness.refused("switch_https", json!({"prot_mode": "http"}), -3607).await;
    witness.refused("switch_https", json!({"prot_mode": "https"}), -3625).await;
    upload(&witness, "crt", &certificate).await;
    witness.refused("switch_https", json!({"prot_mode": "https"}), -3625).await;
    upload(&witness, "key", &outdated_key).await;
    witness.refused("switch_https", json!({"prot_mode": "https"}), -3619).await;
    upload(&witness, "crt", &outdated).await;
    witness.refused("switch_https", json!({"prot_mode": "https"}), -3619).await;
    witness.refused("switch_https", json!({"prot_mode": "ftp"}), -3596).await;
    witness.refused("switch_https", json!({}), -3596).await;
    assert_eq!(witness.ok("get_https_state", json!({})).await, json!({"https_stat": "http"}));
    assert_eq!(witness.device.https_address(), None);
    upload(&witness, "crt", &certificate).await;
    upload(&witness, "key", &key).await;
    witness.ok("switch_https", json!({"prot_mode": "https"})).await;
    witness.stop().await;
}

pub(crate) async fn an_encrypted_device_is_served_over_https_alone_and_over_a_restart(ledger: &Arc<Ledger>) {
    let witness = encrypted(ledger).await;
    assert_eq!(witness.ok("get_https_state", json!({})).await, json!({"https_stat": "https"}));
    let clear = witness
        .device
        .clear_post("/api/json")
        .json(&json!({"msg_id": witness.id("get_https_state")}))
        .send()
        .await
        .unwrap();
    assert_eq!(clear.status(), 403);
    witness.refused("switch_https", json!({"prot_mode": "https"}), -3607).await;
    let (certificate, key) = pair(2030);
    witness.refused_form("upload_https_file", json!({"file_type": "crt"}), &[("file", certificate)], -3616).await;
    witness.refused_form("upload_https_file", json!({"file_type": "key"}), &[("file", key)], -3616).await;
    witness.refused("delete_https_file", json!({"file_type": "key"}), -3617).await;
    assert_eq!(witness.ok("get_https_files", json!({})).await, names("picture.png", "picture.png"));
    let library = witness.library("staff", &["alice"]).await;
    let face = witness.ok("get_face", json!({"lib_id": library, "img_id": "alice"})).await;
    let path = face["img_path"].as_str().unwrap();
    assert_eq!(witness.download(path, witness.device.session()).await.0, 200, "downloads move along");

    let mut again = witness.restart().await;
    assert_eq!(again.ok("get_https_state", json!({})).await, json!({"https_stat": "https"}));
    again.ok("switch_https", json!({"prot_mode": "http"})).await;
    again.device.use_http();
    again.device.log_in(ADMIN.1).await;
    assert_eq!(again.ok("get_https_state", json!({})).await, json!({"https_stat": "http"}));
    assert_eq!(again.device.https_address(), None);
    again.ok("delete_https_file", json!({"file_type": "key"})).await;
    again.stop().await;
}

/// Neither way: what a restart would not know is not done.
pub(crate) async fn a_full_disk_leaves_the_device_served_as_it_is(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let (certificate, key) = pair(2030);
    upload(&witness, "crt", &certificate).await;
    upload(&witness, "key", &key).await;
    let store = witness.device.handles.store.clone();
    store.fill_up(true);
    witness.refused("switch_https", json!({"prot_mode": "https"}), -3624).await;
    assert_eq!(witness.ok("get_https_state", json!({})).await, json!({"https_stat": "http"}));
    assert_eq!(witness.device.https_address(), None);
    witness.stop().await;

    let witness = encrypted(ledger).await;
    let store = witness.device.handles.store.clone();
    store.fill_up(true);
    witness.refused("switch_https", json!({"prot_mode": "http"}), -3624).await;
    assert_eq!(witness.ok("get_https_state", json!({})).await, json!({"https_stat": "https"}));
    store.fill_up(false);
    let again = witness.restart().await;
    assert_eq!(again.ok("get_https_state", json!({})).await, json!({"https_stat": "https"}));
    again.stop().await;
}

/// A request that has begun ends, though the device is served otherwise meanwhile.
pub(crate) async fn switching_loses_no_running_request(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let (certificate, key) = pair(2030);
    upload(&witness, "crt", &certificate).await;
    upload(&witness, "key", &key).await;
    let body = json!({"msg_id": witness.id("login"), "user_name": ADMIN.0, "user_pwd": ADMIN.1}).to_string();
    let mut slow = TcpStream::connect(witness.device.address).await.unwrap();
    let head = format!(
        "POST /api/json HTTP/1.1\r\nHost: device\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    slow.write_all(head.as_bytes()).await.unwrap();
    // Whoever asks for the body is at work on the request.
    let mut asked = [0; 25];
    timeout(DEADLINE, slow.read_exact(&mut asked)).await.unwrap().unwrap();
    assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
    witness.ok("switch_https", json!({"prot_mode": "https"})).await;
    slow.write_all(body.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4096];
    let length = timeout(DEADLINE, slow.read(&mut answer)).await.unwrap().unwrap();
    let answer = String::from_utf8_lossy(&answer[..length]);
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"code\":0"), "{answer}");
    witness.stop().await;
}

/// Subscribes over a connection; the socket then gets captures.
async fn subscribe<S: AsyncRead + AsyncWrite + Unpin>(witness: &Witness, stream: S) -> WebSocketStream<S> {
    let key = witness.ok("get_ws_key", json!({})).await["key"].clone();
    let (mut socket, _) = client_async("ws://device/ws/", stream).await.unwrap();
    socket.send(Message::text(json!({"msg_id": witness.id("ws_subscribe"), "key": key}).to_string())).await.unwrap();
    let answer = message(&mut socket).await;
    assert_eq!(serde_json::from_str::<Value>(answer.to_text().unwrap()).unwrap()["code"], 0);
    socket
}

/// The next message that is no ping.
async fn message<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut WebSocketStream<S>) -> Message {
    loop {
        match timeout(DEADLINE, socket.next()).await.unwrap().unwrap().unwrap() {
            Message::Ping(_) | Message::Pong(_) => {}
            message => return message,
        }
    }
}

pub(crate) async fn subscriptions_end_with_the_mode_and_start_again_in_the_other(ledger: &Arc<Ledger>) {
    let mut witness = Witness::start(ledger).await;
    let (certificate, key) = pair(2030);
    upload(&witness, "crt", &certificate).await;
    upload(&witness, "key", &key).await;
    let mut clear = subscribe(&witness, TcpStream::connect(witness.device.address).await.unwrap()).await;
    witness.ok("switch_https", json!({"prot_mode": "https"})).await;
    let end = message(&mut clear).await;
    assert!(matches!(end, Message::Close(Some(_))), "{end:?}");
    witness.device.use_https();
    witness.device.log_in(ADMIN.1).await;
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&certificate).unwrap()).unwrap();
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(witness.device.https_address().unwrap()).await.unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect("device".try_into().unwrap(), stream).await.unwrap();
    let mut secure = subscribe(&witness, stream).await;
    let library = witness.library("staff", &["alice"]).await;
    witness.device.watch(&library.to_string(), &["alice"]).await;
    let capture = message(&mut secure).await;
    assert!(capture.to_text().unwrap().contains("\"img_id\":\"alice\""));
    witness.stop().await;
}
