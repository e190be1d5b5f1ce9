//! Addresses that platforms and operators set go through the outbound policy when they are connected to; the machine's
//! own addresses count as itself, and a file is a camera only below the configured folders.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use polyface_tests::bait::Bait;
use polyface_tests::{Device, SenseTime, eventually_within};
use serde_json::{Value, json};

/// An address of this machine that is not loopback; `None` without a network.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    // Nothing is sent: the kernel only chooses a way.
    socket.connect("192.0.2.1:9").ok()?;
    Some(socket.local_addr().ok()?.ip()).filter(|own| !own.is_loopback() && !own.is_unspecified())
}

/// A camera of every kind at this place.
fn cameras(host: &str, port: u16) -> Vec<Value> {
    let base = json!({"msg_id": "513", "camera_mode": "VIDEO", "threshold": 80, "snap_mode": 1});
    let address = json!({"ip": host, "port": port, "camera_user": "admin", "camera_pwd": "secret"});
    let ids = json!({"server_sip_id": "34020000002000000009", "camera_sip_id": "34020000001320000001"});
    let with = |parts: &[&Value]| {
        let fields = parts.iter().flat_map(|part| part.as_object().unwrap().clone());
        Value::Object(fields.collect())
    };
    let mut image = with(&[&base, &address, &json!({"camera_mode": "IMAGE", "camera_name": "image"})]);
    image.as_object_mut().unwrap().remove("snap_mode");
    let url = format!("rtsp://admin:secret@{host}:{port}/live");
    vec![
        with(&[&base, &json!({"protocol": "rtsp", "camera_name": "rtsp", "url": url})]),
        with(&[&base, &address, &json!({"protocol": "onvif", "camera_name": "onvif"})]),
        with(&[&base, &address, &ids, &json!({"protocol": "GB28181", "camera_name": "sip"})]),
        image,
    ]
}

/// Adds a camera, waits until it was tried, and removes it.
async fn try_camera(device: &Device, client: &SenseTime, camera: Value) {
    let tried = || device.log().matches("camera offline").count();
    let before = tried();
    let channel = client.call(camera.clone()).await.ok()["channel"].clone();
    eventually_within(Duration::from_secs(20), &format!("it is tried: {camera}"), async || {
        (tried() > before).then_some(())
    })
    .await;
    client.call(json!({"msg_id": "514", "channel": channel})).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_device_does_not_connect_to_itself_for_others() {
    let mut device = Device::start_with_sections("[sophon]\nenabled = true\nlisten = \"127.0.0.1:0\"").await;
    device.reconfigure("allow_loopback = true", "allow_loopback = false");
    device.restart().await;
    let client = device.log_in().await;
    let own = own_address().map(|own| own.to_string());
    let hosts = ["127.0.0.1", "localhost"].map(str::to_owned).into_iter().chain(own);
    for host in hosts {
        let at: IpAddr = host.parse().unwrap_or(IpAddr::from([127, 0, 0, 1]));
        let bait = Bait::listen(SocketAddr::new(at, 0), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
        let datagrams = UdpSocket::bind(bait.address()).unwrap();
        datagrams.set_nonblocking(true).unwrap();
        for camera in cameras(&host, bait.address().port()) {
            try_camera(&device, &client, camera).await;
        }
        let push =
            json!({"msg_id": "1298", "url": format!("http://{host}:{}/push", bait.address().port()), "key": "k"});
        client.call(push).await;
        assert_eq!(bait.heard(), Vec::<String>::new(), "{host} was connected to");
        assert!(datagrams.recv(&mut [0; 16]).is_err(), "{host} was sent a datagram");
    }
    // Nor does it log in at itself as at a platform.
    let put = |name: &'static str, fields: Value| {
        let url = format!("http://{}/SophonMQ/api/{name}", device.listener("sophon"));
        reqwest::Client::new().put(url).json(&fields).send()
    };
    let login_url = "http://127.0.0.1:9/login";
    assert_eq!(put("LoginUrl", json!({"login_url": login_url})).await.unwrap().status(), 400);
    assert!(!device.log().contains("secret"), "the log shows a password");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_a_camera_only_below_the_configured_folders() {
    let mut device = Device::start().await;
    let folder = device.storage().join("films");
    std::fs::create_dir(&folder).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", folder.join("link.mp4")).unwrap();
    let text = std::fs::read_to_string(device.config()).unwrap();
    let line = text.lines().find(|line| line.starts_with("file_folders")).unwrap().to_owned();
    device.reconfigure(&line, &format!("file_folders = [{folder:?}]"));
    device.restart().await;
    let client = device.log_in().await;
    let files = [
        "/etc/passwd",
        "/etc/none",
        &format!("{}/link.mp4", folder.display()),
        &format!("{}/../polyface.db", folder.display()),
    ]
    .map(str::to_owned);
    for file in files {
        let url = format!("file://{file}");
        let before = device.log().matches("not below one of video.file_folders").count();
        let channel = client.add_camera("file", &url, 1).await;
        eventually_within(Duration::from_secs(20), &format!("{file} is refused"), async || {
            (device.log().matches("not below one of video.file_folders").count() > before).then_some(())
        })
        .await;
        client.call(json!({"msg_id": "514", "channel": channel})).await.ok();
    }
}
