//! The way of a message to a platform.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use adapter::{OutboundError, OutboundPart};
use axum::http::StatusCode;
use bytes::Bytes;
use domain::{Error, Seq};
use tokio::sync::broadcast;

use crate::convert::docking::target;
use crate::device::Device;
use crate::settings::Platform;
use crate::wire::push::{ChannelInfo, Message};

/// A platform acknowledges within this time.
const TIMEOUT: Duration = Duration::from_secs(10);
/// A platform acknowledges a video within this time, the upload included.
const VIDEO_TIMEOUT: Duration = Duration::from_secs(60);
/// Where a platform without a path takes messages.
const PATH: &str = "/custom/router1";
/// Where a platform without a path takes videos.
const VIDEO_PATH: &str = "/custom/router2";
/// Changes of channels that wait for a platform; beyond, the oldest are dropped.
const MOST_CHANGES: usize = 256;
/// Alarms whose videos are held back with them; the video of an older one may be pushed without it.
const MOST_HELD_BACK: usize = 1024;

/// What the tasks share.
pub(super) struct Pushes<'a> {
    pub(super) device: &'a Device,
    pub(super) changes: broadcast::Sender<ChannelInfo>,
    /// The number of the last message that is about no record.
    last_number: AtomicI64,
    /// The newest alarms that were not pushed to a platform because their channel reports less often.
    held_back: Mutex<VecDeque<(u8, Seq)>>,
}

impl<'a> Pushes<'a> {
    pub(super) fn new(device: &'a Device) -> Self {
        Self {
            device,
            changes: broadcast::Sender::new(MOST_CHANGES),
            last_number: AtomicI64::default(),
            held_back: Mutex::default(),
        }
    }

    /// Notes that an alarm is not pushed to a platform, so that its video is not pushed either.
    pub(super) fn hold_back(&self, id: u8, alarm: Seq) {
        let mut held_back = self.held_back();
        held_back.push_back((id, alarm));
        if held_back.len() > MOST_HELD_BACK {
            held_back.pop_front();
        }
    }

    /// Whether an alarm was not pushed to a platform.
    pub(super) fn is_held_back(&self, id: u8, alarm: Seq) -> bool {
        self.held_back().contains(&(id, alarm))
    }

    fn held_back(&self) -> MutexGuard<'_, VecDeque<(u8, Seq)>> {
        self.held_back.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number of its own for a message about no record: it rises, and no record has it.
    pub(super) fn number(&self) -> String {
        let now = self.device.appliance.now().as_millis();
        let next = |last: i64| Some(now.max(last + 1));
        let last = self.last_number.fetch_update(Relaxed, Relaxed, next).unwrap_or(now);
        now.max(last + 1).to_string()
    }
}

/// The platform with this id, while it is enabled.
pub(super) async fn platform(device: &Device, id: u8) -> domain::Result<Option<Platform>> {
    Ok(device.platforms().await?.by_id.remove(&id).filter(|platform| platform.enabled))
}

/// Sends a message; only HTTP 200 says that the platform has it, otherwise the text says why it has not.
pub(super) async fn post(device: &Device, platform: &Platform, message: &Message) -> Result<(), String> {
    let document = serde_json::to_value(message).map_err(Error::internal("writing a push"));
    let document = document.map_err(|error| error.chain())?;
    taken(device.outbound.post_json(&target(&platform.url, PATH), &document, TIMEOUT).await)
}

/// Sends the video of an alarm, an MP4 file (13.2); otherwise as [`post`].
pub(super) async fn post_video(device: &Device, platform: &Platform, uuid: &str, video: Bytes) -> Result<(), String> {
    let file_name = format!("{uuid}.mp4");
    let parts = vec![
        OutboundPart::Text { name: "video_uuid", text: uuid.to_owned() },
        OutboundPart::File { name: "file", file_name, content_type: "video/mp4", bytes: video },
    ];
    taken(device.outbound.post_multipart(&target(&platform.url, VIDEO_PATH), parts, VIDEO_TIMEOUT).await)
}

fn taken(answer: Result<StatusCode, OutboundError>) -> Result<(), String> {
    match answer {
        Ok(status) if status == StatusCode::OK => Ok(()),
        Ok(status) => Err(format!("the platform answers {status}")),
        Err(error) => Err(error.to_string()),
    }
}
