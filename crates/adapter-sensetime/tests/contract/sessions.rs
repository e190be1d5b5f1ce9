//! Logging in and out (section 2).

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use testkit::ADMIN;
use testkit::contract::Ledger;

use crate::device::Answer;
use crate::witness::Witness;

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

/// Every operation but login answers -141 to a stranger, whatever else is wrong with the call.
pub(crate) async fn calls_need_a_session(ledger: &Arc<Ledger>) {
    const CALLS: [&str; 52] = [
        "258", "1028", "1025", "1026", "1027", "1034", "1032", "1029", "1051", "1031", "1033", "1035", "1036", "1037",
        "516", "513/rtsp", "515/rtsp", "514", "769", "779", "782", "771", "781", "772", "780", "1281", "1286", "1298",
        "1299", "1291", "1290", "1288", "1287", "1283", "1282", "1297", "1296", "1295", "1294", "1301", "1300", "1317",
        "1315", "1316", "1313", "1314", "1292", "1302", "1303", "1304", "1305", "1306",
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
