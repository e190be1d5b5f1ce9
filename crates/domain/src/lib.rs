//! The core of polyface: people, libraries, cameras, records, the rules over them, and [`Appliance`], the one handle
//! through which everything outside acts. It is independent of vendors.

mod account;
mod actor;
mod address;
mod appliance;
mod audit;
mod behaviour;
mod calibration;
mod camera;
mod clock;
mod discovery;
mod door;
mod error;
mod event;
mod face;
pub mod feeds;
pub mod frame;
pub mod gallery;
pub mod geometry;
mod host;
mod ids;
mod job;
pub mod jpeg;
mod library;
mod liveness;
mod log;
mod login_guard;
mod metadata;
pub mod names;
mod note;
mod outbound;
mod package;
mod page;
mod passwords;
mod permission;
mod person;
pub mod ports;
pub mod progress;
mod record;
mod reembedding;
mod reset;
mod rules;
mod scan;
mod secrets;
mod sessions;
pub mod settings;
mod similarity;
mod software;
mod storage;
pub mod surveillance;
mod task;
mod time;
mod video;
mod watch;
mod wiegand;

pub use account::{Account, AccountChange, NewAccount, PasswordHashes, Role};
pub use actor::{Act, Actor, LoginFrom};
pub use address::{StreamAddress, StreamTransport, UnusableAddress};
pub use appliance::{
    Acts, Appliance, DeviceInfo, Hit, HitList, Limits, Options, PhotoFace, ReaderState, Readers, ResetStores,
    RollEntry, Secret, SessionTerms, Sound, SoundFolders, SoundKind, State, StreamPass, doors, hash_password,
    is_upgrade_key, network, notices, readers, retention, set_password_beside, upgrades,
};
pub use audit::{AuditClass, AuditEntry};
pub use behaviour::{
    Behaviour, BehaviourFilter, BehaviourKind, ClipSpan, ClipState, ComparedFilter, Comparison, Crossing,
    DetectedObject, ObjectCapture, ObjectClass, Rule, RuleOptions, RuleSettings, SizeLimits,
};
pub use calibration::{Calibration, Chances, Matching};
pub use camera::{
    Area, Camera, CameraChange, CameraCounters, CameraDefaults, CameraSettings, CameraStatus, DayWindow, DeviceAddress,
    NewCamera, OwnValues, SnapMode, Source, WeeklyPlan, same_host,
};
pub use discovery::{CameraStream, FoundCamera};
pub use door::{ContactUse, Decider, DoorOptions, DoorRules, FaceReaction, NewRelay, Output, Proof, Relay};
pub(crate) use door::{Proved, Shown};
pub use error::{Error, Result, Thing};
pub use event::Event;
pub use face::{Attributes, Detection, Embedding, Expression, Face, Gender, Landmarks, ModelId, Quality};
pub use host::{Memory, Network, NetworkPort, Processor, Subnet, TimeService};
pub use ids::{
    AccountId, CameraId, CaptureId, JobId, LibraryId, PersonCode, PersonId, PictureId, RelayId, RuleId, Seq,
    SightingId, TaskId, WatchId,
};
pub use job::{Job, JobItem};
pub use library::{Library, LibraryChange, LibraryFilter, LibraryKind, LibraryName, NewLibrary};
pub use liveness::LivenessRule;
pub use log::{Clip, Correction, Door, Entry, EntryKind, Means, NamedPerson, NewEntry, Notice, Opening, Topic, What};
pub use login_guard::LoginGuard;
pub use metadata::{Stripped, strip_metadata};
pub use note::{Note, Noted};
pub use outbound::{ConnectError, OutboundPolicy};
pub use package::Package;
pub use page::{Page, Window};
pub use permission::PermissionGroup;
pub use person::{
    Amendment, AnyOf, Category, Description, EnrolledPerson, Enrolment, EnrolmentState, KeptPhoto, Membership,
    NewPerson, Person, PersonChange, PersonFilter, PhotoFault, PhotoTemplate, Profile, SeveralFaces, Template,
    TemplateGaps, UnusablePhoto, Validity,
};
pub use record::{Candidate, Capture, Match, NewRecord, Record, RecordFilter, Verdict};
pub use reembedding::Reembedding;
pub use reset::Reset;
pub use scan::{Document, Scan};
pub use secrets::MASK;
pub use similarity::Similarity;
pub use software::{Bundle, SlotMark, Slots, Software};
pub use storage::{
    Ages, Defaults, RESTORATION, RecordKind, Removal, Restoration, StorageLimits, StorageState, Usage, WhenFull,
};
pub use task::{
    Attendance, Direction, Presence, Roll, Sighting, SightingFilter, Task, TaskKind, TaskMark, TaskSettings,
};
pub use time::{DeviceZone, Timestamp};
pub use video::{AccessUnit, Codec, Decoding};
pub use watch::{UnclearFaces, Watch, WatchSettings};
pub use wiegand::{WiegandFormat, WiegandFrame};
