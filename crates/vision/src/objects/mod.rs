//! Finds people, vehicles and animals in frames.

mod centernet;

use std::sync::Arc;

use async_trait::async_trait;
use domain::frame::Frame;
use domain::geometry::Rect;
use domain::ports::ObjectDetector;
use domain::{DetectedObject, Error, ObjectClass, Result};

use crate::engine::{Engine, Refusal, Turn};
use crate::error::{AnalysisError, OpenError};
use crate::imaging;
use crate::manifest::{CenternetOutput, Manifest, Output};
use crate::models::Model;
use crate::pipeline::Pipeline;
use crate::pixel_box::PixelBox;
use crate::session::{Network, SessionSettings, Workspace};
use crate::suppression::{Candidate, suppressed};
use crate::view::View;

/// Maximum number of objects returned for a frame, the most certain first.
const MAX_OBJECTS: usize = 200;

/// An [`ObjectDetector`] on the threads of an [`Analyzer`](crate::Analyzer).
#[derive(Clone)]
pub struct Objects {
    engine: Arc<Engine<Pipeline>>,
    classes: Vec<ObjectClass>,
}

impl Objects {
    /// `None` when the manifest is not that of an object detector.
    pub(crate) fn new(engine: &Arc<Engine<Pipeline>>, manifest: &Manifest) -> Option<Self> {
        let Output::Centernet(output) = &manifest.output else { return None };
        let classes = output.labels.iter().map(|label| ObjectClass::from(*label)).collect();
        Some(Self { engine: Arc::clone(engine), classes })
    }
}

#[async_trait]
impl ObjectDetector for Objects {
    fn finds(&self, class: ObjectClass) -> bool {
        self.classes.contains(&class)
    }

    async fn detect(&self, frame: Frame, wanted: &[ObjectClass]) -> Result<Vec<DetectedObject>> {
        let wanted = wanted.to_vec();
        match self.engine.run(Turn::Objects, move |pipeline| pipeline.find_objects(&frame, &wanted)).await {
            Ok(found) => Ok(found?),
            Err(Refusal::Full) => Err(Error::Busy),
            Err(Refusal::Lost) => Err(Error::Unavailable { what: "object detection" }),
        }
    }
}

/// A network that finds objects.
pub(crate) struct ObjectNetwork {
    network: Network,
    output: CenternetOutput,
}

impl ObjectNetwork {
    pub(crate) fn load(model: &Model, settings: &SessionSettings) -> Result<Self, OpenError> {
        let manifest = &model.manifest;
        let Output::Centernet(output) = manifest.output.clone() else {
            let why = "its output is not that of an object detector".to_owned();
            return Err(OpenError::WrongTensor { model: manifest.name.clone(), why });
        };
        Ok(Self { network: Network::load(model, settings, Workspace::Kept)?, output })
    }

    pub(crate) fn network(&mut self) -> &mut Network {
        &mut self.network
    }

    /// Objects of these classes, the most certain first.
    pub(crate) fn find(&mut self, frame: &Frame, wanted: &[ObjectClass]) -> Result<Vec<DetectedObject>, AnalysisError> {
        let Self { network, output } = self;
        let area = PixelBox { left: 0, top: 0, width: frame.width() as usize, height: frame.height() as usize };
        let view = View::of(&network.manifest().input, area, output.side, 0.0);
        let picture = imaging::fit(frame, &view)?;
        let candidates = network.ask(&[picture], |answer| centernet::read(answer, output, wanted))?;
        let bounds = frame.bounds();
        let mut found = suppressed(candidates.into_iter().flatten().collect(), output.nms_iou);
        found.iter_mut().for_each(|object| object.place = view.area(object.place).clamped_to(&bounds));
        found.retain(|object| object.place.area() >= 1.0);
        found.truncate(MAX_OBJECTS);
        Ok(found)
    }
}

impl Candidate for DetectedObject {
    fn place(&self) -> &Rect {
        &self.place
    }

    fn score(&self) -> f32 {
        self.score
    }

    fn is_like(&self, other: &Self) -> bool {
        self.class == other.class
    }
}
