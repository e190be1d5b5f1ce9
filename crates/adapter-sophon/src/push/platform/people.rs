//! People that the platform sends (5.1.1, 6.1).

use std::collections::HashSet;
use std::time::Duration;

use bytes::Bytes;
use domain::{Actor, LibraryId};

use super::session::Session;
use crate::codes::{Code, Fault};
use crate::convert::people::{Details, MAX_PICTURE, photo};
use crate::convert::platform::{composed, picture_address};
use crate::device::Device;
use crate::push::calls::check_token;
use crate::wire::platform::{AddUsers, AskDetails, PlatformPerson, ToldDetails, UserResult, UserResults};
use crate::wire::{self, Fields};
use crate::work::people::{Entry, amend, code, enrol, known};
use crate::work::permissions;

/// The platform tells of people within this time.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The largest answer with people, bytes.
const MAX_DETAILS: usize = 64 << 20;
/// Maximum number of people of a command.
const MAX_PEOPLE: usize = 10_000;

/// Stores people, new or known, and names those that cannot be stored. `path`: where the platform describes people that
/// it sent by number only.
pub(super) async fn add_users(
    device: &Device,
    session: &Session,
    actor: &Actor,
    fields: Fields,
    path: Option<String>,
) -> Result<UserResults, Fault> {
    let request: AddUsers = wire::read(fields)?;
    if request.user_info_list.is_none() && request.userid_list.is_none() {
        return Err(Code::CommandParameter.into());
    }
    let mut people = request.user_info_list.unwrap_or_default();
    let ids = request.userid_list.unwrap_or_default().0;
    bounded(people.len())?;
    bounded(ids.len())?;
    let missing = not_among(ids, &people);
    let mut results = UserResults::default();
    if !missing.is_empty() {
        let found = details(device, session, &missing, path).await?;
        bounded(people.len() + found.len())?;
        for userid in not_among(missing, &found) {
            let (code, message) = (Code::NoId.number(), Code::NoId.text().to_owned());
            results.failed_users.push(UserResult { userid, username: Some(String::new()), message, code });
        }
        people.extend(found);
    }
    for person in people {
        let userid = text_of(&person, "identity_id");
        let info = person.get("info").and_then(serde_json::Value::as_object);
        let username = Some(info.map(|info| text_of(info, "name")).unwrap_or_default());
        let outcome = add_user(device, session, actor, person).await.map_err(Fault::of_command);
        let (list, code, message) = match outcome {
            Ok(()) => (&mut results.success_users, 0, "人员下发成功".to_owned()),
            Err(fault) => (&mut results.failed_users, fault.code.number(), fault.message()),
        };
        list.push(UserResult { userid, username, message, code });
    }
    Ok(results)
}

/// Fails for more people than a command may have.
fn bounded(count: usize) -> Result<(), Fault> {
    if count > MAX_PEOPLE { Err(Code::CommandParameter.into()) } else { Ok(()) }
}

/// The numbers that none of these people has.
fn not_among(mut ids: Vec<String>, people: &[Fields]) -> Vec<String> {
    let known: HashSet<String> = people.iter().map(|person| text_of(person, "identity_id")).collect();
    ids.retain(|id| !known.contains(id));
    ids
}

/// A field as text; empty when it is none.
fn text_of(fields: &Fields, name: &str) -> String {
    fields.get(name).and_then(adapter::lenient::text).unwrap_or_default()
}

/// Asks the platform about people (6.1).
async fn details(
    device: &Device,
    session: &Session,
    ids: &[String],
    path: Option<String>,
) -> Result<Vec<Fields>, Fault> {
    let path = path.ok_or_else(|| Fault::with(Code::CommandParameter, "path is missing"))?;
    let url = session.url(&path).ok_or_else(|| Fault::with(Code::CommandParameter, "path is no address"))?;
    let asked = device.outbound.ask_json(&url, &AskDetails { userid_list: ids }, MAX_DETAILS, TIMEOUT).await;
    let (status, body) = asked.map_err(|error| Fault::with(Code::Remote, error.to_string()))?;
    check_token(device, &url, status, &body).map_err(|why| Fault::with(Code::Remote, why))?;
    if !status.is_success() {
        return Err(Fault::with(Code::Remote, status.as_str()));
    }
    let fields = adapter::parse_object(&body).map_err(|error| Fault::with(Code::RemoteData, error.to_string()))?;
    let told: ToldDetails = wire::read(fields).map_err(|fault| Fault::with(Code::RemoteData, fault.message()))?;
    Ok(told.data.user_list)
}

async fn add_user(device: &Device, session: &Session, actor: &Actor, person: Fields) -> Result<(), Fault> {
    let person: PlatformPerson = wire::read(person)?;
    let details = Details::new(person.info.0.clone())?.or_default();
    let code = code(&person.identity_id.0)?;
    let photo = picture(device, session, &person).await?;
    let _one_at_a_time = device.one_at_a_time.lock().await;
    permissions::ensure(device, actor, details.permission_ids.as_deref().unwrap_or_default(), true).await?;
    let before = known(device, &code).await?;
    let entry = Entry { code, details, photo, groups: vec![LibraryId::DEFAULT] };
    match before {
        Some(person) => amend(device, actor, person, entry).await.map(drop),
        None => enrol(device, actor, entry).await.map(drop),
    }
}

/// The photo of a person: sent along, or fetched.
async fn picture(device: &Device, session: &Session, person: &PlatformPerson) -> Result<Option<Bytes>, Fault> {
    let filled = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    if let Some(text) = filled(&person.reg_photo) {
        return photo(&text).map(Some);
    }
    let url = match (filled(&person.reg_url), filled(&person.relative_pic_url)) {
        (Some(url), _) => composed(&session.login_url, &url),
        (None, Some(path)) => {
            let server = session.answer.pictures.as_ref().map(|server| server.0.as_str());
            picture_address(&session.login_url, server, &path)
        }
        (None, None) => return Ok(None),
    };
    let url = url.ok_or_else(|| Fault::with(Code::Remote, "the picture has no address"))?;
    let fetched = device.outbound.fetch_picture(url.as_str(), MAX_PICTURE).await;
    fetched.map(Some).map_err(|error| Fault::with(Code::Remote, error.to_string()))
}
