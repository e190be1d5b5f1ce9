//! People, their profiles and enrolment.

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
    /// The profile.
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
    /// By which a [`Scope`](crate::gallery::Scope) includes the person.
    pub fn membership(&self) -> Membership {
        let permission_groups = self.profile.permission_groups.clone();
        Membership { libraries: self.libraries.clone(), permission_groups }
    }
}

/// Whether searches find a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Enrolment {
    /// Searches find the person.
    Enrolled,
    /// Searches will find the person once the photo is described.
    Pending,
    /// Searches do not find the person: the photo cannot be used.
    Failed(PhotoFault),
}

/// [`Enrolment`] without the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EnrolmentState {
    /// Searches find the person.
    Enrolled,
    /// Searches will find the person once the photo is described.
    Pending,
    /// Searches do not find the person.
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

/// Why an enrolment photo cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PhotoFault {
    /// It is not a picture, or its file is missing.
    BadPicture,
    /// It shows no face.
    NoFace,
    /// It shows several faces where one is wanted.
    ManyFaces,
    /// The quality of the face is too low.
    LowQuality,
}

impl PhotoFault {
    /// The fault of the photo that an error reports; `None` for an error that is not a fault of the photo.
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

/// The profile of a person; empty text for what is unknown.
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
    /// When the person is admitted.
    pub validity: Validity,
    /// Ids of [permission groups](crate::PermissionGroup).
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

/// When a person is admitted.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Validity {
    /// Always.
    #[default]
    Permanent,
    /// From the first instant to the second, both included; [`Timestamp::MIN`] and [`Timestamp::MAX`] mean no
    /// limit.
    Between(Timestamp, Timestamp),
    /// Every day from `from` to the next `to`, local time: over midnight when `to` is earlier, all day long when they
    /// are equal. A window that begins on one of the days `first..=last` is valid to its end, also on the morning
    /// after the last day; the window that ends on the morning of the first day is not valid.
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
    /// For this many more passes.
    Uses(u32),
}

impl Validity {
    /// Whether passes are counted.
    pub fn is_counted(&self) -> bool {
        matches!(self, Self::Uses(_))
    }
}

/// A person to be enrolled.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NewPerson {
    /// The platform's id; `None`: a random one.
    pub code: Option<PersonCode>,
    /// The profile.
    pub profile: Profile,
    /// Libraries to enrol into, at least one.
    pub libraries: Vec<LibraryId>,
    /// An encoded picture that shows the person's face.
    pub photo: Bytes,
    /// Treatment of a photo of several people.
    pub several_faces: SeveralFaces,
    /// Treatment of an unusable photo.
    pub unusable_photo: UnusablePhoto,
    /// Note of an adapter.
    pub note: Option<Note>,
}

/// Treatment of a photo that shows no face, several faces where one is wanted, or a face of too low quality, and of a
/// photo that cannot be described now. Data that is not a picture is refused in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnusablePhoto {
    /// Refuse it, so that searches find everyone on the device.
    #[default]
    Refuse,
    /// Keep the person, as [`Enrolment::Failed`] or [`Enrolment::Pending`].
    Keep,
}

/// Treatment of a photo that shows several faces where one is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SeveralFaces {
    /// Refuse it.
    #[default]
    Refuse,
    /// Take the largest face.
    TakeLargest,
}

/// A person to be stored; the photo is stored already.
#[derive(Debug, Clone, PartialEq)]
pub struct EnrolledPerson {
    /// Unique on the device.
    pub code: PersonCode,
    /// The profile.
    pub profile: Profile,
    /// Existing libraries, at least one.
    pub libraries: Vec<LibraryId>,
    /// The stored photo.
    pub photo: KeptPhoto,
    /// Note of an adapter.
    pub note: Option<Note>,
    /// When enrolled.
    pub at: Timestamp,
}

/// A change of a person; `None` keeps the present value.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PersonChange {
    /// A complete new profile; to change single fields, use [`Acts::change_profile`](crate::Acts::change_profile).
    pub profile: Option<Profile>,
    /// A new set of libraries, at least one.
    pub libraries: Option<Vec<LibraryId>>,
    /// Another photo; replaces the former one and its templates.
    pub photo: Option<KeptPhoto>,
    /// Note of an adapter.
    pub note: Option<Note>,
}

/// A stored enrolment photo.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptPhoto {
    /// The stored photo.
    pub picture: PictureId,
    /// The embedding model in use.
    pub model: ModelId,
    /// Its description by that model.
    pub described: Description,
}

/// Description of an enrolment photo by an embedding model.
#[derive(Debug, Clone, PartialEq)]
pub enum Description {
    /// Described.
    Template(PhotoTemplate),
    /// Not described yet.
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

    /// The template, if described.
    pub fn template(&self) -> Option<&PhotoTemplate> {
        match self {
            Self::Template(template) => Some(template),
            Self::Pending | Self::Unusable(_) => None,
        }
    }
}

/// A change of a person besides the profile; `None` keeps the present value.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Amendment {
    /// A new set of libraries, at least one.
    pub libraries: Option<Vec<LibraryId>>,
    /// Another encoded picture that shows the person's face.
    pub photo: Option<Bytes>,
    /// Treatment of a photo of several people.
    pub several_faces: SeveralFaces,
    /// Treatment of an unusable photo.
    pub unusable_photo: UnusablePhoto,
    /// Note of an adapter.
    pub note: Option<Note>,
}

/// The entry of a person in the gallery.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    /// The person.
    pub person: PersonId,
    /// By which a [`Scope`](crate::gallery::Scope) includes the person.
    pub membership: Membership,
    /// Embedding of the enrolment photo.
    pub embedding: Embedding,
}

/// Memberships of a person by which a search can be restricted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Membership {
    /// The libraries the person is in.
    pub libraries: Vec<LibraryId>,
    /// Names of the person's permission groups.
    pub permission_groups: Vec<String>,
}

/// Template: the face of an enrolment photo, described by an embedding model.
#[derive(Debug, Clone, PartialEq)]
pub struct PhotoTemplate {
    /// Embedding of the face.
    pub embedding: Embedding,
    /// Quality of the face, 0..=100.
    pub quality: u8,
}

/// Numbers of people without a template of an embedding model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TemplateGaps {
    /// People whose photos it has not described yet.
    pub missing: u64,
    /// People in whose photos it found no usable face.
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
    /// Whether the person is blocked: by category, or by a library of kind `Block`.
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
    /// With this enrolment state.
    pub enrolment: Option<EnrolmentState>,
    /// Enrolled at or after this time.
    pub created_from: Option<Timestamp>,
    /// Enrolled at or before this time.
    pub created_to: Option<Timestamp>,
    /// Meeting any one of these conditions.
    pub any: Option<AnyOf>,
}

/// Conditions of which any one suffices.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AnyOf {
    /// Part of the name, document number or address, as [`names::holds`](crate::names::holds) compares.
    pub text: String,
    /// Part of the stated age written as a number.
    pub age: Option<String>,
    /// The stated sex.
    pub gender: Option<Gender>,
}
