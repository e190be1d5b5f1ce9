//! People, one at a time and in lists.

use domain::{
    Error, Gender, LibraryFilter, LibraryId, Person, PersonCode, PersonFilter, RecordKind, Timestamp, Window,
};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::enrolment::{Act, enrol};
use super::{Call, Outcome, failed};
use crate::codes::{self, Flaw, Refusal, del_person, delete_all, delete_persons, search_list, search_person};
use crate::convert::{data_uri, people, time, values};
use crate::wire::people::{OwnFields, PersonFields};
use crate::wire::{Fault, Fields, Reply};

/// Rows read from the store at a time.
const PAGE: u32 = 1000;
/// People removed by one command at most.
const MAX_REMOVED: usize = 200;
const MAX_ROWS: i64 = 2000;
const USUAL_ROWS: i64 = 100;

/// Adds a person or changes one (EditPerson, sections 4.1 and 4.4).
pub(crate) async fn edit_person(call: Call) -> Outcome {
    let fields = PersonFields::read(&call.info);
    let custom_id = fields.custom_id.clone();
    let refuse = |Flaw { fault, why }: Flaw| {
        let refusal = codes::edit_person(fault);
        let fault = why.map_or_else(|| refusal.into(), |why| refusal.because(why));
        Fault { custom_id: custom_id.clone(), ..fault }
    };
    let person = enrol(&call.core, fields, Act::AddOrEdit).await.map_err(refuse)?;
    Ok(Reply::with(json!({
        "personId": person.id.to_string(),
        "customId": person.code.as_str(),
        "detail": "",
    })))
}

/// Lists the ids of all people (QueryPerson, section 4.2.1).
pub(crate) async fn query_person(call: Call) -> Outcome {
    let (mut ids, mut total) = (Vec::new(), 0);
    loop {
        let window = Window { skip: ids.len() as u64, limit: PAGE };
        let page = call.core.appliance.people(PersonFilter::default(), window).await.map_err(|e| failed(&e))?;
        total = page.total.max(total);
        let read = page.rows.len();
        ids.extend(page.rows.into_iter().map(|person| person.code.to_string()));
        if read < PAGE as usize {
            break;
        }
    }
    let (all, listed) = (total.max(ids.len() as u64).to_string(), ids.len().to_string());
    Ok(Reply::with(json!({
        "TotalPersonNum": all,
        "QueryPersonNum": listed,
        "totalPersonNum": all,
        "queryPersonNum": listed,
        "customId": ids.join(","),
    })))
}

/// How an operator refuses a person.
struct Refusals {
    /// None is named.
    missing: Refusal,
    /// There is none of this id.
    nobody: Refusal,
    /// The id cannot be read.
    unreadable: Refusal,
}

/// The person of a command.
async fn person(call: &Call, Refusals { missing, nobody, unreadable }: Refusals) -> Result<Person, Fault> {
    let id = call.info.filled("customId").ok_or(missing)?;
    if !values::is_readable(&id) {
        return Err(unreadable.because(values::unreadable("customId")));
    }
    let refuse = |refusal: Refusal| Fault { custom_id: Some(id.clone()), ..refusal.into() };
    let code: PersonCode = id.parse().map_err(|_| refuse(nobody))?;
    match call.core.appliance.person_by_code(code).await {
        Ok(person) => Ok(person),
        Err(Error::NotFound { .. }) => Err(refuse(nobody)),
        Err(error) => Err(failed(&error)),
    }
}

/// Reads a person, with the picture when asked for (SearchPerson, section 4.2.2).
pub(crate) async fn search_person(call: Call) -> Outcome {
    use search_person as table;
    let refusals = Refusals { missing: table::NO_CUSTOM_ID, nobody: table::NOBODY, unreadable: table::NO_INFO };
    let person = person(&call, refusals).await?;
    let (appliance, zone) = (&call.core.appliance, call.core.zone());
    let notes = call.core.state().notes(&[person.id]).await.map_err(|error| failed(&error))?;
    let own = OwnFields::kept(notes.get(&person.id));
    let mut reply = Reply::with(people::details(&person, &own, &block_libraries(&call).await?, &zone));
    if call.info.int("Picture") == Some(1) {
        let picture = appliance.picture(person.photo.clone()).await.map_err(|error| failed(&error))?;
        reply.top.insert("pic".to_owned(), json!(data_uri(&picture)));
    }
    Ok(reply)
}

async fn block_libraries(call: &Call) -> Result<Vec<LibraryId>, Fault> {
    let libraries = call.core.appliance.libraries(LibraryFilter::default()).await;
    Ok(people::block_libraries(&libraries.map_err(|error| failed(&error))?))
}

/// Lists people that meet conditions, newest first (SearchPersonList, section 4.2.3).
pub(crate) async fn search_person_list(call: Call) -> Outcome {
    let filter = filter(&call)?;
    let skip = call.info.int("BeginNO").unwrap_or(0).max(0) as u64;
    let wanted = call.info.int("RequestCount").unwrap_or(USUAL_ROWS).clamp(1, MAX_ROWS) as usize;
    let (mut rows, mut total) = (Vec::new(), 0);
    while rows.len() < wanted {
        let limit = (wanted - rows.len()).min(PAGE as usize) as u32;
        let window = Window { skip: skip + rows.len() as u64, limit };
        let page = call.core.appliance.people(filter.clone(), window).await.map_err(|error| failed(&error))?;
        total = page.total;
        let read = page.rows.len();
        rows.extend(page.rows);
        if read < limit as usize {
            break;
        }
    }
    if rows.is_empty() {
        return Err(search_list::NOBODY.into());
    }
    let list = list(&call, &rows).await?;
    let info = json!({ "TotalPersonNum": total, "PersonNum": list.len(), "List": list });
    Ok(Reply { numeric: true, ..Reply::with(info) })
}

fn filter(call: &Call) -> Result<PersonFilter, Fault> {
    let (info, zone) = (&call.info, call.core.zone());
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

async fn list(call: &Call, rows: &[Person]) -> Result<Vec<Value>, Fault> {
    let (block, zone) = (block_libraries(call).await?, call.core.zone());
    let ids: Vec<_> = rows.iter().map(|person| person.id).collect();
    let notes = call.core.state().notes(&ids).await.map_err(|error| failed(&error))?;
    let row = |person: &Person| people::row(person, &OwnFields::kept(notes.get(&person.id)), &block, &zone);
    Ok(rows.iter().map(row).collect())
}

/// Removes a person (DelPerson, sections 4.3 and 4.4).
pub(crate) async fn del_person(call: Call) -> Outcome {
    use del_person as table;
    let refusals = Refusals { missing: table::NO_CUSTOM_ID, nobody: table::NOBODY, unreadable: table::NO_INFO };
    let person = person(&call, refusals).await?;
    match call.core.acts().remove_person(person.id).await {
        Ok(()) => {}
        Err(Error::NotFound { .. }) => return Err(del_person::NOBODY.into()),
        Err(error) => return Err(failed(&error)),
    }
    Ok(Reply::with(json!({ "personId": person.id.to_string(), "customId": person.code.as_str() })))
}

/// Removes everybody and the records of people; the session begins anew (DeleteAllPerson, section 4.5).
pub(crate) async fn delete_all_person(call: Call) -> Outcome {
    match call.info.int("deleteall") {
        Some(0) => Ok(Reply::default()),
        Some(1) => {
            remove_everybody(&call).await?;
            let removed = call.core.acts().remove_records_of(RecordKind::People).await;
            removed.map_err(|error| failed(&error))?;
            Ok(Reply { restart: true, ..Reply::default() })
        }
        Some(_) | None => Err(delete_all::NO_WORD.into()),
    }
}

/// Removes everybody there is.
pub(super) async fn remove_everybody(call: &Call) -> Result<(), Fault> {
    let appliance = &call.core.appliance;
    loop {
        let window = Window { skip: 0, limit: PAGE };
        let page = appliance.people(PersonFilter::default(), window).await.map_err(|error| failed(&error))?;
        if page.rows.is_empty() {
            return Ok(());
        }
        for person in page.rows {
            match call.core.acts().remove_person(person.id).await {
                Ok(()) | Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(failed(&error)),
            }
        }
    }
}

/// Removes up to 200 people (DeletePersons, section 4.9).
pub(crate) async fn delete_persons(call: Call) -> Outcome {
    let ids = ids_to_remove(&call)?;
    if !ids.iter().all(|id| values::is_readable(id)) {
        return Err(delete_persons::NO_INFO.because(values::unreadable("customId")));
    }
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for id in ids {
        let removed = match id.parse::<PersonCode>() {
            Ok(code) => remove_by_code(&call, code).await?,
            Err(_) => false,
        };
        let list = if removed { &mut done } else { &mut failed };
        list.push(json!({ "customId": id }));
    }
    Ok(Reply::with(json!({
        "DelErrNum": failed.len().to_string(),
        "DelSucNum": done.len().to_string(),
        "DelErrInfo": failed,
        "DelSucInfo": done,
    })))
}

async fn remove_by_code(call: &Call, code: PersonCode) -> Result<bool, Fault> {
    let appliance = &call.core.appliance;
    let removed = match appliance.person_by_code(code).await {
        Ok(person) => call.core.acts().remove_person(person.id).await,
        Err(error) => Err(error),
    };
    match removed {
        Ok(()) => Ok(true),
        Err(Error::NotFound { .. }) => Ok(false),
        Err(error) => Err(failed(&error)),
    }
}

/// The documented form needs its frame; clients send a list of objects without one too.
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
