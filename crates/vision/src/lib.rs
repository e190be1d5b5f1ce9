//! Face analysis with ONNX Runtime: detection, alignment, quality, embeddings, attributes and liveness; and picture
//! files. [`Analyzer`] implements the domain's [`FaceAnalyzer`](domain::ports::FaceAnalyzer), and [`Objects`], which
//! shares its threads, the [`ObjectDetector`](domain::ports::ObjectDetector).

mod align;
mod analyzer;
mod attributes;
mod clarity;
mod codec;
mod colour;
mod counters;
mod decoding;
mod detector;
mod embedder;
mod engine;
mod error;
mod face_crop;
mod face_network;
mod golden;
mod imaging;
mod jpeg;
mod jpeg_file;
mod light;
mod liveness;
mod manifest;
mod models;
mod objects;
mod pipeline;
mod pixel_box;
mod pose;
mod probability;
mod quality;
mod runtime;
mod self_test;
mod session;
mod suppression;
mod tensor;
mod view;

pub use analyzer::{Analyzer, FallBack, ModelInfo, Options, check};
pub use clarity::Measures;
pub use codec::{MAX_PICTURE_BYTES, MAX_PICTURE_PIXELS, MAX_PICTURE_SIDE};
pub use counters::Counters;
pub use error::{OpenError, SelfTestError};
pub use manifest::Role;
pub use objects::Objects;
pub use runtime::{OpenVinoDevice, Provider};
