//! The door.

use std::time::Duration;

use domain::{CameraDefaults, CaptureId, Decider, DoorRules, Error, OwnValues, Similarity, WatchSettings};
use serde_json::json;

use super::cameras::{self, InForce};
use super::settings::{self, DOOR, Kind, Values};
use super::{Call, Outcome, failed};
use crate::codes::{unlock, up_door};
use crate::convert::{cut, doors};
use crate::core::Core;
use crate::push;
use crate::voice::Word;
use crate::wire::{Fault, Fields, Reply};

/// The longest text shown to the one before the door, bytes.
const SHOWN: usize = 63;
/// The longest time that the door stays open, milliseconds.
const LONGEST_HOLD: i64 = 60_000;

/// Opens the door, and shows a text; without `openDoor` only that (Unlock, section 8.1).
pub(crate) async fn unlock(call: Call) -> Outcome {
    let core = &call.core;
    let open = match call.info.get("openDoor").filter(|_| call.info.is_sent("openDoor")) {
        None => None,
        Some(wanted) => match call.info.int("openDoor") {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => return Err(wrong("openDoor", &cut(wanted.to_string(), SHOWN))),
        },
    };
    if open == Some(true) {
        open_door(core).await?;
    }
    show(core, &call.info);
    let mut info = json!({});
    if let Some(open) = open {
        info["openDoor"] = json!(u8::from(open).to_string());
    }
    if let Some(uid) = call.info.text("uid") {
        info["uid"] = json!(uid);
    }
    Ok(Reply::with(info))
}

fn wrong(key: &str, value: &str) -> Fault {
    Fault { detail: Some(format!("Key '{key}' value[{value}] is wrong")), ..unlock::WRONG.into() }
}

async fn open_door(core: &Core) -> Result<(), Fault> {
    core.acts().open_door().await.map_err(|error| match error {
        Error::NotSupported { .. } => {
            Fault { detail: Some("OpendoorWay not support Unlock".to_owned()), ..unlock::WRONG.into() }
        }
        error => failed(&error),
    })?;
    core.voice.say(Word::Opened);
    push::send_public(core).await.map_err(|error| failed(&error))
}

/// Shows the one before the door what the platform says.
fn show(core: &Core, info: &Fields) {
    if let Some(text) = info.filled("showInfo") {
        core.appliance.tell_front_end("showInfo", cut(text, SHOWN));
    }
}

/// Opens the door, or not, to the person of a record that the platform was asked about (PushAck, section 9.3.5).
pub(super) async fn decide(core: &Core, capture: CaptureId, info: &Fields) {
    match info.int("openDoor") {
        Some(1) => match core.acts().confirm_entry(capture).await {
            Ok(()) => show(core, info),
            // The record is confirmed all the same; an old one opens nothing.
            Err(error) => tracing::warn!(error = error.chain(), "door not opened for the platform's answer"),
        },
        Some(_) => {
            if let Err(error) = core.acts().refuse_entry(capture).await {
                tracing::warn!(error = error.chain(), "failed to record that the platform keeps the door closed");
            }
            show(core, info);
        }
        None => {}
    }
}

/// Reads by what rule the door opens (GetDoorconfig, section 9.3).
pub(crate) async fn get_door_config(call: Call) -> Outcome {
    let core = &call.core;
    let rules = core.appliance.door_rules().await.map_err(|error| failed(&error))?;
    let mut values = Values::load(core, &DOOR).await.map_err(|error| failed(&error))?;
    values.set("VerifyMode", mode_of(&rules, &values).to_string());
    let in_force = InForce::load(core).await.map_err(|error| failed(&error))?;
    // Without a threshold from a platform, the door admits everyone the cameras know.
    let threshold = if rules.threshold == Similarity::ZERO { in_force.threshold } else { rules.threshold };
    let rearm = in_force.rearm.as_secs().clamp(1, 10);
    let mut info = values.into_map();
    for (name, number) in [
        ("OpendoorWay", u64::from(doors::way(rules.decided_by))),
        ("FaceThreshold", u64::from(doors::threshold(threshold))),
        ("VerifyResetTime", rearm),
        ("IOStayTime", rules.hold.as_millis() as u64),
    ] {
        info.insert(name.to_owned(), json!(number.to_string()));
    }
    Ok(Reply::with(info.into()))
}

/// `VerifyMode` as it is in force.
pub(crate) async fn verify_mode(core: &Core) -> domain::Result<i64> {
    Ok(mode_of(&core.appliance.door_rules().await?, &Values::load(core, &DOOR).await?))
}

/// As a platform has set it, unless somebody else has set the rules anew.
fn mode_of(rules: &DoorRules, values: &Values) -> i64 {
    let set = values.number("VerifyMode");
    if rules.proof == doors::proof(set) { set } else { doors::verify_mode(rules.proof).into() }
}

/// Changes by what rule the door opens; the cameras' threshold and time to re-arm follow (UpDoorconfig, section 9.3.3).
pub(crate) async fn up_door_config(call: Call) -> Outcome {
    let core = &call.core;
    let before = core.appliance.door_rules().await.map_err(|error| failed(&error))?;
    let mut rules = wanted_rules(before, &call.info)?;
    let mut values = Values::load_to_set(core, &DOOR).await.map_err(|error| failed(&error))?;
    let changed = values.put(&DOOR, &call.info).map_err(|why| up_door::NO_INFO.because(why))?;
    if changed.iter().any(|name| ["ControlType", "IOType"].contains(name)) {
        rules.contact = doors::contact(values.number("ControlType"), values.number("IOType"));
    }
    if changed.contains(&"Endian") {
        rules.cards_reversed = values.number("Endian") == 1;
    }
    if rules != before {
        core.acts().set_door_rules(rules).await.map_err(|error| failed(&error))?;
    }
    let threshold = call.info.filled("FaceThreshold").map(|_| rules.threshold);
    let rearm =
        changed.contains(&"VerifyResetTime").then(|| Duration::from_secs(values.number("VerifyResetTime") as u64));
    let set = |defaults: CameraDefaults| CameraDefaults {
        threshold: threshold.or(defaults.threshold),
        rearm: rearm.or(defaults.rearm),
        ..defaults
    };
    cameras::set_defaults(core, set).await.map_err(|error| failed(&error))?;
    settings::keep(core, &DOOR, &values, &changed).await?;
    Ok(Reply::default())
}

fn wanted_rules(mut rules: DoorRules, info: &Fields) -> Result<DoorRules, Fault> {
    let within = |name: &str, least, most| {
        let read = || Kind::Int(least, most).read_or_tell(info, name).map_err(|why| up_door::NO_INFO.because(why));
        let sent = info.is_sent(name).then(read).transpose()?;
        Ok::<_, Fault>(sent.and_then(|number| number.parse::<i64>().ok()))
    };
    if let Some(way) = within("OpendoorWay", 0, 3)? {
        rules.decided_by = doors::decider(way).unwrap_or(Decider::Remote);
    }
    if let Some(percent) = within("FaceThreshold", 50, 100)? {
        rules.threshold = Similarity::from_percent(percent as f32);
    }
    if let Some(millis) = within("IOStayTime", 1, LONGEST_HOLD)? {
        rules.hold = Duration::from_millis(millis.unsigned_abs());
    }
    if info.is_sent("VerifyMode") {
        let mode = info.int("VerifyMode").filter(|mode| doors::is_verify_mode(*mode)).ok_or(up_door::VERIFY_MODE)?;
        rules.proof = doors::proof(mode);
    }
    Ok(rules)
}

/// Puts the door's conditions back to what they were when the device was new, and the cameras with them.
pub(crate) async fn forget(core: &Core) -> Result<(), Fault> {
    let released = OwnValues { threshold: true, rearm: true, ..OwnValues::default() };
    settings::forget(core, &[&DOOR]).await?;
    let restored = async {
        core.acts().set_door_rules(DoorRules::factory()).await?;
        core.acts().release_cameras(released).await?;
        let WatchSettings { threshold, rearm, .. } = WatchSettings::default();
        let set = |defaults| CameraDefaults { threshold: Some(threshold), rearm: Some(rearm), ..defaults };
        cameras::set_defaults(core, set).await
    };
    restored.await.map_err(|error| failed(&error))
}
