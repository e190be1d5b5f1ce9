//! Enrolling and changing one person, for all operators.

use std::io::Cursor;

use adapter::{OutboundError, PictureTextError, decode_picture};
use bytes::Bytes;
use domain::{
    Amendment, Error, LibraryFilter, LibraryId, NewPerson, Note, Person, PersonFilter, Profile, SeveralFaces, Window,
};

use crate::codes::people::{Flaw, PersonFault, person_flaw};
use crate::convert::people::{self, SentCards};
use crate::device::Device;
use crate::settings;
use crate::wire::people::{OwnFields, PersonFields};
use crate::work::cameras::InForce;

/// The largest picture, bytes.
pub(crate) const LARGEST_PICTURE: usize = 1 << 20;
/// The smallest picture, bytes; a shorter file is not one.
const SHORTEST_PICTURE: usize = 1000;
/// The most pixels of a fetched picture, along its longer and its shorter side.
const MOST_PIXELS: (u32, u32) = (1920, 1080);

/// What a command does with a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// The id must be free.
    Add,
    /// As `Add`, continued after a restart: a person with this id was added before it.
    AddAgain,
    /// The id must exist.
    Edit,
    /// Either.
    AddOrEdit,
}

/// Enrols a person or changes one, completely or not at all.
pub(crate) async fn enrol(device: &Device, fields: PersonFields, act: Act) -> Result<Person, Flaw> {
    let code = people::code(&fields)?;
    if let Some(flaw) = fields.flaw {
        return Err(flaw);
    }
    let present = match device.appliance.person_by_code(code.clone()).await {
        Ok(person) => Some(person),
        Err(Error::NotFound { .. }) => None,
        Err(error) => return Err(fault(&error)),
    };
    match (&present, act) {
        (Some(_), Act::Add) => return Err(PersonFault::Exists.into()),
        (None, Act::Edit) => return Err(PersonFault::Unknown.into()),
        (Some(_), Act::AddAgain | Act::Edit | Act::AddOrEdit) | (None, Act::Add | Act::AddAgain | Act::AddOrEdit) => {}
    }
    let own = own_fields(device, present.as_ref()).await?;
    people::check_cards(&fields, &own)?;
    check_free_cards(device, &fields, present.as_ref()).await?;
    let before = present.as_ref().map(|person| person.profile.clone()).unwrap_or_default();
    let profile = people::profile(&fields, &own, before, &device.zone())?;
    let photo = picture(device, &fields).await?;
    let note = device.state().noting(own.clone().with(&fields.own).note());
    match present {
        Some(person) => change(device, &person, fields, own, photo, note).await,
        None => {
            let person = NewPerson { code: Some(code), profile, note: Some(note), ..NewPerson::default() };
            add(device, person, photo, fields.check_similarity).await
        }
    }
}

async fn own_fields(device: &Device, person: Option<&Person>) -> Result<OwnFields, Flaw> {
    let Some(person) = person else { return Ok(OwnFields::default()) };
    settings::own_fields(&device.state(), person.id).await.map_err(|error| fault(&error))
}

/// The two cards of one person may be the same; two people must not share a card.
async fn check_free_cards(device: &Device, fields: &PersonFields, but: Option<&Person>) -> Result<(), Flaw> {
    let SentCards { wiegand, rf } = SentCards::of(fields);
    for (card, taken) in [(rf, PersonFault::RfidTaken), (wiegand, PersonFault::CardTaken)] {
        let Some(card) = card else { continue };
        let filter = PersonFilter { card: Some(card), ..Default::default() };
        let holders = device.appliance.people(filter, Window { skip: 0, limit: 1 }).await.map_err(|e| fault(&e))?;
        if holders.rows.iter().any(|holder| Some(holder.id) != but.map(|person| person.id)) {
            return Err(taken.into());
        }
    }
    Ok(())
}

async fn add(device: &Device, person: NewPerson, photo: Option<Bytes>, check_similarity: bool) -> Result<Person, Flaw> {
    let photo = photo.ok_or(PersonFault::NoPicture)?;
    if check_similarity && resembles_an_enrolled_face(device, photo.clone()).await? {
        return Err(PersonFault::TooSimilar.into());
    }
    let libraries = vec![LibraryId::DEFAULT];
    let person = NewPerson { libraries, photo, several_faces: SeveralFaces::TakeLargest, ..person };
    device.acts().enrol(person).await.map_err(|error| fault(&error))
}

async fn change(
    device: &Device,
    person: &Person,
    fields: PersonFields,
    own: OwnFields,
    photo: Option<Bytes>,
    note: Note,
) -> Result<Person, Flaw> {
    let amendment =
        Amendment { photo, several_faces: SeveralFaces::TakeLargest, note: Some(note), ..Amendment::default() };
    let zone = device.zone();
    // The fields were checked before; a change that another adapter made meanwhile is kept.
    let put = move |before: Profile| people::profile(&fields, &own, before.clone(), &zone).unwrap_or(before);
    device.acts().amend_person(person.id, amendment, put).await.map_err(|error| fault(&error))
}

async fn resembles_an_enrolled_face(device: &Device, photo: Bytes) -> Result<bool, Flaw> {
    let rules = device.appliance.door_rules().await.map_err(|error| fault(&error))?;
    let in_force = InForce::load(device).await.map_err(|error| fault(&error))?;
    let libraries = device.appliance.libraries(LibraryFilter::default()).await.map_err(|error| fault(&error))?;
    let libraries = libraries.into_iter().map(|library| library.id).collect();
    let found = device.appliance.search(photo, libraries, 1, in_force.door_threshold(&rules)).await;
    Ok(!found.map_err(|error| fault(&error))?.hits.is_empty())
}

/// The picture in the command, or at its URL.
async fn picture(device: &Device, fields: &PersonFields) -> Result<Option<Bytes>, Flaw> {
    match (&fields.pic, &fields.pic_uri) {
        (Some(text), _) => decode_picture(text, LARGEST_PICTURE).map(Some).map_err(|error| match error {
            PictureTextError::TooLarge => PersonFault::TooLarge.into(),
            PictureTextError::Empty | PictureTextError::NotBase64 => PersonFault::NotBase64.into(),
        }),
        (None, Some(url)) => fetch(device, url).await.map(Some),
        (None, None) => Ok(None),
    }
}

async fn fetch(device: &Device, url: &str) -> Result<Bytes, Flaw> {
    let picture = device.outbound.fetch_picture(url, LARGEST_PICTURE).await;
    let picture = picture.map_err(|error| match error {
        OutboundError::BadUrl { .. } | OutboundError::NotAllowed | OutboundError::UnknownHost => {
            PersonFault::UnknownHost
        }
        OutboundError::TooLarge => PersonFault::TooLarge,
        OutboundError::Unreachable { .. }
        | OutboundError::TimedOut
        | OutboundError::Status(_)
        | OutboundError::Disk(_)
        | OutboundError::Setup { .. } => PersonFault::Download,
    })?;
    if picture.len() < SHORTEST_PICTURE {
        return Err(PersonFault::TooShort.into());
    }
    if has_too_many_pixels(&picture) { Err(PersonFault::TooLarge.into()) } else { Ok(picture) }
}

/// Reads the header only; the decoder refuses a picture without one.
fn has_too_many_pixels(picture: &[u8]) -> bool {
    let reader = image::ImageReader::new(Cursor::new(picture)).with_guessed_format();
    let size = reader.ok().and_then(|reader| reader.into_dimensions().ok());
    let (longer, shorter) = size.map_or((0, 0), |(width, height)| (width.max(height), width.min(height)));
    longer > MOST_PIXELS.0 || shorter > MOST_PIXELS.1
}

/// Logs an error that is the device's own fault.
fn fault(error: &Error) -> Flaw {
    if matches!(error, Error::Internal { .. } | Error::StorageFull) {
        tracing::error!(error = error.chain(), "failed to store a person");
    }
    person_flaw(error)
}
