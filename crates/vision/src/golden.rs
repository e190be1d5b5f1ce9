//! Inputs with known results, written into the manifests by `models/convert/golden.py`.

use crate::error::{AnalysisError, SelfTestError};
use crate::imaging::Picture;
use crate::manifest::{Colour, Question};
use crate::runtime::Provider;
use crate::session::Network;

/// Checks that a network gives the known results.
pub(crate) fn check(network: &mut Network, provider: Provider) -> Result<(), SelfTestError> {
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
pub(crate) fn answer(network: &mut Network, question: &Question) -> Result<Vec<f32>, AnalysisError> {
    let picture = drawn(network.manifest().input.colour, question)?;
    let answers = network.ask(&[picture], |answer| {
        let values = answer.tensor(&question.tensor)?.1;
        let asked = values.get(question.first..).unwrap_or_default();
        Ok(asked.iter().take(question.values.len()).copied().collect())
    })?;
    Ok(answers.into_iter().next().unwrap_or_default())
}

pub(crate) fn no_answer(model: &str) -> impl FnOnce(AnalysisError) -> SelfTestError {
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
