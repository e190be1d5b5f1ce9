//! Who did what stays provable: logins, accounts, data flows, exports and doors leave entries in chains of hashes.

use domain::Role;
use polyface_tests::{ADMIN_PASSWORD, Device, SenseTime, cast};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_log_names_who_did_what_from_where_and_verifies() {
    let mut device = Device::start().await;
    let admin = device.log_in().await;
    let failed = json!({"msg_id": "257", "user_name": "admin", "user_pwd": "wrong"});
    assert_eq!(device.anonymous().call(failed).await.code, -113);
    device.console_cookie("admin", ADMIN_PASSWORD).await;
    device.add_account("eye", Role::Viewer, "Seven-grey-doors");
    device.passwd("eye", "Eight-grey-doors");
    let viewer = SenseTime::log_in(device.listener("sensetime"), "eye", "Eight-grey-doors").await;
    admin.call(json!({"msg_id": "1298", "url": "", "key": "k"})).await.ok();
    let portrait = std::fs::read(&cast()[0].enrolled).unwrap();
    admin.enrol(1, "one", "One", &portrait).await.ok();
    viewer.call(json!({"msg_id": "1038", "lib_id": 1, "start_no": 1, "qry_len": 10})).await.ok();
    viewer.call(json!({"msg_id": "258"})).await.ok();

    let check = |device: &Device| {
        let output = device.audit();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{text}");
        for line in [
            "logins 1\tadmin (admin)\t127.0.0.1\tsensetime\tlogin\t",
            "failures 1\tadmin\t127.0.0.1\tsensetime\tlogin.failed\t",
            "\tadmin (admin)\t127.0.0.1\tconsole\tlogin\t",
            "\tcommand line (admin)\t-\t-\taccount.password\teye",
            "\tadmin (admin)\t127.0.0.1\tsensetime\tadapter.configure\tsensetime push.receiver",
            "\teye (viewer)\t127.0.0.1\tsensetime\tpeople.export\t1 in ",
            "\teye (viewer)\t127.0.0.1\tsensetime\tlogout\t",
            "\tadmin (admin)\t127.0.0.1\tsensetime\tperson.enrol\t",
        ] {
            assert!(text.contains(line), "{line:?} is not in\n{text}");
        }
        assert_eq!(text.lines().filter(|line| line.starts_with("verified ")).count(), 8, "{text}");
        assert!(!text.contains("wrong") && !text.contains("grey-doors"), "no secret is in the log");
    };
    check(&device);
    device.terminate();
    check(&device);
}
