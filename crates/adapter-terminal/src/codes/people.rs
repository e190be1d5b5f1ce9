//! Faults of a person or a picture, and each operator's line for them.
#![deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants)]

use std::fmt::Display;

use domain::{Error, Thing};

use super::Refusal;

/// A fault of a person or a picture; each operator has its own code for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PersonFault {
    /// `customId` is missing or too long.
    NoCustomId,
    /// The `customId` exists.
    Exists,
    /// The `customId` does not exist.
    Unknown,
    /// There is neither a picture nor a URL.
    NoPicture,
    /// Not base64.
    NotBase64,
    /// The server's name or address cannot be used.
    UnknownHost,
    /// The server did not send the picture, or timed out.
    Download,
    /// Too few bytes for a picture.
    TooShort,
    /// Too many bytes or pixels.
    TooLarge,
    /// Not a picture.
    NotPicture,
    /// No face, several faces, or none good enough.
    NoFeature,
    /// The maximum number of people is reached.
    Full,
    /// The card of the built-in reader belongs to another person.
    RfidTaken,
    /// The Wiegand card belongs to another person.
    CardTaken,
    /// `WGFacilityCode` is missing.
    NoFacility,
    /// `cardNum2` is missing.
    NoCard,
    /// The face resembles one that is enrolled.
    TooSimilar,
    /// The picture cannot be stored.
    PictureStore,
    /// The person cannot be stored with these values.
    PersonStore,
    /// A field has a value that the document does not allow.
    Value,
}

/// A fault, and the reason where the fault alone does not give it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Flaw {
    pub(crate) fault: PersonFault,
    /// For the platform and the log: names a field or a reason, never a value that was sent.
    pub(crate) why: Option<String>,
}

impl PersonFault {
    pub(crate) fn because(self, why: impl Display) -> Flaw {
        Flaw { fault: self, why: Some(why.to_string()) }
    }
}

impl From<PersonFault> for Flaw {
    fn from(fault: PersonFault) -> Self {
        Self { fault, why: None }
    }
}

/// The fault of an error of the core.
pub(crate) fn person_fault(error: &Error) -> PersonFault {
    match error {
        Error::NotFound { what } => missing(*what),
        Error::AlreadyExists { what: Thing::PersonCode | Thing::Person } => PersonFault::Exists,
        Error::Invalid { field: "cards", .. } => PersonFault::CardTaken,
        Error::NoFace | Error::ManyFaces | Error::LowQuality { .. } => PersonFault::NoFeature,
        Error::BadPicture { .. } => PersonFault::NotPicture,
        Error::LimitReached { .. } => PersonFault::Full,
        Error::StorageFull => PersonFault::PictureStore,
        Error::AlreadyExists { .. }
        | Error::Invalid { .. }
        | Error::InUse { .. }
        | Error::Busy
        | Error::WrongCredentials
        | Error::Locked { .. }
        | Error::Forbidden
        | Error::NotSupported { .. }
        | Error::Unavailable { .. }
        | Error::Internal { .. } => PersonFault::PersonStore,
    }
}

/// As [`person_fault`], with the reason where the fault covers several errors.
pub(crate) fn person_flaw(error: &Error) -> Flaw {
    let fault = person_fault(error);
    let vague = matches!(fault, PersonFault::PersonStore | PersonFault::PictureStore);
    if vague { fault.because(error) } else { fault.into() }
}

fn missing(what: Thing) -> PersonFault {
    if matches!(what, Thing::Person | Thing::PersonCode) { PersonFault::Unknown } else { PersonFault::PersonStore }
}

/// The line of EditPerson.
pub(crate) fn edit_person(fault: PersonFault) -> Refusal {
    use super::edit_person as table;
    match fault {
        PersonFault::NoCustomId => table::NO_CUSTOM_ID,
        PersonFault::NotBase64 | PersonFault::NotPicture => table::NOT_BASE64,
        PersonFault::NoFeature => table::NO_FEATURE,
        PersonFault::Full => table::FULL,
        PersonFault::TooShort => table::TOO_SHORT,
        PersonFault::TooLarge => table::TOO_LARGE,
        PersonFault::UnknownHost => table::UNKNOWN_HOST,
        PersonFault::Download => table::DOWNLOAD,
        PersonFault::NoPicture => table::NO_PICTURE,
        PersonFault::RfidTaken => table::RFID_TAKEN,
        PersonFault::NoFacility => table::NO_FACILITY,
        PersonFault::NoCard => table::NO_CARD,
        PersonFault::CardTaken => table::CARD_TAKEN,
        PersonFault::Value => table::NO_INFO,
        PersonFault::Exists
        | PersonFault::Unknown
        | PersonFault::TooSimilar
        | PersonFault::PictureStore
        | PersonFault::PersonStore => table::OTHER,
    }
}

/// The `errcode` of one person of AddPersons, EditPersons and EditPersonsNew, in this order.
fn item_codes(fault: PersonFault) -> [u16; 3] {
    match fault {
        PersonFault::NoCustomId => [470, 461, 461],
        PersonFault::Exists => [461, 479, 479],
        PersonFault::Unknown => [470, 462, 479],
        PersonFault::NoPicture => [463, 479, 481],
        PersonFault::UnknownHost => [464; 3],
        PersonFault::Download => [465; 3],
        PersonFault::NotBase64 | PersonFault::TooShort | PersonFault::NotPicture => [466; 3],
        PersonFault::TooLarge => [467; 3],
        PersonFault::NoFeature => [468; 3],
        PersonFault::PictureStore => [469; 3],
        PersonFault::Full | PersonFault::PersonStore | PersonFault::Value => [470, 479, 479],
        PersonFault::RfidTaken => [462, 479, 480],
        PersonFault::CardTaken => [475, 479, 475],
        PersonFault::NoFacility => [476; 3],
        PersonFault::NoCard => [477; 3],
        PersonFault::TooSimilar => [478, 479, 479],
    }
}

/// The `errcode` of one person of AddPersons.
pub(crate) fn add_persons_item(fault: PersonFault) -> u16 {
    item_codes(fault)[0]
}

/// The `errcode` of one person of EditPersons.
pub(crate) fn edit_persons_item(fault: PersonFault) -> u16 {
    item_codes(fault)[1]
}

/// The `errcode` of one person of EditPersonsNew.
pub(crate) fn edit_persons_new_item(fault: PersonFault) -> u16 {
    item_codes(fault)[2]
}
