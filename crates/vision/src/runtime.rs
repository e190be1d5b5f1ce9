//! The ONNX Runtime library and its execution providers.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use ort::environment::Environment;
use ort::ep::{self, ExecutionProvider, ExecutionProviderDispatch};
use ort::logging::LogLevel;
use serde::Deserialize;

use crate::error::OpenError;

/// The execution provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// The accelerator that the library supports, otherwise the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The CPU, through XNNPACK.
    Xnnpack,
    /// A Rockchip NPU.
    Rknpu,
    /// A Huawei Ascend NPU.
    Cann,
    /// An Intel processor, GPU or NPU, through OpenVINO.
    OpenVino,
    /// An NVIDIA GPU.
    Cuda,
}

/// The device that OpenVINO computes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OpenVinoDevice {
    /// The CPU.
    #[default]
    Cpu,
    /// An Intel GPU.
    Gpu,
    /// An Intel NPU.
    Npu,
}

impl OpenVinoDevice {
    /// OpenVINO's name of the device. Never `AUTO`, which computes on the CPU until the networks are compiled for the
    /// GPU: the self-test would check the CPU.
    fn name(self) -> &'static str {
        match self {
            Self::Cpu => "CPU",
            Self::Gpu => "GPU",
            Self::Npu => "NPU",
        }
    }

    /// The precision that networks of 32-bit floats are computed in. On its own OpenVINO takes 16 bits on a GPU, and a
    /// processor that has bfloat16 could: with that, embeddings fail the self-test. An NPU has no 32-bit arithmetic;
    /// there `ACCURACY` keeps as much as it can.
    fn precision(self) -> &'static str {
        match self {
            Self::Cpu | Self::Gpu => "FP32",
            Self::Npu => "ACCURACY",
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Cpu => "cpu",
            Self::Xnnpack => "xnnpack",
            Self::Rknpu => "rknpu",
            Self::Cann => "cann",
            Self::OpenVino => "openvino",
            Self::Cuda => "cuda",
        })
    }
}

impl Provider {
    /// Resolves `Auto` for the loaded library. XNNPACK is never chosen automatically: on ARM and x86 the runtime's own
    /// kernels are as fast.
    pub(crate) fn resolved(self) -> Self {
        if self != Self::Auto {
            return self;
        }
        let accelerators = [Self::Rknpu, Self::Cann, Self::Cuda, Self::OpenVino];
        accelerators.into_iter().find(|provider| provider.is_built_in()).unwrap_or(Self::Cpu)
    }

    /// Whether the library supports this provider.
    fn is_built_in(self) -> bool {
        let answer = match self {
            Self::Auto | Self::Cpu => Ok(true),
            Self::Xnnpack => ep::XNNPACK::is_available(),
            Self::Rknpu => ep::RKNPU::is_available(),
            Self::Cann => ep::CANN::is_available(),
            Self::OpenVino => ep::OpenVINO::is_available(),
            Self::Cuda => ep::CUDA::is_available(),
        };
        answer.unwrap_or(false)
    }

    /// Prepares the process for this provider; to be called before the first session.
    ///
    /// OpenVINO has TBB load hwloc in a way that binds it to the C library's allocator (`RTLD_DEEPBIND`). In a process
    /// with another allocator, as the daemon's, hwloc would then free the memory of the other one and abort. Loaded
    /// before, hwloc is bound like every library. Without it on the machine TBB does not use it either.
    pub(crate) fn prepare(self) {
        if self == Self::OpenVino
            && let Err(error) = ort::util::preload_dylib(HWLOC)
        {
            tracing::debug!(%error, "hwloc not loaded");
        }
    }

    /// The provider's registration with a session; `None` for the CPU, which is always available. `threads`: those that
    /// share the work of one run on the CPU.
    pub(crate) fn dispatch(self, device: OpenVinoDevice, threads: usize) -> Option<ExecutionProviderDispatch> {
        let dispatch = match self {
            Self::Auto | Self::Cpu => return None,
            Self::Xnnpack => ep::XNNPACK::default().build(),
            Self::Rknpu => ep::RKNPU::default().build(),
            Self::Cann => ep::CANN::default().build(),
            Self::OpenVino => openvino(device, threads),
            Self::Cuda => ep::CUDA::default().build(),
        };
        Some(dispatch.error_on_failure())
    }
}

/// The library that TBB learns the processor's topology from.
const HWLOC: &str = "libhwloc.so.15";

/// OpenVINO has threads of its own: eight for each network unless it is told otherwise.
fn openvino(device: OpenVinoDevice, threads: usize) -> ExecutionProviderDispatch {
    let provider = ep::OpenVINO::default().with_device_type(device.name()).with_precision(device.precision());
    provider.with_num_threads(threads).build()
}

/// The environment shared by all sessions. The runtime allows one per process, for its lifetime.
static ENVIRONMENT: Mutex<Option<Environment>> = Mutex::new(None);

/// Loads the library, or returns the environment of the library loaded first.
pub(crate) fn environment(library: &Path) -> Result<Environment, OpenError> {
    let mut slot = ENVIRONMENT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(environment) = slot.as_ref() {
        return Ok(environment.clone());
    }
    let environment = load(library)?;
    *slot = Some(environment.clone());
    Ok(environment)
}

fn load(library: &Path) -> Result<Environment, OpenError> {
    let refused = |why: String| OpenError::Runtime { path: library.to_owned(), why };
    // The loader would resolve a relative path against the executable; operators expect the working directory.
    let absolute = std::path::absolute(library).map_err(|error| refused(error.to_string()))?;
    if !absolute.is_file() {
        return Err(refused("there is no such file".to_owned()));
    }
    let builder = ort::init_from(&absolute).map_err(|error| refused(error.to_string()))?;
    let builder = builder.with_name("polyface").with_telemetry(false).with_logger(Arc::new(log));
    builder.build().map_err(|error| refused(error.to_string()))
}

/// The last error that the runtime logged. It refuses a provider that cannot be loaded without saying why, and logs that.
static LOGGED_ERROR: Mutex<Option<String>> = Mutex::new(None);

/// Takes the last error that the runtime logged.
pub(crate) fn take_logged_error() -> Option<String> {
    LOGGED_ERROR.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Forwards the runtime's messages. Its warnings come from its optimiser and do not help operators.
fn log(level: LogLevel, category: &str, _session: &str, place: &str, message: &str) {
    match level {
        LogLevel::Error | LogLevel::Fatal => {
            tracing::warn!(category, place, "ONNX Runtime: {message}");
            let text = without_signature(message).to_owned();
            *LOGGED_ERROR.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
        }
        LogLevel::Verbose | LogLevel::Info | LogLevel::Warning => {
            tracing::debug!(category, place, "ONNX Runtime: {message}");
        }
    }
}

/// The text of a message without the source file and the signature of the function that it comes from.
fn without_signature(message: &str) -> &str {
    let text =
        message.split_once(") [").map_or(message, |(_, text)| text.split_once("] ").map_or(text, |(_, text)| text));
    text.trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_lose_the_place_they_come_from() {
        let logged = "/a/b.cc:141 std::string ParseDeviceType(std::shared_ptr<OVCore>) [ERROR] [OpenVINO] No GPU\n";
        assert_eq!(without_signature(logged), "[OpenVINO] No GPU");
        assert_eq!(without_signature("no such file"), "no such file");
    }

    #[test]
    fn a_missing_library_is_a_clear_error() {
        let error = environment(Path::new("/nowhere/libonnxruntime.so")).unwrap_err().to_string();
        assert_eq!(error, "cannot load ONNX Runtime from /nowhere/libonnxruntime.so: there is no such file");
    }

    #[test]
    fn a_file_that_is_no_library_is_a_clear_error() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"not a library").unwrap();
        let error = environment(file.path()).unwrap_err().to_string();
        assert!(error.starts_with("cannot load ONNX Runtime from"), "{error}");
    }
}
