//! People and what is known of them.

use bytes::Bytes;
use jiff::civil::{Date, Time};

use crate::{Embedding, Error, Gender, LibraryId, ModelId, Note, PersonCode, PersonId, PictureId, Timestamp};

/// One human with one enrolment photo.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    /// The device's own id, never reused.
    pub id: PersonId,
    /// The platform's id, unique on the device.
    pub code: PersonCode,
    /// What is known of the person.
    pub profile: Profile,
    /// The libraries the person is in, ascending, at least one.
    pub libraries: Vec<LibraryId>,
    /// The enrolment photo as it was received.
    pub photo: PictureId,
    /// Whether searches find the person.
    pub enrolment: Enrolment,
    /// When enrolled.
    pub created_at: Timestamp,
    /// When the profile, libraries or photo last changed.
    pub updated_at: Timestamp,
}

impl Person {
    /// By what a search may pass over the person.
    pub fn membership(&self) -> Membership {
        let permission_groups = self.profile.permission_groups.clone();
        Membership { libraries: self.libraries.clone(), permission_groups }
    }
}

/// Whether searches find a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Enrolment {
    /// They do.
    Enrolled,
    /// The photo has not been described yet; they do once it is.
    Pending,
    /// They do not: the photo cannot be used.
    Failed(PhotoFault),
}

/// [`Enrolment`] without the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EnrolmentState {
    /// Searches find the person.
    Enrolled,
    /// They will once the photo is described.
    Pending,
    /// They do not, whatever the reason.
    Failed,
}

impl Enrolment {
    /// The state without the reason.
    pub fn state(self) -> EnrolmentState {
        match self {
            Self::Enrolled => EnrolmentState::Enrolled,
            Self::Pending => EnrolmentState::Pending,
            Self::Failed(_) => EnrolmentState::Failed,
        }
    }
}

/// Why nobody is found by an enrolment photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PhotoFault {
    /// It is no picture, or its bytes are gone.
    BadPicture,
    /// It shows no face.
    NoFace,
    /// It shows several faces where one is wanted.
    ManyFaces,
    /// The face is too poor a shot to be compared with.
    LowQuality,
}

impl PhotoFault {
    /// The fault of the photo that an error tells of; `None` for an error that is none of the photo's.
    pub(crate) fn of(error: &Error) -> Option<Self> {
        match error {
            Error::BadPicture { .. } => Some(Self::BadPicture),
            Error::NoFace => Some(Self::NoFace),
            Error::ManyFaces => Some(Self::ManyFaces),
            Error::LowQuality { .. } => Some(Self::LowQuality),
            _ => None,
        }
    }
}

/// What is known of a person; empty text where nothing is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Profile {
    /// Display name.
    pub name: String,
    /// Stated sex.
    pub gender: Option<Gender>,
    /// Date of birth.
    pub birth_date: Option<Date>,
    /// Stated age in years, 1..=120.
    pub age: Option<u8>,
    /// Kind of identity document, as the platform names it.
    pub document_kind: String,
    /// Number of the identity document.
    pub document_number: String,
    /// Phone number.
    pub phone: String,
    /// Mail address.
    pub email: String,
    /// Postal address.
    pub address: String,
    /// Native place.
    pub native_place: String,
    /// Ethnic group.
    pub ethnic_group: String,
    /// Free text.
    pub remark: String,
    /// How the person is to be treated.
    pub category: Category,
    /// Numbers of access cards.
    pub cards: Vec<String>,
    /// When the person is welcome.
    pub validity: Validity,
    /// Names of permission groups.
    pub permission_groups: Vec<String>,
}

/// How a person is to be treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Category {
    /// Belongs here.
    #[default]
    Staff,
    /// Comes for a while.
    Visitor,
    /// Must not pass.
    Blocked,
    /// Recorded without a name.
    Stranger,
    /// To be greeted.
    Vip,
}

/// When a person is welcome.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Validity {
    /// Always.
    #[default]
    Permanent,
    /// From the first instant to the second, both included; [`Timestamp::MIN`] and [`Timestamp::MAX`] stand for an end
    /// that is not set.
    Between(Timestamp, Timestamp),
    /// Every day from `from` to the next `to`, local time: over midnight when `to` is earlier, all day long when they
    /// are equal. A window that begins on one of the days `first..=last` is valid to its end, also in the morning
    /// after the last day; none of the morning of the first day is, where the window of the day before ends in it.
    DailyBetween {
        /// Start of the daily window.
        from: Time,
        /// End of the daily window, included; midnight is the end of the day.
        to: Time,
        /// The first day on which a window begins; `None`: every day before too.
        first: Option<Date>,
        /// The last day on which a window begins; `None`: every day after too.
        last: Option<Date>,
    },
    /// As many more times.
    Uses(u32),
}

impl Validity {
    /// Whether each visit takes one of so many.
    pub fn is_counted(&self) -> bool {
        matches!(self, Self::Uses(_))
    }
}

/// A person to be enrolled.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NewPerson {
    /// The platform's id; `None` lets the device make one.
    pub code: Option<PersonCode>,
    /// What is known of the person.
    pub profile: Profile,
    /// Libraries to enrol into, at least one.
    pub libraries: Vec<LibraryId>,
    /// An encoded picture that shows the person's face.
    pub photo: Bytes,
    /// What to do with a photo of several people.
    pub several_faces: SeveralFaces,
    /// What to do with a photo by which nobody can be found.
    pub unusable_photo: UnusablePhoto,
    /// What an adapter notes on the person.
    pub note: Option<Note>,
}

/// What to do with a photo that shows no face, several where one is wanted, or a face that is too poor a shot; and with
/// one that cannot be described now. What is no picture is refused in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnusablePhoto {
    /// Refuse it: there is nobody on the device whom searches do not find.
    #[default]
    Refuse,
    /// Keep the person, as [`Enrolment::Failed`] or [`Enrolment::Pending`].
    Keep,
}

/// What to do with a photo that shows several faces where one is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SeveralFaces {
    /// Refuse it.
    #[default]
    Refuse,
    /// Take the largest face.
    TakeLargest,
}

/// A person ready to be stored: the photo is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct EnrolledPerson {
    /// Unique on the device.
    pub code: PersonCode,
    /// What is known of the person.
    pub profile: Profile,
    /// Existing libraries, at least one.
    pub libraries: Vec<LibraryId>,
    /// The stored photo.
    pub photo: KeptPhoto,
    /// What an adapter notes on the person.
    pub note: Option<Note>,
    /// When enrolled.
    pub at: Timestamp,
}

/// What to change of a person; `None` keeps.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PersonChange {
    /// A whole new profile; to change some fields of it, [`Acts::change_profile`](crate::Acts::change_profile).
    pub profile: Option<Profile>,
    /// A new set of libraries, at least one.
    pub libraries: Option<Vec<LibraryId>>,
    /// Another photo, in place of the one before and all that models made of that.
    pub photo: Option<KeptPhoto>,
    /// What an adapter notes on the person.
    pub note: Option<Note>,
}

/// An enrolment photo that is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptPhoto {
    /// The stored photo.
    pub picture: PictureId,
    /// The embedding model in use.
    pub model: ModelId,
    /// What that makes of it.
    pub described: Description,
}

/// What an embedding model makes of an enrolment photo.
#[derive(Debug, Clone, PartialEq)]
pub enum Description {
    /// A face to be compared with.
    Template(PhotoTemplate),
    /// Nothing yet.
    Pending,
    /// The photo cannot be used.
    Unusable(PhotoFault),
}

impl Description {
    /// Whether searches find a person with this photo.
    pub fn enrolment(&self) -> Enrolment {
        match self {
            Self::Template(_) => Enrolment::Enrolled,
            Self::Pending => Enrolment::Pending,
            Self::Unusable(fault) => Enrolment::Failed(*fault),
        }
    }

    /// The face to be compared with, if there is one.
    pub fn template(&self) -> Option<&PhotoTemplate> {
        match self {
            Self::Template(template) => Some(template),
            Self::Pending | Self::Unusable(_) => None,
        }
    }
}

/// What to change of a person besides the profile; `None` keeps.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Amendment {
    /// A new set of libraries, at least one.
    pub libraries: Option<Vec<LibraryId>>,
    /// Another encoded picture that shows the person's face.
    pub photo: Option<Bytes>,
    /// What to do with a photo of several people.
    pub several_faces: SeveralFaces,
    /// What to do with a photo by which nobody can be found.
    pub unusable_photo: UnusablePhoto,
    /// What an adapter notes on the person.
    pub note: Option<Note>,
}

/// What the gallery needs of a person.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    /// Whose it is.
    pub person: PersonId,
    /// By what a search may pass over the person.
    pub membership: Membership,
    /// Of the enrolment photo.
    pub embedding: Embedding,
}

/// What a person belongs to, as far as a search may ask for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Membership {
    /// The libraries the person is in.
    pub libraries: Vec<LibraryId>,
    /// Names of the person's permission groups.
    pub permission_groups: Vec<String>,
}

/// The face of an enrolment photo, as an embedding model describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct PhotoTemplate {
    /// Of the face in the photo.
    pub embedding: Embedding,
    /// Of the face in the photo, 0..=100.
    pub quality: u8,
}

/// How many people an embedding model does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TemplateGaps {
    /// Their photos were not shown to it yet.
    pub missing: u64,
    /// It found no usable face in their photos.
    pub unusable: u64,
}

/// Which people to list; conditions are combined with AND, the newest come first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PersonFilter {
    /// In this library.
    pub library: Option<LibraryId>,
    /// With this whole name, as [`names::same`](crate::names::same) compares.
    pub name: Option<String>,
    /// With this in the name, as [`names::holds`](crate::names::holds) compares.
    pub name_part: Option<String>,
    /// With this in the phone number.
    pub phone_part: Option<String>,
    /// Whether the person must not pass: blocked, or in a library of the blocked.
    pub blocked: Option<bool>,
    /// With this access card.
    pub card: Option<String>,
    /// With exactly this document number.
    pub document_number: Option<String>,
    /// With this in the document number, as [`names::holds`](crate::names::holds) compares.
    pub document_number_part: Option<String>,
    /// With this stated sex.
    pub gender: Option<Gender>,
    /// Without a stated sex.
    pub gender_unstated: bool,
    /// With this stated age.
    pub age: Option<u8>,
    /// With exactly this address.
    pub address: Option<String>,
    /// Found by searches, not yet, or not at all for whatever reason.
    pub enrolment: Option<EnrolmentState>,
    /// Enrolled at or after this time.
    pub created_from: Option<Timestamp>,
    /// Enrolled at or before this time.
    pub created_to: Option<Timestamp>,
    /// Any one of the texts, or the gender or age, fits.
    pub any: Option<AnyOf>,
}

/// A condition that any one of several fields may meet.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AnyOf {
    /// Part of the name, document number or address, as [`names::holds`](crate::names::holds) compares.
    pub text: String,
    /// Part of the stated age written as a number.
    pub age: Option<String>,
    /// The stated sex.
    pub gender: Option<Gender>,
}
