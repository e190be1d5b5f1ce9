//! A default configuration opens nothing to other machines; logins in clear from other machines are refused unless the
//! owner allows them; everything can be served over TLS, and a listener that is switched to HTTPS answers nothing in
//! clear.

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;

use polyface_tests::{ADMIN_PASSWORD, Device, FaceBox, OTHER_MACHINE, SenseTime, console_login, has_own_network, http};
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

/// Where everything that can be served over HTTP listens on all addresses.
const EVERYWHERE: &str = r#"
[sensetime]
enabled = true
listen = "0.0.0.0:0"
[facebox]
enabled = true
listen = "0.0.0.0:0"
[uniview]
enabled = true
listen = "0.0.0.0:0"
[sophon]
enabled = true
listen = "0.0.0.0:0"
allow_from = ["0.0.0.0/0"]
"#;

/// The same with these keys in each section, the console's included.
fn everywhere(keys: &str) -> impl FnOnce(String) -> String {
    let sections = EVERYWHERE.replace("enabled = true", &format!("enabled = true\n{keys}"));
    move |text: String| {
        let (head, tail) = text.split_once("[sensetime]").unwrap();
        let (_, accounts) = tail.split_once("[accounts]").unwrap();
        let head =
            head.replace("[console]\nlisten = \"127.0.0.1:0\"", &format!("[console]\nlisten = \"0.0.0.0:0\"\n{keys}"));
        format!("{head}{sections}[accounts]{accounts}")
    }
}

/// What a process listens on, TCP and UDP.
fn sockets(pid: u32) -> Vec<SocketAddr> {
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let links = descriptors.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    let links: Vec<_> = links.map(|link| link.display().to_string()).collect();
    let mut found = Vec::new();
    for (table, state) in [("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")] {
        for line in fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap().lines().skip(1) {
            let columns: Vec<_> = line.split_whitespace().collect();
            if columns[3] == state && links.contains(&format!("socket:[{}]", columns[9])) {
                found.push(address(columns[1]));
            }
        }
    }
    found
}

/// An address as the kernel lists it; one of IPv6 counts as unspecified.
fn address(listed: &str) -> SocketAddr {
    let (ip, port) = listed.split_once(':').unwrap();
    let ip = u32::from_str_radix(ip, 16).map_or(Ipv4Addr::UNSPECIFIED, |ip| Ipv4Addr::from(ip.swap_bytes()));
    SocketAddr::from((ip, u16::from_str_radix(port, 16).unwrap()))
}

async fn attention(device: &Device) -> Vec<String> {
    let (_, health) = device.health().await.unwrap();
    let lines: Vec<String> = serde_json::from_value(health["attention"].clone()).unwrap_or_default();
    // A device under test has its storage key beside the storage (at_rest.rs).
    lines.into_iter().filter(|line| !line.starts_with("storage.key: ")).collect()
}

/// A request in clear that needs a login at an interface: the status, and the body.
async fn ask(name: &str, url: &str) -> (u16, String) {
    let login = json!({"msg_id": "257", "user_name": "admin", "user_pwd": ADMIN_PASSWORD});
    let md5 = hex(ADMIN_PASSWORD);
    let request = match name {
        "sensetime" => http().post(format!("{url}/api/json")).json(&login),
        "facebox" => http().post(format!("{url}/Login")).json(&json!({"username": "admin", "password": md5})),
        "uniview" => http().post(format!("{url}/api/v2/device/get")).json(&json!({})),
        "sophon" => http().get(format!("{url}/SophonMQ/api/DevSno")),
        _ => console_login(http(), url, ADMIN_PASSWORD),
    };
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

fn hex(password: &str) -> String {
    use md5::Digest;
    hex::encode(md5::Md5::digest(password))
}

/// Whether an interface took the login, or would take one.
fn is_served(name: &str, (status, body): &(u16, String)) -> bool {
    match name {
        "sensetime" | "facebox" => serde_json::from_str::<Value>(body).is_ok_and(|answer| answer["code"] == 0),
        // The challenge of HTTP digest.
        "uniview" => *status == 401,
        // Redirected to the page.
        "console" => *status == 200,
        _ => *status == 200,
    }
}

const INTERFACES: [&str; 5] = ["console", "facebox", "sensetime", "sophon", "uniview"];

#[tokio::test(flavor = "multi_thread")]
async fn a_default_configuration_listens_on_this_machine_only() {
    let device = Device::start_with_adapters("").await;
    assert_eq!(device.listening(), ["console"]);
    assert_eq!(sockets(device.pid()), [device.listener("console")]);
    assert_eq!(attention(&device).await, [] as [&str; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_in_clear_from_other_machines_are_refused_unless_allowed() {
    if !has_own_network("secure_by_default::logins_in_clear_from_other_machines_are_refused_unless_allowed") {
        return;
    }
    let mut device = Device::start_changed(everywhere("")).await;
    let at = |device: &Device, name: &str, ip: IpAddr| {
        format!("http://{}", SocketAddr::new(ip, device.listener(name).port()))
    };
    for name in INTERFACES {
        let refused = ask(name, &at(&device, name, OTHER_MACHINE)).await;
        assert!(!is_served(name, &refused), "{name}: {refused:?}");
        assert!(refused.1.contains("HTTPS"), "{name} says why: {refused:?}");
        let local = ask(name, &at(&device, name, Ipv4Addr::LOCALHOST.into())).await;
        assert!(is_served(name, &local), "{name} on this machine: {local:?}");
    }
    // A session that was opened on this machine counts for no other.
    let session = device.log_in().await;
    session.call(json!({"msg_id": "1028"})).await.ok();
    let stolen = session.at(SocketAddr::new(OTHER_MACHINE, device.listener("sensetime").port()));
    assert_eq!(stolen.call(json!({"msg_id": "1028"})).await.code, -140);
    let useless = attention(&device).await;
    assert_eq!(useless.len(), INTERFACES.len(), "{useless:?}");
    assert!(useless.iter().all(|line| line.contains(".clear: logins from other machines are refused")), "{useless:?}");

    let text = fs::read_to_string(device.config()).unwrap();
    fs::write(device.config(), text.replace("listen = \"0.0.0.0:0\"", "listen = \"0.0.0.0:0\"\nclear = \"allow\""))
        .unwrap();
    device.restart().await;
    for name in INTERFACES {
        let taken = ask(name, &at(&device, name, OTHER_MACHINE)).await;
        assert!(is_served(name, &taken), "{name}: {taken:?}");
    }
    let open: Vec<_> =
        attention(&device).await.into_iter().filter(|line| line.contains("passwords can be read")).collect();
    assert_eq!(open.len(), INTERFACES.len(), "{open:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_served_over_tls_with_a_key_of_the_device() {
    if !has_own_network("secure_by_default::everything_is_served_over_tls_with_a_key_of_the_device") {
        return;
    }
    let mut device = Device::start_changed(everywhere("listen_https = \"0.0.0.0:0\"")).await;
    let key = device.storage().join("tls/own/key.pem");
    let made = fs::read(&key).unwrap();
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    for name in INTERFACES {
        let secure = SocketAddr::new(OTHER_MACHINE, device.listener(&format!("{name}-https")).port());
        let taken = ask(name, &format!("https://{secure}")).await;
        assert!(is_served(name, &taken), "{name}: {taken:?}");
        let clear = SocketAddr::new(OTHER_MACHINE, device.listener(name).port());
        assert!(!is_served(name, &ask(name, &format!("http://{clear}")).await), "{name} in clear");
    }
    assert_eq!(attention(&device).await, [] as [&str; 0]);
    let console = format!("https://{}", device.listener("console-https"));
    let login = console_login(&http_without_redirects(), &console, ADMIN_PASSWORD).send().await.unwrap();
    assert!(login.headers()["set-cookie"].to_str().unwrap().ends_with("; Secure"), "{:?}", login.headers());
    device.restart().await;
    assert_eq!(fs::read(&key).unwrap(), made, "the key stays");
}

fn http_without_redirects() -> reqwest::Client {
    let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    builder.tls_danger_accept_invalid_certs(true).build().unwrap()
}

/// Uploads a certificate and its key.
async fn give_certificate(client: &SenseTime) {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(["device".to_owned()]).unwrap().self_signed(&key).unwrap();
    for (kind, file) in [("crt", certificate.pem()), ("key", key.serialize_pem())] {
        let file = Part::bytes(file.into_bytes()).file_name(format!("server.{kind}"));
        let form = Form::new().text("msg_id", "1302").text("file_type", kind).part("file", file);
        let answer: Value = client.post("/api/form").multipart(form).send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["code"], 0, "{answer}");
    }
}

/// A port that is free now.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test(flavor = "multi_thread")]
async fn interfaces_that_share_a_listener_leave_http_together() {
    let shared = format!(
        "[sensetime]\nenabled = true\nlisten = \"127.0.0.1:{0}\"\nlisten_https = \"127.0.0.1:0\"\n\
         [facebox]\nenabled = true\nlisten = \"127.0.0.1:{0}\"",
        free_port()
    );
    let device = Device::start_with_adapters(&shared).await;
    let address = device.listener("facebox");
    assert_eq!(address, device.listener("sensetime"));
    assert_eq!(device.listener("facebox-https"), device.listener("sensetime-https"));
    FaceBox::log_in(address, "admin", ADMIN_PASSWORD).await;
    let client = device.log_in().await;
    give_certificate(&client).await;
    client.call(json!({"msg_id": "1305", "prot_mode": "https"})).await.ok();
    for name in ["sensetime", "facebox", "uniview"] {
        let answer = ask(name, &format!("http://{address}")).await;
        assert_eq!(answer, (403, "served over HTTPS only".to_owned()), "{name}");
    }
    let secure = format!("https://{}", device.listener("facebox-https"));
    for name in ["sensetime", "facebox"] {
        let answer = ask(name, &secure).await;
        assert!(is_served(name, &answer), "{name}: {answer:?}");
    }
    let published = fs::read(device.storage().join("run/listeners.json")).unwrap();
    let published: BTreeMap<String, SocketAddr> = serde_json::from_slice(&published).unwrap();
    assert_eq!(published["facebox-https"], published["sensetime-https"]);
}
