//! The box: storage, restart, ids, the management page, figures, restoring (sections 6.3 to 6.5 and 6.12 to 6.19).

use std::sync::Arc;

use serde_json::json;
use testkit::contract::Ledger;
use testkit::{ADMIN, Act, actor};

use crate::witness::Witness;

pub(crate) async fn the_storage_policy_is_changed_and_kept(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let first = json!({"cur_storage": 0, "max_storage": 1, "storage_strategy": 1});
    assert_eq!(witness.ok("get_storage", json!({})).await, first);
    witness.ok("set_storage", json!({"storage_strategy": 2})).await;
    assert_eq!(witness.ok("get_storage", json!({})).await["storage_strategy"], 2);
    for wrong in [json!({}), json!({"storage_strategy": 3}), json!({"storage_strategy": "all"})] {
        witness.refused("set_storage", wrong, -3596).await;
    }
    let again = witness.restart().await;
    assert_eq!(again.ok("get_storage", json!({})).await["storage_strategy"], 2);
    again.ok("set_storage", json!({"storage_strategy": "1"})).await;
    assert_eq!(again.ok("get_storage", json!({})).await["storage_strategy"], 1);
    again.stop().await;
}

pub(crate) async fn a_restart_ends_all_sessions_and_nothing_else(ledger: &Arc<Ledger>) {
    let mut witness = Witness::start(ledger).await;
    let library = witness.library("staff", &["alice"]).await;
    witness.ok("reboot", json!({})).await;
    witness.refused("reboot", json!({}), -141).await;
    assert_eq!(witness.device.handles.host.acts(), [Act::Restart]);
    witness.device.log_in(ADMIN.1).await;
    assert_eq!(witness.ok("query_faces", json!({"lib_id": library})).await["total_num"], 1);
    witness.stop().await;
}

pub(crate) async fn what_the_machine_does_not_permit_is_an_internal_error(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    witness.device.handles.host.forbid(true);
    witness.refused("reboot", json!({}), -3624).await;
    witness.refused("set_ntp", json!({"ntp_disable": "0"}), -3624).await;
    witness.refused("set_time", json!({"sys_time": "2019-01-14 12:23:45", "time_zone": "GMT+08:00"}), -3624).await;
    assert_eq!(witness.ok("get_ntp", json!({})).await["ntp_disable"], "1");
    assert!(witness.ok("get_time", json!({})).await["sys_time"].as_str().unwrap().starts_with("2026-03-02"));
    witness.stop().await;
}

pub(crate) async fn the_device_id_is_changed_and_kept(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    assert_eq!(witness.ok("get_device_id", json!({})).await, json!({"device_id": "PF0001"}));
    witness.ok("set_device_id", json!({"device_id": "门口 1"})).await;
    for wrong in [json!({}), json!({"device_id": ""}), json!({"device_id": "x".repeat(256)}), json!({"device_id": []})]
    {
        witness.refused("set_device_id", wrong, -3596).await;
    }
    let again = witness.restart().await;
    assert_eq!(again.ok("get_device_id", json!({})).await, json!({"device_id": "门口 1"}));
    assert_eq!(again.ok("get_version", json!({})).await["device_id"], "门口 1");
    again.stop().await;
}

pub(crate) async fn the_management_page_is_closed_and_opened(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    witness.refused("enable_web", json!({}), -3607).await;
    witness.ok("disable_web", json!({})).await;
    witness.refused("disable_web", json!({}), -3607).await;
    assert!(!*witness.device.appliance.console_open().borrow());
    let again = witness.restart().await;
    again.refused("disable_web", json!({}), -3607).await;
    again.ok("enable_web", json!({})).await;
    assert!(*again.device.appliance.console_open().borrow());
    again.stop().await;
}

pub(crate) async fn processor_and_memory_are_reported(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let cpu = json!({"cpu_type": "Pretend Processor", "cpu_usage": 12.5, "kernel_num": 4});
    assert_eq!(witness.ok("get_cpu", json!({})).await, cpu);
    let memory = json!({"memory_usage": 25.0, "total_memory": 8_589_934_592_u64});
    assert_eq!(witness.ok("get_memory", json!({})).await, memory);
    witness.stop().await;
}

/// Settings go, what was made stays (quirk restore-scope).
pub(crate) async fn a_restored_device_has_the_settings_of_a_new_one(ledger: &Arc<Ledger>) {
    let mut witness = Witness::start(ledger).await;
    let appliance = witness.device.appliance.clone();
    appliance.keep_factory_login(ADMIN.0).await.unwrap();
    let reads = ["get_ntp", "get_time", "get_storage", "get_http_push", "get_device_id"];
    let settings = async |witness: &Witness| {
        let mut all = Vec::new();
        for id in reads {
            let mut read = witness.ok(id, json!({})).await;
            if let Some(time) = read.get_mut("sys_time") {
                *time = json!("runs");
            }
            all.push(read);
        }
        all
    };
    let new = settings(&witness).await;
    let library = witness.library("staff", &["alice"]).await;
    witness.ok("set_ntp", json!({"url": "ntp.example", "ntp_cycle": "30", "ntp_disable": "0", "port": 1123})).await;
    let time =
        json!({"sys_time": "14-01-2026 12:23:45", "time_zone": "GMT-05:00", "time_format": "dd-MM-yyyy HH:mm:ss"});
    witness.ok("set_time", time).await;
    witness.ok("set_storage", json!({"storage_strategy": 2})).await;
    witness.ok("set_http_push", json!({"url": "http://127.0.0.1:9/push", "key": "k1"})).await;
    witness.ok("set_device_id", json!({"device_id": "gate"})).await;
    witness.ok("disable_web", json!({})).await;
    appliance.by(&actor("test")).set_password(ADMIN.0, "Another_123").await.unwrap();
    witness.device.log_in("Another_123").await;
    assert!(settings(&witness).await.iter().zip(&new).all(|(one, other)| one != other));

    witness.ok("restore_defaults", json!({})).await;
    witness.device.log_in(ADMIN.1).await;
    assert_eq!(settings(&witness).await, new);
    assert!(*appliance.console_open().borrow());
    assert_eq!(witness.ok("query_faces", json!({"lib_id": library})).await["total_num"], 1);
    assert_eq!(witness.device.handles.host.acts().last(), Some(&Act::TimeService(domain::TimeService::default())));
    let again = witness.restart().await;
    assert_eq!(settings(&again).await, new);
    again.stop().await;
}

/// The setting is applied to the machine again at the next start.
pub(crate) async fn a_restored_device_whose_machine_did_not_follow_tries_again(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    witness.ok("set_ntp", json!({"ntp_disable": "0"})).await;
    let host = Arc::clone(&witness.device.handles.host);
    host.forbid(true);
    witness.ok("restore_defaults", json!({})).await;
    let before = host.acts().len();
    host.forbid(false);
    let again = witness.restart().await;
    again.device.appliance.resume_machine().await;
    assert_eq!(host.acts()[before..], [Act::TimeService(domain::TimeService::default())]);
    again.device.appliance.resume_machine().await;
    assert_eq!(host.acts().len(), before + 1, "once is enough");
    again.stop().await;
}
