//! An appliance with a gate before it, past which people walk.

use std::time::Duration;

use domain::{
    Appliance, Camera, CameraSettings, LibraryId, LibraryKind, LibraryName, NewCamera, NewLibrary, NewPerson, Options,
    Person, Record, Seq, SnapMode, Source, StorageLimits, WatchSettings, surveillance,
};
use testkit::{FakeFace, Handles, Picture, Take, actor};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// The camera at the gate.
pub(crate) const GATE: &str = "rtsp://gate/live";

pub(crate) fn secs(secs: f64) -> Duration {
    Duration::from_secs_f64(secs)
}

pub(crate) fn face(name: &str) -> FakeFace {
    FakeFace::of(name)
}

pub(crate) struct Stage {
    pub(crate) appliance: Appliance,
    pub(crate) fakes: Handles,
    cancel: CancellationToken,
    tasks: JoinSet<()>,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self::with(testkit::options())
    }

    /// A stage with so much room for records.
    pub(crate) fn storing(storage: StorageLimits) -> Self {
        Self::with(Options { storage, ..testkit::options() })
    }

    pub(crate) fn with(options: Options) -> Self {
        let (appliance, fakes) = testkit::appliance_of(options).unwrap();
        Self { appliance, fakes, cancel: CancellationToken::new(), tasks: JoinSet::new() }
    }

    /// A stage whose gate camera plays these takes, watched for the default library.
    pub(crate) async fn playing(takes: impl IntoIterator<Item = Take>) -> Self {
        Self::new().play(takes).await
    }

    /// This stage with such a gate camera.
    pub(crate) async fn play(self, takes: impl IntoIterator<Item = Take>) -> Self {
        self.fakes.frames.script(GATE, takes);
        self.add(gate()).await;
        self
    }

    pub(crate) async fn add(&self, camera: NewCamera) -> Camera {
        self.appliance.by(&actor("test")).add_camera(camera).await.unwrap()
    }

    pub(crate) async fn enrol(&self, name: &str) -> Person {
        self.enrol_into(name, LibraryId::DEFAULT).await
    }

    pub(crate) async fn enrol_into(&self, name: &str, library: LibraryId) -> Person {
        self.appliance.by(&actor("test")).enrol(newcomer(name, library)).await.unwrap()
    }

    pub(crate) async fn library(&self, name: &str, kind: LibraryKind) -> LibraryId {
        let library =
            NewLibrary { name: LibraryName::new(name).unwrap(), kind, description: String::new(), note: None };
        self.appliance.by(&actor("test")).create_library(library).await.unwrap().id
    }

    /// Starts looking.
    pub(crate) fn open(&mut self) {
        let options = surveillance::Options { detect_every: Duration::from_millis(200) };
        self.tasks.spawn(surveillance::run(self.appliance.clone(), options, self.cancel.clone()));
    }

    /// Looks for so long, then stops and answers what was recorded, oldest first.
    pub(crate) async fn watch(mut self, time: Duration) -> Vec<Record> {
        self.open();
        tokio::time::sleep(time).await;
        self.close().await;
        self.records().await
    }

    /// Stops looking, which records whoever is in view.
    pub(crate) async fn close(&mut self) {
        self.cancel.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
    }

    /// Makes it ready to look again after it was closed.
    pub(crate) fn reopen(&mut self) {
        self.cancel = CancellationToken::new();
    }

    /// Everything recorded, oldest first.
    pub(crate) async fn records(&self) -> Vec<Record> {
        self.appliance.records_after(Seq(0), 1_000).await.unwrap()
    }
}

/// The camera at the gate, watching for the default library; it re-arms after five seconds.
pub(crate) fn gate() -> NewCamera {
    let settings = CameraSettings {
        name: "gate".into(),
        position: "north".into(),
        description: String::new(),
        source: Source::Rtsp { url: GATE.into() },
        region: None,
        min_face_px: 60,
        max_face_px: 1_000,
        snap_mode: SnapMode::Best,
    };
    let libraries = [LibraryId::DEFAULT].into();
    let watch = WatchSettings { libraries, rearm: secs(5.0), ..WatchSettings::default() };
    NewCamera { id: None, settings, watch, own: domain::OwnValues::default(), note: None }
}

/// A person with a code and a photo that go by this name; the photo is not what a camera sees.
pub(crate) fn newcomer(name: &str, library: LibraryId) -> NewPerson {
    NewPerson {
        code: Some(name.parse().unwrap()),
        profile: domain::Profile { name: name.to_owned(), ..domain::Profile::default() },
        libraries: vec![library],
        photo: Picture::of([face(name).at(200, 100).sized(200)]).png(),
        ..NewPerson::default()
    }
}

/// Who was recorded, by code; `?` where nobody was recognised.
pub(crate) fn names(records: &[Record]) -> Vec<&str> {
    records.iter().map(|record| record.accepted().map_or("?", |candidate| candidate.code.as_str())).collect()
}
