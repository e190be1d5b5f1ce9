//! Settings that a platform reads and changes in groups. What only a screen, a lamp or a sensor could obey is kept,
//! told back and announced to whatever front end the box has.

mod faces;
mod groups;
mod liveness;
mod reports;

use domain::Error;
use serde_json::{Map, Value, json};

use super::http::SUBSCRIPTION;
use super::{Call, Outcome, failed};
use crate::codes::{Refusal, up_config, up_sound, up_temperature};
use crate::convert::cut;
use crate::core::Core;
use crate::push;
use crate::wire::{Fault, Fields, Reply};

pub(crate) use faces::{forget as forget_faces, get_face_config, up_face_config};
use groups::TEMPERATURE;
pub(crate) use groups::{DOOR, FACE, REPORTS, SOUND, SYSTEM};
pub(crate) use reports::{Mqtt, get_mqtt_config, up_mqtt_config};

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
    /// One of these numbers.
    OneOf(&'static [i64]),
    /// At most so many bytes, to be read by somebody; more are cut off.
    Text(usize),
    /// At most so many bytes, of which none can be left out.
    Exact(usize),
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
            Self::OneOf(numbers) => fields.int(name).filter(|number| numbers.contains(number)).map(|n| n.to_string()),
            Self::Text(most) => fields.text(name).map(|text| cut(text, most)),
            Self::Exact(most) => fields.text(name).filter(|text| text.len() <= most),
            Self::Fixed => None,
        }
    }

    /// The value as it is kept.
    ///
    /// # Errors
    /// Which field has another, and what it must be.
    pub(crate) fn read_or_tell(self, fields: &Fields, name: &str) -> Result<String, String> {
        self.read(fields, name).ok_or_else(|| format!("{name} {}", self.rule()))
    }

    /// What a value must be, for one that is not.
    fn rule(self) -> String {
        match self {
            Self::Int(least, i64::MAX) => format!("must be a whole number from {least} on"),
            Self::Int(least, most) => format!("must be a whole number, {least} to {most}"),
            Self::Even(least, most) => format!("must be an even number, {least} to {most}"),
            Self::Decimal(least, most) => format!("must be a number, {least} to {most}"),
            Self::Clock => "must be a time, HH:MM:SS".to_owned(),
            Self::OneOf(numbers) => {
                let numbers: Vec<_> = numbers.iter().map(i64::to_string).collect();
                format!("must be one of {}", numbers.join(", "))
            }
            Self::Text(_) => "must be text".to_owned(),
            Self::Exact(most) => format!("must be text of at most {most} bytes"),
            Self::Fixed => "cannot be set".to_owned(),
        }
    }

    fn is_text(self) -> bool {
        matches!(self, Self::Text(_) | Self::Exact(_))
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
    /// As kept, or as on a new device. `Unavailable` when what is kept cannot be read.
    pub(crate) async fn load(core: &Core, group: &Group) -> domain::Result<Self> {
        let kept = core.state().read_value(group.key, kept).await?;
        Ok(Self::with(&kept.unwrap_or_default(), group))
    }

    /// As [`load`](Self::load), but as on a new device where what is kept cannot be read: for the connection over which
    /// it can be set again, and for the act that does so.
    pub(crate) async fn load_to_set(core: &Core, group: &Group) -> domain::Result<Self> {
        match Self::load(core, group).await {
            Err(Error::Unavailable { .. }) => Ok(Self::with(&Map::new(), group)),
            loaded => loaded,
        }
    }

    fn with(kept: &Map<String, Value>, group: &Group) -> Self {
        let value = |(name, default, _): &Setting| {
            let value = kept.get(*name).cloned().unwrap_or_else(|| json!(default));
            ((*name).to_owned(), value)
        };
        Self(group.settings.iter().map(value).collect())
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

    /// Puts in what was sent and gives its names; all or nothing.
    ///
    /// # Errors
    /// Which of them cannot be, and what it would have to be.
    pub(crate) fn put(&mut self, group: &Group, fields: &Fields) -> Result<Vec<&'static str>, String> {
        let sent = group.settings.iter().filter(|(name, _, kind)| {
            // An empty number counts as none; what cannot be set is passed over.
            !matches!(kind, Kind::Fixed) && (fields.is_sent(name) || kind.is_text() && fields.get(name).is_some())
        });
        let read: Vec<_> =
            sent.map(|(name, _, kind)| Ok((*name, kind.read_or_tell(fields, name)?))).collect::<Result<_, String>>()?;
        let names = read.iter().map(|(name, _)| *name).collect();
        read.into_iter().for_each(|(name, value)| self.set(name, value));
        Ok(names)
    }

    pub(crate) async fn keep(&self, core: &Core, group: &Group) -> domain::Result<()> {
        core.acts().configure(&core.state(), group.key, Some(Value::Object(self.0.clone()).to_string())).await
    }

    pub(crate) fn into_map(self) -> Map<String, Value> {
        self.0
    }

    fn into_reply(self) -> Reply {
        Reply::with(Value::Object(self.0))
    }
}

/// The values of a group as they are kept: an object of texts.
fn kept(text: &str) -> Result<Map<String, Value>, String> {
    let kept: Map<String, Value> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    match kept.iter().find(|(_, value)| !value.is_string()) {
        Some((name, _)) => Err(format!("{name} is no text")),
        None => Ok(kept),
    }
}

/// Reads every group once, so that what cannot be read is known from the start.
pub(crate) async fn check(core: &Core) {
    for group in [&SYSTEM, &SOUND, &TEMPERATURE, &REPORTS, &DOOR, &FACE, &SUBSCRIPTION] {
        if let Err(error) = Values::load(core, group).await {
            tracing::warn!(settings.key = group.key, error = error.chain(), "settings cannot be read");
        }
    }
}

async fn get(call: &Call, group: &Group) -> Outcome {
    Ok(Values::load(&call.core, group).await.map_err(|error| failed(&error))?.into_reply())
}

/// Changes what was sent, all or nothing; gives the values before and after.
async fn up(call: &Call, group: &Group, wrong: Refusal) -> Result<(Values, Values), Fault> {
    let before = Values::load_to_set(&call.core, group).await.map_err(|error| failed(&error))?;
    let mut after = before.clone();
    let changed = after.put(group, &call.info).map_err(|why| wrong.because(why))?;
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

/// The setting that says whether pictures of captures are kept.
const PICTURES: &str = "DataBaseEnable";

/// Reads the system's settings (Getconfig, section 9.1).
pub(crate) async fn get_config(call: Call) -> Outcome {
    let mut reply = get(&call, &SYSTEM).await?;
    if let Some(kind) = liveness::told(&call.core) {
        reply.info.insert(liveness::TYPE.to_owned(), json!(kind));
    }
    reply.info.insert(PICTURES.to_owned(), json!(u8::from(call.core.appliance.keeps_pictures()).to_string()));
    Ok(reply)
}

/// Changes the system's settings; another language begins the session anew (Upconfig, section 9.1.3).
pub(crate) async fn up_config(call: Call) -> Outcome {
    let (before, after) = up(&call, &SYSTEM, up_config::FAILED).await?;
    if liveness::NAMES.iter().any(|name| call.info.filled(name).is_some()) {
        liveness::follow(&call.core, &after).await.map_err(|error| failed(&error))?;
    }
    if call.info.is_sent(PICTURES) {
        let keep = after.number(PICTURES) == 1;
        call.core.acts().keep_pictures(keep).await.map_err(|error| failed(&error))?;
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

/// Puts the system's settings back to what they were when the device was new.
pub(crate) async fn forget_system(core: &Core) -> Result<(), Fault> {
    forget(core, &[&SYSTEM]).await?;
    liveness::forget(core).await.map_err(|error| failed(&error))?;
    core.acts().keep_pictures(true).await.map_err(|error| failed(&error))
}

/// Puts these groups back to what they were when the device was new.
pub(crate) async fn forget(core: &Core, groups: &[&Group]) -> Result<(), Fault> {
    for group in groups {
        core.acts().configure(&core.state(), group.key, None).await.map_err(|error| failed(&error))?;
        let walks = [(&REPORTS, &push::TO_BROKER), (&SUBSCRIPTION, &push::TO_SUBSCRIBER)];
        for (_, walks) in walks.into_iter().filter(|(of, _)| of.key == group.key) {
            push::forget_resume(core, walks).await.map_err(|error| failed(&error))?;
        }
    }
    core.settings_changed.send_modify(|version| *version += 1);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_they_are_kept_and_as_nothing_else() {
        let mut values = Values(Map::new());
        values.set("Volume", "5".into());
        assert_eq!(kept(&Value::Object(values.0.clone()).to_string()), Ok(values.0));
        for damaged in ["", "[]", r#"{"Volume":5}"#, r#"{"Volume":"5""#] {
            assert!(kept(damaged).is_err(), "{damaged}");
        }
    }

    fn put(group: &Group, sent: &Value) -> Option<Values> {
        let mut values = Values(Map::new());
        values.put(group, &Fields::new(sent.as_object().unwrap().clone())).ok()?;
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
        for (wiegand, allowed) in [(0, true), (1, true), (2, false), (3, false), (4, true), (7, true), (8, false)] {
            assert_eq!(put(&DOOR, &json!({"Wiegand": wiegand})).is_some(), allowed, "{wiegand}");
        }
    }

    #[test]
    fn a_refusal_names_the_field_and_what_would_be_right() {
        let wrong = |group: &Group, sent: Value| {
            let fields = Fields::new(sent.as_object().unwrap().clone());
            Values(Map::new()).put(group, &fields).unwrap_err()
        };
        let cases = [
            (&SYSTEM, json!({"FaceDisplay": 1, "Language": 11}), "Language must be a whole number, 0 to 10"),
            (&SYSTEM, json!({"LedTimeBeg": []}), "LedTimeBeg must be a time, HH:MM:SS"),
            (&FACE, json!({"detectArea_x": 3}), "detectArea_x must be an even number, 0 to 960"),
            (&DOOR, json!({"Wiegand": 2}), "Wiegand must be one of 0, 1, 4, 5, 6, 7"),
            (&DOOR, json!({"PublicMjCardNo": -1}), "PublicMjCardNo must be a whole number from 0 on"),
            (&TEMPERATURE, json!({"TemperatureHigh": "hot"}), "TemperatureHigh must be a number, 0 to 120"),
            (&REPORTS, json!({"OnlineTopic": "x".repeat(201)}), "OnlineTopic must be text of at most 200 bytes"),
        ];
        for (group, sent, says) in cases {
            assert_eq!(wrong(group, sent), says);
        }
    }
}
