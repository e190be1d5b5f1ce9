//! What the core needs of the world. One trait where something must be faked, none elsewhere.
//!
//! Store ports are blocking, and one method is one durable transaction: when it returns `Ok`, the change
//! survives a power cut. [`Appliance`](crate::Appliance) calls them off the async runtime.

mod adapters;
mod discovery;
mod frames;
mod host;
mod log;
mod objects;
mod readers;
mod tasks;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::frame::Frame;
use crate::geometry::Rect;
use crate::settings::{Change, DeviceSettings};
use crate::{
    Account, AccountChange, AccountId, AuditEntry, Calibration, Camera, CameraChange, CameraId, Defaults, Detection,
    Embedding, EnrolledPerson, Face, Library, LibraryChange, LibraryFilter, LibraryId, ModelId, NewAccount, NewCamera,
    NewLibrary, NewRelay, OwnValues, Page, PasswordHashes, Person, PersonChange, PersonCode, PersonFilter, PersonId,
    PhotoFault, PhotoTemplate, PictureId, Relay, RelayId, Result, Rule, RuleId, RuleSettings, Template, TemplateGaps,
    Timestamp, Window,
};

pub use adapters::AdapterState;
pub use discovery::CameraDiscovery;
pub use frames::{FrameSource, FrameStream, PictureStream, SourceError, UnitFeed};
pub use host::Host;
pub use log::LogStore;
pub use objects::ObjectDetector;
pub use readers::{Reader, ReaderError, Scans};
pub use tasks::TaskStore;

/// The wall clock. Time that only passes is taken from tokio's timer.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// Who waits for an analysis; both lanes get a fair share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// A camera's frame: first, and dropped with [`Error::Busy`](crate::Error::Busy) when the queue is full.
    Live,
    /// A photo somebody enrols or compares: waits its turn.
    Photo,
}

/// What to look for in a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Search {
    /// Faces whose centre lies outside are left out; `None`: everywhere.
    pub region: Option<Rect>,
    /// Faces whose shorter side is below are left out, pixels of the frame.
    pub min_face_px: u32,
    /// Faces whose longer side is above are left out, pixels of the frame.
    pub max_face_px: u32,
    /// How closely to look.
    pub detail: Detail,
}

/// How closely a frame is looked at; less is faster and finds only larger faces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Detail {
    /// As closely as the smallest face asked for needs.
    #[default]
    Full,
    /// Three quarters of it: faces from a third more than the smallest.
    Reduced,
    /// Half of it: faces from twice the smallest.
    Least,
}

impl Search {
    /// Every face of usable size.
    pub const ANYWHERE: Self = Self { region: None, min_face_px: 30, max_face_px: u32::MAX, detail: Detail::Full };
}

/// Finds faces in pictures and describes them. Inference runs on its own threads.
#[async_trait]
pub trait FaceAnalyzer: Send + Sync {
    /// The embedding model in use.
    fn model(&self) -> &ModelId;

    /// From the cosine of two of its embeddings to their similarity.
    fn calibration(&self) -> &Calibration;

    /// The liveness score, 0..=1, from which on a face counts as living; `None` when liveness is off. While it is on,
    /// a face without a score does not count as living.
    fn live_from(&self) -> Option<f32>;

    /// Decodes a picture (JPEG, PNG, BMP, WebP, TIFF), upright as its metadata says; `at` is given to the frame.
    ///
    /// # Errors
    /// [`Error::BadPicture`](crate::Error::BadPicture) for anything else, broken data or a picture beyond the
    /// size limits; the size is checked before memory is taken.
    async fn decode(&self, picture: Bytes, at: Timestamp) -> Result<Frame>;

    /// Encodes a part of the frame (clamped to it), or all of it, as JPEG at its own resolution.
    async fn encode(&self, frame: Frame, part: Option<Rect>) -> Result<Bytes>;

    /// Finds faces, the largest first.
    async fn detect(&self, frame: Frame, search: Search, lane: Lane) -> Result<Vec<Detection>>;

    /// Describes the faces of one frame, in the order given.
    async fn describe(&self, frame: Frame, detections: Vec<Detection>, lane: Lane) -> Result<Vec<Face>>;

    /// Recognises a face: the detection, its quality judged by all that is known, and the embedding. Attributes and
    /// liveness, which cost as much again, are left out.
    async fn embed(&self, frame: Frame, detection: Detection, lane: Lane) -> Result<(Detection, Embedding)>;
}

/// People and libraries, durable.
pub trait PersonStore: Send + Sync {
    /// Libraries in ascending order of id.
    fn libraries(&self, filter: &LibraryFilter) -> Result<Vec<Library>>;

    /// Makes a library. `AlreadyExists(Library)` when the name is taken.
    fn create_library(&self, library: &NewLibrary, at: Timestamp) -> Result<Library>;

    /// Changes a library. `NotFound(Library)`, `AlreadyExists(Library)`.
    fn update_library(&self, id: LibraryId, change: &LibraryChange, at: Timestamp) -> Result<Library>;

    /// Removes a library and everybody who is in no other. Returns those people.
    /// `NotFound(Library)`; `InUse(Camera)` or `InUse(Task)` while a watch names it; `Invalid("library")` for the built-in one.
    fn remove_library(&self, id: LibraryId) -> Result<Vec<PersonId>>;

    /// Stores a person. `NotFound(Library)`, `AlreadyExists(PersonCode)`, `Invalid("cards")` when somebody else has
    /// the card, `NotFound(Picture)` when the photo was not put.
    fn insert_person(&self, person: &EnrolledPerson) -> Result<Person>;

    /// `NotFound(Person)`.
    fn person(&self, id: PersonId) -> Result<Person>;

    /// `NotFound(Person)`.
    fn person_by_code(&self, code: &PersonCode) -> Result<Person>;

    /// People with these ids; unknown ids are left out; any order.
    fn people_by_id(&self, ids: &[PersonId]) -> Result<Vec<Person>>;

    /// A page of people, newest first.
    fn people(&self, filter: &PersonFilter, window: Window) -> Result<Page<Person>>;

    /// Changes a person; a photo that nobody has any more goes. `NotFound(Person)`, `NotFound(Library)`,
    /// `Invalid("cards")` when somebody else has the card, `NotFound(Picture)` when the photo was not put.
    fn update_person(&self, id: PersonId, change: &PersonChange, at: Timestamp) -> Result<Person>;

    /// Uses up one of the times that a person is still welcome ([`Validity::Uses`](crate::Validity::Uses)). False when
    /// none was left; true, without any change, for everybody whose visits are not counted. `NotFound(Person)`.
    fn count_use(&self, id: PersonId) -> Result<bool>;

    /// Removes a person: row, embeddings of all models, photo when nobody else has the same. `NotFound(Person)`.
    fn remove_person(&self, id: PersonId) -> Result<()>;

    /// Hands every template of this model to `take`, in any order.
    fn templates(&self, model: &ModelId, take: &mut dyn FnMut(Template)) -> Result<()>;

    /// The embedding of a person's photo: this model's, or for want of it the last one of another. `NotFound(Person)`;
    /// `NoFace` when no model has made one.
    fn embedding(&self, id: PersonId, model: &ModelId) -> Result<crate::Embedding>;

    /// Up to `limit` people, and their photos, of whom this model has neither a template nor the note that there can
    /// be none; with ids above `after`, ascending.
    fn people_without_template(
        &self,
        model: &ModelId,
        after: PersonId,
        limit: u32,
    ) -> Result<Vec<(PersonId, PictureId)>>;

    /// How many people have no template of this model.
    fn template_gaps(&self, model: &ModelId) -> Result<TemplateGaps>;

    /// Keeps what this model makes of a person's photo, beside what other models made of it. `NotFound(Person)`.
    fn put_template(&self, id: PersonId, model: &ModelId, described: Result<&PhotoTemplate, PhotoFault>) -> Result<()>;

    /// From now on whether people are enrolled is by this model: those whom it does not know yet become pending.
    fn use_model(&self, model: &ModelId) -> Result<()>;

    /// How many people are pending or failed.
    fn people_not_enrolled(&self) -> Result<u64>;
}

/// A copy of the gallery, so that a start need not read every template.
pub trait GalleryStore: Send + Sync {
    /// Counts committed changes of what the gallery is made of: templates, and the libraries people are in.
    fn generation(&self) -> Result<u64>;

    /// Hands the chunks of the copy, in order, to `take` until that answers `false`. `Ok(false)` when there is no
    /// whole copy of this model and generation, or `take` refused a chunk; what was taken so far is then void.
    fn read_copy(&self, model: &ModelId, generation: u64, take: &mut dyn FnMut(&[u8]) -> bool) -> Result<bool>;

    /// Keeps a copy, in place of the one before. `Ok(false)`, and no copy is kept of it, when the generation has
    /// passed meanwhile.
    fn keep_copy(&self, model: &ModelId, generation: u64, chunks: &mut dyn Iterator<Item = Vec<u8>>) -> Result<bool>;

    /// Removes the copy, if there is one.
    fn remove_copy(&self) -> Result<()>;
}

/// Cameras, their rules, accounts, the audit log and single settings, durable.
pub trait SettingsStore: Send + Sync {
    /// Cameras in ascending order of channel.
    fn cameras(&self) -> Result<Vec<Camera>>;

    /// Adds a camera on the channel asked for, or the lowest free one up to `channels`.
    /// `LimitReached(Camera)`, `AlreadyExists(Camera)` when the channel is taken, `Invalid("channel")` when it is not
    /// in 1..=`channels`, `NotFound(Library)`.
    fn insert_camera(&self, camera: &NewCamera, channels: u32, at: Timestamp) -> Result<Camera>;

    /// Changes a camera; the values named become its own beside those that are. `NotFound(Camera)`,
    /// `NotFound(Library)`, `Invalid("source")` for a source of another kind.
    fn update_camera(&self, id: CameraId, change: &CameraChange) -> Result<Camera>;

    /// Takes these values away from the own values of every camera.
    fn release_cameras(&self, values: OwnValues) -> Result<()>;

    /// Removes a camera and its watch; its records stay. `NotFound(Camera)`, `InUse(Task)` while a task names it.
    fn remove_camera(&self, id: CameraId) -> Result<()>;

    /// Rules in ascending order of id.
    fn rules(&self) -> Result<Vec<Rule>>;

    /// Gives a camera a rule, with which it goes. `NotFound(Camera)`, `AlreadyExists(Rule)` when the camera has one of
    /// that name, `LimitReached(Rule)` when it has `limit`.
    fn insert_rule(&self, camera: CameraId, rule: &RuleSettings, limit: u32) -> Result<Rule>;

    /// Changes a rule. `NotFound(Rule)`, `AlreadyExists(Rule)` when the camera has another one of that name.
    fn update_rule(&self, id: RuleId, rule: &RuleSettings) -> Result<Rule>;

    /// Removes a rule; what it found stays. `NotFound(Rule)`.
    fn remove_rule(&self, id: RuleId) -> Result<()>;

    /// Relays in ascending order of id.
    fn relays(&self) -> Result<Vec<Relay>>;

    /// Binds a relay to a camera, with which it goes. `NotFound(Camera)`; `LimitReached(Relay)` when there are `limit`.
    fn insert_relay(&self, relay: &NewRelay, limit: u32) -> Result<Relay>;

    /// Releases a relay. `NotFound(Relay)`.
    fn remove_relay(&self, id: RelayId) -> Result<()>;

    /// All accounts in ascending order of id.
    fn accounts(&self) -> Result<Vec<Account>>;

    /// Makes an account. `AlreadyExists(Account)`.
    fn insert_account(&self, account: &NewAccount) -> Result<Account>;

    /// An account by login name, and what is kept of its password. `NotFound(Account)`.
    fn credentials(&self, name: &str) -> Result<(Account, PasswordHashes)>;

    /// Changes an account's name or password. `NotFound(Account)`, `AlreadyExists(Account)` when the name is taken.
    fn update_account(&self, id: AccountId, change: &AccountChange) -> Result<Account>;

    /// Removes an account. `NotFound(Account)`.
    fn remove_account(&self, id: AccountId) -> Result<()>;

    /// Sets all three hashes together. `NotFound(Account)`.
    fn set_password(&self, name: &str, hashes: &PasswordHashes) -> Result<()>;

    /// A single setting by name.
    fn setting(&self, name: &str) -> Result<Option<String>>;

    /// Sets (`Some`) or removes (`None`) settings, all at once.
    fn change_settings(&self, changes: &[Change]) -> Result<()>;

    /// What platforms have set of the device itself. What a former version kept in another form is kept in today's; a
    /// store that takes no writes now is no reason not to start, and it is converted at the next one.
    ///
    /// # Errors
    /// Those of reading. A value that makes no sense is none: it is in its place among the settings.
    fn device_settings(&self) -> Result<DeviceSettings> {
        let (settings, conversions) = DeviceSettings::read(&|name| self.setting(name))?;
        if !conversions.is_empty() {
            match self.change_settings(&conversions) {
                Ok(()) => tracing::info!("settings of a former version converted"),
                Err(error) => tracing::warn!(error = error.chain(), "settings of a former version not converted"),
            }
        }
        Ok(settings)
    }

    /// Sets (`Some`) or removes (`None`) a setting.
    fn set_setting(&self, name: &'static str, value: Option<&str>) -> Result<()> {
        self.change_settings(&[(name, value.map(str::to_owned))])
    }

    /// Restores the settings of a new device.
    fn restore(&self, defaults: &Defaults<'_>) -> Result<()>;

    /// Appends to the audit log.
    fn audit(&self, entry: &AuditEntry) -> Result<()>;

    /// Empties the audit log but for this entry, which is the first of the new one.
    fn clear_audit_log(&self, entry: &AuditEntry) -> Result<()>;

    /// The newest entries of the audit log, newest first.
    fn audit_log(&self, limit: u32) -> Result<Vec<AuditEntry>>;
}

/// Encoded pictures, durable, named by their content.
pub trait Pictures: Send + Sync {
    /// Keeps a picture; it is on disk when this returns. Putting the same bytes twice keeps one.
    /// A picture that no row names is swept away at the next start, or after an hour.
    fn put(&self, picture: &[u8]) -> Result<PictureId>;

    /// `NotFound(Picture)`.
    fn get(&self, id: &PictureId) -> Result<Bytes>;

    /// The length of a picture, bytes. `NotFound(Picture)`.
    fn size(&self, id: &PictureId) -> Result<u64>;

    /// Keeps a picture that nothing names yet, until a person is enrolled with it or it is removed.
    /// `LimitReached(Picture)` when `most` are kept already.
    fn keep(&self, picture: &[u8], most: u64, at: Timestamp) -> Result<PictureId>;

    /// Removes a picture, also one that records name. `NotFound(Picture)`, `InUse(Person)` while a person has it.
    fn remove(&self, id: &PictureId) -> Result<()>;
}

/// All ports of the core, wired by the daemon.
#[derive(Clone)]
pub struct Ports {
    /// The wall clock.
    pub clock: Arc<dyn Clock>,
    /// Opens cameras.
    pub frames: Arc<dyn FrameSource>,
    /// Looks for cameras.
    pub discovery: Arc<dyn CameraDiscovery>,
    /// Finds faces.
    pub analyzer: Arc<dyn FaceAnalyzer>,
    /// Finds people and vehicles; `None` where no model for that is installed.
    pub objects: Option<Arc<dyn ObjectDetector>>,
    /// People and libraries.
    pub people: Arc<dyn PersonStore>,
    /// A copy of the gallery.
    pub gallery: Arc<dyn GalleryStore>,
    /// The log of what happened.
    pub log: Arc<dyn LogStore>,
    /// Cameras, accounts, audit log, settings.
    pub settings: Arc<dyn SettingsStore>,
    /// Tasks and what they saw.
    pub tasks: Arc<dyn TaskStore>,
    /// What adapters keep.
    pub adapters: Arc<dyn AdapterState>,
    /// Pictures.
    pub pictures: Arc<dyn Pictures>,
    /// The machine.
    pub host: Arc<dyn Host>,
}
