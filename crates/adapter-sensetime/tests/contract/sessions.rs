//! Logging in and out (section 2).

use std::sync::Arc;
use std::time::Duration;

use domain::Role;
use serde_json::json;
use testkit::contract::Ledger;
use testkit::store::MemoryStore;
use testkit::{ADMIN, actor};

use crate::device::Answer;
use crate::witness::{Witness, base64, photo};

pub(crate) async fn a_user_logs_in_and_out(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let login = json!({"user_name": ADMIN.0, "user_pwd": ADMIN.1});
    let session = witness.ok("257", login).await;
    let session = session.as_str().unwrap();
    assert!(session.parse::<u64>().is_ok(), "a decimal number");
    let call = |msg_id: &str| {
        Answer::of(witness.device.post("/api/json").header("sessionid", session).json(&json!({"msg_id": msg_id})))
    };
    witness.note_success("1028", call("1028").await);
    witness.note_success("258", call("258").await);
    witness.note_refusal("1028", &call("1028").await, -141, "after logout");
    witness.note_refusal("258", &call("258").await, -141, "logout again");
    witness.ok("1028", json!({})).await;
    witness.stop().await;
}

pub(crate) async fn a_wrong_login_opens_nothing(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    witness.refused("257", json!({"user_name": ADMIN.0, "user_pwd": "wrong"}), -113).await;
    witness.refused("257", json!({"user_name": "nobody", "user_pwd": ADMIN.1}), -113).await;
    witness.refused("257", json!({"user_name": ADMIN.0}), -3596).await;
    witness.refused("257", json!({"user_pwd": ADMIN.1}), -3596).await;
    witness.refused("257", json!({"user_name": "a b", "user_pwd": ADMIN.1}), -3596).await;
    witness.refused("257", json!({"user_name": "x".repeat(50), "user_pwd": ADMIN.1}), -3596).await;
    witness.stop().await;
}

/// Looking is for everybody with an account; changing is not.
pub(crate) async fn a_viewer_may_look_and_export_but_change_nothing(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let library = witness.library("staff", &["alice"]).await;
    let before = witness.everything().await;
    witness.device.appliance.by(&actor("test")).create_account("viewer", Role::Viewer, "Viewer_12345").await.unwrap();
    let login = json!({"user_name": "viewer", "user_pwd": "Viewer_12345"});
    let session = witness.ok("257", login).await.as_str().unwrap().to_owned();
    let call = |title: &str| {
        let body = json!({"msg_id": title, "lib_id": library, "img_id": "alice", "img_ids": "alice"});
        Answer::of(witness.device.post("/api/json").header("sessionid", &session).json(&body))
    };
    for title in ["1028", "1032", "1035", "1037", "1038", "1041"] {
        witness.note_success(title, call(title).await);
    }
    let changes = ["1025", "1026", "1027", "1029", "1030", "1031", "1033", "1044", "1045", "1051", "1052", "514"];
    for title in changes.into_iter().chain(["1298", "1299"]) {
        witness.note_refusal(title, &call(title).await, -140, title);
    }
    assert_eq!(witness.everything().await, before);
    witness.stop().await;
}

/// Nothing is said to be done that was not.
pub(crate) async fn a_device_that_cannot_write_says_so(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let library = witness.library("staff", &["alice"]).await;
    let before = witness.everything().await;
    let which = json!({"lib_id": library, "img_id": "alice"});
    let changes = [
        ("1025", json!({"lib_name": "new", "lib_type": 1})),
        ("1027", json!({"lib_id": library, "lib_name": "new", "lib_type": 1})),
        ("1033", json!({"lib_id": library, "img_id": "alice", "person_age": 7})),
        ("1051", json!({"lib_id": library, "img": base64(&photo("bob"))})),
    ];
    let store = &witness.device.handles.store;
    for broken in [MemoryStore::fill_up, MemoryStore::write_protect] {
        broken(store, true);
        for (title, fields) in changes.clone() {
            witness.refused(title, fields, -3624).await;
        }
        let imgs = json!([{"filename": "bob.png", "data": base64(&photo("bob"))["data"]}]);
        let batch = witness.ok("1052", json!({"lib_id": library, "uuid": "a", "imgs": imgs})).await;
        assert_eq!(witness.table(batch["url"].as_str().unwrap()).await[1][2], "-3624");
        assert_eq!(witness.everything().await, before);
        broken(store, false);
    }
    witness.ok("1031", which).await;
    witness.stop().await;
}

/// Every operation but login answers -141 to a stranger, whatever else is wrong with the call.
pub(crate) async fn calls_need_a_session(ledger: &Arc<Ledger>) {
    const CALLS: &[&str] = &[
        "258", "1028", "1025", "1026", "1027", "1034", "1032", "1029", "1051", "1031", "1033", "1035", "1036", "1037",
        "516", "513/rtsp", "515/rtsp", "514", "769", "779", "782", "771", "781", "772", "780", "1281", "1286", "1298",
        "1299", "1291", "1290", "1288", "1287", "1283", "1282", "1297", "1296", "1295", "1294", "1301", "1300", "1317",
        "1315", "1316", "1313", "1314", "1292", "1302", "1303", "1304", "1305", "1306", "1030", "1052", "1044", "1045",
        "1046", "1038", "1041", "1040", "1043", "1039", "1042", "1047", "1048",
    ];
    let witness = Witness::start(ledger).await;
    for title in CALLS {
        let body = json!({"msg_id": title.split('/').next()});
        let none = Answer::of(witness.device.post("/api/json").json(&body)).await;
        witness.note_refusal(title, &none, -141, title);
        let wrong = witness.device.post("/api/json").header("sessionid", "12345").json(&body);
        witness.note_refusal(title, &Answer::of(wrong).await, -141, title);
    }
    witness.stop().await;
}

pub(crate) async fn a_session_ends_after_half_an_hour_without_a_call(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    for _ in 0..3 {
        witness.pass(Duration::from_secs(29 * 60)).await;
        witness.ok("1281", json!({})).await;
    }
    witness.pass(Duration::from_secs(30 * 60)).await;
    witness.refused("1281", json!({}), -141).await;
    witness.stop().await;
}
