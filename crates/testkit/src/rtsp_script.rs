//! A simulated RTSP camera whose answers and packets a test can rewrite, to imitate the faults of real ones.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinSet;

use crate::clip::Codec;
use crate::gb28181::program::access_units;

/// Interval between two pictures.
const INTERVAL: Duration = Duration::from_millis(20);
/// RTP clock ticks between two pictures.
const TICKS: u32 = 1_800;
/// Maximum size of a payload, bytes.
const PAYLOAD: usize = 1_400;

/// A request to the camera.
#[derive(Debug, Clone)]
pub struct Request {
    /// Method.
    pub method: String,
    /// URI.
    pub uri: String,
    /// The field `Authorization`; may be empty.
    pub login: String,
    /// Number of earlier requests with this method on the connection.
    pub before: usize,
    transport: String,
    sequence: String,
}

/// Returns the answer to a request, given the correct one; empty: no answer.
pub type AnswerFn = fn(&Request, String) -> String;

/// Returns what is sent for the `n`th packet, from 0, given the correct one: channels and data.
pub type PacketsFn = fn(u64, Vec<u8>) -> Vec<(u8, Vec<u8>)>;

/// Returns the bytes to be sent on the connection before the `n`th packet.
pub type InterleaveFn = fn(u64) -> Vec<u8>;

/// Behaviour of the camera.
#[derive(Clone, Copy)]
pub struct Script {
    /// Answers to requests.
    pub answer: AnswerFn,
    /// Video packets.
    pub packets: PacketsFn,
    /// Bytes between packets.
    pub between: InterleaveFn,
}

impl Default for Script {
    /// A camera without faults.
    fn default() -> Self {
        Self { answer: |_, right| right, packets: |_, right| vec![(0, right)], between: |_| Vec::new() }
    }
}

/// A running camera; it ends when dropped.
#[derive(Debug)]
pub struct ScriptedCamera {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    _tasks: JoinSet<()>,
}

impl ScriptedCamera {
    /// Starts a camera that plays the clip, H.264, in a loop.
    ///
    /// # Errors
    /// When there is no free port, or the clip does not contain H.264 video.
    pub async fn start(clip: &Path, script: Script) -> io::Result<Self> {
        let units: Vec<_> = access_units(clip, Codec::H264)?.iter().map(|unit| payloads(&unit.data)).collect();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (address, requests) = (listener.local_addr()?, Arc::<Mutex<Vec<Request>>>::default());
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, Arc::new(units), script, Arc::clone(&requests)));
        Ok(Self { address, requests, _tasks: tasks })
    }

    /// Its address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// URL of the stream, with this `user:password@` before the host.
    pub fn url(&self, login: &str) -> String {
        format!("rtsp://{login}{}/live", self.address)
    }

    /// All requests received, in order.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Number of requests with a method.
    pub fn count(&self, method: &str) -> usize {
        self.requests().iter().filter(|request| request.method == method).count()
    }
}

type Units = Arc<Vec<Vec<(Vec<u8>, bool)>>>;

async fn serve(listener: TcpListener, units: Units, script: Script, requests: Arc<Mutex<Vec<Request>>>) {
    let mut viewers = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let viewer = Viewer { units: Arc::clone(&units), script, requests: Arc::clone(&requests) };
        // Fails when the viewer disconnects.
        viewers.spawn(async move { drop(viewer.serve(stream).await) });
    }
}

struct Viewer {
    units: Units,
    script: Script,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Viewer {
    async fn serve(self, stream: TcpStream) -> io::Result<()> {
        let peer = stream.peer_addr()?.ip();
        let (read, write) = stream.into_split();
        let (mut lines, write) = (BufReader::new(read).lines(), Arc::new(tokio::sync::Mutex::new(write)));
        let (mut before, mut ports, mut playing) = (Vec::<String>::new(), None, JoinSet::new());
        while let Some(mut request) = read_request(&mut lines).await? {
            request.before = before.iter().filter(|method| **method == request.method).count();
            before.push(request.method.clone());
            self.requests.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
            ports = client_port(&request.transport).or(ports);
            let answer = (self.script.answer)(&request, correct_answer(&request));
            let plays = request.method == "PLAY" && answer.contains("RTSP/1.0 200");
            write.lock().await.write_all(answer.as_bytes()).await?;
            if plays {
                let transport = Transport::open(Arc::clone(&write), peer, ports).await?;
                let (units, script) = (Arc::clone(&self.units), self.script);
                playing.spawn(async move { drop(play(&units, script, &transport).await) });
            }
        }
        Ok(())
    }
}

/// The transport of packets to the viewer.
struct Transport {
    write: Arc<tokio::sync::Mutex<OwnedWriteHalf>>,
    datagrams: Option<(UdpSocket, SocketAddr)>,
}

impl Transport {
    async fn open(write: Arc<tokio::sync::Mutex<OwnedWriteHalf>>, peer: IpAddr, port: Option<u16>) -> io::Result<Self> {
        let datagrams = match port {
            Some(port) => Some((UdpSocket::bind("127.0.0.1:0").await?, SocketAddr::new(peer, port))),
            None => None,
        };
        Ok(Self { write, datagrams })
    }

    async fn send(&self, channel: u8, data: &[u8]) -> io::Result<()> {
        if let Some((socket, to)) = &self.datagrams {
            let to = SocketAddr::new(to.ip(), to.port() + u16::from(channel));
            return socket.send_to(data, to).await.map(drop);
        }
        let length = u16::try_from(data.len()).map_err(io::Error::other)?.to_be_bytes();
        let packet = [&[b'$', channel, length[0], length[1]], data].concat();
        self.write.lock().await.write_all(&packet).await
    }
}

async fn play(units: &[Vec<(Vec<u8>, bool)>], script: Script, transport: &Transport) -> io::Result<()> {
    let mut pace = tokio::time::interval(INTERVAL);
    let (mut number, mut time) = (0_u64, 90_000_u32);
    for unit in units.iter().cycle() {
        pace.tick().await;
        time = time.wrapping_add(TICKS);
        for (payload, last) in unit {
            let noise = (script.between)(number);
            transport.write.lock().await.write_all(&noise).await?;
            for (channel, data) in (script.packets)(number, packet(number, time, *last, payload)) {
                transport.send(channel, &data).await?;
            }
            number += 1;
        }
    }
    Ok(())
}

fn packet(number: u64, time: u32, last: bool, payload: &[u8]) -> Vec<u8> {
    let sequence = (1000 + number) as u16;
    let head = [
        &[0x80, u8::from(last) << 7 | 96][..],
        &sequence.to_be_bytes(),
        &time.to_be_bytes(),
        &[0x11, 0x22, 0x33, 0x44],
    ];
    [&head.concat(), payload].concat()
}

/// The payloads of an access unit (RFC 6184), the last one marked.
fn payloads(unit: &[u8]) -> Vec<(Vec<u8>, bool)> {
    let mut all: Vec<Vec<u8>> = Vec::new();
    for nal in nals(unit).filter(|nal| nal[0] & 0x1f != 9) {
        if nal.len() <= PAYLOAD {
            all.push(nal.to_vec());
            continue;
        }
        let chunks = nal[1..].chunks(PAYLOAD);
        let count = chunks.len();
        all.extend(chunks.enumerate().map(|(at, chunk)| {
            let ends = u8::from(at == 0) << 7 | u8::from(at + 1 == count) << 6;
            [&[nal[0] & 0xe0 | 28, ends | nal[0] & 0x1f], chunk].concat()
        }));
    }
    let count = all.len();
    all.into_iter().enumerate().map(|(at, payload)| (payload, at + 1 == count)).collect()
}

fn nals(unit: &[u8]) -> impl Iterator<Item = &[u8]> {
    let starts: Vec<_> =
        unit.windows(3).enumerate().filter(|(_, window)| *window == [0, 0, 1]).map(|(at, _)| at + 3).collect();
    let ends: Vec<_> = starts.iter().skip(1).map(|start| start - 3).chain([unit.len()]).collect();
    let nal = |(start, end): (usize, usize)| {
        let nal = &unit[start..end];
        &nal[..nal.iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1)]
    };
    starts.into_iter().zip(ends).map(nal).filter(|nal| !nal.is_empty())
}

async fn read_request(lines: &mut tokio::io::Lines<BufReader<OwnedReadHalf>>) -> io::Result<Option<Request>> {
    let mut head = Vec::new();
    while let Some(line) = lines.next_line().await? {
        if line.is_empty() {
            return Ok(Some(parse_request(&head)));
        }
        head.push(line);
    }
    Ok(None)
}

fn parse_request(head: &[String]) -> Request {
    let field = |name: &str| {
        let named = head.iter().filter_map(|line| line.split_once(": ")).find(|(other, _)| *other == name);
        named.map(|(_, value)| value.to_owned()).unwrap_or_default()
    };
    let mut words = head.first().map(String::as_str).unwrap_or_default().split(' ').map(str::to_owned);
    let (method, uri) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (login, transport, sequence) = (field("Authorization"), field("Transport"), field("CSeq"));
    Request { method, uri, login, before: 0, transport, sequence }
}

fn client_port(transport: &str) -> Option<u16> {
    let (_, ports) = transport.split_once("client_port=")?;
    ports.split('-').next()?.parse().ok()
}

fn correct_answer(request: &Request) -> String {
    let base = request.uri.trim_end_matches('/');
    let description = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=camera\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\na=control:*\r\n\
        m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=control:trackID=1\r\n";
    let transport = match client_port(&request.transport) {
        Some(_) => format!("{};server_port=6970-6971", request.transport),
        None => request.transport.clone(),
    };
    let (fields, body) = match request.method.as_str() {
        "DESCRIBE" => (format!("Content-Type: application/sdp\r\nContent-Base: {base}/\r\n"), description),
        "SETUP" => (format!("Session: 12345678;timeout=60\r\nTransport: {transport}\r\n"), ""),
        "PLAY" => (format!("Session: 12345678\r\nRTP-Info: url={base}/trackID=1;seq=1000;rtptime=91800\r\n"), ""),
        "OPTIONS" => ("Public: OPTIONS, DESCRIBE, SETUP, TEARDOWN, PLAY\r\n".to_owned(), ""),
        _ => ("Session: 12345678\r\n".to_owned(), ""),
    };
    let (sequence, length) = (&request.sequence, body.len());
    format!("RTSP/1.0 200 OK\r\nCSeq: {sequence}\r\n{fields}Content-Length: {length}\r\n\r\n{body}")
}

/// The answer 401 with this challenge.
pub fn challenge(request: &Request, challenge: &str) -> String {
    let sequence = &request.sequence;
    format!("RTSP/1.0 401 Unauthorized\r\nCSeq: {sequence}\r\nWWW-Authenticate: {challenge}\r\n\r\n")
}

/// The answer with this status, and these fields.
pub fn answer(request: &Request, status: &str, fields: &str) -> String {
    format!("RTSP/1.0 {status}\r\nCSeq: {}\r\n{fields}\r\n", request.sequence)
}
