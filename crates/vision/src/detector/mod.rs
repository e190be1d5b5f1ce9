//! Finds faces in frames.

mod centerface;
mod ultraface;
mod window;

use domain::Landmarks;
use domain::frame::Frame;
use domain::geometry::{Point, Rect};
use domain::ports::{Lane, Search};

use crate::error::{AnalysisError, OpenError};
use crate::face_crop::{self, Place};
use crate::imaging;
use crate::manifest::Output;
use crate::models::ModelSet;
use crate::pixel_box::PixelBox;
use crate::session::{Network, SessionSettings, Workspace};
use crate::suppression;
use crate::view::View;

/// Maximum number of faces returned for a frame, largest first.
const MAX_FACES: usize = 200;
/// Longer side to which photos are scaled down, pixels: they usually show one face at close range.
const PHOTO_SIDE: u32 = 640;
/// Border added around a photo in which no face was found, relative to the longer side.
const BORDER: f32 = 0.5;

/// A face in pixels of the network's input.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Candidate {
    face_box: Rect,
    /// `None` when the detector gives none.
    landmarks: Option<Landmarks>,
    score: f32,
}

impl suppression::Candidate for Candidate {
    fn place(&self) -> &Rect {
        &self.face_box
    }

    fn score(&self) -> f32 {
        self.score
    }

    fn is_like(&self, _: &Self) -> bool {
        true
    }
}

/// A face in pixels of the frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Found {
    pub(crate) place: Place,
    pub(crate) score: f32,
}

/// A detector with its optional landmark network.
pub(crate) struct Detector {
    network: Network,
    landmarks: Option<Network>,
    most: u32,
}

impl Detector {
    /// `most`: maximum longer side of the network's input, pixels.
    pub(crate) fn load(models: &ModelSet, settings: &SessionSettings, most: u32) -> Result<Self, OpenError> {
        let network = Network::load(&models.detector, settings, Workspace::Kept)?;
        let load = |model| Network::load(model, settings, Workspace::Borrowed);
        let landmarks = models.landmarks.as_ref().map(load).transpose()?;
        if matches!(network.manifest().output, Output::Ultraface(_)) && landmarks.is_none() {
            let why = "it outputs no landmarks, and its set has no landmarks model".to_owned();
            return Err(OpenError::WrongTensor { model: network.manifest().name.clone(), why });
        }
        Ok(Self { network, landmarks, most: most.max(models.detector.manifest.input.multiple_of) })
    }

    /// Faces that match the search, largest first.
    pub(crate) fn find(&mut self, frame: &Frame, search: &Search, lane: Lane) -> Result<Vec<Found>, AnalysisError> {
        let Some(area) = window::area(frame, search) else { return Ok(Vec::new()) };
        let mut found = match lane {
            Lane::Live => self.find_in(frame, area, self.side(&area, search), 0.0)?,
            Lane::Photo => self.find_in_photo(frame, area)?,
        };
        found.retain(|face| is_wanted(&face.place.face_box, search));
        found.sort_by(|a, b| b.place.face_box.area().total_cmp(&a.place.face_box.area()));
        found.truncate(MAX_FACES);
        Ok(found)
    }

    /// The input size required for the search.
    fn side(&self, area: &PixelBox, search: &Search) -> u32 {
        let (_, least) = limits(&self.network.manifest().output);
        window::side(area, search, least, self.most)
    }

    /// Searches a photo. If no face is found, retries with a border, for a face that fills the picture, then at a
    /// higher resolution, for a distant face.
    fn find_in_photo(&mut self, frame: &Frame, area: PixelBox) -> Result<Vec<Found>, AnalysisError> {
        let side = PHOTO_SIDE.min(self.most);
        let mut found = self.find_in(frame, area, side, 0.0)?;
        if found.is_empty() {
            found = self.find_in(frame, area, side, BORDER)?;
        }
        if found.is_empty() && area.width.max(area.height) > side as usize {
            found = self.find_in(frame, area, side * 2, 0.0)?;
        }
        Ok(found)
    }

    fn find_in(&mut self, frame: &Frame, area: PixelBox, side: u32, border: f32) -> Result<Vec<Found>, AnalysisError> {
        let view = View::of(&self.network.manifest().input, area, side, border);
        let candidates = self.candidates(frame, &view)?;
        let mut found = Vec::with_capacity(candidates.len());
        for candidate in candidates {
            let face_box = view.area(candidate.face_box).clamped_to(&frame.bounds());
            let landmarks = match candidate.landmarks {
                Some(points) => points.map(|point| view.point(point)),
                None => self.landmarks_in(frame, face_box)?,
            };
            found.push(Found { place: Place { face_box, landmarks }, score: candidate.score });
        }
        found.retain(|face| is_plausible(&face.place));
        Ok(found)
    }

    fn candidates(&mut self, frame: &Frame, view: &View) -> Result<Vec<Candidate>, AnalysisError> {
        let picture = imaging::fit(frame, view)?;
        let canvas = (picture.width() as f32, picture.height() as f32);
        let output = self.network.manifest().output.clone();
        let (iou, least) = limits(&output);
        let answers = self.network.ask(&[picture], |answer| match &output {
            Output::Centerface(output) => centerface::read(answer, output),
            Output::Ultraface(output) => ultraface::read(answer, output, canvas),
            _ => Ok(Vec::new()),
        })?;
        let mut candidates: Vec<Candidate> = answers.into_iter().flatten().collect();
        candidates.retain(|face| face.face_box.width().min(face.face_box.height()) >= least);
        Ok(suppression::suppressed(candidates, iou))
    }

    fn landmarks_in(&mut self, frame: &Frame, face_box: Rect) -> Result<Landmarks, AnalysisError> {
        let nowhere = Place { face_box, landmarks: [Point::default(); 5] };
        let Some(network) = self.landmarks.as_mut().filter(|_| face_box.area() >= 1.0) else {
            return Ok(nowhere.landmarks);
        };
        let picture = face_crop::crop(frame, &nowhere, network.manifest())?;
        let Output::Points68(output) = network.manifest().output.clone() else { return Ok(nowhere.landmarks) };
        let answers = network.ask(&[picture], |answer| answer.values(&output.tensor, 136).map(five_points))?;
        let on_face = |point: Point| Point {
            x: face_box.left + point.x * face_box.width(),
            y: face_box.top + point.y * face_box.height(),
        };
        Ok(answers.first().map_or(nowhere.landmarks, |points| points.map(on_face)))
    }

    pub(crate) fn networks(&mut self) -> impl Iterator<Item = &mut Network> {
        [&mut self.network].into_iter().chain(&mut self.landmarks)
    }
}

/// Maximum overlap of candidates (IoU), and minimum face size that the network detects reliably, pixels of its input.
fn limits(output: &Output) -> (f32, f32) {
    match output {
        Output::Centerface(output) => (output.nms_iou, output.min_side),
        Output::Ultraface(output) => (output.nms_iou, output.min_side),
        // Manifests of detectors have no other output.
        _ => (1.0, 1.0),
    }
}

/// Eyes, nose and mouth corners from 68 points (x, y), relative to the box.
fn five_points(values: &[f32]) -> Landmarks {
    let mean = |points: &[usize]| {
        let count = points.len() as f32;
        let sum = |offset: usize| points.iter().map(|point| values[2 * point + offset]).sum::<f32>();
        Point { x: sum(0) / count, y: sum(1) / count }
    };
    [mean(&[37, 38, 40, 41]), mean(&[43, 44, 46, 47]), mean(&[30]), mean(&[48, 60]), mean(&[54, 64])]
}

fn is_wanted(face: &Rect, search: &Search) -> bool {
    let (width, height) = (face.width(), face.height());
    let inside = search.region.is_none_or(|region| region.contains(face.center()));
    inside && width.min(height) >= search.min_face_px as f32 && width.max(height) <= search.max_face_px as f32
}

/// Whether the face can be aligned: its landmarks are finite and distinct.
fn is_plausible(place: &Place) -> bool {
    let [left, right, ..] = place.landmarks;
    let finite = place.landmarks.iter().all(|point| point.x.is_finite() && point.y.is_finite());
    finite && place.face_box.area() >= 1.0 && (right.x - left.x).hypot(right.y - left.y) >= 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_leaves_out_what_is_elsewhere_too_small_or_too_large() {
        let search = Search {
            region: Some(Rect::new(0.0, 0.0, 100.0, 100.0)),
            min_face_px: 40,
            max_face_px: 80,
            ..Search::ANYWHERE
        };
        assert!(is_wanted(&Rect::new(30.0, 30.0, 80.0, 90.0), &search));
        assert!(!is_wanted(&Rect::new(80.0, 30.0, 130.0, 90.0), &search), "its centre is outside");
        assert!(!is_wanted(&Rect::new(30.0, 30.0, 69.0, 90.0), &search), "its shorter side is below");
        assert!(!is_wanted(&Rect::new(30.0, 10.0, 80.0, 91.0), &search), "its longer side is above");
    }

    #[test]
    fn five_points_are_taken_from_sixty_eight() {
        let values: Vec<f32> = (0..136).map(|i| i as f32).collect();
        let points = five_points(&values);
        assert_eq!(points[0], Point { x: 78.0, y: 79.0 });
        assert_eq!(points[2], Point { x: 60.0, y: 61.0 });
        assert_eq!(points[4], Point { x: 118.0, y: 119.0 });
    }
}
