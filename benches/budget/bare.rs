//! Networks in ONNX Runtime alone, without the code around them.

use std::hint::black_box;
use std::path::{Path, PathBuf};

use ort::environment::Environment;
use ort::session::{Session, SessionInputValue};
use ort::value::{TensorElementType, TensorRef};
use polyface_tests::cache;

/// A network and a question to it.
pub(crate) struct Bare {
    session: Session,
    tensor: String,
    shape: Vec<usize>,
    input: BareInput,
}

enum BareInput {
    Floats(Vec<f32>),
    Bytes(Vec<u8>),
}

impl Bare {
    /// Loads a network, to be run on so many threads.
    pub(crate) fn load(
        environment: &Environment,
        network: &Path,
        tensor: &str,
        shape: impl Into<Vec<usize>>,
        threads: usize,
    ) -> Self {
        let session = session(environment, network, threads);
        let shape = shape.into();
        let values = 0..shape.iter().product::<usize>();
        let input = match session.inputs()[0].dtype().tensor_type() {
            Some(TensorElementType::Uint8) => BareInput::Bytes(values.map(|i| (i % 251) as u8).collect()),
            _ => BareInput::Floats(values.map(|i| (i % 251) as f32 / 125.0 - 1.0).collect()),
        };
        Self { session, tensor: tensor.to_owned(), shape, input }
    }

    pub(crate) fn run(&mut self) {
        let shape = self.shape.as_slice();
        let input: SessionInputValue<'_> = match &self.input {
            BareInput::Floats(values) => TensorRef::from_array_view((shape, values.as_slice())).unwrap().into(),
            BareInput::Bytes(values) => TensorRef::from_array_view((shape, values.as_slice())).unwrap().into(),
        };
        black_box(self.session.run(ort::inputs![self.tensor.as_str() => input]).unwrap());
    }
}

/// ONNX Runtime; a process is allowed one environment.
pub(crate) fn environment() -> Environment {
    let library = cache().join("models/onnxruntime/libonnxruntime.so");
    ort::init_from(library).unwrap().build().unwrap()
}

/// The file of a network.
pub(crate) fn model(name: &str) -> PathBuf {
    cache().join(format!("models/{name}.onnx"))
}

fn session(environment: &Environment, network: &Path, threads: usize) -> Session {
    let builder = Session::builder(environment).unwrap().with_intra_threads(threads).unwrap();
    let builder = builder.with_flush_to_zero().unwrap().with_log_level(ort::logging::LogLevel::Error).unwrap();
    let builder = builder.with_memory_pattern(false).unwrap();
    let mut builder = builder.with_intra_op_spinning(false).unwrap();
    builder.commit_from_file(network).unwrap()
}
