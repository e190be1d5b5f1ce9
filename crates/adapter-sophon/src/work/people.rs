//! Enrolling and changing people.

use bytes::Bytes;
use domain::{
    Actor, Amendment, Error, LibraryId, NewPerson, Person, PersonCode, Profile, SeveralFaces, Thing, UnusablePhoto,
};

use super::permissions;
use crate::codes::{Code, Fault};
use crate::convert::people::Details;
use crate::device::Device;

/// A person to be stored.
pub(crate) struct Entry {
    pub(crate) code: PersonCode,
    pub(crate) details: Details,
    /// `None` leaves the photo of somebody who is known.
    pub(crate) photo: Option<Bytes>,
    /// Groups that the person is to be in, beside those of somebody who is known.
    pub(crate) groups: Vec<LibraryId>,
}

/// An identity number.
///
/// # Errors
/// Code 40091 when it is not one.
pub(crate) fn code(text: &str) -> Result<PersonCode, Fault> {
    Ok(text.parse::<PersonCode>()?)
}

/// The person with this number, if there is one.
pub(crate) async fn known(device: &Device, code: &PersonCode) -> Result<Option<Person>, Fault> {
    match device.appliance.person_by_code(code.clone()).await {
        Ok(person) => Ok(Some(person)),
        Err(Error::NotFound { what: Thing::Person | Thing::PersonCode }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Stores somebody new. To be called with `one_at_a_time` held.
///
/// # Errors
/// Code 40091 without a name, those of the photo, and those of the core.
pub(crate) async fn enrol(device: &Device, actor: &Actor, entry: Entry) -> Result<Person, Fault> {
    let Entry { code, mut details, photo, groups } = entry;
    details.require_name()?;
    resolve(device, &mut details).await?;
    let person = NewPerson {
        code: Some(code),
        note: Some(device.noting(&details.noted(serde_json::Map::new())?)?),
        profile: details.put_into(Profile::default()),
        libraries: groups,
        photo: photo.ok_or_else(|| Fault::with(Code::Picture, "no picture"))?,
        several_faces: SeveralFaces::TakeLargest,
        unusable_photo: UnusablePhoto::Refuse,
    };
    Ok(device.appliance.by(actor).enrol(person).await?)
}

/// Changes somebody who is known: what was sent, and further groups. To be called with `one_at_a_time` held.
///
/// # Errors
/// Those of the photo, and those of the core.
pub(crate) async fn amend(device: &Device, actor: &Actor, person: Person, entry: Entry) -> Result<Person, Fault> {
    let Entry { mut details, photo, groups, .. } = entry;
    resolve(device, &mut details).await?;
    let mut libraries = person.libraries;
    libraries.extend(groups);
    libraries.sort_unstable();
    libraries.dedup();
    let note = device.noting(&details.noted(device.noted(person.id).await?)?)?;
    let amendment = Amendment {
        libraries: Some(libraries),
        photo,
        several_faces: SeveralFaces::TakeLargest,
        unusable_photo: UnusablePhoto::Refuse,
        note: Some(note),
    };
    let acts = device.appliance.by(actor);
    Ok(acts.amend_person(person.id, amendment, |profile| details.put_into(profile)).await?)
}

/// Puts ids in place of the names of permission groups.
async fn resolve(device: &Device, details: &mut Details) -> Result<(), Fault> {
    if let Some(ids) = &mut details.permission_ids {
        permissions::resolve(&device.appliance.permission_groups().await?, ids);
    }
    Ok(())
}
