//! A device that applies rules to a film.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::frame::Frame;
use domain::ports::{Clock, FrameSource, FrameStream, LogStore, ObjectDetector, Ports, SourceError};
use domain::{
    Appliance, Behaviour, CameraSettings, DetectedObject, Entry, EntryKind, NewCamera, ObjectClass, OwnValues, Result,
    RuleSettings, Seq, SnapMode, Source, Timestamp, WatchSettings, What, surveillance,
};
use testkit::{actor, appliance_of, options};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::film::{Film, RATE, frame};

/// Between two frames of a film.
const STEP: Duration = Duration::from_millis(1_000 / RATE as u64);

/// What a rule did: at which second of the film, and what it recorded.
pub(crate) type Told = (f64, Behaviour);

/// What these rules make of a film, and of an empty scene for ten seconds after it.
pub(crate) async fn watch(film: Film, rules: impl IntoIterator<Item = RuleSettings>) -> Vec<Told> {
    let (_, fakes) = appliance_of(options()).unwrap();
    let player = Arc::new(Player { film, start: fakes.clock.now() });
    let ports = Ports { frames: player.clone(), objects: Some(player.clone()), ..fakes.ports() };
    let appliance = Appliance::load(ports, options()).unwrap();
    let camera = appliance.by(&actor("test")).add_camera(camera()).await.unwrap().id;
    for rule in rules {
        appliance.by(&actor("test")).add_rule(camera, rule).await.unwrap();
    }
    let cancel = CancellationToken::new();
    let sampling = surveillance::Options { detect_every: STEP };
    let length = STEP * player.film.found.len() as u32 + Duration::from_secs(10);
    let stop = async {
        tokio::time::sleep(length).await;
        cancel.cancel();
    };
    tokio::join!(surveillance::run(appliance, sampling, cancel.clone()), stop);
    let entries = fakes.store.entries_after(Seq(0), &[EntryKind::Behaviour], 10_000).unwrap();
    entries.into_iter().map(|entry| told(entry, player.start)).collect()
}

/// What one rule did.
pub(crate) fn of<'t>(told: &'t [Told], rule: &str) -> impl Iterator<Item = &'t Told> {
    told.iter().filter(move |(_, behaviour)| behaviour.rule == rule)
}

fn told(entry: Entry, start: Timestamp) -> Told {
    let What::Behaviour(behaviour) = entry.what else { unreachable!("only behaviours were asked for") };
    (entry.at.millis_since(start) as f64 / 1_000.0, *behaviour)
}

/// A camera that is not asked for faces.
fn camera() -> NewCamera {
    let settings = CameraSettings {
        name: "street".into(),
        position: String::new(),
        description: String::new(),
        source: Source::Rtsp { url: "rtsp://street/live".into() },
        region: None,
        min_face_px: 60,
        max_face_px: 1_000,
        snap_mode: SnapMode::Best,
    };
    let watch = WatchSettings { enabled: false, ..WatchSettings::default() };
    NewCamera { id: None, settings, watch, own: OwnValues::default(), permission_groups: [].into(), note: None }
}

/// A camera that shows a film, and the detector that has seen it already.
struct Player {
    film: Film,
    start: Timestamp,
}

#[async_trait]
impl FrameSource for Player {
    async fn open(&self, _: &Source) -> Result<Box<dyn FrameStream>, SourceError> {
        let grey = |level: u8| Bytes::from(vec![level; (self.film.size.0 * self.film.size.1 * 3) as usize]);
        Ok(Box::new(Projector { opened: Instant::now(), start: self.start, shown: 0, pictures: [grey(64), grey(160)] }))
    }
}

#[async_trait]
impl ObjectDetector for Player {
    fn finds(&self, _: ObjectClass) -> bool {
        true
    }

    async fn detect(&self, frame: Frame, wanted: &[ObjectClass]) -> Result<Vec<DetectedObject>> {
        let number = frame.at().millis_since(self.start) / STEP.as_millis() as i64;
        let found = usize::try_from(number).ok().and_then(|number| self.film.found.get(number));
        Ok(found.into_iter().flatten().filter(|found| wanted.contains(&found.class)).copied().collect())
    }
}

/// Frames in which something moves, whatever it is.
struct Projector {
    opened: Instant,
    start: Timestamp,
    shown: u32,
    pictures: [Bytes; 2],
}

#[async_trait]
impl FrameStream for Projector {
    async fn next(&mut self) -> Result<Option<Frame>, SourceError> {
        let time = STEP * self.shown;
        tokio::time::sleep_until(self.opened + time).await;
        self.shown += 1;
        let picture = self.pictures[self.shown as usize % 2].clone();
        Ok(Some(frame(picture, self.start.plus_millis(time.as_millis() as i64))))
    }
}
