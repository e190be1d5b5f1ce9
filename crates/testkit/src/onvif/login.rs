//! Logins at the camera.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use roxmltree::Document;
use sha1::{Digest, Sha1};

use super::Auth;

/// Maximum age of a token in either direction, milliseconds.
const TOLERANCE: i64 = 5_000;
const NONCE: &str = "5f2b9c";

/// Checks logins.
#[derive(Debug)]
pub(super) struct Guard {
    login: Option<(String, String, Auth)>,
    /// Offset of the camera's clock, milliseconds.
    ahead: i64,
    used: Mutex<HashSet<String>>,
}

impl Guard {
    pub(super) fn new(login: Option<(String, String, Auth)>, ahead: i64) -> Self {
        Self { login, ahead: ahead * 1000, used: Mutex::default() }
    }

    /// The HTTP challenge for a request without a valid login; `None` when none is needed.
    pub(super) fn challenge(&self, path: &str, headers: &HeaderMap) -> Option<String> {
        let Some((user, password, Auth::Digest | Auth::DigestOnly)) = &self.login else { return None };
        let sent = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        match sent.is_some_and(|sent| proves(sent, "POST", path, user, password)) {
            true => None,
            false => Some(format!("Digest realm=\"camera\", qop=\"auth\", nonce=\"{NONCE}\", algorithm=MD5")),
        }
    }

    /// Whether the token in the message is valid, recent and not used before.
    pub(super) fn admits(&self, message: &Document<'_>) -> bool {
        let of = |name: &str| message.descendants().find(|node| node.tag_name().name() == name)?.text();
        let (user, password) = match &self.login {
            Some((user, password, Auth::Token)) => (user, password),
            Some((.., Auth::DigestOnly)) => return of("Password").is_none(),
            Some((.., Auth::Digest)) | None => return true,
        };
        let (Some(name), Some(digest), Some(nonce), Some(created)) =
            (of("Username"), of("Password"), of("Nonce"), of("Created"))
        else {
            return false;
        };
        let mut hash = Sha1::new();
        hash.update(STANDARD.decode(nonce).unwrap_or_default());
        hash.update(created);
        hash.update(password);
        name == user
            && digest == STANDARD.encode(hash.finalize())
            && self.is_recent(created)
            && self.used.lock().unwrap_or_else(PoisonError::into_inner).insert(nonce.to_owned())
    }

    fn is_recent(&self, created: &str) -> bool {
        let Ok(created) = created.parse::<jiff::Timestamp>() else { return false };
        (created.as_millisecond() - now_millis() - self.ahead).abs() <= TOLERANCE
    }
}

/// The machine's clock.
#[allow(clippy::disallowed_methods, reason = "a simulated camera has a clock of its own")]
pub(super) fn now_millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Whether a digest login is right.
pub(crate) fn proves(sent: &str, method: &str, uri: &str, user: &str, password: &str) -> bool {
    let Ok(parsed) = http_auth::parse_challenges(sent) else { return false };
    let Some(parsed) = parsed.first().filter(|parsed| parsed.scheme.eq_ignore_ascii_case("digest")) else {
        return false;
    };
    let of = |name: &str| {
        let param = parsed.params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        param.map(|(_, value)| value.to_unescaped()).unwrap_or_default()
    };
    let secret = hashed(&format!("{user}:{}:{password}", of("realm")));
    let request = hashed(&format!("{method}:{}", of("uri")));
    let wanted = match of("qop").as_str() {
        "" => hashed(&format!("{secret}:{}:{request}", of("nonce"))),
        qop => hashed(&format!("{secret}:{}:{}:{}:{qop}:{request}", of("nonce"), of("nc"), of("cnonce"))),
    };
    of("username") == user && of("uri") == uri && of("response") == wanted
}

fn hashed(text: &str) -> String {
    hex::encode(Md5::digest(text))
}
