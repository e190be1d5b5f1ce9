//! Pretend GB/T 28181 peers: a SIP server with a camera behind it, and a camera that logs in at the device.

mod manners;
pub(crate) mod program;
mod words;

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpStream, UdpSocket};
use tokio::task::JoinSet;

pub use self::manners::{Manners, Omission};
use self::program::{AccessUnit, access_units, pack};
use self::words::{Words, authorization};

/// The id of the camera, and of the server it is behind.
pub const CAMERA: &str = "34020000001320000001";
/// The id of the pretend server.
pub const SERVER: &str = "34020000002000000009";
const NONCE: &str = "4f1c";
/// From one picture to the next: 25 in a second.
const INTERVAL: Duration = Duration::from_millis(40);
/// Most bytes of a program stream in a packet.
const PAYLOAD: usize = 1_400;

/// A running peer; it ends when dropped.
#[derive(Debug)]
pub struct Peer {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

struct Station {
    socket: UdpSocket,
    password: String,
    manners: Manners,
    units: Vec<AccessUnit>,
    heard: Arc<Mutex<Vec<String>>>,
    /// The last acceptance of an invitation.
    accepted: Mutex<String>,
}

impl Peer {
    /// A SIP server that demands this password, and behind it the camera with this clip.
    ///
    /// # Errors
    /// No free port, or the clip holds no such video.
    pub async fn server(clip: &Path, password: &str, manners: Manners) -> io::Result<Self> {
        Self::start(clip, password, manners, None).await
    }

    /// The camera with this clip; it logs in at the device with this password, again and again.
    ///
    /// # Errors
    /// No free port, or the clip holds no such video.
    pub async fn camera(clip: &Path, password: &str, manners: Manners, device: SocketAddr) -> io::Result<Self> {
        Self::start(clip, password, manners, Some(device)).await
    }

    async fn start(clip: &Path, password: &str, manners: Manners, device: Option<SocketAddr>) -> io::Result<Self> {
        let socket = UdpSocket::bind("127.0.0.1:0").await?;
        let address = socket.local_addr()?;
        let units = access_units(clip, manners.codec)?;
        let heard = Arc::<Mutex<Vec<String>>>::default();
        let station = Station {
            socket,
            password: password.to_owned(),
            manners,
            units,
            heard: Arc::clone(&heard),
            accepted: Mutex::default(),
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(Arc::new(station).run(device));
        Ok(Self { address, heard, _tasks: tasks })
    }

    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The methods of all requests heard, in their order.
    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Station {
    async fn run(self: Arc<Self>, device: Option<SocketAddr>) {
        let mut calls = JoinSet::new();
        let mut logins = tokio::time::interval(Duration::from_millis(300));
        let mut datagram = vec![0; 65_536];
        loop {
            tokio::select! {
                _ = logins.tick(), if device.is_some() => self.log_in(device, None).await,
                received = self.socket.recv_from(&mut datagram) => {
                    let Ok((length, from)) = received else { continue };
                    let Some(words) = Words::read(&datagram[..length]) else { continue };
                    match words.status() {
                        Some(401) => self.log_in(device, Some(&words)).await,
                        Some(_) => {}
                        None => self.hear(&words, from, &mut calls).await,
                    }
                }
            }
        }
    }

    async fn say(&self, to: SocketAddr, text: &str) {
        // The device may have gone.
        let _ = self.socket.send_to(self.manners.spoken(text).as_bytes(), to).await;
    }

    async fn log_in(&self, device: Option<SocketAddr>, refusal: Option<&Words>) {
        let Some(device) = device else { return };
        let (uri, own) = ("sip:34020000002000000001@3402000000", format!("<sip:{CAMERA}@3402000000>"));
        let proof = refusal.map(|refusal| authorization(refusal, "REGISTER", uri, CAMERA, &self.password));
        let proof = proof.map_or_else(String::new, |proof| format!("Authorization: {proof}\r\n"));
        let number = if refusal.is_some() { 2 } else { 1 };
        let text = format!(
            "REGISTER {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;rport;branch=z9hG4bK{number}\r\nFrom: {own};tag=c\r\n\
             To: {own}\r\nCall-ID: login\r\nCSeq: {number} REGISTER\r\nExpires: 60\r\n{proof}Content-Length: 0\r\n\r\n"
        );
        self.say(device, &text).await;
    }

    async fn hear(self: &Arc<Self>, words: &Words, from: SocketAddr, calls: &mut JoinSet<()>) {
        let method = words.first.split(' ').next().unwrap_or_default().to_owned();
        let first = {
            let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
            heard.push(method.clone());
            heard.iter().filter(|other| **other == method).count() == 1
        };
        if first && self.manners.hard_of_hearing {
            // Who does not hear the acknowledgement says the acceptance again.
            if method == "ACK" {
                let said = self.accepted.lock().unwrap_or_else(PoisonError::into_inner).clone();
                self.say(from, &said).await;
            }
            return;
        }
        match method.as_str() {
            "REGISTER" => self.admit(words, from).await,
            "INVITE" => self.invited(words, from).await,
            "ACK" if calls.is_empty() => self.send(words, from, calls),
            "BYE" => {
                calls.shutdown().await;
                self.say(from, &words.answer("200 OK", "", "")).await;
            }
            "MESSAGE" => self.say(from, &words.answer("200 OK", "", "")).await,
            _ => {}
        }
    }

    async fn admit(&self, words: &Words, from: SocketAddr) {
        let answer = match words.proves("REGISTER", NONCE, &self.password) {
            true => words.answer("200 OK", "Expires: 3600\r\n", ""),
            false => {
                let challenge = format!("WWW-Authenticate: Digest realm=\"3402000000\", nonce=\"{NONCE}\"\r\n");
                words.answer("401 Unauthorized", &challenge, "")
            }
        };
        self.say(from, &answer).await;
    }

    async fn invited(&self, words: &Words, from: SocketAddr) {
        let connected = words.body.contains("TCP/RTP/AVP");
        let refusal = match self.manners.refuses {
            Some(refusal) => Some(refusal),
            None if words.user("To") != CAMERA => Some("404 Not Found"),
            None if self.manners.connection_only && !connected => Some("488 Not Acceptable Here"),
            None => None,
        };
        if let Some(refusal) = refusal {
            return self.say(from, &words.answer(refusal, "", "")).await;
        }
        self.say(from, &words.answer("100 Trying", "", "")).await;
        let carrier = if connected { "TCP/RTP/AVP" } else { "RTP/AVP" };
        let source = words.body.lines().find(|line| line.starts_with("y=")).unwrap_or_default();
        let body = format!(
            "v=0\r\no={CAMERA} 0 0 IN IP4 127.0.0.1\r\ns=Play\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
             m=video 9 {carrier} 96\r\na=sendonly\r\na=rtpmap:96 PS/90000\r\n{source}\r\n"
        );
        // Where to send is remembered in the tag of the dialog.
        let media = words.body.lines().find_map(|line| line.strip_prefix("m=video ")).unwrap_or_default();
        let port = media.split(' ').next().unwrap_or_default();
        let kind = if connected { "t" } else { "u" };
        let to = format!("{};tag={kind}{port}-{}", words.field("To"), source.trim_start_matches("y="));
        let answer = words.answer("200 OK", "Content-Type: APPLICATION/SDP\r\n", &body);
        let plain = format!("To: {};tag=peer\r\n", words.field("To"));
        let answer = answer.replace(&plain, &format!("To: {to}\r\n"));
        self.accepted.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&answer);
        self.say(from, &answer).await;
    }

    /// Starts sending where the tag says.
    fn send(self: &Arc<Self>, words: &Words, from: SocketAddr, calls: &mut JoinSet<()>) {
        let Some((_, tag)) = words.field("To").split_once(";tag=") else { return };
        let Some((place, source)) = tag.split_once('-') else { return };
        let (Some(port), Ok(source)) = (place.get(1..).and_then(|port| port.parse().ok()), source.parse()) else {
            return;
        };
        let (station, target, connected) = (Arc::clone(self), SocketAddr::new(from.ip(), port), place.starts_with('t'));
        let farewell = farewell(words);
        calls.spawn(async move {
            // A device that takes no more ends the call.
            if station.play(target, connected, source).await.is_ok() && station.manners.hangs_up_after.is_some() {
                station.say(from, &farewell).await;
            }
        });
    }

    async fn play(&self, target: SocketAddr, connected: bool, source: u32) -> io::Result<()> {
        let mut sender = Sender::open(target, connected, source).await?;
        let mut pace = tokio::time::interval(INTERVAL);
        let limit = self.manners.hangs_up_after.or(self.manners.silent_after).unwrap_or(u64::MAX);
        for (number, unit) in (0..limit).zip(self.units.iter().cycle()) {
            pace.tick().await;
            let mapped = self.manners.omits != Some(Omission::Map);
            let pack = pack(unit, number, self.manners.codec, mapped);
            sender.send(&pack, number as u32 * 3_600, &self.manners).await?;
        }
        if self.manners.silent_after.is_some() {
            std::future::pending::<()>().await;
        }
        Ok(())
    }
}

fn farewell(acknowledgement: &Words) -> String {
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
    /// Starts so that it soon wraps around.
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

    async fn send(&mut self, pack: &[u8], time: u32, manners: &Manners) -> io::Result<()> {
        let pieces = pack.chunks(PAYLOAD).count();
        for (index, piece) in pack.chunks(PAYLOAD).enumerate() {
            let mark = if index + 1 == pieces { 0x80 } else { 0 };
            let mut packet = vec![0x80, mark | 96];
            packet.extend(self.sequence.to_be_bytes());
            packet.extend(time.to_be_bytes());
            packet.extend(self.source.to_be_bytes());
            packet.extend(piece);
            self.sequence = self.sequence.wrapping_add(1);
            self.sent += 1;
            let one_in = |every: u32| every > 0 && self.sent.is_multiple_of(every);
            if one_in(manners.loses_every) {
                continue;
            }
            if one_in(manners.swaps_every) && self.held.is_none() {
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
