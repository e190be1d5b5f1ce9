//! People.

use std::sync::PoisonError;

use bytes::Bytes;

use super::{Acts, Appliance};
use crate::ports::{Lane, Search};
use crate::{
    Act, Actor, Amendment, Description, Detection, Embedding, EnrolledPerson, Error, KeptPhoto, LibraryFilter,
    LibraryId, NewPerson, Page, Person, PersonChange, PersonCode, PersonFilter, PersonId, PhotoFault, PhotoTemplate,
    PictureId, Profile, Result, SeveralFaces, Stripped, Template, Thing, UnusablePhoto, Window, strip_metadata,
};

/// Lowest overall quality of an enrolment photo, 0..=100; a worse one would raise the rate of wrong matches.
const MIN_ENROL_QUALITY: u8 = 20;

/// The face of a photo.
pub(super) struct Probe {
    pub(super) detection: Detection,
    pub(super) embedding: Embedding,
}

impl From<Probe> for PhotoTemplate {
    fn from(face: Probe) -> Self {
        Self { embedding: face.embedding, quality: face.detection.quality.overall }
    }
}

impl Appliance {
    /// Checks libraries and code before the photo, so that an unknown library or a code in use costs no inference.
    async fn check_admission(&self, person: &NewPerson) -> Result<()> {
        let (libraries, code) = (person.libraries.clone(), person.code.clone());
        self.blocking(move |a| {
            if libraries.is_empty() {
                return Err(Error::invalid("libraries", "at least one is needed"));
            }
            for id in libraries {
                let filter = LibraryFilter { id: Some(id), ..Default::default() };
                if a.ports().people.libraries(&filter)?.is_empty() {
                    return Err(Error::NotFound { what: Thing::Library });
                }
            }
            match code.map(|code| a.ports().people.person_by_code(&code)) {
                Some(Ok(_)) => Err(Error::AlreadyExists { what: Thing::PersonCode }),
                Some(Err(Error::NotFound { .. })) | None => Ok(()),
                Some(Err(error)) => Err(error),
            }
        })
        .await
    }

    /// The face of a photo, if its quality suffices for enrolment.
    pub(super) async fn enrolment_face(&self, photo: Bytes, several: SeveralFaces) -> Result<Probe> {
        let face = self.photo_face(photo, several).await?;
        let quality = face.detection.quality.overall;
        if quality < MIN_ENROL_QUALITY {
            return Err(Error::LowQuality { why: format!("{quality} of 100, {MIN_ENROL_QUALITY} needed") });
        }
        Ok(face)
    }

    /// The face of a photo, of any quality.
    pub(super) async fn photo_face(&self, photo: Bytes, several: SeveralFaces) -> Result<Probe> {
        let analyzer = &self.ports().analyzer;
        let frame = analyzer.decode(photo, self.now()).await?;
        let found = analyzer.detect(frame.clone(), Search::ANYWHERE, Lane::Photo).await?;
        if found.len() > 1 && several == SeveralFaces::Refuse {
            return Err(Error::ManyFaces);
        }
        let largest = found.into_iter().next().ok_or(Error::NoFace)?;
        let (detection, embedding) = analyzer.embed(frame, largest, Lane::Photo).await?;
        Ok(Probe { detection, embedding })
    }

    /// A photo without metadata, upright: as it is if it is a JPEG or PNG file that needs no turning, else as a new JPEG.
    pub(super) async fn bare_photo(&self, photo: Bytes) -> Result<Bytes> {
        match strip_metadata(&photo) {
            Stripped::Bare(bare) => Ok(bare),
            Stripped::Turned | Stripped::Other => {
                let analyzer = &self.ports().analyzer;
                analyzer.encode(analyzer.decode(photo, self.now()).await?, None).await
            }
        }
    }

    /// Describes an enrolment photo with the model in use.
    async fn described(&self, photo: Bytes, several: SeveralFaces, unusable: UnusablePhoto) -> Result<Description> {
        let error = match self.enrolment_face(photo, several).await {
            Ok(face) => return Ok(Description::Template(face.into())),
            Err(error) if unusable == UnusablePhoto::Refuse => return Err(error),
            Err(error) => error,
        };
        match (PhotoFault::of(&error), &error) {
            (Some(PhotoFault::BadPicture), _) => Err(error),
            (Some(fault), _) => Ok(Description::Unusable(fault)),
            (None, Error::Busy | Error::Unavailable { .. }) => Ok(Description::Pending),
            (None, _) => Err(error),
        }
    }

    fn store_person(&self, actor: &Actor, person: NewPerson, described: Description) -> Result<Person> {
        let _order = self.people_order();
        if self.room()? == 0 {
            return Err(Error::LimitReached { what: Thing::Person });
        }
        let enrolled = EnrolledPerson {
            code: person.code.unwrap_or_else(PersonCode::random),
            profile: person.profile,
            libraries: person.libraries,
            photo: self.keep_photo(&person.photo, described)?,
            note: person.note,
            at: self.now(),
        };
        let stored = self.ports().people.insert_person(&enrolled)?;
        self.follow_photo(&stored, enrolled.photo.described);
        self.audit(actor, Act::PERSON_ENROL, &stored.id);
        Ok(stored)
    }

    /// Updates the gallery for a photo just stored. To be called with `people_order` held.
    fn follow_photo(&self, person: &Person, described: Description) {
        match described {
            Description::Template(PhotoTemplate { embedding, .. }) => {
                self.gallery().insert(Template { person: person.id, membership: person.membership(), embedding });
            }
            Description::Pending => {
                self.gallery().remove(&[person.id]);
                self.core.pending_photo.notify_one();
            }
            Description::Unusable(_) => self.gallery().remove(&[person.id]),
        }
    }

    /// Number of people that can still be enrolled.
    pub async fn room_for_people(&self) -> Result<u64> {
        self.blocking(Self::room).await
    }

    fn room(&self) -> Result<u64> {
        let present = self.gallery().len() as u64 + self.ports().people.people_not_enrolled()?;
        Ok(self.options().limits.people.saturating_sub(present))
    }

    /// One person. `NotFound(Person)`.
    pub async fn person(&self, id: PersonId) -> Result<Person> {
        self.blocking(move |a| a.ports().people.person(id)).await
    }

    /// One person by the platform's id. `NotFound(Person)`.
    pub async fn person_by_code(&self, code: PersonCode) -> Result<Person> {
        self.blocking(move |a| a.ports().people.person_by_code(&code)).await
    }

    /// A page of people, newest first.
    pub async fn people(&self, filter: PersonFilter, window: Window) -> Result<Page<Person>> {
        self.blocking(move |a| a.ports().people.people(&filter, window)).await
    }

    /// To be called with `people_order` held.
    fn change_person(&self, actor: &Actor, id: PersonId, change: &PersonChange) -> Result<Person> {
        let changed = self.ports().people.update_person(id, change, self.now())?;
        match &change.photo {
            Some(KeptPhoto { described, .. }) => {
                self.follow_photo(&changed, described.clone());
                self.remove_copy();
            }
            None => self.gallery().set_membership(id, &changed.membership()),
        }
        self.audit(actor, Act::PERSON_UPDATE, &id);
        Ok(changed)
    }

    fn keep_photo(&self, photo: &Bytes, described: Description) -> Result<KeptPhoto> {
        let model = self.gallery().model().clone();
        Ok(KeptPhoto { picture: self.ports().pictures.put(photo)?, model, described })
    }

    /// As [`remove_from_library`](Self::remove_from_library). Blocking.
    pub(super) fn leave_library(&self, actor: &Actor, id: PersonId, library: LibraryId) -> Result<()> {
        let _order = self.people_order();
        let mut libraries = self.ports().people.person(id)?.libraries;
        if !libraries.contains(&library) {
            return Err(Error::NotFound { what: Thing::Person });
        }
        libraries.retain(|other| *other != library);
        if libraries.is_empty() {
            return self.drop_person(actor, id);
        }
        let change = PersonChange { libraries: Some(libraries), ..Default::default() };
        self.change_person(actor, id, &change).map(drop)
    }

    /// To be called with `people_order` held; [`Self::erase_removed`] has to follow without it.
    fn drop_person(&self, actor: &Actor, id: PersonId) -> Result<()> {
        self.ports().people.remove_person(id)?;
        self.gallery().remove(&[id]);
        self.remove_copy();
        self.audit(actor, Act::PERSON_REMOVE, &id);
        Ok(())
    }

    pub(super) fn drop_in_order(&self, actor: &Actor, id: PersonId) -> Result<()> {
        let _order = self.people_order();
        self.drop_person(actor, id)
    }

    /// Erases what files of the storage still say about people removed so far. Blocking.
    pub(super) fn erase_removed(&self) -> Result<()> {
        let others = self.core.other_copies.lock().unwrap_or_else(PoisonError::into_inner);
        others.iter().try_for_each(|erase| erase())?;
        drop(others);
        self.ports().people.erase_removed()
    }

    /// Has `erase` called whenever people were removed, before that is acknowledged: it removes files with data of
    /// people that the store does not know, such as exports.
    pub fn on_erasure(&self, erase: impl Fn() -> Result<()> + Send + Sync + 'static) {
        self.core.other_copies.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(erase));
    }

    /// The embedding of a person's photo. `NotFound(Person)`; `NoFace` while there is none.
    pub async fn embedding(&self, id: PersonId) -> Result<Embedding> {
        self.blocking(move |a| a.ports().people.embedding(id, a.gallery().model())).await
    }

    /// The bytes of a stored picture. `NotFound(Picture)`.
    pub async fn picture(&self, id: PictureId) -> Result<Bytes> {
        self.blocking(move |a| a.ports().pictures.get(&id)).await
    }

    /// The length of a stored picture, bytes. `NotFound(Picture)`.
    pub async fn picture_size(&self, id: PictureId) -> Result<u64> {
        self.blocking(move |a| a.ports().pictures.size(&id)).await
    }
}

impl Acts<'_> {
    /// Enrols a person. On `Ok` the person is durable and, unless an [unusable photo](NewPerson::unusable_photo) was
    /// kept, found by every search.
    ///
    /// # Errors
    /// `NotFound(Library)`, `AlreadyExists(PersonCode)`, `LimitReached(Person)`, and those of the photo:
    /// `BadPicture`, and unless unusable photos are kept `NoFace`, `ManyFaces`, `LowQuality`. Nothing is stored then.
    pub async fn enrol(self, mut person: NewPerson) -> Result<Person> {
        let actor = self.permit(Act::PERSON_ENROL)?;
        self.appliance.check_admission(&person).await?;
        person.photo = self.appliance.bare_photo(person.photo).await?;
        let NewPerson { photo, several_faces, unusable_photo, .. } = &person;
        let described = self.appliance.described(photo.clone(), *several_faces, *unusable_photo).await?;
        self.blocking(move |a| a.store_person(&actor, person, described)).await
    }

    /// Changes a person's profile or libraries. `NotFound(Person)`, `NotFound(Library)`, `Invalid` for no library.
    pub async fn update_person(self, id: PersonId, change: PersonChange) -> Result<Person> {
        let actor = self.permit(Act::PERSON_UPDATE)?;
        if change.libraries.as_ref().is_some_and(Vec::is_empty) {
            return Err(Error::invalid("libraries", "at least one is needed"));
        }
        self.blocking(move |a| {
            let _order = a.people_order();
            a.change_person(&actor, id, &change)
        })
        .await
    }

    /// Changes a person's profile atomically: `change` receives the profile and returns the new one.
    /// `NotFound(Person)`.
    pub async fn change_profile(
        self,
        id: PersonId,
        change: impl FnOnce(Profile) -> Profile + Send + 'static,
    ) -> Result<Person> {
        let actor = self.permit(Act::PERSON_UPDATE)?;
        self.blocking(move |a| {
            let _order = a.people_order();
            let profile = change(a.ports().people.person(id)?.profile);
            a.change_person(&actor, id, &PersonChange { profile: Some(profile), ..Default::default() })
        })
        .await
    }

    /// Changes photo, libraries and profile of a person atomically: `change` receives the profile and returns the new
    /// one.
    ///
    /// # Errors
    /// `NotFound(Person)`, `NotFound(Library)`, `Invalid` for no library or a card that another person has, and those
    /// of the photo: `BadPicture`, `NoFace`, `ManyFaces`, `LowQuality`.
    pub async fn amend_person(
        self,
        id: PersonId,
        amendment: Amendment,
        change: impl FnOnce(Profile) -> Profile + Send + 'static,
    ) -> Result<Person> {
        let actor = self.permit(Act::PERSON_UPDATE)?;
        let Amendment { libraries, photo, several_faces, unusable_photo, note } = amendment;
        let photo = match photo {
            Some(photo) => {
                let photo = self.appliance.bare_photo(photo).await?;
                Some((photo.clone(), self.appliance.described(photo, several_faces, unusable_photo).await?))
            }
            None => None,
        };
        self.blocking(move |a| {
            let _order = a.people_order();
            let profile = Some(change(a.ports().people.person(id)?.profile));
            let photo = photo.map(|(photo, described)| a.keep_photo(&photo, described)).transpose()?;
            a.change_person(&actor, id, &PersonChange { profile, libraries, photo, note })
        })
        .await
    }

    /// Removes a person from one library, and from the device when it was the last. `NotFound(Person)` also when the
    /// person is not in that library.
    pub async fn remove_from_library(self, id: PersonId, library: LibraryId) -> Result<()> {
        let actor = self.permit(Act::PERSON_REMOVE)?;
        self.blocking(move |a| {
            a.leave_library(&actor, id, library)?;
            a.erase_removed()
        })
        .await
    }

    /// Removes a person from the device: profile, photo, embedding, and who it was in records and other files. On `Ok`
    /// nothing of it is left in the storage. `NotFound(Person)`; `Unavailable` when the person is removed, but the
    /// storage is still busy with former contents, which are erased later.
    pub async fn remove_person(self, id: PersonId) -> Result<()> {
        let actor = self.permit(Act::PERSON_REMOVE)?;
        self.blocking(move |a| {
            a.drop_in_order(&actor, id)?;
            a.erase_removed()
        })
        .await
    }
}
