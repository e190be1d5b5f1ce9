//! Listeners against callers who mean harm, over real sockets.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests panic like tests do")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use adapter::{BodyError, Limits, Standing, TrustedProxies, read_body, serve};
use axum::Router;
use axum::extract::{ConnectInfo, Request, State, WebSocketUpgrade};
use axum::routing::{get, post};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// Longer than anything here may take.
const DEADLINE: Duration = Duration::from_secs(20);

const QUICK: Limits = Limits {
    body_bytes: 1000,
    upload_bytes: 1000,
    connections: 64,
    per_address: 64,
    trusted_proxies: TrustedProxies::NONE,
    head: Duration::from_millis(300),
    idle: Duration::from_millis(1500),
    stall: Duration::from_millis(300),
    drain: Duration::from_secs(3),
};

struct Site {
    address: SocketAddr,
    cancel: CancellationToken,
    /// Told when a request that takes long has come.
    arrived: Arc<Notify>,
    tasks: JoinSet<()>,
}

impl Site {
    async fn open(limits: Limits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, cancel) = (listener.local_addr().unwrap(), CancellationToken::new());
        let arrived = Arc::new(Notify::new());
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, routes(arrived.clone()), limits, cancel.clone()));
        Self { address, cancel, arrived, tasks }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Asks for what takes long, and waits until the handler is at it.
    async fn ask_for(&self, path: &str) -> TcpStream {
        let mut stream = self.connect().await;
        stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await.unwrap();
        timeout(DEADLINE, self.arrived.notified()).await.unwrap();
        stream
    }

    /// Sends bytes on a connection of their own and returns the whole answer.
    async fn exchange(&self, sent: &str) -> String {
        let mut stream = self.connect().await;
        stream.write_all(sent.as_bytes()).await.unwrap();
        rest(&mut stream).await
    }

    async fn close(mut self) -> Duration {
        let start = Instant::now();
        self.cancel.cancel();
        timeout(DEADLINE, self.tasks.join_next()).await.unwrap().unwrap().unwrap();
        start.elapsed()
    }
}

fn routes(arrived: Arc<Notify>) -> Router {
    Router::new()
        .route("/caller", get(async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.to_string()))
        .route("/slow", get(async |State(arrived)| busy(arrived, Duration::from_secs(1)).await))
        .route("/stuck", get(async |State(arrived)| busy(arrived, DEADLINE * 2).await))
        .route(
            "/stuck-user",
            get(async |State(arrived), request: Request| {
                Standing::of(request.extensions()).authenticated();
                busy(arrived, DEADLINE * 2).await;
            }),
        )
        .route("/large", get(async || vec![7u8; 32 << 20]))
        .route("/panic", get(async || -> () { panic!("on purpose") }))
        .route("/body", post(body))
        .route(
            "/ws",
            get(async |upgrade: WebSocketUpgrade| {
                upgrade.on_upgrade(async |mut ws| while ws.recv().await.is_some() {})
            }),
        )
        .with_state(arrived)
}

async fn busy(arrived: Arc<Notify>, time: Duration) {
    arrived.notify_one();
    sleep(time).await;
}

async fn body(request: Request) -> String {
    match read_body(request, 900).await {
        Ok(body) => format!("read {}", body.len()),
        Err(BodyError::TooLarge) => "too large".into(),
        Err(BodyError::Incomplete | BodyError::Busy) => "incomplete".into(),
    }
}

/// Everything until the connection is closed; an abrupt end counts too.
async fn rest(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let _ = timeout(DEADLINE, stream.read_to_end(&mut answer)).await.expect("the connection stays open");
    String::from_utf8_lossy(&answer).into_owned()
}

/// One answer of a connection that stays open.
async fn answer(stream: &mut TcpStream) -> String {
    let mut buffer = [0; 4096];
    let length = timeout(DEADLINE, stream.read(&mut buffer)).await.unwrap().unwrap();
    String::from_utf8_lossy(&buffer[..length]).into_owned()
}

const CALLER: &str = "GET /caller HTTP/1.1\r\nHost: x\r\n\r\n";
const UPGRADE: &str = "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
const LAST: &str = "GET /caller HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn a_handler_knows_its_caller() {
    let site = Site::open(QUICK).await;
    let mut stream = site.connect().await;
    stream.write_all(LAST.as_bytes()).await.unwrap();
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.ends_with(&stream.local_addr().unwrap().to_string()), "{answer}");
}

#[tokio::test]
async fn a_silent_connection_is_closed() {
    let site = Site::open(QUICK).await;
    let start = Instant::now();
    assert_eq!(site.exchange("").await, "");
    assert!(start.elapsed() >= QUICK.head);
}

#[tokio::test]
async fn a_head_that_trickles_in_is_cut_off() {
    let site = Site::open(QUICK).await;
    let mut stream = site.connect().await;
    let start = Instant::now();
    for byte in CALLER.bytes() {
        if stream.write_all(&[byte]).await.is_err() {
            break;
        }
        sleep(Duration::from_millis(40)).await;
    }
    assert_eq!(rest(&mut stream).await, "");
    assert!(start.elapsed() < DEADLINE);
}

#[tokio::test]
async fn an_idle_connection_serves_again_and_is_closed_in_the_end() {
    let site = Site::open(QUICK).await;
    let mut stream = site.connect().await;
    for _ in 0..3 {
        stream.write_all(CALLER.as_bytes()).await.unwrap();
        assert!(answer(&mut stream).await.starts_with("HTTP/1.1 200"));
        sleep(QUICK.head * 2).await;
    }
    assert_eq!(rest(&mut stream).await, "");
}

#[tokio::test]
async fn a_body_that_stalls_or_trickles_is_incomplete() {
    let site = Site::open(QUICK).await;
    let head = "POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n";
    assert!(site.exchange(head).await.ends_with("incomplete"));
    let mut stream = site.connect().await;
    stream.write_all(head.as_bytes()).await.unwrap();
    let (mut reader, mut writer) = stream.split();
    let trickle = async {
        while writer.write_all(b"x").await.is_ok() {
            sleep(Duration::from_millis(50)).await;
        }
    };
    let mut buffer = [0; 4096];
    let length = tokio::select! {
        () = trickle => panic!("no answer"),
        length = timeout(DEADLINE, reader.read(&mut buffer)) => length.unwrap().unwrap(),
    };
    assert!(String::from_utf8_lossy(&buffer[..length]).ends_with("incomplete"));
}

#[tokio::test]
async fn a_body_is_bounded_whether_its_length_is_announced_or_not() {
    let site = Site::open(QUICK).await;
    let announced = |length: usize| {
        let body = "x".repeat(length);
        format!("POST /body HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}")
    };
    let chunked = |length: usize| {
        let body = "x".repeat(length);
        let head = "POST /body HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
        format!("{head}{length:x}\r\n{body}\r\n0\r\n\r\n")
    };
    assert!(site.exchange(&announced(900)).await.ends_with("read 900"));
    assert!(site.exchange(&chunked(900)).await.ends_with("read 900"));
    assert!(site.exchange(&announced(901)).await.ends_with("too large"));
    assert!(site.exchange(&chunked(901)).await.ends_with("too large"));
    assert!(site.exchange(&chunked(1001)).await.ends_with("too large"));
}

#[tokio::test]
async fn a_thousand_silent_connections_keep_nobody_out() {
    let site = Site::open(Limits::default()).await;
    let mut silent = Vec::new();
    for _ in 0..1000 {
        silent.push(site.connect().await);
        if silent.len() % 100 == 0 {
            assert!(site.exchange(LAST).await.starts_with("HTTP/1.1 200"));
        }
    }
    for _ in 0..100 {
        assert!(site.exchange(LAST).await.starts_with("HTTP/1.1 200"));
    }
}

#[tokio::test]
async fn when_all_are_authenticated_and_being_served_a_new_connection_is_refused() {
    let site = Site::open(Limits { connections: 4, ..QUICK }).await;
    let mut busy = Vec::new();
    for _ in 0..4 {
        busy.push(site.ask_for("/stuck-user").await);
    }
    assert_eq!(site.exchange(LAST).await, "");
    drop(busy);
    let free = async {
        while !site.exchange(LAST).await.starts_with("HTTP/1.1 200") {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(DEADLINE, free).await.expect("the places are free again");
}

#[tokio::test]
async fn a_connection_without_authentication_gives_way_whatever_it_does() {
    let site = Site::open(Limits { connections: 4, ..QUICK }).await;
    let mut user = site.ask_for("/stuck-user").await;
    let mut strangers = vec![site.ask_for("/stuck").await, site.connect().await];
    strangers[1].write_all(b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n").await.unwrap();
    strangers.push(site.connect().await);
    strangers[2].write_all(UPGRADE.as_bytes()).await.unwrap();
    assert!(answer(&mut strangers[2]).await.starts_with("HTTP/1.1 101"));
    for _ in 0..20 {
        assert!(site.ask_for("/slow").await.peer_addr().is_ok());
    }
    assert!(timeout(Duration::from_millis(50), user.read(&mut [0])).await.is_err(), "the user is still being served");
}

#[tokio::test]
async fn one_address_has_a_share_of_the_connections() {
    let site = Site::open(Limits { connections: 6, per_address: 4, ..QUICK }).await;
    let mut own = Vec::new();
    for _ in 0..4 {
        own.push(site.ask_for("/stuck-user").await);
    }
    assert_eq!(site.exchange(LAST).await, "", "the share is used up");
    let elsewhere = tokio::net::TcpSocket::new_v4().unwrap();
    elsewhere.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let mut elsewhere = elsewhere.connect(site.address).await.unwrap();
    elsewhere.write_all(LAST.as_bytes()).await.unwrap();
    assert!(rest(&mut elsewhere).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn behind_a_trusted_proxy_the_caller_is_the_one_it_names() {
    let trusted_proxies = TrustedProxies::new(vec!["127.0.0.1/32".parse().unwrap()]);
    let site = Site::open(Limits { trusted_proxies, per_address: 1, ..QUICK }).await;
    let _silent = [site.connect().await, site.connect().await];
    let forwarded = LAST.replace("Host: x", "Host: x\r\nX-Forwarded-For: 203.0.113.9, 192.0.2.7");
    assert!(site.exchange(&forwarded).await.ends_with("192.0.2.7:0"));
    let site = Site::open(QUICK).await;
    assert!(site.exchange(&forwarded).await.contains("127.0.0.1:"));
}

#[tokio::test]
async fn who_does_not_read_the_answer_is_cut_off() {
    let site = Site::open(QUICK).await;
    let mut stream = site.connect().await;
    stream.write_all(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    sleep(QUICK.stall * 4).await;
    assert!(rest(&mut stream).await.len() < 32 << 20);
}

#[tokio::test]
async fn a_panic_is_answered_and_harms_nobody_else() {
    let site = Site::open(QUICK).await;
    let mut stream = site.connect().await;
    stream.write_all(b"GET /panic HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert!(answer(&mut stream).await.starts_with("HTTP/1.1 500"));
    stream.write_all(LAST.as_bytes()).await.unwrap();
    assert!(rest(&mut stream).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn closing_lets_running_requests_finish_and_waits_for_nobody_else() {
    let site = Site::open(QUICK).await;
    let silent = site.connect().await;
    let mut idle = site.connect().await;
    idle.write_all(CALLER.as_bytes()).await.unwrap();
    answer(&mut idle).await;
    let mut running = site.ask_for("/slow").await;
    let address = site.address;
    let took = site.close().await;
    assert!(rest(&mut running).await.starts_with("HTTP/1.1 200"));
    assert!(took < Duration::from_millis(2500), "{took:?}");
    assert!(TcpStream::connect(address).await.is_err());
    drop((silent, idle));
}

#[tokio::test]
async fn closing_cuts_off_what_does_not_finish() {
    let site = Site::open(Limits { drain: Duration::from_millis(500), ..QUICK }).await;
    let mut stuck = site.ask_for("/stuck").await;
    let mut socket = site.connect().await;
    socket.write_all(UPGRADE.as_bytes()).await.unwrap();
    assert!(answer(&mut socket).await.starts_with("HTTP/1.1 101"));
    // Longer than any time-out: a WebSocket may be silent.
    sleep(QUICK.idle * 2).await;
    socket.write_all(&[0x89, 0x80, 0, 0, 0, 0]).await.unwrap();
    assert!(!answer(&mut socket).await.is_empty());
    let took = site.close().await;
    assert!(took >= Duration::from_millis(400) && took < Duration::from_secs(3), "{took:?}");
    assert_eq!(rest(&mut stuck).await, "");
    rest(&mut socket).await;
}
