//! A client of the SenseNebula-M interface, as a platform would write one.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

/// What a call was answered with.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// 0 or an error code.
    pub code: i64,
    /// The data; an empty text when there is none.
    pub data: Value,
    /// The text of the error.
    pub msg: String,
}

impl Answer {
    /// The data of a call that must have succeeded.
    pub fn ok(self) -> Value {
        assert_eq!(self.code, 0, "{}", self.msg);
        self.data
    }
}

/// A client with at most one session.
#[derive(Clone)]
pub struct SenseTime {
    scheme: &'static str,
    address: SocketAddr,
    session: Option<String>,
}

impl SenseTime {
    /// A client that has not logged in.
    pub fn anonymous(address: SocketAddr) -> Self {
        Self { scheme: "http", address, session: None }
    }

    /// A client that speaks HTTPS and has logged in; it takes any certificate.
    pub async fn log_in_encrypted(address: SocketAddr, user: &str, password: &str) -> Self {
        Self { scheme: "https", ..Self::anonymous(address) }.logged_in(user, password).await
    }

    /// A client that has.
    pub async fn log_in(address: SocketAddr, user: &str, password: &str) -> Self {
        Self::anonymous(address).logged_in(user, password).await
    }

    async fn logged_in(self, user: &str, password: &str) -> Self {
        let answer = self.call(json!({"msg_id": "257", "user_name": user, "user_pwd": password})).await;
        let session = answer.ok().as_str().expect("a session id").to_owned();
        Self { session: Some(session), ..self }
    }

    /// The same client with another session id.
    pub fn with_session(&self, session: &str) -> Self {
        Self { session: Some(session.to_owned()), ..self.clone() }
    }

    /// The same client and session at another address.
    pub fn at(&self, address: SocketAddr) -> Self {
        Self { address, ..self.clone() }
    }

    /// One call by JSON.
    pub async fn call(&self, request: Value) -> Answer {
        self.try_call(request).await.expect("the device answers")
    }

    /// As [`SenseTime::call`]; `None` when no whole answer came, as from a device that dies.
    pub async fn try_call(&self, request: Value) -> Option<Answer> {
        let sent = self.post("/api/json").json(&request).send().await.ok()?;
        assert_eq!(sent.status(), 200);
        let answer: Value = sent.json().await.ok()?;
        Some(Answer {
            code: answer["code"].as_i64().expect("a code"),
            data: answer["data"].clone(),
            msg: answer["msg"].as_str().unwrap_or_default().to_owned(),
        })
    }

    /// A request to be filled by the test.
    pub fn post(&self, path: &str) -> reqwest::RequestBuilder {
        self.with_header(http().post(format!("{}://{}{path}", self.scheme, self.address)))
    }

    /// A picture or file by the path that the device gave.
    pub async fn download(&self, path: &str) -> reqwest::Response {
        let request = http().get(format!("{}://{}/ws/{path}", self.scheme, self.address));
        self.with_header(request).send().await.expect("the device answers")
    }

    /// Makes a library and answers its id.
    pub async fn add_library(&self, name: &str, kind: u8) -> i64 {
        let answer = self.call(json!({"msg_id": "1025", "lib_name": name, "lib_type": kind})).await;
        answer.ok()["lib_id"].as_i64().expect("a library id")
    }

    /// Enrols by base64.
    pub async fn enrol(&self, library: i64, code: &str, name: &str, photo: &[u8]) -> Answer {
        self.try_enrol(library, code, name, photo).await.expect("the device answers")
    }

    /// As [`SenseTime::enrol`]; `None` when no whole answer came.
    pub async fn try_enrol(&self, library: i64, code: &str, name: &str, photo: &[u8]) -> Option<Answer> {
        let img = json!({"filename": "photo.jpg", "data": BASE64.encode(photo)});
        let request = json!({"msg_id": "1051", "lib_id": library, "img_id": code, "person_name": name, "img": img});
        self.try_call(request).await
    }

    /// The codes of everybody in a library.
    pub async fn codes(&self, library: i64) -> BTreeSet<String> {
        let mut codes = BTreeSet::new();
        for start in (1..).step_by(50) {
            let request = json!({"msg_id": "1035", "lib_id": library, "start_no": start, "qry_len": 50});
            let page = self.call(request).await.ok();
            let rows = page["record"].as_array().expect("a list");
            codes.extend(rows.iter().map(|row| row["img_id"].as_str().expect("a code").to_owned()));
            if rows.len() < 50 {
                break;
            }
        }
        codes
    }

    /// How many captures there are.
    pub async fn record_count(&self) -> usize {
        let page = self.call(json!({"msg_id": "1037", "qry_len": 1})).await.ok();
        page["total_num"].as_u64().expect("a number") as usize
    }

    /// The codes of the people of a library that look like the one in the photo, the most alike first; 50 at most.
    pub async fn search(&self, library: i64, photo: &[u8]) -> Vec<String> {
        let img = json!({"filename": "probe.jpg", "data": BASE64.encode(photo)});
        let request = json!({"msg_id": "780", "lib_ids": library.to_string(), "threshold": 80, "topk": 50, "img": img});
        let found = self.call(request).await.ok();
        let hits = found["topn"].as_array().expect("a list");
        hits.iter().map(|hit| hit["img_id"].as_str().expect("a code").to_owned()).collect()
    }

    /// Adds a camera that takes the best shot, and answers its channel.
    pub async fn add_camera(&self, name: &str, url: &str, library: i64) -> i64 {
        self.add_camera_in_mode(name, url, library, 1).await
    }

    /// Adds a camera that takes the best shot (1), one every five seconds (2) or the first good one (3), and answers
    /// its channel.
    pub async fn add_camera_in_mode(&self, name: &str, url: &str, library: i64, snap_mode: u8) -> i64 {
        let request = json!({"msg_id": "513", "protocol": "rtsp", "camera_mode": "VIDEO", "camera_name": name,
            "url": url, "lib_ids": library.to_string(), "threshold": 80, "snap_mode": snap_mode});
        self.call(request).await.ok()["channel"].as_i64().expect("a channel")
    }

    /// The entry of a camera in the camera list.
    pub async fn camera(&self, channel: i64) -> Option<Value> {
        let listed = self.call(json!({"msg_id": "516"})).await.ok();
        listed["camera"].as_array()?.iter().find(|camera| camera["channel"] == channel).cloned()
    }

    /// All captures, the newest first.
    pub async fn captures(&self) -> Vec<Value> {
        let answer = self.call(json!({"msg_id": "1037", "qry_len": 50})).await.ok();
        answer["record"].as_array().expect("a list").clone()
    }

    fn with_header(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        match &self.session {
            Some(session) => request.header("sessionid", session),
            None => request,
        }
    }
}

/// The HTTP client of this test process; it takes any certificate.
pub fn http() -> &'static reqwest::Client {
    static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
    CLIENT.get_or_init(|| {
        install_crypto();
        let builder = reqwest::Client::builder().timeout(Duration::from_secs(60));
        // Connections held open for nothing would look like the daemon's leak.
        let builder = builder.pool_idle_timeout(Duration::from_secs(2));
        builder.tls_danger_accept_invalid_certs(true).build().expect("an HTTP client")
    })
}

/// A login of the administrator at the console.
pub fn console_login(client: &reqwest::Client, console: &str, password: &str) -> reqwest::RequestBuilder {
    let credentials = json!({"username": "admin", "password": password});
    let request = client.post(format!("{console}/login"));
    request.header("content-type", "application/json").body(credentials.to_string())
}

/// Chooses what encrypts; the HTTP client cannot be built without.
pub(crate) fn install_crypto() {
    // The first to install a provider wins; all install the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
