//! Failures of one caller never refuse another who has the right password.

use std::time::{Duration, Instant};

use polyface_tests::{ADMIN_PASSWORD, Attacker, Device};
use serde_json::{Value, json};

/// Locks the administrator for this caller.
async fn lock(attacker: &Attacker, device: &Device) {
    for _ in 0..5 {
        assert_eq!(attacker.log_in(device.listener("sensetime"), "admin", "wrong").await, -113);
    }
    assert_eq!(attacker.log_in(device.listener("sensetime"), "admin", ADMIN_PASSWORD).await, -113, "locked");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_caller_locks_nobody_else() {
    let device = Device::start().await;
    let sensetime = device.listener("sensetime");
    let known = Attacker::at(3);
    assert_eq!(known.log_in(sensetime, "admin", ADMIN_PASSWORD).await, 0);
    lock(&Attacker::at(2), &device).await;
    assert_eq!(known.log_in(sensetime, "admin", ADMIN_PASSWORD).await, 0);
    let start = Instant::now();
    assert_eq!(Attacker::at(4).log_in(sensetime, "admin", ADMIN_PASSWORD).await, 0, "others are delayed");
    assert!(start.elapsed() >= Duration::from_secs(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_trusted_proxy_callers_are_told_apart_and_nowhere_else() {
    let device = Device::start_with_sections("[http]\ntrusted_proxies = [\"127.0.0.9\"]").await;
    let log_in = async |proxy: u8, caller: &str, password: &str| {
        let request = Attacker::at(proxy).post(device.listener("console"), "/login").header("X-Forwarded-For", caller);
        let request = request.json(&json!({"username": "admin", "password": password}));
        request.send().await.unwrap().status().as_u16()
    };
    for _ in 0..5 {
        assert_eq!(log_in(9, "203.0.113.5", "wrong").await, 401);
    }
    assert_eq!(log_in(9, "203.0.113.5", ADMIN_PASSWORD).await, 401);
    assert_eq!(log_in(9, "203.0.113.6, 203.0.113.5", ADMIN_PASSWORD).await, 401, "what the caller writes is ignored");
    assert_eq!(log_in(9, "203.0.113.6", ADMIN_PASSWORD).await, 303);
    for n in 0..5 {
        log_in(2, &format!("203.0.113.1{n}"), "wrong").await;
    }
    assert_eq!(log_in(2, "203.0.113.20", ADMIN_PASSWORD).await, 401, "an address that is no proxy");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_of_another_site_logs_a_browser_in() {
    let device = Device::start().await;
    let page = Attacker::at(2);
    let (console, sensetime) = (device.listener("console"), device.listener("sensetime"));
    let form = format!("username=admin&password={ADMIN_PASSWORD}");
    let post = |origin: Option<String>| {
        let request = page.post(console, "/login").header("Content-Type", "application/x-www-form-urlencoded");
        origin.into_iter().fold(request, |request, origin| request.header("Origin", origin)).body(form.clone()).send()
    };
    assert_eq!(post(Some("http://evil.example".to_owned())).await.unwrap().status(), 403);
    assert_eq!(post(None).await.unwrap().status(), 403);
    assert_eq!(post(Some(format!("http://{console}"))).await.unwrap().status(), 303);
    let login = json!({"msg_id": "257", "user_name": "admin", "user_pwd": ADMIN_PASSWORD}).to_string();
    let sent = async |origin: &str| {
        let request = page.post(sensetime, "/api/json").header("Content-Type", "text/plain").header("Origin", origin);
        request.body(login.clone()).send().await.unwrap().json::<Value>().await.unwrap()
    };
    assert_eq!(sent("http://evil.example").await["code"], -140);
    assert_eq!(sent(&format!("http://{sensetime}")).await["code"], 0);
}
