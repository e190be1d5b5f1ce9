//! The implementation of the analyzer port.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use async_trait::async_trait;
use bytes::Bytes;
use domain::frame::Frame;
use domain::geometry::Rect;
use domain::ports::{FaceAnalyzer, Lane, Search};
use domain::{Calibration, Detection, Embedding, Error, Face, ModelId, Result, Timestamp};

use crate::clarity::Measures;
use crate::codec;
use crate::counters::Counters;
use crate::decoding::{Decoding, blocking};
use crate::embedder::Identity;
use crate::engine::{Engine, Refusal, Room};
use crate::error::{AnalysisError, OpenError, SelfTestError};
use crate::face_crop::{self, Place};
use crate::imaging;
use crate::manifest::{Manifest, Role};
use crate::models::ModelSet;
use crate::objects::Objects;
use crate::pipeline::Pipeline;
use crate::quality::{SIDE, TEMPLATE};
use crate::runtime::{self, OpenVinoDevice, Provider};
use crate::self_test;
use crate::session::{SessionSettings, Stopwatch};

/// Maximum number of jobs queued for the inference threads.
const ROOM: Room = Room { live: 32, photos: 16, objects: 32 };
/// Maximum number of threads per run. Two halve the time of a detection; more gain little. Two workers of one thread
/// each would process a tenth more frames, but take twice as long per frame and 100 MB more.
const MAX_THREADS_PER_RUN: usize = 2;

/// Settings of [`Analyzer::open`].
#[derive(Debug, Clone)]
pub struct Options {
    /// Folder of networks and manifests.
    pub models_dir: PathBuf,
    /// The ONNX Runtime library; `None` for `onnxruntime/libonnxruntime.so` in the models folder. A process loads only
    /// one library, that of the first analyzer.
    pub runtime_library: Option<PathBuf>,
    /// Name of the model set in `sets.toml`.
    pub set: String,
    /// Execution provider; if it cannot be used, the CPU is used and a warning logged.
    pub provider: Provider,
    /// The device that OpenVINO computes on, when it is the provider.
    pub openvino_device: OpenVinoDevice,
    /// Number of inference threads; 0 for one per CPU core.
    pub threads: usize,
    /// Whether liveness is checked; requires a liveness model in the set.
    pub liveness: bool,
    /// Maximum longer side of the detector's input, pixels. The actual size follows from the smallest face searched;
    /// the maximum bounds the detection time.
    pub detection_side: u32,
}

impl Options {
    /// The default set from this folder, on all cores, without liveness.
    pub fn new(models_dir: impl Into<PathBuf>) -> Self {
        Self {
            models_dir: models_dir.into(),
            runtime_library: None,
            set: "default".to_owned(),
            provider: Provider::Auto,
            openvino_device: OpenVinoDevice::default(),
            threads: 0,
            liveness: false,
            detection_side: 1280,
        }
    }
}

/// Checks that the inference library and the models of the set exist, and that each model is the file pinned by its
/// manifest. Loads nothing; reads every model once, which takes about a second.
///
/// # Errors
/// As [`Analyzer::open`].
pub fn check(options: &Options) -> Result<(), OpenError> {
    ModelSet::load(&options.models_dir, &options.set, options.liveness)?;
    let path = library(options);
    match std::fs::metadata(&path) {
        Ok(_) => Ok(()),
        Err(source) => Err(OpenError::Unreadable { path, source }),
    }
}

/// A model in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelInfo {
    /// Its use.
    pub role: Role,
    /// Its name.
    pub name: String,
    /// Incremented when its results change.
    pub revision: u32,
    /// One-line description.
    pub summary: String,
    /// Licence as stated by its source.
    pub licence: String,
    /// Licence questions that its source leaves open; may be empty.
    pub unknown: String,
}

/// A [`FaceAnalyzer`] based on ONNX Runtime.
pub struct Analyzer {
    engine: Arc<Engine<Pipeline>>,
    objects: Option<Objects>,
    identity: Identity,
    live_from: Option<f32>,
    models: Vec<ModelInfo>,
    /// The networks that describe a face.
    describing: Vec<Manifest>,
    provider: Provider,
    fallen_back: Option<FallBack>,
    stopwatch: Stopwatch,
    decoding: Decoding,
}

/// An accelerator that could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FallBack {
    /// The requested provider.
    pub from: Provider,
    /// Why it could not be used.
    pub why: String,
}

impl Analyzer {
    /// Reads and checks the models and starts the inference threads. Blocks until they are ready.
    ///
    /// # Errors
    /// A model, manifest or library is missing, changed or too old; the message is meant for the operator.
    pub fn open(options: Options) -> Result<Self, OpenError> {
        // The runtime changes the denormal handling of the first thread that opens a session. The inference threads
        // inherit it from this thread, and the caller's thread is not affected.
        let opening = thread::Builder::new().name("vision-open".to_owned()).spawn(move || open(&options));
        match opening.map_err(OpenError::Threads)?.join() {
            Ok(opened) => opened,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }

    /// The provider in use.
    pub fn provider(&self) -> Provider {
        self.provider
    }

    /// The accelerator that was replaced by the CPU, and why.
    pub fn fallen_back(&self) -> Option<&FallBack> {
        self.fallen_back.as_ref()
    }

    /// The models in use.
    pub fn models(&self) -> &[ModelInfo] {
        &self.models
    }

    /// The detector of objects; `None` when the set has no model that finds them.
    pub fn objects(&self) -> Option<Objects> {
        self.objects.clone()
    }

    /// Counters of the inference threads.
    pub fn counters(&self) -> Counters {
        Counters { in_networks: self.stopwatch.read(), ..self.engine.counters() }
    }

    /// The embedding of each face of a frame, in order, with the measures that the clarity of a shot is fitted to.
    ///
    /// # Errors
    /// As [`FaceAnalyzer::describe`].
    pub async fn measure(&self, frame: Frame, detections: Vec<Detection>) -> Result<Vec<(Embedding, Measures)>> {
        self.analyse(Lane::Photo, move |pipeline| pipeline.measure(&frame, &detections)).await
    }

    /// Runs every network on inputs with known results. Takes as long as a few detections.
    ///
    /// # Errors
    /// The models do not give the expected results on this device.
    pub async fn self_test(&self) -> Result<(), SelfTestError> {
        let provider = self.provider;
        let tested = self.engine.run(Lane::Photo, move |pipeline| self_test::run(pipeline, provider)).await;
        tested.map_err(|_| SelfTestError::Unavailable)?
    }

    async fn analyse<T: Send + 'static>(
        &self,
        lane: Lane,
        work: impl FnOnce(&mut Pipeline) -> Result<T, AnalysisError> + Send + 'static,
    ) -> Result<T> {
        match self.engine.run(lane, work).await {
            Ok(result) => Ok(result?),
            Err(Refusal::Full) => Err(Error::Busy),
            Err(Refusal::Lost) => Err(Error::Unavailable { what: "face analysis" }),
        }
    }
}

#[async_trait]
impl FaceAnalyzer for Analyzer {
    fn model(&self) -> &ModelId {
        &self.identity.model
    }

    fn calibration(&self) -> &Calibration {
        &self.identity.calibration
    }

    fn live_from(&self) -> Option<f32> {
        self.live_from
    }

    async fn decode(&self, picture: Bytes, at: Timestamp) -> Result<Frame> {
        self.decoding.decode(picture, at).await
    }

    async fn encode(&self, frame: Frame, part: Option<Rect>) -> Result<Bytes> {
        blocking(move || codec::encode(&frame, part)).await
    }

    fn surroundings(&self, frame: &Frame, face: &Detection) -> Rect {
        let place = Place { face_box: face.face_box, landmarks: face.landmarks };
        let measured = face_crop::aligned_from(frame, &face.landmarks, &TEMPLATE, SIDE, SIDE);
        let read = self.describing.iter().map(|manifest| face_crop::cropped_from(frame, &place, manifest));
        read.fold(measured, |all, area| all.joined(&area))
    }

    async fn detect(&self, frame: Frame, search: Search, lane: Lane) -> Result<Vec<Detection>> {
        self.analyse(lane, move |pipeline| pipeline.detect(&frame, &search, lane)).await
    }

    async fn describe(&self, frame: Frame, detections: Vec<Detection>, lane: Lane) -> Result<Vec<Face>> {
        if detections.is_empty() {
            return Ok(Vec::new());
        }
        self.analyse(lane, move |pipeline| pipeline.describe(&frame, detections)).await
    }

    async fn embed(&self, frame: Frame, detection: Detection, lane: Lane) -> Result<(Detection, Embedding)> {
        self.analyse(lane, move |pipeline| pipeline.embed(&frame, detection)).await
    }
}

fn open(options: &Options) -> Result<Analyzer, OpenError> {
    let mut models = ModelSet::load(&options.models_dir, &options.set, options.liveness)?;
    let environment = runtime::environment(&library(options))?;
    if let Err(error) = imaging::use_calling_thread() {
        tracing::warn!(%error, "failed to disable OpenCV threads");
    }
    let (workers, threads) = split(threads(options));
    let mut settings = SessionSettings {
        environment,
        provider: options.provider.resolved(),
        openvino_device: options.openvino_device,
        threads,
        stopwatch: Stopwatch::default(),
    };
    settings.provider.prepare();
    let (mut pipelines, fallen_back) = pipelines(&models, &mut settings, options, workers)?;
    drop_unfit_live_detector(&mut models, &mut pipelines, settings.provider);
    let engine = Arc::new(Engine::start(pipelines, ROOM).map_err(OpenError::Threads)?);
    Ok(Analyzer {
        objects: models.objects.as_ref().and_then(|model| Objects::new(&engine, &model.manifest)),
        engine,
        live_from: models.liveness.as_ref().and_then(|model| model.manifest.live_from()),
        identity: Identity::new(&models.embedder.manifest)?,
        models: models.iter().map(|model| info(&model.manifest)).collect(),
        describing: models.describing().map(|model| model.manifest.clone()).collect(),
        provider: settings.provider,
        fallen_back,
        stopwatch: settings.stopwatch,
        decoding: Decoding::default(),
    })
}

/// Loads the networks for each worker; falls back to the CPU when the provider rejects one of them.
fn pipelines(
    models: &ModelSet,
    settings: &mut SessionSettings,
    options: &Options,
    workers: usize,
) -> Result<(Vec<Pipeline>, Option<FallBack>), OpenError> {
    let load = |settings: &SessionSettings| {
        (0..workers).map(|_| Pipeline::load(models, settings, options.detection_side)).collect()
    };
    match load(settings) {
        Err(error) if settings.provider != Provider::Cpu => {
            let why = [Some(error.to_string()), runtime::take_logged_error()].into_iter().flatten();
            let why = why.collect::<Vec<_>>().join(": ");
            tracing::warn!(
                provider = %settings.provider,
                error = why,
                "failed to load models on the accelerator, using the CPU"
            );
            let fall_back = FallBack { from: settings.provider, why };
            settings.provider = Provider::Cpu;
            Ok((load(settings)?, Some(fall_back)))
        }
        loaded => Ok((loaded?, None)),
    }
}

/// Searches camera frames with the detector for photos where that for camera frames gives wrong results, as a
/// provider that rounds elsewhere may, or is not faster.
fn drop_unfit_live_detector(models: &mut ModelSet, pipelines: &mut [Pipeline], provider: Provider) {
    let Some(first) = pipelines.first_mut() else { return };
    let Some(why) = first.drop_unfit_live_detector(provider) else { return };
    pipelines.iter_mut().for_each(Pipeline::drop_live_detector);
    let dropped = models.live_detector.take().map(|model| model.manifest.name);
    tracing::warn!(model = dropped, reason = why, "live detector not used, searching camera frames with the detector");
}

fn library(options: &Options) -> PathBuf {
    let beside = || options.models_dir.join(Path::new("onnxruntime/libonnxruntime.so"));
    options.runtime_library.clone().unwrap_or_else(beside)
}

fn threads(options: &Options) -> usize {
    match options.threads {
        0 => thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    }
}

/// Number of workers, and of threads per worker.
fn split(threads: usize) -> (usize, usize) {
    let per_run = threads.clamp(1, MAX_THREADS_PER_RUN);
    ((threads / per_run).max(1), per_run)
}

fn info(manifest: &Manifest) -> ModelInfo {
    ModelInfo {
        role: manifest.role,
        name: manifest.name.clone(),
        revision: manifest.revision,
        summary: manifest.summary.clone(),
        licence: manifest.licence.stated.clone(),
        unknown: manifest.licence.unknown.clone(),
    }
}
