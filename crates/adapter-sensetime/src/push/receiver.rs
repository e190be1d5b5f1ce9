//! Captures (774) and heartbeats (775) to the receiver, as multipart forms.

use std::time::Duration;

use adapter::{Deliver, Delivery, Feed, OutboundPart, Start, content_type};
use async_trait::async_trait;
use bytes::Bytes;
use domain::{Appliance, Entry, Error, Result};
use serde::Serialize;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::{Captured, Pictures, capture};
use crate::convert::{paths, time};
use crate::device::{CAPTURES, Device};
use crate::settings::{self, Receiver};
use crate::wire::push::{Heartbeat, PushMessage};

/// Time-out of a push.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The name of the feed.
const FEED: &str = "push";

/// Pushes every new capture, in order, until the receiver has acknowledged it. Captures made while no receiver is set
/// are not pushed later.
pub(crate) async fn deliver_records(device: &Device, appliance: Appliance, cancel: CancellationToken) {
    let feed = Feed::new(device.state(), FEED, CAPTURES, Start::FromNewest);
    let feed = feed.restarting_with(device.receiver_changed.subscribe());
    feed.run(appliance, cancel, ToReceiver { device }).await;
}

struct ToReceiver<'a> {
    device: &'a Device,
}

#[async_trait]
impl Deliver for ToReceiver<'_> {
    async fn deliver(&mut self, entry: &Entry) -> Delivery {
        push(self.device, entry).await.unwrap_or_else(|error| Delivery::retry(error.chain()))
    }
}

async fn push(device: &Device, entry: &Entry) -> Result<Delivery> {
    let receiver = settings::receiver(&device.state()).await?;
    if receiver.url.is_empty() {
        return Ok(Delivery::Acknowledged);
    }
    let Some(captured) = Captured::of(entry) else { return Ok(Delivery::Acknowledged) };
    let parts = capture_parts(device, &receiver, &captured).await?;
    Ok(post(device, &receiver, parts).await.map_or_else(Delivery::retry, |()| Delivery::Acknowledged))
}

/// Sends a form.
///
/// # Errors
/// Why the receiver did not accept it.
async fn post(device: &Device, receiver: &Receiver, parts: Vec<OutboundPart>) -> Result<(), String> {
    match device.outbound.post_multipart(&receiver.url, parts, TIMEOUT).await {
        Ok(status) if status.is_success() => Ok(()),
        Ok(status) => Err(format!("the receiver answers {status}")),
        Err(error) => Err(error.to_string()),
    }
}

async fn capture_parts(device: &Device, receiver: &Receiver, captured: &Captured<'_>) -> Result<Vec<OutboundPart>> {
    let (data, Pictures { snap, scene, photo }) = capture(device, captured).await?;
    let mut parts = text_parts(receiver, &PushMessage { data, msg_id: 774 })?;
    // Receivers expect both or none.
    if let (Some(snap), Some(scene)) = (snap, scene) {
        parts.extend([file("snap", snap), file("snap_frame", scene)]);
        parts.extend(photo.map(|photo| file("img", photo)));
    }
    Ok(parts)
}

/// The parts without a file name.
fn text_parts(receiver: &Receiver, message: &impl Serialize) -> Result<Vec<OutboundPart>> {
    let json = serde_json::to_string(message).map_err(Error::internal("writing a push"))?;
    let key = OutboundPart::Text { name: "key", text: receiver.key.clone() };
    Ok(vec![key, OutboundPart::Text { name: "json", text: json }])
}

fn file(name: &'static str, bytes: Bytes) -> OutboundPart {
    let content_type = content_type(&bytes);
    let file_name = format!("{name}.{}", paths::extension(content_type));
    OutboundPart::File { name, file_name, content_type, bytes }
}

/// Sends a heartbeat at once when a receiver is set, then every `period`. Not retried.
pub(crate) async fn send_heartbeats(device: &Device, period: Duration, cancel: CancellationToken) {
    let mut changed = device.receiver_changed.subscribe();
    let mut beat = tokio::time::interval(period);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            _ = changed.changed() => beat.reset_immediately(),
            _ = beat.tick() => {
                let sent = cancel.run_until_cancelled(send_heartbeat(device)).await;
                if let Some(Err(why)) = sent {
                    tracing::debug!(error = why, "failed to send a heartbeat");
                }
            }
        }
    }
}

async fn send_heartbeat(device: &Device) -> Result<(), String> {
    let receiver = settings::receiver(&device.state()).await.map_err(|error| error.chain())?;
    if receiver.url.is_empty() {
        return Ok(());
    }
    let device_id = device.appliance.device().await.map_err(|error| error.chain())?.device_id;
    let trigger = time::text(device.appliance.now(), &device.zone());
    let message = PushMessage { data: Heartbeat { device_id, trigger }, msg_id: 775 };
    let parts = text_parts(&receiver, &message).map_err(|error| error.chain())?;
    post(device, &receiver, parts).await
}
