//! Settings that a platform reads and changes in groups. What only a screen, a lamp or a sensor could obey is kept,
//! told back and announced to whatever front end the box has.

mod faces;
mod groups;
mod liveness;

use serde_json::{Map, Value, json};

use super::{Call, Outcome, failed};
use crate::codes::{Refusal, up_config, up_mqtt, up_sound, up_temperature};
use crate::convert::{cut, time};
use crate::core::Core;
use crate::push;
use crate::wire::{Fault, Fields, Reply};

pub(crate) use faces::{get_face_config, up_face_config};
use groups::TEMPERATURE;
pub(crate) use groups::{DOOR, FACE, REPORTS, SOUND, SYSTEM};

/// What a setting may be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// A whole number in these bounds.
    Int(i64, i64),
    /// An even number in these bounds.
    Even(i64, i64),
    /// With two decimals, in these bounds.
    Decimal(f64, f64),
    /// `HH:MM:SS`.
    Clock,
    /// At most so many bytes; more are cut off.
    Text(usize),
    /// Told, never set.
    Fixed,
}

/// A setting: its name, what it is until it is set, what it may be.
pub(crate) type Setting = (&'static str, &'static str, Kind);

/// Settings that are read and changed together.
pub(crate) struct Group {
    /// Where they are kept.
    pub(crate) key: &'static str,
    pub(crate) settings: &'static [Setting],
}

impl Kind {
    /// The value as it is kept; `None` for one that cannot be.
    fn read(self, fields: &Fields, name: &str) -> Option<String> {
        match self {
            Self::Int(least, most) => in_bounds(fields.int(name)?, least, most),
            Self::Even(least, most) => in_bounds(fields.int(name).filter(|number| number % 2 == 0)?, least, most),
            Self::Decimal(least, most) => {
                fields.float(name).filter(|number| (least..=most).contains(number)).map(|number| format!("{number:.2}"))
            }
            Self::Clock => clock(&fields.filled(name)?),
            Self::Text(most) => fields.text(name).map(|text| cut(text, most)),
            Self::Fixed => None,
        }
    }
}

fn in_bounds(number: i64, least: i64, most: i64) -> Option<String> {
    (least..=most).contains(&number).then(|| number.to_string())
}

fn clock(text: &str) -> Option<String> {
    let time = jiff::civil::Time::strptime("%H:%M:%S", text).ok()?;
    Some(time.strftime("%H:%M:%S").to_string())
}

/// The values of a group, all of them text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Values(Map<String, Value>);

impl Values {
    pub(crate) async fn load(core: &Core, group: &Group) -> domain::Result<Self> {
        let kept = core.state().value(group.key).await?;
        let kept: Map<String, Value> = kept.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        let value = |(name, default, _): &Setting| {
            let value = kept.get(*name).cloned().unwrap_or_else(|| json!(default));
            ((*name).to_owned(), value)
        };
        Ok(Self(group.settings.iter().map(value).collect()))
    }

    pub(crate) fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    pub(crate) fn number(&self, name: &str) -> i64 {
        self.text(name).parse().unwrap_or(0)
    }

    pub(crate) fn set(&mut self, name: &str, value: String) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// Puts in what was sent and gives its names; nothing when one of them cannot be.
    pub(crate) fn put(&mut self, group: &Group, fields: &Fields) -> Option<Vec<&'static str>> {
        let sent = group.settings.iter().filter(|(name, _, kind)| {
            // An empty number counts as none; what cannot be set is passed over.
            !matches!(kind, Kind::Fixed)
                && fields.get(name).is_some_and(|value| value != "" || matches!(kind, Kind::Text(_)))
        });
        let read = sent.map(|(name, _, kind)| Some((*name, kind.read(fields, name)?)));
        let read: Vec<_> = read.collect::<Option<_>>()?;
        let names = read.iter().map(|(name, _)| *name).collect();
        read.into_iter().for_each(|(name, value)| self.set(name, value));
        Some(names)
    }

    pub(crate) async fn keep(&self, core: &Core, group: &Group) -> domain::Result<()> {
        core.state().set_value(group.key, Some(Value::Object(self.0.clone()).to_string())).await
    }

    pub(crate) fn into_map(self) -> Map<String, Value> {
        self.0
    }

    fn into_reply(self) -> Reply {
        Reply::with(Value::Object(self.0))
    }
}

async fn get(call: &Call, group: &Group) -> Outcome {
    Ok(Values::load(&call.core, group).await.map_err(|error| failed(&error))?.into_reply())
}

/// Changes what was sent, all or nothing; gives the values before and after.
async fn up(call: &Call, group: &Group, wrong: Refusal) -> Result<(Values, Values), Fault> {
    let before = Values::load(&call.core, group).await.map_err(|error| failed(&error))?;
    let mut after = before.clone();
    let changed = after.put(group, &call.info).ok_or(wrong)?;
    keep(&call.core, group, &after, &changed).await?;
    Ok((before, after))
}

pub(super) async fn keep(core: &Core, group: &Group, values: &Values, changed: &[&str]) -> Result<(), Fault> {
    values.keep(core, group).await.map_err(|error| failed(&error))?;
    for name in changed {
        core.appliance.tell_front_end(*name, values.text(name));
    }
    core.settings_changed.send_modify(|version| *version += 1);
    Ok(())
}

/// Reads the system's settings (Getconfig, section 9.1).
pub(crate) async fn get_config(call: Call) -> Outcome {
    let mut reply = get(&call, &SYSTEM).await?;
    if let Some(kind) = liveness::told(&call.core) {
        reply.info.insert(liveness::TYPE.to_owned(), json!(kind));
    }
    Ok(reply)
}

/// Changes the system's settings; another language begins the session anew (Upconfig, section 9.1.3).
pub(crate) async fn up_config(call: Call) -> Outcome {
    let (before, after) = up(&call, &SYSTEM, up_config::FAILED).await?;
    if liveness::NAMES.iter().any(|name| call.info.filled(name).is_some()) {
        liveness::follow(&call.core, &after).await.map_err(|error| failed(&error))?;
    }
    let restart = before.text("Language") != after.text("Language");
    Ok(Reply { restart, ..Reply::with(json!({ "reboot": u8::from(restart).to_string() })) })
}

/// Reads what is heard and shown (GetSoundconfig, section 9.2).
pub(crate) async fn get_sound_config(call: Call) -> Outcome {
    get(&call, &SOUND).await
}

/// Changes what is heard and shown (UpSoundconfig, section 9.2.3).
pub(crate) async fn up_sound_config(call: Call) -> Outcome {
    up(&call, &SOUND, up_sound::NO_INFO).await?;
    Ok(Reply::default())
}

/// Reads how temperature is measured (GetTPTconfig, section 9.5).
pub(crate) async fn get_tpt_config(call: Call) -> Outcome {
    let mut reply = get(&call, &TEMPERATURE).await?;
    // The old name of the same.
    let width = reply.info.get("TempFaceMinW").cloned().unwrap_or_default();
    reply.info.insert("Distance".to_owned(), width);
    Ok(reply)
}

/// Changes how temperature is measured (UpTPTconfig, section 9.5.3).
pub(crate) async fn up_tpt_config(mut call: Call) -> Outcome {
    if call.info.get("TempFaceMinW").is_none()
        && let Some(distance) = call.info.get("Distance").cloned()
    {
        call.info.insert("TempFaceMinW", distance);
    }
    up(&call, &TEMPERATURE, up_temperature::NO_INFO).await?;
    Ok(Reply::default())
}

/// What of the reports the connection and the pushes depend on.
pub(crate) struct Mqtt(Values);

impl Mqtt {
    pub(crate) async fn load(core: &Core) -> domain::Result<Self> {
        Ok(Self(Values::load(core, &REPORTS).await?))
    }

    /// Seconds between two heartbeats, when a platform has set them.
    pub(crate) fn keep_alive(&self) -> Option<u64> {
        let seconds = self.0.number("KeepAliveInterval");
        (seconds != 30).then_some(seconds.unsigned_abs())
    }

    pub(crate) fn online_topic(&self) -> String {
        self.0.text("OnlineTopic").to_owned()
    }

    pub(crate) fn heartbeat_topic(&self) -> String {
        self.0.text("HeartbeatTopic").to_owned()
    }

    /// Whether strangers are told of.
    pub(crate) fn strangers(&self) -> bool {
        self.0.number("StrangerUploadType") == 0
    }

    /// Whether people are told of.
    pub(crate) fn people(&self) -> bool {
        self.0.number("RecordUploadType") != 0
    }

    /// Whether with the picture that was taken.
    pub(crate) fn with_picture(&self) -> bool {
        self.0.number("RecordUploadType") == 1
    }

    /// Whether a record is told again until the platform confirms it.
    pub(crate) fn resumes(&self) -> bool {
        self.0.number("ResumefromBreakpoint") == 1
    }

    /// Whether what is read of this kind is told of: `QRCode`, `IDCard` or `Card`.
    pub(crate) fn reports(&self, name: &str) -> bool {
        self.0.number(name) == 1
    }

    pub(crate) fn direction(&self) -> &'static str {
        match self.0.number("Direction") {
            0 => "entr",
            1 => "exit",
            _ => "unknow",
        }
    }
}

/// Reads what is reported (GetMQTTconfig, section 9.6).
pub(crate) async fn get_mqtt_config(call: Call) -> Outcome {
    let core = &call.core;
    let values = Values::load(core, &REPORTS).await.map_err(|error| failed(&error))?;
    let begin = push::resume_time(core, &push::FEEDS).await.map_err(|error| failed(&error))?;
    let mut info = values.into_map();
    info.insert("BeginTime".to_owned(), json!(time::text_with_t(begin, &core.zone())));
    for (name, topic) in [("OnlineTopic", "basic"), ("HeartbeatTopic", "heartbeat")] {
        if info.get(name).is_some_and(|set| set == "") {
            info.insert(name.to_owned(), json!(format!("{}/{topic}", core.config.topic_prefix)));
        }
    }
    Ok(Reply::with(Value::Object(info)))
}

/// Changes what is reported; connects anew when a topic or the heartbeat changes (UpMQTTconfig, section 9.6.3).
pub(crate) async fn up_mqtt_config(call: Call) -> Outcome {
    let core = &call.core;
    let before = Values::load(core, &REPORTS).await.map_err(|error| failed(&error))?;
    let mut after = before.clone();
    let changed = after.put(&REPORTS, &call.info).ok_or(up_mqtt::NO_INFO)?;
    let topics = ["OnlineTopic", "HeartbeatTopic"];
    if topics.iter().any(|name| after.text(name).contains(['+', '#', '\0'])) {
        return Err(up_mqtt::NO_INFO.into());
    }
    let now = Mqtt(after.clone());
    if now.resumes() && !now.strangers() && !now.people() {
        return Err(up_mqtt::NOTHING_TO_RESUME.into());
    }
    if let Some(begin) = call.info.filled("BeginTime") {
        let begin = time::first(&begin, &core.zone()).ok_or(up_mqtt::NO_INFO)?;
        push::resume_from(core, &push::FEEDS, begin).await.map_err(|error| failed(&error))?;
    }
    keep(core, &REPORTS, &after, &changed).await?;
    let differs = |name: &&str| before.text(name) != after.text(name);
    let connects = topics.iter().chain(&["KeepAliveInterval"]).any(differs);
    Ok(Reply::with(json!({ "ReConnect": u8::from(connects).to_string(), "Reboot": "0" })))
}

/// Puts these groups back to what they were when the device was new.
pub(crate) async fn forget(core: &Core, groups: &[&Group]) -> Result<(), Fault> {
    for group in groups {
        core.state().set_value(group.key, None).await.map_err(|error| failed(&error))?;
        if group.key == SYSTEM.key {
            liveness::forget(core).await.map_err(|error| failed(&error))?;
        }
    }
    core.settings_changed.send_modify(|version| *version += 1);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(group: &Group, sent: &Value) -> Option<Values> {
        let mut values = Values(Map::new());
        values.put(group, &Fields::new(sent.as_object().unwrap().clone()))?;
        Some(values)
    }

    #[test]
    fn settings_are_held_against_their_bounds() {
        let good =
            put(&SYSTEM, &json!({"Language": "10", "LedTimeBeg": "7:05:00", "LiveThreshold": "1", "WebTimeOut": ""}));
        let good = good.unwrap();
        assert_eq!(
            (good.text("Language"), good.text("LedTimeBeg"), good.text("LiveThreshold")),
            ("10", "07:05:00", "")
        );
        for bad in [json!({"Language": 11}), json!({"Language": "x"}), json!({"LedTimeBeg": "25:00:00"})] {
            assert_eq!(put(&SYSTEM, &bad), None, "{bad}");
        }
        assert_eq!(put(&TEMPERATURE, &json!({"TemperatureHigh": 37.2})).unwrap().text("TemperatureHigh"), "37.20");
        assert_eq!(put(&FACE, &json!({"detectArea_x": 3})), None);
    }
}
