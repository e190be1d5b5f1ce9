//! Faces (types 3 and 4), alarms and their ends (1 and 2): durable, in order, each platform for itself.

use std::collections::HashMap;

use adapter::{Deliver, Delivery, Feed, Start};
use async_trait::async_trait;
use domain::{Appliance, Behaviour, CameraId, Entry, EntryKind, Error, ObjectCapture, Result, Seq, Timestamp, What};
use tokio_util::sync::CancellationToken;

use super::messages;
use super::platform::{platform, post};
use crate::convert::algorithms::{name_of, rule};
use crate::convert::plans::plan;
use crate::device::Device;
use crate::settings::{Channel, Platform};
use crate::wire::push::Message;

/// Milliseconds of a minute.
const MINUTE: i64 = 60_000;

/// Pushes every entry to a platform until the platform has it. While the platform is off, entries pass by.
pub(super) async fn deliver(device: &Device, id: u8, appliance: Appliance, cancel: CancellationToken) {
    let kinds = &[EntryKind::Record, EntryKind::Behaviour];
    let feed = Feed::new(device.state(), format!("platform{id}"), kinds, Start::FromNewest);
    let feed = feed.restarting_with(device.platforms_changed.subscribe());
    feed.run(appliance, cancel, ToPlatform { device, id, alarms: HashMap::new() }).await;
}

struct ToPlatform<'a> {
    device: &'a Device,
    id: u8,
    /// When an algorithm of a channel was last reported, for those that are to be reported less often.
    alarms: HashMap<(CameraId, &'static str), Timestamp>,
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
        let message = match &entry.what {
            What::Record(record) => Some(messages::of_record(self.device, record, platform.pictures).await?),
            What::Behaviour(behaviour) => self.of_behaviour(entry, behaviour, &platform).await?,
            What::Correction(_) | What::Opening(_) | What::Notice(_) => None,
        };
        let Some(message) = message else { return Ok(Delivery::Acknowledged) };
        if let Err(why) = post(self.device, &platform, &message).await {
            return Ok(Delivery::retry(why));
        }
        if let What::Behaviour(behaviour) = &entry.what {
            let key = (entry.camera.unwrap_or(CameraId(0)), name_of(behaviour.kind, behaviour.object));
            self.alarms.insert(key, entry.at);
        }
        Ok(Delivery::Acknowledged)
    }

    /// The message about a behaviour; `None` when none is wanted, or its camera is gone.
    async fn of_behaviour(&self, entry: &Entry, behaviour: &Behaviour, platform: &Platform) -> Result<Option<Message>> {
        let id = entry.camera.unwrap_or(CameraId(0));
        let camera = match self.device.appliance.camera(id).await {
            Ok(camera) => camera,
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let kept = self.device.channel(&camera).await?;
        let event = if behaviour.fired {
            self.wants_alarm(entry, behaviour, &kept).await?.then_some(entry.seq)
        } else {
            self.ended(behaviour, &kept).await?
        };
        let Some(event) = event else { return Ok(None) };
        let found = ObjectCapture { seq: entry.seq, at: entry.at, camera: id, behaviour: behaviour.clone() };
        let message = messages::of_behaviour(self.device, (&found, &camera, &kept), event, platform.pictures).await?;
        Ok(Some(message))
    }

    /// Whether an alarm is inside its arming plan, and none was pushed in the channel's interval before.
    async fn wants_alarm(&self, entry: &Entry, behaviour: &Behaviour, kept: &Channel) -> Result<bool> {
        let name = name_of(behaviour.kind, behaviour.object);
        if !self.is_armed(name, entry.at, kept) {
            return Ok(false);
        }
        let id = entry.camera.unwrap_or(CameraId(0));
        let interval = self.device.platforms().await?.intervals.get(&id.0).copied().unwrap_or_default();
        let last = self.alarms.get(&(id, name)).filter(|_| interval.enabled);
        Ok(last.is_none_or(|last| entry.at.millis_since(*last) >= i64::from(interval.minutes) * MINUTE))
    }

    fn is_armed(&self, name: &str, at: Timestamp, kept: &Channel) -> bool {
        let local = at.in_zone(&self.device.appliance.time_zone());
        // What cannot be read was checked when it was kept.
        let covers = |week| plan(week).is_ok_and(|plan| plan.is_some_and(|plan| plan.covers(local)));
        kept.plans.get(name).is_none_or(covers)
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
            Ok(alarm) => Ok(Some(alarm.seq).filter(|_| self.is_armed(name, alarm.at, kept))),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
