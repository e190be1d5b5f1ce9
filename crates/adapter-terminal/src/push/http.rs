//! Records and heartbeats to the HTTP subscriber.

use std::time::Duration;

use adapter::{Deliver, Delivery, Feed, Start};
use async_trait::async_trait;
use domain::{Appliance, Entry, EntryKind, Record, Result};
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use super::{HTTP_FEED, Kind, messages};
use crate::convert::{data_uri, nations, or_blank, people, time, validity};
use crate::core::Core;
use crate::ops::http::{Pictures, Subscriber};
use crate::session;
use crate::wire::fields::whole;

/// The subscriber answers within this time.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);

/// Walks the record log until cancelled, and from another place when a platform says so.
pub(super) async fn deliver(core: &Core, appliance: Appliance, cancel: &CancellationToken) {
    let settings = core.settings_changed.subscribe();
    let feed = Feed::new(core.state(), HTTP_FEED, &[EntryKind::Record], Start::FromNewest).restarting_with(settings);
    feed.run(appliance, cancel.clone(), ToSubscriber { core }).await;
}

struct ToSubscriber<'a> {
    core: &'a Core,
}

#[async_trait]
impl Deliver for ToSubscriber<'_> {
    async fn deliver(&mut self, entry: &Entry) -> Delivery {
        let Some(record) = entry.record() else { return Delivery::Acknowledged };
        self.push(record).await.unwrap_or_else(|error| Delivery::retry(error.chain()))
    }
}

impl ToSubscriber<'_> {
    async fn push(&self, record: &Record) -> Result<Delivery> {
        let set = Subscriber::load(self.core).await?;
        let wanted =
            set.is_on() && (if Kind::of(record) == Kind::Person { set.verify().is_some() } else { set.snap() });
        if !wanted {
            return Ok(Delivery::Acknowledged);
        }
        self.push_until_answered(&set, record).await
    }

    /// Without resume the answer does not matter, and what does not arrive stays lost.
    async fn push_until_answered(&self, set: &Subscriber, record: &Record) -> Result<Delivery> {
        loop {
            let (url, message) = match (Kind::of(record), set.verify()) {
                (Kind::Person, Some(pictures)) => (set.url("Verify"), verify(self.core, record, pictures).await?),
                (Kind::Person, None) => return Ok(Delivery::Acknowledged),
                (Kind::Stranger, _) => (set.url("Snap"), snap(self.core, record).await?),
            };
            let answered = self.core.outbound.exchange_json(&url, &message, set.login(), TIMEOUT).await;
            let why = match answered {
                Ok((_, answer)) if is_ok(&answer) => return Ok(Delivery::Acknowledged),
                Ok((status, _)) => format!("the subscriber answers {status} without a confirmation"),
                Err(error) => error.to_string(),
            };
            if !set.resumes() {
                return Ok(Delivery::Dropped { why });
            }
            tokio::time::sleep(self.core.pace.resend).await;
        }
    }
}

/// `{"code": 200, "desc": "OK"}`: code as number or text, a comma too many.
fn is_ok(answer: &[u8]) -> bool {
    let Ok(answer) = adapter::parse_object(answer) else { return false };
    let code = answer.get("code").and_then(whole);
    let desc = answer.get("desc").and_then(Value::as_str).is_none_or(|desc| desc.eq_ignore_ascii_case("ok"));
    code == Some(200) && desc
}

async fn verify(core: &Core, record: &Record, pictures: Pictures) -> Result<Value> {
    let mut message = json!({ "operator": "VerifyPush", "info": about_person(core, record).await? });
    if pictures.captured {
        attach(core, &mut message, "SanpPic", Some(&record.capture.crop)).await?;
    }
    if pictures.registered {
        attach(core, &mut message, "RegisteredPic", record.best().map(|best| &best.photo)).await?;
    }
    Ok(message)
}

async fn snap(core: &Core, record: &Record) -> Result<Value> {
    let mut message = json!({
        "operator": "SnapPush",
        "info": {
            "DeviceID": number(&core.id),
            "CreateTime": time::text_with_t(record.capture.at, &core.zone()),
            "PictureType": 0,
            "Sendintime": messages::in_time(core, record),
        },
    });
    attach(core, &mut message, "SanpPic", Some(&record.capture.crop)).await?;
    Ok(message)
}

async fn attach(core: &Core, message: &mut Value, name: &str, picture: Option<&domain::PictureId>) -> Result<()> {
    let Some(picture) = picture else { return Ok(()) };
    if let Some(picture) = messages::kept(core, picture).await? {
        message[name] = json!(data_uri(&picture));
    }
    Ok(())
}

async fn about_person(core: &Core, record: &Record) -> Result<Map<String, Value>> {
    let (person, own) = messages::whom(core, record).await?;
    let best = record.best();
    let profile = person.map(|person| person.profile).unwrap_or_default();
    let (zone, code) = (core.zone(), best.map(|best| best.code.as_str()).unwrap_or_default());
    let list = validity::fields(&profile.validity, &zone);
    let info = json!({
        "DeviceID": number(&core.id),
        "PersonID": best.map_or(0, |best| best.person.0),
        "RecordID": record.seq.0,
        "CreateTime": time::text_with_t(record.capture.at, &zone),
        "Similarity1": messages::percent(record),
        "Similarity2": 0.0,
        "VerifyStatus": messages::status(record.verdict),
        "VerfyType": 1,
        "PersonType": u8::from(record.verdict == domain::Verdict::Blocked),
        "Name": best.map(|best| best.name.as_str()).unwrap_or_default(),
        "Gender": people::gender_code(profile.gender),
        "Nation": nations::code(&profile.ethnic_group),
        "CardType": own.number("cardType").unwrap_or(0),
        "IdCard": or_blank(&profile.document_number),
        "Birthday": people::birthday(&profile),
        "Telnum": or_blank(&profile.phone),
        "Native": or_blank(&profile.native_place),
        "Address": or_blank(&profile.address),
        "Notes": or_blank(&profile.remark),
        "MjCardFrom": own.number("cardType2").unwrap_or(0),
        "MjCardNo": people::card_num(&profile, &own),
        "RFIDCard": people::rf_card(&profile, &own).unwrap_or_default(),
        "CustomizeID": number(code),
        "PersonUUID": code,
        "Tempvalid": list.kind,
        "ValidBegin": list.begin,
        "ValidEnd": list.end,
        "Sendintime": messages::in_time(core, record),
    });
    Ok(if let Value::Object(info) = info { info } else { Map::new() })
}

/// 0 for what is no number.
fn number(text: &str) -> i64 {
    text.parse().unwrap_or(0)
}

/// Tells the subscriber that the device lives, every so often while anything is told to it.
pub(super) async fn send_heartbeats(core: &Core, cancel: &CancellationToken) {
    let mut settings = core.settings_changed.subscribe();
    while !cancel.is_cancelled() {
        settings.borrow_and_update();
        let set = Subscriber::load(core).await.ok().filter(Subscriber::is_on);
        let wait = Duration::from_secs(set.as_ref().map_or(60, Subscriber::beat));
        if let Some(set) = set {
            let (url, beat) = (set.url("Beat"), session::heartbeat(core));
            let sent = core.outbound.exchange_json(&url, &beat, set.login(), TIMEOUT);
            // The answer does not matter.
            let _ = cancel.run_until_cancelled(sent).await;
        }
        let rest = tokio::time::timeout(wait, settings.changed());
        let _ = cancel.run_until_cancelled(rest).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_200_and_ok_however_it_is_written() {
        for good in [r#"{"code": 200, "desc": "OK"}"#, r#"{"code": "200", "desc": "ok",}"#, r#"{"code": 200}"#] {
            assert!(is_ok(good.as_bytes()), "{good}");
        }
        for bad in ["", "OK", r#"{"code": 500, "desc": "OK"}"#, r#"{"code": 200, "desc": "busy"}"#, "[]"] {
            assert!(!is_ok(bad.as_bytes()), "{bad}");
        }
    }
}
