//! How many cameras fit, and changes of one camera at the same time.

use domain::{Camera, CameraChange, CameraId, DeviceAddress, Error, Limits, NewCamera, Options, Source, Thing};
use futures_util::future::join_all;
use testkit::actor;

use crate::stage::{Stage, gate};

/// A camera that finds faces itself.
fn capture() -> NewCamera {
    let mut camera = gate();
    let device = DeviceAddress { host: "192.0.2.1".into(), port: 37777, ..DeviceAddress::default() };
    camera.settings.source = Source::Capture { device, vendor: "dahua".into(), product: "01".into() };
    camera
}

fn with(computing_power: u32) -> Stage {
    Stage::with(Options { limits: Limits { computing_power, ..Limits::default() }, ..testkit::options() })
}

#[tokio::test]
async fn video_takes_two_parts_of_the_computing_power_and_pictures_one() {
    let (stage, test) = (with(5), actor("test"));
    let acts = stage.appliance.by(&test);
    let full = |done| matches!(done, Err(Error::LimitReached { what: Thing::CameraCapacity }));
    acts.add_camera(gate()).await.unwrap();
    acts.add_camera(gate()).await.unwrap();
    assert!(full(acts.add_camera(gate()).await));
    acts.add_camera(capture()).await.unwrap();
    assert!(full(acts.add_camera(capture()).await));
    acts.remove_camera(CameraId(1)).await.unwrap();
    acts.add_camera(gate()).await.unwrap();
}

#[tokio::test]
async fn cameras_added_at_the_same_time_take_no_more_computing_power_than_there_is() {
    let (stage, test) = (with(7), actor("test"));
    let added = join_all((0..8).map(|_| stage.appliance.by(&test).add_camera(gate()))).await;
    assert_eq!(added.iter().filter(|added| added.is_ok()).count(), 3);
}

#[tokio::test]
async fn changes_of_one_camera_at_the_same_time_lose_nothing() {
    let (stage, test) = (Stage::new(), actor("test"));
    let camera = stage.add(gate()).await.id;
    let one_more = |camera: &Camera| {
        let mut settings = camera.settings.clone();
        settings.description.push('.');
        Ok::<_, Error>(CameraChange { settings: Some(settings), ..CameraChange::default() })
    };
    join_all((0..20).map(|_| stage.appliance.by(&test).amend_camera(camera, one_more))).await;
    assert_eq!(stage.appliance.camera(camera).await.unwrap().settings.description.len(), 20);
    let refused = stage.appliance.by(&test).amend_camera(camera, |_| Err(Error::Busy)).await;
    assert!(matches!(refused, Err(Error::Busy)));
}
