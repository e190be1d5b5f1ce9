//! Liveness: distinguishes a live face from a picture of one.

use crate::face_network::{Classes, Reading};
use crate::manifest::Manifest;
use crate::session::Answer;

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
