//! A login at the platform.

use std::time::Duration;

use adapter::lenient::{Int, Text};

use crate::convert::platform::{composed, signature, signed};
use crate::device::{PlatformLogin, PlatformServers};
use crate::settings::PlatformAddress;
use crate::wire::Names;
use crate::wire::platform::LoggedIn;

/// Periods of a platform that names none, seconds (section 4).
const HISTORY_PERIOD: u64 = 5;
const STATUS_PERIOD: u64 = 20;
/// The longest period that is followed, seconds.
const MAX_PERIOD: u64 = 24 * 3600;

/// A login.
pub(super) struct Session {
    /// What was set when the device logged in.
    pub(super) address: PlatformAddress,
    pub(super) login_url: String,
    pub(super) dev_sno: String,
    pub(super) answer: LoggedIn,
}

impl Session {
    /// An address of the platform, with what every call carries; `None` when it is none.
    pub(super) fn url(&self, given: &str) -> Option<String> {
        Some(signed(composed(&self.login_url, given)?, &self.signature()))
    }

    fn signature(&self) -> String {
        signature(&self.answer.token.0, &self.dev_sno)
    }

    /// The addresses in lists, each once.
    fn urls<'a>(&self, lists: impl IntoIterator<Item = &'a Option<Names>>) -> Vec<String> {
        let mut urls = Vec::new();
        for url in lists.into_iter().flatten().flat_map(|list| &list.0).filter_map(|given| self.url(given)) {
            if !urls.contains(&url) {
                urls.push(url);
            }
        }
        urls
    }

    /// Where the platform wants what the device tells.
    pub(super) fn servers(&self) -> PlatformServers {
        let answer = &self.answer;
        let one =
            |given: &Option<Text>| given.as_ref().filter(|given| !given.0.is_empty()).map(|given| given.0.clone());
        let every = |given: &Option<Int>, otherwise: u64| {
            let seconds = given
                .and_then(|Int(seconds)| u64::try_from(seconds).ok())
                .filter(|seconds| (1..=MAX_PERIOD).contains(seconds));
            Duration::from_secs(seconds.unwrap_or(otherwise))
        };
        PlatformServers {
            login: Some(PlatformLogin { address: self.address.clone(), signature: self.signature() }),
            realtime: self.urls([&answer.realtime, &answer.realtime_records]),
            history: self.urls([&answer.history]),
            history_every: every(&answer.history_period, HISTORY_PERIOD),
            status: one(&answer.status).and_then(|given| self.url(&given)),
            status_every: every(&answer.status_period, STATUS_PERIOD),
            cameras: one(&answer.cameras).and_then(|given| self.url(&given)),
            // The list replaces the single messages where the platform takes it (quirk S-74).
            operations: one(&answer.operations)
                .filter(|_| one(&answer.cameras).is_none())
                .and_then(|given| self.url(&given)),
        }
    }
}
