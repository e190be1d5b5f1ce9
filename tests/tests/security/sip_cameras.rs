//! No camera logs in with a password that the owner has not chosen; strangers cannot tell the ids that are known, and
//! their wrong answers change nothing for the camera.

use std::net::SocketAddr;
use std::time::Duration;

use polyface_tests::{Device, SenseTime, eventually_within};
use serde_json::{Value, json};
use testkit::clip::{Codec, Shape, pattern};
use testkit::gb28181::{CAMERA, Peer, PeerOptions};
use tokio::net::UdpSocket;

const OWN: &str = "34020000002000000001";
const UNKNOWN: &str = "34020000001320000077";

/// A client at an address of its own.
struct Client(UdpSocket);

impl Client {
    async fn at(address: &str, device: SocketAddr) -> Self {
        let socket = UdpSocket::bind((address, 0)).await.unwrap();
        socket.connect(device).await.unwrap();
        Self(socket)
    }

    /// Whether a login is answered at all.
    async fn is_answered(&self, camera: &str) -> bool {
        self.send(camera, "").await;
        let mut answer = vec![0; 65_536];
        let answered = tokio::time::timeout(Duration::from_millis(300), self.0.recv(&mut answer)).await;
        matches!(answered, Ok(Ok(_)))
    }

    async fn send(&self, camera: &str, proof: &str) {
        let local = self.0.local_addr().unwrap();
        let text = format!(
            "REGISTER sip:{OWN}@3402000000 SIP/2.0\r\nVia: SIP/2.0/UDP {local};rport;branch=z9hG4bKs\r\n\
             From: <sip:{camera}@3402000000>;tag=s\r\nTo: <sip:{camera}@3402000000>;tag=t\r\nCall-ID: s\r\n\
             CSeq: 1 REGISTER\r\nExpires: 60\r\n{proof}\r\n"
        );
        // Fails while nothing listens.
        let _ = self.0.send(text.as_bytes()).await;
    }

    /// The first line of the answer to a login, and the whole.
    async fn register(&self, camera: &str, proof: &str) -> (String, String) {
        self.send(camera, proof).await;
        let mut answer = vec![0; 65_536];
        let length = tokio::time::timeout(Duration::from_secs(10), self.0.recv(&mut answer)).await.unwrap().unwrap();
        let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
        (answer.lines().next().unwrap_or_default().to_owned(), answer)
    }

    /// The shapes of the answers to seven guesses, without what is random in them.
    async fn guesses(&self, camera: &str) -> Vec<String> {
        let mut answers = Vec::new();
        for _ in 0..7 {
            let (first, challenge) = self.register(camera, "").await;
            answers.push(first);
            let nonce = challenge.split_once("nonce=\"").and_then(|(_, rest)| rest.split('"').next()).unwrap_or("none");
            let proof = format!(
                "Authorization: Digest username=\"{camera}\", realm=\"3402000000\", nonce=\"{nonce}\", \
                 uri=\"sip:a@b\", response=\"00000000000000000000000000000000\"\r\n"
            );
            let (_, answer) = self.register(camera, &proof).await;
            let random = answer.split_once("nonce=\"").and_then(|(_, rest)| rest.split('"').next()).unwrap_or("none");
            answers.push(answer.replace(random, "NONCE").replace(camera, "CAMERA"));
        }
        answers
    }
}

fn camera(password: &str) -> Value {
    json!({"msg_id": "513", "protocol": "GB28181", "camera_mode": "VIDEO", "camera_name": "sip", "threshold": 80,
        "snap_mode": 1, "ip": "127.0.0.1", "port": 5060, "camera_pwd": password,
        "server_sip_id": OWN, "camera_sip_id": CAMERA})
}

async fn is_online(client: &SenseTime, channel: i64) -> bool {
    client.camera(channel).await.is_some_and(|camera| camera["status"] == 1)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_has_a_password_of_its_own_and_strangers_learn_nothing() {
    let free = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let device = Device::start_with_sections(&format!("[sip]\nlisten = \"{free}\"")).await;
    let client = device.log_in().await;
    for password in ["", "sensetime"] {
        assert_eq!(client.call(camera(password)).await.code, -3596, "{password:?} keeps nobody out");
    }
    let channel = client.call(camera("chosen by the owner")).await.ok()["channel"].as_i64().unwrap();
    let stranger = Client::at("127.0.0.9", free).await;
    // The port is opened with the first camera.
    eventually_within(Duration::from_secs(20), "the camera is expected", async || {
        stranger.is_answered(CAMERA).await.then_some(())
    })
    .await;
    let (known, unknown) = (stranger.guesses(CAMERA).await, stranger.guesses(UNKNOWN).await);
    assert_eq!(known, unknown, "ids can be told apart");
    assert!(known.last().unwrap().starts_with("SIP/2.0 403"), "no end of guesses");
    let film = pattern(&device.storage(), Shape::small(Codec::H264), 3).unwrap();
    let _camera = Peer::camera(&film, "chosen by the owner", PeerOptions::default(), free).await.unwrap();
    eventually_within(Duration::from_secs(40), "the camera is online", async || {
        is_online(&client, channel).await.then_some(())
    })
    .await;
    stranger.guesses(CAMERA).await;
    assert!(is_online(&client, channel).await, "a stranger's wrong answers put the camera off");
}
