//! Records and heartbeats to the HTTP subscriber.

use std::time::Duration;

use adapter::lenient::whole;
use adapter::{Deliver, Delivery, Feed, Start};
use async_trait::async_trait;
use domain::{Appliance, Entry, EntryKind, PictureId, Record, RecordKind, Result, Verdict};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::feeds::HTTP_FEED;
use super::messages;
use crate::convert::{data_uri, nations, or_blank, people, record_kind, time, validity};
use crate::device::Device;
use crate::settings::{Pictures, Subscription};
use crate::wire::push::{Snap, SubscriberPush, SubscriberRecord, Verify};
use crate::work::session;

/// Time-out of a push.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);
/// The interval between heartbeats is checked this often while nothing is subscribed.
const IDLE: Duration = Duration::from_secs(60);

/// Pushes records until cancelled; from another place of the log when a platform sets one.
pub(super) async fn deliver(device: &Device, appliance: Appliance, cancel: &CancellationToken) {
    let settings = device.settings_changed.subscribe();
    let feed = Feed::new(device.state(), HTTP_FEED, &[EntryKind::Record], Start::FromNewest).restarting_with(settings);
    feed.run(appliance, cancel.clone(), ToSubscriber { device }).await;
}

struct ToSubscriber<'a> {
    device: &'a Device,
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
        let set = Subscription::load(&self.device.state()).await?;
        if !set.is_on() || !set.pushes(record_kind(record.verdict)) {
            return Ok(Delivery::Acknowledged);
        }
        self.push_until_answered(&set, record).await
    }

    /// Without resuming, the answer does not matter, and a push that fails is not repeated.
    async fn push_until_answered(&self, set: &Subscription, record: &Record) -> Result<Delivery> {
        loop {
            let (url, message) = match (record_kind(record.verdict), set.verify()) {
                (RecordKind::People, Some(pictures)) => {
                    (set.url("Verify"), verify(self.device, record, pictures).await?)
                }
                (RecordKind::People, None) => return Ok(Delivery::Acknowledged),
                (RecordKind::Strangers, _) => (set.url("Snap"), snap(self.device, record).await?),
            };
            let answered = self.device.outbound.exchange_json(&url, &message, set.login(), TIMEOUT).await;
            let why = match answered {
                Ok((_, answer)) if is_ok(&answer) => return Ok(Delivery::Acknowledged),
                Ok((status, _)) => format!("the subscriber answers {status} without a confirmation"),
                Err(error) => error.to_string(),
            };
            if !set.resumes() {
                return Ok(Delivery::Dropped { why });
            }
            tokio::time::sleep(self.device.pace.resend).await;
        }
    }
}

/// Whether an answer is `{"code": 200, "desc": "OK"}`; the code may be text, and a trailing comma is ignored.
fn is_ok(answer: &[u8]) -> bool {
    let Ok(answer) = adapter::parse_object(answer) else { return false };
    let code = answer.get("code").and_then(whole);
    let desc = answer.get("desc").and_then(Value::as_str).is_none_or(|desc| desc.eq_ignore_ascii_case("ok"));
    code == Some(200) && desc
}

async fn verify(device: &Device, record: &Record, pictures: Pictures) -> Result<SubscriberPush> {
    let captured = if pictures.captured { Some(&record.capture.crop) } else { None };
    let registered = if pictures.registered { record.best().map(|best| &best.photo) } else { None };
    Ok(SubscriberPush {
        operator: "VerifyPush",
        info: SubscriberRecord::Person(Box::new(person_of(device, record).await?)),
        captured: picture(device, captured).await?,
        registered: picture(device, registered).await?,
    })
}

async fn snap(device: &Device, record: &Record) -> Result<SubscriberPush> {
    let info = Snap {
        device: number(&device.id),
        time: time::text_with_t(record.capture.at, &device.zone()),
        picture_type: 0,
        in_time: messages::in_time(device, record.capture.at),
    };
    Ok(SubscriberPush {
        operator: "SnapPush",
        info: SubscriberRecord::Stranger(info),
        captured: picture(device, Some(&record.capture.crop)).await?,
        registered: None,
    })
}

/// A stored picture as text, unless it was removed.
async fn picture(device: &Device, picture: Option<&PictureId>) -> Result<Option<String>> {
    let Some(picture) = picture else { return Ok(None) };
    Ok(messages::kept(device, picture).await?.map(|picture| data_uri(&picture)))
}

async fn person_of(device: &Device, record: &Record) -> Result<Verify> {
    let best = record.best();
    let (person, own) = match best {
        Some(best) => messages::holder(device, best.person).await?,
        None => Default::default(),
    };
    let profile = person.map(|person| person.profile).unwrap_or_default();
    let (zone, code) = (device.zone(), best.map(|best| best.code.to_string()).unwrap_or_default());
    let list = validity::fields(&profile.validity, &zone);
    Ok(Verify {
        device: number(&device.id),
        person_id: best.map_or(0, |best| best.person.0),
        record_id: record.seq.0,
        create_time: time::text_with_t(record.capture.at, &zone),
        similarity1: messages::percent(record),
        similarity2: 0.0,
        verify_status: messages::status(record.verdict),
        verfy_type: 1,
        person_type: u8::from(record.verdict == Verdict::Blocked),
        name: best.map(|best| best.name.clone()).unwrap_or_default(),
        gender: people::gender_code(profile.gender),
        nation: nations::code(&profile.ethnic_group),
        card_type: own.number("cardType").unwrap_or(0),
        id_card: or_blank(&profile.document_number).to_owned(),
        birthday: people::birthday(&profile),
        telnum: or_blank(&profile.phone).to_owned(),
        native: or_blank(&profile.native_place).to_owned(),
        address: or_blank(&profile.address).to_owned(),
        notes: or_blank(&profile.remark).to_owned(),
        mj_card_from: own.number("cardType2").unwrap_or(0),
        mj_card_no: people::card_num(&profile, &own),
        rf_card: people::rf_card(&profile, &own).unwrap_or_default(),
        customize_id: number(&code),
        person_uuid: code,
        tempvalid: list.kind,
        valid_begin: list.begin,
        valid_end: list.end,
        sendintime: messages::in_time(device, record.capture.at),
    })
}

/// The number; 0 for text that is not one.
fn number(text: &str) -> i64 {
    text.parse().unwrap_or(0)
}

/// Sends heartbeats to the subscriber while anything is pushed to it.
pub(super) async fn send_heartbeats(device: &Device, cancel: &CancellationToken) {
    let mut settings = device.settings_changed.subscribe();
    while !cancel.is_cancelled() {
        settings.borrow_and_update();
        let set = Subscription::load(&device.state()).await.ok().filter(Subscription::is_on);
        let wait = set.as_ref().map_or(IDLE, |set| Duration::from_secs(set.beat()));
        if let Some(set) = set {
            let (url, beat) = (set.url("Beat"), session::heartbeat(device));
            let sent = device.outbound.exchange_json(&url, &beat, set.login(), TIMEOUT);
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
