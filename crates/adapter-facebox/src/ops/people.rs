//! People.

use bytes::Bytes;
use domain::{Amendment, LibraryFilter, LibraryId, NewPerson, Person, PersonFilter, PersonId, Profile, Window};

use super::pictures::stored;
use crate::codes::{Code, Fault};
use crate::convert::people::{Details, query, row};
use crate::request::Caller;
use crate::wire::people::{AddPerson, PersonKey, PersonRow, QueryPeople, UpdatePerson};
use crate::wire::{Answer, Done, Rows};

/// Enrols a person (/AddPerson, section 4.1).
pub(crate) async fn add_person(caller: Caller, request: AddPerson) -> Result<Done, Fault> {
    let details = Details::of_new(&request)?;
    let library = caller.reading()?.library(LibraryId(request.lib_id)).await?.id;
    let photo = photo(&caller, &request.pic_url).await?;
    let _one_at_a_time = caller.device.one_at_a_time.lock().await;
    require_free_card(&caller, library, details.card_no.as_deref(), None).await?;
    let person = NewPerson {
        code: None,
        profile: details.put_into(Profile::default()),
        libraries: vec![library],
        photo,
        ..NewPerson::default()
    };
    caller.acts().enrol(person).await?;
    Ok(Done::DONE)
}

/// Removes a person from a library (/DeletePerson, section 4.2).
pub(crate) async fn delete_person(caller: Caller, key: PersonKey) -> Result<Done, Fault> {
    let library = caller.reading()?.library(LibraryId(key.lib_id)).await?.id;
    caller.acts().remove_from_library(PersonId(key.person_id), library).await?;
    Ok(Done::DONE)
}

/// Changes the fields of a person that are sent (/UpdatePerson, section 4.3).
pub(crate) async fn update_person(caller: Caller, request: UpdatePerson) -> Result<Done, Fault> {
    let details = Details::of_change(&request)?;
    let (library, person) = located(&caller, request.lib_id, request.person_id).await?;
    let photo = match &request.pic_url {
        Some(address) => Some(photo(&caller, address).await?),
        None => None,
    };
    let _one_at_a_time = caller.device.one_at_a_time.lock().await;
    require_free_card(&caller, library, details.card_no.as_deref(), Some(person.id)).await?;
    let amendment = Amendment { photo, ..Amendment::default() };
    caller.acts().amend_person(person.id, amendment, |profile| details.put_into(profile)).await?;
    Ok(Done::DONE)
}

/// Lists people, the newest first (/QueryPersonList, section 4.4).
pub(crate) async fn query_person_list(caller: Caller, request: QueryPeople) -> Result<Answer<Rows<PersonRow>>, Fault> {
    let (filter, paging) = query(request)?;
    let asked = filter.library;
    let page = caller.reading()?.people(filter, paging.window()).await?;
    let libraries = caller.reading()?.libraries(LibraryFilter::default()).await?;
    let zone = caller.device.zone();
    let items = page.rows.into_iter().map(|person| row(person, asked, &libraries, &zone)).collect();
    Ok(Answer::of(paging.rows(items, page.total)))
}

/// The library, and the person in it (quirk "4.3 lib_id").
async fn located(caller: &Caller, library: i64, person: i64) -> Result<(LibraryId, Person), Fault> {
    let library = caller.reading()?.library(LibraryId(library)).await?.id;
    let person = caller.reading()?.person(PersonId(person)).await?;
    if person.libraries.contains(&library) { Ok((library, person)) } else { Err(Code::NoData.into()) }
}

/// The picture of a person; an address without a picture is a bad picture.
async fn photo(caller: &Caller, address: &str) -> Result<Bytes, Fault> {
    stored(caller, address).await.map_err(|fault| match fault.code {
        Code::NoData => Code::BadPicture.into(),
        _ => fault,
    })
}

/// A number is unique in a library, except for the empty one (quirk "4.1 card_no").
async fn require_free_card(
    caller: &Caller,
    library: LibraryId,
    card_no: Option<&str>,
    but: Option<PersonId>,
) -> Result<(), Fault> {
    let Some(number) = card_no.filter(|number| !number.is_empty()) else { return Ok(()) };
    let document_number = Some(number.to_owned());
    let filter = PersonFilter { library: Some(library), document_number, ..PersonFilter::default() };
    let found = caller.reading()?.people(filter, Window { skip: 0, limit: 2 }).await?;
    let taken = found.rows.iter().any(|person| Some(person.id) != but);
    if taken { Err(Code::CardExists.into()) } else { Ok(()) }
}
