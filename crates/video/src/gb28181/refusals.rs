//! Reports refused logins to operators: each is counted, and logged when the reason changes.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use tokio::time::Instant;

use super::login::Refusal;

/// Maximum number of cameras and addresses whose last reason is remembered; further ones are only counted.
const REMEMBERED: usize = 256;
/// Time after which the same reason is logged again.
const FORGOTTEN: Duration = Duration::from_secs(3600);

/// Last logged reason by camera and address.
#[derive(Default)]
pub(super) struct Refusals {
    logged: HashMap<(String, IpAddr), (&'static str, Instant)>,
}

impl Refusals {
    /// Counts a refusal, and logs it unless the same reason was logged recently.
    pub(super) fn note(&mut self, camera: &str, from: IpAddr, why: Refusal) {
        let Some(reason) = why.name() else { return };
        metrics::counter!("polyface_sip_logins_refused_total", "why" => reason).increment(1);
        // An address that tries many ids is logged once.
        let known = if why == Refusal::UnknownCamera { "" } else { camera };
        if self.is_news((known.to_owned(), from), reason) {
            tracing::warn!(camera.sip_id = camera, login.origin = %from, reason, "SIP login refused");
        }
    }

    /// Forgets the logged reason: the camera has logged in.
    pub(super) fn forget(&mut self, camera: &str, from: IpAddr) {
        self.logged.remove(&(camera.to_owned(), from));
    }

    fn is_news(&mut self, key: (String, IpAddr), reason: &'static str) -> bool {
        let now = Instant::now();
        self.logged.retain(|_, (_, at)| now.duration_since(*at) < FORGOTTEN);
        let known = self.logged.get(&key);
        if known.is_some_and(|(last, _)| *last == reason) || known.is_none() && self.logged.len() >= REMEMBERED {
            return false;
        }
        self.logged.insert(key, (reason, now));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));

    #[test]
    fn a_reason_is_news_when_it_changes_and_room_is_bounded() {
        let mut refusals = Refusals::default();
        let mut news = |camera: &str, reason| refusals.is_news((camera.to_owned(), HERE), reason);
        let seen = [("1", "a"), ("1", "a"), ("2", "a"), ("1", "b"), ("1", "a")].map(|(camera, why)| news(camera, why));
        assert_eq!(seen, [true, false, true, true, true]);
        let many = (0..1000).filter(|number| news(&format!("more {number}"), "a")).count();
        assert_eq!(many, REMEMBERED - 2);
        assert!(news("1", "b"), "of those remembered changes are still told");
        refusals.forget("2", HERE);
        assert!(refusals.is_news(("2".to_owned(), HERE), "a"));
    }
}
