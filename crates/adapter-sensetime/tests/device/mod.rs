//! A device on fakes, reached over real sockets.

#![allow(dead_code, reason = "every test file uses another part")]

use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adapter::{Adapter, Encryption, ExportLimits, Exports, HttpsPlace, Limits, Outbound, Policy, Served, serve};
use adapter_sensetime::{Config, SenseTime};
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::{ADMIN, FakeFace, Handles, Picture, Rig, until};
use tokio::net::TcpListener;

/// Longer than any scenario takes.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(3600);

pub(crate) struct Device {
    pub(crate) address: SocketAddr,
    rig: Rig,
    session: String,
    client: reqwest::Client,
    folder: TempDir,
    /// Where it is reached over HTTPS, while it is.
    https: Arc<Mutex<Option<SocketAddr>>>,
    encrypted: bool,
}

impl Deref for Device {
    type Target = Rig;

    fn deref(&self) -> &Rig {
        &self.rig
    }
}

/// What an answer carries: its code, data and text.
pub(crate) struct Answer {
    pub(crate) code: i64,
    pub(crate) data: Value,
    pub(crate) msg: String,
}

impl Device {
    pub(crate) async fn start() -> Self {
        Self::start_on(Rig::start(testkit::options()), HEARTBEAT).await
    }

    pub(crate) async fn start_on(rig: Rig, heartbeat: Duration) -> Self {
        Self::serve(outbound(), |adapter| adapter.with_heartbeat(heartbeat), rig).await
    }

    /// Serves an adapter that `with` may change before.
    pub(crate) async fn serve(outbound: Outbound, with: impl FnOnce(SenseTime) -> SenseTime, rig: Rig) -> Self {
        Self::serve_in(tempfile::tempdir().unwrap(), outbound, with, rig, false).await
    }

    /// The same device, restarted, with a new session.
    pub(crate) async fn restart(self) -> Self {
        let handles = self.rig.stop().await;
        Self::serve_in(self.folder, outbound(), |adapter| adapter, Rig::restart(handles), self.encrypted).await
    }

    async fn serve_in(
        folder: TempDir,
        outbound: Outbound,
        with: impl FnOnce(SenseTime) -> SenseTime,
        mut rig: Rig,
        encrypted: bool,
    ) -> Self {
        let limits = ExportLimits { keep_free: 0, ..ExportLimits::default() };
        let downloads = Exports::open(folder.path().join("exports"), limits).unwrap();
        let encryption = Encryption::new(folder.path().join("tls"));
        let config = Config { channels: 16, sip_default_password: true };
        let adapter = SenseTime::new(config, rig.appliance.clone(), outbound, downloads, encryption.clone());
        let adapter = Arc::new(with(adapter));
        let routes = || adapter::noting_arrivals(adapter.routes().unwrap(), rig.appliance.clone());
        let (clear, secure) = (encryption.clear(routes()), routes());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        rig.spawn(|_, cancel| serve(listener, clear, Limits::default(), cancel));
        let https = Arc::new(Mutex::new(None));
        let known = Arc::clone(&https);
        rig.spawn(|_, cancel| async move {
            let any = HttpsPlace::WhileSwitched(SocketAddr::from(([127, 0, 0, 1], 0)));
            let changed = |served: Served| *known.lock().unwrap() = served.https;
            encryption.serve(any, secure, Limits::default(), changed, cancel).await;
        });
        rig.spawn(|appliance, cancel| async move { adapter.run(appliance, cancel).await });
        // A connection that idles while a test lets hours pass would be closed.
        let client =
            reqwest::Client::builder().tls_danger_accept_invalid_certs(true).pool_max_idle_per_host(0).build().unwrap();
        let mut device = Self { address, rig, session: String::new(), client, folder, https, encrypted };
        // One that was encrypted when it ended is so again, sooner or later.
        until("it is encrypted again", async || !encrypted || device.https_address().is_some()).await;
        device.log_in(ADMIN.1).await;
        device
    }

    /// Opens a session, in place of the one before.
    pub(crate) async fn log_in(&mut self, password: &str) {
        let login = json!({"msg_id": "257", "user_name": ADMIN.0, "user_pwd": password});
        self.session = self.ask(login).await.as_str().unwrap().to_owned();
    }

    /// Where it is reached over HTTPS.
    pub(crate) fn https_address(&self) -> Option<SocketAddr> {
        *self.https.lock().unwrap()
    }

    /// Calls go over HTTPS from now on.
    pub(crate) fn use_https(&mut self) {
        self.encrypted = true;
    }

    /// Calls go in clear from now on.
    pub(crate) fn use_http(&mut self) {
        self.encrypted = false;
    }

    pub(crate) async fn stop(self) -> Handles {
        self.rig.stop().await
    }

    pub(crate) fn url(&self, path: &str) -> String {
        match self.https_address().filter(|_| self.encrypted) {
            Some(address) => format!("https://{address}{path}"),
            None => format!("http://{}{path}", self.address),
        }
    }

    pub(crate) fn get(&self, path: &str) -> reqwest::RequestBuilder {
        self.client.get(self.url(path))
    }

    pub(crate) fn post(&self, path: &str) -> reqwest::RequestBuilder {
        self.client.post(self.url(path))
    }

    /// A request in clear, whatever the others are.
    pub(crate) fn clear_post(&self, path: &str) -> reqwest::RequestBuilder {
        self.client.post(format!("http://{}{path}", self.address))
    }

    pub(crate) fn session(&self) -> &str {
        &self.session
    }

    /// Sends a JSON call and gives what came back.
    pub(crate) async fn call(&self, body: Value) -> Answer {
        let request = self.post("/api/json").header("SessionId", &self.session).json(&body);
        Answer::of(request).await
    }

    /// Sends a JSON call with these fields and gives what came back.
    pub(crate) async fn call_with(&self, msg_id: &str, fields: &Value) -> Answer {
        let mut body = fields.clone();
        body["msg_id"] = json!(msg_id);
        self.call(body).await
    }

    /// Sends a JSON call that must succeed.
    pub(crate) async fn ask(&self, body: Value) -> Value {
        let answer = self.call(body).await;
        assert_eq!(answer.code, 0, "{}", answer.msg);
        answer.data
    }

    /// Makes a library and enrols these people into it.
    pub(crate) async fn enrol(&self, library: &str, names: &[&str]) -> i64 {
        let made = self.ask(json!({"msg_id": "1025", "lib_name": library, "lib_type": 2})).await;
        let library = made["lib_id"].as_i64().unwrap();
        for name in names {
            let photo = Part::bytes(Picture::of([FakeFace::of(name)]).jpeg().to_vec()).file_name("face.jpg");
            let form = Form::new()
                .text("msg_id", "1029")
                .text("lib_id", library.to_string())
                .text("img_id", name.to_string())
                .text("person_name", name.to_string())
                .part("img", photo);
            let request = self.post("/api/form").header("sessionid", &self.session).multipart(form);
            assert_eq!(Answer::of(request).await.code, 0);
        }
        library
    }

    /// Adds a camera before which these people pass one after the other.
    pub(crate) async fn watch(&self, libraries: &str, names: &[&str]) {
        let url = format!("rtsp://gate/{}", names.join("-"));
        self.script_visits(&url, names);
        let camera = json!({
            "msg_id": "513", "camera_mode": "VIDEO", "protocol": "rtsp", "url": url, "lib_ids": libraries,
            "threshold": 80, "camera_name": "gate", "position": "north", "snap_mode": "3",
        });
        self.ask(camera).await;
    }
}

/// Reaches this machine.
pub(crate) fn outbound() -> Outbound {
    Outbound::new(Policy { allow_private: true, allow_loopback: true }).unwrap()
}

impl Answer {
    pub(crate) async fn of(request: reqwest::RequestBuilder) -> Self {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let body: Value = answer.json().await.unwrap();
        let msg = body["msg"].as_str().unwrap().to_owned();
        Self { code: body["code"].as_i64().unwrap(), data: body["data"].clone(), msg }
    }
}
