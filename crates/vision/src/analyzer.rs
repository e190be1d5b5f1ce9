//! The analyzer: everything behind the port.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use async_trait::async_trait;
use bytes::Bytes;
use domain::frame::Frame;
use domain::geometry::Rect;
use domain::ports::{FaceAnalyzer, Lane, Search};
use domain::{Calibration, Detection, Embedding, Error, Face, ModelId, Result, Timestamp};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::codec;
use crate::counters::Counters;
use crate::embedder::Identity;
use crate::engine::{Engine, Refusal, Room};
use crate::error::{AnalysisError, OpenError, SelfTestError};
use crate::imaging;
use crate::manifest::Role;
use crate::models::ModelSet;
use crate::pipeline::Pipeline;
use crate::runtime::{self, Provider};
use crate::self_test;
use crate::session::{SessionSettings, Stopwatch};

/// What may wait for an inference thread.
const ROOM: Room = Room { live: 32, photos: 16 };
/// Memory for decoding pictures at the same time, MiB: one of the largest, or many of the usual size.
const DECODING_MIB: u32 = 320;
/// Threads that share the work of one run at most. With two a detection takes half the time, with more it gains
/// little. Two workers of one thread each instead would do a tenth more frames, each of them in twice the time,
/// and take 100 MB more.
const MAX_THREADS_PER_RUN: usize = 2;

/// How the analyzer is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder of networks and manifests.
    pub models_dir: PathBuf,
    /// The ONNX Runtime library; `None`: `onnxruntime/libonnxruntime.so` in the models folder. A process loads one
    /// library: the first analyzer's.
    pub runtime_library: Option<PathBuf>,
    /// The set of models, by its name in `sets.toml`.
    pub set: String,
    /// What inference runs on; what is absent is replaced by the processor, with a warning.
    pub provider: Provider,
    /// Inference threads; 0: as many as the processor has.
    pub threads: usize,
    /// Whether faces are judged for being alive. The set must have a model for it then.
    pub liveness: bool,
    /// The longer side of the detector's input at most, pixels: the size follows from the smallest face wanted, and
    /// this bounds the time it takes.
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
            threads: 0,
            liveness: false,
            detection_side: 1280,
        }
    }
}

/// Checks that the models of the set and the inference library are there, and that each model is the file its manifest
/// pins. Loads nothing; reads every model once, which takes a second.
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
    /// What it is used for.
    pub role: Role,
    /// Its name.
    pub name: String,
    /// Raised when it answers differently.
    pub revision: u32,
    /// What it is.
    pub summary: String,
    /// Its licence, as its source states it.
    pub licence: String,
    /// What its source leaves open; empty when nothing.
    pub unknown: String,
}

/// Finds and describes faces with ONNX Runtime.
pub struct Analyzer {
    engine: Engine<Pipeline>,
    identity: Identity,
    live_from: Option<f32>,
    models: Vec<ModelInfo>,
    provider: Provider,
    fallen_back: Option<FallBack>,
    stopwatch: Stopwatch,
    decoding: Arc<Semaphore>,
}

/// An accelerator that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FallBack {
    /// What was to be used.
    pub from: Provider,
    /// Why it is not.
    pub why: String,
}

impl Analyzer {
    /// Reads and checks the models and starts the inference threads. Blocks until they are ready.
    ///
    /// # Errors
    /// The text of the error tells the operator what is missing, changed or too old.
    pub fn open(options: Options) -> Result<Self, OpenError> {
        // The runtime sets how the first thread that opens a session treats numbers next to zero; the inference
        // threads inherit it from here, and the caller's thread stays as it is.
        let opening = thread::Builder::new().name("vision-open".to_owned()).spawn(move || open(&options));
        match opening.map_err(OpenError::Threads)?.join() {
            Ok(opened) => opened,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }

    /// What inference really runs on.
    pub fn provider(&self) -> Provider {
        self.provider
    }

    /// The accelerator in whose place the processor is used, and why.
    pub fn fallen_back(&self) -> Option<&FallBack> {
        self.fallen_back.as_ref()
    }

    /// The models in use.
    pub fn models(&self) -> &[ModelInfo] {
        &self.models
    }

    /// What the inference threads have done so far.
    pub fn counters(&self) -> Counters {
        Counters { in_networks: self.stopwatch.read(), ..self.engine.counters() }
    }

    /// Asks every network questions with known answers. Takes a few detections' time.
    ///
    /// # Errors
    /// When the models do not work on this device as they did where they were made.
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
        let header = picture.clone();
        let bytes = blocking(move || codec::decoded_bytes(&header)).await?;
        let share = u32::try_from(bytes >> 20).unwrap_or(u32::MAX).clamp(1, DECODING_MIB);
        let share = Arc::clone(&self.decoding).acquire_many_owned(share).await;
        let share = share.map_err(|_| Error::Unavailable { what: "picture decoding" })?;
        blocking(move || {
            let decoded = codec::decode(&picture, at);
            drop(share);
            decoded
        })
        .await
    }

    async fn encode(&self, frame: Frame, part: Option<Rect>) -> Result<Bytes> {
        blocking(move || codec::encode(&frame, part)).await
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

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    spawn_blocking(work).await.map_err(Error::internal("reading or writing a picture"))?
}

fn open(options: &Options) -> Result<Analyzer, OpenError> {
    let models = ModelSet::load(&options.models_dir, &options.set, options.liveness)?;
    let environment = runtime::environment(&library(options))?;
    if let Err(error) = imaging::use_calling_thread() {
        tracing::warn!(%error, "OpenCV keeps its own threads");
    }
    let (workers, threads) = split(threads(options));
    let mut settings = SessionSettings {
        environment,
        provider: options.provider.resolved(),
        threads,
        stopwatch: Stopwatch::default(),
    };
    let (pipelines, fallen_back) = pipelines(&models, &mut settings, options, workers)?;
    Ok(Analyzer {
        engine: Engine::start(pipelines, ROOM).map_err(OpenError::Threads)?,
        live_from: models.liveness.as_ref().and_then(|model| model.manifest.live_from()),
        identity: Identity::new(&models.embedder.manifest)?,
        models: models.iter().map(|model| info(&model.manifest)).collect(),
        provider: settings.provider,
        fallen_back,
        stopwatch: settings.stopwatch,
        decoding: Arc::new(Semaphore::new(DECODING_MIB as usize)),
    })
}

/// Loads the networks for each worker; on the processor when the provider refuses one of them.
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
            tracing::warn!(provider = %settings.provider, %error, "falling back to the processor");
            let fall_back = FallBack { from: settings.provider, why: error.to_string() };
            settings.provider = Provider::Cpu;
            Ok((load(settings)?, Some(fall_back)))
        }
        loaded => Ok((loaded?, None)),
    }
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

/// Workers, and threads that share the work of one run.
fn split(threads: usize) -> (usize, usize) {
    let per_run = threads.clamp(1, MAX_THREADS_PER_RUN);
    ((threads / per_run).max(1), per_run)
}

fn info(manifest: &crate::manifest::Manifest) -> ModelInfo {
    ModelInfo {
        role: manifest.role,
        name: manifest.name.clone(),
        revision: manifest.revision,
        summary: manifest.summary.clone(),
        licence: manifest.licence.stated.clone(),
        unknown: manifest.licence.unknown.clone(),
    }
}
