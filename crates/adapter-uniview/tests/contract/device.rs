//! A device on fakes, reached over a real socket by a digest client, whose every answer is held against the catalogue.

use std::net::SocketAddr;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use adapter::{Adapter, Limits, Outbound, Policy, serve};
use adapter_uniview::{Config, Uniview};
use domain::{Appliance, Options};
use http_auth::{PasswordClient, PasswordParams};
use reqwest::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::contract::Ledger;
use testkit::{ADMIN, Rig};
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

/// Where the key lies: making one takes long, so all scenarios share it.
static KEYS: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());

fn key_file() -> PathBuf {
    KEYS.path().join("uniview.pem")
}

/// A running device, with the administrator's login.
pub(crate) struct Device {
    rig: Rig,
    address: SocketAddr,
    client: reqwest::Client,
    admin: Login,
    ledger: Arc<Ledger>,
}

/// A user with the nonce that the user's last challenge had.
pub(crate) struct Login {
    user: String,
    password: String,
    challenged: Mutex<Option<PasswordClient>>,
}

impl Login {
    pub(crate) fn of(user: &str, password: &str) -> Self {
        Self { user: user.to_owned(), password: password.to_owned(), challenged: Mutex::default() }
    }

    /// The value of the Authorization field for a request, with the next count; `None` before the first challenge.
    pub(crate) async fn answer(&self, method: &Method, uri: &str) -> Option<String> {
        let params =
            PasswordParams { username: &self.user, password: &self.password, uri, method: method.as_str(), body: None };
        Some(self.challenged.lock().await.as_mut()?.respond(&params).unwrap())
    }

    /// Takes up the challenge of a refused request.
    pub(crate) async fn take_up(&self, challenge: &str) {
        *self.challenged.lock().await = Some(PasswordClient::try_from(challenge).unwrap());
    }
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
        Self::start_as(ledger, Options { limits, ..testkit::options() }).await
    }

    /// A device that is set up otherwise.
    pub(crate) async fn start_as(ledger: &Arc<Ledger>, options: Options) -> Self {
        Self::start_on(ledger, Rig::start(options)).await
    }

    async fn start_on(ledger: &Arc<Ledger>, mut rig: Rig) -> Self {
        // The first test to come installs it for all.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let outbound = Outbound::new(Policy { allow_private: true, allow_loopback: true }).unwrap();
        let config = Config { channels: rig.appliance.options().limits.channels, key_file: key_file() };
        let adapter = Arc::new(Uniview::new(config, rig.appliance.clone(), outbound));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let routes = adapter.routes().unwrap();
        rig.spawn(|_, cancel| serve(listener, routes, Limits::default(), cancel));
        rig.spawn(|appliance, cancel| async move { adapter.run(appliance, cancel).await });
        // Each request comes over a connection of its own.
        let client = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
        let admin = Login::of(ADMIN.0, ADMIN.1);
        Self { rig, address, client, admin, ledger: Arc::clone(ledger) }
    }

    /// The same device, restarted.
    pub(crate) async fn restart(self) -> Self {
        let handles = self.rig.stop().await;
        Self::start_on(&self.ledger, Rig::restart(handles)).await
    }

    /// Runs another task on the device.
    pub(crate) fn run<F>(&mut self, task: impl FnOnce(Appliance, CancellationToken) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.rig.spawn(task);
    }

    /// The same device, crashed and started again.
    pub(crate) async fn crash(self) -> Self {
        let handles = self.rig.crash().await;
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

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn client(&self) -> &reqwest::Client {
        &self.client
    }

    pub(crate) fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }

    pub(crate) fn admin(&self) -> &Login {
        &self.admin
    }

    /// Sends a request with a login: as every digest client, again with the answer when there is a challenge.
    pub(crate) async fn send_as(&self, login: &Login, request: reqwest::RequestBuilder) -> Response {
        let (client, built) = request.build_split();
        let built = built.unwrap();
        let uri = target(built.url());
        for _ in 0..2 {
            let mut attempt = built.try_clone().unwrap();
            if let Some(answer) = login.answer(built.method(), &uri).await {
                attempt.headers_mut().insert(AUTHORIZATION, answer.parse().unwrap());
            }
            let response = client.execute(attempt).await.unwrap();
            match response.headers().get(WWW_AUTHENTICATE) {
                Some(challenge) => login.take_up(challenge.to_str().unwrap()).await,
                None => return response,
            }
        }
        let mut attempt = built;
        let answer = login.answer(attempt.method(), &uri).await.unwrap();
        attempt.headers_mut().insert(AUTHORIZATION, answer.parse().unwrap());
        client.execute(attempt).await.unwrap()
    }

    /// Sends a body as it is and returns the answer.
    pub(crate) async fn send(&self, path: &str, fields: &Value) -> Value {
        let response = self.send_as(&self.admin, self.client.post(self.url(&full(path))).json(fields)).await;
        assert_eq!(response.status(), 200, "{path} {fields}");
        response.json().await.unwrap()
    }

    /// A call that must succeed; returns its data, null when it has none.
    pub(crate) async fn ok(&self, path: &str, fields: Value) -> Value {
        let answer = self.send(path, &fields).await;
        self.note_success(path, answer)
    }

    pub(crate) fn note_success(&self, path: &str, mut answer: Value) -> Value {
        let envelope = [&answer["code"], &answer["msg"], &answer["status_code"]].map(Clone::clone);
        assert_eq!(envelope, [json!(0), json!("Succeed"), json!(0)], "{path}: {answer}");
        assert_eq!(self.ledger.answer(&full(path), None, answer.get("data")), Ok(()), "{path}: {answer}");
        answer["data"].take()
    }

    /// The entries that a list shows of a first page, and how many there are in all.
    pub(crate) async fn page(&self, path: &str, mut fields: Value) -> (i64, Vec<Value>) {
        fields["page"] = json!(1);
        fields["pagesize"] = json!(100);
        let mut data = self.ok(path, fields).await;
        let list =
            data.as_object_mut().unwrap().values_mut().find_map(|value| value.as_array_mut()).map(std::mem::take);
        (data["total"].as_i64().unwrap(), list.unwrap())
    }

    /// A call that must be refused with this code.
    pub(crate) async fn refused(&self, path: &str, fields: Value, code: i64) {
        let answer = self.send(path, &fields).await;
        self.note_refusal(path, &answer, code, &fields);
        assert_eq!(answer["status_code"], 0, "{path} {fields}");
    }

    pub(crate) fn note_refusal(&self, path: &str, answer: &Value, code: i64, said: &Value) {
        assert_eq!(answer["code"], code, "{path} {said}: {answer}");
        assert_eq!(answer.get("data"), None, "{path} {said}");
        let text = answer["msg"].as_str().unwrap();
        assert_eq!(self.ledger.refusal(&full(path), None, code, text), Ok(()), "{path} {said}");
    }

    /// As [`Device::note_refusal`], of a code that every call can give and none lists.
    pub(crate) fn note_common(&self, path: &str, answer: &Value) -> i64 {
        let (code, text) = (answer["code"].as_i64().unwrap(), answer["msg"].as_str().unwrap());
        let unlisted = Err(vec![format!("{} does not list {code}", full(path))]);
        assert_eq!(self.ledger.refusal(&full(path), None, code, text), unlisted);
        code
    }
}

/// Path and query.
fn target(url: &reqwest::Url) -> String {
    match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    }
}

/// A path below `/api/v2`.
pub(crate) fn full(path: &str) -> String {
    format!("/api/v2{path}")
}

/// The values of a field in a list of entries.
pub(crate) fn column(items: &[Value], field: &str) -> Vec<Value> {
    items.iter().map(|item| item[field].clone()).collect()
}
