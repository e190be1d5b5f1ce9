//! Digest (chapter 1), and what never reaches an operation.

use std::sync::Arc;
use std::time::Duration;

use domain::Role;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use testkit::ADMIN;
use testkit::contract::Ledger;

use crate::device::{Device, Login, full};

const LIST: &str = "/algo/list";

impl Device {
    /// A request with this Authorization field.
    async fn call_with(&self, authorization: Option<&str>) -> Response {
        let mut request = self.client().post(self.url(&full(LIST)));
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        request.send().await.unwrap()
    }

    /// The Authorization field of the next request of a login that was challenged.
    async fn next(&self, login: &Login) -> String {
        login.answer(&Method::POST, &full(LIST)).await.unwrap()
    }

    /// Has a login take up the challenge that a request without one gets.
    async fn challenge(&self, login: &Login) {
        login.take_up(&challenge_of(&self.call_with(None).await)).await;
    }
}

fn challenge_of(response: &Response) -> String {
    response.headers()[WWW_AUTHENTICATE].to_str().unwrap().to_owned()
}

fn is_stale(response: &Response) -> bool {
    challenge_of(response).ends_with("stale=\"TRUE\"")
}

/// The code of a refusal of a login, and whether the login was right.
async fn refusal(response: Response) -> (i64, bool) {
    assert_eq!(response.status(), 401);
    let stale = is_stale(&response);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["status_code"], 401);
    (body["code"].as_i64().unwrap(), stale)
}

pub(crate) async fn a_request_without_a_digest_gets_the_challenge_of_the_document(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let response = device.call_with(None).await;
    assert_eq!(response.status(), 401);
    let challenge = challenge_of(&response);
    let nonce = challenge.split('"').nth(7).unwrap().to_owned();
    assert!(nonce.parse::<u64>().is_ok(), "{challenge}");
    let expected = r#"Digest qop="auth",algorithm="MD5",realm="NVRDVR",nonce="1923473498",stale="FALSE""#;
    assert_eq!(challenge.replace(&nonce, "1923473498"), expected);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body, json!({"code": 3, "msg": "Not Authorized", "status_code": 401}));
    device.note_refusal(LIST, &body, 3, &json!({}));
    for other in ["Basic YWRtaW46QWRtaW5fMTIz", "Digest", "Digest username=\"admin\"", "Digest username=\"a"] {
        assert_eq!(refusal(device.call_with(Some(other)).await).await, (3, false), "{other}");
    }
    let large = vec![b' '; 4 << 20];
    let refused = device.client().post(device.url(&full("/person/import"))).body(large).send().await;
    // Nothing is read for a stranger: the connection may be closed over the body.
    assert!(refused.is_err() || refused.unwrap().status() == 401);
    device.stop().await;
}

pub(crate) async fn a_nonce_serves_many_requests_and_connections(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let login = Login::of(ADMIN.0, ADMIN.1);
    device.challenge(&login).await;
    for _ in 0..5 {
        let response = device.call_with(Some(&device.next(&login).await)).await;
        assert_eq!(response.status(), 200);
    }
    // Counts may be left out, and hexadecimal digits and names may have either case.
    device.next(&login).await;
    let spelled = device.next(&login).await.replace("Digest ", "digest   ").replace(", ", " , ");
    assert_eq!(device.call_with(Some(&spelled)).await.status(), 200);
    device.stop().await;
}

pub(crate) async fn a_captured_request_cannot_be_replayed(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let login = Login::of(ADMIN.0, ADMIN.1);
    device.challenge(&login).await;
    let captured = device.next(&login).await;
    assert_eq!(device.call_with(Some(&captured)).await.status(), 200);
    assert_eq!(refusal(device.call_with(Some(&captured)).await).await, (3, true));
    let later = device.next(&login).await;
    let refused = device.call_with(Some(&later)).await;
    login.take_up(&challenge_of(&refused)).await;
    assert_eq!(refusal(refused).await, (3, true), "the nonce is void");
    assert_eq!(device.call_with(Some(&device.next(&login).await)).await.status(), 200);
    // Of another path.
    let elsewhere = login.answer(&Method::POST, &full("/device/get")).await.unwrap();
    assert_eq!(refusal(device.call_with(Some(&elsewhere)).await).await, (3, false));
    device.stop().await;
}

pub(crate) async fn a_nonce_is_replaced_after_five_minutes(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let login = Login::of(ADMIN.0, ADMIN.1);
    device.challenge(&login).await;
    assert_eq!(device.call_with(Some(&device.next(&login).await)).await.status(), 200);
    device.pass(Duration::from_secs(300)).await;
    let refused = device.call_with(Some(&device.next(&login).await)).await;
    login.take_up(&challenge_of(&refused)).await;
    assert_eq!(refusal(refused).await, (3, true));
    assert_eq!(device.call_with(Some(&device.next(&login).await)).await.status(), 200);
    device.stop().await;
}

pub(crate) async fn clients_use_nonces_of_their_own_side_by_side(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let (one, other) = (Login::of(ADMIN.0, ADMIN.1), Login::of(ADMIN.0, ADMIN.1));
    device.challenge(&one).await;
    device.challenge(&other).await;
    for login in [&one, &other, &one, &other] {
        // A 401 to somebody else voids no nonce.
        device.call_with(None).await;
        assert_eq!(device.call_with(Some(&device.next(login).await)).await.status(), 200);
    }
    device.stop().await;
}

pub(crate) async fn the_path_may_be_proved_without_its_query(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let login = Login::of(ADMIN.0, ADMIN.1);
    device.challenge(&login).await;
    let target = format!("{}?a=1&b=/x", full(LIST));
    for (proved, status) in [(target.clone(), 200), (full(LIST), 200), (format!("{}?a=2", full(LIST)), 401)] {
        let proof = login.answer(&Method::POST, &proved).await.unwrap();
        let response = device.client().post(device.url(&target)).header(AUTHORIZATION, proof).send().await.unwrap();
        assert_eq!(response.status(), status, "{proved}");
    }
    device.stop().await;
}

pub(crate) async fn wrong_logins_are_refused_and_lock_the_user(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    for (user, password) in [(ADMIN.0, "wrong"), ("nobody", ADMIN.1)] {
        let login = Login::of(user, password);
        device.challenge(&login).await;
        let body: Value = device.call_with(Some(&device.next(&login).await)).await.json().await.unwrap();
        assert_eq!(device.note_common(LIST, &body), 1000);
    }
    let wrong = Login::of(ADMIN.0, "wrong");
    device.challenge(&wrong).await;
    let mut codes = Vec::new();
    for _ in 0..4 {
        codes.push(refusal(device.call_with(Some(&device.next(&wrong).await)).await).await.0);
    }
    assert_eq!(codes, [1000; 4], "the fifth wrong answer for this user locks");
    let right = Login::of(ADMIN.0, ADMIN.1);
    device.challenge(&right).await;
    assert_eq!(refusal(device.call_with(Some(&device.next(&right).await)).await).await, (1004, false));
    let body: Value = device.call_with(Some(&device.next(&right).await)).await.json().await.unwrap();
    assert_eq!(device.note_common(LIST, &body), 1004);
    device.stop().await;
}

pub(crate) async fn pages_of_other_sites_are_refused(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let request = || device.client().post(device.url(&full(LIST))).json(&json!({"page": 1, "pagesize": 5}));
    let response = device.send_as(device.admin(), request().header("Origin", "http://evil.example")).await;
    assert_eq!(response.status(), 403);
    let body: Value = response.json().await.unwrap();
    assert_eq!(device.note_common(LIST, &body), 1001);
    assert_eq!(device.send_as(device.admin(), request()).await.status(), 200);
    device.stop().await;
}

pub(crate) async fn users_may_do_what_their_role_allows(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let root = testkit::actor("root");
    device.appliance.by(&root).create_account("viewer", Role::Viewer, "Viewer_123").await.unwrap();
    let viewer = Login::of("viewer", "Viewer_123");
    let send = async |path: &str, fields: Value| -> Value {
        let request = device.client().post(device.url(&full(path))).json(&fields);
        device.send_as(&viewer, request).await.json().await.unwrap()
    };
    assert_eq!(send("/personlib/list", json!({"page": 1, "pagesize": 5})).await["code"], 0);
    for (path, fields) in [
        ("/personlib/add", json!({"lib_name": "staff"})),
        ("/device/update", json!({"device_name": "a", "device_code": 1})),
        ("/channel/delete", json!({"channel_id_list": [1]})),
        ("/upgrade", json!({})),
    ] {
        let answer = send(path, fields).await;
        assert_eq!((device.note_common(path, &answer), &answer["status_code"]), (1001, &json!(0)), "{path}");
    }
    device.stop().await;
}

pub(crate) async fn unknown_paths_and_methods_are_refused(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let unknown = device.url(&full("/nothing/here"));
    assert_eq!(device.client().post(&unknown).send().await.unwrap().status(), 401);
    let response = device.send_as(device.admin(), device.client().post(&unknown)).await;
    assert_eq!(response.status(), 404);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body, json!({"code": 4, "msg": "Not Supported", "status_code": 404}));
    let response = device.send_as(device.admin(), device.client().get(device.url(&full(LIST)))).await;
    assert_eq!(response.status(), 405);
    assert_eq!(response.json::<Value>().await.unwrap()["status_code"], 405);
    device.stop().await;
}

pub(crate) async fn broken_bodies_are_refused(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let send = async |path: &str, content_type: &str, body: &'static [u8]| {
        let request = device.client().post(device.url(&full(path))).header(CONTENT_TYPE, content_type).body(body);
        device.send_as(device.admin(), request).await
    };
    // Whatever the Content-Type says, and without a body where there are no fields.
    for body in [&b""[..], b"{}", b" \n", b"\xef\xbb\xbf{\"unknown\": 1,}\0"] {
        assert_eq!(send(LIST, "text/plain", body).await.json::<Value>().await.unwrap()["code"], 0);
    }
    for body in [&b"{"[..], b"[]", b"7", b"\xff\xfe", b"{\"page\": {}, \"pagesize\": []}"] {
        let response = send("/personlib/list", "application/json", body).await;
        assert_eq!(response.status(), 200);
        let answer: Value = response.json().await.unwrap();
        device.note_refusal("/personlib/list", &answer, 2, &json!(body));
    }
    static LARGE: [u8; 2 << 20] = [b' '; 2 << 20];
    let response = send("/personlib/list", "application/json", &LARGE).await;
    assert_eq!(response.status(), 413);
    assert_eq!(
        response.json::<Value>().await.unwrap(),
        json!({"code": 2, "msg": "Invalid Arguments", "status_code": 413})
    );
    device.stop().await;
}
