//! Faces (types 3 and 4), alarms and their ends (1, 2 and 5): durable, in order, each platform for itself.

use std::collections::HashMap;

use adapter::{Deliver, Delivery, Feed, Start};
use async_trait::async_trait;
use domain::{
    Appliance, Behaviour, Camera, CameraId, Entry, EntryKind, Error, ObjectCapture, Result, Seq, Timestamp, What,
};
use tokio_util::sync::CancellationToken;

use super::messages;
use super::platform::{Pushes, platform, post};
use crate::convert::algorithms::{name_of, rule};
use crate::convert::plans::plan;
use crate::device::Device;
use crate::settings::{Channel, Platform};

/// Milliseconds of a minute.
const MINUTE: i64 = 60_000;

/// The feed of a platform.
pub(super) fn feed_name(id: u8) -> String {
    format!("platform{id}")
}

/// Pushes every entry to a platform until the platform has it. While the platform is off, entries pass by.
pub(super) async fn deliver(pushes: &Pushes<'_>, id: u8, appliance: Appliance, cancel: CancellationToken) {
    let device = pushes.device;
    let kinds = &[EntryKind::Record, EntryKind::Behaviour];
    let feed = Feed::new(device.state(), feed_name(id), kinds, Start::FromNewest);
    let feed = feed.restarting_with(device.platforms_changed.subscribe());
    let receiver = ToPlatform { pushes, device, id, alarms: HashMap::new(), acknowledged: None };
    feed.run(appliance, cancel, receiver).await;
}

struct ToPlatform<'a> {
    pushes: &'a Pushes<'a>,
    device: &'a Device,
    id: u8,
    /// When an algorithm of a channel was last reported, for those that are to be reported less often.
    alarms: HashMap<(CameraId, &'static str), Timestamp>,
    /// The alarm whose own message the platform has, while that of its comparisons is tried.
    acknowledged: Option<Seq>,
}

#[async_trait]
impl Deliver for ToPlatform<'_> {
    async fn deliver(&mut self, entry: &Entry) -> Delivery {
        self.push(entry).await.unwrap_or_else(|error| Delivery::retry(error.chain()))
    }
}

impl ToPlatform<'_> {
    async fn push(&mut self, entry: &Entry) -> Result<Delivery> {
        let Some(platform) = platform(self.device, self.id).await? else { return Ok(Delivery::Acknowledged) };
        match &entry.what {
            What::Record(record) => {
                let message = messages::of_record(self.device, record, platform.pictures).await?;
                Ok(acknowledged(post(self.device, &platform, &message).await))
            }
            What::Behaviour(behaviour) => self.push_behaviour(entry, behaviour, &platform).await,
            What::Correction(_) | What::Clip(_) | What::Opening(_) | What::Notice(_) => Ok(Delivery::Acknowledged),
        }
    }

    /// Pushes what is wanted of a behaviour: nothing when its camera is gone.
    async fn push_behaviour(&mut self, entry: &Entry, behaviour: &Behaviour, platform: &Platform) -> Result<Delivery> {
        let id = entry.camera.unwrap_or(CameraId(0));
        let camera = match self.device.appliance.camera(id).await {
            Ok(camera) => camera,
            Err(Error::NotFound { .. }) => return Ok(Delivery::Acknowledged),
            Err(error) => return Err(error),
        };
        let kept = self.device.channel(&camera).await?;
        let found = ObjectCapture { seq: entry.seq, at: entry.at, camera: id, behaviour: behaviour.clone() };
        let about = (&found, &camera, &kept);
        if behaviour.fired {
            return self.push_alarm(about, platform).await;
        }
        let Some(alarm) = self.ended(behaviour, &kept).await? else { return Ok(Delivery::Acknowledged) };
        let message = messages::of_behaviour(self.device, about, alarm, platform.pictures).await?;
        Ok(acknowledged(post(self.device, platform, &message).await))
    }

    /// Pushes an alarm, and after it the faces that were compared.
    async fn push_alarm(
        &mut self,
        about: (&ObjectCapture, &Camera, &Channel),
        platform: &Platform,
    ) -> Result<Delivery> {
        let (found, _, kept) = about;
        if self.acknowledged != Some(found.seq) {
            if !self.wants_alarm(found, kept).await? {
                self.pushes.hold_back(self.id, found.seq);
                return Ok(Delivery::Acknowledged);
            }
            let message = messages::of_behaviour(self.device, about, found.seq, platform.pictures).await?;
            if let Err(why) = post(self.device, platform, &message).await {
                return Ok(Delivery::retry(why));
            }
            self.acknowledged = Some(found.seq);
        }
        if !found.behaviour.comparisons.is_empty() {
            let message = messages::of_comparisons(self.device, about, platform.pictures).await?;
            if let Err(why) = post(self.device, platform, &message).await {
                return Ok(Delivery::retry(why));
            }
        }
        self.alarms.insert((found.camera, name_of(found.behaviour.kind, found.behaviour.object)), found.at);
        Ok(Delivery::Acknowledged)
    }

    /// Whether an alarm is inside its arming plan, and none was pushed in the channel's interval before.
    async fn wants_alarm(&self, found: &ObjectCapture, kept: &Channel) -> Result<bool> {
        let name = name_of(found.behaviour.kind, found.behaviour.object);
        if !is_armed(self.device, found, kept) {
            return Ok(false);
        }
        let id = found.camera;
        let interval = self.device.platforms().await?.intervals.get(&id.0).copied().unwrap_or_default();
        let last = self.alarms.get(&(id, name)).filter(|_| interval.enabled);
        Ok(last.is_none_or(|last| found.at.millis_since(*last) >= i64::from(interval.minutes) * MINUTE))
    }

    /// The alarm that has ended, where its end is wanted and it was pushed itself.
    async fn ended(&self, behaviour: &Behaviour, kept: &Channel) -> Result<Option<Seq>> {
        let name = name_of(behaviour.kind, behaviour.object);
        let (Some(ends), true, true) =
            (behaviour.ends, kept.params.recovery, rule(name).is_some_and(|rule| rule.recovers))
        else {
            return Ok(None);
        };
        match self.device.appliance.behaviour(ends).await {
            Ok(alarm) => Ok(Some(alarm.seq).filter(|_| is_armed(self.device, &alarm, kept))),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn acknowledged(posted: Result<(), String>) -> Delivery {
    posted.map_or_else(Delivery::retry, |()| Delivery::Acknowledged)
}

/// Whether an alarm is inside the arming plan of its algorithm.
pub(super) fn is_armed(device: &Device, found: &ObjectCapture, kept: &Channel) -> bool {
    let name = name_of(found.behaviour.kind, found.behaviour.object);
    let local = found.at.in_zone(&device.appliance.time_zone());
    // What cannot be read was checked when it was kept.
    let covers = |week| plan(week).is_ok_and(|plan| plan.is_some_and(|plan| plan.covers(local)));
    kept.plans.get(name).is_none_or(covers)
}
