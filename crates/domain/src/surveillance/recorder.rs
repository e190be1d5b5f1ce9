//! The writer of the log: commits entries with their pictures, and queues them while the store cannot write.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::watch;

use crate::error::{Error, Result};
use crate::ids::{PictureId, Seq};
use crate::log::{Entry, NewEntry};
use crate::ports::{LogStore, Pictures, Ports};
use crate::progress::{Part, Progress};
use crate::settings::CurrentSettings;
use crate::storage::StorageState;

/// Maximum number of findings queued in memory, about 20 MB with their pictures; beyond that the oldest is dropped.
const WAITING: usize = 64;

/// What a stage has found: an entry whose pictures are not stored yet.
pub(crate) struct Draft {
    /// JPEG of the face or object; empty when none is to be stored.
    crop: Bytes,
    /// JPEG of the scene; empty when none is to be stored.
    scene: Bytes,
    /// Makes the entry from the ids of the stored pictures (crop, scene).
    entry: Box<dyn Fn(PictureId, PictureId) -> NewEntry + Send>,
    /// Whether it was queued: its clip is not awaited any more.
    late: bool,
}

/// Commits entries and wakes the feeds.
pub(crate) struct Recorder {
    log: Arc<dyn LogStore>,
    pictures: Arc<dyn Pictures>,
    newest: watch::Sender<Seq>,
    state: watch::Sender<StorageState>,
    waiting: Mutex<VecDeque<Draft>>,
    settings: CurrentSettings,
    progress: Arc<Progress>,
}

impl Recorder {
    /// A recorder with an empty queue. Blocking.
    ///
    /// # Errors
    /// When the newest place in the log cannot be read.
    pub(crate) fn new(ports: &Ports, progress: Arc<Progress>, settings: CurrentSettings) -> Result<Self> {
        Ok(Self {
            log: Arc::clone(&ports.log),
            pictures: Arc::clone(&ports.pictures),
            newest: watch::Sender::new(ports.log.newest()?),
            state: watch::Sender::new(StorageState::Working),
            waiting: Mutex::default(),
            settings,
            progress,
        })
    }

    /// The newest place in the log; changes when an entry is committed.
    pub(crate) fn newest(&self) -> watch::Receiver<Seq> {
        self.newest.subscribe()
    }

    /// Whether findings can be written, now and at every change.
    pub(crate) fn state(&self) -> watch::Receiver<StorageState> {
        self.state.subscribe()
    }

    /// Sets whether findings can be written. Logs a change.
    pub(crate) fn set_state(&self, state: StorageState) {
        self.state.send_if_modified(|now| {
            let changed = *now != state;
            if changed {
                match &state {
                    StorageState::Working => tracing::info!("records are written again"),
                    StorageState::Full { reason } => tracing::error!(reason, "records are refused"),
                    StorageState::Failing { reason } => tracing::error!(reason, "records cannot be written"),
                }
                *now = state;
            }
            changed
        });
    }

    /// Commits an entry and wakes the feeds. Blocking.
    pub(crate) fn append(&self, entry: &NewEntry) -> Result<Entry> {
        let committed = self.log.append(entry)?;
        self.progress.stamp(Part::Commits);
        // Two cameras may commit at the same time: the newest place must not go back.
        self.newest.send_if_modified(|newest| {
            let newer = committed.seq > *newest;
            *newest = committed.seq.max(*newest);
            newer
        });
        Ok(committed)
    }

    /// Commits a finding with its pictures. Returns `Ok(None)` when it cannot be written now and was queued. Blocking.
    ///
    /// # Errors
    /// `StorageFull` while records are refused; other errors when a retry would not help.
    pub(crate) fn keep(&self, draft: Draft) -> Result<Option<Entry>> {
        let draft = if self.settings.now().keeps_pictures() { draft } else { draft.without_pictures() };
        let state = self.state.borrow().clone();
        match state {
            StorageState::Full { .. } => {
                metrics::counter!("polyface_records_refused_total").increment(1);
                return Err(Error::StorageFull);
            }
            // A write would use up the reserve.
            StorageState::Failing { .. } => {}
            StorageState::Working => match self.write(&draft) {
                Ok(entry) => return Ok(Some(entry)),
                Err(error) if is_transient(&error) => self.set_state(StorageState::failing(&error)),
                Err(error) => return Err(error),
            },
        }
        self.enqueue(Draft { late: true, ..draft });
        Ok(None)
    }

    /// Commits an entry with a video; `entry` makes it from the video's id. Nothing is queued: a video is large. Blocking.
    ///
    /// # Errors
    /// `StorageFull` while records are refused or cannot be written; `Unavailable` while pictures are not stored; errors
    /// of the store.
    pub(crate) fn keep_video(&self, video: &Bytes, entry: impl FnOnce(PictureId) -> NewEntry) -> Result<Entry> {
        if *self.state.borrow() != StorageState::Working {
            return Err(Error::StorageFull);
        }
        if !self.settings.now().keeps_pictures() {
            return Err(Error::Unavailable { what: "the storage of pictures" });
        }
        self.append(&entry(self.pictures.put(video)?))
    }

    /// Drops the queued findings.
    pub(crate) fn discard_waiting(&self) {
        self.waiting().clear();
        metrics::gauge!("polyface_records_waiting").set(0.0);
    }

    /// Writes the queued findings in order, until one cannot be written now; returns its error. Blocking.
    pub(crate) fn write_waiting(&self) -> Option<Error> {
        loop {
            let draft = self.waiting().pop_front()?;
            match self.write(&draft) {
                Ok(entry) => tracing::info!(record.seq = entry.seq.0, "queued record written"),
                Err(error) if is_transient(&error) => {
                    self.waiting().push_front(draft);
                    return Some(error);
                }
                Err(error) => {
                    metrics::counter!("polyface_records_lost_total").increment(1);
                    tracing::error!(error = error.chain(), "failed to write queued record, record dropped");
                }
            }
            metrics::gauge!("polyface_records_waiting").set(self.waiting().len() as f64);
        }
    }

    fn enqueue(&self, draft: Draft) {
        let mut waiting = self.waiting();
        waiting.push_back(draft);
        if waiting.len() > WAITING {
            waiting.pop_front();
            metrics::counter!("polyface_records_lost_total").increment(1);
            tracing::error!(reason = "queue full", count = 1, "record dropped");
        }
        metrics::gauge!("polyface_records_waiting").set(waiting.len() as f64);
    }

    fn write(&self, draft: &Draft) -> Result<Entry> {
        let (pictures, crop, scene) = (&*self.pictures, &draft.crop, &draft.scene);
        // Most of the time is spent waiting for the disk, which can write both at once.
        let (crop, scene) = std::thread::scope(|scope| {
            let scene = scope.spawn(|| put(pictures, scene));
            (put(pictures, crop), scene.join())
        });
        let scene = scene.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let entry = (draft.entry)(crop?, scene?);
        self.append(&if draft.late { entry.without_clip() } else { entry })
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Draft>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Draft {
    /// A finding with the JPEGs of its crop and scene; `entry` makes the entry from the ids of these.
    pub(crate) fn new(
        crop: Bytes,
        scene: Bytes,
        entry: impl Fn(PictureId, PictureId) -> NewEntry + Send + 'static,
    ) -> Self {
        Self { crop, scene, entry: Box::new(entry), late: false }
    }

    fn without_pictures(self) -> Self {
        Self { crop: Bytes::new(), scene: Bytes::new(), ..self }
    }
}

/// Stores a picture, unless it is empty.
fn put(pictures: &dyn Pictures, picture: &Bytes) -> Result<PictureId> {
    if picture.is_empty() { Ok(PictureId::not_kept()) } else { pictures.put(picture) }
}

/// Whether the same write may succeed later.
fn is_transient(error: &Error) -> bool {
    matches!(error, Error::StorageFull | Error::Busy | Error::Unavailable { .. } | Error::Internal { .. })
}
