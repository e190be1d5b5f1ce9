//! Groups of faces (4.2).

use domain::{
    Error, Library, LibraryChange, LibraryFilter, LibraryId, LibraryKind, LibraryName, NewLibrary, Person,
    PersonChange, PersonId, Thing,
};

use crate::codes::{Code, Fault};
use crate::convert::{description, group_name};
use crate::request::Caller;
use crate::wire::groups::{
    DeleteGroup, Group, GroupDeleted, GroupInfo, GroupUsers, Groups, Members, QueryGroups, WriteGroup,
};
use crate::wire::{Dict, Fields};
use crate::work::groups::{everybody, named};
use crate::work::people::code;

/// Makes an empty group (POST groups, section 4.2.1).
pub(crate) async fn create(caller: Caller, request: WriteGroup) -> Result<GroupInfo, Fault> {
    let library = NewLibrary {
        name: LibraryName::new(group_name(request.group_name.0)?)?,
        kind: LibraryKind::Allow,
        description: description(request.description.0)?,
        note: Some(caller.device.noting(&further(request.info)?)?),
    };
    let made = caller.acts().create_library(library).await?;
    Ok(GroupInfo { info: shown(made) })
}

/// Lists groups (GET groups, section 4.2.2).
pub(crate) async fn query(caller: Caller, request: QueryGroups) -> Result<Groups, Fault> {
    let appliance = caller.reading()?;
    let found = match request.group_name {
        Some(name) => vec![named(appliance, &name.0).await?],
        None => appliance.libraries(LibraryFilter::default()).await?,
    };
    Ok(Groups { groups_list: found.into_iter().map(shown).collect() })
}

/// Removes a group, and its people where that is asked for; else who is in no other is in the default group then
/// (DELETE groups, section 4.2.3).
pub(crate) async fn delete(caller: Caller, request: DeleteGroup) -> Result<GroupDeleted, Fault> {
    let with_people = request.user_recursive_delete.is_some_and(|wanted| wanted.0);
    let _one_at_a_time = caller.device.one_at_a_time.lock().await;
    let group = named(caller.reading()?, &request.group_name.0).await?.id;
    if group == LibraryId::DEFAULT {
        return Err(Fault::parameter("the default group stays"));
    }
    caller.reading()?.check_removable(&[group]).await?;
    let people = everybody(caller.reading()?, Some(group)).await?;
    if with_people {
        caller.acts().remove_people(people.iter().map(|person| person.id).collect()).await?;
    } else {
        for person in people {
            leave(&caller, person, group).await?;
        }
    }
    caller.acts().withdraw_libraries(vec![group]).await?;
    let message = if with_people {
        "delete the group info and the user in the group"
    } else {
        "just delete the group info,the user already exists"
    };
    Ok(GroupDeleted { group_name: request.group_name.0, message })
}

/// Replaces description and further information of a group (PUT groups, section 4.2.6).
pub(crate) async fn update(caller: Caller, request: WriteGroup) -> Result<GroupInfo, Fault> {
    let group = named(caller.reading()?, &request.group_name.0).await?;
    let note = match request.info {
        Some(info) => Some(caller.device.noting(&further(Some(info))?)?),
        None => None,
    };
    let change =
        LibraryChange { description: Some(description(request.description.0)?), note, ..LibraryChange::default() };
    let changed = caller.acts().update_library(group.id, change).await?;
    Ok(GroupInfo { info: shown(changed) })
}

/// Puts people into a group (PUT GroupUsers, section 4.2.4).
pub(crate) async fn add_people(caller: Caller, request: GroupUsers) -> Result<Members, Fault> {
    let _one_at_a_time = caller.device.one_at_a_time.lock().await;
    let (group, people) = meant(&caller, &request).await?;
    for mut person in people {
        if !person.libraries.contains(&group) {
            person.libraries.push(group);
            set_groups(&caller, person.id, person.libraries).await?;
        }
    }
    members(&caller, request, group).await
}

/// Takes people out of a group; they stay on the device (DELETE GroupUsers, section 4.2.5).
pub(crate) async fn remove_people(caller: Caller, request: GroupUsers) -> Result<Members, Fault> {
    let _one_at_a_time = caller.device.one_at_a_time.lock().await;
    let (group, people) = meant(&caller, &request).await?;
    for person in people {
        leave(&caller, person, group).await?;
    }
    members(&caller, request, group).await
}

/// The group and the people of a request.
async fn meant(caller: &Caller, request: &GroupUsers) -> Result<(LibraryId, Vec<Person>), Fault> {
    let appliance = caller.reading()?;
    let group = named(appliance, &request.group_name.0).await?.id;
    let mut people = Vec::new();
    for id in &request.identity_id.0 {
        people.push(appliance.person_by_code(code(id)?).await?);
    }
    Ok((group, people))
}

/// Takes a person out of a group. Everybody is in one, which is the default group where no other is left.
async fn leave(caller: &Caller, mut person: Person, group: LibraryId) -> Result<(), Fault> {
    person.libraries.retain(|library| *library != group);
    if person.libraries.is_empty() {
        person.libraries.push(LibraryId::DEFAULT);
    }
    set_groups(caller, person.id, person.libraries).await
}

async fn set_groups(caller: &Caller, person: PersonId, libraries: Vec<LibraryId>) -> Result<(), Fault> {
    let change = PersonChange { libraries: Some(libraries), ..PersonChange::default() };
    match caller.acts().update_person(person, change).await {
        // Gone meanwhile.
        Err(Error::NotFound { what: Thing::Person }) => Ok(()),
        outcome => Ok(outcome.map(drop)?),
    }
}

/// The answer, with everybody in the group where that is asked for.
async fn members(caller: &Caller, request: GroupUsers, group: LibraryId) -> Result<Members, Fault> {
    let wanted = request.with_identity_id.is_some_and(|wanted| wanted.0);
    let identity_id = if wanted {
        let people = everybody(caller.reading()?, Some(group)).await?;
        Some(people.iter().map(|person| person.code.to_string()).collect())
    } else {
        None
    };
    Ok(Members { group_name: request.group_name.0, identity_id })
}

/// What else was sent of a group.
fn further(info: Option<Dict>) -> Result<Fields, Fault> {
    let Dict(info) = info.unwrap_or_default();
    let fits = serde_json::Value::Object(info.clone()).to_string().len() <= MAX_INFO;
    if info.contains_key("description") || !fits {
        return Err(Fault::with(Code::Parameter, "info holds description, or is too large"));
    }
    Ok(info)
}

/// Maximum length of what is kept of a group as it is, bytes.
const MAX_INFO: usize = 16 << 10;

fn shown(library: Library) -> Group {
    Group { name: library.name.as_str().to_owned(), description: library.description }
}
