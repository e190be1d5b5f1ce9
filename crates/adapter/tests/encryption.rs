//! One adapter, in clear or encrypted, over real sockets.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests panic like tests do")]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adapter::{Encryption, HttpsPlace, Limits, Piece, Served, own_certificate, serve};
use axum::Router;
use axum::routing::get;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

const DEADLINE: Duration = Duration::from_secs(20);

struct Site {
    clear: SocketAddr,
    secure: Arc<Mutex<Option<SocketAddr>>>,
    encryption: Encryption,
    _folder: TempDir,
    _tasks: JoinSet<()>,
}

/// A site that may be encrypted on that address; nobody has said yet whether it is.
async fn open(on: SocketAddr) -> Site {
    open_at(HttpsPlace::WhileSwitched(on)).await
}

async fn open_at(place: HttpsPlace) -> Site {
    let folder = tempfile::tempdir().unwrap();
    let encryption = Encryption::new(folder.path().join("tls"));
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(["device".to_owned()]).unwrap().self_signed(&key).unwrap();
    encryption.put(Piece::Certificate, certificate.pem().into()).await.unwrap();
    encryption.put(Piece::Key, key.serialize_pem().into()).await.unwrap();
    let routes = || Router::new().route("/", get(async || "here"));
    let limits = Limits { head: Duration::from_millis(300), ..Limits::default() };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let clear = listener.local_addr().unwrap();
    let (cancel, mut tasks) = (CancellationToken::new(), JoinSet::new());
    tasks.spawn(serve(listener, encryption.clear(routes()), limits.clone(), cancel.clone()));
    let (secure, handle) = (Arc::new(Mutex::new(None)), encryption.clone());
    let (known, routes) = (secure.clone(), routes());
    tasks.spawn(async move {
        let changed =
            |Served { https, clear }| *known.lock().unwrap() = https.inspect(|_| assert!(clear || handle.is_on()));
        handle.serve(place, routes, limits, changed, cancel).await;
    });
    Site { clear, secure, encryption, _folder: folder, _tasks: tasks }
}

impl Site {
    fn secure(&self) -> SocketAddr {
        self.secure.lock().unwrap().expect("served encrypted")
    }

    async fn turn_on(&self) -> std::io::Result<()> {
        self.encryption.turn_on(self.encryption.server(None).await.unwrap()).await
    }

    async fn ask(&self, url: String) -> reqwest::Result<(u16, String)> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().tls_danger_accept_invalid_certs(true).timeout(DEADLINE);
        let answer = client.build()?.get(url).send().await?;
        Ok((answer.status().as_u16(), answer.text().await?))
    }
}

fn anywhere() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

#[tokio::test]
async fn requests_wait_until_it_is_known_how_they_are_served() {
    let site = open(anywhere()).await;
    let asked = site.ask(format!("http://{}/", site.clear));
    let decided = async {
        tokio::task::yield_now().await;
        site.encryption.turn_off().await.unwrap();
    };
    let (answer, ()) = tokio::join!(asked, decided);
    assert_eq!(answer.unwrap(), (200, "here".into()));
}

#[tokio::test]
async fn what_is_served_encrypted_is_not_served_in_clear_and_back() {
    let site = open(anywhere()).await;
    site.turn_on().await.unwrap();
    assert!(site.encryption.is_on());
    let secure = site.secure();
    assert_eq!(site.ask(format!("https://{secure}/")).await.unwrap(), (200, "here".into()));
    assert_eq!(site.ask(format!("http://{}/", site.clear)).await.unwrap().0, 403);
    site.encryption.turn_off().await.unwrap();
    assert_eq!(site.ask(format!("http://{}/", site.clear)).await.unwrap().0, 200);
    assert!(!site.encryption.is_on() && site.secure.lock().unwrap().is_none());
    timeout(DEADLINE, async { while TcpStream::connect(secure).await.is_ok() {} }).await.unwrap();
}

#[tokio::test]
async fn where_https_is_always_served_a_switch_ends_only_http() {
    let folder = tempfile::tempdir().unwrap();
    let own = own_certificate(folder.path().to_owned(), "polyface").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let secure = listener.local_addr().unwrap();
    let site = open_at(HttpsPlace::Always(listener, own.config)).await;
    site.encryption.turn_off().await.unwrap();
    for (on, clear) in [(false, 200), (true, 403), (false, 200)] {
        match on {
            true => site.turn_on().await.unwrap(),
            false => site.encryption.turn_off().await.unwrap(),
        }
        assert_eq!(site.secure(), secure);
        assert_eq!(site.ask(format!("https://{secure}/")).await.unwrap(), (200, "here".into()));
        assert_eq!(site.ask(format!("http://{}/", site.clear)).await.unwrap().0, clear);
    }
}

#[tokio::test]
async fn an_address_that_is_taken_leaves_all_as_it_was() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let site = open(taken.local_addr().unwrap()).await;
    site.encryption.turn_off().await.unwrap();
    site.turn_on().await.unwrap_err();
    assert!(!site.encryption.is_on());
    assert_eq!(site.ask(format!("http://{}/", site.clear)).await.unwrap().0, 200);
}

#[tokio::test]
async fn whoever_does_not_speak_tls_is_cut_off_and_others_are_served() {
    let site = open(anywhere()).await;
    site.turn_on().await.unwrap();
    let mut silent = TcpStream::connect(site.secure()).await.unwrap();
    let mut rude = TcpStream::connect(site.secure()).await.unwrap();
    rude.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert_eq!(site.ask(format!("https://{}/", site.secure())).await.unwrap().0, 200);
    for caller in [&mut silent, &mut rude] {
        let mut rest = Vec::new();
        // An alert, or just the end.
        let _ = timeout(DEADLINE, caller.read_to_end(&mut rest)).await.expect("cut off");
        assert!(!rest.starts_with(b"HTTP"));
    }
}
