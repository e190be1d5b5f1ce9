//! Records made as they are made in life: somebody passes in front of a camera.

use std::time::Duration;

use domain::surveillance::{self, Options};
use domain::{Appliance, Source};
use testkit::store_suite::samples;
use testkit::{FakeFace, Handles, Take, actor};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Lets a stranger pass in front of a new camera and waits for the record. Ends the surveillance again.
pub(crate) async fn somebody_passes(appliance: &Appliance, handles: &Handles, url: &str) {
    handles.frames.script(url, [Take::new().show(Duration::from_secs(2), [FakeFace::of(url)])]);
    let mut camera = samples::new_camera([]);
    camera.settings.source = Source::Rtsp { url: url.into() };
    camera.settings.region = None;
    appliance.by(&actor("test")).add_camera(camera).await.unwrap();
    let (cancel, mut tasks) = (CancellationToken::new(), JoinSet::new());
    let mut newest = appliance.newest_entry();
    let options = Options { detect_every: Duration::from_millis(100) };
    tasks.spawn(surveillance::run(appliance.clone(), options, cancel.clone()));
    tokio::time::timeout(Duration::from_secs(60), newest.changed()).await.expect("no record").unwrap();
    cancel.cancel();
    tasks.join_next().await;
}
