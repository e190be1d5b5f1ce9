//! People (chapter 3).

use domain::{Amendment, LibraryId, NewPerson, PersonId, Profile, SeveralFaces, UnusablePhoto};

use crate::codes::{Code, Fault};
use crate::convert::people::{Details, query, row};
use crate::convert::pictures::photo;
use crate::request::Caller;
use crate::wire::people::{self, AddPerson, DeletePeople, Failures, ImportPeople, ListPeople, People, UpdatePerson};
use crate::wire::{self, Answer, Done, name_of};

/// Enrols a person; one whose photo shows no usable face is kept with that state (/person/add, section 3.1).
pub(crate) async fn add(caller: Caller, request: AddPerson) -> Result<Answer<people::PersonId>, Fault> {
    let enrolled = enrol(&caller, request).await?;
    Ok(Answer::of(people::PersonId { person_id: enrolled.0 }))
}

async fn enrol(caller: &Caller, request: AddPerson) -> Result<PersonId, Fault> {
    let library = caller.reading()?.library(LibraryId(request.lib_id.0)).await?.id;
    let details = Details::new(Some(request.person_name), request.details)?;
    let person = NewPerson {
        code: None,
        profile: details.put_into(Profile::default()),
        libraries: vec![library],
        photo: photo(&request.image_base64)?,
        several_faces: SeveralFaces::TakeLargest,
        unusable_photo: UnusablePhoto::Keep,
        ..NewPerson::default()
    };
    Ok(caller.acts().enrol(person).await?.id)
}

/// Enrols people one by one and names those that cannot be enrolled (/person/import, section 3.2).
pub(crate) async fn import(caller: Caller, request: ImportPeople) -> Result<Answer<Failures>, Fault> {
    if request.person_list.is_empty() {
        return Err(Fault::argument("person_list is empty"));
    }
    if caller.reading()?.room_for_people().await? == 0 {
        return Err(Code::PersonLimit.into());
    }
    let mut fail_list = Vec::new();
    for entry in request.person_list {
        let name = name_of(&entry, "person_name");
        let outcome = match wire::read(entry) {
            Ok(person) => enrol(&caller, person).await.map(drop),
            Err(fault) => Err(fault),
        };
        if let Err(fault) = outcome {
            fault.report("/api/v2/person/import");
            fail_list.push(name);
        }
    }
    Ok(Answer::of(Failures { fail_list }))
}

/// Removes people (/person/delete, section 3.3).
pub(crate) async fn delete(caller: Caller, request: DeletePeople) -> Result<Done, Fault> {
    let mut ids = request.person_id_list.0;
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Err(Fault::argument("person_id_list is empty"));
    }
    let _one_at_a_time = caller.device.one_at_a_time.lock().await;
    for id in &ids {
        caller.reading()?.person(PersonId(*id)).await?;
    }
    caller.acts().remove_people(ids.into_iter().map(PersonId).collect()).await?;
    Ok(Done::DONE)
}

/// Changes what is sent of a person, who stays in the library (/person/update, section 3.4).
pub(crate) async fn update(caller: Caller, request: UpdatePerson) -> Result<Done, Fault> {
    let id = PersonId(request.person_id.0);
    let details = Details::new(request.person_name, request.details)?;
    let photo = request.image_base64.filter(|text| !text.is_empty()).map(|text| photo(&text)).transpose()?;
    caller.reading()?.person(id).await?;
    let amendment = Amendment {
        photo,
        several_faces: SeveralFaces::TakeLargest,
        unusable_photo: UnusablePhoto::Keep,
        ..Amendment::default()
    };
    caller.acts().amend_person(id, amendment, |profile| details.put_into(profile)).await?;
    Ok(Done::DONE)
}

/// Lists the people of a library, newest first (/person/list, section 3.5).
pub(crate) async fn list(caller: Caller, request: ListPeople) -> Result<Answer<People>, Fault> {
    let library = caller.reading()?.library(LibraryId(request.lib_id.0)).await?.id;
    let (filter, paging) = query(request)?;
    let Some(filter) = filter else { return Ok(Answer::of(People { total: 0, list: Vec::new() })) };
    let page = caller.reading()?.people(filter, paging.window()).await?;
    let list = page.rows.into_iter().map(|person| row(person, library.0)).collect();
    Ok(Answer::of(People { total: page.total, list }))
}
