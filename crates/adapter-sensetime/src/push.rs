//! Captures (774) and heartbeats (775) to the receiver, as multipart forms.

use std::time::Duration;

use adapter::{Deliver, Delivery, Feed, OutboundPart, Start, content_type};
use async_trait::async_trait;
use bytes::Bytes;
use domain::{
    Appliance, CameraId, Entry, EntryKind, Error, ObjectCapture, ObjectClass, PictureId, Record, Result, What,
};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::convert::{bodies, paths, records, time};
use crate::core::Core;
use crate::ops::{Receiver, receiver};
use crate::wire::push::{Heartbeat, PushMessage};

/// The receiver answers within this time.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The walk over the record log.
const FEED: &str = "push";

/// Pushes every capture from now on, in order, until the receiver has it. While there is no receiver the captures
/// pass by: a receiver set later gets what comes then.
pub(crate) async fn deliver_records(core: &Core, appliance: Appliance, cancel: CancellationToken) {
    let feed = Feed::new(core.state(), FEED, &[EntryKind::Record, EntryKind::Behaviour], Start::FromNewest);
    let feed = feed.restarting_with(core.receiver_changed.subscribe());
    feed.run(appliance, cancel, ToReceiver { core }).await;
}

struct ToReceiver<'a> {
    core: &'a Core,
}

#[async_trait]
impl Deliver for ToReceiver<'_> {
    async fn deliver(&mut self, entry: &Entry) -> Delivery {
        push(self.core, entry).await.unwrap_or_else(|error| Delivery::retry(error.chain()))
    }
}

async fn push(core: &Core, entry: &Entry) -> Result<Delivery> {
    let receiver = receiver(core).await?;
    if receiver.url.is_empty() {
        return Ok(Delivery::Acknowledged);
    }
    let parts = match &entry.what {
        What::Record(record) => capture_parts(core, &receiver, record).await?,
        // A rule about how many people there are may fire without any.
        What::Behaviour(seen) if seen.fired && seen.object == ObjectClass::Person && !seen.targets.is_empty() => {
            let camera = entry.camera.unwrap_or(CameraId(0));
            let body = ObjectCapture { at: entry.at, camera, behaviour: seen.as_ref().clone() };
            body_parts(core, &receiver, &body).await?
        }
        _ => return Ok(Delivery::Acknowledged),
    };
    Ok(post(core, &receiver, parts).await.map_or_else(Delivery::retry, |()| Delivery::Acknowledged))
}

/// Sends a form; otherwise says why the receiver does not have it.
async fn post(core: &Core, receiver: &Receiver, parts: Vec<OutboundPart>) -> Result<(), String> {
    match core.outbound.post_multipart(&receiver.url, parts, TIMEOUT).await {
        Ok(status) if status.is_success() => Ok(()),
        Ok(status) => Err(format!("the receiver answers {status}")),
        Err(error) => Err(error.to_string()),
    }
}

async fn capture_parts(core: &Core, receiver: &Receiver, record: &Record) -> Result<Vec<OutboundPart>> {
    let Pictures { snap, scene, photo } = Pictures::of(core, record).await?;
    let extension = photo.as_deref().map_or("jpg", |photo| paths::extension(content_type(photo)));
    let device_id = core.appliance.device().await?.device_id;
    let data = records::capture_data(record, device_id, extension, &core.zone());
    let mut parts = text_parts(receiver, &PushMessage { data, msg_id: 774 })?;
    // Receivers want both or none.
    if let (Some(snap), Some(scene)) = (snap, scene) {
        parts.extend([file("snap", snap), file("snap_frame", scene)]);
        parts.extend(photo.map(|photo| file("img", photo)));
    }
    Ok(parts)
}

async fn body_parts(core: &Core, receiver: &Receiver, body: &ObjectCapture) -> Result<Vec<OutboundPart>> {
    let device_id = core.appliance.device().await?.device_id;
    let data = bodies::capture_data(body, device_id, &core.zone());
    let mut parts = text_parts(receiver, &PushMessage { data, msg_id: 774 })?;
    let (snap, scene) = (kept(core, &body.behaviour.crop).await?, kept(core, &body.behaviour.scene).await?);
    if let (Some(snap), Some(scene)) = (snap, scene) {
        parts.extend([file("snap", snap), file("snap_frame", scene)]);
    }
    Ok(parts)
}

/// The parts without a file name.
fn text_parts(receiver: &Receiver, message: &impl serde::Serialize) -> Result<Vec<OutboundPart>> {
    let json = serde_json::to_string(message).map_err(Error::internal("writing a push"))?;
    let key = OutboundPart::Text { name: "key", text: receiver.key.clone() };
    Ok(vec![key, OutboundPart::Text { name: "json", text: json }])
}

fn file(name: &'static str, bytes: Bytes) -> OutboundPart {
    let content_type = content_type(&bytes);
    let file_name = format!("{name}.{}", paths::extension(content_type));
    OutboundPart::File { name, file_name, content_type, bytes }
}

/// The pictures of a record; `None` for one that is no longer kept.
pub(crate) struct Pictures {
    /// The face.
    pub(crate) snap: Option<Bytes>,
    /// The whole scene.
    pub(crate) scene: Option<Bytes>,
    /// The best match's picture.
    pub(crate) photo: Option<Bytes>,
}

impl Pictures {
    pub(crate) async fn of(core: &Core, record: &Record) -> Result<Self> {
        let photo = record.best().map(|best| &best.photo);
        Ok(Self {
            snap: kept(core, &record.capture.crop).await?,
            scene: kept(core, &record.capture.scene).await?,
            photo: match photo {
                Some(photo) => kept(core, photo).await?,
                None => None,
            },
        })
    }
}

async fn kept(core: &Core, picture: &PictureId) -> Result<Option<Bytes>> {
    match core.appliance.picture(picture.clone()).await {
        Ok(bytes) => Ok(Some(bytes)),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Tells the receiver that the device lives: at once when it is set, then every `period`. Not retried.
pub(crate) async fn send_heartbeats(core: &Core, period: Duration, cancel: CancellationToken) {
    let mut changed = core.receiver_changed.subscribe();
    let mut beat = tokio::time::interval(period);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            _ = changed.changed() => beat.reset_immediately(),
            _ = beat.tick() => {
                let sent = cancel.run_until_cancelled(send_heartbeat(core)).await;
                if let Some(Err(why)) = sent {
                    tracing::debug!(why, "no heartbeat");
                }
            }
        }
    }
}

async fn send_heartbeat(core: &Core) -> Result<(), String> {
    let receiver = receiver(core).await.map_err(|error| error.chain())?;
    if receiver.url.is_empty() {
        return Ok(());
    }
    let device_id = core.appliance.device().await.map_err(|error| error.chain())?.device_id;
    let trigger = time::text(core.appliance.now(), &core.zone());
    let message = PushMessage { data: Heartbeat { device_id, trigger }, msg_id: 775 };
    let parts = text_parts(&receiver, &message).map_err(|error| error.chain())?;
    post(core, &receiver, parts).await
}
