//! Logging in, sessions, and bodies that are none.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::ADMIN;
use testkit::contract::Ledger;

use crate::device::{Device, answer, md5};

/// What a call is made with.
type Fields = fn() -> Value;

/// Every call with a JSON body but the login.
pub(crate) const CALLS: &[(&str, Fields)] = &[
    ("/RegisterUser", || json!({"name": "a", "password": "a"})),
    ("/UpdateUser", || json!({"user_id": 1})),
    ("/DeleteUser", || json!({"user_id": 99})),
    ("/DownloadPersonPicture", || json!({"pic_url": "a"})),
    ("/DeletePicture", || json!({"pic_url": "a"})),
    ("/AddLibrary", || json!({"name": "a", "type": 0})),
    ("/DeleteLibrary", || json!({"lib_id": 1})),
    ("/QueryLibraryList", || json!({"page_no": 1, "page_size": 1})),
    ("/AddPerson", || json!({"lib_id": 1, "name": "a", "pic_url": "a"})),
    ("/DeletePerson", || json!({"lib_id": 1, "person_id": 1})),
    ("/UpdatePerson", || json!({"lib_id": 1, "person_id": 1})),
    ("/QueryPersonList", || json!({"page_no": 1, "page_size": 1})),
    ("/AddCamera", || json!({"name": "a", "rtsp": "rtsp://a"})),
    ("/DeleteCamera", || json!({"camera_id": 1})),
    ("/UpdateCamera", || json!({"camera_id": 1})),
    ("/QueryCameraList", || json!({"page_no": 1, "page_size": 1})),
    ("/AddTask", || json!({"name": "a", "camera_list1": "1", "lib_list": "1", "interval": 1, "threshold": 1})),
    ("/DeleteTask", || json!({"task_id": 1})),
    ("/UpdateTask", || json!({"task_id": 1})),
    ("/QueryTaskList", || json!({"page_no": 1, "page_size": 1})),
    ("/StartTask", || json!({"task_id": 1})),
    ("/StopTask", || json!({"task_id": 1})),
    ("/Compare1V1", || json!({"first_pic": "a", "second_pic": "b"})),
    ("/UpdateSystemConfig", || json!({"name": "StorageServer", "config": "{}"})),
    ("/GetSystemConfig", || json!({"name": "StorageServer"})),
    ("/QueryTaskCaptureRecord", || json!({"page_no": 1, "page_size": 1})),
    ("/DeleteTaskCaptureRecord", || json!({"record_id": 1})),
];

pub(crate) async fn a_session_is_opened_with_the_md5_of_the_password(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    for password in [md5(ADMIN.1), md5(ADMIN.1).to_uppercase(), format!("md5-{}", md5(ADMIN.1))] {
        let login = json!({"username": ADMIN.0, "password": password});
        let answer = device.note_success("/Login", device.send("/Login", &login).await);
        assert_eq!((&answer["info"]["session"], &answer["info"]["user_id"]), (&answer["session"], &answer["user_id"]));
        let session = answer["session"].as_str().unwrap();
        assert!(session.len() == 32 && session.bytes().all(|byte| byte.is_ascii_hexdigit()), "{session}");
        device.ok("/QueryLibraryList", json!({"session": session, "page_no": 1, "page_size": 1})).await;
    }
    device.ok("/QueryLibraryList", json!({"page_no": 1, "page_size": 1})).await;
    device.stop().await;
}

pub(crate) async fn a_wrong_login_opens_nothing(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    for (login, code) in [
        (json!({"username": "nobody", "password": md5(ADMIN.1)}), 100),
        (json!({"username": ADMIN.0, "password": ADMIN.1}), 3),
        (json!({"username": ADMIN.0}), 3),
        (json!({"password": md5(ADMIN.1)}), 3),
        (json!({"username": 7, "password": md5(ADMIN.1)}), 3),
        (json!({"username": ADMIN.0, "password": md5("wrong")}), 102),
    ] {
        let answer = device.note_refusal("/Login", device.send("/Login", &login).await, code, &login);
        assert_eq!((&answer["user_id"], answer.get("session")), (&json!(0), None), "{login}");
    }
    let login = |password: &str| json!({"username": ADMIN.0, "password": md5(password)});
    for _ in 0..5 {
        assert_eq!(device.send("/Login", &login("wrong")).await["code"], 102);
    }
    assert_eq!(device.send("/Login", &login(ADMIN.1)).await["code"], 102, "locked for a while");
    device.stop().await;
}

pub(crate) async fn calls_need_a_session(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    for (path, fields) in CALLS {
        for session in [json!(null), json!(7)] {
            let mut body = fields();
            body["session"] = session;
            let answer = device.send(path, &body).await;
            let answer = device.note_refusal(path, answer, 3, &body);
            assert_eq!(answer["msg"], "Invalid para: session");
        }
        let mut body = fields();
        body["session"] = json!("0".repeat(32));
        device.refused(path, body, 5).await;
    }
    device.refused("/AddLibrary", json!({"session": "unknown"}), 3).await;
    device.stop().await;
}

pub(crate) async fn broken_bodies_are_refused(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    for path in CALLS.iter().map(|(path, _)| *path).chain(["/Login"]) {
        for body in ["", "{", "[]", "7", "null", "session=1"] {
            let answer = answer(device.client().post(device.url(path)).body(body)).await;
            device.note_refusal(path, answer, 2, &json!(body));
        }
        let answer = answer(device.client().get(device.url(path))).await;
        device.note_refusal(path, answer, 2, &json!("GET"));
    }
    let large = format!("{{\"name\": \"{}\"}}", "x".repeat(2 << 20));
    let answer = answer(device.client().post(device.url("/AddLibrary")).body(large)).await;
    device.note_refusal("/AddLibrary", answer, 2, &json!("large"));
    device.stop().await;
}

pub(crate) async fn the_session_may_be_anywhere_in_a_large_body(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let (session, padding) = (device.session(), "x".repeat(500_000));
    for (name, body) in [
        ("first", format!(r#"{{"session": "{session}", "name": "first", "type": 0, "padding": "{padding}"}}"#)),
        ("last", format!(r#"{{"name": "last", "type": 0, "padding": "{padding}", "session": "{session}"}}"#)),
    ] {
        let answer = answer(device.client().post(device.url("/AddLibrary")).body(body)).await;
        assert_eq!(answer["code"], 0, "{name}: {answer}");
    }
    device.stop().await;
}

pub(crate) async fn pages_of_other_sites_log_nobody_in(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let login = json!({"username": ADMIN.0, "password": md5(ADMIN.1)});
    let request = device.client().post(device.url("/Login")).header("Origin", "http://evil.example");
    let answer = answer(request.json(&login)).await;
    let answer = device.note_refusal("/Login", answer, 2, &login);
    assert_eq!(answer.get("session"), None);
    device.stop().await;
}

pub(crate) async fn what_is_no_path_is_not_implemented(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    for path in ["/", "/login", "/Login/", "/Nothing"] {
        let answer = device.client().post(device.url(path)).json(&json!({})).send().await.unwrap();
        assert_eq!(answer.status(), 501, "{path}");
        assert!(answer.bytes().await.unwrap().is_empty());
    }
    device.stop().await;
}

pub(crate) async fn a_session_ends_after_a_day_without_a_call(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let list = || json!({"page_no": 1, "page_size": 1});
    for _ in 0..2 {
        device.pass(Duration::from_secs(23 * 3600)).await;
        device.ok("/QueryLibraryList", list()).await;
    }
    device.pass(Duration::from_secs(24 * 3600)).await;
    device.refused("/QueryLibraryList", list(), 5).await;
    device.stop().await;
}
