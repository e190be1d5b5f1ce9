//! The door.

use std::time::Duration;

use domain::{CameraChange, CaptureId, Decider, DoorRules, Error, Similarity};
use serde_json::json;

use super::settings::{self, DOOR, Values};
use super::{Call, Outcome, failed};
use crate::codes::{Refusal, unlock, up_door};
use crate::convert::{cut, doors};
use crate::core::{Core, NAME};
use crate::push;
use crate::voice::Word;
use crate::wire::{Fault, Fields, Reply};

/// The longest text shown to the one before the door, bytes.
const SHOWN: usize = 63;
/// The longest time that the door stays open, milliseconds.
const LONGEST_HOLD: i64 = 60_000;

/// Opens the door (Unlock, section 8.1).
pub(crate) async fn unlock(call: Call) -> Outcome {
    let core = &call.core;
    let told = |refusal: Refusal, detail: String| Fault { detail: Some(detail), ..refusal.into() };
    let no_key = || told(unlock::NO_KEY, "Can't get json key 'openDoor'".to_owned());
    let wrong = |value: String| told(unlock::WRONG, format!("Key 'openDoor' value[{}] is wrong", cut(value, SHOWN)));
    let wanted = call.info.filled("openDoor").ok_or_else(no_key)?;
    let open = match call.info.int("openDoor") {
        Some(0) => false,
        Some(1) => true,
        _ => return Err(wrong(wanted)),
    };
    if open {
        core.appliance.open_door(NAME).await.map_err(|error| match error {
            Error::NotSupported { .. } => told(unlock::WRONG, "OpendoorWay not support Unlock".to_owned()),
            error => failed(&error),
        })?;
        push::tell_opening(core).await;
        core.voice.say(Word::Opened);
        push::send_public(core).await.map_err(|error| failed(&error))?;
    }
    show(core, &call.info);
    let mut info = json!({ "openDoor": u8::from(open).to_string() });
    if let Some(uid) = call.info.text("uid") {
        info["uid"] = json!(uid);
    }
    Ok(Reply::with(info))
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
        Some(1) => match core.appliance.confirm_entry(NAME, capture).await {
            Ok(()) => show(core, info),
            // The record is confirmed all the same; an old one opens nothing.
            Err(error) => tracing::warn!(error = error.chain(), "the platform opens nothing"),
        },
        Some(_) => show(core, info),
        None => {}
    }
}

/// Reads by what rule the door opens (GetDoorconfig, section 9.3).
pub(crate) async fn get_door_config(call: Call) -> Outcome {
    let core = &call.core;
    let rules = core.appliance.door_rules().await.map_err(|error| failed(&error))?;
    let mut values = Values::load(core, &DOOR).await.map_err(|error| failed(&error))?;
    values.set("VerifyMode", mode_of(&rules, &values).to_string());
    let mut info = values.into_map();
    for (name, number) in [
        ("OpendoorWay", u64::from(doors::way(rules.decided_by))),
        ("FaceThreshold", u64::from(doors::threshold(&rules))),
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
    let mut values = Values::load(core, &DOOR).await.map_err(|error| failed(&error))?;
    let changed = values.put(&DOOR, &call.info).ok_or(up_door::NO_INFO)?;
    if changed.iter().any(|name| ["ControlType", "IOType"].contains(name)) {
        rules.contact = doors::contact(values.number("ControlType"), values.number("IOType"));
    }
    if changed.contains(&"Endian") {
        rules.cards_reversed = values.number("Endian") == 1;
    }
    if rules != before {
        core.appliance.set_door_rules(NAME, rules).await.map_err(|error| failed(&error))?;
    }
    settings::keep(core, &DOOR, &values, &changed).await?;
    let threshold = call.info.int("FaceThreshold").map(|_| rules.threshold);
    let rearm =
        changed.contains(&"VerifyResetTime").then(|| Duration::from_secs(values.number("VerifyResetTime") as u64));
    if threshold.is_some() || rearm.is_some() {
        tell_cameras(core, threshold, rearm).await.map_err(|error| failed(&error))?;
    }
    Ok(Reply::default())
}

fn wanted_rules(mut rules: DoorRules, info: &Fields) -> Result<DoorRules, Fault> {
    let within = |name: &str, least, most| match info.filled(name) {
        None => Ok(None),
        Some(_) => info.int(name).filter(|number| (least..=most).contains(number)).map(Some).ok_or(up_door::NO_INFO),
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
    if info.filled("VerifyMode").is_some() {
        let mode = info.int("VerifyMode").filter(|mode| doors::is_verify_mode(*mode)).ok_or(up_door::VERIFY_MODE)?;
        rules.proof = doors::proof(mode);
    }
    Ok(rules)
}

async fn tell_cameras(core: &Core, threshold: Option<Similarity>, rearm: Option<Duration>) -> domain::Result<()> {
    for camera in core.appliance.cameras().await? {
        let mut watch = camera.watch.settings;
        watch.threshold = threshold.unwrap_or(watch.threshold);
        watch.rearm = rearm.unwrap_or(watch.rearm);
        let change = CameraChange { settings: None, watch: Some(watch) };
        match core.appliance.update_camera(NAME, camera.id, change).await {
            Ok(_) | Err(Error::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
