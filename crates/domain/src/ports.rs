//! The ports: what the core needs from outside. There is a trait where something has to be replaced in tests, and none
//! elsewhere.
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
mod search;
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
    NewLibrary, NewRelay, OwnValues, Page, PasswordHashes, PermissionGroup, Person, PersonChange, PersonCode,
    PersonFilter, PersonId, PhotoFault, PhotoTemplate, PictureId, Relay, RelayId, Reset, Result, Rule, RuleId,
    RuleSettings, Template, TemplateGaps, Timestamp, Window,
};

pub use adapters::AdapterState;
pub use discovery::CameraDiscovery;
pub use frames::{FrameSource, FrameStream, PictureStream, SourceError, UnitFeed};
pub use host::{Host, OnPercent};
pub use log::LogStore;
pub use objects::ObjectDetector;
pub use readers::{Reader, ReaderError, Scans};
pub use search::{Detail, Lane, Search, Tiles};
pub use tasks::TaskStore;

/// The wall clock. Durations are measured with tokio's timer instead.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// Detects and describes faces in pictures. Inference runs on its own threads.
#[async_trait]
pub trait FaceAnalyzer: Send + Sync {
    /// The embedding model in use.
    fn model(&self) -> &ModelId;

    /// Maps the cosine of two embeddings of the model to their similarity.
    fn calibration(&self) -> &Calibration;

    /// The lowest liveness score, 0..=1, of a living face; `None` when liveness is off. While it is on, a face without
    /// a score does not count as living.
    fn live_from(&self) -> Option<f32>;

    /// Decodes a picture (JPEG, PNG, BMP, WebP, TIFF), upright as its metadata says; `at` is given to the frame.
    ///
    /// # Errors
    /// [`Error::BadPicture`](crate::Error::BadPicture) for other formats, broken data or a picture beyond the size
    /// limits; the size is checked before memory is allocated.
    async fn decode(&self, picture: Bytes, at: Timestamp) -> Result<Frame>;

    /// Encodes a part of the frame (clamped to it), or the whole frame, as JPEG without scaling.
    async fn encode(&self, frame: Frame, part: Option<Rect>) -> Result<Bytes>;

    /// The part of a frame that [`describe`](Self::describe) reads of a face in it: a frame of that part gives the same
    /// result. The whole frame unless an analyzer knows better.
    fn surroundings(&self, frame: &Frame, face: &Detection) -> Rect {
        let _ = face;
        frame.bounds()
    }

    /// Detects faces, the largest first.
    async fn detect(&self, frame: Frame, search: Search, lane: Lane) -> Result<Vec<Detection>>;

    /// Describes the faces of one frame, in the order given.
    async fn describe(&self, frame: Frame, detections: Vec<Detection>, lane: Lane) -> Result<Vec<Face>>;

    /// Returns the detection, with its quality refined by all models, and the embedding. Cheaper than
    /// [`describe`](Self::describe) by about half, since attributes and liveness are omitted.
    async fn embed(&self, frame: Frame, detection: Detection, lane: Lane) -> Result<(Detection, Embedding)>;
}

/// People and libraries, durable.
pub trait PersonStore: Send + Sync {
    /// Libraries in ascending order of id.
    fn libraries(&self, filter: &LibraryFilter) -> Result<Vec<Library>>;

    /// Creates a library. `AlreadyExists(Library)` when the name is in use.
    fn create_library(&self, library: &NewLibrary, at: Timestamp) -> Result<Library>;

    /// Changes a library. `NotFound(Library)`, `AlreadyExists(Library)`.
    fn update_library(&self, id: LibraryId, change: &LibraryChange, at: Timestamp) -> Result<Library>;

    /// Removes a library and all people who are in no other. Returns those people.
    ///
    /// # Errors
    /// `NotFound(Library)`; `InUse(Camera)` or `InUse(Task)` while a watch names it; `Invalid("library")` for the
    /// built-in one.
    fn remove_library(&self, id: LibraryId) -> Result<Vec<PersonId>>;

    /// Stores a person. `NotFound(Library)`, `AlreadyExists(PersonCode)`, `Invalid("cards")` when another person has
    /// the card, `NotFound(Picture)` when the photo is not stored.
    fn insert_person(&self, person: &EnrolledPerson) -> Result<Person>;

    /// One person. `NotFound(Person)`.
    fn person(&self, id: PersonId) -> Result<Person>;

    /// One person by the platform's id. `NotFound(Person)`.
    fn person_by_code(&self, code: &PersonCode) -> Result<Person>;

    /// People with these ids, in any order; unknown ids are skipped.
    fn people_by_id(&self, ids: &[PersonId]) -> Result<Vec<Person>>;

    /// A page of people, newest first.
    fn people(&self, filter: &PersonFilter, window: Window) -> Result<Page<Person>>;

    /// Changes a person; removes a photo that no person has any more. `NotFound(Person)`, `NotFound(Library)`,
    /// `Invalid("cards")` when another person has the card, `NotFound(Picture)` when the photo is not stored.
    fn update_person(&self, id: PersonId, change: &PersonChange, at: Timestamp) -> Result<Person>;

    /// Counts one pass of a person with [`Validity::Uses`](crate::Validity::Uses). Returns `false` when none was left;
    /// `true`, without a change, for a person whose passes are not counted. `NotFound(Person)`.
    fn count_use(&self, id: PersonId) -> Result<bool>;

    /// Removes a person: row, embeddings of all models, and the photo unless another person has the same.
    /// `NotFound(Person)`. What the log says about the person stays until [`erase_removed`](Self::erase_removed).
    fn remove_person(&self, id: PersonId) -> Result<()>;

    /// Removes all people, and pictures kept for people who are still to be enrolled. Returns how many people there were.
    fn remove_everybody(&self) -> Result<u64> {
        let mut removed = 0;
        loop {
            let page = self.people(&PersonFilter::default(), Window { skip: 0, limit: 500 })?;
            if page.rows.is_empty() {
                return Ok(removed);
            }
            removed += page.rows.len() as u64;
            page.rows.iter().try_for_each(|person| self.remove_person(person.id))?;
        }
    }

    /// Erases what the log says about people removed so far: it then names them with [`PersonId::ERASED`],
    /// [`PersonCode::erased`] and no other particulars. On `Ok` no file of the store contains their data any more. A
    /// person who is removed before an entry about them is appended is erased from that entry at once.
    ///
    /// # Errors
    /// `Unavailable` while long reads keep old data in use; repeated by the store's [tidying](LogStore::tidy).
    fn erase_removed(&self) -> Result<()>;

    /// Passes every template of this model to `take`, in any order.
    fn templates(&self, model: &ModelId, take: &mut dyn FnMut(Template)) -> Result<()>;

    /// The embedding of a person's photo by this model, or if there is none the latest by another. `NotFound(Person)`;
    /// `NoFace` when there is none at all.
    fn embedding(&self, id: PersonId, model: &ModelId) -> Result<crate::Embedding>;

    /// Up to `limit` people with their photos that this model has not described: people with neither a template nor a
    /// [`PhotoFault`] of it. Ids above `after`, ascending.
    fn people_without_template(
        &self,
        model: &ModelId,
        after: PersonId,
        limit: u32,
    ) -> Result<Vec<(PersonId, PictureId)>>;

    /// Numbers of people without a template of this model.
    fn template_gaps(&self, model: &ModelId) -> Result<TemplateGaps>;

    /// Stores this model's template or fault of a person's photo; those of other models stay. `NotFound(Person)`.
    fn put_template(&self, id: PersonId, model: &ModelId, described: Result<&PhotoTemplate, PhotoFault>) -> Result<()>;

    /// Makes this model the one that determines whether people are enrolled: those without a template or fault of it
    /// become pending.
    fn use_model(&self, model: &ModelId) -> Result<()>;

    /// Permission groups in the order in which they were created.
    fn permission_groups(&self) -> Result<Vec<PermissionGroup>>;

    /// Creates a permission group. `AlreadyExists(PermissionGroup)` when the id or name is in use;
    /// `LimitReached(PermissionGroup)` when there are `limit`.
    fn insert_permission_group(&self, group: &PermissionGroup, limit: u32) -> Result<()>;

    /// Replaces the permission group with this id. `NotFound(PermissionGroup)`; `AlreadyExists(PermissionGroup)` when
    /// another one has the name.
    fn update_permission_group(&self, group: &PermissionGroup) -> Result<()>;

    /// Removes a permission group, also from the people in it, who are returned. Cameras stay reserved for it.
    /// `NotFound(PermissionGroup)`.
    fn remove_permission_group(&self, id: &str) -> Result<Vec<PersonId>>;

    /// Number of people who are pending or failed.
    fn people_not_enrolled(&self) -> Result<u64>;
}

/// A copy of the gallery, so that a start need not read every template.
pub trait GalleryStore: Send + Sync {
    /// Number of committed changes of the gallery's content: templates, and the libraries people are in.
    fn generation(&self) -> Result<u64>;

    /// Passes the chunks of the copy, in order, to `take` until that returns `false`. Returns `Ok(false)` when there is
    /// no complete copy of this model and generation, or `take` refused a chunk; the chunks passed so far are invalid
    /// then.
    fn read_copy(&self, model: &ModelId, generation: u64, take: &mut dyn FnMut(&[u8]) -> bool) -> Result<bool>;

    /// Stores a copy, replacing the former one. Returns `Ok(false)`, and stores nothing, when the generation has
    /// changed meanwhile.
    fn keep_copy(&self, model: &ModelId, generation: u64, chunks: &mut dyn Iterator<Item = Vec<u8>>) -> Result<bool>;

    /// Removes the copy, if there is one.
    fn remove_copy(&self) -> Result<()>;
}

/// Cameras, their rules, accounts, the audit log and single settings, durable.
pub trait SettingsStore: Send + Sync {
    /// Cameras in ascending order of channel.
    fn cameras(&self) -> Result<Vec<Camera>>;

    /// Adds a camera on the requested channel, or the lowest free one up to `channels`.
    /// `LimitReached(Camera)`, `AlreadyExists(Camera)` when the channel is in use, `Invalid("channel")` when it is not
    /// in 1..=`channels`, `NotFound(Library)`.
    fn insert_camera(&self, camera: &NewCamera, channels: u32, at: Timestamp) -> Result<Camera>;

    /// Changes a camera; the values in `own` become its own in addition. `NotFound(Camera)`,
    /// `NotFound(Library)`, `Invalid("source")` for a source of another kind.
    fn update_camera(&self, id: CameraId, change: &CameraChange) -> Result<Camera>;

    /// Removes these values from the own values of every camera.
    fn release_cameras(&self, values: OwnValues) -> Result<()>;

    /// Removes a camera and its watch; its records stay. `NotFound(Camera)`, `InUse(Task)` while a task names it.
    fn remove_camera(&self, id: CameraId) -> Result<()>;

    /// Rules in ascending order of id.
    fn rules(&self) -> Result<Vec<Rule>>;

    /// Adds a rule to a camera; it is removed with the camera. `NotFound(Camera)`, `AlreadyExists(Rule)` when the
    /// camera has one of that name, `LimitReached(Rule)` when it has `limit`.
    fn insert_rule(&self, camera: CameraId, rule: &RuleSettings, limit: u32) -> Result<Rule>;

    /// Changes a rule. `NotFound(Rule)`, `AlreadyExists(Rule)` when the camera has another one of that name.
    fn update_rule(&self, id: RuleId, rule: &RuleSettings) -> Result<Rule>;

    /// Removes a rule; its behaviours stay. `NotFound(Rule)`.
    fn remove_rule(&self, id: RuleId) -> Result<()>;

    /// Relays in ascending order of id.
    fn relays(&self) -> Result<Vec<Relay>>;

    /// Binds a relay to a camera; it is removed with the camera. `NotFound(Camera)`; `LimitReached(Relay)` when there
    /// are `limit`.
    fn insert_relay(&self, relay: &NewRelay, limit: u32) -> Result<Relay>;

    /// Releases a relay. `NotFound(Relay)`.
    fn remove_relay(&self, id: RelayId) -> Result<()>;

    /// All accounts in ascending order of id.
    fn accounts(&self) -> Result<Vec<Account>>;

    /// One account. `NotFound(Account)`.
    fn account(&self, id: AccountId) -> Result<Account>;

    /// Creates an account. `AlreadyExists(Account)`.
    fn insert_account(&self, account: &NewAccount) -> Result<Account>;

    /// An account by login name, and the hashes of its password. `NotFound(Account)`.
    fn credentials(&self, name: &str) -> Result<(Account, PasswordHashes)>;

    /// Changes an account's name or password; its revision rises with the password. `NotFound(Account)`, `AlreadyExists(Account)` when the name is in use.
    fn update_account(&self, id: AccountId, change: &AccountChange) -> Result<Account>;

    /// Removes an account. `NotFound(Account)`.
    fn remove_account(&self, id: AccountId) -> Result<()>;

    /// Sets all three hashes together; the revision rises unless the password is the same. `NotFound(Account)`.
    fn set_password(&self, name: &str, hashes: &PasswordHashes) -> Result<()>;

    /// Sets the digest of a password that was just checked; does nothing when the password was changed since, also by
    /// another process.
    fn set_digest(&self, name: &str, checked: &PasswordHashes, digest: &str) -> Result<()>;

    /// A single setting by name.
    fn setting(&self, name: &str) -> Result<Option<String>>;

    /// Sets (`Some`) or removes (`None`) settings, all at once.
    fn change_settings(&self, changes: &[Change]) -> Result<()>;

    /// Reads the settings of the device, and converts values stored in a form of a former version. A failure to store
    /// the converted values is logged, not returned, so that the device still starts; the next start converts again.
    ///
    /// # Errors
    /// When the store cannot be read. An unreadable value is not an error: it is
    /// [`Unreadable`](crate::settings::Unreadable) in its field.
    fn device_settings(&self) -> Result<DeviceSettings> {
        let (settings, conversions) = DeviceSettings::read(&|name| self.setting(name))?;
        if !conversions.is_empty() {
            match self.change_settings(&conversions) {
                Ok(()) => tracing::info!("settings of a former version converted"),
                Err(error) => {
                    tracing::warn!(
                        error = error.chain(),
                        "failed to store converted settings, retrying at the next start"
                    );
                }
            }
        }
        Ok(settings)
    }

    /// Sets (`Some`) or removes (`None`) a setting.
    fn set_setting(&self, name: &'static str, value: Option<&str>) -> Result<()> {
        self.change_settings(&[(name, value.map(str::to_owned))])
    }

    /// Restores the factory settings in one transaction.
    fn restore(&self, defaults: &Defaults<'_>) -> Result<()>;

    /// Changes settings, removes all values of all adapters, and sets the password of an account if it exists, in one
    /// transaction.
    fn restore_all(&self, changes: &[Change], password: Option<&(String, PasswordHashes)>) -> Result<()>;

    /// Notes that these parts are to be reset before the device serves again.
    fn want_reset(&self, reset: Reset) -> Result<()>;

    /// Appends to the audit log; the oldest entry beyond the quota of its class goes.
    fn audit(&self, entry: &AuditEntry) -> Result<()>;

    /// Removes the entries of the classes that can be cleared from the audit log, and appends `entry`.
    fn clear_audit_log(&self, entry: &AuditEntry) -> Result<()>;

    /// The newest entries of the audit log, newest first.
    fn audit_log(&self, limit: u32) -> Result<Vec<AuditEntry>>;
}

/// Encoded pictures, and videos, durable, named by their content.
pub trait Pictures: Send + Sync {
    /// Stores a picture; it is on disk when this returns. The same bytes are stored once. A picture that no row names
    /// is removed at the next start, or after an hour.
    fn put(&self, picture: &[u8]) -> Result<PictureId>;

    /// The bytes of a picture. `NotFound(Picture)`.
    fn get(&self, id: &PictureId) -> Result<Bytes>;

    /// Size of a picture, bytes. `NotFound(Picture)`.
    fn size(&self, id: &PictureId) -> Result<u64>;

    /// Stores a picture that no row names, until a person is enrolled with it or it is removed. `LimitReached(Picture)`
    /// when there are `limit` already.
    fn keep(&self, picture: &[u8], limit: u64, at: Timestamp) -> Result<PictureId>;

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
    /// Discovers cameras.
    pub discovery: Arc<dyn CameraDiscovery>,
    /// Detects and describes faces.
    pub analyzer: Arc<dyn FaceAnalyzer>,
    /// Detects people and vehicles; `None` when no model for that is installed.
    pub objects: Option<Arc<dyn ObjectDetector>>,
    /// People and libraries.
    pub people: Arc<dyn PersonStore>,
    /// A copy of the gallery.
    pub gallery: Arc<dyn GalleryStore>,
    /// The log.
    pub log: Arc<dyn LogStore>,
    /// Cameras, accounts, audit log, settings.
    pub settings: Arc<dyn SettingsStore>,
    /// Tasks and their sightings.
    pub tasks: Arc<dyn TaskStore>,
    /// Values, cursors, notes and jobs of adapters.
    pub adapters: Arc<dyn AdapterState>,
    /// Pictures.
    pub pictures: Arc<dyn Pictures>,
    /// The machine.
    pub host: Arc<dyn Host>,
}
