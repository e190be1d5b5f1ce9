//! The device as the SIP server that cameras log in at.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::ports::{Clock, SourceError};
use http_auth::ChallengeRef;
use md5::{Digest, Md5};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::endpoint::{Asked, Endpoint};
use super::message::{Message, token};

/// A login that says nothing else is good for so long, and none for longer than a day.
const USUAL_STAY: u64 = 3600;
const LONGEST_STAY: u64 = 86_400;
/// A camera that nobody has asked for since may not log in any more.
const EXPECTED: Duration = Duration::from_secs(600);

/// The server. Only cameras that were asked for may log in.
pub(super) struct Registrar {
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) id: String,
    shared: Arc<Shared>,
    changed: watch::Receiver<()>,
    _reader: JoinSet<()>,
}

struct Shared {
    realm: String,
    clock: Arc<dyn Clock>,
    cameras: Mutex<HashMap<String, Camera>>,
}

struct Camera {
    password: String,
    asked_for: Instant,
    /// The one challenge that may be answered, once.
    nonce: String,
    there: Option<(SocketAddr, Instant)>,
    /// Whether the last login was refused.
    refused: bool,
}

impl Registrar {
    /// Opens the port; `id`: this device's.
    pub(super) async fn open(local: SocketAddr, id: &str, clock: Arc<dyn Clock>) -> std::io::Result<Self> {
        let (endpoint, requests) = Endpoint::open(local).await?;
        let endpoint = Arc::new(endpoint);
        let realm = id.get(..10).unwrap_or(id).to_owned();
        let shared = Arc::new(Shared { realm, clock, cameras: Mutex::default() });
        let (change, changed) = watch::channel(());
        let mut reader = JoinSet::new();
        reader.spawn(serve(requests, Arc::clone(&shared), Arc::clone(&endpoint), change));
        Ok(Self { endpoint, id: id.to_owned(), shared, changed, _reader: reader })
    }

    /// Waits until the camera has logged in: where it is.
    pub(super) async fn camera(&self, id: &str, password: &str, patience: Duration) -> Result<SocketAddr, SourceError> {
        self.shared.expect(id, password);
        let mut changed = self.changed.clone();
        let there = async {
            loop {
                changed.mark_unchanged();
                if let Some(place) = self.shared.place(id) {
                    return Ok(place);
                }
                if changed.changed().await.is_err() {
                    return Err(SourceError::Broken("the SIP server has ended".to_owned()));
                }
            }
        };
        match timeout(patience, there).await {
            Ok(place) => place,
            Err(_) if self.shared.was_refused(id) => Err(SourceError::Unauthorised),
            Err(_) => {
                let seconds = patience.as_secs();
                Err(SourceError::Unreachable(format!(
                    "it has not logged in at this device's SIP server for {seconds} s"
                )))
            }
        }
    }

    /// The camera does not answer: it has to log in anew.
    pub(super) fn forget(&self, id: &str) {
        if let Some(camera) = self.shared.cameras().get_mut(id) {
            camera.there = None;
        }
    }
}

async fn serve(
    mut requests: mpsc::Receiver<Asked>,
    shared: Arc<Shared>,
    endpoint: Arc<Endpoint>,
    change: watch::Sender<()>,
) {
    while let Some(Asked { message, from }) = requests.recv().await {
        let answer = match message.method() {
            Some("REGISTER") => shared.log_in(&message, from),
            Some("MESSAGE") => shared.hear(&message, from),
            _ => Message::answer(&message, 501, "Not Implemented"),
        };
        change.send_replace(());
        // Who does not get it repeats itself.
        let _ = endpoint.say(from, &answer.write()).await;
    }
}

impl Shared {
    fn cameras(&self) -> MutexGuard<'_, HashMap<String, Camera>> {
        self.cameras.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn expect(&self, id: &str, password: &str) {
        let mut cameras = self.cameras();
        cameras.retain(|_, camera| camera.asked_for.elapsed() < EXPECTED);
        let fresh = || Camera {
            password: password.to_owned(),
            asked_for: Instant::now(),
            nonce: token(),
            there: None,
            refused: false,
        };
        let camera = cameras.entry(id.to_owned()).or_insert_with(fresh);
        if camera.password != password {
            *camera = fresh();
        }
        camera.asked_for = Instant::now();
    }

    fn place(&self, id: &str) -> Option<SocketAddr> {
        let (place, until) = self.cameras().get(id)?.there?;
        (Instant::now() < until).then_some(place)
    }

    fn was_refused(&self, id: &str) -> bool {
        self.cameras().get(id).is_some_and(|camera| camera.refused)
    }

    fn log_in(&self, request: &Message, from: SocketAddr) -> Message {
        let mut cameras = self.cameras();
        let id = request.user("From").unwrap_or_default();
        let Some(camera) = cameras.get_mut(id) else { return Message::answer(request, 404, "Not Found") };
        let Some(sent) = request.field("Authorization") else { return self.challenge(camera, request) };
        let nonce = std::mem::replace(&mut camera.nonce, token());
        if !proves(sent, &nonce, id, &self.realm, &camera.password) {
            camera.refused = true;
            return self.challenge(camera, request);
        }
        camera.refused = false;
        let stay = request.field("Expires").and_then(|text| text.parse().ok()).unwrap_or(USUAL_STAY).min(LONGEST_STAY);
        camera.there = (stay > 0).then(|| (from, Instant::now() + Duration::from_secs(stay)));
        // Cameras set their clocks by it.
        let now = self.clock.now().in_zone(&jiff::tz::TimeZone::UTC);
        Message::answer(request, 200, "OK")
            .with("Expires", stay.to_string())
            .with("Date", now.strftime("%Y-%m-%dT%H:%M:%S.000").to_string())
    }

    fn challenge(&self, camera: &Camera, request: &Message) -> Message {
        let challenge = format!("Digest realm=\"{}\", nonce=\"{}\", algorithm=MD5", self.realm, camera.nonce);
        Message::answer(request, 401, "Unauthorized").with("WWW-Authenticate", challenge)
    }

    /// A camera that is not known here is told so: it logs in anew then.
    fn hear(&self, request: &Message, from: SocketAddr) -> Message {
        let known = self.place(request.user("From").unwrap_or_default()).is_some_and(|place| place == from);
        if known { Message::answer(request, 200, "OK") } else { Message::answer(request, 403, "Forbidden") }
    }
}

/// Whether an answer to our challenge is right.
fn proves(sent: &str, nonce: &str, user: &str, realm: &str, password: &str) -> bool {
    let Ok(parsed) = http_auth::parse_challenges(sent) else { return false };
    let Some(parsed) = parsed.first().filter(|parsed| parsed.scheme.eq_ignore_ascii_case("digest")) else {
        return false;
    };
    let of = |name| value(parsed, name);
    let secret = hashed(&format!("{user}:{realm}:{password}"));
    let request = hashed(&format!("REGISTER:{}", of("uri")));
    let wanted = match of("qop").as_str() {
        "" => hashed(&format!("{secret}:{nonce}:{request}")),
        qop => hashed(&format!("{secret}:{nonce}:{}:{}:{qop}:{request}", of("nc"), of("cnonce"))),
    };
    of("nonce") == nonce && of("username") == user && of("response") == wanted
}

fn value(parsed: &ChallengeRef<'_>, name: &str) -> String {
    let param = parsed.params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
    param.map(|(_, value)| value.to_unescaped()).unwrap_or_default()
}

fn hashed(text: &str) -> String {
    hex::encode(Md5::digest(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_to_another_challenge_or_of_another_password_proves_nothing() {
        let secret = hashed("1:3402000000:secret");
        let response = hashed(&format!("{secret}:n:{}", hashed("REGISTER:sip:a@b")));
        let sent = format!(
            "Digest username=\"1\", realm=\"3402000000\", nonce=\"n\", uri=\"sip:a@b\", response=\"{response}\", \
             algorithm=MD5"
        );
        assert!(proves(&sent, "n", "1", "3402000000", "secret"));
        assert!(!proves(&sent, "m", "1", "3402000000", "secret"));
        assert!(!proves(&sent, "n", "1", "3402000000", "Secret"));
        assert!(!proves(&sent, "n", "2", "3402000000", "secret"));
        for bad in ["", "Digest", "Basic MTpzZWNyZXQ=", "Digest response=\"\""] {
            assert!(!proves(bad, "n", "1", "3402000000", "secret"), "{bad}");
        }
    }
}
