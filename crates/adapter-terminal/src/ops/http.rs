//! Who gets records over HTTP.

use serde_json::{Value, json};

use super::settings::{Group, Kind, Values};
use super::{Call, Outcome, failed};
use crate::codes::up_http;
use crate::convert::time;
use crate::core::Core;
use crate::push;
use crate::wire::{Fields, Reply};

const SWITCH: Kind = Kind::Int(0, 1);
const PATH: Kind = Kind::Exact(512);
const SECRET: Kind = Kind::Exact(63);

pub(crate) const SUBSCRIPTION: Group = Group {
    key: "settings.http",
    settings: &[
        ("ServerAddr", "", Kind::Exact(255)),
        ("ServerPort", "80", Kind::Int(1, 65535)),
        ("Verify", "0", Kind::Int(0, 4)),
        ("VerifyURL", "/Subscribe/Verify", PATH),
        ("Snap", "0", SWITCH),
        ("SnapURL", "/Subscribe/Snap", PATH),
        ("QRCode", "0", SWITCH),
        ("QRCodeURL", "/Subscribe/QRCode", PATH),
        ("IDCard", "0", SWITCH),
        ("IDCardURL", "/Subscribe/IDCard", PATH),
        ("BeatInterval", "30", Kind::Int(1, 86400)),
        ("BeatURL", "/Subscribe/HeartBeat", PATH),
        ("TimedPush", "0", SWITCH),
        ("PushInterval", "30", Kind::Int(0, 86400)),
        ("Auth", "0", SWITCH),
        ("UserName", "", SECRET),
        ("PassWord", "", SECRET),
        ("ResumefromBreakpoint", "0", SWITCH),
    ],
};

/// Who gets records over HTTP, and which.
pub(crate) struct Subscriber(Values);

impl Subscriber {
    pub(crate) async fn load(core: &Core) -> domain::Result<Self> {
        Ok(Self(Values::load(core, &SUBSCRIPTION).await?))
    }

    /// Which pictures go with the record of a person; `None`: it is not told of.
    pub(crate) fn verify(&self) -> Option<Pictures> {
        let (captured, registered) = match self.0.number("Verify") {
            1 => (true, false),
            2 => (false, true),
            3 => (true, true),
            4 => (false, false),
            _ => return None,
        };
        Some(Pictures { captured, registered })
    }

    /// Whether strangers are told of.
    pub(crate) fn snap(&self) -> bool {
        self.0.number("Snap") == 1
    }

    /// Whether what is read of this kind is told of: `QRCode` or `IDCard`.
    pub(crate) fn reports(&self, name: &str) -> bool {
        self.0.number(name) == 1
    }

    /// Whether anything is told.
    pub(crate) fn is_on(&self) -> bool {
        let on = ["Verify", "Snap", "QRCode", "IDCard"].iter().any(|name| self.0.number(name) != 0);
        on && !self.0.text("ServerAddr").is_empty()
    }

    /// Whether a record is told again until it is answered.
    pub(crate) fn resumes(&self) -> bool {
        self.0.number("ResumefromBreakpoint") == 1
    }

    /// Seconds between two heartbeats.
    pub(crate) fn beat(&self) -> u64 {
        self.0.number("BeatInterval").unsigned_abs().max(1)
    }

    /// Where something of this name goes: `Verify`, `Snap`, `QRCode`, `IDCard` or `Beat`.
    pub(crate) fn url(&self, name: &str) -> String {
        url(&self.0, name)
    }

    /// Name and password, when they are asked for.
    pub(crate) fn login(&self) -> Option<(&str, &str)> {
        (self.0.number("Auth") == 1).then(|| (self.0.text("UserName"), self.0.text("PassWord")))
    }
}

/// Which pictures go along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pictures {
    pub(crate) captured: bool,
    pub(crate) registered: bool,
}

fn url(values: &Values, name: &str) -> String {
    let (host, path) =
        (values.text("ServerAddr"), values.text(&format!("{name}URL")).trim_start_matches('/').to_owned());
    // IPv6 addresses need their brackets.
    let host = if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() };
    format!("http://{host}:{}/{path}", values.text("ServerPort"))
}

/// Reads who gets records over HTTP (GetHTTPconfig, section 9.4).
pub(crate) async fn get_http_config(call: Call) -> Outcome {
    let core = &call.core;
    let values = Values::load(core, &SUBSCRIPTION).await.map_err(|error| failed(&error))?;
    let begin = push::resume_time(core, &push::TO_SUBSCRIBER).await.map_err(|error| failed(&error))?;
    let begin = begin.map_or_else(|| time::ZERO.to_owned(), |begin| time::text(begin, &core.zone()));
    let mut info = values.into_map();
    for (name, of) in [("User", "UserName"), ("Pwd", "PassWord")] {
        let value = info.get(of).cloned().unwrap_or_default();
        info.insert(name.to_owned(), value);
    }
    info.insert("RFBPTimeBegin".to_owned(), json!(begin));
    Ok(Reply::with(Value::Object(info)))
}

/// What `RFBPTimeBegin` must be.
const BEGIN_TIME: &str = "RFBPTimeBegin must be a time, YYYY-MM-DD HH:MM:SS";

/// Sets who gets records over HTTP (UpHTTPconfig, section 9.4.3).
pub(crate) async fn up_http_config(mut call: Call) -> Outcome {
    for (name, of) in [("UserName", "User"), ("PassWord", "Pwd")] {
        take_synonym(&mut call.info, name, of);
    }
    let core = &call.core;
    let mut values = Values::load_to_set(core, &SUBSCRIPTION).await.map_err(|error| failed(&error))?;
    let resumed = Subscriber(values.clone()).resumes();
    if call.info.text("ServerAddr").is_some_and(|address| address.trim().is_empty()) {
        return Err(up_http::ADDRESS.into());
    }
    let port = call.info.get("ServerPort").is_some().then(|| call.info.int("ServerPort"));
    if port.is_some_and(|port| !port.is_some_and(|port| (1..=65535).contains(&port))) {
        return Err(up_http::PORT.into());
    }
    values.put(&SUBSCRIPTION, &call.info).map_err(|why| up_http::NO_INFO.because(why))?;
    let set = Subscriber(values);
    if !set.0.text("ServerAddr").is_empty() && core.outbound.check(&set.url("Verify")).is_err() {
        return Err(up_http::ADDRESS.into());
    }
    let begin = call.info.filled("RFBPTimeBegin").map(|begin| time::first(&begin, &core.zone()));
    let begin = begin.map(|begin| begin.ok_or_else(|| up_http::NO_INFO.because(BEGIN_TIME))).transpose()?;
    if set.resumes() && !resumed {
        push::resume_since_now(core, &push::TO_SUBSCRIBER).await.map_err(|error| failed(&error))?;
    }
    set.0.keep(core, &SUBSCRIPTION).await.map_err(|error| failed(&error))?;
    // After the settings, so that they hold for the records sent again.
    if let Some(begin) = begin {
        push::resume_from(core, &push::TO_SUBSCRIBER, begin).await.map_err(|error| failed(&error))?;
    }
    core.settings_changed.send_modify(|version| *version += 1);
    Ok(Reply::default())
}

fn take_synonym(fields: &mut Fields, name: &str, synonym: &str) {
    if fields.get(name).is_none()
        && let Some(value) = fields.get(synonym).cloned()
    {
        fields.insert(name, value);
    }
}
