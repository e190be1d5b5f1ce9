//! The log: everything that happened and must be kept or delivered, in one order.

use std::net::SocketAddr;

use crate::{Behaviour, CameraId, Capture, NewRecord, Output, PersonCode, PersonId, PictureId, Record, Seq, Timestamp};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its place in the log: commit order, never reused.
    pub seq: Seq,
    /// When it happened.
    pub at: Timestamp,
    /// The camera that saw it, where one did.
    pub camera: Option<CameraId>,
    /// What happened.
    pub what: What,
}

/// An entry about to be appended.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEntry {
    /// When it happened.
    pub at: Timestamp,
    /// The camera that saw it, where one did.
    pub camera: Option<CameraId>,
    /// What happened.
    pub what: What<NewRecord>,
}

/// What happened; `R` is the record, before or after it has its place.
#[derive(Debug, Clone, PartialEq)]
pub enum What<R = Record> {
    /// A face was captured and compared.
    Record(Box<R>),
    /// A record was corrected.
    Correction(Correction),
    /// A rule over moving objects fired or recovered.
    Behaviour(Box<Behaviour>),
    /// A door opened, or stayed closed on request.
    Opening(Opening),
    /// Something stopped working, or works again.
    Notice(Notice),
}

/// The kinds of entries, as feeds choose among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EntryKind {
    /// [`What::Record`].
    Record,
    /// [`What::Correction`].
    Correction,
    /// [`What::Behaviour`].
    Behaviour,
    /// [`What::Opening`].
    Opening,
    /// [`What::Notice`].
    Notice,
}

/// A person, as named at that time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedPerson {
    /// The person.
    pub id: PersonId,
    /// The platform's id.
    pub code: PersonCode,
    /// Display name.
    pub name: String,
}

/// A statement that a record shows somebody else than was recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// The record.
    pub record: Seq,
    /// Who it shows; `None`: nobody enrolled.
    pub shows: Option<NamedPerson>,
    /// Who said so.
    pub actor: String,
}

/// A door that opened, or that stayed closed although somebody asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// The door.
    pub door: Door,
    /// False: it stayed closed.
    pub opened: bool,
    /// For whom; `None`: nobody in front of it is known, as for a command.
    pub person: Option<NamedPerson>,
    /// What was shown or sent.
    pub by: Means,
    /// Who had it opened: a user, an adapter, a reader or a camera.
    pub actor: String,
    /// Why it stayed closed; empty when it opened.
    pub why: String,
}

/// What opens when access is granted.
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

/// What a door was opened by.
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
    /// Whether something was shown to a reader.
    pub fn was_read(self) -> bool {
        match self {
            Self::Card | Self::Code | Self::Document | Self::FaceAndCard | Self::FaceAndDocument => true,
            Self::Face | Self::Command => false,
        }
    }
}

/// Something stopped working, or works again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The part of the device.
    pub topic: Topic,
    /// Which of several: the camera's channel, the reader's or feed's name; empty where there is one.
    pub subject: String,
    /// True when it stopped working, false when it works again.
    pub raised: bool,
    /// Why it stopped, for a human; empty when it works again.
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
    /// A receiver permanently refuses an entry, and its feed stands.
    Feed,
}

impl EntryKind {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::Record, Self::Correction, Self::Behaviour, Self::Opening, Self::Notice];
}

impl<R> What<R> {
    /// The kind.
    pub fn kind(&self) -> EntryKind {
        match self {
            Self::Record(_) => EntryKind::Record,
            Self::Correction(_) => EntryKind::Correction,
            Self::Behaviour(_) => EntryKind::Behaviour,
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
                [crop, scene]
            }
            Self::Behaviour(behaviour) => [&behaviour.crop, &behaviour.scene],
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

    /// The stored pictures that it names.
    pub fn pictures(&self) -> Vec<&PictureId> {
        self.what.pictures(|record| &record.capture)
    }

    /// The record, when it is one.
    pub fn into_record(self) -> Option<Record> {
        if let What::Record(record) = self.what { Some(*record) } else { None }
    }
}

impl NewEntry {
    /// The stored pictures that it names.
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
            What::Opening(opening) => What::Opening(opening),
            What::Notice(notice) => What::Notice(notice),
        };
        Entry { seq, at: self.at, camera: self.camera, what }
    }
}
