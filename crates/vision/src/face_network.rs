//! Networks that take one face at a time.

use domain::frame::Frame;

use crate::error::{AnalysisError, OpenError};
use crate::face_crop::{self, Place};
use crate::imaging::Picture;
use crate::manifest::{ClassesOutput, Manifest, Output};
use crate::models::Model;
use crate::probability::probabilities;
use crate::session::{Answer, Network, SessionSettings, Workspace};

/// A network and the reading of its output.
pub(crate) struct FaceNetwork<R> {
    pub(crate) network: Network,
    pub(crate) reading: R,
}

/// Interprets the output for one face.
pub(crate) trait Reading: Sized {
    /// The resulting value.
    type Value;

    /// Creates the reading from a manifest; an error names what the manifest lacks.
    fn new(manifest: &Manifest) -> Result<Self, String>;

    /// Reads the output for one face.
    fn read(&self, answer: &Answer<'_>) -> Result<Self::Value, String>;
}

impl<R: Reading> FaceNetwork<R> {
    pub(crate) fn load(model: &Model, settings: &SessionSettings) -> Result<Self, OpenError> {
        let name = &model.manifest.name;
        let wrong = |why| OpenError::WrongTensor { model: name.clone(), why };
        let reading = R::new(&model.manifest).map_err(wrong)?;
        Ok(Self { network: Network::load(model, settings, Workspace::Borrowed)?, reading })
    }

    /// The value of each face, in order.
    pub(crate) fn read(&mut self, frame: &Frame, faces: &[Place]) -> Result<Vec<R::Value>, AnalysisError> {
        self.read_at(frame, faces, None)
    }

    /// As [`read`](Self::read), from crops at another scale than the manifest's.
    pub(crate) fn read_at(
        &mut self,
        frame: &Frame,
        faces: &[Place],
        other_scale: Option<f32>,
    ) -> Result<Vec<R::Value>, AnalysisError> {
        let manifest = self.network.manifest();
        let crop = |face: &Place| face_crop::crop_at(frame, face, manifest, other_scale);
        let crops = faces.iter().map(crop).collect::<Result<Vec<_>, _>>()?;
        self.read_crops(&crops)
    }

    /// The value of each crop, in order.
    pub(crate) fn read_crops(&mut self, crops: &[Picture]) -> Result<Vec<R::Value>, AnalysisError> {
        self.network.ask(crops, |answer| self.reading.read(answer))
    }
}

/// Probabilities of named classes.
pub(crate) struct Classes {
    output: ClassesOutput,
}

impl Classes {
    pub(crate) fn new(manifest: &Manifest) -> Result<Self, String> {
        match &manifest.output {
            Output::Classes(output) => Ok(Self { output: output.clone() }),
            _ => Err("its output has no classes".to_owned()),
        }
    }

    pub(crate) fn labels(&self) -> &[String] {
        &self.output.labels
    }

    /// One probability per label.
    pub(crate) fn read(&self, answer: &Answer<'_>) -> Result<Vec<f32>, String> {
        let values = answer.values(&self.output.tensor, self.output.labels.len())?;
        Ok(probabilities(values, self.output.softmax))
    }
}
