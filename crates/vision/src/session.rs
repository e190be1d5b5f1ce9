//! A network in ONNX Runtime: loaded, checked against its manifest, and run on pictures.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ort::environment::Environment;
use ort::ep;
use ort::logging::LogLevel;
use ort::session::builder::SessionBuilder;
use ort::session::{NoSelectedOutputs, RunOptions, Session, SessionInputValue, SessionOutputs};
use ort::value::{Outlet, TensorElementType, TensorRef};

use crate::error::{AnalysisError, OpenError};
use crate::imaging::Picture;
use crate::manifest::{Layout, Manifest};
use crate::models::Model;
use crate::runtime::{OpenVinoDevice, Provider};
use crate::tensor::{self, Values};

/// Maximum number of pictures per run. Four embeddings in one run take 15 % less time than four runs; eight gain
/// nothing more. Detection is not batched: on the CPU four frames in one run take as long as four runs.
const MAX_BATCH: usize = 4;

/// Settings shared by all sessions.
#[derive(Clone)]
pub(crate) struct SessionSettings {
    pub(crate) environment: Environment,
    /// Never `Auto`.
    pub(crate) provider: Provider,
    /// Where OpenVINO computes, when it is the provider.
    pub(crate) openvino_device: OpenVinoDevice,
    /// Threads that share the work of one run.
    pub(crate) threads: usize,
    /// Total time spent in networks.
    pub(crate) stopwatch: Stopwatch,
}

/// Sums time over several threads.
#[derive(Clone)]
pub(crate) struct Stopwatch {
    micros: Arc<AtomicU64>,
    metric: metrics::Counter,
}

impl Default for Stopwatch {
    fn default() -> Self {
        Self { micros: Arc::default(), metric: metrics::counter!("polyface_inference_microseconds_total") }
    }
}

impl Stopwatch {
    fn add(&self, time: Duration) {
        self.micros.fetch_add(time.as_micros() as u64, Ordering::Relaxed);
        self.metric.increment(time.as_micros() as u64);
    }

    pub(crate) fn read(&self) -> Duration {
        Duration::from_micros(self.micros.load(Ordering::Relaxed))
    }
}

/// Memory allocation of a network on the CPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Workspace {
    /// Kept by the runtime between runs. Otherwise page faults would take 40 % of a detector's time.
    Kept,
    /// From the process allocator in each run: networks on faces need little memory and run rarely.
    Borrowed,
}

/// A loaded network.
pub(crate) struct Network {
    manifest: Manifest,
    session: Session,
    /// The input tensor, reused between runs.
    input: Values,
    size: Sizes,
    /// Options of a run that releases memory; supported only by the CPU allocator.
    returning: Option<RunOptions<NoSelectedOutputs>>,
    stopwatch: Stopwatch,
}

impl Network {
    /// Loads a network; fails when the provider rejects it.
    pub(crate) fn load(model: &Model, settings: &SessionSettings, workspace: Workspace) -> Result<Self, OpenError> {
        let name = &model.manifest.name;
        let refused = |error: ort::Error| OpenError::Network { model: name.clone(), why: error.to_string() };
        let mut builder = builder(settings, workspace).map_err(refused)?;
        let session = builder.commit_from_memory(&model.bytes).map_err(refused)?;
        fits(&model.manifest, session.inputs(), session.outputs())
            .map_err(|why| OpenError::WrongTensor { model: name.clone(), why })?;
        let keeps = settings.provider == Provider::Cpu && workspace == Workspace::Kept;
        let returning = keeps.then(returning).transpose().map_err(refused)?;
        Ok(Self {
            input: Values::of(&model.manifest.input),
            manifest: model.manifest.clone(),
            session,
            size: Sizes::default(),
            returning,
            stopwatch: settings.stopwatch.clone(),
        })
    }

    pub(crate) fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Keeps memory over inputs of changing sizes: it is released only after this many smaller ones in a row.
    pub(crate) fn keep_for(&mut self, runs: u32) {
        self.size.patience = runs;
    }

    /// Releases the memory kept between runs, by a run on the smallest picture. Nothing for a network of fixed size.
    pub(crate) fn release(&mut self) -> Result<(), AnalysisError> {
        if !self.manifest.input.is_free() {
            return Ok(());
        }
        let side = self.manifest.input.multiple_of as usize;
        self.size.expire();
        self.ask(&[Picture::from_rgb(side, side, &vec![0; 3 * side * side])?], |_| Ok(())).map(drop)
    }

    /// Runs the network on pictures of equal size, batched where the network allows it, and reads a result for each.
    pub(crate) fn ask<T>(
        &mut self,
        pictures: &[Picture],
        mut read: impl FnMut(&Answer<'_>) -> Result<T, String>,
    ) -> Result<Vec<T>, AnalysisError> {
        let most = if self.manifest.input.batch { MAX_BATCH } else { 1 };
        let mut answers = Vec::with_capacity(pictures.len());
        for pictures in pictures.chunks(most) {
            self.ask_once(pictures, |answer| read(answer).map(|answer| answers.push(answer)))?;
        }
        Ok(answers)
    }

    fn ask_once(
        &mut self,
        pictures: &[Picture],
        mut read: impl FnMut(&Answer<'_>) -> Result<(), String>,
    ) -> Result<(), AnalysisError> {
        let name = &self.manifest.name;
        let failed = |error: ort::Error| AnalysisError::Network { model: name.clone(), why: error.to_string() };
        tensor::write(pictures, &self.manifest.input, &mut self.input)?;
        let shape = shape(&self.manifest, pictures);
        let is_excessive = self.size.is_excessive_for(self.input.len());
        let returning = self.returning.as_ref().filter(|_| is_excessive);
        if returning.is_some() {
            self.input.shrink_to_fit();
        }
        let input: SessionInputValue<'_> = match &self.input {
            Values::Floats(values) => TensorRef::from_array_view((shape, values.as_slice())).map_err(failed)?.into(),
            Values::Bytes(values) => TensorRef::from_array_view((shape, values.as_slice())).map_err(failed)?.into(),
        };
        let tensor = self.manifest.input.tensor.as_str();
        let start = Instant::now();
        let inputs = ort::inputs![tensor => input];
        let outputs = match returning {
            Some(options) => self.session.run_with_options(inputs, options),
            None => self.session.run(inputs),
        }
        .map_err(failed)?;
        self.stopwatch.add(start.elapsed());
        let answered = |why| AnalysisError::Answer { model: name.clone(), why };
        let parts = parts(&outputs, &self.manifest, pictures.len()).map_err(answered)?;
        (0..pictures.len()).try_for_each(|index| read(&Answer { parts: &parts, index })).map_err(answered)
    }
}

/// Sizes of the inputs of a network, in values.
#[derive(Debug, Default)]
struct Sizes {
    /// The largest since memory was last released.
    largest: usize,
    /// Inputs in a row of at most half of that.
    smaller: u32,
    /// After how many of them memory is released.
    patience: u32,
}

impl Sizes {
    /// Has memory released with the next input.
    fn expire(&mut self) {
        (self.largest, self.smaller) = (usize::MAX, self.patience);
    }

    /// Notes the size of an input. Returns whether the memory kept is to be released with it.
    fn is_excessive_for(&mut self, size: usize) -> bool {
        self.smaller = if size <= self.largest / 2 { self.smaller + 1 } else { 0 };
        let is_excessive = self.smaller > self.patience;
        if is_excessive {
            (self.largest, self.smaller) = (0, 0);
        }
        self.largest = self.largest.max(size);
        is_excessive
    }
}

/// Options that release memory after a run. A large photo makes the allocator take hundreds of megabytes, which it
/// would keep; releasing memory in every run would cost a third of the time.
fn returning() -> ort::Result<RunOptions<NoSelectedOutputs>> {
    let mut options = RunOptions::new()?;
    options.set("memory.enable_memory_arena_shrinkage", "cpu:0")?;
    Ok(options)
}

fn builder(settings: &SessionSettings, workspace: Workspace) -> ort::Result<SessionBuilder> {
    let builder = Session::builder(&settings.environment)?
        .with_log_level(LogLevel::Error)?
        .with_intra_threads(settings.threads)?
        .with_inter_threads(1)?
        // Weights must not lie in the memory that is released.
        .with_device_allocated_initializers()?
        // Cached memory plans for each frame size would take 100 MB and save no time.
        .with_memory_pattern(false)?
        // Spinning threads would take CPU time from the video decoders.
        .with_intra_op_spinning(false)?
        // Denormal weights make some networks several times slower.
        .with_flush_to_zero()?;
    let processor = ep::CPU::default().with_arena_allocator(workspace == Workspace::Kept).build();
    let accelerator = settings.provider.dispatch(settings.openvino_device, settings.threads);
    let providers: Vec<_> = accelerator.into_iter().chain([processor]).collect();
    Ok(builder.with_execution_providers(providers)?)
}

fn shape(manifest: &Manifest, pictures: &[Picture]) -> [usize; 4] {
    let (width, height) = pictures.first().map_or((0, 0), |picture| (picture.width(), picture.height()));
    let channels = manifest.input.colour.channels();
    match manifest.input.layout {
        Layout::Nchw => [pictures.len(), channels, height, width],
        Layout::Nhwc => [pictures.len(), height, width, channels],
        Layout::Squares => [pictures.len(), height / 2, width / 2, 4 * channels],
    }
}

/// Checks that the file has the tensors that its manifest names, with matching shapes.
fn fits(manifest: &Manifest, inputs: &[Outlet], outputs: &[Outlet]) -> Result<(), String> {
    let input = &manifest.input;
    let [only] = inputs else { return Err(format!("it has {} inputs instead of one", inputs.len())) };
    if only.name() != input.tensor {
        return Err(format!("its input is {:?}, not {:?}", only.name(), input.tensor));
    }
    let kind = match input.layout {
        Layout::Nchw | Layout::Nhwc => TensorElementType::Float32,
        Layout::Squares => TensorElementType::Uint8,
    };
    if only.dtype().tensor_type() != Some(kind) {
        return Err(format!("its input is not a tensor of {kind} but {}", only.dtype()));
    }
    let found: &[i64] = only.dtype().tensor_shape().map_or(&[], |shape| shape);
    if !admits(found, &expected(manifest)) {
        return Err(format!("its input has the shape {found:?}, not {:?}", expected(manifest)));
    }
    match manifest.output.tensors().into_iter().find(|name| !outputs.iter().any(|output| output.name() == *name)) {
        Some(missing) => Err(format!("it has no output {missing:?}")),
        None => Ok(()),
    }
}

/// The input's shape according to the manifest; -1 for free dimensions.
fn expected(manifest: &Manifest) -> [i64; 4] {
    let input = &manifest.input;
    let side = |pixels: u32| if input.is_free() { -1 } else { i64::from(pixels) };
    let batch = if input.batch { -1 } else { 1 };
    let (channels, width, height) = (input.colour.channels() as i64, side(input.width), side(input.height));
    match input.layout {
        Layout::Nchw => [batch, channels, height, width],
        Layout::Nhwc => [batch, height, width, channels],
        Layout::Squares => [batch, half(height), half(width), 4 * channels],
    }
}

/// Half a side; a free one stays free.
fn half(side: i64) -> i64 {
    if side < 0 { side } else { side / 2 }
}

/// Whether the found shape accepts the expected one: dimensions that must be free are free, and fixed ones are equal or
/// free.
fn admits(found: &[i64], expected: &[i64; 4]) -> bool {
    found.len() == expected.len() && found.iter().zip(expected).all(|(found, expected)| *found < 0 || found == expected)
}

/// An output tensor of one run; its first dimension is the batch.
struct Part<'a> {
    name: &'a str,
    /// Without the batch.
    shape: &'a [i64],
    values: &'a [f32],
    batch: usize,
}

/// The output tensors that the manifest names.
fn parts<'a>(outputs: &'a SessionOutputs<'_>, manifest: &'a Manifest, batch: usize) -> Result<Vec<Part<'a>>, String> {
    let part = |name: &'a str| {
        let value = outputs.get(name).ok_or_else(|| format!("no {name:?}"))?;
        let (shape, values) = value.try_extract_tensor::<f32>().map_err(|error| error.to_string())?;
        match shape.split_first() {
            Some((found, shape)) if usize::try_from(*found) == Ok(batch) => Ok(Part { name, shape, values, batch }),
            _ => Err(format!("shape {shape:?} of {name:?} for {batch} pictures")),
        }
    };
    manifest.output.tensors().into_iter().map(part).collect()
}

/// The outputs for one picture.
pub(crate) struct Answer<'a> {
    parts: &'a [Part<'a>],
    index: usize,
}

impl Answer<'_> {
    /// Shape (without the batch) and values of the tensor with this name.
    pub(crate) fn tensor(&self, name: &str) -> Result<(&[i64], &[f32]), String> {
        let part = self.parts.iter().find(|part| part.name == name).ok_or_else(|| format!("no {name:?}"))?;
        let length = part.values.len() / part.batch;
        Ok((part.shape, &part.values[self.index * length..][..length]))
    }

    /// The values of the tensor with this name; fails unless there are `length` of them.
    pub(crate) fn values(&self, name: &str, length: usize) -> Result<&[f32], String> {
        let (_, values) = self.tensor(name)?;
        if values.len() != length {
            return Err(format!("{} instead of {length} values in {name:?}", values.len()));
        }
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_released_after_a_row_of_small_inputs() {
        let released = |patience, sizes: &[usize]| {
            let mut kept = Sizes { patience, ..Sizes::default() };
            sizes.iter().map(|size| kept.is_excessive_for(*size)).collect::<Vec<_>>()
        };
        assert_eq!(released(0, &[100, 60, 50, 50]), [false, false, true, false]);
        let [.., last] = released(2, &[100, 50, 10, 100, 50, 10, 20])[..] else { panic!("an answer for each") };
        assert!(last, "three in a row");
        assert!(!released(2, &[100, 50, 10, 100, 50, 10, 100, 20]).contains(&true), "interrupted");
    }

    #[test]
    fn expired_memory_is_released_with_the_next_input_and_no_other() {
        let mut kept = Sizes { patience: 3, ..Sizes::default() };
        assert!(!kept.is_excessive_for(100));
        kept.expire();
        assert_eq!([1, 100, 1].map(|size| kept.is_excessive_for(size)), [true, false, false]);
    }

    #[test]
    fn a_free_dimension_admits_a_fixed_size_and_a_fixed_one_only_itself() {
        assert!(admits(&[-1, 3, 112, 112], &[-1, 3, 112, 112]));
        assert!(admits(&[-1, 3, -1, -1], &[1, 3, 112, 112]));
        assert!(!admits(&[1, 3, 112, 112], &[-1, 3, 112, 112]), "cannot be batched");
        assert!(!admits(&[1, 3, 224, 224], &[1, 3, 112, 112]));
        assert!(!admits(&[1, 112, 112], &[1, 3, 112, 112]));
    }
}
