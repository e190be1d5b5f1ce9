//! A UDP port for SIP: requests with their responses, and requests of peers.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::ports::SourceError;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::message::Message;

/// Interval before the first retransmission of an unanswered request; it doubles each time,
const FIRST_REPEAT: Duration = Duration::from_millis(500);
/// up to this.
const LONGEST_REPEAT: Duration = Duration::from_secs(4);
/// Maximum number of queued responses to one request.
const MOST_ANSWERS: usize = 8;
/// Maximum number of queued requests of peers; a peer retransmits a dropped request.
const MOST_REQUESTS: usize = 64;

/// A request of a peer.
pub(super) struct Asked {
    pub(super) message: Message,
    pub(super) from: SocketAddr,
}

/// An open port.
pub(super) struct Endpoint {
    pub(super) socket: Arc<UdpSocket>,
    shared: Arc<Shared>,
    _reader: JoinSet<()>,
}

#[derive(Default)]
struct Shared {
    /// Pending requests, by a number of this endpoint.
    questions: Mutex<HashMap<u64, Question>>,
    asked: AtomicU64,
    /// Established calls, by their Call-ID.
    calls: Mutex<HashMap<String, Established>>,
}

struct Question {
    message: Message,
    answers: mpsc::Sender<Message>,
}

struct Established {
    /// CSeq number of the accepted INVITE.
    number: u32,
    /// Sent again when the peer repeats its acceptance.
    acknowledgement: Vec<u8>,
    over: CancellationToken,
}

impl Endpoint {
    /// Opens a port. Requests of peers, except BYE and ACK, arrive at the receiver.
    pub(super) async fn open(local: SocketAddr) -> std::io::Result<(Self, mpsc::Receiver<Asked>)> {
        let socket = Arc::new(UdpSocket::bind(local).await?);
        let shared = Arc::<Shared>::default();
        let (sender, requests) = mpsc::channel(MOST_REQUESTS);
        let mut reader = JoinSet::new();
        reader.spawn(read(Arc::clone(&socket), Arc::clone(&shared), sender));
        Ok((Self { socket, shared, _reader: reader }, requests))
    }

    /// Sends a request, retransmitting it until it is answered, and returns the final response.
    pub(super) async fn ask(
        &self,
        peer: SocketAddr,
        question: &Message,
        patience: Duration,
    ) -> Result<Message, SourceError> {
        let (sender, mut answers) = mpsc::channel(MOST_ANSWERS);
        let number = self.shared.asked.fetch_add(1, Relaxed);
        self.shared.questions().insert(number, Question { message: question.clone(), answers: sender });
        let _forgotten = Forget { shared: &self.shared, number };
        let until = Instant::now() + patience;
        let (text, mut pause, mut provisional) = (question.write(), FIRST_REPEAT, false);
        self.say(peer, &text).await?;
        loop {
            let wait = if provisional { until } else { until.min(Instant::now() + pause) };
            match timeout_at(wait, answers.recv()).await {
                Ok(Some(answer)) if answer.code().is_some_and(|code| code < 200) => provisional = true,
                Ok(Some(answer)) => return Ok(answer),
                Ok(None) => return Err(SourceError::Broken("the SIP port was closed".to_owned())),
                Err(_) if Instant::now() >= until => return Err(silence(question, patience)),
                Err(_) => {
                    self.say(peer, &text).await?;
                    pause = (pause * 2).min(LONGEST_REPEAT);
                }
            }
        }
    }

    pub(super) async fn say(&self, peer: SocketAddr, text: &[u8]) -> Result<(), SourceError> {
        let sent = self.socket.send_to(text, peer).await;
        sent.map(drop).map_err(|error| SourceError::Unreachable(error.to_string()))
    }

    /// Registers an established call; the token is cancelled when the peer ends it.
    pub(super) fn establish(&self, call: &str, number: u32, acknowledgement: Vec<u8>) -> CancellationToken {
        let over = CancellationToken::new();
        let established = Established { number, acknowledgement, over: over.clone() };
        self.shared.calls().insert(call.to_owned(), established);
        over
    }

    pub(super) fn forget(&self, call: &str) {
        self.shared.calls().remove(call);
    }
}

fn silence(question: &Message, patience: Duration) -> SourceError {
    let method = question.method().unwrap_or_default();
    SourceError::Unreachable(format!("no answer to {method} within {} s", patience.as_secs()))
}

impl Shared {
    fn questions(&self) -> MutexGuard<'_, HashMap<u64, Question>> {
        self.questions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn calls(&self) -> MutexGuard<'_, HashMap<String, Established>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Delivers a response to the request waiting for it; returns the message to send again, if any.
    fn answered(&self, answer: Message) -> Option<Vec<u8>> {
        let questions = self.questions();
        match questions.values().find(|question| answer.answers(&question.message)) {
            // When the queue is full, its reader already has what it needs.
            Some(question) => drop(question.answers.try_send(answer)),
            None if matches!(answer.code(), Some(200..300)) => return self.acknowledged(&answer),
            None => {}
        }
        None
    }

    /// The ACK to send again for a repeated acceptance.
    fn acknowledged(&self, answer: &Message) -> Option<Vec<u8>> {
        let calls = self.calls();
        let call = calls.get(answer.field("Call-ID")?)?;
        let is_same = answer.number() == Some(call.number) && answer.is_of("INVITE");
        is_same.then(|| call.acknowledgement.clone())
    }

    /// Ends the call that the request names; `false` when there is none.
    fn hung_up(&self, request: &Message) -> bool {
        let call = request.field("Call-ID").and_then(|call| self.calls().remove(call));
        call.inspect(|call| call.over.cancel()).is_some()
    }
}

/// Removes a pending request when dropped.
struct Forget<'a> {
    shared: &'a Shared,
    number: u64,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.shared.questions().remove(&self.number);
    }
}

async fn read(socket: Arc<UdpSocket>, shared: Arc<Shared>, requests: mpsc::Sender<Asked>) {
    let mut datagram = vec![0; 65_536];
    loop {
        let (length, from) = match socket.recv_from(&mut datagram).await {
            Ok(received) => received,
            // An earlier datagram reached a closed port; other peers are not affected.
            Err(error) => {
                tracing::debug!(%error, "failed to receive a SIP message");
                continue;
            }
        };
        let Some(message) = Message::parse(&datagram[..length]) else { continue };
        let reply = match message.method() {
            _ if message.code().is_some() => shared.answered(message),
            Some("BYE") => {
                let known = shared.hung_up(&message);
                let (code, reason) = if known { (200, "OK") } else { (481, "Call Does Not Exist") };
                Some(Message::answer(&message, code, reason).write())
            }
            Some("ACK") | None => None,
            Some(_) => {
                // When the queue is full, the peer retransmits.
                let _ = requests.try_send(Asked { message, from });
                None
            }
        };
        if let Some(reply) = reply {
            // When the response is lost, the peer retransmits.
            let _ = socket.send_to(&reply, from).await;
        }
    }
}
