//! The subscriber that gets records over HTTP.

use domain::{RecordKind, Result, State};

use super::groups::SUBSCRIPTION;
use super::values::Values;

/// The subscriber that gets records over HTTP, and which records.
pub(crate) struct Subscription(Values);

impl Subscription {
    pub(crate) async fn load(state: &State) -> Result<Self> {
        Ok(Self(Values::load(state, &SUBSCRIPTION).await?))
    }

    /// The subscription with these values.
    pub(crate) fn of(values: Values) -> Self {
        Self(values)
    }

    /// The pictures that are pushed with the record of a person; `None`: such records are not pushed.
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

    /// Whether records of this kind are pushed.
    pub(crate) fn pushes(&self, kind: RecordKind) -> bool {
        match kind {
            RecordKind::People => self.verify().is_some(),
            RecordKind::Strangers => self.0.number("Snap") == 1,
        }
    }

    /// Whether scans of this kind are pushed: `QRCode` or `IDCard`.
    pub(crate) fn reports(&self, name: &str) -> bool {
        self.0.number(name) == 1
    }

    /// Whether anything is pushed.
    pub(crate) fn is_on(&self) -> bool {
        let on = ["Verify", "Snap", "QRCode", "IDCard"].iter().any(|name| self.0.number(name) != 0);
        on && self.has_server()
    }

    /// Whether a record is pushed again until it is confirmed.
    pub(crate) fn resumes(&self) -> bool {
        self.0.number("ResumefromBreakpoint") == 1
    }

    /// Seconds between two heartbeats.
    pub(crate) fn beat(&self) -> u64 {
        self.0.number("BeatInterval").unsigned_abs().max(1)
    }

    /// Whether a server is set.
    pub(crate) fn has_server(&self) -> bool {
        !self.0.text("ServerAddr").is_empty()
    }

    /// The URL for messages of this name: `Verify`, `Snap`, `QRCode`, `IDCard` or `Beat`.
    pub(crate) fn url(&self, name: &str) -> String {
        let path = self.0.text(&format!("{name}URL")).trim_start_matches('/');
        let host = self.0.text("ServerAddr");
        // IPv6 addresses need brackets.
        let host = if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() };
        format!("http://{host}:{}/{path}", self.0.text("ServerPort"))
    }

    /// Name and password, when the subscriber requires them.
    pub(crate) fn login(&self) -> Option<(&str, &str)> {
        (self.0.number("Auth") == 1).then(|| (self.0.text("UserName"), self.0.text("PassWord")))
    }
}

/// The URLs that pushes go to, from the values that the adapter keeps, for a check whether they can be reached. Values
/// that cannot be read are left out.
pub fn push_urls(value: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let subscription = Subscription::of(Values::of(value(SUBSCRIPTION.key).as_deref(), &SUBSCRIPTION));
    if subscription.is_on() { vec![subscription.url("Verify")] } else { Vec::new() }
}

/// The pictures that are pushed with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pictures {
    pub(crate) captured: bool,
    pub(crate) registered: bool,
}
