//! The WebSocket at /ws/: a subscription (776) and then captures (777), section 9.2.

use std::sync::Arc;
use std::time::Duration;

use adapter::{LiveEnd, Subscriber, content_type};
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::{Record, Result};
use serde::Serialize;
use tokio::time::{Instant, timeout};

use crate::codes::{Code, Fault};
use crate::convert::{paths, records};
use crate::core::Core;
use crate::push::Pictures;
use crate::wire::push::{Subscribe, WsCapture, WsMessage, WsPicture};
use crate::wire::{self, Notice};

/// The number of the subscription.
const SUBSCRIBE: i64 = 776;
/// The largest message of a client.
const MAX_MESSAGE: usize = 4096;
/// A client subscribes within this time.
const PATIENCE: Duration = Duration::from_secs(10);
/// A client takes a message within this time.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// Time between two pings.
const PING: Duration = Duration::from_secs(30);
/// A client that says nothing, not even a pong, for so long is gone.
const SILENCE: Duration = Duration::from_secs(90);

/// Why a socket is closed.
enum End {
    /// The client has left, or cannot be reached.
    Gone,
    /// The device ends it.
    Closed(u16, &'static str),
}

/// GET /ws or /ws/ with an Upgrade.
pub(crate) async fn connect(
    State(core): State<Arc<Core>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    match upgrade {
        Ok(upgrade) => upgrade.max_message_size(MAX_MESSAGE).on_upgrade(|socket| converse(core, socket)),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn converse(core: Arc<Core>, mut socket: WebSocket) {
    let end = match timeout(PATIENCE, subscribe(&core, &mut socket)).await {
        Ok(Ok(subscriber)) => forward(&core, &mut socket, subscriber).await,
        Ok(Err(end)) => end,
        Err(_) => End::Closed(close_code::POLICY, "no subscription"),
    };
    if let End::Closed(code, reason) = end {
        let close = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
        // A client that does not take it is gone as well.
        let _ = timeout(Duration::from_secs(1), socket.send(close)).await;
    }
}

/// Waits for the subscription (776) and admits its key.
async fn subscribe(core: &Core, socket: &mut WebSocket) -> Result<Subscriber, End> {
    let message = loop {
        match socket.recv().await {
            Some(Ok(Message::Text(text))) => break text,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(Message::Binary(_) | Message::Close(_)) | Err(_)) | None => return Err(End::Gone),
        }
    };
    if let Err(fault) = admit(core, message.as_bytes()).await {
        send(socket, &Notice::refused(&fault)).await?;
        return Err(End::Closed(close_code::POLICY, "refused"));
    }
    // From here on nothing is missed: the answer follows the subscription.
    let subscriber = core.live.subscribe().ok_or(End::Closed(close_code::AGAIN, "too many subscribers"))?;
    send(socket, &Notice::done()).await?;
    Ok(subscriber)
}

async fn admit(core: &Core, message: &[u8]) -> Result<(), Fault> {
    let fields = wire::parse(message)?;
    if wire::msg_id(&fields)? != SUBSCRIBE {
        return Err(Code::MsgId.into());
    }
    let Subscribe { key } = wire::read(fields)?;
    if key.0 == core.ws_key().await? { Ok(()) } else { Err(Fault::parameter("key is not the one of 1286")) }
}

/// Passes captures on until either side ends it.
async fn forward(core: &Core, socket: &mut WebSocket, mut subscriber: Subscriber) -> End {
    let mut ping = tokio::time::interval(PING);
    let mut heard = Instant::now();
    loop {
        let sent = tokio::select! {
            record = subscriber.next() => match record {
                Ok(record) => forward_one(core, socket, &record).await,
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

async fn forward_one(core: &Core, socket: &mut WebSocket, record: &Record) -> Result<(), End> {
    match message(core, record).await {
        Ok(message) => send(socket, &message).await,
        Err(error) => {
            tracing::error!(record.seq = record.seq.0, error = error.chain(), "a capture could not be forwarded");
            Ok(())
        }
    }
}

/// A capture as message 777.
async fn message(core: &Core, record: &Record) -> Result<WsMessage> {
    let Pictures { snap, scene, photo } = Pictures::of(core, record).await?;
    let extension = photo.as_deref().map_or("jpg", |photo| paths::extension(content_type(photo)));
    let device_id = core.appliance.device().await?.device_id;
    let data = WsCapture {
        capture: records::capture_data(record, device_id, extension, &core.zone()),
        ranking: records::ranking(record.best()),
        img: photo.map_or(WsPicture::Absent(-1), |photo| WsPicture::There(data_uri(&photo))),
        snap_buf: data_uri(&snap.unwrap_or_default()),
        snap_frame: data_uri(&scene.unwrap_or_default()),
    };
    Ok(WsMessage { code: 0, data, msg: "", msg_id: "777" })
}

/// A picture as text; an empty one when it is no longer kept.
fn data_uri(picture: &[u8]) -> String {
    let media_type = if picture.is_empty() { "image/jpeg" } else { content_type(picture) };
    format!("data:{media_type};base64,{}", STANDARD.encode(picture))
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
