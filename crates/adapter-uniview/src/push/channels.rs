//! Changes of channels (type 7), whichever adapter makes them: repeated while the daemon runs, not kept over a restart.

use std::collections::BTreeMap;
use std::time::Duration;

use adapter::BackOff;
use domain::{Appliance, CameraSettings, Result};
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::messages;
use super::platform::{Pushes, platform, post};
use crate::device::Device;
use crate::wire::push::ChannelInfo;

/// Modes of a message.
const ADDED: u8 = 1;
const CHANGED: u8 = 2;
const DELETED: u8 = 3;
const STATE_CHANGED: u8 = 4;

/// The pauses between attempts.
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What was last seen of a channel.
#[derive(Debug, Clone, PartialEq)]
struct Seen {
    /// When the camera was added.
    added: i64,
    settings: CameraSettings,
    info: ChannelInfo,
    /// 1 online, 2 offline; as last known.
    status: Option<u8>,
}

type Channels = BTreeMap<u32, Seen>;

/// Compares the channels with what they were whenever they may have changed.
pub(super) async fn watch(pushes: &Pushes<'_>, appliance: &Appliance, cancel: &CancellationToken) {
    let (mut cameras, mut events) = (appliance.camera_changes(), appliance.events());
    let mut before: Option<Channels> = None;
    loop {
        match observe(pushes.device, before.as_ref()).await {
            Ok(now) => {
                let changes = before.as_ref().map(|before| changes(before, &now)).unwrap_or_default();
                // No platform may listen.
                changes.into_iter().for_each(|change| drop(pushes.changes.send(change)));
                before = Some(now);
            }
            Err(error) => tracing::warn!(error = error.chain(), "failed to read channels for pushes"),
        }
        tokio::select! {
            () = cancel.cancelled() => return,
            _ = cameras.changed() => {}
            // Which event it is does not matter: the states are read again.
            event = events.recv() => if event == Err(RecvError::Closed) { return },
        }
    }
}

/// The channels as they are; a camera that is being connected is what it was before.
async fn observe(device: &Device, before: Option<&Channels>) -> Result<Channels> {
    // Not between a change of a camera and what is kept of it.
    let _one_at_a_time = device.one_at_a_time.lock().await;
    let mut channels = Channels::new();
    for camera in device.appliance.cameras().await? {
        let info = messages::channel_info(&camera, &device.channel(&camera).await?, CHANGED);
        let was = before.and_then(|before| before.get(&camera.id.0)).and_then(|seen| seen.status);
        let status = messages::status(&device.appliance.camera_status(camera.id)).or(was);
        let added = camera.created_at.as_millis();
        channels.insert(camera.id.0, Seen { added, settings: camera.settings, info, status });
    }
    Ok(channels)
}

fn changes(before: &Channels, now: &Channels) -> Vec<ChannelInfo> {
    let of = |seen: &Seen, mode| ChannelInfo { mode, status: seen.status, ..seen.info.clone() };
    let same = |seen: &Seen, other: &Seen| seen.added == other.added;
    let gone = before.iter().filter(|(id, seen)| now.get(id).is_none_or(|now| !same(seen, now)));
    let mut changes: Vec<_> = gone.map(|(_, seen)| of(seen, DELETED)).collect();
    for (id, seen) in now {
        match before.get(id).filter(|before| same(before, seen)) {
            None => changes.push(of(seen, ADDED)),
            Some(before) => {
                if (&before.settings, &before.info) != (&seen.settings, &seen.info) {
                    changes.push(of(seen, CHANGED));
                }
                if before.status != seen.status && seen.status.is_some() {
                    changes.push(of(seen, STATE_CHANGED));
                }
            }
        }
    }
    changes
}

/// Pushes changes to a platform, in order, each until the platform has it.
pub(super) async fn push(pushes: &Pushes<'_>, id: u8, cancel: &CancellationToken) {
    let mut changes = pushes.changes.subscribe();
    let push_all = async {
        loop {
            match changes.recv().await {
                Ok(change) => push_one(pushes, id, change).await,
                Err(RecvError::Lagged(count)) => {
                    tracing::warn!(platform.id = id, count, reason = "platform too slow", "channel changes dropped");
                }
                Err(RecvError::Closed) => return,
            }
        }
    };
    cancel.run_until_cancelled(push_all).await;
}

async fn push_one(pushes: &Pushes<'_>, id: u8, change: ChannelInfo) {
    let (number, mut changed) = (pushes.number(), pushes.device.platforms_changed.subscribe());
    let mut back_off = BackOff::new(SHORTEST_PAUSE, LONGEST_PAUSE);
    loop {
        match attempt(pushes, id, &number, &change).await {
            Ok(()) => return,
            Err(why) => tracing::debug!(platform.id = id, why, "channel change not pushed"),
        }
        tokio::select! {
            () = tokio::time::sleep(back_off.next_interval()) => {}
            _ = changed.changed() => back_off.reset(),
        }
    }
}

/// Sends a change, unless the platform does not want it any more.
async fn attempt(pushes: &Pushes<'_>, id: u8, number: &str, change: &ChannelInfo) -> Result<(), String> {
    let platform = platform(pushes.device, id).await.map_err(|error| error.chain())?;
    let Some(platform) = platform.filter(|platform| platform.channels) else { return Ok(()) };
    let message = messages::channel_change(pushes.device, number.to_owned(), change.clone()).await;
    post(pushes.device, &platform, &message.map_err(|error| error.chain())?).await
}
