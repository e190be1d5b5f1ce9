//! Videos of alarms (13.2): durable, in order, each platform for itself. A walk of their own: an alarm does not wait for
//! the videos of those before it.

use std::time::Duration;

use adapter::{Deliver, Delivery, Feed, Start};
use async_trait::async_trait;
use domain::{Appliance, Clip, Entry, EntryKind, Error, ObjectCapture, PictureId, Result, What};
use tokio_util::sync::CancellationToken;

use super::platform::{Pushes, platform, post_video};
use super::records::{feed_name, is_armed};

/// How often it is asked whether the platform has the alarm of a video.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// Pushes the video of every alarm that was pushed, after it, until the platform has it. While the platform wants none,
/// they pass by.
pub(super) async fn deliver(pushes: &Pushes<'_>, id: u8, appliance: Appliance, cancel: CancellationToken) {
    let device = pushes.device;
    let feed = Feed::new(device.state(), format!("video{id}"), &[EntryKind::Clip], Start::FromNewest);
    let feed = feed.restarting_with(device.platforms_changed.subscribe());
    feed.run(appliance, cancel, ToPlatform { pushes, id }).await;
}

struct ToPlatform<'a> {
    pushes: &'a Pushes<'a>,
    id: u8,
}

#[async_trait]
impl Deliver for ToPlatform<'_> {
    async fn deliver(&mut self, entry: &Entry) -> Delivery {
        match &entry.what {
            What::Clip(Clip { of, video: Some(video) }) => match self.pushes.device.appliance.behaviour(*of).await {
                Ok(alarm) => self.push(&alarm, video).await.unwrap_or_else(|error| Delivery::retry(error.chain())),
                Err(Error::NotFound { .. }) => Delivery::Acknowledged,
                Err(error) => Delivery::retry(error.chain()),
            },
            // A lost one was logged when it was lost.
            What::Clip(_)
            | What::Record(_)
            | What::Correction(_)
            | What::Behaviour(_)
            | What::Opening(_)
            | What::Notice(_) => Delivery::Acknowledged,
        }
    }
}

impl ToPlatform<'_> {
    async fn push(&self, alarm: &ObjectCapture, video: &PictureId) -> Result<Delivery> {
        let device = self.pushes.device;
        let platform = platform(device, self.id).await?.filter(|platform| platform.videos);
        let Some(platform) = platform else { return Ok(Delivery::Acknowledged) };
        if !self.has_passed(alarm).await? {
            let why = "the alarm of this video is not pushed yet".to_owned();
            return Ok(Delivery::Retry { why, after: Some(BETWEEN_LOOKS) });
        }
        if !self.was_pushed(alarm).await? {
            return Ok(Delivery::Acknowledged);
        }
        let bytes = match device.appliance.picture(video.clone()).await {
            Ok(bytes) => bytes,
            Err(Error::NotFound { .. }) => return Ok(Delivery::Dropped { why: "the video is gone".to_owned() }),
            Err(error) => return Err(error),
        };
        let posted = post_video(device, &platform, &alarm.behaviour.id.to_string(), bytes).await;
        Ok(posted.map_or_else(Delivery::retry, |()| Delivery::Acknowledged))
    }

    /// Whether the walk over alarms has passed this one.
    async fn has_passed(&self, alarm: &ObjectCapture) -> Result<bool> {
        let cursor = self.pushes.device.state().cursor(&feed_name(self.id)).await?;
        Ok(cursor.is_some_and(|cursor| cursor >= alarm.seq))
    }

    async fn was_pushed(&self, alarm: &ObjectCapture) -> Result<bool> {
        let device = self.pushes.device;
        match device.appliance.camera(alarm.camera).await {
            Ok(camera) => {
                let armed = is_armed(device, alarm, &device.channel(&camera).await?);
                Ok(armed && !self.pushes.is_held_back(self.id, alarm.seq))
            }
            Err(Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
