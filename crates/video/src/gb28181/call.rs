//! SIP calls that make a camera send its video.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use domain::ports::SourceError;
use rand::RngExt;
use tokio_util::sync::CancellationToken;

use super::endpoint::Endpoint;
use super::message::{Message, branch, token};
use crate::session::plain;

/// Transport of the video.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carrier {
    /// By datagram.
    Datagrams,
    /// Within a connection that the camera opens.
    Connection,
}

impl Carrier {
    fn name(self) -> &'static str {
        match self {
            Self::Datagrams => "RTP/AVP",
            Self::Connection => "TCP/RTP/AVP",
        }
    }
}

/// The endpoint, addresses and credentials that calls to one peer use.
#[derive(Clone)]
pub(super) struct Line {
    pub(super) endpoint: Arc<Endpoint>,
    /// Where messages go.
    pub(super) peer: SocketAddr,
    /// Address of this device as the peer sees it.
    pub(super) local: SocketAddr,
    /// SIP id of this device.
    pub(super) own: String,
    /// Password for digest authentication; may be empty.
    pub(super) password: String,
    /// Timeout for each response.
    pub(super) patience: Duration,
}

/// Why a call was not established.
pub(super) enum Refusal {
    /// The camera does not support the transport.
    Carrier,
    Final(SourceError),
}

impl From<SourceError> for Refusal {
    fn from(why: SourceError) -> Self {
        Self::Final(why)
    }
}

/// An established call; dropping it sends BYE to the camera.
pub(super) struct Call {
    line: Line,
    id: String,
    farewell: Message,
    /// Cancelled when the peer ends the call.
    pub(super) over: CancellationToken,
    /// Address that the video comes from, as stated by the camera.
    pub(super) sender: Option<IpAddr>,
}

impl Line {
    /// `sip:ID@DOMAIN`; the domain is the first half of an id.
    pub(super) fn uri(id: &str) -> String {
        format!("sip:{id}@{}", id.get(..10).unwrap_or(id))
    }

    /// A request with the fields common to all requests of this device.
    pub(super) fn request(&self, method: &str, uri: &str, call: &str, number: u32) -> Message {
        let own = Self::uri(&self.own);
        Message::request(method, uri)
            .with("Via", format!("SIP/2.0/UDP {};rport;branch={}", self.local, branch()))
            .with("From", format!("<{own}>;tag={call}"))
            .with("Call-ID", call)
            .with("CSeq", format!("{number} {method}"))
            .with("Max-Forwards", "70")
            .with("Contact", format!("<sip:{}@{}>", self.own, self.local))
            .with("User-Agent", "polyface")
    }

    /// Sends a request, and repeats it with credentials when the peer challenges it, once more if the nonce has
    /// expired. Returns the last request and its response.
    pub(super) async fn ask(
        &self,
        make: impl Fn(u32) -> Message,
        patience: Duration,
    ) -> Result<(Message, Message), SourceError> {
        let mut question = make(1);
        let mut answer = self.endpoint.ask(self.peer, &question, patience).await?;
        for number in [2, 3] {
            if number == 3 && !answer.is_stale() {
                break;
            }
            let Some((method, uri)) = question.method().zip(question.uri()) else { break };
            let Some((name, value)) = answer.authorization(method, uri, &self.own, &self.password) else { break };
            let next = make(number).with(name, value);
            self.acknowledge_refusal(&question, &answer).await?;
            answer = self.endpoint.ask(self.peer, &next, patience).await?;
            question = next;
        }
        Ok((question, answer))
    }

    /// The peer repeats its refusal of an INVITE until it is acknowledged.
    async fn acknowledge_refusal(&self, invitation: &Message, refusal: &Message) -> Result<(), SourceError> {
        if invitation.method() != Some("INVITE") {
            return Ok(());
        }
        let field = |name: &str| invitation.field(name).unwrap_or_default().to_owned();
        let number = field("CSeq").replace("INVITE", "ACK");
        let acknowledgement = Message::request("ACK", invitation.uri().unwrap_or_default())
            .with("Via", field("Via"))
            .with("From", field("From"))
            .with("To", refusal.field("To").map_or_else(|| field("To"), str::to_owned))
            .with("Call-ID", field("Call-ID"))
            .with("CSeq", number)
            .with("Max-Forwards", "70");
        self.endpoint.say(self.peer, &acknowledgement.write()).await
    }

    /// Makes the camera send its video to `port`. `patience`: timeout from the INVITE to its acceptance.
    pub(super) async fn call(
        &self,
        camera: &str,
        carrier: Carrier,
        port: u16,
        patience: Duration,
    ) -> Result<Call, Refusal> {
        let (id, uri, source) = (token(), Self::uri(camera), source_number(&self.own));
        let offer = self.offer(carrier, port, &source);
        let make = |number| {
            self.request("INVITE", &uri, &id, number)
                .with("To", format!("<{uri}>"))
                .with("Subject", format!("{camera}:{source},{}:0", self.own))
                .carrying("APPLICATION/SDP", offer.clone())
        };
        let (invitation, answer) = self.ask(make, patience).await?;
        match answer.code() {
            Some(200..300) => Ok(self.established(id, &invitation, &answer).await?),
            code => {
                self.acknowledge_refusal(&invitation, &answer).await?;
                Err(refusal(code.unwrap_or_default(), &answer))
            }
        }
    }

    fn offer(&self, carrier: Carrier, port: u16, source: &str) -> String {
        let (own, ip, name) = (&self.own, self.local.ip(), carrier.name());
        let passive = match carrier {
            Carrier::Datagrams => "",
            Carrier::Connection => "a=setup:passive\r\na=connection:new\r\n",
        };
        let family = if ip.is_ipv4() { "IP4" } else { "IP6" };
        format!(
            "v=0\r\no={own} 0 0 IN {family} {ip}\r\ns=Play\r\nc=IN {family} {ip}\r\nt=0 0\r\nm=video {port} {name} 96\r\n\
             a=recvonly\r\na=rtpmap:96 PS/90000\r\n{passive}y={source}\r\n"
        )
    }

    async fn established(&self, id: String, invitation: &Message, answer: &Message) -> Result<Call, SourceError> {
        // Some devices omit To in the response: they have added no tag to it.
        let to = answer.field("To").or(invitation.field("To")).unwrap_or_default().to_owned();
        let uri = invitation.uri().unwrap_or_default();
        let request = |method: &str, number| self.request(method, uri, &id, number).with("To", to.clone());
        let number = invitation.number().unwrap_or(1);
        let acknowledgement = request("ACK", number).write();
        let farewell = request("BYE", number + 1);
        let over = self.endpoint.establish(&id, number, acknowledgement.clone());
        let call = Call { line: self.clone(), farewell, over, sender: sender(&answer.body), id };
        self.endpoint.say(self.peer, &acknowledgement).await?;
        Ok(call)
    }
}

/// SSRC for the `y` field, ten digits: 0 for live video, five of the domain, and a random number of the call.
fn source_number(own: &str) -> String {
    let domain: String = own.chars().skip(3).take(5).filter(char::is_ascii_digit).collect();
    format!("0{domain:0>5}{:04}", rand::rng().random_range(1..10_000))
}

/// Address that the video comes from: the connection of the session description, or else its origin.
pub(super) fn sender(description: &str) -> Option<IpAddr> {
    let address = |kind: &str| {
        let line = description.lines().map(str::trim).find_map(|line| line.strip_prefix(kind))?;
        let mut words = line.split_whitespace().skip_while(|word| !word.eq_ignore_ascii_case("IN"));
        words.nth(2)?.split('/').next()?.parse().ok()
    };
    address("c=").or_else(|| address("o="))
}

fn refusal(code: u16, answer: &Message) -> Refusal {
    let said = match &answer.start {
        super::message::Start::Response { reason, .. } => plain(reason),
        super::message::Start::Request { .. } => String::new(),
    };
    Refusal::Final(match code {
        415 | 488 | 606 => return Refusal::Carrier,
        401 | 403 | 407 => SourceError::Unauthorised,
        404 | 410 | 480 | 604 => SourceError::NoStream(format!("the SIP server answers {code} {said} to INVITE")),
        _ => SourceError::Broken(format!("the SIP server answers {code} {said} to INVITE")),
    })
}

/// BYE is sent once: a camera that misses it stops when its packets are no longer received.
impl Drop for Call {
    fn drop(&mut self) {
        self.line.endpoint.forget(&self.id);
        if !self.over.is_cancelled()
            && let Err(error) = self.line.endpoint.socket.try_send_to(&self.farewell.write(), self.line.peer)
        {
            tracing::debug!(%error, "failed to send BYE to the camera");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sender_is_who_the_description_names() {
        assert_eq!(sender("v=0\r\nc=IN IP4 10.0.0.7\r\n"), Some(IpAddr::from([10, 0, 0, 7])));
        assert_eq!(sender("v=0\r\nc=IN IP6 ::1\r\n"), Some(IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])));
        assert_eq!(sender("v=0\nc= in ip4 10.0.0.7/127\n"), Some(IpAddr::from([10, 0, 0, 7])));
        assert_eq!(sender("v=0\r\no=34 0 0 IN IP4 10.0.0.8\r\n"), Some(IpAddr::from([10, 0, 0, 8])));
        assert_eq!(sender("v=0\r\nc=IN IP4 camera\r\n"), None);
        assert_eq!(sender(""), None);
    }

    #[test]
    fn the_number_of_a_call_has_ten_digits_whatever_the_id() {
        for own in ["34020000002000000001", "7", "abcdefghijk"] {
            let number = source_number(own);
            assert!(number.len() == 10 && number.parse::<u32>().is_ok(), "{number}");
        }
        assert!(source_number("34020000002000000001").starts_with("020000"));
    }
}
