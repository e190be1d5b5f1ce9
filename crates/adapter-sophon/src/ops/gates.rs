//! What follows a recognised person (4.4.1 to 4.4.3).

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use adapter::lenient::Int;
use domain::Error;

use crate::codes::{Code, Fault};
use crate::device::REACTION;
use crate::request::Caller;
use crate::settings::Reaction;
use crate::wire::Nothing;
use crate::wire::gates::{Acted, Action, ControllerMode, EventAction};

/// The modes of the document.
const MODES: [&str; 3] = ["opendoor", "alarm", "avoid"];
const OPEN: &str = "opendoor";
/// How long a door stays open, unless the caller says so, seconds.
const HOLD: i64 = 5;
/// The longest time, seconds.
const MAX_HOLD: i64 = 60;
/// Says that the door is to stay open.
const STAY_OPEN: i64 = 255;
/// Maximum number of doors of a request.
const MAX_ACTIONS: usize = 64;

/// Sets what follows a recognised person (POST GateControllerMode, section 4.4.1).
pub(crate) async fn set_mode(caller: Caller, request: ControllerMode) -> Result<ControllerMode, Fault> {
    if !MODES.contains(&request.controller_mode.as_str()) {
        return Err(Fault::parameter("controller_mode is none of opendoor, alarm, avoid"));
    }
    caller.keep(REACTION, &Reaction { mode: request.controller_mode.clone() }).await?;
    Ok(request)
}

/// Reads what follows a recognised person (GET GateControllerMode, section 4.4.2).
pub(crate) async fn mode(caller: Caller, _: Nothing) -> Result<ControllerMode, Fault> {
    caller.reading()?;
    Ok(ControllerMode { controller_mode: caller.device.reaction().await?.mode })
}

/// Switches network relays on for a time (PUT EventAction, section 4.4.3).
pub(crate) async fn act(caller: Caller, request: EventAction) -> Result<Acted, Fault> {
    if request.action.is_empty() || request.action.len() > MAX_ACTIONS {
        return Err(Fault::parameter(format!("action is not a list of 1 to {MAX_ACTIONS}")));
    }
    let checked: Vec<_> = request.action.iter().map(|action| opening(&caller, action)).collect::<Result<_, _>>()?;
    for (relay, hold) in checked {
        caller.acts().open_relay(relay, hold).await.map_err(|error| match error {
            Error::Unavailable { .. } => Fault::with(Code::Remote, "the relay cannot be reached"),
            other => other.into(),
        })?;
    }
    Ok(Acted { message: "ok", action_mode: OPEN.to_owned() })
}

/// The relay that an action switches on, and for how long.
fn opening(caller: &Caller, action: &Action) -> Result<(SocketAddr, Duration), Fault> {
    let Action { action_ip, action_port: Int(port), action_mode, action_duration } = action;
    let address = action_ip.0.trim().parse::<IpAddr>().map_err(|_| Fault::parameter("action_ip is no address"))?;
    let port = u16::try_from(*port).ok().filter(|port| *port > 0);
    let port = port.ok_or_else(|| Fault::parameter("action_port is no port"))?;
    if !caller.device.outbound.allows(address) {
        return Err(Fault::parameter("action_ip is not allowed"));
    }
    match action_mode.as_str() {
        OPEN => {}
        "closedoor" | "alarm" => return Err(Fault::with(Code::NotImplemented, action_mode)),
        _ => return Err(Fault::parameter("action_mode is none of opendoor, closedoor, alarm")),
    }
    match action_duration.as_ref().map_or(HOLD, |Int(seconds)| *seconds) {
        STAY_OPEN => Err(Fault::with(Code::NotImplemented, "a door that stays open")),
        seconds if (1..=MAX_HOLD).contains(&seconds) => {
            Ok((SocketAddr::new(address, port), Duration::from_secs(seconds.unsigned_abs())))
        }
        _ => Err(Fault::parameter(format!("action_duration is not 1 to {MAX_HOLD}"))),
    }
}
