//! A port of this device for SIP by datagram: questions and their answers, and what others ask.

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

/// The first repetition of a question that nobody answers; then twice as long each time,
const FIRST_REPEAT: Duration = Duration::from_millis(500);
/// up to this.
const LONGEST_REPEAT: Duration = Duration::from_secs(4);
/// Answers to one question that wait to be read.
const MOST_ANSWERS: usize = 8;
/// Requests of others that wait to be read; they repeat what is dropped.
const MOST_REQUESTS: usize = 64;

/// A request of somebody else.
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
    /// Questions that wait for an answer, by a number of our own.
    questions: Mutex<HashMap<u64, Question>>,
    asked: AtomicU64,
    /// Calls that are established, by their id.
    calls: Mutex<HashMap<String, Established>>,
}

struct Question {
    message: Message,
    answers: mpsc::Sender<Message>,
}

struct Established {
    /// Of the invitation that was accepted.
    number: u32,
    /// Said again when the other side repeats its answer.
    acknowledgement: Vec<u8>,
    over: CancellationToken,
}

impl Endpoint {
    /// Opens a port; what others ask, but for the end of calls, is handed out.
    pub(super) async fn open(local: SocketAddr) -> std::io::Result<(Self, mpsc::Receiver<Asked>)> {
        let socket = Arc::new(UdpSocket::bind(local).await?);
        let shared = Arc::<Shared>::default();
        let (sender, requests) = mpsc::channel(MOST_REQUESTS);
        let mut reader = JoinSet::new();
        reader.spawn(read(Arc::clone(&socket), Arc::clone(&shared), sender));
        Ok((Self { socket, shared, _reader: reader }, requests))
    }

    /// Sends a question until it is answered: its final answer.
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
        let (text, mut pause, mut heard) = (question.write(), FIRST_REPEAT, false);
        self.say(peer, &text).await?;
        loop {
            let wait = if heard { until } else { until.min(Instant::now() + pause) };
            match timeout_at(wait, answers.recv()).await {
                Ok(Some(answer)) if answer.code().is_some_and(|code| code < 200) => heard = true,
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

    /// Notes a call that is established; the token tells when the other side ends it.
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

    /// Hands an answer to who waits for it; what is to be said again, if anything.
    fn answered(&self, answer: Message) -> Option<Vec<u8>> {
        let questions = self.questions();
        match questions.values().find(|question| answer.answers(&question.message)) {
            // One who does not read has what it wanted.
            Some(question) => drop(question.answers.try_send(answer)),
            None if matches!(answer.code(), Some(200..300)) => return self.acknowledged(&answer),
            None => {}
        }
        None
    }

    /// The acknowledgement of an acceptance that is said again.
    fn acknowledged(&self, answer: &Message) -> Option<Vec<u8>> {
        let calls = self.calls();
        let call = calls.get(answer.field("Call-ID")?)?;
        let is_same = answer.number() == Some(call.number) && answer.is_of("INVITE");
        is_same.then(|| call.acknowledgement.clone())
    }

    /// Whether there was such a call; it is over now.
    fn hung_up(&self, request: &Message) -> bool {
        let call = request.field("Call-ID").and_then(|call| self.calls().remove(call));
        call.inspect(|call| call.over.cancel()).is_some()
    }
}

/// A question that is no longer waited for.
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
            // Somebody's port was closed: nothing to do with the others.
            Err(error) => {
                tracing::debug!(%error, "a SIP message was lost");
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
                // Who finds the queue full repeats itself.
                let _ = requests.try_send(Asked { message, from });
                None
            }
        };
        if let Some(reply) = reply {
            // Who does not get it repeats itself.
            let _ = socket.send_to(&reply, from).await;
        }
    }
}
