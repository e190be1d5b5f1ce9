//! Simulated GB/T 28181 peers: a SIP server with a camera behind it, and a camera that registers with the device.

mod message;
mod options;
pub(crate) mod program;

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpStream, UdpSocket};
use tokio::task::JoinSet;

use self::message::{Message, authorization};
pub use self::options::{Omission, PeerOptions};
use self::program::{AccessUnit, access_units, pack};

/// The id of the camera.
pub const CAMERA: &str = "34020000001320000001";
/// The id of the server.
pub const SERVER: &str = "34020000002000000009";
const NONCE: &str = "4f1c";
/// Interval between two pictures: 25 per second.
const INTERVAL: Duration = Duration::from_millis(40);
/// Maximum size of program stream data in a packet, bytes.
const PAYLOAD: usize = 1_400;

/// A running peer; it ends when dropped.
#[derive(Debug)]
pub struct Peer {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

struct Endpoint {
    socket: UdpSocket,
    password: String,
    options: PeerOptions,
    units: Vec<AccessUnit>,
    requests: Arc<Mutex<Vec<String>>>,
    /// The last answer 200 to an INVITE.
    accepted: Mutex<String>,
}

impl Peer {
    /// A SIP server that requires this password, with a camera behind it that plays this clip.
    ///
    /// # Errors
    /// When there is no free port, or the clip does not contain video of the codec.
    pub async fn server(clip: &Path, password: &str, options: PeerOptions) -> io::Result<Self> {
        Self::start(clip, password, options, None).await
    }

    /// A camera that plays this clip and registers with the device with this password, repeatedly.
    ///
    /// # Errors
    /// When there is no free port, or the clip does not contain video of the codec.
    pub async fn camera(clip: &Path, password: &str, options: PeerOptions, device: SocketAddr) -> io::Result<Self> {
        Self::start(clip, password, options, Some(device)).await
    }

    async fn start(clip: &Path, password: &str, options: PeerOptions, device: Option<SocketAddr>) -> io::Result<Self> {
        let socket = UdpSocket::bind("127.0.0.1:0").await?;
        let address = socket.local_addr()?;
        let units = access_units(clip, options.codec)?;
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let endpoint = Endpoint {
            socket,
            password: password.to_owned(),
            options,
            units,
            requests: Arc::clone(&requests),
            accepted: Mutex::default(),
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(Arc::new(endpoint).run(device));
        Ok(Self { address, requests, _tasks: tasks })
    }

    /// Address of the peer.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The methods of all requests received, in order.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Endpoint {
    async fn run(self: Arc<Self>, device: Option<SocketAddr>) {
        let mut calls = JoinSet::new();
        let mut logins = tokio::time::interval(Duration::from_millis(300));
        let mut datagram = vec![0; 65_536];
        loop {
            tokio::select! {
                _ = logins.tick(), if device.is_some() => self.log_in(device, None).await,
                received = self.socket.recv_from(&mut datagram) => {
                    let Ok((length, from)) = received else { continue };
                    let Some(message) = Message::read(&datagram[..length]) else { continue };
                    match message.status() {
                        Some(401) => self.log_in(device, Some(&message)).await,
                        Some(_) => {}
                        None => self.handle_request(&message, from, &mut calls).await,
                    }
                }
            }
        }
    }

    async fn send_message(&self, to: SocketAddr, text: &str) {
        // Fails when the device has closed its socket.
        let _ = self.socket.send_to(self.options.rendered(text).as_bytes(), to).await;
    }

    async fn log_in(&self, device: Option<SocketAddr>, refusal: Option<&Message>) {
        let Some(device) = device else { return };
        let (uri, own) = ("sip:34020000002000000001@3402000000", format!("<sip:{CAMERA}@3402000000>"));
        let proof = refusal.map(|refusal| authorization(refusal, "REGISTER", uri, CAMERA, &self.password));
        let proof = proof.map_or_else(String::new, |proof| format!("Authorization: {proof}\r\n"));
        let number = if refusal.is_some() { 2 } else { 1 };
        let text = format!(
            "REGISTER {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;rport;branch=z9hG4bK{number}\r\nFrom: {own};tag=c\r\n\
             To: {own}\r\nCall-ID: login\r\nCSeq: {number} REGISTER\r\nExpires: 60\r\n{proof}Content-Length: 0\r\n\r\n"
        );
        self.send_message(device, &text).await;
    }

    async fn handle_request(self: &Arc<Self>, message: &Message, from: SocketAddr, calls: &mut JoinSet<()>) {
        let method = message.first.split(' ').next().unwrap_or_default().to_owned();
        let first = {
            let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
            requests.push(method.clone());
            requests.iter().filter(|other| **other == method).count() == 1
        };
        if first && self.options.ignore_first_requests {
            // Without an ACK the answer is sent again.
            if method == "ACK" {
                let said = self.accepted.lock().unwrap_or_else(PoisonError::into_inner).clone();
                self.send_message(from, &said).await;
            }
            return;
        }
        match method.as_str() {
            "REGISTER" => self.register(message, from).await,
            "INVITE" => self.answer_invite(message, from).await,
            "ACK" if calls.is_empty() => self.send(message, from, calls),
            "BYE" => {
                calls.shutdown().await;
                self.send_message(from, &message.answer("200 OK", "", "")).await;
            }
            "MESSAGE" => self.send_message(from, &message.answer("200 OK", "", "")).await,
            _ => {}
        }
    }

    async fn register(&self, message: &Message, from: SocketAddr) {
        let answer = match message.proves("REGISTER", NONCE, &self.password) {
            true => message.answer("200 OK", "Expires: 3600\r\n", ""),
            false => {
                let challenge = format!("WWW-Authenticate: Digest realm=\"3402000000\", nonce=\"{NONCE}\"\r\n");
                message.answer("401 Unauthorized", &challenge, "")
            }
        };
        self.send_message(from, &answer).await;
    }

    async fn answer_invite(&self, message: &Message, from: SocketAddr) {
        let connected = message.body.contains("TCP/RTP/AVP");
        let refusal = match self.options.refuse_with {
            Some(refusal) => Some(refusal),
            None if message.user("To") != CAMERA => Some("404 Not Found"),
            None if self.options.tcp_only && !connected => Some("488 Not Acceptable Here"),
            None => None,
        };
        if let Some(refusal) = refusal {
            return self.send_message(from, &message.answer(refusal, "", "")).await;
        }
        self.send_message(from, &message.answer("100 Trying", "", "")).await;
        let carrier = if connected { "TCP/RTP/AVP" } else { "RTP/AVP" };
        let source = message.body.lines().find(|line| line.starts_with("y=")).unwrap_or_default();
        let body = format!(
            "v=0\r\no={CAMERA} 0 0 IN IP4 127.0.0.1\r\ns=Play\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
             m=video 9 {carrier} 96\r\na=sendonly\r\na=rtpmap:96 PS/90000\r\n{source}\r\n"
        );
        // The tag of the dialog stores where to send.
        let media = message.body.lines().find_map(|line| line.strip_prefix("m=video ")).unwrap_or_default();
        let port = media.split(' ').next().unwrap_or_default();
        let kind = if connected { "t" } else { "u" };
        let to = format!("{};tag={kind}{port}-{}", message.field("To"), source.trim_start_matches("y="));
        let answer = message.answer("200 OK", "Content-Type: APPLICATION/SDP\r\n", &body);
        let plain = format!("To: {};tag=peer\r\n", message.field("To"));
        let answer = answer.replace(&plain, &format!("To: {to}\r\n"));
        self.accepted.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&answer);
        self.send_message(from, &answer).await;
    }

    /// Starts sending to the target stored in the tag.
    fn send(self: &Arc<Self>, message: &Message, from: SocketAddr, calls: &mut JoinSet<()>) {
        let Some((_, tag)) = message.field("To").split_once(";tag=") else { return };
        let Some((place, source)) = tag.split_once('-') else { return };
        let (Some(port), Ok(source)) = (place.get(1..).and_then(|port| port.parse().ok()), source.parse()) else {
            return;
        };
        let (endpoint, target, connected) =
            (Arc::clone(self), SocketAddr::new(from.ip(), port), place.starts_with('t'));
        let bye = bye(message);
        calls.spawn(async move {
            // Sending fails when the device has ended the call.
            if endpoint.play(target, connected, source).await.is_ok() && endpoint.options.bye_after.is_some() {
                endpoint.send_message(from, &bye).await;
            }
        });
    }

    async fn play(&self, target: SocketAddr, connected: bool, source: u32) -> io::Result<()> {
        let mut sender = Sender::open(target, connected, source).await?;
        let mut pace = tokio::time::interval(INTERVAL);
        let limit = self.options.bye_after.or(self.options.silent_after).unwrap_or(u64::MAX);
        for (number, unit) in (0..limit).zip(self.units.iter().cycle()) {
            pace.tick().await;
            let mapped = self.options.omission != Some(Omission::Map);
            let pack = pack(unit, number, self.options.codec, mapped);
            sender.send(&pack, number as u32 * 3_600, &self.options).await?;
        }
        if self.options.silent_after.is_some() {
            std::future::pending::<()>().await;
        }
        Ok(())
    }
}

fn bye(acknowledgement: &Message) -> String {
    let [to, from, call] = ["From", "To", "Call-ID"].map(|name| acknowledgement.field(name));
    format!(
        "BYE sip:device SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKbye\r\nFrom: {from}\r\nTo: {to}\r\n\
         Call-ID: {call}\r\nCSeq: 9 BYE\r\nContent-Length: 0\r\n\r\n"
    )
}

enum Carrier {
    Datagrams(UdpSocket),
    Connection(TcpStream),
}

/// Sends program streams over RTP.
struct Sender {
    carrier: Carrier,
    source: u32,
    /// Starts shortly before it wraps around.
    sequence: u16,
    sent: u32,
    held: Option<Vec<u8>>,
}

impl Sender {
    async fn open(target: SocketAddr, connected: bool, source: u32) -> io::Result<Self> {
        let carrier = if connected {
            Carrier::Connection(TcpStream::connect(target).await?)
        } else {
            let socket = UdpSocket::bind("127.0.0.1:0").await?;
            socket.connect(target).await?;
            Carrier::Datagrams(socket)
        };
        Ok(Self { carrier, source, sequence: 65_500, sent: 0, held: None })
    }

    async fn send(&mut self, pack: &[u8], time: u32, options: &PeerOptions) -> io::Result<()> {
        let chunks = pack.chunks(PAYLOAD).count();
        for (index, chunk) in pack.chunks(PAYLOAD).enumerate() {
            let mark = if index + 1 == chunks { 0x80 } else { 0 };
            let mut packet = vec![0x80, mark | 96];
            packet.extend(self.sequence.to_be_bytes());
            packet.extend(time.to_be_bytes());
            packet.extend(self.source.to_be_bytes());
            packet.extend(chunk);
            self.sequence = self.sequence.wrapping_add(1);
            self.sent += 1;
            let one_in = |every: u32| every > 0 && self.sent.is_multiple_of(every);
            if one_in(options.lose_every) {
                continue;
            }
            if one_in(options.swap_every) && self.held.is_none() {
                self.held = Some(packet);
                continue;
            }
            self.put(&packet).await?;
            if let Some(late) = self.held.take() {
                self.put(&late).await?;
            }
        }
        Ok(())
    }

    async fn put(&mut self, packet: &[u8]) -> io::Result<()> {
        match &mut self.carrier {
            Carrier::Datagrams(socket) => socket.send(packet).await.map(drop),
            Carrier::Connection(stream) => {
                stream.write_all(&(packet.len() as u16).to_be_bytes()).await?;
                stream.write_all(packet).await
            }
        }
    }
}
