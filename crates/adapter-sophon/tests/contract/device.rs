//! A device on fakes, reached over a real socket, whose every answer is held against the catalogue.

use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use adapter::{Adapter, Limits, Outbound, Policy, serve};
use adapter_sophon::{Config, Login, Sophon};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::Options;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use testkit::Rig;
use testkit::contract::Ledger;
use tokio::net::TcpListener;

/// A running device.
pub(crate) struct Device {
    rig: Rig,
    address: SocketAddr,
    client: reqwest::Client,
    ledger: Arc<Ledger>,
}

impl Deref for Device {
    type Target = Rig;

    fn deref(&self) -> &Rig {
        &self.rig
    }
}

/// A device that this machine may use.
pub(crate) fn config() -> Config {
    let allow_from = vec!["127.0.0.0/8".parse().unwrap()];
    Config {
        allow_from,
        login: None,
        ca_file: None,
        history_every: Duration::from_millis(300),
        retry_after: Duration::from_millis(200),
        ftp: None,
    }
}

/// With a login.
pub(crate) fn guarded() -> Config {
    let login = Login { user: "cloud".into(), password: "Secret-1".into() };
    Config { login: Some(login), ..config() }
}

impl Device {
    pub(crate) async fn start(ledger: &Arc<Ledger>) -> Self {
        Self::start_on(ledger, Rig::start(testkit::options()), config()).await
    }

    /// A device that is reached otherwise.
    pub(crate) async fn start_as(ledger: &Arc<Ledger>, config: Config) -> Self {
        Self::start_on(ledger, Rig::start(testkit::options()), config).await
    }

    /// A device with other options.
    pub(crate) async fn start_for(ledger: &Arc<Ledger>, options: Options) -> Self {
        Self::start_on(ledger, Rig::start(options), config()).await
    }

    /// A device with room for less.
    pub(crate) async fn start_with(ledger: &Arc<Ledger>, limits: domain::Limits) -> Self {
        Self::start_on(ledger, Rig::start(Options { limits, ..testkit::options() }), config()).await
    }

    async fn start_on(ledger: &Arc<Ledger>, mut rig: Rig, config: Config) -> Self {
        // The first test to come installs it for all.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let outbound = Outbound::new(Policy { allow_private: true, allow_loopback: true }).unwrap();
        let adapter = Arc::new(Sophon::new(config, rig.appliance.clone(), outbound));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let routes = adapter.routes().unwrap();
        rig.spawn(|_, cancel| serve(listener, routes, Limits::default(), cancel));
        rig.spawn(|appliance, cancel| async move { adapter.run(appliance, cancel).await });
        let client = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
        Self { rig, address, client, ledger: Arc::clone(ledger) }
    }

    /// The same device, restarted.
    pub(crate) async fn restart(self) -> Self {
        let handles = self.rig.stop().await;
        Self::start_on(&self.ledger, Rig::restart(handles), config()).await
    }

    /// `data` of a call that is not in the catalogue of operations and must succeed.
    pub(crate) async fn later(&self, operation: &str, fields: Value) -> Value {
        let response = self.request(operation, &fields).send().await.unwrap();
        let status = response.status();
        let mut answer: Value = response.json().await.unwrap();
        assert_eq!(status, 200, "{operation}: {answer}");
        answer["data"].take()
    }

    /// The code of such a call that must be refused.
    pub(crate) async fn later_refused(&self, operation: &str, fields: Value) -> i64 {
        let response = self.request(operation, &fields).send().await.unwrap();
        let status = i64::from(response.status().as_u16());
        let code = refusal(response).await["code"].as_i64().unwrap();
        assert_eq!(status, code / 100);
        code
    }

    pub(crate) async fn stop(self) {
        self.rig.stop().await;
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// A request of an operation such as `POST users`; the fields of a GET go into the query.
    pub(crate) fn request(&self, operation: &str, fields: &Value) -> RequestBuilder {
        let (method, name) = operation.split_once(' ').unwrap();
        let api = match name {
            "DevSno" | "LoginUrl" => "SophonMQ",
            "Devices" => "SophonDevice",
            "PictureMatch" => "SophonMatch",
            _ => "SophonFogSys",
        };
        let path = format!("/{api}/api/{name}");
        if method == "GET" {
            return self.plain(method, &format!("{path}?{}", query(fields)));
        }
        self.plain(method, &path).json(fields)
    }

    /// A request without a body.
    pub(crate) fn plain(&self, method: &str, path: &str) -> RequestBuilder {
        let method: Method = method.parse().unwrap();
        self.client.request(method, format!("http://{}{path}", self.address))
    }

    /// `data` of a call that must succeed.
    pub(crate) async fn ok(&self, operation: &str, fields: Value) -> Value {
        self.accepted(operation, self.request(operation, &fields)).await
    }

    /// `data` of a request that must succeed.
    pub(crate) async fn accepted(&self, operation: &str, request: RequestBuilder) -> Value {
        let response = request.send().await.unwrap();
        let status = response.status();
        let mut answer: Value = response.json().await.unwrap();
        assert_eq!(status, 200, "{operation}: {answer}");
        assert_eq!(self.ledger.answer(operation, None, Some(&answer)), Ok(()), "{operation}: {answer}");
        answer["data"].take()
    }

    /// A call that must be refused with this code.
    pub(crate) async fn refused(&self, operation: &str, fields: Value, code: i64) {
        self.turned_down(operation, self.request(operation, &fields), code).await;
    }

    /// A request that must be refused with this code.
    pub(crate) async fn turned_down(&self, operation: &str, request: RequestBuilder, code: i64) {
        let response = request.send().await.unwrap();
        let status = i64::from(response.status().as_u16());
        let answer = refusal(response).await;
        assert_eq!((answer["code"].as_i64(), status), (Some(code), code / 100), "{operation}: {answer}");
        let text = answer["message"].as_str().unwrap();
        assert_eq!(self.ledger.refusal(operation, None, code, text), Ok(()), "{operation}: {answer}");
    }

    /// Enrols somebody of the default group.
    pub(crate) async fn enrol(&self, id: &str) {
        self.ok("POST users", person(id)).await;
    }

    /// The numbers of everybody in a group, or on the device.
    pub(crate) async fn members(&self, group: Option<&str>) -> Vec<String> {
        let found = self.ok("GET users", json!({"group_name": group, "limit": 100})).await;
        let mut ids = column(&found["identities_list"], "identity_id");
        ids.sort_unstable();
        ids
    }
}

/// What is told of a refused call.
pub(crate) async fn refusal(response: Response) -> Value {
    let mut answer: Value = response.json().await.unwrap();
    assert_eq!(answer.as_object().unwrap().len(), 1, "{answer}");
    answer["error"].take()
}

fn query(fields: &Value) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let given = fields.as_object().unwrap().iter().filter(|(_, value)| !value.is_null());
    let pairs = given.map(|(name, value)| (name, text(value)));
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// Somebody of the default group, whose name is the number.
pub(crate) fn person(id: &str) -> Value {
    json!({"identity_id": id, "reg_photo": photo(id), "group_name": "default_group", "info": {"name": id, "type": 1}})
}

/// A portrait in base64.
pub(crate) fn photo(name: &str) -> String {
    STANDARD.encode(testkit::portrait(name))
}

/// The texts of a field in a list of entries.
pub(crate) fn column(list: &Value, field: &str) -> Vec<String> {
    list.as_array().unwrap().iter().map(|entry| entry[field].as_str().unwrap().to_owned()).collect()
}
