//! Raw calls of the interfaces with sessions, for callers whose session may have ended.

use serde_json::{Value, json};

use crate::Device;
use crate::client::http;

impl Device {
    /// A call of the face box interface with a session, whatever the answer.
    pub async fn facebox(&self, session: &str, path: &str, mut fields: Value) -> Value {
        fields["session"] = json!(session);
        let url = format!("http://{}{path}", self.listener("facebox"));
        let answer = http().post(url).json(&fields).send().await.expect("the device answers");
        answer.json().await.expect("JSON")
    }

    /// Logs in at the face box interface; the session.
    pub async fn facebox_session(&self, user: &str, password: &str) -> String {
        use md5::{Digest, Md5};
        let login = json!({"username": user, "password": hex::encode(Md5::digest(password))});
        let answer = self.facebox("", "/Login", login).await;
        answer["session"].as_str().unwrap_or_else(|| panic!("no session: {answer}")).to_owned()
    }

    /// Logs in at the console; the cookie.
    pub async fn console_cookie(&self, user: &str, password: &str) -> String {
        let url = format!("http://{}/login", self.listener("console"));
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
        let request = client.post(url).json(&json!({"username": user, "password": password}));
        let answer = request.send().await.expect("the device answers");
        assert_eq!(answer.status(), 303, "the console takes the login");
        let cookie = answer.headers()["set-cookie"].to_str().expect("text");
        cookie.split(';').next().unwrap_or_default().to_owned()
    }

    /// The HTTP status of a page of the console with a cookie.
    pub async fn console_status(&self, cookie: &str, path: &str) -> u16 {
        let url = format!("http://{}{path}", self.listener("console"));
        let answer = http().get(url).header("cookie", cookie).send().await.expect("the device answers");
        answer.status().as_u16()
    }
}
