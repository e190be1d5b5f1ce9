//! What is said of a record.

use domain::{Entry, Error, Means, Opening, Person, PersonId, PictureId, Record, Result, Timestamp, Verdict};
use serde_json::{Map, Value, json};

use super::Kind;
use crate::convert::doors::entry_type;
use crate::convert::{data_uri, or_blank, people, time};
use crate::core::Core;
use crate::ops::doors::verify_mode;
use crate::ops::settings::Mqtt;
use crate::wire::people::OwnFields;

/// A record told of later than this after it was captured is an old one, milliseconds.
const IN_TIME_MS: i64 = 10_000;
/// `VerifyStatus` of somebody about whom the platform is asked.
const TO_BE_VERIFIED: u8 = 22;
/// `otype` of a door that was opened by command.
const REMOTE: i64 = 7;
/// Pushed because a platform asked for it.
const MANUAL: u8 = 2;

/// A record on its ordinary way, as one of this kind.
pub(super) async fn now(core: &Core, set: &Mqtt, record: &Record, kind: Kind) -> Result<Value> {
    message(core, set, record, (kind, 0)).await
}

/// A record on demand.
pub(super) async fn again(core: &Core, set: &Mqtt, record: &Record) -> Result<Value> {
    message(core, set, record, (Kind::of(record), MANUAL)).await
}

async fn message(core: &Core, set: &Mqtt, record: &Record, (kind, push_type): (Kind, u8)) -> Result<Value> {
    let (operator, mut info) = match kind {
        Kind::Person => ("RecPush", about_person(core, record).await?),
        Kind::Stranger => ("StrSnapPush", Map::from_iter([("SnapID".to_owned(), json!(record.seq.to_string()))])),
    };
    let [left, top, right, bottom] = corners(record);
    let common = json!({
        "facesluiceId": core.id,
        "facesluiceName": core.appliance.options().name,
        "time": time::text(record.capture.at, &core.zone()),
        "direction": set.direction(),
        "PushType": push_type,
        "left": left,
        "top": top,
        "right": right,
        "bottom": bottom,
    });
    if let Value::Object(common) = common {
        info.extend(common);
    }
    if (kind == Kind::Stranger || set.with_picture())
        && let Some(picture) = kept(core, &record.capture.crop).await?
    {
        info.insert("pic".to_owned(), json!(data_uri(&picture)));
    }
    Ok(json!({ "operator": operator, "info": info }))
}

async fn about_person(core: &Core, record: &Record) -> Result<Map<String, Value>> {
    let Some(best) = record.best() else { return Ok(Map::new()) };
    let (person, own) = whom(core, record).await?;
    let profile = person.map(|person| person.profile).unwrap_or_default();
    let document = if profile.document_number.is_empty() { &best.document_number } else { &profile.document_number };
    let info = json!({
        "customId": best.code.as_str(),
        "personId": best.person.to_string(),
        "RecordID": record.seq.to_string(),
        "VerifyStatus": asked(core, record).await?.unwrap_or(status(record.verdict)).to_string(),
        "PersonType": u8::from(record.verdict == Verdict::Blocked).to_string(),
        "personName": best.name,
        "persionName": best.name,
        "similarity1": format!("{:.6}", percent(record)),
        "similarity2": "0.000000",
        "otype": "1",
        "cardNum2": people::card_num(&profile, &own).to_string(),
        "RFIDCard": people::rf_card(&profile, &own).unwrap_or_default(),
        "idCard": or_blank(document),
        "telnum": or_blank(&profile.phone),
        "Sendintime": in_time(core, record),
    });
    Ok(if let Value::Object(info) = info { info } else { Map::new() })
}

/// The person of a record as he is now, and what only this document knows of him; nobody who is gone.
pub(super) async fn whom(core: &Core, record: &Record) -> Result<(Option<Person>, OwnFields)> {
    let Some(best) = record.best() else { return Ok((None, OwnFields::default())) };
    holder(core, best.person).await
}

/// A person, and what only this document knows of him; nobody who is gone.
pub(super) async fn holder(core: &Core, person: PersonId) -> Result<(Option<Person>, OwnFields)> {
    let person = match core.appliance.person(person).await {
        Ok(person) => person,
        Err(Error::NotFound { .. }) => return Ok((None, OwnFields::default())),
        Err(error) => return Err(error),
    };
    let notes = core.state().notes(&[person.id]).await?;
    let own = OwnFields::kept(notes.get(&person.id));
    Ok((Some(person), own))
}

/// 22, when the platform is asked whether the door opens to the person.
async fn asked(core: &Core, record: &Record) -> Result<Option<u8>> {
    let asks = record.verdict == Verdict::Known && core.appliance.door_rules().await?.asks_first();
    Ok(asks.then_some(TO_BE_VERIFIED))
}

/// That the door was opened: by a platform with nobody before it, or to somebody who is on no record.
pub(super) async fn opening(core: &Core, set: &Mqtt, entry: &Entry, opening: &Opening) -> Result<Value> {
    let otype = if opening.by == Means::Command { REMOTE } else { entry_type(opening.by, verify_mode(core).await?) };
    let mut message = json!({
        "operator": "RecPush",
        "info": {
            "facesluiceId": core.id,
            "facesluiceName": core.appliance.options().name,
            "customId": "",
            "personId": "0",
            "RecordID": entry.seq.to_string(),
            "VerifyStatus": "0",
            "PersonType": "0",
            "personName": "",
            "persionName": "",
            "similarity1": "0.000000",
            "otype": otype.to_string(),
            "cardNum2": "0",
            "time": time::text(entry.at, &core.zone()),
            "direction": set.direction(),
            "PushType": 0,
            "Sendintime": since(core, entry.at),
        },
    });
    let Some(named) = &opening.person else { return Ok(message) };
    let (info, (person, own)) = (&mut message["info"], holder(core, named.id).await?);
    info["personId"] = json!(named.id.to_string());
    info["VerifyStatus"] = json!(status(Verdict::Known).to_string());
    if let Some(Person { code, profile, .. }) = person {
        info["customId"] = json!(code.as_str());
        info["personName"] = json!(profile.name);
        info["persionName"] = json!(profile.name);
        info["cardNum2"] = json!(people::card_num(&profile, &own).to_string());
        info["RFIDCard"] = json!(people::rf_card(&profile, &own).unwrap_or_default());
        info["idCard"] = json!(or_blank(&profile.document_number));
        info["telnum"] = json!(or_blank(&profile.phone));
    }
    Ok(message)
}

/// 1 allowed, 2 refused, 3 not registered, 24 at another time.
pub(super) fn status(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Known => 1,
        Verdict::Blocked => 2,
        Verdict::NotAllowedNow => 24,
        Verdict::Stranger | Verdict::Unclear | Verdict::Spoof => 3,
    }
}

/// 0 to 100.
pub(super) fn percent(record: &Record) -> f64 {
    record.best().map_or(0.0, |best| f64::from(best.similarity.value()) * 100.0)
}

/// 1 for a record that is new, 0 for one that waited.
pub(super) fn in_time(core: &Core, record: &Record) -> u8 {
    since(core, record.capture.at)
}

fn since(core: &Core, at: Timestamp) -> u8 {
    u8::from(core.appliance.now().millis_since(at) <= IN_TIME_MS)
}

fn corners(record: &Record) -> [String; 4] {
    let face = record.capture.face_box;
    [face.left, face.top, face.right, face.bottom].map(|side| (side.max(0.0) as u32).to_string())
}

/// A stored picture, unless it is gone.
pub(super) async fn kept(core: &Core, picture: &PictureId) -> Result<Option<bytes::Bytes>> {
    match core.appliance.picture(picture.clone()).await {
        Ok(picture) => Ok(Some(picture)),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
