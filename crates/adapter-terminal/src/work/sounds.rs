//! Announcements to the person before the device, with its own sounds of the document's names.

use domain::{Decider, Record, Result, Seq, Sound, SoundKind, Verdict};
use tokio_util::sync::CancellationToken;

use crate::device::{Announcement, Device};
use crate::settings::SOUND;

/// A face captured longer ago is not announced, milliseconds.
const FRESH_MS: i64 = 5_000;
/// Number of new records read together, of which the last one is announced.
const AT_ONCE: u32 = 32;

impl Announcement {
    /// The name of the sound.
    fn sound(self) -> &'static str {
        match self {
            Self::Passed => "VerifySuccess.wav",
            Self::Refused => "VerifyFail.wav",
            Self::Opened => "theDoorOpen.wav",
        }
    }

    /// The setting that switches it on.
    fn setting(self) -> &'static str {
        match self {
            Self::Passed => "VerifySuccAudio",
            Self::Refused => "VerifyFailAudio",
            Self::Opened => "RemoteCtrlAudio",
        }
    }
}

/// Plays announcements until cancelled.
pub(crate) async fn run(device: &Device, cancel: &CancellationToken) {
    let work = async { tokio::join!(play_announcements(device), announce_records(device)) };
    let _ = cancel.run_until_cancelled(work).await;
}

async fn play_announcements(device: &Device) {
    let mut queue = device.announcements.worker().await;
    loop {
        let announcement = queue.next().await;
        if let Err(error) = play_announcement(device, announcement).await {
            tracing::debug!(error = error.chain(), "failed to play an announcement");
        }
    }
}

async fn play_announcement(device: &Device, announcement: Announcement) -> Result<()> {
    if device.values(&SOUND).await?.number(announcement.setting()) != 1 {
        return Ok(());
    }
    let sounds = device.appliance.sounds(SoundKind::BuiltIn).await?;
    match sounds.iter().find(|sound| sound.name == announcement.sound()) {
        Some(sound) => play(device, sound).await,
        None => Ok(()),
    }
}

/// Plays a sound at the set volume.
pub(crate) async fn play(device: &Device, sound: &Sound) -> Result<()> {
    let volume = device.values(&SOUND).await?.number("Volume");
    device.appliance.play(sound, volume.clamp(0, 100) as u8).await
}

/// Announces each new record; of several at once the last.
async fn announce_records(device: &Device) {
    let mut newest = device.appliance.newest_entry();
    let mut seen = *newest.borrow_and_update();
    while newest.changed().await.is_ok() {
        let after = std::mem::replace(&mut seen, *newest.borrow_and_update());
        match announcement_of_last(device, after).await {
            Ok(Some(announcement)) => device.announce(announcement),
            Ok(None) => {}
            Err(error) => tracing::debug!(error = error.chain(), "failed to announce a record"),
        }
    }
}

async fn announcement_of_last(device: &Device, after: Seq) -> Result<Option<Announcement>> {
    // Where a platform decides, the device does not know who may pass.
    let decides = matches!(device.appliance.door_rules().await?.decided_by, Decider::Face | Decider::FaceOrRemote);
    let record = device.appliance.records_after(after, AT_ONCE).await?.pop();
    Ok(record.filter(|record| decides && is_fresh(device, record)).map(|record| match record.verdict {
        Verdict::Known => Announcement::Passed,
        Verdict::Blocked | Verdict::NotAllowedNow | Verdict::Stranger | Verdict::Unclear | Verdict::Spoof => {
            Announcement::Refused
        }
    }))
}

fn is_fresh(device: &Device, record: &Record) -> bool {
    device.appliance.now().millis_since(record.capture.at) <= FRESH_MS
}
