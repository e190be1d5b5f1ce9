//! Discovery of cameras.

use domain::{Actor, CameraStream, DeviceAddress, Error, FoundCamera, Thing};
use tokio::task::JoinSet;

fn found(host: &str) -> FoundCamera {
    FoundCamera {
        host: host.into(),
        port: 80,
        maker: "Acme".into(),
        name: "Gate".into(),
        hardware: "A-1".into(),
        location: "north".into(),
    }
}

fn stream(url: &str) -> CameraStream {
    CameraStream { name: "main".into(), url: url.into(), width: 1920, height: 1080, codec: "H264".into() }
}

fn address(host: &str, password: &str) -> DeviceAddress {
    DeviceAddress { host: host.into(), port: 80, user: "admin".into(), password: password.into() }
}

#[tokio::test]
async fn cameras_of_the_network_are_discovered_and_not_stored() {
    let (appliance, fakes) = testkit::appliance().unwrap();
    assert_eq!(appliance.discover_cameras().await.unwrap(), []);
    fakes.discovery.put_up(found("10.0.0.2"), "admin", "secret", vec![stream("rtsp://10.0.0.2/main")]);
    fakes.discovery.put_up(found("10.0.0.1"), "admin", "secret", vec![]);
    assert_eq!(appliance.discover_cameras().await.unwrap(), [found("10.0.0.1"), found("10.0.0.2")]);
    assert_eq!(appliance.cameras().await.unwrap(), []);
}

#[tokio::test]
async fn a_second_discovery_is_refused_while_one_runs() {
    let (appliance, fakes) = testkit::appliance().unwrap();
    fakes.discovery.hold();
    let mut searches = JoinSet::new();
    for _ in 0..2 {
        let appliance = appliance.clone();
        searches.spawn(async move { appliance.discover_cameras().await });
    }
    assert!(matches!(searches.join_next().await.unwrap().unwrap(), Err(Error::Busy)));
    fakes.discovery.release();
    assert_eq!(searches.join_next().await.unwrap().unwrap().unwrap(), []);
    assert_eq!(appliance.discover_cameras().await.unwrap(), []);
}

#[tokio::test]
async fn a_camera_lists_its_streams_for_the_right_login() {
    let (appliance, fakes) = testkit::appliance().unwrap();
    fakes.discovery.put_up(found("10.0.0.1"), "admin", "secret", vec![]);
    fakes.discovery.put_up(found("10.0.0.2"), "admin", "secret", vec![stream("rtsp://10.0.0.2/main")]);
    let streams = async |host: &str, password: &str| {
        appliance.by(&Actor::system()).camera_streams(&address(host, password)).await
    };
    assert_eq!(streams("10.0.0.2", "secret").await.unwrap(), [stream("rtsp://10.0.0.2/main")]);
    assert!(matches!(streams("10.0.0.2", "wrong").await, Err(Error::WrongCredentials)));
    assert!(matches!(streams("10.0.0.1", "secret").await, Err(Error::NotFound { what: Thing::Camera })));
    assert!(matches!(streams("10.0.0.3", "secret").await, Err(Error::Unavailable { .. })));
}
