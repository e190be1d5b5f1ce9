//! Errors of opening the analyzer and of analysing pictures.

use std::path::PathBuf;

/// Why the analyzer cannot be opened. The message tells the operator what to fix.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A file of the models folder cannot be read.
    #[error("cannot read {path}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Cause of the failure.
        #[source]
        source: std::io::Error,
    },
    /// A manifest or the list of sets is not what `models/README.md` describes.
    #[error("{path}: {why}")]
    BadManifest {
        /// The file.
        path: PathBuf,
        /// The fault.
        why: String,
    },
    /// The list of sets has no set of this name.
    #[error("{path} has no set {set:?}; it has {known}")]
    UnknownSet {
        /// The list.
        path: PathBuf,
        /// The requested name.
        set: String,
        /// The existing names.
        known: String,
    },
    /// Liveness is enabled but the set has no liveness model.
    #[error("{path}: the set {set:?} has no liveness model")]
    NoLiveness {
        /// The list.
        path: PathBuf,
        /// The set's name.
        set: String,
    },
    /// The file is not the one that its manifest pins.
    #[error("{path} is not the file its manifest pins: {what} is {found}, not {expected}")]
    WrongFile {
        /// The network.
        path: PathBuf,
        /// The property that differs.
        what: &'static str,
        /// Value in the manifest.
        expected: String,
        /// Value of the file.
        found: String,
    },
    /// ONNX Runtime is missing, broken or too old.
    #[error("cannot load ONNX Runtime from {path}: {why}")]
    Runtime {
        /// The library.
        path: PathBuf,
        /// Message of the loader.
        why: String,
    },
    /// ONNX Runtime rejects the network.
    #[error("ONNX Runtime cannot load the model {model}: {why}")]
    Network {
        /// Its name.
        model: String,
        /// Message of the runtime.
        why: String,
    },
    /// The network's tensors are not those its manifest names.
    #[error("the model {model} does not fit its manifest: {why}")]
    WrongTensor {
        /// Its name.
        model: String,
        /// What differs.
        why: String,
    },
    /// A thread could not be started.
    #[error("cannot start the inference threads")]
    Threads(#[source] std::io::Error),
}

/// Why a picture could not be analysed: a fault of the device, not of the picture.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AnalysisError {
    /// ONNX Runtime failed.
    #[error("the model {model} failed: {why}")]
    Network { model: String, why: String },
    /// The network's output cannot be interpreted.
    #[error("the output of the model {model} is invalid: {why}")]
    Answer { model: String, why: String },
    /// OpenCV failed.
    #[error("image processing failed")]
    Imaging(#[from] opencv::Error),
    /// The five landmarks coincide or are not finite.
    #[error("the landmarks do not span a face")]
    Landmarks,
}

impl From<AnalysisError> for domain::Error {
    fn from(error: AnalysisError) -> Self {
        match error {
            AnalysisError::Landmarks => Self::invalid("landmarks", "do not span a face"),
            AnalysisError::Network { .. } | AnalysisError::Answer { .. } | AnalysisError::Imaging(_) => {
                Self::internal("analysing a picture")(error)
            }
        }
    }
}

/// Failures of the self-test.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelfTestError {
    /// A network's results differ from those in its manifest.
    #[error("the model {model} gives wrong results on {provider}: {why}")]
    WrongAnswer {
        /// Its name.
        model: String,
        /// The provider it ran on.
        provider: crate::Provider,
        /// What differs.
        why: String,
    },
    /// A network fails.
    #[error("the model {model} does not run: {why}")]
    NoAnswer {
        /// Its name.
        model: String,
        /// Cause of the failure.
        why: String,
    },
    /// The inference threads are not available.
    #[error("the inference threads are not available")]
    Unavailable,
}
