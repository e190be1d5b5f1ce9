//! Camera defaults, and the own values of cameras.

use domain::geometry::Rect;
use domain::{Area, Camera, CameraChange, CameraDefaults, CameraId, Limits, NewCamera, OwnValues, Similarity};
use testkit::{Take, actor};

use crate::stage::{GATE, Stage, face, gate, secs};

const DEFAULTS: CameraDefaults = CameraDefaults { threshold: None, rearm: None, min_face_px: Some(124), area: None };

fn strict() -> CameraDefaults {
    CameraDefaults { threshold: Some(Similarity::new(0.91)), rearm: Some(secs(9.0)), ..DEFAULTS }
}

async fn camera(stage: &Stage, id: u32) -> Camera {
    stage.appliance.camera(CameraId(id)).await.unwrap()
}

async fn in_force(stage: &Stage, id: u32) -> (f32, f64, u32) {
    let Camera { settings, watch, .. } = camera(stage, id).await;
    let watch = watch.settings;
    (watch.threshold.value(), watch.rearm.as_secs_f64(), settings.min_face_px)
}

#[tokio::test]
async fn a_default_applies_to_every_present_and_future_camera_over_a_restart() {
    let stage = Stage::new();
    stage.add(gate()).await;
    stage.appliance.by(&actor("test")).set_camera_defaults(strict()).await.unwrap();
    let added = stage.add(gate()).await;
    assert_eq!(added.settings.min_face_px, 124);
    for id in [1, 2] {
        assert_eq!(in_force(&stage, id).await, (0.91, 9.0, 124));
    }
    let restarted = stage.fakes.restart(Limits::default()).unwrap();
    assert_eq!(restarted.camera_defaults(), strict());
    assert_eq!(restarted.cameras().await.unwrap()[0].settings.min_face_px, 124);
}

#[tokio::test]
async fn an_own_value_overrides_the_default_until_it_is_released() {
    let stage = Stage::new();
    stage.add(gate()).await;
    // Set explicitly, to the value it would have anyway.
    let own = OwnValues { threshold: true, ..OwnValues::default() };
    stage.add(NewCamera { own, ..gate() }).await;
    stage.appliance.by(&actor("test")).set_camera_defaults(strict()).await.unwrap();
    assert_eq!(in_force(&stage, 2).await, (0.8, 9.0, 124));
    let mut settings = camera(&stage, 1).await.settings;
    (settings.min_face_px, settings.position) = (40, "south".into());
    let change = CameraChange { settings: Some(settings), ..CameraChange::default() };
    let changed = stage.appliance.by(&actor("test")).update_camera(CameraId(1), change).await.unwrap();
    assert_eq!((changed.settings.min_face_px, &*changed.settings.position), (40, "south"));
    stage
        .appliance
        .by(&actor("test"))
        .set_camera_defaults(CameraDefaults { min_face_px: Some(200), ..strict() })
        .await
        .unwrap();
    assert_eq!((in_force(&stage, 1).await, in_force(&stage, 2).await), ((0.91, 9.0, 40), (0.8, 9.0, 200)));
    stage
        .appliance
        .by(&actor("test"))
        .release_cameras(OwnValues { min_face_px: true, ..OwnValues::default() })
        .await
        .unwrap();
    assert_eq!((in_force(&stage, 1).await, in_force(&stage, 2).await), ((0.91, 9.0, 200), (0.8, 9.0, 200)));
    stage.appliance.by(&actor("test")).release_cameras(OwnValues::ALL).await.unwrap();
    assert_eq!(in_force(&stage, 2).await, (0.91, 9.0, 200));
}

#[tokio::test]
async fn a_change_of_other_settings_makes_no_value_the_cameras_own() {
    let stage = Stage::new();
    stage.add(gate()).await;
    stage.appliance.by(&actor("test")).set_camera_defaults(strict()).await.unwrap();
    // As adapters do it: read, change, write.
    let Camera { mut settings, watch, .. } = camera(&stage, 1).await;
    settings.name = "north gate".into();
    let mut watch = watch.settings;
    watch.enabled = false;
    let change = CameraChange { settings: Some(settings), watch: Some(watch), ..CameraChange::default() };
    stage.appliance.by(&actor("test")).update_camera(CameraId(1), change).await.unwrap();
    assert_eq!(camera(&stage, 1).await.own, OwnValues::default());
    stage.appliance.by(&actor("test")).set_camera_defaults(CameraDefaults::default()).await.unwrap();
    assert_eq!(in_force(&stage, 1).await, (0.8, 5.0, 60), "with nothing set it is as it was added");
    let Camera { settings, watch, .. } = camera(&stage, 1).await;
    assert_eq!((&*settings.name, watch.settings.enabled), ("north gate", false));
}

/// Number of records of bob, who stands on the right.
async fn seen(area: Option<Area>, own: Option<Rect>) -> usize {
    let stage = Stage::new();
    stage.fakes.frames.script(GATE, [Take::new().show(secs(3.0), [face("bob").at(420, 220)]).nobody(secs(9.0))]);
    let mut camera = gate();
    camera.settings.region = own;
    let own = OwnValues { region: own.is_some(), ..OwnValues::default() };
    stage.appliance.by(&actor("test")).set_camera_defaults(CameraDefaults { area, ..DEFAULTS }).await.unwrap();
    stage
        .appliance
        .by(&actor("test"))
        .set_camera_defaults(CameraDefaults { area, ..CameraDefaults::default() })
        .await
        .unwrap();
    stage.add(NewCamera { own, ..camera }).await;
    stage.watch(secs(10.0)).await.len()
}

#[tokio::test(start_paused = true)]
async fn an_area_is_the_same_part_of_every_picture() {
    let left = Area { right: 0.3, ..Area::WHOLE };
    let right = Area { left: 0.3, ..Area::WHOLE };
    assert_eq!((seen(None, None).await, seen(Some(Area::WHOLE), None).await), (1, 1));
    assert_eq!((seen(Some(left), None).await, seen(Some(right), None).await), (0, 1));
    let own = Rect::new(0.0, 0.0, 640.0, 480.0);
    assert_eq!(seen(Some(left), Some(own)).await, 1, "the camera has a region of its own");
}

#[tokio::test]
async fn restoring_the_factory_settings_removes_the_defaults() {
    let stage = Stage::new();
    stage.add(gate()).await;
    stage.appliance.by(&actor("test")).set_camera_defaults(strict()).await.unwrap();
    stage.appliance.by(&actor("test")).restore_defaults(&stage.appliance.state("one"), &[]).await.unwrap();
    assert_eq!(stage.appliance.camera_defaults(), CameraDefaults::default());
    assert_eq!(in_force(&stage, 1).await, (0.8, 5.0, 60));
}
