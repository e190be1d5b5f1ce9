//! What the device says aloud to the one before it, with those of its own sounds that bear the document's names.

use std::sync::Arc;

use domain::{Decider, Record, Result, Seq, Verdict};
use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::CancellationToken;

use crate::core::Core;
use crate::ops::settings::{SOUND, Values};
use crate::ops::sounds;

/// Nobody waits for words about a face captured longer ago, milliseconds.
const FRESH_MS: i64 = 5_000;
/// Records looked at together; of more, the last of these counts.
const AT_ONCE: u32 = 32;

/// What is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    /// Somebody may pass.
    Passed,
    /// Somebody may not.
    Refused,
    /// A platform has opened the door.
    Opened,
}

impl Word {
    fn sound(self) -> &'static str {
        match self {
            Self::Passed => "VerifySuccess.wav",
            Self::Refused => "VerifyFail.wav",
            Self::Opened => "theDoorOpen.wav",
        }
    }

    fn setting(self) -> &'static str {
        match self {
            Self::Passed => "VerifySuccAudio",
            Self::Refused => "VerifyFailAudio",
            Self::Opened => "RemoteCtrlAudio",
        }
    }
}

/// The way to the one who speaks.
pub(crate) struct Voice {
    desk: mpsc::Sender<Word>,
    words: Mutex<mpsc::Receiver<Word>>,
}

impl Default for Voice {
    fn default() -> Self {
        let (desk, words) = mpsc::channel(1);
        Self { desk, words: Mutex::new(words) }
    }
}

impl Voice {
    /// Says something soon, or nothing when too much is to be said already.
    pub(crate) fn say(&self, word: Word) {
        let _ = self.desk.try_send(word);
    }
}

/// Speaks until cancelled.
pub(crate) async fn run(core: &Arc<Core>, cancel: &CancellationToken) {
    let work = async { tokio::join!(speak(core), greet(core)) };
    let _ = cancel.run_until_cancelled(work).await;
}

async fn speak(core: &Core) {
    let mut words = core.voice.words.lock().await;
    while let Some(word) = words.recv().await {
        if let Err(error) = utter(core, word).await {
            tracing::debug!(error = error.chain(), "nothing can be said");
        }
    }
}

async fn utter(core: &Core, word: Word) -> Result<()> {
    if Values::load(core, &SOUND).await?.number(word.setting()) != 1 {
        return Ok(());
    }
    let sounds = core.appliance.sounds(domain::SoundKind::BuiltIn).await?;
    match sounds.iter().find(|sound| sound.name == word.sound()) {
        Some(sound) => sounds::play(core, sound).await,
        None => Ok(()),
    }
}

/// Has a word for everybody who is recorded; of several at once for the last.
async fn greet(core: &Core) {
    let mut newest = core.appliance.newest_entry();
    let mut seen = *newest.borrow_and_update();
    while newest.changed().await.is_ok() {
        let after = std::mem::replace(&mut seen, *newest.borrow_and_update());
        match about_last(core, after).await {
            Ok(word) => word.into_iter().for_each(|word| core.voice.say(word)),
            Err(error) => tracing::debug!(error = error.chain(), "nothing can be said of a record"),
        }
    }
}

async fn about_last(core: &Core, after: Seq) -> Result<Option<Word>> {
    // Where a platform decides, the device does not know who may pass.
    let decides = matches!(core.appliance.door_rules().await?.decided_by, Decider::Face | Decider::FaceOrRemote);
    let record = core.appliance.records_after(after, AT_ONCE).await?.pop();
    Ok(record.filter(|record| decides && is_fresh(core, record)).map(|record| match record.verdict {
        Verdict::Known => Word::Passed,
        Verdict::Blocked | Verdict::NotAllowedNow | Verdict::Stranger | Verdict::Unclear | Verdict::Spoof => {
            Word::Refused
        }
    }))
}

fn is_fresh(core: &Core, record: &Record) -> bool {
    core.appliance.now().millis_since(record.capture.at) <= FRESH_MS
}
