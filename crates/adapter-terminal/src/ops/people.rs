//! People, one at a time and in lists.

use domain::{
    Error, Gender, LibraryFilter, LibraryId, Person, PersonCode, PersonFilter, PersonId, RecordKind, Timestamp, Window,
};
use jiff::tz::TimeZone;
use serde_json::Value;

use super::failed;
use crate::codes::people::Flaw;
use crate::codes::{self, Refusal, del_person, delete_all, delete_persons, search_list, search_person};
use crate::convert::{data_uri, people, time, values};
use crate::request::{Call, Outcome};
use crate::settings;
use crate::wire::replies::{AllIds, Deleted, PersonIds, PersonKey, PersonList, PersonRow};
use crate::wire::{Fault, Fields, Reply};
use crate::work::enrolment::{Act, enrol};

/// Number of rows read from the store at a time.
const PAGE: u32 = 1000;
/// Maximum number of people removed by one command.
const MAX_REMOVED: usize = 200;
/// Maximum and default number of rows of a list.
const MAX_ROWS: i64 = 2000;
const DEFAULT_ROWS: i64 = 100;

/// Adds a person or changes one (EditPerson, sections 4.1 and 4.4).
pub(crate) async fn edit_person(call: Call) -> Outcome {
    let fields = people::read(&call.info);
    let custom_id = fields.custom_id.clone();
    let refuse = |Flaw { fault, why }: Flaw| {
        let refusal = codes::people::edit_person(fault);
        let fault = why.map_or_else(|| refusal.into(), |why| refusal.because(why));
        Fault { custom_id: custom_id.clone(), ..fault }
    };
    let person = enrol(&call.device, fields, Act::AddOrEdit).await.map_err(refuse)?;
    Ok(Reply::with(ids_of(&person, Some(""))))
}

fn ids_of(person: &Person, detail: Option<&'static str>) -> PersonIds {
    PersonIds { person_id: person.id.to_string(), custom_id: person.code.to_string(), detail }
}

/// Lists the ids of all people (QueryPerson, section 4.2.1).
pub(crate) async fn query_person(call: Call) -> Outcome {
    let (mut ids, mut total) = (Vec::new(), 0);
    loop {
        let window = Window { skip: ids.len() as u64, limit: PAGE };
        let page = call.device.appliance.people(PersonFilter::default(), window).await.map_err(|e| failed(&e))?;
        total = page.total.max(total);
        let read = page.rows.len();
        ids.extend(page.rows.into_iter().map(|person| person.code.to_string()));
        if read < PAGE as usize {
            break;
        }
    }
    let (total, listed) = (total.max(ids.len() as u64).to_string(), ids.len().to_string());
    Ok(Reply::with(AllIds {
        total_lower_case: total.clone(),
        listed_lower_case: listed.clone(),
        total,
        listed,
        custom_ids: ids.join(","),
    }))
}

/// The refusals of an operator about one person.
struct Refusals {
    /// The id is missing.
    missing: Refusal,
    /// No person has this id.
    unknown: Refusal,
    /// The id is not legible.
    unreadable: Refusal,
}

/// The person of a command.
async fn person(call: &Call, Refusals { missing, unknown, unreadable }: Refusals) -> Result<Person, Fault> {
    let id = call.info.filled("customId").ok_or(missing)?;
    if !values::is_readable(&id) {
        return Err(unreadable.because(values::unreadable("customId")));
    }
    let refuse = |refusal: Refusal| Fault { custom_id: Some(id.clone()), ..refusal.into() };
    let code: PersonCode = id.parse().map_err(|_| refuse(unknown))?;
    match call.device.appliance.person_by_code(code).await {
        Ok(person) => Ok(person),
        Err(Error::NotFound { .. }) => Err(refuse(unknown)),
        Err(error) => Err(failed(&error)),
    }
}

/// Reads a person, with the picture when asked for (SearchPerson, section 4.2.2).
pub(crate) async fn search_person(call: Call) -> Outcome {
    use search_person as table;
    let refusals = Refusals { missing: table::NO_CUSTOM_ID, unknown: table::NO_PERSON, unreadable: table::NO_INFO };
    let person = person(&call, refusals).await?;
    let own = settings::own_fields(&call.device.state(), person.id).await.map_err(|error| failed(&error))?;
    let (block, photo) = (block_libraries(&call).await?, person.photo.clone());
    let mut reply = Reply::with(people::details(person, &own, &block, &call.device.zone()));
    if call.info.int("Picture") == Some(1) {
        let picture = call.device.appliance.picture(photo).await.map_err(|error| failed(&error))?;
        reply.top.insert("pic".to_owned(), data_uri(&picture).into());
    }
    Ok(reply)
}

async fn block_libraries(call: &Call) -> Result<Vec<LibraryId>, Fault> {
    let libraries = call.device.appliance.libraries(LibraryFilter::default()).await;
    Ok(people::block_libraries(&libraries.map_err(|error| failed(&error))?))
}

/// Lists people that meet conditions, newest first (SearchPersonList, section 4.2.3).
pub(crate) async fn search_person_list(call: Call) -> Outcome {
    let filter = filter(&call)?;
    let skip = call.info.int("BeginNO").unwrap_or(0).max(0) as u64;
    let wanted = call.info.int("RequestCount").unwrap_or(DEFAULT_ROWS).clamp(1, MAX_ROWS) as usize;
    let (mut rows, mut total) = (Vec::new(), 0);
    while rows.len() < wanted {
        let limit = (wanted - rows.len()).min(PAGE as usize) as u32;
        let window = Window { skip: skip + rows.len() as u64, limit };
        let page = call.device.appliance.people(filter.clone(), window).await.map_err(|error| failed(&error))?;
        total = page.total;
        let read = page.rows.len();
        rows.extend(page.rows);
        if read < limit as usize {
            break;
        }
    }
    if rows.is_empty() {
        return Err(search_list::NO_PERSON.into());
    }
    let list = list(&call, &rows).await?;
    let info = PersonList { total_person_num: total, person_num: list.len(), list };
    Ok(Reply { numeric: true, ..Reply::with(info) })
}

fn filter(call: &Call) -> Result<PersonFilter, Fault> {
    let (info, zone) = (&call.info, call.device.zone());
    let end = |name: &str, read: fn(&str, &TimeZone) -> Option<Timestamp>| {
        let rule = || search_list::NO_INFO.because(format_args!("{name} must be a time, YYYY-MM-DDTHH:MM:SS"));
        // Zeros are an open end.
        let set = info.filled(name).filter(|text| !time::is_zero(text));
        set.map(|text| read(&text, &zone).ok_or_else(rule)).transpose()
    };
    if let Some(why) = values::first_unreadable(info, &["name", "cardNum2"]) {
        return Err(search_list::NO_INFO.because(why));
    }
    for name in ["personType", "gender"] {
        if info.is_sent(name) && !info.int(name).is_some_and(|number| (0..=2).contains(&number)) {
            return Err(search_list::NO_INFO.because(format_args!("{name} must be one of 0, 1, 2")));
        }
    }
    Ok(PersonFilter {
        blocked: info.int("personType").filter(|kind| (0..2).contains(kind)).map(|kind| kind == 1),
        gender: match info.int("gender") {
            Some(0) => Some(Gender::Male),
            Some(1) => Some(Gender::Female),
            Some(_) | None => None,
        },
        name_part: info.filled("name"),
        card: info.filled("cardNum2").filter(|number| number != "0"),
        created_from: end("BeginTime", time::first)?,
        created_to: end("EndTime", time::last)?,
        ..Default::default()
    })
}

async fn list(call: &Call, rows: &[Person]) -> Result<Vec<PersonRow>, Fault> {
    let (block, zone) = (block_libraries(call).await?, call.device.zone());
    let ids: Vec<_> = rows.iter().map(|person| person.id).collect();
    let mut own = settings::own_fields_of(&call.device.state(), &ids).await.map_err(|error| failed(&error))?;
    let row = |person: &Person| people::row(person, &own.remove(&person.id).unwrap_or_default(), &block, &zone);
    Ok(rows.iter().map(row).collect())
}

/// Removes a person (DelPerson, sections 4.3 and 4.4).
pub(crate) async fn del_person(call: Call) -> Outcome {
    use del_person as table;
    let refusals = Refusals { missing: table::NO_CUSTOM_ID, unknown: table::NO_PERSON, unreadable: table::NO_INFO };
    let person = person(&call, refusals).await?;
    match call.device.acts().remove_person(person.id).await {
        Ok(()) => {}
        Err(Error::NotFound { .. }) => return Err(del_person::NO_PERSON.into()),
        Err(error) => return Err(failed(&error)),
    }
    Ok(Reply::with(ids_of(&person, None)))
}

/// Removes all people and their records; then a new session starts (DeleteAllPerson, section 4.5).
pub(crate) async fn delete_all_person(call: Call) -> Outcome {
    match call.info.int("deleteall") {
        Some(0) => Ok(Reply::default()),
        Some(1) => {
            remove_all(&call).await?;
            let removed = call.device.acts().remove_records_of(RecordKind::People).await;
            removed.map_err(|error| failed(&error))?;
            Ok(Reply { restart: true, ..Reply::default() })
        }
        Some(_) | None => Err(delete_all::NO_WORD.into()),
    }
}

/// Removes all people.
pub(super) async fn remove_all(call: &Call) -> Result<(), Fault> {
    let appliance = &call.device.appliance;
    loop {
        let window = Window { skip: 0, limit: PAGE };
        let page = appliance.people(PersonFilter::default(), window).await.map_err(|error| failed(&error))?;
        if page.rows.is_empty() {
            return Ok(());
        }
        let ids = page.rows.iter().map(|person| person.id).collect();
        call.device.acts().remove_people(ids).await.map_err(|error| failed(&error))?;
    }
}

/// Removes up to 200 people (DeletePersons, section 4.9).
pub(crate) async fn delete_persons(call: Call) -> Outcome {
    let ids = ids_to_remove(&call)?;
    if !ids.iter().all(|id| values::is_readable(id)) {
        return Err(delete_persons::NO_INFO.because(values::unreadable("customId")));
    }
    let (mut people, mut done, mut failed) = (Vec::new(), Vec::new(), Vec::new());
    for id in ids {
        let person = match id.parse::<PersonCode>() {
            Ok(code) => person_of(&call, code).await?.filter(|person| !people.contains(person)),
            Err(_) => None,
        };
        let list = if person.is_some() { &mut done } else { &mut failed };
        list.push(PersonKey { custom_id: id });
        people.extend(person);
    }
    call.device.acts().remove_people(people).await.map_err(|error| super::failed(&error))?;
    Ok(Reply::with(Deleted {
        del_err_num: failed.len().to_string(),
        del_suc_num: done.len().to_string(),
        del_err_info: failed,
        del_suc_info: done,
    }))
}

async fn person_of(call: &Call, code: PersonCode) -> Result<Option<PersonId>, Fault> {
    match call.device.appliance.person_by_code(code).await {
        Ok(person) => Ok(Some(person.id)),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(failed(&error)),
    }
}

/// The documented form has a frame (`DataBegin` to `DataEnd`); clients also send a list of objects without one.
fn ids_to_remove(call: &Call) -> Result<Vec<String>, Fault> {
    use delete_persons as table;
    let (top, list) = (&call.command.top, call.command.info.as_ref().and_then(Value::as_array));
    if let Some(list) = list.filter(|_| top.get("DataBegin").is_none() && top.get("PersonNum").is_none()) {
        if list.len() > MAX_REMOVED {
            return Err(table::TOO_MANY.into());
        }
        let id = |entry: &Value| Fields::new(entry.as_object()?.clone()).filled("customId");
        return Ok(list.iter().filter_map(id).collect());
    }
    top.filled("DataBegin").ok_or(table::NO_BEGIN)?;
    top.filled("DataEnd").ok_or(table::NO_END)?;
    let number = top.int("PersonNum").ok_or(table::NO_NUMBER)?;
    if !(1..=MAX_REMOVED as i64).contains(&number) {
        return Err(table::TOO_MANY.into());
    }
    if call.command.fields().is_none() {
        return Err(table::NO_INFO.into());
    }
    let ids = call.info.get("customId").and_then(Value::as_array).ok_or(table::NO_LIST)?;
    if ids.len() as i64 != number {
        return Err(table::OTHER_NUMBER.into());
    }
    Ok(ids.iter().map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned)).collect())
}
