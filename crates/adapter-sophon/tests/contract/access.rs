//! Who is let in, and what bodies are taken.

use std::sync::Arc;

use adapter_sophon::Config;
use serde_json::json;
use testkit::contract::Ledger;

use crate::device::{Device, config, guarded, refusal};

pub(crate) async fn strangers_are_turned_away(ledger: &Arc<Ledger>) {
    let allow_from = vec!["192.0.2.0/24".parse().unwrap(), "::1/128".parse().unwrap()];
    for allow_from in [vec![], allow_from] {
        let device = Device::start_as(ledger, Config { allow_from, ..config() }).await;
        for (method, path) in [("GET", "/SophonFogSys/api/groups"), ("POST", "/SophonFogSys/api/none")] {
            let response = device.plain(method, path).send().await.unwrap();
            assert_eq!(response.status(), 403);
            let answer = refusal(response).await;
            assert_eq!((&answer["code"], &answer["status"]), (&json!(40000), &json!("BAD_REQUEST")));
        }
        device.stop().await;
    }
}

pub(crate) async fn web_pages_are_turned_away(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let request = device.request("GET groups", &json!({})).header("origin", "http://site.example");
    let response = request.send().await.unwrap();
    assert_eq!((response.status().as_u16(), refusal(response).await["code"].clone()), (403, json!(40000)));
    device.stop().await;
}

pub(crate) async fn a_login_is_needed_where_one_is_set(ledger: &Arc<Ledger>) {
    let device = Device::start_as(ledger, guarded()).await;
    let request = || device.request("GET groups", &json!({}));
    for refused in [request(), request().basic_auth("cloud", Some("secret-1")), request().bearer_auth("x")] {
        let response = refused.send().await.unwrap();
        assert_eq!(response.status(), 401);
        assert_eq!(response.headers()["www-authenticate"], "Basic realm=\"sophon\"");
        assert_eq!(refusal(response).await["code"], 40000);
    }
    device.accepted("GET groups", request().basic_auth("cloud", Some("Secret-1"))).await;
    device.stop().await;
}

pub(crate) async fn failed_logins_lock_the_address(ledger: &Arc<Ledger>) {
    let device = Device::start_as(ledger, guarded()).await;
    let login = |user: &str, password: &str| {
        device.request("GET groups", &json!({})).basic_auth(user.to_owned(), Some(password.to_owned()))
    };
    // Who asks without a login first is not locked for it.
    for _ in 0..9 {
        assert_eq!(device.request("GET groups", &json!({})).send().await.unwrap().status(), 401);
    }
    device.accepted("GET groups", login("cloud", "Secret-1")).await;
    for n in 0..5 {
        assert_eq!(login("cloud", &format!("guess {n}")).send().await.unwrap().status(), 401);
    }
    let response = login("cloud", "Secret-1").send().await.unwrap();
    assert_eq!((response.status().as_u16(), refusal(response).await["code"].clone()), (429, json!(40000)));
    device.stop().await;
}

pub(crate) async fn broken_bodies_are_refused(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let request = |kind: &str, body: &str| {
        let request = device.plain("POST", "/SophonFogSys/api/groups");
        request.header("content-type", kind).body(body.to_owned())
    };
    for (kind, body, code) in [
        ("application/json", " ", 40002),
        ("application/json", "{", 40091),
        ("application/json", "[]", 40091),
        ("text/plain", "{}", 41591),
        ("multipart/form-data", "x", 40091),
        ("multipart/form-data; boundary=x", "--x--\r\n", 40002),
    ] {
        device.turned_down("POST groups", request(kind, body), code).await;
    }
    let large = request("application/json", &"x".repeat((1 << 20) + 1));
    device.turned_down("POST groups", large, 41300).await;
    device.stop().await;
}

pub(crate) async fn settings_of_events_have_a_code_of_their_own_for_other_bodies(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    for name in ["GateControllerMode", "EventServerUrl", "HistoryEventUrl", "MonitorServerUrl"] {
        let request = device.plain("POST", &format!("/SophonFogSys/api/{name}"));
        let request = request.header("content-type", "text/plain").body("{}");
        device.turned_down(&format!("POST {name}"), request, 40001).await;
    }
    device.stop().await;
}

pub(crate) async fn unknown_paths_and_methods_are_refused(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let none = device.plain("GET", "/SophonFogSys/api/none").send().await.unwrap();
    assert_eq!((none.status().as_u16(), refusal(none).await["code"].clone()), (404, json!(40400)));
    let method = device.plain("PATCH", "/SophonFogSys/api/groups").send().await.unwrap();
    assert_eq!((method.status().as_u16(), refusal(method).await["code"].clone()), (405, json!(40000)));
    device.stop().await;
}
