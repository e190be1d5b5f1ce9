//! A pretend platform of the Sophon SE3: logins, people, pictures, and the history of events.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::client::http;

/// Ids that begin with this are of people whom the platform does not know.
pub const UNKNOWN: &str = "unknown";
/// Ids that begin with this are of people whose picture shows no face.
pub const FACELESS: &str = "faceless";

/// A running platform; it ends when dropped.
pub struct Cloud {
    address: SocketAddr,
    shared: Arc<Shared>,
    _server: JoinSet<()>,
}

struct Shared {
    /// Enrolment photos, which people share.
    photos: Vec<Bytes>,
    faceless: Bytes,
    login: Mutex<Value>,
    takes_events: AtomicBool,
    events: Mutex<Vec<Value>>,
}

impl Cloud {
    /// A platform whose people have these photos; it takes events.
    pub async fn start(photos: Vec<Bytes>, faceless: Bytes) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (login, events, takes_events) = (Mutex::default(), Mutex::default(), AtomicBool::new(true));
        let shared = Arc::new(Shared { photos, faceless, login, takes_events, events });
        let routes = Router::new()
            .route("/login", get(log_in))
            .route("/people", post(describe))
            .route("/picture/{id}", get(picture))
            .route("/events", post(take_event))
            .layer(DefaultBodyLimit::disable())
            .with_state(Arc::clone(&shared));
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, routes).await.expect("served") });
        Self { address, shared, _server: server }
    }

    /// Has the device at this address log in; `broker`: what it is told of RabbitMQ.
    pub async fn claim(&self, device: SocketAddr, broker: Value) {
        *self.shared.login.lock().expect("the login") = json!({
            "token": "t", "rabbitmq": broker, "recordAddr": "/events", "recordUploadPeriod": 1,
        });
        let login_url = format!("http://{}/login", self.address);
        for (name, fields) in [("DevSno", json!({"dev_sno": "SNO1"})), ("LoginUrl", json!({"login_url": login_url}))] {
            let request = http().put(format!("http://{device}/SophonMQ/api/{name}")).json(&fields);
            assert_eq!(request.send().await.expect("the device answers").status(), 200, "{name}");
        }
    }

    /// Takes events from now on, or answers that it is away.
    pub fn take_events(&self, takes: bool) {
        self.shared.takes_events.store(takes, Ordering::SeqCst);
    }

    /// The events that it took, in the order of their coming.
    pub fn events(&self) -> Vec<Value> {
        self.shared.events.lock().expect("the events").clone()
    }
}

async fn log_in(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(shared.login.lock().expect("the login").clone())
}

async fn describe(Json(asked): Json<Value>) -> Json<Value> {
    let ids = asked["userid_list"].as_array().expect("a list").iter().filter_map(Value::as_str);
    let known = ids.filter(|id| !id.starts_with(UNKNOWN));
    let person = |id: &str| {
        json!({"identity_id": id, "relative_pic_url": format!("/picture/{id}"), "register_type": 1,
        "info": {"name": format!("name of {id}"), "type": 1}})
    };
    Json(json!({"data": {"user_list": known.map(person).collect::<Vec<_>>()}}))
}

async fn picture(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Bytes {
    if id.starts_with(FACELESS) {
        return shared.faceless.clone();
    }
    let number: usize = id.parse().expect("a number");
    shared.photos[number % shared.photos.len()].clone()
}

async fn take_event(State(shared): State<Arc<Shared>>, Json(event): Json<Value>) -> (StatusCode, Json<Value>) {
    if !shared.takes_events.load(Ordering::SeqCst) {
        return (StatusCode::SERVICE_UNAVAILABLE, Json(json!({})));
    }
    shared.events.lock().expect("the events").push(event);
    (StatusCode::OK, Json(json!({"status": 0})))
}

/// The ids of everybody on a device, as its Sophon interface lists them.
pub async fn people_of(device: SocketAddr) -> Vec<String> {
    let mut ids = Vec::new();
    for skip in (0..).step_by(100) {
        let url = format!("http://{device}/SophonFogSys/api/users?limit=100&skip_num={skip}");
        let answer: BTreeMap<String, Value> =
            http().get(url).send().await.expect("the device answers").json().await.expect("JSON");
        let page = answer["data"]["identities_list"].as_array().expect("a list").clone();
        ids.extend(page.iter().map(|person| person["identity_id"].as_str().expect("an id").to_owned()));
        if page.len() < 100 {
            break;
        }
    }
    ids.sort_unstable();
    ids
}
