//! The SIP server of this device, at which cameras log in.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::ports::{Clock, SourceError};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::endpoint::{Asked, Endpoint};
use super::login::{Challenges, Expected, Logins, Refusal};
use super::message::Message;
use super::refusals::Refusals;

/// Duration of a login that requests none, and the maximum, seconds.
const USUAL_STAY: u64 = 3600;
const LONGEST_STAY: u64 = 86_400;
/// Time after its last request for video within which a camera may log in.
const EXPECTED: Duration = Duration::from_secs(600);

/// The server. Only cameras whose video was requested may log in.
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
    challenges: Challenges,
    cameras: Mutex<HashMap<String, Camera>>,
    /// Logins of cameras that are not expected.
    strangers: Mutex<Logins>,
    /// A password that nobody knows.
    unknown_password: String,
    refusals: Mutex<Refusals>,
}

/// A login that is refused.
struct Refused {
    /// For the operator.
    why: Refusal,
    /// For the caller.
    shown: Refusal,
}

struct Camera {
    password: String,
    asked_for: Instant,
    logins: Logins,
    there: Option<(SocketAddr, Instant)>,
    /// Whether the last login of the camera was refused.
    refused: bool,
    /// Where the camera has logged in from; others do not change what is known of it.
    home: Option<IpAddr>,
}

impl Registrar {
    /// Opens the port; `id`: SIP id of this device.
    pub(super) async fn open(local: SocketAddr, id: &str, clock: Arc<dyn Clock>) -> std::io::Result<Self> {
        let (endpoint, requests) = Endpoint::open(local).await?;
        let endpoint = Arc::new(endpoint);
        let realm = id.get(..10).unwrap_or(id).to_owned();
        let shared = Arc::new(Shared {
            realm,
            clock,
            challenges: Challenges::new(),
            cameras: Mutex::default(),
            strangers: Mutex::default(),
            unknown_password: hex::encode(rand::random::<[u8; 16]>()),
            refusals: Mutex::default(),
        });
        let (change, changed) = watch::channel(());
        let mut reader = JoinSet::new();
        reader.spawn(serve(requests, Arc::clone(&shared), Arc::clone(&endpoint), change));
        Ok(Self { endpoint, id: id.to_owned(), shared, changed, _reader: reader })
    }

    /// Waits until the camera has logged in and returns its address.
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
                    return Err(SourceError::Broken("the SIP server has stopped".to_owned()));
                }
            }
        };
        match timeout(patience, there).await {
            Ok(place) => place,
            Err(_) if self.shared.was_refused(id) => Err(SourceError::Unauthorised),
            Err(_) => {
                let seconds = patience.as_secs();
                Err(SourceError::Unreachable(format!(
                    "the camera has not logged in at this device's SIP server within {seconds} s"
                )))
            }
        }
    }

    /// Drops the camera's login: it does not answer and must log in again.
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
        // When the response is lost, the camera retransmits.
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
            logins: Logins::default(),
            there: None,
            refused: false,
            home: None,
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
        let id = request.sender().unwrap_or_default();
        let admitted = self.admit(id, request, from);
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        match admitted {
            Ok(answer) => {
                refusals.forget(id, from.ip());
                answer
            }
            Err(Refused { why, shown }) => {
                refusals.note(id, from.ip(), why);
                self.refuse(id, request, from, shown)
            }
        }
    }

    fn admit(&self, id: &str, request: &Message, from: SocketAddr) -> Result<Message, Refused> {
        let mut cameras = self.cameras();
        let Some(camera) = cameras.get_mut(id) else { return Err(self.turn_away(id, request, from)) };
        let expected = Expected { id, realm: &self.realm, password: &camera.password };
        let proved = camera.logins.check(request, from, &self.challenges, &expected, self.clock.now());
        let may_be_camera = camera.home.is_none_or(|home| home == from.ip());
        if matches!(proved, Err(Refusal::WrongPassword)) && may_be_camera {
            camera.refused = true;
        }
        proved.map_err(|why| Refused { why, shown: why })?;
        (camera.refused, camera.home) = (false, Some(from.ip()));
        let stay = request.stay().unwrap_or(USUAL_STAY).min(LONGEST_STAY);
        camera.there = (stay > 0).then(|| (from, Instant::now() + Duration::from_secs(stay)));
        // Cameras set their clocks by the Date field.
        let now = self.clock.now().in_zone(&jiff::tz::TimeZone::UTC);
        let answer = Message::answer(request, 200, "OK").with("Expires", stay.to_string());
        Ok(answer.with("Date", now.strftime("%Y-%m-%dT%H:%M:%S.000").to_string()))
    }

    /// Refuses a camera that is not expected as one with a wrong password, so that strangers cannot find out ids.
    fn turn_away(&self, id: &str, request: &Message, from: SocketAddr) -> Refused {
        let expected = Expected { id, realm: &self.realm, password: &self.unknown_password };
        let mut strangers = self.strangers.lock().unwrap_or_else(PoisonError::into_inner);
        let proved = strangers.check(request, from, &self.challenges, &expected, self.clock.now());
        Refused { why: Refusal::UnknownCamera, shown: proved.err().unwrap_or(Refusal::WrongPassword) }
    }

    fn refuse(&self, id: &str, request: &Message, from: SocketAddr, why: Refusal) -> Message {
        let stale = match why {
            Refusal::Locked => return Message::answer(request, 403, "Forbidden"),
            Refusal::Stale => ", stale=true",
            Refusal::Unproven | Refusal::WrongPassword | Refusal::UnknownCamera => "",
        };
        let nonce = self.challenges.nonce(id, from.ip());
        let challenge = format!("Digest realm=\"{}\", nonce=\"{nonce}\", algorithm=MD5{stale}", self.realm);
        Message::answer(request, 401, "Unauthorized").with("WWW-Authenticate", challenge)
    }

    /// Answers a keepalive. 403 makes a camera without a login here log in again.
    fn hear(&self, request: &Message, from: SocketAddr) -> Message {
        let known = self.place(request.sender().unwrap_or_default()).is_some_and(|place| place == from);
        if known { Message::answer(request, 200, "OK") } else { Message::answer(request, 403, "Forbidden") }
    }
}
