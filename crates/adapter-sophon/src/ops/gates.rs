//! What follows a recognised person (4.4.1 to 4.4.3).

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use adapter::lenient::Int;
use domain::{Error, FaceReaction};

use crate::codes::{Code, Fault};
use crate::request::Caller;
use crate::wire::Nothing;
use crate::wire::gates::{Acted, Action, ControllerMode, EventAction};

/// The modes of the document, which does not say what they do.
const MODES: [(&str, FaceReaction); 3] =
    [(OPEN, FaceReaction::OpenDoors), (ALARM, FaceReaction::Alarm), ("avoid", FaceReaction::Nothing)];
const OPEN: &str = "opendoor";
const CLOSE: &str = "closedoor";
const ALARM: &str = "alarm";
/// How long a relay stays on, unless the caller says so, seconds.
const HOLD: i64 = 5;
/// The longest time, seconds.
const MAX_HOLD: i64 = 60;
/// Says that the door is to stay open.
const STAY_OPEN: i64 = 255;
/// Maximum number of doors of a request.
const MAX_ACTIONS: usize = 64;

/// Sets what follows a recognised person (POST GateControllerMode, section 4.4.1).
pub(crate) async fn set_mode(caller: Caller, request: ControllerMode) -> Result<ControllerMode, Fault> {
    let meant = MODES.iter().find(|(mode, _)| *mode == request.controller_mode);
    let (_, reaction) = meant.ok_or_else(|| Fault::parameter("controller_mode is none of opendoor, alarm, avoid"))?;
    caller.acts().set_face_reaction(*reaction).await?;
    Ok(request)
}

/// Reads what follows a recognised person (GET GateControllerMode, section 4.4.2).
pub(crate) async fn mode(caller: Caller, _: Nothing) -> Result<ControllerMode, Fault> {
    let reaction = caller.reading()?.face_reaction().await?;
    let meant = MODES.iter().find(|(_, other)| *other == reaction);
    Ok(ControllerMode { controller_mode: meant.map_or(OPEN, |(mode, _)| mode).to_owned() })
}

/// What is done to a relay.
#[derive(Clone, Copy)]
enum Wanted {
    Open(Duration),
    Close,
    Alarm(Duration),
}

/// Switches network relays: doors open or closed, alarms on (PUT EventAction, section 4.4.3). Nothing is switched when
/// one action cannot be meant.
pub(crate) async fn act(caller: Caller, request: EventAction) -> Result<Acted, Fault> {
    if request.action.is_empty() || request.action.len() > MAX_ACTIONS {
        return Err(Fault::parameter(format!("action is not a list of 1 to {MAX_ACTIONS}")));
    }
    let checked: Vec<_> = request.action.iter().map(|action| wanted(&caller, action)).collect::<Result<_, _>>()?;
    for (relay, wanted) in &checked {
        let done = match wanted {
            Wanted::Open(hold) => caller.acts().open_relay(*relay, *hold).await,
            Wanted::Close => caller.acts().close_relay(*relay).await,
            Wanted::Alarm(hold) => caller.acts().sound_alarm(*relay, *hold).await,
        };
        done.map_err(|error| match error {
            Error::Unavailable { .. } => Fault::with(Code::Remote, "the relay cannot be reached"),
            other => other.into(),
        })?;
    }
    let action_mode = match checked.first() {
        Some((_, Wanted::Close)) => CLOSE,
        Some((_, Wanted::Alarm(_))) => ALARM,
        Some((_, Wanted::Open(_))) | None => OPEN,
    };
    Ok(Acted { message: "ok", action_mode })
}

/// The relay of an action, and what is done to it.
fn wanted(caller: &Caller, action: &Action) -> Result<(SocketAddr, Wanted), Fault> {
    let relay = relay(caller, action)?;
    let wanted = match action.action_mode.as_str() {
        OPEN => Wanted::Open(hold(action)?),
        CLOSE => Wanted::Close,
        ALARM => Wanted::Alarm(hold(action)?),
        _ => return Err(Fault::parameter("action_mode is none of opendoor, closedoor, alarm")),
    };
    Ok((relay, wanted))
}

fn relay(caller: &Caller, action: &Action) -> Result<SocketAddr, Fault> {
    let Action { action_ip, action_port: Int(port), logic_port, .. } = action;
    let address = action_ip.0.trim().parse::<IpAddr>().map_err(|_| Fault::parameter("action_ip is no address"))?;
    let port = u16::try_from(*port).ok().filter(|port| *port > 0);
    let port = port.ok_or_else(|| Fault::parameter("action_port is no port"))?;
    if !caller.device.outbound.allows(address) {
        return Err(Fault::parameter("action_ip is not allowed"));
    }
    // All channels of a relay are switched together: another door must not open with the one that is meant.
    if logic_port.as_ref().is_some_and(|Int(channel)| *channel != 0) {
        return Err(Fault::with(Code::NotImplemented, "logic_port other than 0"));
    }
    Ok(SocketAddr::new(address, port))
}

fn hold(action: &Action) -> Result<Duration, Fault> {
    match action.action_duration.as_ref().map_or(HOLD, |Int(seconds)| *seconds) {
        STAY_OPEN => Err(Fault::with(Code::NotImplemented, "a door that stays open")),
        seconds if (1..=MAX_HOLD).contains(&seconds) => Ok(Duration::from_secs(seconds.unsigned_abs())),
        _ => Err(Fault::parameter(format!("action_duration is not 1 to {MAX_HOLD}"))),
    }
}
