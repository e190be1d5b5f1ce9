//! Computes face embeddings.

use domain::frame::Frame;
use domain::{Calibration, Embedding, ModelId};

use crate::clarity::{Measures, clarity};
use crate::error::{AnalysisError, OpenError};
use crate::face_crop::{self, Place};
use crate::face_network::{FaceNetwork, Reading};
use crate::imaging::Picture;
use crate::light::lightened;
use crate::manifest::{EmbeddingOutput, Manifest, Output};
use crate::models::Model;
use crate::quality::{self, SIDE, TEMPLATE};
use crate::session::{Answer, Network, SessionSettings};

/// Number of digits of the network's hash in a model id.
const HASH_DIGITS: usize = 12;

/// Model id and calibration of an embedder.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) model: ModelId,
    pub(crate) calibration: Calibration,
}

impl Identity {
    /// The id consists of name, revision and the start of the hash that stands for the network's results, for example
    /// `face_embed_512/1/36911dcbddbb`.
    pub(crate) fn new(manifest: &Manifest) -> Result<Self, OpenError> {
        let wrong = |why: String| OpenError::WrongTensor { model: manifest.name.clone(), why };
        let output = output(manifest).map_err(wrong)?;
        let calibration = calibration(&output).map_err(|error| wrong(error.to_string()))?;
        let hash = manifest.identity().get(..HASH_DIGITS).unwrap_or_default();
        let model = ModelId(format!("{}/{}/{hash}", manifest.name, manifest.revision).into());
        Ok(Self { model, calibration })
    }
}

fn calibration(output: &EmbeddingOutput) -> domain::Result<Calibration> {
    let mut calibration = Calibration::new(output.calibration.clone())?;
    if let Some((mean, deviation)) = output.unlike {
        calibration = calibration.with_unlike(mean, deviation)?;
    }
    if let Some(clarity) = &output.clarity {
        calibration = calibration.with_clear_from(clarity.clear_from);
    }
    match output.threshold_floor {
        Some(floor) => calibration.with_floor(floor),
        None => Ok(calibration),
    }
}

fn output(manifest: &Manifest) -> Result<EmbeddingOutput, String> {
    match &manifest.output {
        Output::Embedding(output) => Ok(output.clone()),
        _ => Err("its output is not an embedding".to_owned()),
    }
}

/// Reads the unnormalised vector.
struct VectorReading(EmbeddingOutput);

impl Reading for VectorReading {
    type Value = Vec<f32>;

    fn new(manifest: &Manifest) -> Result<Self, String> {
        output(manifest).map(Self)
    }

    fn read(&self, answer: &Answer<'_>) -> Result<Vec<f32>, String> {
        answer.values(&self.0.tensor, self.0.length).map(<[f32]>::to_vec)
    }
}

/// An embedding network.
pub(crate) struct Embedder {
    network: FaceNetwork<VectorReading>,
    model: ModelId,
}

impl Embedder {
    pub(crate) fn load(model: &Model, settings: &SessionSettings) -> Result<Self, OpenError> {
        Ok(Self { network: FaceNetwork::load(model, settings)?, model: Identity::new(&model.manifest)?.model })
    }

    /// One embedding per face, in order, and the clarity of the shot where the manifest has a fit.
    pub(crate) fn embed(
        &mut self,
        frame: &Frame,
        faces: &[Place],
    ) -> Result<Vec<(Embedding, Option<f32>)>, AnalysisError> {
        let fit = self.network.reading.0.clarity.clone();
        let Some(fit) = fit else {
            let vectors = self.network.read(frame, faces)?;
            return vectors.into_iter().map(|vector| Ok((self.embedding(vector)?, None))).collect();
        };
        let measured = self.measure(frame, faces)?.into_iter();
        Ok(measured.map(|(embedding, measures)| (embedding, Some(clarity(&fit, &measures)))).collect())
    }

    /// One embedding per face, in order, with what its clarity is estimated from.
    pub(crate) fn measure(
        &mut self,
        frame: &Frame,
        faces: &[Place],
    ) -> Result<Vec<(Embedding, Measures)>, AnalysisError> {
        let manifest = self.network.network.manifest();
        let views = faces.iter().map(|face| views(frame, face, manifest)).collect::<Result<Vec<_>, _>>()?;
        let (crops, shades): (Vec<_>, Vec<_>) = views.into_iter().unzip();
        let vectors = self.network.read_crops(&crops)?;
        let measured = |((vector, shades), place): ((Vec<f32>, Picture), &Place)| {
            let measures = Measures::of(shades, place, norm(&vector))?;
            Ok((self.embedding(vector)?, measures))
        };
        vectors.into_iter().zip(shades).zip(faces).map(measured).collect()
    }

    pub(crate) fn embed_one(&mut self, frame: &Frame, face: &Place) -> Result<Embedding, AnalysisError> {
        let vector = self.network.read(frame, std::slice::from_ref(face))?.pop().unwrap_or_default();
        self.embedding(vector)
    }

    fn embedding(&self, vector: Vec<f32>) -> Result<Embedding, AnalysisError> {
        let name = || self.network.network.manifest().name.clone();
        Embedding::normalised(self.model.clone(), vector)
            .map_err(|_| AnalysisError::Answer { model: name(), why: "a vector without direction".to_owned() })
    }

    pub(crate) fn network(&mut self) -> &mut Network {
        &mut self.network.network
    }
}

/// The network's crop of a face, and the grey face that its clarity is measured on. One alignment serves both where the
/// network takes faces as they are measured.
fn views(frame: &Frame, face: &Place, manifest: &Manifest) -> Result<(Picture, Picture), AnalysisError> {
    if !face_crop::is_of_template(manifest, &TEMPLATE, SIDE) {
        return Ok((face_crop::crop(frame, face, manifest)?, quality::grey(frame, face)?));
    }
    let aligned = face_crop::aligned(frame, &face.landmarks, &TEMPLATE, SIDE, SIDE)?;
    let grey = aligned.to_grey()?;
    Ok((lightened(aligned, &TEMPLATE)?, grey))
}

fn norm(vector: &[f32]) -> f32 {
    vector.iter().map(|component| component * component).sum::<f32>().sqrt()
}

#[cfg(test)]
mod tests {
    use domain::{Chances, Matching, Similarity};

    use super::*;

    #[test]
    fn a_model_is_known_by_name_revision_and_hash() {
        let mut manifest = Manifest::parse(include_str!("../../../models/face_embed_512.toml")).unwrap();
        (manifest.sha256, manifest.same_as) = ("0123456789abcdef".repeat(4), None);
        assert_eq!(&*Identity::new(&manifest).unwrap().model.0, "face_embed_512/1/0123456789ab");
    }

    #[test]
    fn thresholds_of_the_default_model_move_as_the_documentation_says() {
        let manifest = Manifest::parse(include_str!("../../../models/face_embed_512.toml")).unwrap();
        let calibration = Identity::new(&manifest).unwrap().calibration;
        let threshold = |people, tries| {
            let chances = Chances { people, tries };
            let moved = calibration.threshold(Similarity::DEFAULT_THRESHOLD, chances, Matching::default());
            (moved.value() * 100.0).round() / 100.0
        };
        for (people, once, five_times) in [
            (10, 0.65, 0.72),
            (100, 0.65, 0.72),
            (300, 0.69, 0.81),
            (1_000, 0.80, 0.82),
            (10_000, 0.83, 0.85),
            (100_000, 0.86, 0.88),
        ] {
            assert_eq!((threshold(people, 1), threshold(people, 5)), (once, five_times), "{people}");
        }
    }

    #[test]
    fn a_falling_calibration_is_refused() {
        let text = include_str!("../../../models/face_embed_512.toml").replace("[1.0, 1.0]", "[0.1, 1.0]");
        let error = Identity::new(&Manifest::parse(&text).unwrap()).unwrap_err().to_string();
        assert!(error.contains("calibration"), "{error}");
    }
}
