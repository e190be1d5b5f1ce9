//! Callers who mean harm, or know no better: nothing they send changes anything, and the device lives on.

use std::sync::Arc;

use serde_json::{Value, json};
use testkit::contract::Ledger;

use crate::device::Answer;
use crate::witness::{Witness, base64, photo};

/// A valid call of every operation with fields.
fn calls() -> Vec<(&'static str, Value)> {
    let picture = || base64(&photo("bob"));
    vec![
        ("login", json!({"user_name": "admin", "user_pwd": "Admin_1234"})),
        ("add_lib", json!({"lib_name": "new", "lib_type": 2})),
        ("delete_lib", json!({"lib_id": 2})),
        ("update_lib", json!({"lib_id": 2, "lib_name": "new", "lib_type": 2})),
        ("get_face", json!({"lib_id": 2, "img_id": "alice"})),
        ("delete_face", json!({"lib_id": 2, "img_id": "alice"})),
        ("add_face_base64", json!({"lib_id": 2, "img": picture()})),
        ("query_faces", json!({"lib_id": 2})),
        ("add_faces_batch_base64", json!({"lib_id": 2, "uuid": "a", "imgs": [{"filename": "bob.jpg", "data": ""}]})),
        ("delete_faces_batch", json!({"lib_id": 2, "img_ids": "alice"})),
        ("export_faces_page", json!({"lib_id": 2})),
        ("export_faces_selected", json!({"lib_id": 2, "img_ids": "alice"})),
        ("export_alarms_page", json!({"lib_ids": "2"})),
        ("export_snaps_selected", json!({"snap_ids": "a"})),
        ("export_body_snaps_selected", json!({"snap_ids": "a"})),
        (
            "add_camera_rtsp",
            json!({"camera_mode": "VIDEO", "url": "rtsp://a", "threshold": 80,
            "camera_name": "a", "snap_mode": 1}),
        ),
        (
            "add_camera_onvif",
            json!({"camera_mode": "VIDEO", "ip": "a", "port": 80, "camera_user": "a",
            "camera_pwd": "a", "threshold": 80, "camera_name": "a", "snap_mode": 1}),
        ),
        (
            "add_camera_gb28181",
            json!({"camera_mode": "VIDEO", "ip": "a", "port": 80, "server_sip_id": "1", "camera_sip_id": "1",
            "threshold": 80, "camera_name": "a", "snap_mode": 1}),
        ),
        (
            "add_camera_image",
            json!({"camera_mode": "IMAGE", "ip": "a", "port": 80, "camera_user": "a", "camera_pwd": "a",
            "threshold": 80, "camera_name": "a"}),
        ),
        ("update_camera_rtsp", json!({"channel": 1})),
        ("delete_camera", json!({"channel": 1})),
        ("detect_face_base64", json!({"img": picture()})),
        ("compare_1_to_1_base64", json!({"img_1": picture(), "img_2": picture()})),
        ("compare_1_to_n_base64", json!({"lib_ids": "2", "img": picture()})),
        ("set_http_push", json!({"url": "http://127.0.0.1:9/", "key": "k"})),
    ]
}

/// What no field can be.
fn poisons() -> Vec<Value> {
    let deep = (0..60).fold(json!(1), |inner, _| json!([inner]));
    vec![json!(null), json!([]), json!({}), json!([1, "a"]), json!({"a": {"b": 1}}), json!(true), deep]
}

/// What no number can be; text may be a number.
fn poisons_of_numbers() -> Vec<Value> {
    vec![
        json!(1.5),
        json!(1e300),
        json!(-1),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(""),
        json!("1 2"),
        json!("9".repeat(400)),
    ]
}

const NUMBERS: [&str; 5] = ["lib_type", "channel", "port", "threshold", "snap_mode"];

pub(crate) async fn fields_of_any_wrong_type_change_nothing(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let library = witness.library("staff", &["alice"]).await;
    assert_eq!(library, 2, "as the calls have it");
    witness.device.watch("2", &[]).await;
    let before = witness.everything().await;
    for (act, call) in calls() {
        for field in call.as_object().unwrap().keys() {
            let more = if NUMBERS.contains(&field.as_str()) { poisons_of_numbers() } else { Vec::new() };
            for poison in poisons().into_iter().chain(more) {
                let mut body = call.clone();
                body[field] = poison;
                // What is no picture may be called a wrong parameter or a broken picture.
                let codes: &[i64] = if field.starts_with("img") { &[-3596, -1104] } else { &[-3596] };
                witness.refused_with_one_of(act, body, codes).await;
            }
        }
    }
    assert_eq!(witness.everything().await, before);
    witness.stop().await;
}

pub(crate) async fn broken_bodies_change_nothing(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    witness.library("staff", &["alice"]).await;
    let before = witness.everything().await;
    let deep = format!("{{\"msg_id\": {}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let long = json!({"msg_id": witness.id("add_lib"), "lib_name": "x".repeat(1 << 20), "lib_type": 2}).to_string();
    for (body, code) in [
        (String::new(), -3596),
        ("{\"msg_id\": \"1025\", \"lib_na".to_owned(), -3596),
        ("\u{0}\u{1}".to_owned(), -3596),
        ("null".to_owned(), -3596),
        (deep, -3596),
        (long, -3596),
        ("{}".to_owned(), -3599),
        (json!({"msg_id": "4711"}).to_string(), -3599),
        (json!({"msg_id": {}}).to_string(), -3599),
        (json!({"msg_id": -1}).to_string(), -3599),
    ] {
        let request = witness.device.post("/api/json").header("sessionid", witness.device.session());
        let answer = Answer::of(request.header("content-type", "application/json").body(body.clone())).await;
        witness.note_refusal("add_lib", &answer, code, &body.chars().take(60).collect::<String>());
    }
    for form in truncated_forms(witness.id("add_face")) {
        let request = witness.device.post("/api/form").header("sessionid", witness.device.session());
        let request = request.header("content-type", "multipart/form-data; boundary=XX").body(form.clone());
        let answer = Answer::of(request).await;
        assert_ne!(answer.code, 0);
        witness.note_refusal("add_face", &answer, -3596, &String::from_utf8_lossy(&form[..form.len().min(200)]));
    }
    assert_eq!(witness.everything().await, before);
    witness.stop().await;
}

/// A good form with a face cut off at many places.
fn truncated_forms(add_face: &str) -> Vec<Vec<u8>> {
    let mut form = Vec::new();
    for (name, value) in [("msg_id", add_face), ("lib_id", "2"), ("img_id", "bob")] {
        form.extend(format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes());
    }
    form.extend(b"--XX\r\nContent-Disposition: form-data; name=\"img\"; filename=\"a.png\"\r\n\r\n");
    form.extend(photo("bob"));
    form.extend(b"\r\n--XX--\r\n");
    let whole = form.len() - 8;
    (0..20).map(|n| form[..whole * n / 19].to_vec()).collect()
}
