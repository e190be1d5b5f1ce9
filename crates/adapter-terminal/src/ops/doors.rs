//! The door.

use std::time::Duration;

use domain::{CameraDefaults, CaptureId, Decider, DoorRules, Error, OwnValues, Similarity, WatchSettings};

use super::{failed, settings};
use crate::codes::{push_ack, unlock, up_door};
use crate::convert::{cut, doors};
use crate::device::{Announcement, Device};
use crate::request::{Call, Outcome};
use crate::settings::{DOOR, Rule, Values};
use crate::wire::replies::Unlocked;
use crate::wire::{Fault, Fields, Reply};
use crate::work::cameras::{self, InForce};
use crate::work::wiegand;

/// The longest text shown to the person at the door, bytes.
const SHOWN: usize = 63;
/// The longest time that the door stays open, milliseconds.
const LONGEST_HOLD: i64 = 60_000;

/// Opens the door, and shows a text; without `openDoor` only that (Unlock, section 8.1).
pub(crate) async fn unlock(call: Call) -> Outcome {
    let device = &call.device;
    let open = match call.info.get("openDoor").filter(|_| call.info.is_sent("openDoor")) {
        None => None,
        Some(wanted) => match call.info.int("openDoor") {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => return Err(wrong("openDoor", &cut(wanted.to_string(), SHOWN))),
        },
    };
    if open == Some(true) {
        open_door(device).await?;
    }
    show(device, &call.info);
    let open_door = open.map(|open| u8::from(open).to_string());
    Ok(Reply::with(Unlocked { open_door, uid: call.info.text("uid") }))
}

fn wrong(key: &str, value: &str) -> Fault {
    Fault { detail: Some(format!("Key '{key}' value[{value}] is wrong")), ..unlock::WRONG.into() }
}

async fn open_door(device: &Device) -> Result<(), Fault> {
    device.acts().open_door().await.map_err(|error| match error {
        Error::NotSupported { .. } => {
            Fault { detail: Some("OpendoorWay not support Unlock".to_owned()), ..unlock::WRONG.into() }
        }
        error => failed(&error),
    })?;
    device.announce(Announcement::Opened);
    wiegand::send_public(device).await.map_err(|error| failed(&error))
}

/// Shows the platform's text to the person at the door.
fn show(device: &Device, info: &Fields) {
    if let Some(text) = info.filled("showInfo") {
        device.appliance.tell_front_end("showInfo", cut(text, SHOWN));
    }
}

/// Opens the door, or keeps it closed, as the platform answers for the person of a record (PushAck, section 9.3.5).
///
/// # Errors
/// The connection is not trusted with the door.
pub(super) async fn decide(device: &Device, capture: CaptureId, info: &Fields) -> Result<(), Fault> {
    match info.int("openDoor") {
        Some(1) => return let_in(device, capture, info).await,
        Some(_) => {
            if let Err(error) = device.acts().refuse_entry(capture).await {
                tracing::warn!(error = error.chain(), "failed to record that the platform keeps the door closed");
            }
            show(device, info);
        }
        None => {}
    }
    Ok(())
}

async fn let_in(device: &Device, capture: CaptureId, info: &Fields) -> Result<(), Fault> {
    let rules = device.appliance.door_rules().await.map_err(|error| failed(&error))?;
    // Platforms send it in every mode, as the document's example does.
    if !rules.asks_first() {
        return Ok(());
    }
    device.require_trust(push_ack::NO_INFO)?;
    match device.acts().confirm_entry(capture).await {
        Ok(()) => show(device, info),
        // The record is confirmed all the same; an old one opens no door.
        Err(error) => tracing::warn!(error = error.chain(), "door not opened for the platform's answer"),
    }
    Ok(())
}

/// Reads the door's rules (GetDoorconfig, section 9.3).
pub(crate) async fn get_door_config(call: Call) -> Outcome {
    let device = &call.device;
    let rules = device.appliance.door_rules().await.map_err(|error| failed(&error))?;
    let mut values = device.values(&DOOR).await.map_err(|error| failed(&error))?;
    values.set("VerifyMode", doors::mode_in_force(rules.proof, values.number("VerifyMode")).to_string());
    let in_force = InForce::load(device).await.map_err(|error| failed(&error))?;
    let threshold = in_force.door_threshold(&rules);
    let rearm = in_force.rearm.as_secs().clamp(1, 10);
    let mut info = values.into_map();
    for (name, number) in [
        ("OpendoorWay", u64::from(doors::way(rules.decided_by))),
        ("FaceThreshold", u64::from(doors::threshold(threshold))),
        ("VerifyResetTime", rearm),
        ("IOStayTime", rules.hold.as_millis() as u64),
    ] {
        info.insert(name.to_owned(), number.to_string().into());
    }
    Ok(Reply::with(info))
}

/// Changes the door's rules, and with them the cameras' threshold and re-arm interval (UpDoorconfig, section 9.3.3).
pub(crate) async fn up_door_config(call: Call) -> Outcome {
    let device = &call.device;
    let before = device.appliance.door_rules().await.map_err(|error| failed(&error))?;
    let mut rules = wanted_rules(before, &call.info)?;
    let mut values = Values::load_to_set(&device.state(), &DOOR).await.map_err(|error| failed(&error))?;
    let changed = values.put(&DOOR, &call.info).map_err(|why| up_door::NO_INFO.because(why))?;
    if changed.iter().any(|name| ["ControlType", "IOType"].contains(name)) {
        rules.contact = doors::contact(values.number("ControlType"), values.number("IOType"));
    }
    if doors::turns_contact(before.contact, rules.contact) {
        device.require_trust(up_door::NO_INFO)?;
    }
    if changed.contains(&"Endian") {
        rules.cards_reversed = values.number("Endian") == 1;
    }
    if rules != before {
        device.acts().set_door_rules(rules).await.map_err(|error| failed(&error))?;
    }
    let threshold = call.info.filled("FaceThreshold").map(|_| rules.threshold);
    let rearm =
        changed.contains(&"VerifyResetTime").then(|| Duration::from_secs(values.number("VerifyResetTime") as u64));
    let set = |defaults: CameraDefaults| CameraDefaults {
        threshold: threshold.or(defaults.threshold),
        rearm: rearm.or(defaults.rearm),
        ..defaults
    };
    cameras::set_defaults(device, set).await.map_err(|error| failed(&error))?;
    device.keep_values(&DOOR, &values, &changed).await.map_err(|error| failed(&error))?;
    Ok(Reply::default())
}

fn wanted_rules(mut rules: DoorRules, info: &Fields) -> Result<DoorRules, Fault> {
    let within = |name: &str, least, most| {
        let read = || Rule::Int(least, most).read_or_explain(info, name).map_err(|why| up_door::NO_INFO.because(why));
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

/// Resets the door's rules, and with them the cameras' threshold and re-arm interval, to factory settings.
pub(crate) async fn forget(device: &Device) -> Result<(), Fault> {
    let released = OwnValues { threshold: true, rearm: true, ..OwnValues::default() };
    settings::forget(device, &[&DOOR]).await?;
    let restored = async {
        device.acts().set_door_rules(DoorRules::factory()).await?;
        device.acts().release_cameras(released).await?;
        let WatchSettings { threshold, rearm, .. } = WatchSettings::default();
        let set = |defaults| CameraDefaults { threshold: Some(threshold), rearm: Some(rearm), ..defaults };
        cameras::set_defaults(device, set).await
    };
    restored.await.map_err(|error| failed(&error))
}
