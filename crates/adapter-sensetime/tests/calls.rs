//! Calls as they come from clients that are mistaken, old or hostile, and downloads.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests panic like tests do")]

mod device;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use device::{Answer, Device, outbound};
use reqwest::StatusCode;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use testkit::{DEADLINE, FakeFace, Picture, Rig, actor};
use tokio::time::timeout;

fn base64(picture: &[u8]) -> Value {
    json!({"filename": "a.png", "data": STANDARD.encode(picture)})
}

fn face(name: &str) -> Value {
    base64(&Picture::of([FakeFace::of(name)]).png())
}

#[tokio::test]
async fn messages_are_taken_on_every_path_and_in_either_form() {
    let device = Device::start().await;
    for path in ["/api/json", "/api/form", "//api/json", "//api/form", "/form"] {
        let json = device.post(path).header("sessionid", device.session()).json(&json!({"msg_id": 1028}));
        assert_eq!(Answer::of(json).await.code, 0, "{path}");
        let form = Form::new().text("msg_id", "1028");
        let form = device.post(path).header("sessionid", device.session()).multipart(form);
        assert_eq!(Answer::of(form).await.code, 0, "{path}");
    }
    assert_eq!(device.get("/api/json").send().await.unwrap().status(), StatusCode::METHOD_NOT_ALLOWED);
    device.stop().await;
}

#[tokio::test]
async fn bodies_that_cannot_be_read_are_refused_with_a_code() {
    let device = Device::start().await;
    for (body, code) in [("", -3596), ("{", -3596), ("[]", -3596), ("{}", -3599), (r#"{"msg_id":"x"}"#, -3599)] {
        let request = device.post("/api/json").header("sessionid", device.session()).body(body);
        assert_eq!(Answer::of(request).await.code, code, "{body}");
    }
    assert_eq!(device.call(json!({"msg_id": 4711})).await.code, -3599);
    let broken = device.post("/api/form").header("sessionid", device.session());
    let broken = broken.header("content-type", "multipart/form-data; boundary=x").body("--x\r\nno end");
    assert_eq!(Answer::of(broken).await.code, -3596);
    device.stop().await;
}

#[tokio::test]
async fn a_request_without_a_session_is_answered_alike_whatever_its_size() {
    let device = Device::start().await;
    for session in ["", "1", "18446744073709551616", "\u{e9}"] {
        let request = device.post("/api/json").header("sessionid", session).json(&json!({"msg_id": 1028}));
        assert_eq!(Answer::of(request).await.code, -141, "{session}");
    }
    let large = device.post("/api/json").body(format!("{{\"msg_id\": 1028, \"x\": \"{}\"}}", "x".repeat(100_000)));
    assert_eq!(Answer::of(large).await.code, -141);
    let form = Form::new().text("msg_id", "1029").part("img", Part::bytes(vec![0; 100_000]).file_name("a.jpg"));
    assert_eq!(Answer::of(device.post("/api/form").multipart(form)).await.code, -141);
    device.stop().await;
}

#[tokio::test]
async fn wrong_types_and_missing_fields_name_the_field_and_change_nothing() {
    let device = Device::start().await;
    let library = device.enrol("staff", &["alice"]).await;
    let cases = [
        (json!({"msg_id": 1025, "lib_name": "a"}), "lib_type"),
        (json!({"msg_id": 1025, "lib_name": {"a": 1}, "lib_type": 1}), "lib_name"),
        (json!({"msg_id": 1031, "lib_id": [], "img_id": "alice"}), "lib_id"),
        (json!({"msg_id": 1033, "lib_id": library, "img_id": "alice", "person_age": {}}), "person_age"),
        (json!({"msg_id": 1033, "lib_id": library, "img_id": "alice", "person_age": "121"}), "person_age"),
        (json!({"msg_id": 1034, "qry_len": 51}), "qry_len"),
        (json!({"msg_id": 1037, "start_time": "yesterday"}), "start_time"),
        (json!({"msg_id": 1051, "lib_id": library}), "img"),
        (json!({"msg_id": 1051, "lib_id": library, "img": {"filename": "a"}}), "data"),
        (json!({"msg_id": 780, "lib_ids": "1", "img": face("alice"), "topk": 2, "n_topk": 3}), "n_topk"),
    ];
    for (body, field) in cases {
        let answer = device.call(body.clone()).await;
        assert_eq!(answer.code, -3596, "{body}");
        assert!(answer.msg.contains(field), "{}", answer.msg);
    }
    let left = device.ask(json!({"msg_id": 1035, "lib_id": library})).await;
    assert_eq!((&left["total_num"], &left["record"][0]["person_age"]), (&json!(1), &json!("")));
    device.stop().await;
}

#[tokio::test]
async fn pictures_that_cannot_be_enrolled_have_their_codes() {
    let device = Device::start().await;
    let library = device.enrol("staff", &["alice"]).await;
    let blurred = Picture::of([FakeFace::of("bob").quality(3)]).png();
    let cases = [
        (base64(b"GIF89a"), -1104),
        (json!({"filename": "a", "data": "no base64!"}), -1104),
        (json!({"filename": "a", "data": ""}), -1104),
        (base64(&Picture::empty().png()), -1101),
        (base64(&blurred), -1102),
    ];
    for (img, code) in cases {
        let answer = device.call(json!({"msg_id": 1051, "lib_id": library, "img": img})).await;
        assert_eq!(answer.code, code);
    }
    let enrol = |img_id: &str| json!({"msg_id": 1051, "lib_id": library, "img_id": img_id, "img": face("bob")});
    assert_eq!(device.call(enrol("alice")).await.code, -1100);
    assert_eq!(device.call(enrol(&"x".repeat(49))).await.code, -2754);
    let made = device.ask(enrol("")).await["img_id"].as_str().unwrap().len();
    assert_eq!(made, 36, "a UUID");
    device.stop().await;
}

#[tokio::test]
async fn a_path_from_an_answer_is_a_picture_for_those_who_are_logged_in() {
    let device = Device::start().await;
    let library = device.enrol("staff", &[]).await;
    let enrol = json!({"msg_id": 1051, "lib_id": library, "img_id": "alice", "img": face("alice")});
    device.ask(enrol).await;
    let mut newest = device.appliance.newest_entry();
    device.watch(&library.to_string(), &["alice"]).await;
    timeout(DEADLINE, newest.changed()).await.unwrap().unwrap();
    let alarm = device.ask(json!({"msg_id": 1036})).await["record"][0].clone();
    let found = device.ask(json!({"msg_id": 782, "img": face("alice")})).await;
    assert_eq!(found[0]["coordinate"], json!("240,120,400,280"));
    assert_eq!(alarm["img_path"], json!(format!("img/{library}_alice.png")));
    let crop = &found[0]["img_path"];
    for (path, kind) in [(&alarm["img_path"], "image/png"), (&alarm["snap_path"], "image/jpeg"), (crop, "image/jpeg")] {
        let path = format!("/ws/{}", path.as_str().unwrap());
        assert_eq!(device.get(&path).send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
        let answer = device.get(&path).header("sessionid", device.session()).send().await.unwrap();
        assert_eq!((answer.status(), answer.headers()["content-type"].to_str().unwrap()), (StatusCode::OK, kind));
        let by_query = device.get(&format!("{path}?sessionid={}", device.session())).send().await.unwrap();
        assert_eq!(by_query.bytes().await.unwrap(), answer.bytes().await.unwrap());
    }
    device.stop().await;
}

#[tokio::test]
async fn open_pictures_need_no_session_but_exports_do() {
    let rig = Rig::start(testkit::options());
    let device = Device::serve(outbound(), |adapter| adapter.with_open_pictures(true), rig).await;
    let library = device.enrol("staff", &["alice"]).await;
    let mut newest = device.appliance.newest_entry();
    device.watch(&library.to_string(), &["alice"]).await;
    timeout(DEADLINE, newest.changed()).await.unwrap().unwrap();
    let alarm = device.ask(json!({"msg_id": 1036})).await["record"][0].clone();
    let export = device.ask(json!({"msg_id": 1038, "lib_id": library})).await;
    for (path, status) in [
        (&alarm["img_path"], StatusCode::OK),
        (&alarm["snap_path"], StatusCode::OK),
        (&export["export_url"], StatusCode::UNAUTHORIZED),
        (&json!("img/999_alice.jpg"), StatusCode::NOT_FOUND),
        (&json!("etc/passwd"), StatusCode::UNAUTHORIZED),
    ] {
        for root in ["/ws", "//ws"] {
            let answer = device.get(&format!("{root}/{}", path.as_str().unwrap())).send().await.unwrap();
            assert_eq!(answer.status(), status, "{root} {path}");
        }
    }
    device.stop().await;
}

#[tokio::test]
async fn a_path_to_anywhere_else_is_not_found() {
    let device = Device::start().await;
    let library = device.enrol("staff", &["alice"]).await;
    for path in [
        "img/999_alice.jpg".to_owned(),
        format!("img/{library}_nobody.jpg"),
        "img/..%2f..%2fetc%2fpasswd.jpg".to_owned(),
        "%2e%2e/%2e%2e/etc/passwd".to_owned(),
        "record/943f95bc-c7df-408f-bae8-c3285557f3ef.jpg".to_owned(),
        "tmp/943f95bc-c7df-408f-bae8-c3285557f3ef.jpg".to_owned(),
        "%ff%fe/x.jpg".to_owned(),
    ] {
        let answer = device.get(&format!("/ws/{path}")).header("sessionid", device.session()).send().await.unwrap();
        assert!(answer.status().is_client_error(), "{path}: {}", answer.status());
    }
    device.stop().await;
}

#[tokio::test]
async fn the_reserved_decoder_is_kept_for_its_camera_only() {
    let device = Device::start().await;
    let add = |decoder: Value| {
        json!({
            "msg_id": "513", "camera_mode": "video", "protocol": "RTSP", "url": "rtsp://somewhere", "threshold": "75",
            "camera_name": "gate", "snap_mode": "1", "decoder": decoder, "camera_roi": "0,180,1920,900",
        })
    };
    assert_eq!(device.ask(add(json!("hard"))).await, json!({"channel": 1}));
    let row = |cameras: Value| cameras["camera"][0].clone();
    let camera = row(device.ask(json!({"msg_id": "516"})).await);
    assert_eq!((&camera["decoder"], &camera["camera_roi"]), (&json!("hard"), &json!("0,180,1920,900")));
    device.appliance.by(&actor("another")).remove_camera(domain::CameraId(1)).await.unwrap();
    device.handles.clock.advance(std::time::Duration::from_secs(1));
    device.ask(add(json!(null))).await;
    assert_eq!(row(device.ask(json!({"msg_id": "516"})).await)["decoder"], json!(""));
    device.stop().await;
}

#[tokio::test]
async fn computing_power_is_counted_and_a_kind_cannot_be_changed() {
    let device = Device::start().await;
    let add = json!({
        "msg_id": "513", "camera_mode": "VIDEO", "url": "file:///clip.mp4?loop=1", "threshold": 75, "camera_name": "a",
        "snap_mode": 2,
    });
    for channel in 1..=8 {
        assert_eq!(device.ask(add.clone()).await, json!({"channel": channel}));
    }
    assert_eq!(device.call(add).await.code, -151);
    let cameras = device.ask(json!({"msg_id": "516"})).await;
    assert_eq!((&cameras["used_computing_power"], &cameras["computing_power_capacity"]), (&json!(16), &json!(16)));
    assert_eq!(device.call(json!({"msg_id": "515", "channel": 1, "protocol": "onvif"})).await.code, -3596);
    assert_eq!(device.call(json!({"msg_id": "515", "channel": 9})).await.code, -109);
    device.stop().await;
}

#[tokio::test]
async fn a_search_returns_the_best_people_and_the_position_of_the_face() {
    let device = Device::start().await;
    let library = device.enrol("staff", &["alice", "bob", "carol"]).await;
    let search = |lib_ids: String, threshold: i64| {
        json!({
            "msg_id": "780", "lib_ids": lib_ids, "threshold": threshold, "topk": 3, "n_topk": 1, "img": face("bob"),
        })
    };
    let found = device.ask(search(format!(" {library}, 1"), 0)).await;
    assert_eq!(found["topn"].as_array().unwrap().len(), 3);
    assert_eq!((&found["n_topn"]["img_id"], &found["n_topn"]["ranking"]), (&json!("bob"), &json!(1)));
    assert_eq!((&found["in_pic"]["pos_top"], &found["in_pic"]["pos_right"]), (&json!(120), &json!(400)));
    let none = Picture::of([FakeFace::of("mallory")]).png();
    let mut stranger = search(library.to_string(), 90);
    stranger["img"] = base64(&none);
    let found = device.ask(stranger).await;
    assert_eq!((&found["topn"], &found["n_topn"]), (&json!([]), &json!({})));
    assert_eq!(device.call(search("999".into(), 0)).await.code, -117);
    assert_eq!(device.call(search("1".into(), 0)).await.code, -110);
    assert_eq!(device.call(search(String::new(), 0)).await.code, -3596);
    let same = json!({"msg_id": "781", "img_1": face("bob"), "img_2": face("bob")});
    assert_eq!(device.ask(same).await, json!({"FaceImg1to1Rsp_Score": 100}));
    device.stop().await;
}
