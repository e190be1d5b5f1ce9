//! Checking passwords takes bounded memory and processor time, and nothing else waits for it.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use polyface_tests::{ADMIN_PASSWORD, Attacker, Device, memory_growth};
use serde_json::json;

/// Two checks take 38 MiB.
const MOST_MEMORY: u64 = 120 << 20;
/// An answer that waits for no check.
const PROMPT: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_logins_at_a_time_take_little_memory_and_delay_no_other_call() {
    let device = Device::start().await;
    let client = device.log_in().await;
    let attackers: Vec<_> = (2..22).map(Attacker::at).collect();
    let logins = join_all((0..200).map(|n| {
        let attacker = &attackers[n % attackers.len()];
        let (user, secret) = (format!("user{n}"), "5f4dcc3b5aa765d61d8327deb882cf99");
        let request = match n % 3 {
            0 => {
                attacker.post(device.listener("console"), "/login").json(&json!({"username": user, "password": secret}))
            }
            1 => attacker
                .post(device.listener("sensetime"), "/api/json")
                .json(&json!({"msg_id": "257", "user_name": user, "user_pwd": secret})),
            _ => {
                attacker.post(device.listener("facebox"), "/Login").json(&json!({"username": user, "password": secret}))
            }
        };
        async { request.send().await.unwrap().status().as_u16() }
    }));
    let others = async {
        let mut slowest = Duration::ZERO;
        for _ in 0..20 {
            let start = Instant::now();
            client.call(json!({"msg_id": "1281"})).await.ok();
            slowest = slowest.max(start.elapsed());
        }
        slowest
    };
    let ((answers, slowest), growth) = memory_growth(device.pid(), async { tokio::join!(logins, others) }).await;
    assert!(growth < MOST_MEMORY, "{} MiB", growth >> 20);
    assert!(slowest < PROMPT, "{slowest:?}");
    let count = |status| answers.iter().filter(|answer| **answer == status).count();
    assert!(count(401) > 0 && count(503) > 0, "some are checked, some are told to wait: {answers:?}");
    assert_eq!(Attacker::at(1).log_in(device.listener("sensetime"), "admin", ADMIN_PASSWORD).await, 0);
}
