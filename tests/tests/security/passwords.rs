//! Passwords are hard to guess, and the first one goes with its first change.

use polyface_tests::{Device, SenseTime};
use serde_json::json;

const PASSWORD: &str = "Seven-grey-doors";

#[tokio::test(flavor = "multi_thread")]
async fn the_initial_password_goes_with_its_change_and_never_comes_back() {
    let mut device = Device::start_without_password().await;
    let file = device.storage().join("initial-password");
    let initial = std::fs::read_to_string(&file).unwrap().trim().to_owned();
    let address = device.listener("sensetime");
    SenseTime::log_in(address, "admin", &initial).await;
    device.passwd("admin", PASSWORD);
    assert!(!file.exists());
    let admin = SenseTime::log_in(address, "admin", PASSWORD).await;
    admin.call(json!({"msg_id": "1317"})).await.ok();
    let refused = device.anonymous().call(json!({"msg_id": "257", "user_name": "admin", "user_pwd": initial})).await;
    assert_eq!(refused.code, -113, "a restore does not bring it back");
    device.restart().await;
    assert!(!file.exists());
    SenseTime::log_in(device.listener("sensetime"), "admin", PASSWORD).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn short_and_common_passwords_are_refused_by_every_way() {
    use md5::{Digest, Md5};
    let device = Device::start().await;
    for weak in ["short", "Short_123", "1234567890", "Password123", "qwertyuiop", "aaaaaaaaaaaa"] {
        let output = device.try_passwd("admin", weak);
        assert!(!output.status.success(), "{weak}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("password"));
    }
    let admin = device.facebox_session("admin", polyface_tests::ADMIN_PASSWORD).await;
    let md5 = |text: &str| hex::encode(Md5::digest(text));
    for weak in ["123456".to_owned(), md5("123456"), md5("qwertyuiop"), "Short_123".to_owned()] {
        let refused = device.facebox(&admin, "/RegisterUser", json!({"name": "rose", "password": weak})).await;
        assert_ne!(refused["code"], 0, "{weak}");
    }
    let made = device.facebox(&admin, "/RegisterUser", json!({"name": "rose", "password": md5(PASSWORD)})).await;
    assert_eq!(made["code"], 0, "{made}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_digest_of_a_password_is_kept_before_an_adapter_needs_it() {
    use md5::{Digest, Md5};
    let device = Device::start().await;
    device.passwd("admin", PASSWORD);
    SenseTime::log_in(device.listener("sensetime"), "admin", PASSWORD).await;
    let digests = [hex::encode(Md5::digest(format!("admin:NVRDVR:{PASSWORD}"))), hex::encode(Md5::digest(PASSWORD))];
    for file in ["polyface.db", "polyface.db-wal"] {
        let bytes = std::fs::read(device.storage().join(file)).unwrap_or_default();
        let holds = |text: &String| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(!digests.iter().any(holds), "{file}");
    }
}
