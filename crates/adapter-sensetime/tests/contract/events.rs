//! What the device sends on its own (sections 7.3, 7.4 and 9.2).

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Multipart, State};
use axum::routing::post;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use testkit::contract::Ledger;
use testkit::{DEADLINE, Rig};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::device::Device;
use crate::witness::Witness;

const CAPTURE_PUSH: i64 = 774;
const HEARTBEAT_PUSH: i64 = 775;
const WS_CAPTURE_PUSH: &str = "777";

/// A multipart push: each part with its name, whether it is a file, and its bytes.
type Push = Vec<(String, bool, Vec<u8>)>;

/// Listens for pushes at its URL.
async fn listen(serving: &mut JoinSet<()>) -> (String, UnboundedReceiver<Push>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/snap", listener.local_addr().unwrap());
    let (sender, pushes) = unbounded_channel();
    let router = Router::new().route("/snap", post(receive)).with_state(sender);
    serving.spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, pushes)
}

async fn receive(State(sender): State<UnboundedSender<Push>>, mut form: Multipart) {
    let mut push = Push::new();
    while let Some(field) = form.next_field().await.unwrap() {
        let (name, file) = (field.name().unwrap().to_owned(), field.file_name().is_some());
        push.push((name, file, field.bytes().await.unwrap().to_vec()));
    }
    sender.send(push).unwrap();
}

fn part<'a>(push: &'a Push, name: &str) -> &'a [u8] {
    &push.iter().find(|(part, _, _)| part == name).unwrap().2
}

/// The push's message, held against the catalogue.
fn checked(ledger: &Ledger, push: &Push) -> Value {
    let message: Value = serde_json::from_slice(part(push, "json")).unwrap();
    let parts: Vec<_> = push.iter().map(|(name, file, _)| (name.as_str(), *file)).collect();
    let event = message["msg_id"].to_string();
    assert_eq!(ledger.event(&event, &message, &parts), Ok(()), "{message}");
    message
}

pub(crate) async fn captures_and_heartbeats_are_pushed(ledger: &Arc<Ledger>) {
    let device = Device::start_on(Rig::start(testkit::options()), Duration::from_millis(100)).await;
    let witness = Witness { device, ledger: Arc::clone(ledger) };
    let mut serving = JoinSet::new();
    let (url, mut pushes) = listen(&mut serving).await;
    let library = witness.library("staff", &["alice"]).await;
    witness.ok("set_http_push", json!({"url": url, "key": "google-key"})).await;
    witness.device.watch(&library.to_string(), &["alice"]).await;
    let (mut captures, mut heartbeats) = (Vec::new(), 0);
    while captures.is_empty() || heartbeats < 2 {
        let push = timeout(DEADLINE, pushes.recv()).await.expect("nothing was pushed").unwrap();
        assert_eq!(part(&push, "key"), b"google-key");
        match checked(ledger, &push) {
            message if message["msg_id"] == HEARTBEAT_PUSH => heartbeats += 1,
            message => captures.push((message, push)),
        }
    }
    let (message, push) = &captures[0];
    assert_eq!((&message["data"]["img_id"], &message["data"]["lib_id"]), (&json!("alice"), &json!(library)));
    let snap = witness.download(message["data"]["snap_path"].as_str().unwrap(), witness.device.session()).await;
    assert_eq!((snap.0, &snap.1[..]), (200, part(push, "snap")));
    witness.device.watch("", &["mallory"]).await;
    let stranger = loop {
        let push = timeout(DEADLINE, pushes.recv()).await.expect("nothing was pushed").unwrap();
        let message = checked(ledger, &push);
        if message["msg_id"] == CAPTURE_PUSH {
            break message;
        }
    };
    let data = &stranger["data"];
    assert_eq!(json!([data["similarity"], data["lib_id"], data["lib_type"], data["img_id"]]), json!([-1, -1, -1, ""]));
    witness.stop().await;
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn subscribe(witness: &Witness, message: &str) -> (Socket, Value) {
    let (mut socket, _) = connect_async(format!("ws://{}/ws/", witness.device.address)).await.unwrap();
    socket.send(Message::text(message)).await.unwrap();
    let answer = next(&mut socket).await;
    (socket, answer)
}

async fn next(socket: &mut Socket) -> Value {
    loop {
        let message = timeout(DEADLINE, socket.next()).await.expect("nothing came").unwrap().unwrap();
        if let Message::Text(text) = message {
            return serde_json::from_str(&text).unwrap();
        }
    }
}

pub(crate) async fn subscribers_see_every_capture(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let library = witness.library("staff", &["alice"]).await;
    let key = witness.ok("get_ws_key", json!({})).await["key"].clone();
    let number: i64 = witness.id("ws_subscribe").parse().unwrap();
    let (mut socket, answer) = subscribe(&witness, &json!({"msg_id": number, "key": key}).to_string()).await;
    assert_eq!(answer, json!({"code": 0, "msg": ""}));
    assert_eq!(ledger.answer(witness.id("ws_subscribe"), None, answer.get("data")), Ok(()));
    witness.device.watch(&library.to_string(), &["alice"]).await;
    let known = next(&mut socket).await;
    assert_eq!(ledger.event(WS_CAPTURE_PUSH, &known, &[]), Ok(()));
    assert_eq!(known["data"]["img_id"], "alice");
    assert!(known["data"]["img"].as_str().unwrap().starts_with("data:image/jpeg;base64,"));
    witness.device.watch("", &["mallory"]).await;
    let stranger = next(&mut socket).await;
    assert_eq!(ledger.event(WS_CAPTURE_PUSH, &stranger, &[]), Ok(()));
    assert_eq!((&stranger["data"]["img"], &stranger["data"]["similarity"]), (&json!(-1), &json!(-1)));
    witness.stop().await;
}

pub(crate) async fn a_subscription_needs_the_key(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    for wrong in [
        json!({"msg_id": witness.id("ws_subscribe"), "key": "04af251e-91d4-43bd-b8b0-8c8c6b3245bb"}).to_string(),
        json!({"msg_id": witness.id("ws_subscribe")}).to_string(),
        json!({"msg_id": witness.id("ws_subscribe"), "key": {}}).to_string(),
        "not json".to_owned(),
    ] {
        let (mut socket, answer) = subscribe(&witness, &wrong).await;
        let text = answer["msg"].as_str().unwrap();
        assert_eq!(
            ledger.refusal(witness.id("ws_subscribe"), None, answer["code"].as_i64().unwrap(), text),
            Ok(()),
            "{wrong}"
        );
        assert_eq!(answer["code"], -3596, "{wrong}");
        let closed = timeout(DEADLINE, socket.next()).await.expect("the socket stays open");
        assert!(matches!(closed, None | Some(Ok(Message::Close(_)) | Err(_))), "{closed:?}");
    }
    witness.stop().await;
}
