//! The messages of records and openings.

use bytes::Bytes;
use domain::{
    Entry, Error, Means, Opening, Person, PersonId, PictureId, Record, RecordKind, Result, Timestamp, Verdict, What,
};

use crate::convert::doors::entry_type;
use crate::convert::{data_uri, or_blank, people, record_kind, time};
use crate::device::Device;
use crate::settings::{self, Reports};
use crate::wire::people::OwnFields;
use crate::wire::push::{Authentication, FaceEdges, Message, Pushed, Subject};

/// A record sent later than this after its capture counts as queued, milliseconds.
const IN_TIME_MS: i64 = 10_000;
/// `VerifyStatus` of a person whose entry the platform decides.
const TO_BE_VERIFIED: u8 = 22;
/// `otype` of a record.
const FACE: i64 = 1;
/// `otype` of a door that was opened by command.
const REMOTE: i64 = 7;
/// `PushType` of a new record.
const LIVE: u8 = 0;
/// `PushType` of a push on demand.
const MANUAL: u8 = 2;

/// A new record, as one of this kind.
pub(super) async fn now(device: &Device, set: &Reports, record: &Record, kind: RecordKind) -> Result<Message<Pushed>> {
    message(device, set, record, (kind, LIVE)).await
}

/// A record or an opening on demand; `None` for any other entry.
pub(super) async fn again(device: &Device, set: &Reports, entry: &Entry) -> Result<Option<Message<Pushed>>> {
    match &entry.what {
        What::Record(record) => message(device, set, record, (record_kind(record.verdict), MANUAL)).await.map(Some),
        What::Opening(opening) => opened(device, set, (entry, opening), MANUAL).await.map(Some),
        What::Correction(_) | What::Behaviour(_) | What::Clip(_) | What::Notice(_) => Ok(None),
    }
}

async fn message(
    device: &Device,
    set: &Reports,
    record: &Record,
    (kind, push_type): (RecordKind, u8),
) -> Result<Message<Pushed>> {
    let (operator, subject) = match kind {
        RecordKind::People => ("RecPush", person_of(device, record).await?),
        RecordKind::Strangers => ("StrSnapPush", Subject::Stranger { id: record.seq.to_string() }),
    };
    let pic = match kind {
        RecordKind::People if !set.with_picture() => None,
        RecordKind::People | RecordKind::Strangers => kept(device, &record.capture.crop).await?,
    };
    let info = Pushed {
        subject,
        device: device.id.clone(),
        device_name: device.appliance.options().name.clone(),
        time: time::text(record.capture.at, &device.zone()),
        direction: set.direction(),
        push_type,
        face: Some(edges(record)),
        pic: pic.map(|picture| data_uri(&picture)),
    };
    Ok(Message { operator, info })
}

async fn person_of(device: &Device, record: &Record) -> Result<Subject> {
    let Some(best) = record.best() else { return Ok(Subject::Nobody {}) };
    let (person, own) = holder(device, best.person).await?;
    let profile = person.map(|person| person.profile).unwrap_or_default();
    let document = if profile.document_number.is_empty() { &best.document_number } else { &profile.document_number };
    Ok(Subject::Person(Box::new(Authentication {
        custom_id: best.code.to_string(),
        person_id: best.person.to_string(),
        record_id: record.seq.to_string(),
        verify_status: asked(device, record).await?.unwrap_or(status(record.verdict)).to_string(),
        person_type: u8::from(record.verdict == Verdict::Blocked).to_string(),
        name: best.name.clone(),
        name_misspelt: best.name.clone(),
        similarity1: format!("{:.6}", percent(record)),
        similarity2: Some("0.000000"),
        otype: FACE.to_string(),
        card_num: people::card_num(&profile, &own).to_string(),
        rf_card: Some(people::rf_card(&profile, &own).unwrap_or_default()),
        id_card: Some(or_blank(document).to_owned()),
        telnum: Some(or_blank(&profile.phone).to_owned()),
        in_time: in_time(device, record.capture.at),
    })))
}

/// The person as stored now, and what only this document knows of the person; neither for a person who was removed.
pub(super) async fn holder(device: &Device, person: PersonId) -> Result<(Option<Person>, OwnFields)> {
    match device.appliance.person(person).await {
        Ok(person) => {
            let own = settings::own_fields(&device.state(), person.id).await?;
            Ok((Some(person), own))
        }
        Err(Error::NotFound { .. }) => Ok((None, OwnFields::default())),
        Err(error) => Err(error),
    }
}

/// 22, when the platform is asked whether the door opens to the person.
async fn asked(device: &Device, record: &Record) -> Result<Option<u8>> {
    let asks = record.verdict == Verdict::Known && device.appliance.door_rules().await?.asks_first();
    Ok(asks.then_some(TO_BE_VERIFIED))
}

/// A new opening.
pub(super) async fn opening(
    device: &Device,
    set: &Reports,
    entry: &Entry,
    opening: &Opening,
) -> Result<Message<Pushed>> {
    opened(device, set, (entry, opening), LIVE).await
}

/// An opening by a platform, or for a person who is on no record.
async fn opened(
    device: &Device,
    set: &Reports,
    (entry, opening): (&Entry, &Opening),
    push_type: u8,
) -> Result<Message<Pushed>> {
    let otype = match opening.by {
        Means::Command => REMOTE,
        by => entry_type(by, device.verify_mode().await?),
    };
    let mut subject = Authentication {
        custom_id: String::new(),
        person_id: "0".to_owned(),
        record_id: entry.seq.to_string(),
        verify_status: "0".to_owned(),
        person_type: "0".to_owned(),
        name: String::new(),
        name_misspelt: String::new(),
        similarity1: "0.000000".to_owned(),
        similarity2: None,
        otype: otype.to_string(),
        card_num: "0".to_owned(),
        rf_card: None,
        id_card: None,
        telnum: None,
        in_time: in_time(device, entry.at),
    };
    if let Some(named) = &opening.person {
        subject.person_id = named.id.to_string();
        subject.verify_status = status(Verdict::Known).to_string();
        if let (Some(Person { code, profile, .. }), own) = holder(device, named.id).await? {
            subject.custom_id = code.to_string();
            subject.name_misspelt.clone_from(&profile.name);
            subject.card_num = people::card_num(&profile, &own).to_string();
            subject.rf_card = Some(people::rf_card(&profile, &own).unwrap_or_default());
            subject.id_card = Some(or_blank(&profile.document_number).to_owned());
            subject.telnum = Some(or_blank(&profile.phone).to_owned());
            subject.name = profile.name;
        }
    }
    let info = Pushed {
        subject: Subject::Person(Box::new(subject)),
        device: device.id.clone(),
        device_name: device.appliance.options().name.clone(),
        time: time::text(entry.at, &device.zone()),
        direction: set.direction(),
        push_type,
        face: None,
        pic: None,
    };
    Ok(Message { operator: "RecPush", info })
}

/// 1 allowed, 2 refused, 3 not registered, 24 outside the permitted time.
pub(super) fn status(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Known => 1,
        Verdict::Blocked => 2,
        Verdict::NotAllowedNow => 24,
        Verdict::Stranger | Verdict::Unclear | Verdict::Spoof => 3,
    }
}

/// The similarity of the best match, 0 to 100.
pub(super) fn percent(record: &Record) -> f64 {
    record.best().map_or(0.0, |best| f64::from(best.similarity.value()) * 100.0)
}

/// 1 for an entry that is new, 0 for one that was queued.
pub(super) fn in_time(device: &Device, at: Timestamp) -> u8 {
    u8::from(device.appliance.now().millis_since(at) <= IN_TIME_MS)
}

fn edges(record: &Record) -> FaceEdges {
    let face = record.capture.face_box;
    let text = |edge: f32| (edge.max(0.0) as u32).to_string();
    FaceEdges { left: text(face.left), top: text(face.top), right: text(face.right), bottom: text(face.bottom) }
}

/// A stored picture, unless it was removed.
pub(super) async fn kept(device: &Device, picture: &PictureId) -> Result<Option<Bytes>> {
    match device.appliance.picture(picture.clone()).await {
        Ok(picture) => Ok(Some(picture)),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
