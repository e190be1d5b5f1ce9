//! Runs all networks of a set on a frame.

use std::thread::{self, ScopedJoinHandle};

use domain::frame::Frame;
use domain::ports::{Lane, Search};
use domain::{Attributes, DetectedObject, Detection, Embedding, Expression, Face, Gender, ObjectClass};

use crate::attributes::{AgeReading, ClassReading};
use crate::clarity::Measures;
use crate::detector::{Detector, Found};
use crate::embedder::Embedder;
use crate::error::{AnalysisError, OpenError};
use crate::face_crop::Place;
use crate::face_network::{FaceNetwork, Reading};
use crate::liveness::Liveness;
use crate::models::{Model, ModelSet};
use crate::objects::ObjectNetwork;
use crate::pose::PoseReading;
use crate::quality;
use crate::runtime::Provider;
use crate::session::{Network, SessionSettings};

/// Minimum side of a frame, pixels: no face can be recognised in a smaller one.
const MIN_FRAME_SIDE: u32 = 16;

/// The networks of one inference thread.
pub(crate) struct Pipeline {
    detector: Detector,
    embedder: Embedder,
    age: Option<FaceNetwork<AgeReading>>,
    gender: Option<FaceNetwork<ClassReading<Gender>>>,
    expression: Option<FaceNetwork<ClassReading<Expression>>>,
    head_pose: Option<FaceNetwork<PoseReading>>,
    liveness: Option<Liveness>,
    objects: Option<ObjectNetwork>,
}

impl Pipeline {
    /// Loads all networks. `most`: maximum longer side of the detector's input, pixels.
    pub(crate) fn load(models: &ModelSet, settings: &SessionSettings, most: u32) -> Result<Self, OpenError> {
        // The first network is loaded on the calling thread: the other threads inherit its denormal handling.
        let detector = Detector::load(models, settings, most)?;
        thread::scope(|scope| {
            let embedder = scope.spawn(|| Embedder::load(&models.embedder, settings));
            let age = scope.spawn(|| loaded(models.age.as_ref(), settings));
            let gender = scope.spawn(|| loaded(models.gender.as_ref(), settings));
            let expression = scope.spawn(|| loaded(models.expression.as_ref(), settings));
            let head_pose = scope.spawn(|| loaded(models.head_pose.as_ref(), settings));
            let liveness =
                scope.spawn(|| models.liveness.as_ref().map(|model| Liveness::load(model, settings)).transpose());
            let objects =
                scope.spawn(|| models.objects.as_ref().map(|model| ObjectNetwork::load(model, settings)).transpose());
            Ok(Self {
                detector,
                embedder: joined(embedder)?,
                age: joined(age)?,
                gender: joined(gender)?,
                expression: joined(expression)?,
                head_pose: joined(head_pose)?,
                liveness: joined(liveness)?,
                objects: joined(objects)?,
            })
        })
    }

    /// Stops using the network for camera frames unless it is fit for this device; returns why.
    pub(crate) fn drop_unfit_live_detector(&mut self, provider: Provider) -> Option<String> {
        self.detector.drop_unfit_live(provider)
    }

    /// Stops using the network for camera frames.
    pub(crate) fn drop_live_detector(&mut self) {
        self.detector.drop_live();
    }

    /// Finds faces, largest first, and rates their quality from pixels and landmarks.
    pub(crate) fn detect(
        &mut self,
        frame: &Frame,
        search: &Search,
        lane: Lane,
    ) -> Result<Vec<Detection>, AnalysisError> {
        if frame.width().min(frame.height()) < MIN_FRAME_SIDE {
            return Ok(Vec::new());
        }
        self.detector.find(frame, search, lane)?.into_iter().map(|found| detection(frame, found)).collect()
    }

    /// Embeddings and attributes of faces, in order.
    pub(crate) fn describe(&mut self, frame: &Frame, detections: Vec<Detection>) -> Result<Vec<Face>, AnalysisError> {
        let places: Vec<Place> = detections.iter().map(place).collect();
        let embeddings = self.embedder.embed(frame, &places)?;
        let ages = read(&mut self.age, frame, &places)?;
        let genders = read(&mut self.gender, frame, &places)?;
        let expressions = read(&mut self.expression, frame, &places)?;
        let poses = read(&mut self.head_pose, frame, &places)?;
        let liveness = match &mut self.liveness {
            Some(network) => network.read(frame, &places)?.into_iter().map(Some).collect(),
            None => vec![None; places.len()],
        };
        let faces = detections.into_iter().zip(embeddings).enumerate();
        let face = |(index, (mut detection, (embedding, clarity))): (usize, (Detection, _))| {
            if let Some(pose) = poses[index] {
                detection.quality = quality::with_pose(detection.quality, pose);
            }
            let attributes = Attributes {
                gender: genders[index].flatten(),
                age: ages[index],
                expression: expressions[index].flatten(),
            };
            Face { detection, attributes, liveness: liveness[index], clarity, embedding }
        };
        Ok(faces.map(face).collect())
    }

    /// The embedding of each face, in order, with what its clarity is estimated from.
    pub(crate) fn measure(
        &mut self,
        frame: &Frame,
        detections: &[Detection],
    ) -> Result<Vec<(Embedding, Measures)>, AnalysisError> {
        self.embedder.measure(frame, &detections.iter().map(place).collect::<Vec<_>>())
    }

    /// The embedding of a face. The head pose network takes a sixth of the time of an enrolment, so it runs only on
    /// faces whose landmarks show them turned. For the others it would reduce a good quality only slightly, by at most
    /// eleven of 97 points among fourteen faces of a group photo.
    pub(crate) fn embed(
        &mut self,
        frame: &Frame,
        mut detection: Detection,
    ) -> Result<(Detection, Embedding), AnalysisError> {
        let face = place(&detection);
        let embedding = self.embedder.embed_one(frame, &face)?;
        if quality::is_frontal(&detection.quality) {
            return Ok((detection, embedding));
        }
        if let Some(pose) = read(&mut self.head_pose, frame, &[face])?.pop().flatten() {
            detection.quality = quality::with_pose(detection.quality, pose);
        }
        Ok((detection, embedding))
    }

    /// Objects of these classes, the most certain first; none without a network.
    pub(crate) fn find_objects(
        &mut self,
        frame: &Frame,
        wanted: &[ObjectClass],
    ) -> Result<Vec<DetectedObject>, AnalysisError> {
        match &mut self.objects {
            Some(objects) if frame.width().min(frame.height()) >= MIN_FRAME_SIDE => objects.find(frame, wanted),
            _ => Ok(Vec::new()),
        }
    }

    pub(crate) fn embedder_network(&mut self) -> &mut Network {
        self.embedder.network()
    }

    /// All networks.
    pub(crate) fn networks(&mut self) -> Vec<&mut Network> {
        let mut networks: Vec<&mut Network> = self.detector.networks().collect();
        networks.push(self.embedder.network());
        networks.extend(self.age.as_mut().map(|model| &mut model.network));
        networks.extend(self.gender.as_mut().map(|model| &mut model.network));
        networks.extend(self.expression.as_mut().map(|model| &mut model.network));
        networks.extend(self.head_pose.as_mut().map(|model| &mut model.network));
        networks.extend(self.liveness.as_mut().map(|model| &mut model.of_faces.network));
        networks.extend(self.objects.as_mut().map(ObjectNetwork::network));
        networks
    }
}

fn loaded<R: Reading>(model: Option<&Model>, settings: &SessionSettings) -> Result<Option<FaceNetwork<R>>, OpenError> {
    model.map(|model| FaceNetwork::load(model, settings)).transpose()
}

fn joined<T>(loading: ScopedJoinHandle<'_, Result<T, OpenError>>) -> Result<T, OpenError> {
    loading.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// The values of an optional network for each face; `None` for each when the network is absent.
fn read<R: Reading>(
    network: &mut Option<FaceNetwork<R>>,
    frame: &Frame,
    places: &[Place],
) -> Result<Vec<Option<R::Value>>, AnalysisError> {
    match network {
        Some(network) => Ok(network.read(frame, places)?.into_iter().map(Some).collect()),
        None => Ok(places.iter().map(|_| None).collect()),
    }
}

fn detection(frame: &Frame, found: Found) -> Result<Detection, AnalysisError> {
    let quality = quality::judge(frame, &found.place)?;
    let Place { face_box, landmarks } = found.place;
    Ok(Detection { face_box, landmarks, score: found.score.clamp(0.0, 1.0), quality })
}

fn place(detection: &Detection) -> Place {
    Place { face_box: detection.face_box, landmarks: detection.landmarks }
}
