//! [`Appliance`], the one handle through which everything outside acts. Its methods are grouped by file.

mod accounts;
mod acts;
mod aged;
mod analysis;
mod batches;
mod camera_defaults;
mod cameras;
mod compare;
mod device;
mod device_state;
mod discovery;
mod disk;
pub mod doors;
mod feeds;
mod gallery;
mod libraries;
mod liveness;
mod log;
mod logins;
mod machine;
pub mod network;
pub mod notices;
mod people;
mod permissions;
mod pictures;
mod privacy;
pub mod readers;
mod reembedding;
mod reset;
mod restore;
pub mod retention;
mod rules;
mod sessions;
mod settings;
mod sounds;
mod state;
mod tasks;
mod time;
pub mod upgrades;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::tz::TimeZone;
use tokio::sync::{Notify, broadcast, watch};

use crate::feeds::FeedBoard;
use crate::gallery::Gallery;
use crate::ports::Ports;
use crate::progress::Progress;
use crate::sessions::Sessions;
use crate::settings::CurrentSettings;
use crate::surveillance::{self, Board, ClipOrders, Doorkeeper, Recorder};
use crate::{DoorOptions, Error, Event, Matching, Reembedding, Result, StorageLimits};

pub use accounts::{Secret, hash_password, set_password_beside};
pub use acts::Acts;
pub use compare::{Hit, HitList, PhotoFace};
pub use device::DeviceInfo;
use doors::Doors;
use logins::{Attempts, Gate};
pub use readers::{ReaderState, Readers};
pub use reset::ResetStores;
pub use sessions::{SessionTerms, StreamPass};
use settings::Settings;
pub use sounds::{Sound, SoundFolders, SoundKind};
pub use state::State;
pub use tasks::RollEntry;
use upgrades::Upgrades;
pub use upgrades::is_upgrade_key;

/// Configuration of the appliance; fixed while it runs.
#[derive(Debug, Clone)]
pub struct Options {
    /// The device's display name.
    pub name: String,
    /// The device's serial number.
    pub serial: String,
    /// Time zone of plans, daily windows and platforms, unless a platform has set another: [`Appliance::time_zone`].
    pub time_zone: TimeZone,
    /// Realm of digest logins; `None` when no adapter needs them. Changing it invalidates the stored hashes.
    pub digest_realm: Option<String>,
    /// How faces are matched.
    pub matching: Matching,
    /// The device's id as the SIP server that cameras register with: 20 digits.
    pub sip_id: String,
    /// Maximum numbers of things.
    pub limits: Limits,
    /// How doors are opened.
    pub doors: DoorOptions,
    /// Limits of the storage, unless a platform has set another `when_full`: [`Appliance::storage_limits`].
    pub storage: StorageLimits,
    /// Public key (minisign) that verifies software packages; `None`: all packages are refused.
    pub upgrade_key: Option<String>,
    /// Whether earlier versions are installed too, and as a package also the one that runs.
    pub allow_downgrade: bool,
    /// Folder of the [ledger of upgrades](upgrades::Ledger).
    pub upgrades: PathBuf,
    /// Folder of large uploads until they are used; leftovers of an earlier process are invalid.
    pub uploads: PathBuf,
    /// Folders of the sounds that can be played.
    pub sounds: SoundFolders,
    /// File with the password that was made up for the first account; removed when that account's password changes.
    pub initial_password: PathBuf,
}

/// Maximum numbers of things on the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Camera channels.
    pub channels: u32,
    /// Computing power of all cameras together; see [`Source::computing_power`](crate::Source::computing_power).
    pub computing_power: u32,
    /// Libraries, the built-in one included.
    pub libraries: u64,
    /// People.
    pub people: u64,
    /// User accounts.
    pub accounts: u64,
    /// Tasks.
    pub tasks: u64,
    /// Pictures kept for people who are still to be enrolled.
    pub pictures: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            channels: 16,
            computing_power: 16,
            libraries: 1_000,
            people: 1_000_000,
            accounts: 1_000,
            tasks: 64,
            pictures: 10_000,
        }
    }
}

/// Maximum number of events waiting for a slow receiver; beyond that the oldest is dropped.
const EVENT_BACKLOG: usize = 256;

/// The appliance: cheap to clone, safe to share.
#[derive(Clone)]
pub struct Appliance {
    core: Arc<Core>,
}

type Erase = Box<dyn Fn() -> Result<()> + Send + Sync>;

struct Core {
    /// Ports, gallery, cameras, the log: the parts shared with surveillance.
    surveillance: surveillance::Handle,
    options: Options,
    /// Held from a commit to the change of the gallery that follows, so that both happen in the same order.
    people_order: Mutex<()>,
    /// Held from the check whether a task runs until it is changed.
    task_order: Mutex<()>,
    /// Held from reading the cameras until one is added or changed.
    camera_order: Mutex<()>,
    /// Held from reading the accounts until they are changed.
    account_order: Mutex<()>,
    /// Generation of the gallery's copy in the store; `None` when there may be none.
    kept_copy: Mutex<Option<u64>>,
    /// Remove files with data of people that the store does not know.
    other_copies: Mutex<Vec<Erase>>,
    attempts: Arc<Attempts>,
    gate: Gate,
    sessions: Sessions,
    feeds: Arc<FeedBoard>,
    reembedding: watch::Sender<Reembedding>,
    /// Notified when a photo waits to be described.
    pending_photo: Notify,
    /// Held during a discovery of cameras.
    discovery: tokio::sync::Mutex<()>,
    storage_limits: watch::Sender<StorageLimits>,
    settings: Settings,
    unreadable_values: watch::Sender<BTreeMap<String, String>>,
    console_open: watch::Sender<bool>,
    reset_wanted: watch::Sender<bool>,
    network: network::Guard,
    doors: Doors,
    readers: watch::Sender<readers::Readers>,
    upgrades: Upgrades,
}

impl Appliance {
    /// Loads the gallery, the settings and the newest place in the log from the store. Blocking: call it before
    /// serving.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn load(mut ports: Ports, options: Options) -> Result<Self> {
        let progress = Arc::new(Progress::default());
        ports.analyzer = Arc::new(analysis::TimedAnalyzer::new(ports.analyzer, Arc::clone(&progress)));
        let timed = |detector| Arc::new(analysis::TimedDetector::new(detector, Arc::clone(&progress))) as Arc<_>;
        ports.objects = ports.objects.map(timed);
        let gallery = Gallery::new(ports.analyzer.model().clone());
        if let Err(error) = ports.people.use_model(gallery.model()) {
            tracing::warn!(error = error.chain(), "failed to select embedding model");
        }
        let kept_copy = gallery::load(&ports, &gallery)?;
        if let Err(error) = accounts::keep_digests_only_for(options.digest_realm.as_deref(), ports.settings.as_ref()) {
            tracing::warn!(error = error.chain(), "digests of passwords that no adapter needs not dropped");
        }
        let settings = Settings::load(&ports)?;
        let console_open = watch::Sender::new(settings.now().is_console_open());
        let storage_limits = watch::Sender::new(settings.now().storage_limits(options.storage));
        let parts = parts(ports, gallery, progress, &options, settings.current())?;
        let core = Core {
            people_order: Mutex::default(),
            task_order: Mutex::default(),
            camera_order: Mutex::default(),
            account_order: Mutex::default(),
            kept_copy: Mutex::new(kept_copy),
            other_copies: Mutex::default(),
            attempts: Arc::default(),
            gate: Gate::default(),
            sessions: Sessions::default(),
            feeds: Arc::default(),
            reembedding: watch::Sender::default(),
            pending_photo: Notify::new(),
            discovery: tokio::sync::Mutex::default(),
            storage_limits,
            settings,
            unreadable_values: watch::Sender::default(),
            console_open,
            reset_wanted: watch::Sender::new(false),
            network: network::Guard::default(),
            doors: Doors::default(),
            readers: watch::Sender::default(),
            upgrades: Upgrades::load(&options.upgrades),
            surveillance: surveillance::Handle::new(parts),
            options,
        };
        Ok(Self { core: Arc::new(core) })
    }

    /// Events from now on; a receiver that falls behind by more than 256 loses the oldest.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.core.surveillance.events().subscribe()
    }

    /// When each part of the device last made progress, and which part hangs.
    pub fn progress(&self) -> &Progress {
        self.core.surveillance.progress()
    }

    /// The configuration of the appliance.
    pub fn options(&self) -> &Options {
        &self.core.options
    }

    pub(crate) fn ports(&self) -> &Ports {
        self.core.surveillance.ports()
    }

    pub(crate) fn gallery(&self) -> &Gallery {
        self.core.surveillance.gallery()
    }

    pub(crate) fn board(&self) -> &Board {
        self.core.surveillance.board()
    }

    pub(crate) fn announce(&self, event: Event) {
        self.core.surveillance.announce(event);
    }

    /// Runs blocking work off the runtime, to its end even when this future is dropped. A commit and what must follow
    /// it therefore belong in one `work`.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let appliance = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&appliance)).await;
        done.map_err(Error::internal("a blocking task"))?
    }

    fn kept_copy(&self) -> MutexGuard<'_, Option<u64>> {
        self.core.kept_copy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn people_order(&self) -> MutexGuard<'_, ()> {
        self.core.people_order.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<Appliance> for surveillance::Handle {
    fn from(appliance: Appliance) -> Self {
        appliance.core.surveillance.clone()
    }
}

/// The parts that surveillance works with. Blocking.
fn parts(
    ports: Ports,
    gallery: Gallery,
    progress: Arc<Progress>,
    options: &Options,
    settings: CurrentSettings,
) -> Result<surveillance::Parts> {
    Ok(surveillance::Parts {
        gallery,
        board: Board::default(),
        recorder: Recorder::new(&ports, Arc::clone(&progress), settings.clone())?,
        clip_orders: ClipOrders::default(),
        doorkeeper: Doorkeeper::new(&ports, settings.clone(), &options.doors),
        settings,
        own_zone: options.time_zone.clone(),
        events: broadcast::Sender::new(EVENT_BACKLOG),
        matching: options.matching,
        changes: watch::Sender::new(0),
        progress,
        ports,
    })
}
