//! The console over a real socket.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests panic like tests do")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use adapter::{Adapter, Component, Health, Limits, serve};
use console::Console;
use domain::ports::{LogStore, Pictures, SettingsStore};
use domain::{Appliance, NewRecord};
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::Value;
use testkit::store_suite::samples;
use testkit::{Handles, actor};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const DEADLINE: Duration = Duration::from_secs(60);

/// A console that serves until the test ends.
struct Site {
    address: SocketAddr,
    health: Arc<Health>,
    _tasks: JoinSet<()>,
}

struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Site {
    async fn open(appliance: Appliance) -> Self {
        let recorder = PrometheusBuilder::new().build_recorder();
        metrics::with_local_recorder(&recorder, || {
            metrics::counter!("polyface_test_total", "name" => "a \"quoted\" one").increment(7);
            metrics::histogram!("polyface_test_seconds").record(0.5);
        });
        let health = Arc::new(Health::expecting(["models", "sensetime"]));
        let console = Console::new(appliance, health.clone(), recorder.handle());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, console.routes().unwrap(), Limits::default(), CancellationToken::new()));
        Self { address, health, _tasks: tasks }
    }

    async fn send(&self, request: &str, headers: &str, body: &str) -> Answer {
        let host = self.address;
        let head = format!("{request} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}");
        let length = body.len();
        let content_type = if body.starts_with('{') { "application/json" } else { "application/x-www-form-urlencoded" };
        let form = format!("Content-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n{body}");
        let mut stream = TcpStream::connect(host).await.unwrap();
        stream.write_all(format!("{head}{form}").as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        tokio::time::timeout(DEADLINE, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(answer[..end].to_vec()).unwrap();
        let status = head[9..12].parse().unwrap();
        Answer { status, head, body: answer[end + 4..].to_vec() }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(&format!("GET {path}"), "", "").await
    }

    async fn get_as(&self, cookie: &str, path: &str) -> Answer {
        self.send(&format!("GET {path}"), &format!("Cookie: other=1; {cookie}\r\n"), "").await
    }

    async fn log_in(&self, password: &str) -> Answer {
        let form = format!("username={}&password={password}", testkit::ADMIN.0);
        self.send("POST /login", &self.own_origin(), &form).await
    }

    fn own_origin(&self) -> String {
        format!("Origin: http://{}\r\n", self.address)
    }

    /// The cookie of a new session.
    async fn cookie(&self) -> String {
        let answer = self.log_in(testkit::ADMIN.1).await;
        assert_eq!((answer.status, answer.header("Location")), (303, Some("/")));
        answer.header("Set-Cookie").unwrap().split(';').next().unwrap().to_owned()
    }
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// An appliance whose log holds this.
fn appliance_with(make: impl FnOnce(&Handles) -> Vec<NewRecord>) -> Appliance {
    let (_, handles) = testkit::appliance().unwrap();
    for record in make(&handles) {
        handles.store.append_record(&record).unwrap();
    }
    handles.restart(domain::Limits::default()).unwrap()
}

fn appliance() -> Appliance {
    testkit::appliance().unwrap().0
}

#[tokio::test]
async fn healthz_is_ok_exactly_while_every_part_is_up() {
    let site = Site::open(appliance()).await;
    let starting = site.get("/healthz").await;
    assert_eq!(starting.status, 503);
    assert_eq!(starting.json()["reasons"], serde_json::json!(["models: starting", "sensetime: starting"]));
    site.health.set("models", Component::Up);
    assert_eq!(site.get("/healthz").await.status, 503);
    site.health.set("sensetime", Component::Up);
    let up = site.get("/healthz").await;
    assert_eq!((up.status, up.json()["status"].as_str()), (200, Some("ok")));
    assert_eq!(up.json().get("attention"), None);
    site.health.raise("sensetime.open_pictures", "a guard is lowered");
    let warned = site.get("/healthz").await;
    let attention = serde_json::json!(["sensetime.open_pictures: a guard is lowered"]);
    assert_eq!((warned.status, &warned.json()["attention"]), (200, &attention));
    site.health.set("sensetime", Component::Down { reason: "address in use".into() });
    let down = site.get("/healthz").await;
    assert_eq!((down.status, down.json()["components"]["sensetime"].as_str()), (503, Some("down")));
}

#[tokio::test]
async fn the_page_shows_alarms_beside_what_is_down() {
    let site = Site::open(appliance()).await;
    let cookie = site.cookie().await;
    site.health.set("models", Component::Up);
    site.health.raise("inference.provider", "the processor is used in place of openvino");
    let status = site.get_as(&cookie, "/api/status").await.json();
    assert_eq!(status["problems"], serde_json::json!(["sensetime: starting"]));
    let alarm = "inference.provider: the processor is used in place of openvino";
    assert_eq!(status["attention"], serde_json::json!([alarm]));
    site.health.clear("inference.provider");
    assert_eq!(site.get_as(&cookie, "/api/status").await.json()["attention"], serde_json::json!([]));
    assert!(site.get_as(&cookie, "/").await.text().contains("id=\"attention\""));
    assert!(site.get("/assets/overview.js").await.text().contains("setText(byId(\"attention\")"));
}

#[tokio::test]
async fn metrics_are_text_that_prometheus_can_read() {
    let site = Site::open(appliance()).await;
    let answer = site.get("/metrics").await;
    assert_eq!(answer.status, 200);
    assert!(answer.header("Content-Type").unwrap().starts_with("text/plain"));
    let samples: Vec<&str> = answer.text().lines().filter(|l| !l.is_empty() && !l.starts_with('#')).collect();
    for sample in &samples {
        let (series, value) = sample.rsplit_once(' ').unwrap();
        let name = series.split('{').next().unwrap();
        assert!(!name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{sample}");
        assert!(value.parse::<f64>().is_ok(), "{sample}");
    }
    for name in ["polyface_test_total{", "process_resident_memory_bytes ", "process_cpu_seconds_total "] {
        assert!(samples.iter().any(|sample| sample.starts_with(name)), "{name}");
    }
}

#[tokio::test]
async fn whatever_shows_people_needs_a_login() {
    let site = Site::open(appliance()).await;
    let page = site.get("/").await;
    assert_eq!((page.status, page.header("Location")), (303, Some("/login")));
    assert_eq!(site.get("/login").await.status, 200);
    let picture = format!("/pictures/{}", "0".repeat(64));
    for path in ["/api/status", "/api/captures", &picture] {
        assert_eq!(site.get(path).await.status, 401, "{path}");
        assert_eq!(site.get_as("polyface_session=made-up", path).await.status, 401, "{path}");
    }
    let cookie = site.cookie().await;
    assert_eq!(site.get_as(&cookie, "/api/status").await.status, 200);
    let page = site.get_as(&cookie, "/").await;
    assert_eq!(page.status, 200);
    assert!(page.header("Content-Security-Policy").unwrap().starts_with("default-src 'self';"));
    // With `no-referrer` a browser would send the login form with the origin `null`, and be refused.
    assert_eq!(page.header("Referrer-Policy"), Some("same-origin"));
    for asset in ["/assets/style.css", "/assets/overview.js", "/assets/icon.svg"] {
        assert!(page.text().contains(asset));
        assert_eq!(site.get(asset).await.status, 200);
    }
}

#[tokio::test]
async fn the_cookie_is_for_this_site_and_no_script() {
    let site = Site::open(appliance()).await;
    let answer = site.log_in(testkit::ADMIN.1).await;
    let cookie = answer.header("Set-Cookie").unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
}

#[tokio::test]
async fn after_the_logout_the_session_is_over() {
    let site = Site::open(appliance()).await;
    let cookie = site.cookie().await;
    let header = format!("Cookie: {cookie}\r\n");
    let foreign = site.send("POST /logout", &format!("{header}Origin: http://evil.example\r\n"), "").await;
    assert_eq!(foreign.status, 403);
    assert_eq!(site.get_as(&cookie, "/api/status").await.status, 200);
    assert_eq!(site.send("POST /logout", &header, "").await.status, 303);
    assert_eq!(site.get_as(&cookie, "/api/status").await.status, 401);
}

#[tokio::test]
async fn wrong_passwords_are_refused_and_in_the_end_the_right_one_too() {
    let site = Site::open(appliance()).await;
    for _ in 0..5 {
        let refused = site.log_in("wrong").await;
        assert_eq!((refused.status, refused.header("Set-Cookie")), (401, None));
        assert!(refused.text().contains("role=\"alert\""));
    }
    assert_eq!(site.log_in(testkit::ADMIN.1).await.status, 401);
}

#[tokio::test]
async fn a_form_of_another_site_logs_nobody_in() {
    let site = Site::open(appliance()).await;
    let form = format!("username={}&password={}", testkit::ADMIN.0, testkit::ADMIN.1);
    for origin in ["http://evil.example", "null", "http://127.0.0.1:1"] {
        let answer = site.send("POST /login", &format!("Origin: {origin}\r\n"), &form).await;
        assert_eq!((answer.status, answer.header("Set-Cookie")), (403, None), "{origin}");
    }
    assert_eq!(site.send("POST /login", "", &form).await.status, 403, "a form without an origin");
    assert_eq!(site.send("POST /login", &site.own_origin(), &form).await.status, 303);
}

#[tokio::test]
async fn a_program_logs_in_by_json() {
    let site = Site::open(appliance()).await;
    let json = format!("{{\"username\":{:?},\"password\":{:?}}}", testkit::ADMIN.0, testkit::ADMIN.1);
    let answer = site.send("POST /login", "", &json).await;
    let cookie = answer.header("Set-Cookie").unwrap().split(';').next().unwrap();
    assert_eq!(site.get_as(cookie, "/api/status").await.status, 200);
    assert_eq!(site.send("POST /login", "Origin: http://evil.example\r\n", &json).await.status, 403);
    assert_eq!(site.send("POST /login", "", "{\"username\":\"admin\"}").await.status, 422);
}

#[tokio::test]
async fn a_login_form_is_bounded() {
    let site = Site::open(appliance()).await;
    assert_eq!(site.log_in(&"x".repeat(10_000)).await.status, 413);
    assert_eq!(site.send("POST /login", &site.own_origin(), "username=admin").await.status, 422);
}

#[tokio::test]
async fn captures_show_who_was_seen_and_how_they_look() {
    let portrait = testkit::portrait("Ada");
    let site = Site::open(appliance_with(|handles| {
        let store = &*handles.store;
        let mut known = samples::recognised(store, 1, 0, samples::candidate(1, 1, 0.91));
        known.capture.crop = store.put(&portrait).unwrap();
        vec![samples::stranger(store, 1, 60), known]
    }))
    .await;
    let cookie = site.cookie().await;
    let captures = site.get_as(&cookie, "/api/captures").await.json();
    let [stranger, known] = captures.as_array().unwrap().as_slice() else { panic!("{captures}") };
    assert_eq!((stranger["verdict"].as_str(), stranger["name"].as_str()), (Some("stranger"), Some("")));
    assert_eq!(stranger["time"], "2023-11-15 06:14:20");
    assert_eq!((known["verdict"].as_str(), known["name"].as_str()), (Some("known"), Some("Ada")));
    assert_eq!((known["similarity"].as_u64(), known["camera"].as_str()), (Some(91), Some("entrance")));
    let picture = site.get_as(&cookie, known["crop"].as_str().unwrap()).await;
    assert_eq!((picture.status, picture.body), (200, portrait.to_vec()));
    assert!(picture.head.contains("Content-Type: image/"), "{}", picture.head);
    assert_eq!(site.get_as(&cookie, &format!("/pictures/{}", "0".repeat(64))).await.status, 404);
    assert_eq!(site.get_as(&cookie, "/pictures/..%2f..%2fetc%2fpasswd").await.status, 404);
    let newer = site.get_as(&cookie, "/api/captures?after=1").await.json();
    assert_eq!(newer.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn only_the_last_captures_are_shown() {
    let site = Site::open(appliance_with(|handles| {
        (0..40).map(|second| samples::stranger(&*handles.store, 1, second)).collect()
    }))
    .await;
    let cookie = site.cookie().await;
    for query in ["", "?after=0", "?after=-99999999999999"] {
        let captures = site.get_as(&cookie, &format!("/api/captures{query}")).await.json();
        let seqs: Vec<i64> = captures.as_array().unwrap().iter().map(|c| c["seq"].as_i64().unwrap()).collect();
        assert_eq!(seqs, (17..=40).collect::<Vec<_>>());
    }
    let status = site.get_as(&cookie, "/api/status").await.json();
    assert_eq!(status["records"], 40);
}

#[tokio::test]
async fn a_name_full_of_markup_stays_text() {
    const NAME: &str = "<img src=x onerror=alert(1)>\"'&</script>";
    let site = Site::open(appliance_with(|handles| {
        let candidate = domain::Candidate { name: NAME.into(), ..samples::candidate(1, 1, 0.91) };
        let mut camera = samples::new_camera([]);
        camera.settings.name = NAME.into();
        handles.store.insert_camera(&camera, 16, samples::at(0)).unwrap();
        vec![samples::recognised(&*handles.store, 1, 0, candidate)]
    }))
    .await;
    let cookie = site.cookie().await;
    for (path, name) in [("/api/captures", "/0/name"), ("/api/status", "/cameras/0/name")] {
        let answer = site.get_as(&cookie, path).await;
        assert_eq!(answer.header("Content-Type"), Some("application/json"));
        assert_eq!(answer.header("X-Content-Type-Options"), Some("nosniff"));
        assert_eq!(answer.json().pointer(name).unwrap(), NAME);
    }
    for page in ["/", "/login"] {
        assert!(!site.get_as(&cookie, page).await.text().contains("onerror"));
    }
}

#[test]
fn the_page_makes_no_markup_of_what_it_shows() {
    let script = include_str!("../assets/overview.js");
    for way in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
        assert!(!script.contains(way), "{way}");
    }
    for page in [include_str!("../assets/overview.html"), include_str!("../assets/login.html")] {
        let mut words = page.split_whitespace();
        assert!(words.all(|word| !(word.contains("//") || word.starts_with("on") && word.contains('='))));
    }
}

#[tokio::test]
async fn a_camera_tells_why_it_shows_nothing() {
    let (appliance, handles) = testkit::appliance().unwrap();
    handles.store.insert_camera(&samples::new_camera([]), 16, samples::at(0)).unwrap();
    let (cancel, mut tasks) = (CancellationToken::new(), JoinSet::new());
    let options = domain::surveillance::Options { detect_every: Duration::from_millis(100) };
    tasks.spawn(domain::surveillance::run(appliance.clone(), options, cancel.clone()));
    let site = Site::open(appliance).await;
    let cookie = site.cookie().await;
    let offline = async {
        loop {
            let status = site.get_as(&cookie, "/api/status").await.json();
            if status["cameras"][0]["status"] == "offline" {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let status = tokio::time::timeout(DEADLINE, offline).await.unwrap();
    let reason = status["cameras"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("cannot be reached") && !reason.contains("secret"), "{reason}");
    cancel.cancel();
    tasks.join_next().await;
}

#[tokio::test]
async fn a_closed_console_shows_only_whether_the_device_is_well() {
    let (appliance, _handles) = testkit::appliance().unwrap();
    let site = Site::open(appliance.clone()).await;
    assert_eq!(site.get("/login").await.status, 200);
    assert!(appliance.by(&actor("test")).open_console(false).await.unwrap());
    for path in ["/", "/login", "/assets/style.css", "/api/status"] {
        assert_eq!(site.get(path).await.status, 403, "{path}");
    }
    assert_eq!(site.log_in(testkit::ADMIN.1).await.status, 403);
    assert_eq!(site.get("/metrics").await.status, 200);
    assert!(!appliance.by(&actor("test")).open_console(false).await.unwrap(), "it is closed already");
    assert!(appliance.by(&actor("test")).open_console(true).await.unwrap());
    assert_eq!(site.get("/login").await.status, 200);
}
