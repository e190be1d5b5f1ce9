//! No route and no stream answers for an account that is gone, was changed or logged out, from the moment that change
//! is acknowledged, whoever made it.

use std::time::Duration;

use domain::Role;
use futures_util::{SinkExt, StreamExt};
use polyface_tests::{ADMIN_PASSWORD, Device, SenseTime};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

const PASSWORD: &str = "Rose-and-thorn";
const OTHER: &str = "Thorn-and-rose";
/// Not logged in, in the words of each interface.
const NO_SESSION: i64 = -141;
const BAD_SESSION: i64 = 5;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A user with a session at every interface.
struct User {
    sensetime: SenseTime,
    facebox: String,
    cookie: String,
}

impl User {
    async fn log_in(device: &Device, name: &str, password: &str) -> Self {
        Self {
            sensetime: SenseTime::log_in(device.listener("sensetime"), name, password).await,
            facebox: device.facebox_session(name, password).await,
            cookie: device.console_cookie(name, password).await,
        }
    }

    /// What each interface answers to a harmless call.
    async fn answers(&self, device: &Device) -> (i64, i64, u16) {
        let list = json!({"page_no": 1, "page_size": 1});
        let facebox = device.facebox(&self.facebox, "/QueryLibraryList", list).await;
        (
            self.sensetime.call(json!({"msg_id": "1028"})).await.code,
            facebox["code"].as_i64().unwrap(),
            device.console_status(&self.cookie, "/api/status").await,
        )
    }

    async fn subscribe(&self, device: &Device) -> Socket {
        let key = self.sensetime.call(json!({"msg_id": "1286"})).await.ok()["key"].clone();
        let (mut socket, answer) = connect(device, &key).await;
        assert_eq!(answer["code"], 0, "{answer}");
        // The subscription has not ended yet.
        socket.send(Message::Ping(Vec::new().into())).await.unwrap();
        socket
    }
}

async fn connect(device: &Device, key: &Value) -> (Socket, Value) {
    let url = format!("ws://{}/ws/", device.listener("sensetime"));
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    socket.send(Message::text(json!({"key": key, "msg_id": "776"}).to_string())).await.unwrap();
    let answer = socket.next().await.unwrap().unwrap();
    let answer = serde_json::from_str(answer.to_text().unwrap()).unwrap();
    (socket, answer)
}

/// Waits for the end of a socket, on which no capture may come any more.
async fn ends(mut socket: Socket) {
    let end = async {
        while let Some(Ok(message)) = socket.next().await {
            assert!(!matches!(message, Message::Text(_)), "{message}");
            if message.is_close() {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(5), end).await.unwrap();
}

const OPEN: (i64, i64, u16) = (0, 0, 200);
const ENDED: (i64, i64, u16) = (NO_SESSION, BAD_SESSION, 401);

#[tokio::test(flavor = "multi_thread")]
async fn sessions_and_streams_end_with_the_password_the_account_and_the_logout() {
    let device = Device::start().await;
    let admin = User::log_in(&device, "admin", ADMIN_PASSWORD).await;
    device.add_account("rose", Role::Operator, PASSWORD);

    // From the command line, while the daemon runs.
    let rose = User::log_in(&device, "rose", PASSWORD).await;
    let stream = rose.subscribe(&device).await;
    let key = rose.sensetime.call(json!({"msg_id": "1286"})).await.ok()["key"].clone();
    assert_eq!(rose.answers(&device).await, OPEN);
    device.passwd("rose", OTHER);
    assert_eq!(rose.answers(&device).await, ENDED);
    assert_ne!(connect(&device, &key).await.1["code"], 0, "nor does the key admit a new stream");
    ends(stream).await;

    // By the administrator, through another interface.
    let rose = User::log_in(&device, "rose", OTHER).await;
    let stream = rose.subscribe(&device).await;
    let id = device.facebox("", "/Login", login("rose", OTHER)).await["user_id"].clone();
    let removed = device.facebox(&admin.facebox, "/DeleteUser", json!({"user_id": id})).await;
    assert_eq!(removed["code"], 0, "{removed}");
    assert_eq!(rose.answers(&device).await, ENDED);
    ends(stream).await;

    // By logging out.
    let stream = admin.subscribe(&device).await;
    admin.sensetime.call(json!({"msg_id": "258"})).await.ok();
    assert_eq!(admin.answers(&device).await, (NO_SESSION, 0, 200));
    ends(stream).await;

    // By restoring the factory settings, which brings the configured password back.
    device.passwd("admin", OTHER);
    let admin = User::log_in(&device, "admin", OTHER).await;
    admin.sensetime.call(json!({"msg_id": "1317"})).await.ok();
    assert_eq!(admin.answers(&device).await, ENDED);
    assert_eq!(User::log_in(&device, "admin", ADMIN_PASSWORD).await.answers(&device).await, OPEN);
}

fn login(user: &str, password: &str) -> Value {
    use md5::{Digest, Md5};
    json!({"username": user, "password": hex::encode(Md5::digest(password))})
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_displaces_no_session_of_another() {
    let device = Device::start().await;
    let admin = device.log_in().await;
    device.add_account("eye", Role::Viewer, PASSWORD);
    let address = device.listener("sensetime");
    let first = SenseTime::log_in(address, "eye", PASSWORD).await;
    for _ in 0..32 {
        SenseTime::log_in(address, "eye", PASSWORD).await;
    }
    assert_eq!(first.call(json!({"msg_id": "1028"})).await.code, NO_SESSION, "its own oldest session made room");
    admin.call(json!({"msg_id": "1028"})).await.ok();
}
