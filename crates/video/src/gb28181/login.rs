//! Digest authentication of cameras that log in.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use domain::{LoginGuard, Timestamp};
use md5::{Digest, Md5};
use sha2::Sha256;
use tokio::time::Instant;

use super::LONGEST_ID;
use super::message::Message;
use crate::challenge::{self, Challenge};

/// Validity of a challenge.
const FRESH: Duration = Duration::from_secs(60);

/// Why a login is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No challenge has been answered yet.
    Unproven,
    /// The answered challenge is foreign, expired, issued for another address, or already used.
    Stale,
    /// No camera with this id is expected; never shown to the caller.
    UnknownCamera,
    WrongPassword,
    /// The address is locked after failed logins.
    Locked,
}

impl Refusal {
    /// Name in the log and metrics; `None` for the states that every login goes through.
    pub(super) fn name(self) -> Option<&'static str> {
        match self {
            Self::Unproven | Self::Stale => None,
            Self::UnknownCamera => Some("unknown_camera"),
            Self::WrongPassword => Some("wrong_password"),
            Self::Locked => Some("locked"),
        }
    }
}

/// Issues challenges and recognises them without storing them, so strangers cannot evict those that cameras are about
/// to answer. Each is bound to one camera at one address, so a client cannot cause failures for an address whose
/// traffic it does not receive.
pub(super) struct Challenges {
    secret: [u8; 32],
    started: Instant,
    last: AtomicU64,
}

impl Challenges {
    pub(super) fn new() -> Self {
        Self { secret: rand::random(), started: Instant::now(), last: AtomicU64::new(0) }
    }

    /// A challenge for the camera with this id at address `from`.
    pub(super) fn nonce(&self, id: &str, from: IpAddr) -> String {
        let now = self.micros();
        let later = |last: u64| Some(now.max(last + 1));
        let number = self.last.fetch_update(Relaxed, Relaxed, later).map_or(now, |last| now.max(last + 1));
        format!("{number:016x}{}", self.seal(number, id, from))
    }

    /// The number of a challenge; later ones have higher numbers. `None` when it was not issued here for this camera
    /// and address, or has expired.
    fn number(&self, nonce: &str, id: &str, from: IpAddr) -> Option<u64> {
        let (number, seal) = nonce.split_at_checked(16)?;
        let number = u64::from_str_radix(number, 16).ok()?;
        let age = self.micros().saturating_sub(number);
        (seal == self.seal(number, id, from) && age < FRESH.as_micros() as u64).then_some(number)
    }

    fn micros(&self) -> u64 {
        self.started.elapsed().as_micros() as u64
    }

    fn seal(&self, number: u64, id: &str, from: IpAddr) -> String {
        let place = from.to_string();
        let mut hash = Sha256::new();
        let parts = [&self.secret[..], &number.to_be_bytes(), place.as_bytes(), b" ", id.as_bytes(), &self.secret];
        parts.iter().for_each(|part| hash.update(part));
        hex::encode(&hash.finalize()[..16])
    }
}

/// State of a camera's logins.
#[derive(Default)]
pub(super) struct Logins {
    /// Failures by address and id, so that a stranger cannot lock the camera out.
    failures: LoginGuard,
    /// Number of the challenge that the last login answered, and its sender.
    proved: Option<(u64, SocketAddr)>,
}

/// What a login is checked against.
pub(super) struct Expected<'a> {
    pub(super) id: &'a str,
    pub(super) realm: &'a str,
    pub(super) password: &'a str,
}

impl Logins {
    /// Checks that the request proves the password. Five wrong answers in a row lock the address for five minutes.
    pub(super) fn check(
        &mut self,
        request: &Message,
        from: SocketAddr,
        challenges: &Challenges,
        expected: &Expected<'_>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        // No id is longer: a stranger's is cut, because it is remembered.
        let id: String = expected.id.chars().take(LONGEST_ID).collect();
        let place = [format!("{} {id}", from.ip())];
        if self.failures.locked_until(&place, now).is_some() {
            return Err(Refusal::Locked);
        }
        let sent = request.field("Authorization").or_else(|| request.field("Proxy-Authorization"));
        let sent = sent.and_then(|sent| challenge::parse(sent).into_iter().find(|sent| sent.is("Digest")));
        let sent = sent.ok_or(Refusal::Unproven)?;
        let nonce = sent.value("nonce").unwrap_or_default();
        let number = challenges.number(nonce, expected.id, from.ip()).ok_or(Refusal::Stale)?;
        if !proves(&sent, nonce, request.uri().unwrap_or_default(), expected) {
            self.failures.fail(&place, now);
            return Err(Refusal::WrongPassword);
        }
        // Only a retransmission from the same sender may reuse a challenge: the response may have been lost.
        if self.proved.is_some_and(|(last, place)| number < last || number == last && place != from) {
            return Err(Refusal::Stale);
        }
        self.failures.forget(&place);
        self.proved = Some((number, from));
        Ok(())
    }
}

/// Whether an answer to a challenge is right. Parameters that the camera omits default to the challenged values.
fn proves(sent: &Challenge, nonce: &str, uri: &str, expected: &Expected<'_>) -> bool {
    let of = |name: &str| sent.value(name).unwrap_or_default();
    let Expected { id, realm, password } = expected;
    let secret = hashed(&format!("{id}:{realm}:{password}"));
    let request = hashed(&format!("REGISTER:{}", sent.value("uri").unwrap_or(uri)));
    let wanted = match of("qop") {
        "" => hashed(&format!("{secret}:{nonce}:{request}")),
        qop => hashed(&format!("{secret}:{nonce}:{}:{}:{qop}:{request}", of("nc"), of("cnonce"))),
    };
    let named = sent.value("username").is_none_or(|user| user == *id);
    named && of("nonce") == nonce && of("response").eq_ignore_ascii_case(&wanted)
}

fn hashed(text: &str) -> String {
    hex::encode(Md5::digest(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAMERA: Expected<'_> = Expected { id: "1", realm: "3402000000", password: "secret" };
    const HERE: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7)), 5060);
    const ELSEWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 8)), 5060);

    fn proven(sent: &str, nonce: &str, id: &str, password: &str) -> bool {
        let expected = Expected { id, password, ..CAMERA };
        challenge::parse(sent).first().is_some_and(|sent| proves(sent, nonce, "sip:a@b", &expected))
    }

    fn response(nonce: &str, password: &str) -> String {
        let secret = hashed(&format!("1:3402000000:{password}"));
        hashed(&format!("{secret}:{nonce}:{}", hashed("REGISTER:sip:a@b")))
    }

    fn login(nonce: &str, password: &str) -> Message {
        let proof = format!("Digest username=\"1\", nonce=\"{nonce}\", response=\"{}\"", response(nonce, password));
        Message::request("REGISTER", "sip:a@b").with("Authorization", proof)
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn an_answer_to_another_challenge_or_of_another_password_proves_nothing() {
        let response = response("n", "secret");
        let sent = format!(
            "Digest username=\"1\", realm=\"3402000000\", nonce=\"n\", uri=\"sip:a@b\", response=\"{response}\", \
             algorithm=MD5"
        );
        assert!(proven(&sent, "n", "1", "secret"));
        assert!(!proven(&sent, "m", "1", "secret"));
        assert!(!proven(&sent, "n", "1", "Secret"));
        assert!(!proven(&sent, "n", "2", "secret"));
        for bad in ["", "Digest", "Basic MTpzZWNyZXQ=", "Digest response=\"\""] {
            assert!(!proven(bad, "n", "1", "secret"), "{bad}");
        }
    }

    #[test]
    fn an_answer_may_be_written_in_any_way() {
        let response = response("n", "secret");
        let capitals = response.to_uppercase();
        for sent in [
            format!("Digest username=\"1\", nonce=\"n\", uri=\"sip:a@b\", response=\"{capitals}\""),
            format!("DIGEST USERNAME=1,NONCE=n,URI=sip:a@b,RESPONSE={response},ALGORITHM=md5"),
            format!("digest username=\"1\" realm=\"3402000000\" nonce=\"n\" response=\"{response}\" qop=\"\""),
            format!("Digest nonce=\"n\", response=\"{response}\""),
            format!("username=\"1\", nonce=\"n\", uri=\"sip:a@b\", response='{response}'").replace('\'', "\""),
        ] {
            assert!(proven(&sent, "n", "1", "secret"), "{sent}");
        }
    }

    #[test]
    fn a_challenge_is_for_one_camera_at_one_address_and_is_answered_once() {
        let (challenges, mut logins) = (Challenges::new(), Logins::default());
        let mut check = |request: &Message, from| logins.check(request, from, &challenges, &CAMERA, at(0));
        let nonce = challenges.nonce("1", HERE.ip());
        assert_eq!(check(&Message::request("REGISTER", "sip:a@b"), HERE), Err(Refusal::Unproven));
        for foreign in ["", "n", &challenges.nonce("2", HERE.ip()), &Challenges::new().nonce("1", HERE.ip())] {
            assert_eq!(check(&login(foreign, "secret"), HERE), Err(Refusal::Stale), "{foreign}");
        }
        let request = login(&nonce, "secret");
        assert_eq!(check(&request, ELSEWHERE), Err(Refusal::Stale));
        assert_eq!(check(&request, HERE), Ok(()));
        assert_eq!(check(&request, HERE), Ok(()), "the answer was lost");
        let beside = SocketAddr::new(HERE.ip(), 5061);
        assert_eq!(check(&request, beside), Err(Refusal::Stale), "somebody has listened");
        assert_eq!(check(&login(&challenges.nonce("1", HERE.ip()), "secret"), beside), Ok(()));
        assert_eq!(check(&request, HERE), Err(Refusal::Stale), "a later challenge was answered");
    }

    #[test]
    fn wrong_answers_lock_their_own_address_for_a_while() {
        let (challenges, mut logins) = (Challenges::new(), Logins::default());
        let mut check = |password: &str, from: SocketAddr, millis: i64| {
            let request = login(&challenges.nonce("1", from.ip()), password);
            logins.check(&request, from, &challenges, &CAMERA, at(millis))
        };
        for _ in 0..5 {
            assert_eq!(check("wrong", ELSEWHERE, 0), Err(Refusal::WrongPassword));
        }
        assert_eq!(check("secret", ELSEWHERE, 1_000), Err(Refusal::Locked));
        assert_eq!(check("secret", HERE, 1_000), Ok(()), "the camera is not kept out by a stranger");
        assert_eq!(check("secret", ELSEWHERE, 5 * 60_000), Ok(()));
    }

    #[test]
    fn nobody_locks_an_address_that_did_not_get_the_challenge() {
        let (challenges, mut logins) = (Challenges::new(), Logins::default());
        let heard_elsewhere = challenges.nonce("1", ELSEWHERE.ip());
        for _ in 0..20 {
            let forged = login(&heard_elsewhere, "wrong");
            assert_eq!(logins.check(&forged, HERE, &challenges, &CAMERA, at(0)), Err(Refusal::Stale));
        }
        let request = login(&challenges.nonce("1", HERE.ip()), "secret");
        assert_eq!(logins.check(&request, HERE, &challenges, &CAMERA, at(0)), Ok(()));
    }
}
