//! Runs every network on inputs with known results: a wrong conversion or a faulty driver could give every face the
//! same embedding without any error.

use bytes::Bytes;
use domain::frame::{Frame, PixelFormat, Plane};
use domain::{ObjectClass, Timestamp};

use crate::error::{AnalysisError, SelfTestError};
use crate::imaging::Picture;
use crate::manifest::{Colour, Question};
use crate::pipeline::Pipeline;
use crate::runtime::Provider;
use crate::session::Network;

/// Maximum cosine between the embeddings of two different pictures; above it the network ignores its input.
const MAX_COSINE: f32 = 0.9999;

/// Runs the self-tests of all networks.
pub(crate) fn run(pipeline: &mut Pipeline, provider: Provider) -> Result<(), SelfTestError> {
    for network in pipeline.networks() {
        ask(network, provider)?;
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

fn ask(network: &mut Network, provider: Provider) -> Result<(), SelfTestError> {
    let name = network.manifest().name.clone();
    for question in network.manifest().self_test.clone() {
        let found = answer(network, &question).map_err(no_answer(&name))?;
        let away = found.iter().zip(&question.values).map(|(found, known)| (found - known).abs());
        // Not-a-number is never within the tolerance.
        if found.len() != question.values.len() || !away.clone().all(|away| away <= question.tolerance) {
            let away = away.fold(0.0, f32::max);
            let why = format!("{:?} is off by {away} where {} is allowed", question.tensor, question.tolerance);
            return Err(SelfTestError::WrongAnswer { model: name, provider, why });
        }
    }
    Ok(())
}

/// The output values that a test checks.
fn answer(network: &mut Network, question: &Question) -> Result<Vec<f32>, AnalysisError> {
    let picture = drawn(network.manifest().input.colour, question)?;
    let answers = network.ask(&[picture], |answer| {
        let values = answer.tensor(&question.tensor)?.1;
        let asked = values.get(question.first..).unwrap_or_default();
        Ok(asked.iter().take(question.values.len()).copied().collect())
    })?;
    Ok(answers.into_iter().next().unwrap_or_default())
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

fn no_answer(model: &str) -> impl FnOnce(AnalysisError) -> SelfTestError {
    let model = model.to_owned();
    move |error| SelfTestError::NoAnswer { model, why: error.to_string() }
}

/// The test picture of a seed: diagonal ramps, shifted between the channels of the tensor.
fn drawn(colour: Colour, question: &Question) -> Result<Picture, AnalysisError> {
    let (width, height, seed) = (question.width as usize, question.height as usize, question.seed as usize);
    // The picture is in RGB; a BGR network's tensor has the channels in reverse.
    let channels: [usize; 3] = match colour {
        Colour::Rgb => [0, 1, 2],
        Colour::Bgr => [2, 1, 0],
        Colour::Grey => [0, 0, 0],
    };
    let shade = |x: usize, y: usize, channel: usize| {
        let t = (x * (3 + seed) + y * (5 + seed) + 85 * channel) % 512;
        if t < 256 { t as u8 } else { (511 - t) as u8 }
    };
    let row = |y: usize| (0..width).flat_map(move |x| channels.map(|channel| shade(x, y, channel)));
    let pixels: Vec<u8> = (0..height).flat_map(row).collect();
    Picture::from_rgb(width, height, &pixels)
}
