//! Runs every network on inputs with known results: a wrong conversion or a faulty driver could give every face the
//! same embedding without any error.

use bytes::Bytes;
use domain::frame::{Frame, PixelFormat, Plane};
use domain::{ObjectClass, Timestamp};

use crate::error::SelfTestError;
use crate::golden::{self, answer, no_answer};
use crate::manifest::Question;
use crate::pipeline::Pipeline;
use crate::runtime::Provider;
use crate::session::Network;

/// Maximum cosine between the embeddings of two different pictures; above it the network ignores its input.
const MAX_COSINE: f32 = 0.9999;

/// Runs the self-tests of all networks.
pub(crate) fn run(pipeline: &mut Pipeline, provider: Provider) -> Result<(), SelfTestError> {
    for network in pipeline.networks() {
        golden::check(network, provider)?;
    }
    reads_objects(pipeline)?;
    tells_apart(pipeline.embedder_network(), provider)
}

/// Checks that what the detector of objects gives is read without an error.
fn reads_objects(pipeline: &mut Pipeline) -> Result<(), SelfTestError> {
    let (width, height) = (64, 64);
    let plane = Plane { data: Bytes::from(vec![128; 3 * 64 * 64]), stride: 3 * 64 };
    let frame = Frame::new(Timestamp::from_millis(0), width, height, PixelFormat::Rgb8, vec![plane]);
    let found = frame.map(|frame| pipeline.find_objects(&frame, &ObjectClass::ALL));
    match found {
        Ok(Err(error)) => Err(SelfTestError::NoAnswer { model: "objects".to_owned(), why: error.to_string() }),
        // A grey frame is always a valid one.
        Ok(Ok(_)) | Err(_) => Ok(()),
    }
}

/// Checks that the embedder returns different vectors for different pictures.
fn tells_apart(embedder: &mut Network, provider: Provider) -> Result<(), SelfTestError> {
    let name = embedder.manifest().name.clone();
    let whole = |seed| Question {
        seed,
        width: embedder.manifest().input.width,
        height: embedder.manifest().input.height,
        tensor: embedder.manifest().output.tensors()[0].to_owned(),
        first: 0,
        values: vec![0.0; 1 << 16],
        tolerance: 0.0,
    };
    let (one, other) = (whole(1), whole(2));
    let one = answer(embedder, &one).map_err(no_answer(&name))?;
    let other = answer(embedder, &other).map_err(no_answer(&name))?;
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let cosine = dot(&one, &other) / (dot(&one, &one) * dot(&other, &other)).sqrt();
    if cosine < MAX_COSINE {
        return Ok(());
    }
    let why = format!("different pictures have embeddings with a cosine of {cosine}");
    Err(SelfTestError::WrongAnswer { model: name, provider, why })
}
