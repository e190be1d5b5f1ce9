//! The WebSocket at /ws/: a subscription (776) and then captures (777), section 9.2.

use std::sync::Arc;
use std::time::Duration;

use adapter::{LOGIN_REFUSED, LiveEnd, Standing, Subscriber, Transport, content_type};
use axum::Router;
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::http::{Extensions, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use domain::{Entry, Result, StreamPass};
use serde::Serialize;
use tokio::time::{Instant, timeout};

use super::{Captured, Pictures, capture};
use crate::codes::{Code, Fault};
use crate::device::Device;
use crate::wire::push::{Subscribe, WsCapture, WsMessage, WsPicture};
use crate::wire::{self, Notice};

/// The number of the subscription.
const SUBSCRIBE: i64 = 776;
/// The largest message of a client, bytes. No more of it is ever in memory, whatever length a frame announces.
const MAX_MESSAGE: usize = 4096;
/// Time-out of the subscription.
const SUBSCRIBE_TIMEOUT: Duration = Duration::from_secs(10);
/// Time-out of a message to a client.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// The interval at which a subscription checks that its session is open.
const CHECK: Duration = Duration::from_secs(1);
/// The interval between pings.
const PING: Duration = Duration::from_secs(30);
/// A client that has sent nothing for this time, not even a pong, is disconnected.
const SILENCE: Duration = Duration::from_secs(90);

/// Why a socket is closed.
enum End {
    /// The client has disconnected, or cannot be reached.
    Gone,
    /// The device closes it.
    Closed(u16, &'static str),
}

/// The routes of the WebSocket.
pub(crate) fn routes(device: Arc<Device>) -> Router {
    let paths = ["/ws", "/ws/", "//ws", "//ws/"];
    let router = paths.into_iter().fold(Router::new(), |router, path| router.route(path, get(connect)));
    router.with_state(device)
}

/// GET with an Upgrade.
async fn connect(
    State(device): State<Arc<Device>>,
    extensions: Extensions,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    // The key of a subscription is a login.
    if Transport::of(&extensions).refuses_logins() {
        return (StatusCode::FORBIDDEN, LOGIN_REFUSED).into_response();
    }
    let standing = Standing::of(&extensions);
    match upgrade {
        Ok(upgrade) => upgrade
            .max_message_size(MAX_MESSAGE)
            .max_frame_size(MAX_MESSAGE)
            .read_buffer_size(MAX_MESSAGE)
            .on_upgrade(|socket| converse(device, socket, standing)),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn converse(device: Arc<Device>, mut socket: WebSocket, standing: Standing) {
    let end = match timeout(SUBSCRIBE_TIMEOUT, subscribe(&device, &mut socket)).await {
        Ok(Ok((pass, subscriber))) => {
            standing.authenticated();
            forward(&device, &mut socket, &pass, subscriber).await
        }
        Ok(Err(end)) => end,
        Err(_) => End::Closed(close_code::POLICY, "no subscription"),
    };
    if let End::Closed(code, reason) = end {
        let close = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
        // A client that does not accept the close frame is disconnected too.
        let _ = timeout(Duration::from_secs(1), socket.send(close)).await;
    }
}

/// Waits for the subscription (776) and admits its key.
async fn subscribe(device: &Device, socket: &mut WebSocket) -> Result<(StreamPass, Subscriber), End> {
    let message = loop {
        match socket.recv().await {
            Some(Ok(Message::Text(text))) => break text,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(Message::Binary(_) | Message::Close(_)) | Err(_)) | None => return Err(End::Gone),
        }
    };
    let pass = match admit(device, message.as_bytes()).await {
        Ok(pass) => pass,
        Err(fault) => {
            send(socket, &Notice::refused(&fault)).await?;
            return Err(End::Closed(close_code::POLICY, "refused"));
        }
    };
    // The subscription precedes the answer, so that no capture after the answer is missed.
    let subscriber = device.live.subscribe().ok_or(End::Closed(close_code::AGAIN, "too many subscribers"))?;
    send(socket, &Notice::done()).await?;
    Ok((pass, subscriber))
}

async fn admit(device: &Device, message: &[u8]) -> Result<StreamPass, Fault> {
    let fields = wire::parse(message)?;
    if wire::msg_id(&fields)? != SUBSCRIBE {
        return Err(Code::MsgId.into());
    }
    let Subscribe { key } = wire::read(fields)?;
    let pass = device.sessions.admit_stream(&key.0).await?;
    pass.ok_or_else(|| Fault::parameter("key is not one of 1286 whose session is open"))
}

/// Forwards captures until either side closes the socket or the session of the key ends.
async fn forward(device: &Device, socket: &mut WebSocket, pass: &StreamPass, mut subscriber: Subscriber) -> End {
    let (mut ping, mut check) = (tokio::time::interval(PING), tokio::time::interval(CHECK));
    let mut heard = Instant::now();
    loop {
        let sent = tokio::select! {
            entry = subscriber.next() => match entry {
                Ok(entry) => forward_one(device, socket, pass, &entry).await,
                Err(LiveEnd::TooSlow) => Err(End::Closed(close_code::POLICY, "too slow")),
                Err(LiveEnd::Stopped) => Err(End::Closed(close_code::AWAY, "the device stops")),
            },
            message = socket.recv() => match message {
                Some(Ok(Message::Close(_)) | Err(_)) | None => Err(End::Gone),
                Some(Ok(_)) => {
                    heard = Instant::now();
                    Ok(())
                }
            },
            _ = check.tick() => require(pass).await,
            _ = ping.tick() => match heard.elapsed() {
                silence if silence > SILENCE => Err(End::Gone),
                _ => send_message(socket, Message::Ping(bytes::Bytes::new())).await,
            },
        };
        if let Err(end) = sent {
            return end;
        }
    }
}

async fn require(pass: &StreamPass) -> Result<(), End> {
    if pass.is_valid().await { Ok(()) } else { Err(End::Closed(close_code::POLICY, "the session has ended")) }
}

async fn forward_one(device: &Device, socket: &mut WebSocket, pass: &StreamPass, entry: &Entry) -> Result<(), End> {
    let Some(captured) = Captured::of(entry) else { return Ok(()) };
    match message(device, &captured).await {
        Ok(message) => {
            require(pass).await?;
            send(socket, &message).await
        }
        Err(error) => {
            tracing::error!(record.seq = entry.seq.0, error = error.chain(), "failed to forward a capture");
            Ok(())
        }
    }
}

/// A capture as message 777.
async fn message(device: &Device, captured: &Captured<'_>) -> Result<WsMessage> {
    let (capture, Pictures { snap, scene, photo }) = capture(device, captured).await?;
    let data = WsCapture {
        capture,
        ranking: captured.ranking(),
        img: photo.map_or(WsPicture::Absent(-1), |photo| WsPicture::There(data_uri(&photo))),
        snap_buf: data_uri(&snap.unwrap_or_default()),
        snap_frame: data_uri(&scene.unwrap_or_default()),
    };
    Ok(WsMessage { code: 0, data, msg: "", msg_id: "777" })
}

/// A picture as a data URI; an empty one when the picture was removed.
fn data_uri(picture: &[u8]) -> String {
    let media_type = if picture.is_empty() { "image/jpeg" } else { content_type(picture) };
    adapter::data_uri(media_type, picture)
}

async fn send(socket: &mut WebSocket, message: &impl Serialize) -> Result<(), End> {
    let text = serde_json::to_string(message).map_err(|_| End::Closed(close_code::ERROR, "internal error"))?;
    send_message(socket, Message::Text(text.into())).await
}

async fn send_message(socket: &mut WebSocket, message: Message) -> Result<(), End> {
    match timeout(SEND_TIMEOUT, socket.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(End::Gone),
        Err(_) => Err(End::Closed(close_code::POLICY, "too slow")),
    }
}
