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
    /// An Intel GPU or NPU, through OpenVINO.
    OpenVino,
    /// An NVIDIA GPU.
    Cuda,
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

    /// The provider's registration with a session; `None` for the CPU, which is always available.
    pub(crate) fn dispatch(self) -> Option<ExecutionProviderDispatch> {
        let dispatch = match self {
            Self::Auto | Self::Cpu => return None,
            Self::Xnnpack => ep::XNNPACK::default().build(),
            Self::Rknpu => ep::RKNPU::default().build(),
            Self::Cann => ep::CANN::default().build(),
            Self::OpenVino => ep::OpenVINO::default().build(),
            Self::Cuda => ep::CUDA::default().build(),
        };
        Some(dispatch.error_on_failure())
    }
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

/// Forwards the runtime's messages. Its warnings come from its optimiser and do not help operators.
fn log(level: LogLevel, category: &str, _session: &str, place: &str, message: &str) {
    match level {
        LogLevel::Error | LogLevel::Fatal => tracing::warn!(category, place, "ONNX Runtime: {message}"),
        LogLevel::Verbose | LogLevel::Info | LogLevel::Warning => {
            tracing::debug!(category, place, "ONNX Runtime: {message}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
