//! An appliance on fakes whose camera shows a gate.

use std::time::Duration;

use domain::{
    Appliance, Camera, CameraSettings, LibraryId, LibraryKind, LibraryName, NewCamera, NewLibrary, NewPerson, Options,
    Output, Person, Record, Seq, SnapMode, Source, StorageLimits, WatchSettings, doors, surveillance,
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

    /// A stage with these storage limits.
    pub(crate) fn storing(storage: StorageLimits) -> Self {
        Self::with(Options { storage, ..testkit::options() })
    }

    pub(crate) fn with(options: Options) -> Self {
        let (appliance, fakes) = testkit::appliance_of(options).unwrap();
        Self { appliance, fakes, cancel: CancellationToken::new(), tasks: JoinSet::new() }
    }

    /// A stage whose gate camera plays these takes and watches for the default library.
    pub(crate) async fn playing(takes: impl IntoIterator<Item = Take>) -> Self {
        Self::new().play(takes).await
    }

    /// Adds a gate camera that plays these takes.
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

    /// Starts surveillance.
    pub(crate) fn open(&mut self) {
        let options = surveillance::Options { detect_every: Duration::from_millis(200) };
        self.tasks.spawn(surveillance::run(self.appliance.clone(), options, self.cancel.clone()));
    }

    /// Runs the doors until cancelled. Returns once they have closed every relay, as they do at the start: a relay that
    /// is opened at that moment is switched on twice.
    pub(crate) async fn run_doors(&self, cancel: CancellationToken) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        tasks.spawn(doors::run(self.appliance.clone(), cancel));
        let mut open: Vec<_> = self.appliance.relays().await.unwrap();
        testkit::until("all relays closed", async || {
            let switched = self.fakes.host.switched();
            open.retain(|(relay, _)| !switched.contains(&(Output::Relay(relay.address), false)));
            open.is_empty()
        })
        .await;
        tasks
    }

    /// Runs surveillance for this time. Returns the records, oldest first.
    pub(crate) async fn watch(mut self, time: Duration) -> Vec<Record> {
        self.open();
        tokio::time::sleep(time).await;
        self.close().await;
        self.records().await
    }

    /// Stops surveillance, which records the people in view.
    pub(crate) async fn close(&mut self) {
        self.cancel.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
    }

    /// Ends surveillance where it is, as a crash does.
    pub(crate) async fn crash(&mut self) {
        self.tasks.shutdown().await;
    }

    /// Allows [`open`](Self::open) again after [`close`](Self::close).
    pub(crate) fn reopen(&mut self) {
        self.cancel = CancellationToken::new();
    }

    /// All records, oldest first.
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
    NewCamera { id: None, settings, watch, own: domain::OwnValues::default(), permission_groups: [].into(), note: None }
}

/// A person with this name and code, and a photo of the face of this name that differs from what cameras see.
pub(crate) fn newcomer(name: &str, library: LibraryId) -> NewPerson {
    NewPerson {
        code: Some(name.parse().unwrap()),
        profile: domain::Profile { name: name.to_owned(), ..domain::Profile::default() },
        libraries: vec![library],
        photo: Picture::of([face(name).at(200, 100).sized(200)]).png(),
        ..NewPerson::default()
    }
}

/// The codes of the recorded people; `?` for an unrecognised one.
pub(crate) fn names(records: &[Record]) -> Vec<&str> {
    records.iter().map(|record| record.accepted().map_or("?", |candidate| candidate.code.as_str())).collect()
}
