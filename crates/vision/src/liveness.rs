//! Liveness: distinguishes a live face from a picture of one.

use domain::frame::Frame;

use crate::error::{AnalysisError, OpenError};
use crate::face_crop::Place;
use crate::face_network::{Classes, FaceNetwork, Reading};
use crate::manifest::{Crop, Manifest};
use crate::models::Model;
use crate::session::{Answer, SessionSettings};

/// A network that judges each face at one or several scales: closely, where the texture of a print or screen shows, and
/// with its surroundings, where the edges of a picture do.
pub(crate) struct Liveness {
    pub(crate) of_faces: FaceNetwork<LivenessReading>,
    more_scales: Vec<f32>,
}

impl Liveness {
    pub(crate) fn load(model: &Model, settings: &SessionSettings) -> Result<Self, OpenError> {
        let more_scales = match &model.manifest.crop {
            Crop::Box { more_scales, .. } => more_scales.clone(),
            _ => Vec::new(),
        };
        Ok(Self { of_faces: FaceNetwork::load(model, settings)?, more_scales })
    }

    /// The mean over the scales of the probability that a face is live, for each face in order.
    pub(crate) fn read(&mut self, frame: &Frame, faces: &[Place]) -> Result<Vec<f32>, AnalysisError> {
        let mut sums = self.of_faces.read(frame, faces)?;
        for scale in &self.more_scales {
            let values = self.of_faces.read_at(frame, faces, Some(*scale))?;
            sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
        }
        let scales = (1 + self.more_scales.len()) as f32;
        Ok(sums.into_iter().map(|sum| sum / scales).collect())
    }
}

/// Reads the probability that the face is live.
pub(crate) struct LivenessReading {
    classes: Classes,
    live: usize,
}

impl Reading for LivenessReading {
    type Value = f32;

    fn new(manifest: &Manifest) -> Result<Self, String> {
        let classes = Classes::new(manifest)?;
        let live = classes.labels().iter().position(|label| label == "live");
        let live = live.ok_or_else(|| "it has no label \"live\"".to_owned())?;
        Ok(Self { classes, live })
    }

    fn read(&self, answer: &Answer<'_>) -> Result<f32, String> {
        Ok(self.classes.read(answer)?[self.live])
    }
}
