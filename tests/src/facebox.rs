//! A client of the face box API, as a platform would write one.

use std::net::SocketAddr;
use std::path::Path;

use md5::{Digest, Md5};
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::client::http;

/// A client with a session.
#[derive(Clone)]
pub struct FaceBox {
    address: SocketAddr,
    session: String,
}

impl FaceBox {
    /// A client that has logged in.
    pub async fn log_in(address: SocketAddr, user: &str, password: &str) -> Self {
        let mut client = Self { address, session: String::new() };
        let login = json!({"username": user, "password": hex::encode(Md5::digest(password))});
        client.session = client.ok("/Login", login).await["session"].as_str().expect("a session").to_owned();
        client
    }

    /// A call that must succeed, and the whole answer.
    pub async fn ok(&self, path: &str, mut fields: Value) -> Value {
        fields["session"] = json!(self.session);
        let request = http().post(format!("http://{}{path}", self.address)).json(&fields);
        let answer: Value = request.send().await.expect("the device answers").json().await.expect("JSON");
        assert_eq!(answer["code"], 0, "{path}: {answer}");
        answer
    }

    /// The entries of a list, the first hundred.
    pub async fn list(&self, path: &str) -> Vec<Value> {
        let answer = self.ok(path, json!({"page_no": 1, "page_size": 100})).await;
        answer["info"]["items"].as_array().expect("a list").clone()
    }

    /// The entry of this name in a list.
    pub async fn entry(&self, path: &str, name: &str) -> Value {
        let found = self.list(path).await.into_iter().find(|entry| entry["name"] == name);
        found.unwrap_or_else(|| panic!("{path} has no {name}"))
    }

    /// Makes a library and answers its id.
    pub async fn add_library(&self, name: &str) -> Value {
        self.ok("/AddLibrary", json!({"name": name, "type": 0})).await;
        self.entry("/QueryLibraryList", name).await["lib_id"].clone()
    }

    /// Enrols a person with the photo in this file.
    pub async fn add_person(&self, library: &Value, name: &str, photo: &Path) {
        let photo = Part::bytes(std::fs::read(photo).expect("a photo")).file_name("photo.jpg");
        let form = Form::new().text("session", self.session.clone()).part("file", photo);
        let url = format!("http://{}/UploadPersonPicture", self.address);
        let answer = http().post(url).multipart(form).send().await.expect("the device answers");
        let kept: Value = answer.json().await.expect("JSON");
        assert_eq!(kept["code"], 0, "{kept}");
        self.ok("/AddPerson", json!({"lib_id": library, "name": name, "pic_url": kept["pic_url"]})).await;
    }

    /// Adds a camera and answers its id.
    pub async fn add_camera(&self, name: &str, url: &str) -> Value {
        self.ok("/AddCamera", json!({"name": name, "rtsp": url})).await;
        self.entry("/QueryCameraList", name).await["camera_id"].clone()
    }

    /// Makes a task with these fields, starts it and answers its id.
    pub async fn run_task(&self, fields: Value) -> Value {
        let name = fields["name"].as_str().expect("a name").to_owned();
        self.ok("/AddTask", fields).await;
        let id = self.entry("/QueryTaskList", &name).await["task_id"].clone();
        self.ok("/StartTask", json!({"task_id": id})).await;
        id
    }
}
