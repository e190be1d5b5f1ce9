//! Platforms (chapter 12).

use std::collections::BTreeMap;

use adapter::{masked_url, unmasked_url};
use domain::{Act, CameraId};
use url::Url;

use crate::codes::Fault;
use crate::convert::{bounded, switch, within};
use crate::device::{PLATFORMS, written};
use crate::request::Caller;
use crate::settings::{IDS, Interval, Platform, Platforms};
use crate::wire::docking::{
    Ability, Docking, IntervalRow, PlatformRow, UpdateDocking, UpdateInterval, UpdatePlatform, Version,
};
use crate::wire::{Answer, Done, Int, Nothing};

/// Maximum length of an address, characters.
const MAX_URL: usize = 256;
/// Maximum length of a version, characters.
const MAX_VERSION: usize = 128;
/// The highest channel number that an interval is kept for.
const MAX_CHANNEL: u32 = 1024;

/// Sets platforms and intervals (/docking/config/update, section 12.1).
pub(crate) async fn update(caller: Caller, request: UpdateDocking) -> Result<Done, Fault> {
    let device = &caller.device;
    let _one_at_a_time = device.one_at_a_time.lock().await;
    let updated = updated(device.platforms().await?, request)?;
    for platform in updated.by_id.values() {
        device.outbound.check(&platform.url).map_err(|error| Fault::argument(format!("url: {error}")))?;
    }
    caller.acts().configure(&device.state(), PLATFORMS, Some(written(&updated)?)).await?;
    device.platforms_changed.send_modify(|version| *version += 1);
    Ok(Done::DONE)
}

/// Reads platforms and intervals (/docking/config/get, section 12.2).
pub(crate) async fn get(caller: Caller, _: Nothing) -> Result<Answer<Docking>, Fault> {
    let cameras = caller.reading()?.cameras().await?;
    let names = cameras.into_iter().map(|camera| (camera.id.0, camera.settings.name)).collect();
    let mut kept = caller.device.platforms().await?;
    if caller.actor.may(Act::ADAPTER_CONFIGURE).is_err() {
        kept.by_id.values_mut().for_each(|platform| platform.url = masked_url(&platform.url));
    }
    Ok(Answer::of(shown(kept, caller.device.channels, &names)))
}

/// Lists the versions of this interface (/docking/ability/get, section 12.3).
pub(crate) async fn ability(_: Caller, _: Nothing) -> Result<Answer<Ability>, Fault> {
    let version = |version_code, version_name| Version { version_code, version_name };
    Ok(Answer::of(Ability { list: [version("V1.0", "1.0接口"), version("V2.0", "2.0接口")] }))
}

/// Forgets the interval of a channel that was removed. Who may remove a channel may do this.
pub(super) async fn forget_interval(caller: &Caller, channel: CameraId) -> Result<(), Fault> {
    let mut kept = caller.device.platforms().await?;
    if kept.intervals.remove(&channel.0).is_some() {
        caller.acts().keep_value(&caller.device.state(), PLATFORMS, Some(written(&kept)?)).await?;
    }
    Ok(())
}

/// What is kept after an update: platforms and channels that it does not name stay as they are.
fn updated(kept: Platforms, update: UpdateDocking) -> Result<Platforms, Fault> {
    let Platforms { mut by_id, mut intervals } = kept;
    if update.platform.len() > IDS.len() {
        return Err(Fault::argument("more than two platforms"));
    }
    // Explicit ids first: id 0 takes a place that is left.
    let mut sent = update.platform;
    sent.sort_by_key(|platform| platform.id == Int(0));
    let mut named = Vec::new();
    for sent in sent {
        let id = place(&by_id, &named, sent.id)?;
        if named.contains(&id) {
            return Err(Fault::argument("two platforms of one id"));
        }
        named.push(id);
        let mut platform = platform(sent)?;
        platform.url = unmasked_url(&platform.url, by_id.get(&id).map(|kept| kept.url.as_str()))?;
        by_id.insert(id, platform);
    }
    for sent in update.time_conf.unwrap_or_default() {
        let (channel, interval) = interval(sent)?;
        intervals.insert(channel, interval);
    }
    Ok(Platforms { by_id, intervals })
}

/// 1 or 2; 0 takes the first free place (quirk "12.1 platform id").
fn place(kept: &BTreeMap<u8, Platform>, named: &[u8], Int(id): Int) -> Result<u8, Fault> {
    let free = |id: &&u8| !kept.contains_key(id) && !named.contains(id);
    let found = if id == 0 { IDS.iter().find(free) } else { IDS.iter().find(|known| i64::from(**known) == id) };
    found.copied().ok_or_else(|| Fault::argument("id of a platform is neither 1 nor 2, or no place is free"))
}

fn platform(sent: UpdatePlatform) -> Result<Platform, Fault> {
    let url = bounded("url", sent.url.0.trim().to_owned(), MAX_URL)?;
    let usable = Url::parse(&url).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    usable.ok_or_else(|| Fault::argument("url is not http or https"))?;
    Ok(Platform {
        version: bounded("version_code", sent.version_code.0, MAX_VERSION)?,
        enabled: switch("enabled", sent.enabled)?,
        url,
        pictures: switch("picture_enable", sent.picture_enable)?,
        videos: switch("video_enable", sent.video_enable)?,
        keep_alive: switch("http_alive", sent.http_alive)?,
        keep_alive_every: within("alive_interval", sent.alive_interval, 30..=600)?,
        channels: switch("channel_enable", sent.channel_enable)?,
    })
}

fn interval(sent: UpdateInterval) -> Result<(u32, Interval), Fault> {
    let channel = within("channel_id", sent.channel_id, 1..=MAX_CHANNEL)?;
    // 2 is another word for off (quirk "12.1 against 12.2 enable").
    let enabled = sent.enable != Int(2) && switch("enable", sent.enable)?;
    Ok((channel, Interval { minutes: within("interval", sent.interval, 0..=10_080)?, enabled }))
}

/// All that is shown; `names` are those of the channels in use, by number.
fn shown(kept: Platforms, channels: u32, names: &BTreeMap<u32, String>) -> Docking {
    let row = |channel_id: u32| {
        let Interval { minutes, enabled } = kept.intervals.get(&channel_id).copied().unwrap_or_default();
        let channel_name = names.get(&channel_id).cloned().unwrap_or_default();
        IntervalRow { channel_id, interval: minutes, enable: enabled.into(), channel_name }
    };
    let time_conf = (1..=channels).map(row).collect();
    let platform = kept.by_id.into_iter().map(|(id, platform)| PlatformRow {
        id,
        version_code: platform.version,
        enabled: platform.enabled.into(),
        url: platform.url,
        picture_enable: platform.pictures.into(),
        video_enable: platform.videos.into(),
        http_alive: platform.keep_alive.into(),
        alive_interval: platform.keep_alive_every,
        channel_enable: platform.channels.into(),
    });
    Docking { time_conf, platform: platform.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_0_takes_the_first_free_place() {
        let platform = |id: i64| {
            serde_json::from_value::<UpdatePlatform>(serde_json::json!({
                "id": id, "version_code": "V2.0", "enabled": 1, "url": "http://192.0.2.1", "picture_enable": 0,
                "video_enable": 0, "http_alive": 0, "alive_interval": 30, "channel_enable": 0,
            }))
            .unwrap()
        };
        let update =
            |ids: &[i64]| UpdateDocking { platform: ids.iter().map(|id| platform(*id)).collect(), time_conf: None };
        let ids = |kept: &Platforms| kept.by_id.keys().copied().collect::<Vec<_>>();
        let one = updated(Platforms::default(), update(&[0])).unwrap();
        assert_eq!(ids(&one), [1]);
        let both = updated(one.clone(), update(&[0])).unwrap();
        assert_eq!(ids(&both), [1, 2]);
        for order in [[1, 0], [0, 1]] {
            assert_eq!(ids(&updated(Platforms::default(), update(&order)).unwrap()), [1, 2]);
        }
        assert!(updated(both, update(&[0])).is_err());
        assert!(updated(one, update(&[2, 2])).is_err() && updated(Platforms::default(), update(&[3])).is_err());
    }
}
