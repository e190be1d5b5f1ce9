//! Computes face embeddings.

use domain::frame::Frame;
use domain::{Calibration, Embedding, ModelId};

use crate::error::{AnalysisError, OpenError};
use crate::face_crop::Place;
use crate::face_network::{FaceNetwork, Reading};
use crate::manifest::{EmbeddingOutput, Manifest, Output};
use crate::models::Model;
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
    let calibration =
        Calibration::new(output.calibration.clone())?.with_clear_from(output.clear_from.unwrap_or_default());
    match output.unlike {
        Some((mean, deviation)) => calibration.with_unlike(mean, deviation),
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

    /// One embedding per face, in order.
    pub(crate) fn embed(&mut self, frame: &Frame, faces: &[Place]) -> Result<Vec<Embedding>, AnalysisError> {
        let vectors = self.network.read(frame, faces)?;
        vectors.into_iter().map(|vector| self.embedding(vector)).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_known_by_name_revision_and_hash() {
        let mut manifest = Manifest::parse(include_str!("../../../models/face_embed_512.toml")).unwrap();
        manifest.sha256 = "0123456789abcdef".repeat(4);
        assert_eq!(&*Identity::new(&manifest).unwrap().model.0, "face_embed_512/1/0123456789ab");
    }

    #[test]
    fn a_falling_calibration_is_refused() {
        let text = include_str!("../../../models/face_embed_512.toml").replace("[1.0, 1.0]", "[0.1, 1.0]");
        let error = Identity::new(&Manifest::parse(&text).unwrap()).unwrap_err().to_string();
        assert!(error.contains("calibration"), "{error}");
    }
}
