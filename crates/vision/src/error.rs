//! What can go wrong while opening the analyzer and while looking at a picture.

use std::path::PathBuf;

/// Why the analyzer cannot be opened; the text tells an operator what to mend.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A file of the models folder cannot be read.
    #[error("cannot read {path}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A manifest or the list of sets is not what `models/README.md` describes.
    #[error("{path}: {why}")]
    BadManifest {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The list of sets has no set of this name.
    #[error("{path} has no set {set:?}; it has {known}")]
    UnknownSet {
        /// The list.
        path: PathBuf,
        /// The name asked for.
        set: String,
        /// The names there are.
        known: String,
    },
    /// Liveness is asked for and the set has no model for it.
    #[error("{path}: the set {set:?} has no liveness model")]
    NoLiveness {
        /// The list.
        path: PathBuf,
        /// The set's name.
        set: String,
    },
    /// The network is not the one its manifest describes.
    #[error("{path} is not the file its manifest pins: {what} is {found}, not {expected}")]
    WrongFile {
        /// The network.
        path: PathBuf,
        /// The property that differs.
        what: &'static str,
        /// As pinned.
        expected: String,
        /// As found.
        found: String,
    },
    /// ONNX Runtime is missing, broken or too old.
    #[error("cannot load ONNX Runtime from {path}: {why}")]
    Runtime {
        /// The library.
        path: PathBuf,
        /// What the loader said.
        why: String,
    },
    /// ONNX Runtime refuses the network.
    #[error("ONNX Runtime cannot load the model {model}: {why}")]
    Network {
        /// Its name.
        model: String,
        /// What the runtime said.
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
    /// The system starts no more threads.
    #[error("cannot start the inference threads")]
    Threads(#[source] std::io::Error),
}

/// Why a picture could not be analysed. A fault of the device, never of the picture.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AnalysisError {
    /// ONNX Runtime gave up.
    #[error("the model {model} failed: {why}")]
    Network { model: String, why: String },
    /// The network answered something that cannot be read.
    #[error("the model {model} answered {why}")]
    Answer { model: String, why: String },
    /// OpenCV gave up.
    #[error("image processing failed")]
    Imaging(#[from] opencv::Error),
    /// The five landmarks are one point, or not numbers.
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

/// What the self-test found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelfTestError {
    /// A network answers otherwise than its manifest expects.
    #[error("the model {model} gives wrong results on {provider}: {why}")]
    WrongAnswer {
        /// Its name.
        model: String,
        /// What it ran on.
        provider: crate::Provider,
        /// What differs.
        why: String,
    },
    /// A network does not answer at all.
    #[error("the model {model} does not run: {why}")]
    NoAnswer {
        /// Its name.
        model: String,
        /// Why not.
        why: String,
    },
    /// The inference threads are busy or gone.
    #[error("the inference threads do not answer")]
    Unavailable,
}
