//! Limits of cameras, concurrent changes, and failures of camera tasks.

use domain::{Camera, CameraChange, CameraId, DeviceAddress, Error, Limits, NewCamera, Options, Source, Thing};
use futures_util::future::join_all;
use testkit::{Take, actor};

use crate::stage::{GATE, Stage, gate, secs};

/// A camera that detects faces itself.
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
async fn a_video_camera_needs_twice_the_computing_power_of_a_picture_camera() {
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
async fn cameras_added_concurrently_do_not_exceed_the_computing_power() {
    let (stage, test) = (with(7), actor("test"));
    let added = join_all((0..8).map(|_| stage.appliance.by(&test).add_camera(gate()))).await;
    assert_eq!(added.iter().filter(|added| added.is_ok()).count(), 3);
}

#[tokio::test]
async fn concurrent_changes_of_one_camera_all_take_effect() {
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

#[tokio::test(start_paused = true)]
async fn cameras_that_cannot_be_read_at_start_are_read_again() {
    let mut stage = Stage::playing([Take::new()]).await;
    stage.fakes.store.garble_cameras(true);
    stage.open();
    tokio::time::sleep(secs(10.0)).await;
    assert_eq!(stage.fakes.frames.opened(GATE), 0);
    stage.fakes.store.garble_cameras(false);
    tokio::time::sleep(secs(3.0)).await;
    assert_eq!(stage.fakes.frames.opened(GATE), 1);
}

#[tokio::test(start_paused = true)]
async fn a_camera_whose_task_panics_is_reopened_and_delays_no_other() {
    let mut stage = Stage::playing([Take::new().crash(), Take::new().crash(), Take::new()]).await;
    stage.open();
    tokio::time::sleep(secs(0.2)).await;
    let mut yard = gate();
    yard.settings.source = Source::Rtsp { url: "rtsp://yard/live".into() };
    stage.fakes.frames.script("rtsp://yard/live", [Take::new()]);
    stage.add(yard).await;
    tokio::time::sleep(secs(0.2)).await;
    assert_eq!(stage.fakes.frames.opened("rtsp://yard/live"), 1, "while the other waits to be opened again");
    tokio::time::sleep(secs(3.0)).await;
    assert_eq!(stage.fakes.frames.opened(GATE), 3);
}
