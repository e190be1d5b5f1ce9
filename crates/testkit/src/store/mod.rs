//! A store in memory with the behaviour of the real one for every store port.

mod adapters;
mod erasure;
mod gallery;
mod log;
mod people;
mod people_filter;
mod pictures;
mod settings;
mod tasks;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use domain::{
    Account, AuditEntry, Camera, CameraId, Embedding, Entry, Error, Job, JobId, Library, LibraryId, LibraryKind,
    LibraryName, ModelId, Noted, Notice, PasswordHashes, PermissionGroup, Person, PersonId, PictureId, Relay, RelayId,
    Reset, Result, Rule, RuleId, Seq, SightingId, Task, TaskId, Timestamp, Topic, Window,
};

/// Implements `PersonStore`, `GalleryStore`, `LogStore`, `TaskStore`, `SettingsStore`, `AdapterState` and `Pictures`.
pub struct MemoryStore {
    state: Mutex<State>,
}

struct State {
    full: bool,
    read_only: bool,
    broken: bool,
    unreadable: bool,
    model: Option<ModelId>,
    libraries: BTreeMap<LibraryId, Library>,
    people: BTreeMap<PersonId, Enrolled>,
    /// Number of changes of templates and memberships.
    generation: u64,
    gallery_copy: Option<gallery::Kept>,
    log: BTreeMap<Seq, Entry>,
    standing: BTreeMap<(Topic, String), Notice>,
    cameras: BTreeMap<CameraId, Camera>,
    permission_groups: Vec<PermissionGroup>,
    relays: BTreeMap<RelayId, Relay>,
    rules: BTreeMap<RuleId, Rule>,
    tasks: BTreeMap<TaskId, Task>,
    /// The record, and the position of the match in it.
    sightings: BTreeMap<SightingId, (Seq, usize)>,
    accounts: Vec<(Account, PasswordHashes)>,
    audit: Vec<AuditEntry>,
    settings: HashMap<String, String>,
    cursors: HashMap<(String, String), Seq>,
    values: HashMap<(String, String), String>,
    notes: HashMap<(Noted, String), String>,
    jobs: BTreeMap<JobId, (String, Job)>,
    pictures: HashMap<PictureId, Bytes>,
    kept_pictures: HashSet<PictureId>,
    /// Numbers of puts that no row has followed yet.
    pins: HashMap<PictureId, u32>,
    reset: Option<Reset>,
    last: LastIds,
}

/// The highest ids used so far.
#[derive(Default)]
struct LastIds {
    library: i64,
    person: i64,
    entry: i64,
    watch: i64,
    relay: i64,
    rule: i64,
    job: i64,
    task: i64,
    sighting: i64,
    account: i64,
}

struct Enrolled {
    person: Person,
    /// In order of creation; `None` where the model found no usable face.
    templates: Vec<(ModelId, Option<Embedding>)>,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self { state: Mutex::new(State::new()) }
    }
}

impl MemoryStore {
    /// Sets whether every write fails with `StorageFull`.
    pub fn fill_up(&self, full: bool) {
        self.read().full = full;
    }

    /// Sets whether every write fails, as on a read-only disk.
    pub fn write_protect(&self, protected: bool) {
        self.read().read_only = protected;
    }

    /// Sets whether every write fails although the disk does not report that it is read-only.
    pub fn break_down(&self, broken: bool) {
        self.read().broken = broken;
    }

    /// Sets whether reading the cameras fails.
    pub fn garble_cameras(&self, unreadable: bool) {
        self.read().unreadable = unreadable;
    }

    /// The parts that are to be reset.
    pub fn wanted_reset(&self) -> Option<Reset> {
        self.read().reset
    }

    /// Blocks every call, as a hung disk does, until the returned value is dropped.
    pub fn hang(&self) -> impl Sized + '_ {
        self.read()
    }

    fn read(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> Result<MutexGuard<'_, State>> {
        let state = self.read();
        match (state.full, state.read_only || state.broken) {
            (true, _) => Err(Error::StorageFull),
            (_, true) => Err(Error::internal("writing")("the disk takes no writes")),
            _ => Ok(state),
        }
    }
}

impl State {
    fn new() -> Self {
        Self {
            full: false,
            read_only: false,
            broken: false,
            unreadable: false,
            model: None,
            libraries: built_in().into_iter().map(|library| (library.id, library)).collect(),
            people: BTreeMap::new(),
            generation: 0,
            gallery_copy: None,
            log: BTreeMap::new(),
            standing: BTreeMap::new(),
            cameras: BTreeMap::new(),
            permission_groups: Vec::new(),
            relays: BTreeMap::new(),
            rules: BTreeMap::new(),
            tasks: BTreeMap::new(),
            sightings: BTreeMap::new(),
            accounts: Vec::new(),
            audit: Vec::new(),
            settings: HashMap::new(),
            cursors: HashMap::new(),
            values: HashMap::new(),
            notes: HashMap::new(),
            jobs: BTreeMap::new(),
            pictures: HashMap::new(),
            kept_pictures: HashSet::new(),
            pins: HashMap::new(),
            reset: None,
            last: LastIds { library: LibraryId::DEFAULT.0, ..LastIds::default() },
        }
    }
}

fn built_in() -> Option<Library> {
    let at = Timestamp::from_millis(0);
    Some(Library {
        id: LibraryId::DEFAULT,
        name: LibraryName::new("default_group").ok()?,
        kind: LibraryKind::Allow,
        description: String::new(),
        people: 0,
        created_at: at,
        updated_at: at,
    })
}

/// The next id.
fn next(last: &mut i64) -> i64 {
    *last += 1;
    *last
}

/// The rows of a window.
fn window<T>(rows: Vec<T>, window: Window) -> Vec<T> {
    let skip = usize::try_from(window.skip).unwrap_or(usize::MAX);
    rows.into_iter().skip(skip).take(window.limit.min(1000) as usize).collect()
}
