//! The log: everything that has to be stored or delivered, in one order.

use std::net::SocketAddr;

use crate::{
    Behaviour, CameraId, Capture, CaptureId, ClipState, NewRecord, Output, PersonCode, PersonId, PictureId, Record,
    Seq, Timestamp,
};

/// An entry of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its place in the log: commit order, never reused.
    pub seq: Seq,
    /// When it happened.
    pub at: Timestamp,
    /// The camera concerned, if any.
    pub camera: Option<CameraId>,
    /// What happened.
    pub what: What,
}

/// An entry about to be appended.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEntry {
    /// When it happened.
    pub at: Timestamp,
    /// The camera concerned, if any.
    pub camera: Option<CameraId>,
    /// What happened.
    pub what: What<NewRecord>,
}

/// Content of an entry; `R` is [`NewRecord`] before it is appended and [`Record`] after.
#[derive(Debug, Clone, PartialEq)]
pub enum What<R = Record> {
    /// A face was captured and compared.
    Record(Box<R>),
    /// A record was corrected.
    Correction(Correction),
    /// A rule over moving objects fired or recovered.
    Behaviour(Box<Behaviour>),
    /// The video of a behaviour was stored, or will never be.
    Clip(Clip),
    /// A door opened, or stayed closed on request.
    Opening(Opening),
    /// A part of the device stopped working, or works again.
    Notice(Notice),
}

/// Kind of an entry, by which feeds select.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EntryKind {
    /// [`What::Record`].
    Record,
    /// [`What::Correction`].
    Correction,
    /// [`What::Behaviour`].
    Behaviour,
    /// [`What::Clip`].
    Clip,
    /// [`What::Opening`].
    Opening,
    /// [`What::Notice`].
    Notice,
}

/// A person with code and name of that time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedPerson {
    /// The person.
    pub id: PersonId,
    /// The platform's id.
    pub code: PersonCode,
    /// Display name.
    pub name: String,
}

/// A statement that a record shows another person than was recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// The record.
    pub record: Seq,
    /// The person shown; `None`: not enrolled.
    pub shows: Option<NamedPerson>,
    /// Name of the actor who stated it.
    pub actor: String,
}

/// The outcome of the video of a behaviour. It is removed with the behaviour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clip {
    /// The behaviour.
    pub of: CaptureId,
    /// The MP4 file; `None`: it was lost.
    pub video: Option<PictureId>,
}

/// An opening of a door, or a request after which it stayed closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// The door.
    pub door: Door,
    /// Whether it opened.
    pub opened: bool,
    /// The person admitted; `None` when no person was recognised, as with a command.
    pub person: Option<NamedPerson>,
    /// What was shown or sent.
    pub by: Means,
    /// The actor: a user, an adapter, a reader or a camera.
    pub actor: String,
    /// Why it stayed closed; empty when it opened.
    pub why: String,
}

/// A door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Door {
    /// The device's own door, by its contact.
    Own,
    /// The door of a relay in the network.
    Relay(SocketAddr),
    /// A door whose controller receives a number and decides itself.
    Controller,
}

impl From<Output> for Door {
    fn from(output: Output) -> Self {
        match output {
            Output::Relay(address) => Self::Relay(address),
            Output::Contact => Self::Own,
        }
    }
}

/// Means of opening a door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Means {
    /// A face.
    Face,
    /// A card.
    Card,
    /// A code.
    Code,
    /// A document.
    Document,
    /// A face and a card of the same person.
    FaceAndCard,
    /// A face and a document of the same person.
    FaceAndDocument,
    /// A command from a user or platform.
    Command,
}

impl Means {
    /// Whether it involves a reader.
    pub fn was_read(self) -> bool {
        match self {
            Self::Card | Self::Code | Self::Document | Self::FaceAndCard | Self::FaceAndDocument => true,
            Self::Face | Self::Command => false,
        }
    }
}

/// A report that a part of the device has stopped working, or works again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The part of the device.
    pub topic: Topic,
    /// The camera's channel, or the name of the reader or feed; `database` of the topic storage when that was replaced
    /// by an older copy; empty for a part that exists once.
    pub subject: String,
    /// True when it stopped working, false when it works again.
    pub raised: bool,
    /// Why it stopped, for display; empty when it works again.
    pub reason: String,
}

/// The parts of the device that notices are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// A camera is offline.
    Camera,
    /// Records cannot be stored.
    Storage,
    /// A reader of cards, codes or documents is lost.
    Reader,
    /// A receiver refuses an entry for good; its feed is stuck.
    Feed,
    /// An upgrade failed or was taken back; an earlier version runs.
    Software,
}

impl EntryKind {
    /// All kinds.
    pub const ALL: [Self; 6] =
        [Self::Record, Self::Correction, Self::Behaviour, Self::Clip, Self::Opening, Self::Notice];
}

impl<R> What<R> {
    /// The kind.
    pub fn kind(&self) -> EntryKind {
        match self {
            Self::Record(_) => EntryKind::Record,
            Self::Correction(_) => EntryKind::Correction,
            Self::Behaviour(_) => EntryKind::Behaviour,
            Self::Clip(_) => EntryKind::Clip,
            Self::Opening(_) => EntryKind::Opening,
            Self::Notice(_) => EntryKind::Notice,
        }
    }
}

impl<R> What<R> {
    fn pictures(&self, capture: impl Fn(&R) -> &Capture) -> Vec<&PictureId> {
        let pictures = match self {
            Self::Record(record) => {
                let Capture { crop, scene, .. } = capture(record);
                vec![crop, scene]
            }
            Self::Behaviour(behaviour) => vec![&behaviour.crop, &behaviour.scene],
            Self::Clip(clip) => clip.video.iter().collect(),
            Self::Correction(_) | Self::Opening(_) | Self::Notice(_) => return Vec::new(),
        };
        pictures.into_iter().filter(|picture| picture.is_kept()).collect()
    }
}

impl From<NewRecord> for NewEntry {
    fn from(record: NewRecord) -> Self {
        let (at, camera) = (record.capture.at, Some(record.capture.camera));
        Self { at, camera, what: What::Record(Box::new(record)) }
    }
}

impl From<Record> for Entry {
    fn from(record: Record) -> Self {
        let (at, camera) = (record.capture.at, Some(record.capture.camera));
        Self { seq: record.seq, at, camera, what: What::Record(Box::new(record)) }
    }
}

impl Entry {
    /// The record, when it is one.
    pub fn record(&self) -> Option<&Record> {
        if let What::Record(record) = &self.what { Some(record) } else { None }
    }

    /// The stored pictures and videos that it names.
    pub fn pictures(&self) -> Vec<&PictureId> {
        self.what.pictures(|record| &record.capture)
    }

    /// The record, when it is one.
    pub fn into_record(self) -> Option<Record> {
        if let What::Record(record) = self.what { Some(*record) } else { None }
    }
}

impl NewEntry {
    /// The entry without the video that it awaits, which is lost.
    pub(crate) fn without_clip(mut self) -> Self {
        if let What::Behaviour(behaviour) = &mut self.what
            && behaviour.clip == ClipState::Awaited
        {
            behaviour.clip = ClipState::Lost;
        }
        self
    }

    /// The stored pictures and videos that it names.
    pub fn pictures(&self) -> Vec<&PictureId> {
        self.what.pictures(|record| &record.capture)
    }

    /// The entry at its place.
    pub fn at_place(self, seq: Seq) -> Entry {
        let what = match self.what {
            What::Record(record) => {
                let NewRecord { capture, matches, verdict } = *record;
                What::Record(Box::new(Record { seq, capture, matches, verdict }))
            }
            What::Correction(correction) => What::Correction(correction),
            What::Behaviour(behaviour) => What::Behaviour(behaviour),
            What::Clip(clip) => What::Clip(clip),
            What::Opening(opening) => What::Opening(opening),
            What::Notice(notice) => What::Notice(notice),
        };
        Entry { seq, at: self.at, camera: self.camera, what }
    }
}
