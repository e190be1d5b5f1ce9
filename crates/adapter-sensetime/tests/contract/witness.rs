//! A device whose every answer is held against the catalogue.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use domain::{Limits, Options};
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use testkit::Rig;
use testkit::contract::{Ledger, Rules};
pub(crate) use testkit::portrait as photo;

use crate::device::{Answer, Device, HEARTBEAT};

/// What the catalogue leaves to the reader.
pub(crate) const RULES: Rules = Rules {
    kind_of,
    attributes: &[("face_attr", "face_attr"), ("attribute", "face_attr"), ("body_attr", "body_attr")],
    ..Rules::NONE
};

/// The kind of an entry of the list of cameras.
fn kind_of(entry: &Value) -> Option<&'static str> {
    match (entry.get("camera_mode")?.as_str()?, entry.get("protocol").and_then(Value::as_str)) {
        ("IMAGE", _) => Some("image"),
        (_, Some("onvif")) => Some("onvif"),
        (_, Some("GB28181")) => Some("gb28181"),
        (_, _) => Some("rtsp"),
    }
}

pub(crate) struct Witness {
    pub(crate) device: Device,
    pub(crate) ledger: Arc<Ledger>,
}

impl Witness {
    pub(crate) async fn start(ledger: &Arc<Ledger>) -> Self {
        Self { device: Device::start().await, ledger: Arc::clone(ledger) }
    }

    /// A device with room for less.
    pub(crate) async fn start_with(ledger: &Arc<Ledger>, limits: Limits) -> Self {
        Self::start_of(ledger, Options { limits, ..testkit::options() }).await
    }

    /// A device with other options.
    pub(crate) async fn start_of(ledger: &Arc<Ledger>, options: Options) -> Self {
        let device = Device::start_on(Rig::start(options), HEARTBEAT).await;
        Self { device, ledger: Arc::clone(ledger) }
    }

    /// The same device, ended as by a crash and started again, with a new session.
    pub(crate) async fn restart(self) -> Self {
        Self { device: self.device.restart().await, ledger: self.ledger }
    }

    /// Lets the time pass; sockets need it to run otherwise.
    pub(crate) async fn pass(&self, time: Duration) {
        tokio::time::pause();
        tokio::time::advance(time).await;
        tokio::time::resume();
    }

    pub(crate) async fn stop(self) {
        self.device.stop().await;
    }

    /// The message number of an act, which is an operation by its name in the catalogue.
    pub(crate) fn id(&self, act: &str) -> &str {
        self.ledger.operation(act).0
    }

    /// A call, and what came back, whatever it is.
    pub(crate) async fn call(&self, act: &str, fields: &Value) -> Answer {
        self.device.call_with(self.id(act), fields).await
    }

    /// A call that must succeed, and its data.
    pub(crate) async fn ok(&self, act: &str, fields: Value) -> Value {
        self.note_success(act, self.call(act, &fields).await)
    }

    /// A call that must be refused with this code.
    pub(crate) async fn refused(&self, act: &str, fields: Value, code: i64) {
        self.refused_with_one_of(act, fields, &[code]).await;
    }

    /// A call that must be refused with one of these codes.
    pub(crate) async fn refused_with_one_of(&self, act: &str, fields: Value, codes: &[i64]) {
        let said = format!("{act} {fields}");
        let answer = self.call(act, &fields).await;
        let code = codes.iter().find(|code| **code == answer.code).unwrap_or(&codes[0]);
        self.note_refusal(act, &answer, *code, &said);
    }

    /// A form with pictures that must succeed, and its data.
    pub(crate) async fn ok_form(&self, act: &str, fields: Value, files: &[(&'static str, Bytes)]) -> Value {
        self.note_success(act, self.send_form(act, &fields, files).await)
    }

    /// A form with pictures that must be refused with this code.
    pub(crate) async fn refused_form(&self, act: &str, fields: Value, files: &[(&'static str, Bytes)], code: i64) {
        let answer = self.send_form(act, &fields, files).await;
        self.note_refusal(act, &answer, code, &format!("{act} {fields}"));
    }

    /// A form with pictures under these file names, in the parts `img_1`, `img_2` and so on.
    pub(crate) async fn send_batch(&self, act: &str, fields: Value, files: &[(&str, Bytes)]) -> Answer {
        let files = (1..).zip(files).map(|(number, (file, bytes))| (format!("img_{number}"), *file, bytes.clone()));
        self.send_parts(act, &fields, files).await
    }

    async fn send_form(&self, act: &str, fields: &Value, files: &[(&'static str, Bytes)]) -> Answer {
        let files = files.iter().map(|(name, bytes)| ((*name).to_owned(), "picture.png", bytes.clone()));
        self.send_parts(act, fields, files).await
    }

    async fn send_parts<'a>(
        &self,
        act: &str,
        fields: &Value,
        files: impl Iterator<Item = (String, &'a str, Bytes)>,
    ) -> Answer {
        let mut form = Form::new().text("msg_id", self.id(act).to_owned());
        for (name, value) in fields.as_object().unwrap() {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            form = form.text(name.clone(), text);
        }
        for (name, file_name, bytes) in files {
            form = form.part(name, Part::bytes(bytes.to_vec()).file_name(file_name.to_owned()));
        }
        let request = self.device.post("/api/form").header("sessionid", self.device.session()).multipart(form);
        Answer::of(request).await
    }

    pub(crate) fn note_success(&self, act: &str, answer: Answer) -> Value {
        assert_eq!((answer.code, answer.msg.as_str()), (0, ""), "{act}");
        let (id, variant) = self.ledger.operation(act);
        let checked = self.ledger.answer(id, variant, Some(&answer.data));
        assert_eq!(checked, Ok(()), "{act}: {}", answer.data);
        answer.data
    }

    pub(crate) fn note_refusal(&self, act: &str, answer: &Answer, code: i64, said: &str) {
        assert_eq!((answer.code, &answer.data), (code, &json!("")), "{said}: {}", answer.msg);
        let (id, variant) = self.ledger.operation(act);
        let checked = self.ledger.refusal(id, variant, code, &answer.msg);
        assert_eq!(checked, Ok(()), "{said}");
    }

    /// GET of a path from an answer: status and bytes.
    pub(crate) async fn download(&self, path: &str, session: &str) -> (u16, Bytes) {
        let answer = self.device.get(&format!("/ws/{path}")).header("sessionid", session).send().await.unwrap();
        (answer.status().as_u16(), answer.bytes().await.unwrap())
    }

    /// The rows of a table, its header first; the mark at its beginning must be there.
    pub(crate) async fn table(&self, path: &str) -> Vec<Vec<String>> {
        let (status, table) = self.download(path, self.device.session()).await;
        assert_eq!(status, 200, "{path}");
        rows(&table)
    }

    /// All that a call could change: libraries, people, cameras, the receiver.
    pub(crate) async fn everything(&self) -> Value {
        let libraries = self.ok("list_libs", json!({})).await;
        let mut people = Vec::new();
        for library in libraries.as_array().unwrap() {
            people.push(self.ok("query_faces", json!({"lib_id": library["lib_id"], "qry_len": 50})).await);
        }
        let mut cameras = self.ok("list_cameras", json!({})).await;
        for camera in cameras["camera"].as_array_mut().unwrap() {
            camera["status"] = json!("changes by itself");
        }
        json!([libraries, people, cameras, self.ok("get_http_push", json!({})).await])
    }

    /// Makes a library, and enrols these people into it.
    pub(crate) async fn library(&self, name: &str, people: &[&str]) -> i64 {
        self.device.enrol(name, people).await
    }
}

/// A picture as base64 calls want it.
pub(crate) fn base64(picture: &[u8]) -> Value {
    json!({"filename": "picture.png", "data": STANDARD.encode(picture)})
}

/// The rows of a CSV file that spreadsheets know for UTF-8.
pub(crate) fn rows(table: &[u8]) -> Vec<Vec<String>> {
    let table = table.strip_prefix("\u{feff}".as_bytes()).expect("a byte order mark");
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(table);
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

/// The values of a field in a list of rows.
pub(crate) fn column(rows: &Value, field: &str) -> Vec<Value> {
    rows.as_array().unwrap().iter().map(|row| row[field].clone()).collect()
}
