//! The writer of the log: entries with their pictures, and those that wait while the store takes none.

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

/// Maximum number of findings that wait in memory, some 20 MB with their pictures; beyond that the oldest is given up.
const WAITING: usize = 64;

/// What a stage has found: an entry whose pictures are not kept yet.
pub(crate) struct Draft {
    /// JPEG of what it is about; empty when there is none to be kept.
    pub(crate) crop: Bytes,
    /// JPEG of the scene; empty when there is none to be kept.
    pub(crate) scene: Bytes,
    /// Makes the entry, once the pictures (crop, scene) have their ids.
    pub(crate) entry: Box<dyn Fn(PictureId, PictureId) -> NewEntry + Send>,
}

/// Commits entries, and wakes those who walk the log.
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
    /// Nothing waits. Blocking.
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

    /// The newest place in the log; changes when an entry was committed.
    pub(crate) fn newest(&self) -> watch::Receiver<Seq> {
        self.newest.subscribe()
    }

    /// Whether findings are being kept, now and whenever that changes.
    pub(crate) fn state(&self) -> watch::Receiver<StorageState> {
        self.state.subscribe()
    }

    /// Notes whether findings can be kept; the change is logged once.
    pub(crate) fn set_state(&self, state: StorageState) {
        self.state.send_if_modified(|now| {
            let news = *now != state;
            if news {
                match &state {
                    StorageState::Working => tracing::info!("records are kept again"),
                    StorageState::Full { reason } => tracing::error!(reason, "records are refused"),
                    StorageState::Failing { reason } => tracing::error!(reason, "records cannot be written"),
                }
                *now = state;
            }
            news
        });
    }

    /// Commits an entry and wakes the feeds. Blocking.
    pub(crate) fn append(&self, entry: &NewEntry) -> Result<Entry> {
        let committed = self.log.append(entry)?;
        self.progress.stamp(Part::Commits);
        // Two cameras may commit at the same time: the newest place never goes back.
        self.newest.send_if_modified(|newest| {
            let newer = committed.seq > *newest;
            *newest = committed.seq.max(*newest);
            newer
        });
        Ok(committed)
    }

    /// Commits a finding with its pictures; `Ok(None)` when it cannot be written now and waits in memory. Blocking.
    ///
    /// # Errors
    /// `StorageFull` while findings are refused; others when trying again would not help.
    pub(crate) fn keep(&self, draft: Draft) -> Result<Option<Entry>> {
        let draft = if self.settings.now().keeps_pictures() { draft } else { draft.without_pictures() };
        let state = self.state.borrow().clone();
        match state {
            StorageState::Full { .. } => {
                metrics::counter!("polyface_records_refused_total").increment(1);
                return Err(Error::StorageFull);
            }
            // Trying would use up the reserve.
            StorageState::Failing { .. } => {}
            StorageState::Working => match self.write(&draft) {
                Ok(entry) => return Ok(Some(entry)),
                Err(error) if is_passing(&error) => self.set_state(StorageState::failing(&error)),
                Err(error) => return Err(error),
            },
        }
        self.shelve(draft);
        Ok(None)
    }

    /// Gives up what waits to be written.
    pub(crate) fn forget_waiting(&self) {
        self.waiting().clear();
        metrics::gauge!("polyface_records_waiting").set(0.0);
    }

    /// Writes what waits, in order, until one cannot be written. Returns why. Blocking.
    pub(crate) fn write_waiting(&self) -> Option<Error> {
        loop {
            let draft = self.waiting().pop_front()?;
            match self.write(&draft) {
                Ok(entry) => tracing::info!(record.seq = entry.seq.0, "a record that waited was written"),
                Err(error) if is_passing(&error) => {
                    self.waiting().push_front(draft);
                    return Some(error);
                }
                Err(error) => {
                    metrics::counter!("polyface_records_lost_total").increment(1);
                    tracing::error!(error = error.chain(), "a record that waited was given up");
                }
            }
            metrics::gauge!("polyface_records_waiting").set(self.waiting().len() as f64);
        }
    }

    fn shelve(&self, draft: Draft) {
        let mut waiting = self.waiting();
        waiting.push_back(draft);
        if waiting.len() > WAITING {
            waiting.pop_front();
            metrics::counter!("polyface_records_lost_total").increment(1);
            tracing::error!("a record was given up: too many wait to be written");
        }
        metrics::gauge!("polyface_records_waiting").set(waiting.len() as f64);
    }

    fn write(&self, draft: &Draft) -> Result<Entry> {
        let (pictures, crop, scene) = (&*self.pictures, &draft.crop, &draft.scene);
        // Waiting for the disk takes most of the time, and it can do both at once.
        let (crop, scene) = std::thread::scope(|scope| {
            let scene = scope.spawn(|| put(pictures, scene));
            (put(pictures, crop), scene.join())
        });
        let scene = scene.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        self.append(&(draft.entry)(crop?, scene?))
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Draft>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Draft {
    /// The same finding, whose pictures nobody will ever see.
    fn without_pictures(self) -> Self {
        Self { crop: Bytes::new(), scene: Bytes::new(), ..self }
    }
}

/// Keeps a picture, unless there is none.
fn put(pictures: &dyn Pictures, picture: &Bytes) -> Result<PictureId> {
    if picture.is_empty() { Ok(PictureId::not_kept()) } else { pictures.put(picture) }
}

/// Whether the same write may succeed later.
fn is_passing(error: &Error) -> bool {
    matches!(error, Error::StorageFull | Error::Busy | Error::Unavailable { .. } | Error::Internal { .. })
}
