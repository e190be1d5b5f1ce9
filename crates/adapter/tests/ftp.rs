//! The FTP server, against clients that mean no good.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests panic like tests do")]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adapter::{FtpLimits, Refused, Uploads, serve_ftp};
use async_trait::async_trait;
use bytes::Bytes;
use domain::Timestamp;
use testkit::ftp::FtpClient;
use testkit::until;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// The password.
const SECRET: &str = "let me in";

/// Keeps what was taken.
#[derive(Default)]
struct Camera {
    taken: Mutex<Vec<Bytes>>,
}

#[async_trait]
impl Uploads for Camera {
    async fn log_in(&self, user: &str, password: &str, _from: IpAddr) -> bool {
        user == "camera" && password == SECRET
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(0)
    }

    async fn take(&self, file: Bytes, _from: IpAddr, _began: Timestamp) -> Result<(), Refused> {
        match &file[..] {
            b"later" => Err(Refused::ForNow),
            b"never" => Err(Refused::ForGood("not a picture")),
            _ => {
                self.taken.lock().unwrap().push(file);
                Ok(())
            }
        }
    }
}

struct Server {
    address: SocketAddr,
    camera: Arc<Camera>,
    cancel: CancellationToken,
    task: JoinSet<()>,
}

fn limits() -> FtpLimits {
    let short = Duration::from_millis(400);
    FtpLimits {
        passive_ports: 0..=0,
        connections: 8,
        connections_of_address: 8,
        upload_bytes: 100_000,
        open: short,
        transfer: short,
        ..FtpLimits::default()
    }
}

impl Server {
    async fn start(limits: FtpLimits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, camera, cancel) =
            (listener.local_addr().unwrap(), Arc::<Camera>::default(), CancellationToken::new());
        let (mut task, uploads, stop) = (JoinSet::new(), Arc::clone(&camera), cancel.clone());
        task.spawn(async move { serve_ftp(&listener, limits, uploads, stop).await });
        Self { address, camera, cancel, task }
    }

    async fn client(&self) -> FtpClient {
        FtpClient::logged_in(self.address, "camera", SECRET).await
    }

    fn taken(&self) -> Vec<usize> {
        self.camera.taken.lock().unwrap().iter().map(Bytes::len).collect()
    }

    /// Another client is still served.
    async fn serves(&self) {
        let before = self.taken().len();
        assert_eq!(self.client().await.store("x.jpg", b"picture").await.as_deref(), Some("226 taken"));
        assert_eq!(self.taken().len(), before + 1);
    }

    async fn stop(mut self) {
        self.cancel.cancel();
        self.task.join_next().await.unwrap().unwrap();
    }
}

fn code(reply: Option<String>) -> u16 {
    reply.map_or(0, |reply| reply[..3].parse().unwrap())
}

#[tokio::test]
async fn a_camera_uploads_as_cameras_do() {
    let server = Server::start(limits()).await;
    let mut camera = server.client().await;
    for (command, wanted) in [
        ("SYST", 215),
        ("FEAT", 211),
        ("OPTS UTF8 ON", 200),
        ("PWD", 257),
        ("MKD share", 257),
        ("CWD share", 250),
        ("TYPE I", 200),
        ("NOOP", 200),
        ("REST 0", 350),
    ] {
        assert_eq!(code(camera.say(command).await), wanted, "{command}");
    }
    assert_eq!(camera.say("PWD").await.as_deref(), Some("257 \"/share\""));
    let port = camera.passive().await;
    assert_eq!(code(camera.say("LIST").await), 150);
    let mut listing = String::new();
    TcpStream::connect(port).await.unwrap().read_to_string(&mut listing).await.unwrap();
    assert_eq!((listing.as_str(), code(camera.reply().await)), ("", 226));
    for (file, wanted) in [(&[7; 99_999][..], 226), (&[7; 100_000], 226), (b"later", 450), (b"never", 553)] {
        assert_eq!(code(camera.store("2026/a b/\u{5f20}.jpg", file).await), wanted);
    }
    assert_eq!(server.taken(), [99_999, 100_000]);
    assert_eq!(code(camera.say("QUIT").await), 221);
    server.stop().await;
}

#[tokio::test]
async fn nothing_is_allowed_without_a_login() {
    let server = Server::start(limits()).await;
    let (mut client, greeting) = FtpClient::connect(server.address).await;
    assert_eq!(greeting.as_deref(), Some("220 ready"));
    for command in ["PASV", "STOR a", "LIST", "CWD /", "PORT 127,0,0,1,0,80", "PASS x", "RETR /etc/passwd"] {
        assert!(matches!(code(client.say(command).await), 503 | 530), "{command}");
    }
    assert_eq!(code(client.log_in("anonymous", "a@b.c").await), 530);
    assert_eq!(code(client.log_in("camera", "LET ME IN").await), 530);
    assert_eq!(code(client.log_in("camera", "").await), 530);
    assert_eq!(client.reply().await, None, "the third failure ends the connection");
    let (mut talker, _) = FtpClient::connect(server.address).await;
    let mut replies = 0;
    while talker.say("NOOP").await.is_some() {
        replies += 1;
    }
    assert_eq!(replies, 17);
    server.serves().await;
    server.stop().await;
}

#[tokio::test]
async fn a_login_that_does_not_come_is_not_waited_for() {
    let server = Server::start(FtpLimits { login: Duration::from_millis(200), ..limits() }).await;
    let (mut client, _) = FtpClient::connect(server.address).await;
    client.send(b"USER cam").await;
    assert_eq!(code(client.reply().await), 421);
    assert_eq!(client.reply().await, None);
    server.stop().await;
}

#[tokio::test]
async fn files_of_others_cannot_be_reached() {
    let server = Server::start(limits()).await;
    let mut client = server.client().await;
    for command in [
        "RETR ../../etc/passwd",
        "DELE x.jpg",
        "RMD /",
        "RNFR x.jpg",
        "RNTO ../../home/admin/.ssh/authorized_keys",
        "SIZE /etc/passwd",
        "MLST /",
        "APPE x.jpg",
    ] {
        assert_eq!(code(client.say(command).await), 550, "{command}");
    }
    for command in ["PORT 127,0,0,1,0,22", "EPRT |1|127.0.0.1|22|", "SITE CHMOD 777 /", "AUTH TLS", "NONSENSE"] {
        assert_eq!(code(client.say(command).await), 502, "{command}");
    }
    assert_eq!(code(client.say("CWD ../../../../etc").await), 250);
    assert_eq!(client.say("PWD").await.as_deref(), Some("257 \"/etc\""), "which is only a word");
    assert_eq!(code(client.store("../../../../../../etc/cron.d/x", b"picture").await), 226);
    assert_eq!(code(client.store("/etc/\0x", b"picture").await), 226);
    assert!(!std::path::Path::new("/etc/cron.d/x").exists());
    server.stop().await;
}

#[tokio::test]
async fn endless_and_slow_uploads_are_given_up() {
    let server = Server::start(limits()).await;
    let mut client = server.client().await;
    // What a client says of the size means nothing.
    assert_eq!(code(client.say("ALLO 1").await), 202);
    assert_eq!(code(client.store("endless.jpg", &vec![0; 5 << 20]).await), 552);
    for late in [false, true] {
        let port = client.passive().await;
        assert_eq!(code(client.say("STOR slow.jpg").await), 150);
        let mut data = if late { None } else { Some(TcpStream::connect(port).await.unwrap()) };
        if let Some(data) = &mut data {
            data.write_all(b"a few").await.unwrap();
        }
        assert_eq!(code(client.reply().await), if late { 425 } else { 426 });
    }
    assert_eq!(code(client.say("STOR no port.jpg").await), 425);
    assert_eq!(server.taken(), [] as [usize; 0]);
    server.serves().await;
    server.stop().await;
}

#[tokio::test]
async fn commands_are_bounded_and_may_be_any_bytes() {
    let server = Server::start(limits()).await;
    for before_login in [true, false] {
        let mut client = match before_login {
            true => FtpClient::connect(server.address).await.0,
            false => server.client().await,
        };
        client.send(&vec![b'x'; 1 << 20]).await;
        let reply = client.reply().await;
        assert!(matches!(code(reply), 0 | 500), "the connection may be reset before the reply is read");
        assert_eq!(client.reply().await, None);
    }
    let mut client = server.client().await;
    for command in [&b"\xff\xf4\xff\xf2ABOR\r\n"[..], b"\0\r\n", b"\r\n", b"STOR\0\xfe\r\n", b" \n"] {
        client.send(command).await;
        assert!(code(client.reply().await) >= 400);
    }
    server.serves().await;
    server.stop().await;
}

#[tokio::test]
async fn a_data_port_belongs_to_one_address() {
    let server = Server::start(limits()).await;
    let mut client = server.client().await;
    let port = client.passive().await;
    assert_eq!(code(client.say("STOR x.jpg").await), 150);
    // Somebody else is faster.
    let thief = TcpSocket::new_v4().unwrap();
    thief.bind((Ipv4Addr::new(127, 0, 0, 9), 0).into()).unwrap();
    let mut thief = thief.connect(port).await.unwrap();
    let _ = thief.write_all(b"another face").await;
    let mut rest = Vec::new();
    assert!(!matches!(thief.read_to_end(&mut rest).await, Ok(read) if read > 0));
    let mut data = TcpStream::connect(port).await.unwrap();
    data.write_all(b"my face").await.unwrap();
    drop(data);
    assert_eq!(code(client.reply().await), 226);
    assert_eq!(server.camera.taken.lock().unwrap()[..], [Bytes::from_static(b"my face")]);
    // A new port replaces the former one.
    let former = client.passive().await;
    client.passive().await;
    assert!(TcpStream::connect(former).await.is_err());
    server.stop().await;
}

#[tokio::test]
async fn data_ports_are_of_the_range_and_may_run_out() {
    // A port that is free now and taken by the test below.
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let server = Server::start(FtpLimits { passive_ports: port..=port, ..limits() }).await;
    let mut client = server.client().await;
    assert_eq!(client.say("PASV").await.as_deref(), Some("425 all data ports are taken"));
    drop(taken);
    assert_eq!(client.passive().await.port(), port);
    assert_eq!(code(client.say("EPSV").await), 229);
    server.stop().await;
}

#[tokio::test]
async fn many_connections_harm_nobody() {
    let few = FtpLimits { connections: 16, connections_of_address: 12, ..limits() };
    let server = Server::start(few).await;
    let mut clients = JoinSet::new();
    let address = server.address;
    // Fewer than the listener's queue holds: beyond it, a client may believe in a connection of which the server knows
    // nothing.
    for _ in 0..100 {
        clients.spawn(async move { FtpClient::connect(address).await });
    }
    let mut open = Vec::new();
    while let Some(client) = clients.join_next().await {
        let (client, greeting) = client.unwrap();
        open.extend(greeting.filter(|greeting| greeting == "220 ready").map(|_| client));
    }
    assert_eq!(open.len(), 12);
    // A camera at another address still finds room.
    let camera = TcpSocket::new_v4().unwrap();
    camera.bind((Ipv4Addr::new(127, 0, 0, 5), 0).into()).unwrap();
    let mut greeting = [0; 9];
    camera.connect(address).await.unwrap().read_exact(&mut greeting).await.unwrap();
    assert_eq!(&greeting, b"220 ready");
    drop(open);
    until("there is room again", async || {
        let (_client, greeting) = FtpClient::connect(address).await;
        greeting.as_deref() == Some("220 ready")
    })
    .await;
    server.serves().await;
    server.stop().await;
}

#[tokio::test]
async fn uploads_are_counted() {
    let server = Server::start(FtpLimits { uploads_per_minute: 2, ..limits() }).await;
    let mut client = server.client().await;
    let replies = [client.store("a", b"1").await, client.store("b", b"2").await, client.store("c", b"3").await];
    assert_eq!(replies.map(code), [226, 226, 450]);
    server.stop().await;
}

#[tokio::test]
async fn the_server_stops_while_clients_hold_on() {
    let server = Server::start(FtpLimits { transfer: Duration::from_secs(60), ..limits() }).await;
    let (_idle, _) = FtpClient::connect(server.address).await;
    let mut client = server.client().await;
    let port = client.passive().await;
    assert_eq!(code(client.say("STOR x.jpg").await), 150);
    let _data = TcpStream::connect(port).await.unwrap();
    tokio::time::timeout(Duration::from_secs(5), server.stop()).await.expect("the server ends");
}
