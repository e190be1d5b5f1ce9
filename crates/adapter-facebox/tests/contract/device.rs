//! A device on fakes, reached over a real socket, whose every answer is held against the catalogue.

use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use adapter::{Adapter, Limits, serve};
use adapter_facebox::FaceBox;
use domain::Options;
use md5::{Digest, Md5};
use serde_json::{Value, json};
use testkit::contract::Ledger;
use testkit::{ADMIN, Rig};
use tokio::net::TcpListener;

/// A running device with the administrator's session.
pub(crate) struct Device {
    rig: Rig,
    address: SocketAddr,
    session: String,
    client: reqwest::Client,
    ledger: Arc<Ledger>,
}

impl Deref for Device {
    type Target = Rig;

    fn deref(&self) -> &Rig {
        &self.rig
    }
}

impl Device {
    pub(crate) async fn start(ledger: &Arc<Ledger>) -> Self {
        Self::start_on(ledger, Rig::start(testkit::options())).await
    }

    /// A device with room for less.
    pub(crate) async fn start_with(ledger: &Arc<Ledger>, limits: domain::Limits) -> Self {
        Self::start_on(ledger, Rig::start(Options { limits, ..testkit::options() })).await
    }

    async fn start_on(ledger: &Arc<Ledger>, mut rig: Rig) -> Self {
        let adapter = Arc::new(FaceBox::new(rig.appliance.clone()));
        let unknown = adapter.unknown_path();
        let routes = adapter.routes().unwrap().fallback(move || std::future::ready(unknown));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        rig.spawn(|_, cancel| serve(listener, routes, Limits::default(), cancel));
        rig.spawn(|appliance, cancel| async move { adapter.run(appliance, cancel).await });
        // The first test to come installs it for all.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // A connection that idles while a test lets hours pass would be closed.
        let client = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
        let mut device = Self { rig, address, session: String::new(), client, ledger: Arc::clone(ledger) };
        device.session = device.log_in(ADMIN.0, ADMIN.1).await;
        device
    }

    /// Opens a session.
    pub(crate) async fn log_in(&self, name: &str, password: &str) -> String {
        let answer = self.send("/Login", &json!({"username": name, "password": md5(password)})).await;
        assert_eq!(answer["code"], 0, "{answer}");
        answer["session"].as_str().unwrap().to_owned()
    }

    /// The administrator's session.
    pub(crate) fn session(&self) -> &str {
        &self.session
    }

    /// The same device, restarted, with a new session.
    pub(crate) async fn restart(self) -> Self {
        let handles = self.rig.stop().await;
        Self::start_on(&self.ledger, Rig::restart(handles)).await
    }

    pub(crate) async fn stop(self) {
        self.rig.stop().await;
    }

    /// Lets the time pass; sockets need it to run otherwise.
    pub(crate) async fn pass(&self, time: Duration) {
        tokio::time::pause();
        tokio::time::advance(time).await;
        tokio::time::resume();
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn client(&self) -> &reqwest::Client {
        &self.client
    }

    /// Sends a body as it is and gives what came back.
    pub(crate) async fn send(&self, path: &str, body: &Value) -> Value {
        answer(self.client.post(self.url(path)).json(body)).await
    }

    /// A call that must succeed.
    pub(crate) async fn ok(&self, path: &str, fields: Value) -> Value {
        let answer = self.send(path, &self.signed(fields)).await;
        self.note_success(path, answer)
    }

    /// What a call that must succeed puts into `info`.
    pub(crate) async fn info(&self, path: &str, fields: Value) -> Value {
        self.ok(path, fields).await["info"].take()
    }

    /// The entries that a list shows of a first page.
    pub(crate) async fn items(&self, path: &str, mut fields: Value) -> Vec<Value> {
        fields["page_no"] = json!(1);
        fields["page_size"] = json!(100);
        self.info(path, fields).await["items"].as_array().unwrap().clone()
    }

    /// A call that must be refused with this code.
    pub(crate) async fn refused(&self, path: &str, fields: Value, code: i64) -> Value {
        let answer = self.send(path, &self.signed(fields.clone())).await;
        self.note_refusal(path, answer, code, &fields)
    }

    /// A call that must be refused because of this field.
    pub(crate) async fn refused_for(&self, path: &str, fields: Value, field: &str) {
        let answer = self.refused(path, fields.clone(), 3).await;
        assert_eq!(answer["msg"], format!("Invalid para: {field}"), "{path} {fields}");
    }

    pub(crate) fn note_success(&self, path: &str, answer: Value) -> Value {
        assert_eq!((&answer["code"], &answer["msg"]), (&json!(0), &json!("")), "{path}: {answer}");
        assert_eq!(self.ledger.answer(path, None, Some(&answer)), Ok(()), "{path}: {answer}");
        answer
    }

    pub(crate) fn note_refusal(&self, path: &str, answer: Value, code: i64, said: &Value) -> Value {
        assert_eq!(answer["code"], code, "{path} {said}: {answer}");
        assert_eq!(answer.get("info"), None, "{path} {said}");
        let text = answer["msg"].as_str().unwrap();
        assert_eq!(self.ledger.refusal(path, None, code, text), Ok(()), "{path} {said}");
        answer
    }

    fn signed(&self, mut fields: Value) -> Value {
        if fields.get("session").is_none() {
            fields["session"] = json!(self.session);
        }
        fields
    }
}

/// What a request is answered with, which is HTTP 200 always.
pub(crate) async fn answer(request: reqwest::RequestBuilder) -> Value {
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.json().await.unwrap()
}

pub(crate) fn md5(password: &str) -> String {
    hex::encode(Md5::digest(password))
}

/// The values of a field in a list of entries.
pub(crate) fn column(items: &[Value], field: &str) -> Vec<Value> {
    items.iter().map(|item| item[field].clone()).collect()
}
