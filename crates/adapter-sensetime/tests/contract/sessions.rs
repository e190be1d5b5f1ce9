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
    let session = witness.ok("login", login).await;
    let session = session.as_str().unwrap();
    assert!(session.parse::<u64>().is_ok(), "a decimal number");
    let call = |act: &str| {
        let body = json!({"msg_id": witness.id(act)});
        Answer::of(witness.device.post("/api/json").header("sessionid", session).json(&body))
    };
    witness.note_success("list_libs", call("list_libs").await);
    witness.note_success("logout", call("logout").await);
    witness.note_refusal("list_libs", &call("list_libs").await, -141, "after logout");
    witness.note_refusal("logout", &call("logout").await, -141, "logout again");
    witness.ok("list_libs", json!({})).await;
    witness.stop().await;
}

pub(crate) async fn a_wrong_login_opens_nothing(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    witness.refused("login", json!({"user_name": ADMIN.0, "user_pwd": "wrong"}), -113).await;
    witness.refused("login", json!({"user_name": "nobody", "user_pwd": ADMIN.1}), -113).await;
    witness.refused("login", json!({"user_name": ADMIN.0}), -3596).await;
    witness.refused("login", json!({"user_pwd": ADMIN.1}), -3596).await;
    witness.refused("login", json!({"user_name": "a b", "user_pwd": ADMIN.1}), -3596).await;
    witness.refused("login", json!({"user_name": "x".repeat(50), "user_pwd": ADMIN.1}), -3596).await;
    witness.stop().await;
}

/// Every account may read; not every account may change things.
pub(crate) async fn a_viewer_may_look_and_export_but_change_nothing(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let library = witness.library("staff", &["alice"]).await;
    let before = witness.everything().await;
    witness.device.appliance.by(&actor("test")).create_account("viewer", Role::Viewer, "Viewer_12345").await.unwrap();
    let login = json!({"user_name": "viewer", "user_pwd": "Viewer_12345"});
    let session = witness.ok("login", login).await.as_str().unwrap().to_owned();
    let call = |act: &str| {
        let body = json!({"msg_id": witness.id(act), "lib_id": library, "img_id": "alice", "img_ids": "alice"});
        Answer::of(witness.device.post("/api/json").header("sessionid", &session).json(&body))
    };
    for act in ["list_libs", "get_face", "query_faces", "query_snaps", "export_faces_page", "export_faces_selected"] {
        witness.note_success(act, call(act).await);
    }
    let changes = [
        "add_lib",
        "delete_lib",
        "update_lib",
        "add_face",
        "add_faces_batch",
        "delete_face",
        "update_face",
        "delete_faces_batch",
        "delete_all_snaps",
        "add_face_base64",
        "add_faces_batch_base64",
        "delete_camera",
    ];
    for act in changes.into_iter().chain(["set_http_push", "get_http_push"]) {
        witness.note_refusal(act, &call(act).await, -140, act);
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
        ("add_lib", json!({"lib_name": "new", "lib_type": 1})),
        ("update_lib", json!({"lib_id": library, "lib_name": "new", "lib_type": 1})),
        ("update_face", json!({"lib_id": library, "img_id": "alice", "person_age": 7})),
        ("add_face_base64", json!({"lib_id": library, "img": base64(&photo("bob"))})),
    ];
    let store = &witness.device.handles.store;
    for broken in [MemoryStore::fill_up, MemoryStore::write_protect] {
        broken(store, true);
        for (act, fields) in changes.clone() {
            witness.refused(act, fields, -3624).await;
        }
        let imgs = json!([{"filename": "bob.png", "data": base64(&photo("bob"))["data"]}]);
        let batch = witness.ok("add_faces_batch_base64", json!({"lib_id": library, "uuid": "a", "imgs": imgs})).await;
        assert_eq!(witness.table(batch["url"].as_str().unwrap()).await[1][2], "-3624");
        assert_eq!(witness.everything().await, before);
        broken(store, false);
    }
    witness.ok("delete_face", which).await;
    witness.stop().await;
}

/// Every operation but login answers -141 to a stranger, whatever else is wrong with the call.
pub(crate) async fn calls_need_a_session(ledger: &Arc<Ledger>) {
    const CALLS: &[&str] = &[
        "logout",
        "list_libs",
        "add_lib",
        "delete_lib",
        "update_lib",
        "query_libs",
        "get_face",
        "add_face",
        "add_face_base64",
        "delete_face",
        "update_face",
        "query_faces",
        "query_alarms",
        "query_snaps",
        "list_cameras",
        "add_camera_rtsp",
        "update_camera_rtsp",
        "delete_camera",
        "detect_face",
        "detect_face_base64",
        "detect_faces",
        "compare_1_to_1",
        "compare_1_to_1_base64",
        "compare_1_to_n",
        "compare_1_to_n_base64",
        "get_version",
        "get_ws_key",
        "set_http_push",
        "get_http_push",
        "get_ntp",
        "set_ntp",
        "get_storage",
        "set_storage",
        "get_time",
        "set_time",
        "get_network",
        "set_network",
        "set_default_port",
        "reboot",
        "get_device_id",
        "set_device_id",
        "restore_defaults",
        "enable_web",
        "disable_web",
        "get_cpu",
        "get_memory",
        "upgrade",
        "upload_https_file",
        "delete_https_file",
        "get_https_files",
        "switch_https",
        "get_https_state",
        "add_faces_batch",
        "add_faces_batch_base64",
        "delete_faces_batch",
        "delete_all_snaps",
        "query_body_snaps",
        "export_faces_page",
        "export_faces_selected",
        "export_snaps_page",
        "export_snaps_selected",
        "export_alarms_page",
        "export_alarms_selected",
        "export_body_snaps_selected",
        "export_body_snaps_page",
    ];
    let witness = Witness::start(ledger).await;
    for act in CALLS {
        let body = json!({"msg_id": witness.id(act)});
        let none = Answer::of(witness.device.post("/api/json").json(&body)).await;
        witness.note_refusal(act, &none, -141, act);
        let wrong = witness.device.post("/api/json").header("sessionid", "12345").json(&body);
        witness.note_refusal(act, &Answer::of(wrong).await, -141, act);
    }
    witness.stop().await;
}

pub(crate) async fn a_session_ends_after_half_an_hour_without_a_call(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    for _ in 0..3 {
        witness.pass(Duration::from_secs(29 * 60)).await;
        witness.ok("get_version", json!({})).await;
    }
    witness.pass(Duration::from_secs(30 * 60)).await;
    witness.refused("get_version", json!({}), -141).await;
    witness.stop().await;
}
