//! People (4.3).

use bytes::Bytes;
use domain::{Error, LibraryFilter, Person, PersonFilter, Thing};

use crate::codes::{Code, Fault};
use crate::convert::people::{Details, groups, info, photo, row, window};
use crate::request::Caller;
use crate::wire::people::{
    CreatePerson, DeletePerson, People, PersonCreated, PersonDeleted, PersonRow, PersonUpdated, QueryPeople,
    UpdatePerson,
};
use crate::work::groups::{all_named, named};
use crate::work::people::{Entry, amend, code, enrol, known};
use crate::work::permissions;

/// Enrols a person, or with `ignore_exist` changes somebody who is known (POST users, section 4.3.1).
pub(crate) async fn create(caller: Caller, request: CreatePerson) -> Result<PersonCreated, Fault> {
    let (device, actor) = (&caller.device, &caller.actor);
    let overwrite = request.ignore_exist.is_some_and(|wanted| wanted.0);
    let may_make = request.create_no_exit_permission.is_some_and(|wanted| wanted.0);
    let details = Details::new(request.info.0)?;
    details.require_name()?;
    let (code, photo) = (code(&request.identity_id.0)?, photo(&request.reg_photo)?);
    let _one_at_a_time = device.one_at_a_time.lock().await;
    let libraries = all_named(caller.reading()?, &request.group_name.0).await?;
    let before = known(device, &code).await?;
    if before.is_some() && !overwrite {
        return Err(Code::PersonExists.into());
    }
    permissions::ensure(device, actor, details.permission_ids.as_deref().unwrap_or_default(), may_make).await?;
    let entry = Entry { code, details, photo: Some(photo), groups: libraries };
    let stored = match before {
        Some(person) => amend(device, actor, person, entry).await?,
        None => enrol(device, actor, entry).await?,
    };
    Ok(PersonCreated {
        identity_id: stored.code.to_string(),
        reg_photo: "",
        group_name: request.group_name.0.join(","),
        info: info(&stored, device.noted(stored.id).await?, false),
    })
}

/// Finds one person, or those of a group or of the device, a page of them (GET users, section 4.3.2).
pub(crate) async fn query(caller: Caller, request: QueryPeople) -> Result<People, Fault> {
    let appliance = caller.reading()?;
    let found = match (request.identity_id, request.group_name) {
        (Some(id), _) => vec![appliance.person_by_code(code(&id.0)?).await?],
        (None, group) => {
            let library = match group {
                Some(group) => Some(named(appliance, &group.0).await?.id),
                None => None,
            };
            let filter = PersonFilter { library, ..PersonFilter::default() };
            appliance.people(filter, window(request.limit, request.skip_num)?).await?.rows
        }
    };
    let mut identities_list = Vec::new();
    for person in found {
        identities_list.push(listed(&caller, &person).await?);
    }
    Ok(People { identities_list })
}

async fn listed(caller: &Caller, person: &Person) -> Result<PersonRow, Fault> {
    let libraries = caller.reading()?.libraries(LibraryFilter::default()).await?;
    let photo: Option<Bytes> = match caller.reading()?.picture(person.photo.clone()).await {
        Ok(photo) => Some(photo),
        Err(Error::NotFound { what: Thing::Picture }) => None,
        Err(error) => return Err(error.into()),
    };
    Ok(row(person, photo.as_ref(), &libraries, caller.device.noted(person.id).await?))
}

/// Changes what is sent of a person (PUT users, section 4.3.3).
pub(crate) async fn update(caller: Caller, request: UpdatePerson) -> Result<PersonUpdated, Fault> {
    let (device, actor) = (&caller.device, &caller.actor);
    let details = Details::new(request.info.0)?;
    let photo = request.reg_photo.filter(|text| !text.is_empty()).map(|text| photo(&text)).transpose()?;
    let code = code(&request.identity_id.0)?;
    let _one_at_a_time = device.one_at_a_time.lock().await;
    let person = known(device, &code).await?.ok_or(Code::NoId)?;
    let changed = amend(device, actor, person, Entry { code, details, photo, groups: Vec::new() }).await?;
    let libraries = caller.reading()?.libraries(LibraryFilter::default()).await?;
    Ok(PersonUpdated {
        identity_id: changed.code.to_string(),
        image_id: changed.photo.to_string(),
        group_name: groups(&changed, &libraries),
        info: info(&changed, device.noted(changed.id).await?, false),
    })
}

/// Removes a person (DELETE users, section 4.3.4).
pub(crate) async fn delete(caller: Caller, request: DeletePerson) -> Result<PersonDeleted, Fault> {
    let _one_at_a_time = caller.device.one_at_a_time.lock().await;
    let person = caller.reading()?.person_by_code(code(&request.identity_id.0)?).await?;
    let libraries = caller.reading()?.libraries(LibraryFilter::default()).await?;
    caller.acts().remove_person(person.id).await?;
    Ok(PersonDeleted {
        identity_id: person.code.to_string(),
        group_name: groups(&person, &libraries),
        message: "have remove from group success",
    })
}
