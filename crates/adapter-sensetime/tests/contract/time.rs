//! The time and where it comes from (sections 6.1, 6.2, 6.6 and 6.7).

use std::sync::Arc;

use domain::TimeService;
use serde_json::json;
use testkit::Act;
use testkit::contract::Ledger;

use crate::witness::Witness;

pub(crate) async fn the_time_server_is_set_in_parts(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let new = json!({"ntp_cycle": "10", "ntp_disable": "1", "port": "123", "url": "pool.ntp.org"});
    assert_eq!(witness.ok("get_ntp", json!({})).await, new);
    witness.ok("set_ntp", json!({"url": "ntp.example", "ntp_disable": "0"})).await;
    witness.ok("set_ntp", json!({"ntp_cycle": 30, "port": "1123"})).await;
    let set = json!({"ntp_cycle": "30", "ntp_disable": "0", "port": "1123", "url": "ntp.example"});
    assert_eq!(witness.ok("get_ntp", json!({})).await, set);
    let service = TimeService { enabled: true, server: "ntp.example".into(), port: 1123, every_minutes: 30 };
    assert_eq!(witness.device.handles.host.acts().last(), Some(&Act::TimeService(service.clone())));
    for wrong in [
        json!({"ntp_disable": "2"}),
        json!({"ntp_cycle": "often"}),
        json!({"ntp_cycle": 0}),
        json!({"port": 65536}),
        json!({"url": "a b"}),
        json!({"url": {}}),
    ] {
        witness.refused("set_ntp", wrong, -3596).await;
    }
    witness.refused("set_ntp", json!({"url": "silent.example"}), -3614).await;
    assert_eq!(witness.ok("get_ntp", json!({})).await, set);
    let again = witness.restart().await;
    assert_eq!(again.ok("get_ntp", json!({})).await, set);
    again.device.appliance.resume_machine().await;
    assert_eq!(again.device.handles.host.acts().last(), Some(&Act::TimeService(service)));
    again.ok("set_ntp", json!({"ntp_disable": "1", "url": "silent.example"})).await;
    again.stop().await;
}

pub(crate) async fn the_clock_runs_on_from_where_it_is_set(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let now = witness.ok("get_time", json!({})).await;
    assert!(now["sys_time"].as_str().unwrap().starts_with("2026-03-02 09:00:"));
    assert_eq!((&now["time_format"], &now["time_zone"]), (&json!("yyyy-MM-dd HH:mm:ss"), &json!("GMT+08:00")));
    let time =
        json!({"sys_time": "14-01-2019 12:23:45", "time_zone": "GMT+05:30", "time_format": "dd-MM-yyyy HH:mm:ss"});
    witness.ok("set_time", time).await;
    let set = witness.ok("get_time", json!({})).await;
    assert!(set["sys_time"].as_str().unwrap().starts_with("14-01-2019 12:2"), "{set}");
    assert_eq!((&set["time_format"], &set["time_zone"]), (&json!("dd-MM-yyyy HH:mm:ss"), &json!("GMT+05:30")));
    assert_eq!(witness.device.handles.host.acts(), [Act::TimeZone("Asia/Kolkata".into())]);
    let library = witness.ok("add_lib", json!({"lib_name": "new", "lib_type": 2})).await;
    let made = witness.ok("query_libs", json!({"lib_id": library["lib_id"]})).await;
    assert!(made["record"][0]["create_time"].as_str().unwrap().starts_with("2019-01-14 12:2"), "{made}");
    for wrong in [
        json!({"time_zone": "GMT+08:00"}),
        json!({"sys_time": "14-01-2019 12:23:45"}),
        json!({"sys_time": "2019-01-14 12:23:45", "time_zone": "GMT+08:00"}),
        json!({"sys_time": "14-01-2019 12:23:45", "time_zone": "Mars"}),
        json!({"sys_time": "14-01-2019 12:23:45", "time_zone": "GMT+08:00", "time_format": "HH"}),
    ] {
        witness.refused("set_time", wrong, -3596).await;
    }
    let again = witness.restart().await;
    assert_eq!(again.ok("get_time", json!({})).await["time_zone"], "GMT+05:30");
    again.stop().await;
}

/// Newfoundland, Nepal and the Chatham Islands, of which two have summer time.
pub(crate) async fn an_offset_is_the_same_all_the_year(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    for (zone, machine) in [
        ("GMT-03:30", "Etc/UTC"),
        ("GMT+05:45", "Asia/Kathmandu"),
        ("GMT+12:45", "Etc/UTC"),
        ("GMT+14:00", "Etc/GMT-14"),
    ] {
        for season in ["2026-01-14 12:23:45", "2026-07-14 12:23:45"] {
            witness.ok("set_time", json!({"sys_time": season, "time_zone": zone})).await;
            let told = witness.ok("get_time", json!({})).await;
            assert_eq!(told["time_zone"], zone, "{season}");
            assert!(told["sys_time"].as_str().unwrap().starts_with(&season[..15]), "{told}");
        }
        let acts = witness.device.handles.host.acts();
        assert_eq!(acts.last(), Some(&Act::TimeZone(machine.into())), "{zone}");
    }
    witness.refused("set_time", json!({"sys_time": "9999-12-31 23:59:59", "time_zone": "GMT+14:00"}), -3596).await;
    let again = witness.restart().await;
    assert_eq!(again.ok("get_time", json!({})).await["time_zone"], "GMT+14:00");
    again.stop().await;
}

/// The server has the last word.
pub(crate) async fn a_clock_that_follows_a_server_takes_only_the_zone(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    witness.ok("set_ntp", json!({"ntp_disable": "0"})).await;
    witness.ok("set_time", json!({"sys_time": "2019-01-14 12:23:45", "time_zone": "GMT+00:00"})).await;
    let now = witness.ok("get_time", json!({})).await;
    assert!(now["sys_time"].as_str().unwrap().starts_with("2026-03-02 01:00:"), "{now}");
    assert_eq!(now["time_zone"], "GMT+00:00");
    witness.stop().await;
}
