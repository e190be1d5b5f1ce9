//! A camera that is searched for faces and for objects: whether both keep up, decoding included.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::geometry::Point;
use domain::{BehaviourKind, CameraId, Crossing, ObjectClass, RuleOptions, RuleSettings, Source, surveillance};
use polyface_tests::Report;
use testkit::actor;
use testkit::clip::pattern;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use video::VideoSource;

use crate::passage::gate;
use crate::rig::{FULL_HD, Rig, SystemClock};

/// Both stages are asked for so many looks a second, by default.
const LOOKS: f64 = 5.0;
const WARM_UP: Duration = Duration::from_secs(5);
const MEASURED: Duration = Duration::from_secs(30);

pub(crate) async fn measure(report: &mut Report) {
    let dir = tempfile::tempdir().unwrap();
    let film = pattern(dir.path(), FULL_HD, 10).unwrap();
    let video = Arc::new(VideoSource::new(Arc::new(SystemClock), video::Options::default()).unwrap());
    let rig = Rig::over(video.clone());
    let mut camera = gate();
    camera.settings.source = Source::File { url: format!("file://{}?loop=1", film.display()) };
    let camera = rig.appliance.by(&actor("bench")).add_camera(camera).await.unwrap().id;
    rig.appliance.by(&actor("bench")).add_rule(camera, line()).await.unwrap();
    let (cancel, mut tasks) = (CancellationToken::new(), JoinSet::new());
    let options = surveillance::Options { detect_every: Duration::from_millis(200) };
    tasks.spawn(surveillance::run(rig.appliance.clone(), options, cancel.clone()));
    tokio::time::sleep(WARM_UP).await;
    let (start, before) = (Instant::now(), searches(&rig, camera));
    tokio::time::sleep(MEASURED).await;
    let (seconds, after) = (start.elapsed().as_secs_f64(), searches(&rig, camera));
    let rate = |after: u64, before: u64| (after - before) as f64 / seconds;
    let (faces, objects) = (rate(after.0, before.0), rate(after.1, before.1));
    report.row_at_least("searches for faces beside rules, one camera, 1/s", faces, Some(LOOKS), Some(0.9));
    report.row_at_least("searches for objects beside faces, one camera, 1/s", objects, Some(LOOKS), Some(0.9));
    cancel.cancel();
    tasks.join_all().await;
    video.close().await;
}

/// So far, for faces and for objects.
fn searches(rig: &Rig, camera: CameraId) -> (u64, u64) {
    (rig.appliance.camera_counters(camera).frames_analysed, rig.analyzer.counters().objects_done)
}

fn line() -> RuleSettings {
    RuleSettings {
        name: "line".into(),
        kind: BehaviourKind::LineCount,
        object: ObjectClass::Person,
        points: vec![Point { x: 0.5, y: 0.0 }, Point { x: 0.5, y: 1.0 }],
        direction: Crossing::AToB,
        options: RuleOptions::default(),
    }
}
