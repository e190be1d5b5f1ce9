//! Accounts (chapter 1).

use std::sync::Arc;

use domain::{Limits, Role, Secret};
use serde_json::json;
use testkit::contract::Ledger;
use testkit::{ADMIN, actor};

use crate::device::{Device, md5};
use crate::sessions::CALLS;

impl Device {
    /// The id of the account of this name.
    async fn user_id(&self, name: &str) -> i64 {
        let accounts = self.appliance.accounts().await.unwrap();
        accounts.iter().find(|account| account.name == name).unwrap().id.0
    }
}

pub(crate) async fn accounts_are_made_changed_and_removed(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    device.ok("/RegisterUser", json!({"name": "rose", "password": md5("Rose_1"), "remark": "r"})).await;
    device.ok("/RegisterUser", json!({"username": "jack", "password": "Jack_12345"})).await;
    let (rose, jack) = (device.log_in("rose", "Rose_1").await, device.log_in("jack", "Jack_12345").await);
    device.ok("/AddLibrary", json!({"session": rose, "name": "hers", "type": 0})).await;

    let id = device.user_id("rose").await;
    let other = device.log_in("rose", "Rose_1").await;
    let change = json!({
        "session": rose, "user_id": id, "name": "rosa", "old_password": md5("Rose_1"), "password": md5("Rosa_2"),
        "remark": "renamed",
    });
    device.ok("/UpdateUser", change).await;
    let list = |session: &str| json!({"session": session, "page_no": 1, "page_size": 1});
    device.ok("/QueryLibraryList", list(&rose)).await;
    device.refused("/QueryLibraryList", list(&other), 5).await;
    device.log_in("rosa", "Rosa_2").await;
    for (name, password, code) in [("rose", "Rosa_2", 100), ("rosa", "Rose_1", 102)] {
        let login = json!({"username": name, "password": md5(password)});
        assert_eq!(device.send("/Login", &login).await["code"], code, "{name}");
    }
    device.ok("/UpdateUser", json!({"user_id": id, "username": "rose"})).await;
    device.log_in("rose", "Rosa_2").await;

    device.ok("/DeleteUser", json!({"user_id": device.user_id("jack").await})).await;
    device.refused("/QueryLibraryList", list(&jack), 5).await;
    device.refused("/DeleteUser", json!({"user_id": 99}), 100).await;
    device.stop().await;
}

pub(crate) async fn an_account_known_by_its_md5_alone_logs_in_with_its_password_elsewhere(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    device.ok("/RegisterUser", json!({"name": "rose", "password": md5("Rose_1")})).await;
    let log_in = |secret| device.appliance.log_in("rose", secret, None);
    assert_eq!(log_in(Secret::Password("Rose_1".into())).await.unwrap().role, Role::Operator);
    assert!(log_in(Secret::Password("Rose_2".into())).await.is_err());
    assert!(log_in(Secret::Password(md5("Rose_1"))).await.is_err());
    device.stop().await;
}

pub(crate) async fn accounts_that_cannot_be_are_refused(ledger: &Arc<Ledger>) {
    let device = Device::start_with(ledger, Limits { accounts: 2, ..Limits::default() }).await;
    device.ok("/RegisterUser", json!({"name": "rose", "password": md5("Rose_1")})).await;
    device.refused("/RegisterUser", json!({"name": "jack", "password": md5("x")}), 1).await;
    device.stop().await;

    let device = Device::start(ledger).await;
    device.ok("/RegisterUser", json!({"name": "rose", "password": md5("Rose_1")})).await;
    let (rose, admin) = (device.user_id("rose").await, device.user_id(ADMIN.0).await);
    device.refused("/RegisterUser", json!({"name": "rose", "password": md5("x")}), 101).await;
    for (fields, field) in [
        (json!({"password": md5("x")}), "name"),
        (json!({"name": "jack"}), "password"),
        (json!({"name": "j ack", "password": md5("x")}), "name"),
        (json!({"name": "jack", "password": ""}), "password"),
        (json!({"name": "jack", "password": md5("x"), "remark": "x".repeat(257)}), "remark"),
    ] {
        device.refused_for("/RegisterUser", fields, field).await;
    }
    for name in ["罗丝", "Роза", &"ß".repeat(64)] {
        device.ok("/RegisterUser", json!({"name": name, "password": md5("Rose_2")})).await;
        device.log_in(name, "Rose_2").await;
    }
    for name in [String::new(), "ß".repeat(65), "罗\u{3000}丝".into()] {
        device.refused_for("/RegisterUser", json!({"name": name, "password": md5("x")}), "name").await;
    }
    device.refused("/UpdateUser", json!({"user_id": 99, "remark": ""}), 100).await;
    device.refused("/UpdateUser", json!({"user_id": rose, "name": ADMIN.0}), 101).await;
    let wrong = json!({"user_id": rose, "old_password": md5("wrong"), "password": md5("x")});
    device.refused("/UpdateUser", wrong, 102).await;
    device.refused_for("/UpdateUser", json!({"user_id": rose, "password": md5("x")}), "old_password").await;
    device.refused_for("/UpdateUser", json!({"name": "x"}), "user_id").await;
    device.refused_for("/DeleteUser", json!({"user_id": admin}), "user_id").await;
    device.refused_for("/DeleteUser", json!({}), "user_id").await;
    device.log_in("rose", "Rose_1").await;
    device.stop().await;
}

/// An account made here changes everything but accounts; one that may only look changes nothing.
pub(crate) async fn accounts_may_do_what_their_role_allows(ledger: &Arc<Ledger>) {
    const READS: [&str; 8] = [
        "/DownloadPersonPicture",
        "/QueryLibraryList",
        "/QueryPersonList",
        "/QueryCameraList",
        "/QueryTaskList",
        "/Compare1V1",
        "/GetSystemConfig",
        "/QueryTaskCaptureRecord",
    ];
    let device = Device::start(ledger).await;
    device.ok("/RegisterUser", json!({"name": "rose", "password": md5("Rose_1")})).await;
    device.appliance.by(&actor("test")).create_account("viewer", Role::Viewer, "Viewer_1234").await.unwrap();
    let (rose, viewer) = (device.log_in("rose", "Rose_1").await, device.log_in("viewer", "Viewer_1234").await);
    for (path, fields) in CALLS {
        let with = |session: &str| {
            let mut body = fields();
            body["session"] = json!(session);
            body
        };
        let of_viewer = device.send(path, &with(&viewer)).await;
        if READS.contains(path) {
            assert_ne!(of_viewer["code"], 5, "{path}");
        } else {
            device.note_refusal(path, of_viewer, 5, &json!("viewer"));
        }
        if path.ends_with("User") {
            device.refused(path, with(&rose), 5).await;
        }
    }
    device.stop().await;
}
