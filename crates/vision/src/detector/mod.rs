//! Finds faces in frames.

mod centerface;
mod race;
mod tiles;
mod ultraface;
mod window;

use domain::Landmarks;
use domain::frame::Frame;
use domain::geometry::{Point, Rect};
use domain::ports::{Lane, Search};

use crate::error::{AnalysisError, OpenError};
use crate::face_crop::{self, Place};
use crate::golden;
use crate::imaging;
use crate::manifest::Output;
use crate::models::ModelSet;
use crate::pixel_box::PixelBox;
use crate::runtime::Provider;
use crate::session::{Network, SessionSettings, Workspace};
use crate::suppression;
use crate::view::View;
use tiles::Grid;

/// Maximum number of faces returned for a frame, largest first.
const MAX_FACES: usize = 200;
/// Longer side to which photos are scaled down, pixels: they usually show one face at close range.
const PHOTO_SIDE: u32 = 640;
/// Minimum overlap (IoU) of two boxes around one face.
const SAME_FACE: f32 = 0.5;
/// Tiles in a row after which the memory for a whole camera frame is released. Whole frames come every two seconds, and
/// growing again takes a third of such a search.
const TILES_IN_A_ROW: u32 = 200;
/// Searches of camera frames in a row after which the memory for photos is released, where another network searches them.
const FRAMES_IN_A_ROW: u32 = 100;
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

impl suppression::Candidate for Found {
    fn place(&self) -> &Rect {
        &self.place.face_box
    }

    fn score(&self) -> f32 {
        self.score
    }

    fn is_like(&self, _: &Self) -> bool {
        true
    }
}

/// A detector with its optional landmark network.
pub(crate) struct Detector {
    network: Network,
    /// Searches camera frames in place of `network`.
    live: Option<Network>,
    landmarks: Option<Network>,
    most: u32,
    /// Searches of camera frames by `live` since `network` was last used.
    frames_in_a_row: u32,
}

impl Detector {
    /// `most`: maximum longer side of the network's input, pixels.
    pub(crate) fn load(models: &ModelSet, settings: &SessionSettings, most: u32) -> Result<Self, OpenError> {
        let network = Network::load(&models.detector, settings, Workspace::Kept)?;
        let live = models.live_detector.as_ref();
        let live = live.map(|model| Network::load(model, settings, Workspace::Kept)).transpose()?;
        let load = |model| Network::load(model, settings, Workspace::Borrowed);
        let landmarks = models.landmarks.as_ref().map(load).transpose()?;
        if matches!(network.manifest().output, Output::Ultraface(_)) && landmarks.is_none() {
            let why = "it outputs no landmarks, and its set has no landmarks model".to_owned();
            return Err(OpenError::WrongTensor { model: network.manifest().name.clone(), why });
        }
        let most = most.max(models.detector.manifest.input.multiple_of);
        let mut detector = Self { network, live, landmarks, most, frames_in_a_row: 0 };
        detector.network(Lane::Live).keep_for(TILES_IN_A_ROW);
        Ok(detector)
    }

    /// Stops using the network for camera frames unless it gives the expected results and is faster on this device;
    /// returns why.
    pub(crate) fn drop_unfit_live(&mut self, provider: Provider) -> Option<String> {
        let live = self.live.as_mut()?;
        let why = golden::check(live, provider).err().map(|error| error.to_string());
        let why = why.or_else(|| race::lost(live, &mut self.network))?;
        self.drop_live();
        Some(why)
    }

    /// Stops using the network for camera frames.
    pub(crate) fn drop_live(&mut self) {
        self.live = None;
        self.network.keep_for(TILES_IN_A_ROW);
    }

    /// Faces that match the search, largest first.
    pub(crate) fn find(&mut self, frame: &Frame, search: &Search, lane: Lane) -> Result<Vec<Found>, AnalysisError> {
        let Some(area) = window::area(frame, search) else { return Ok(Vec::new()) };
        let mut found = match lane {
            Lane::Live => self.find_live(frame, area, search)?,
            Lane::Photo => self.find_in_photo(frame, area)?,
        };
        self.release_unused(lane)?;
        found.retain(|face| is_wanted(&face.place.face_box, search));
        found.sort_by(|a, b| b.place.face_box.area().total_cmp(&a.place.face_box.area()));
        found.truncate(MAX_FACES);
        Ok(found)
    }

    /// Releases the memory for photos when only camera frames are searched: a photo takes a hundred megabytes.
    fn release_unused(&mut self, lane: Lane) -> Result<(), AnalysisError> {
        if lane == Lane::Photo || self.live.is_none() {
            self.frames_in_a_row = 0;
            return Ok(());
        }
        self.frames_in_a_row = self.frames_in_a_row.saturating_add(1);
        if self.frames_in_a_row == FRAMES_IN_A_ROW { self.network.release() } else { Ok(()) }
    }

    /// Searches a camera frame, or its tiles at the same scale.
    fn find_live(&mut self, frame: &Frame, area: PixelBox, search: &Search) -> Result<Vec<Found>, AnalysisError> {
        let most = self.most;
        let manifest = self.network(Lane::Live).manifest();
        let (limits, is_free) = (Limits::of(&manifest.output), manifest.input.is_free());
        let side = window::side(&area, search, limits.min_side, most);
        // In a network of fixed size, every tile would cost as much as the frame.
        let tiles = search.tiles.filter(|_| is_free);
        let Some(tiles) = tiles else { return self.find_exactly(frame, area, side) };
        let grid = Grid::over(area, side);
        tiles::find(&grid, &tiles, limits.overlap, |tile, side| self.find_exactly(frame, tile, side))
    }

    /// Searches a part of a camera frame. Faces too large for exact landmarks are searched again at half the size.
    fn find_exactly(&mut self, frame: &Frame, area: PixelBox, side: u32) -> Result<Vec<Found>, AnalysisError> {
        let limits = Limits::of(&self.network(Lane::Live).manifest().output);
        let mut found = self.find_in(frame, area, side, 0.0, Lane::Live)?;
        let scale = side as f32 / area.width.max(area.height) as f32;
        let is_large =
            |face: &Found| face.place.face_box.width().min(face.place.face_box.height()) * scale > limits.max_side;
        if found.iter().any(is_large) {
            let again = self.find_in(frame, area, side / 2, 0.0, Lane::Live)?;
            found.iter_mut().filter(|face| is_large(face)).for_each(|face| refine(face, &again));
        }
        Ok(found)
    }

    fn network(&mut self, lane: Lane) -> &mut Network {
        match (lane, &mut self.live) {
            (Lane::Live, Some(live)) => live,
            _ => &mut self.network,
        }
    }

    /// Searches a photo. If no face is found, retries with a border, for a face that fills the picture, then at a
    /// higher resolution, for a distant face: with the network for camera frames, which is exact for small faces and
    /// takes a third of the memory.
    fn find_in_photo(&mut self, frame: &Frame, area: PixelBox) -> Result<Vec<Found>, AnalysisError> {
        let side = PHOTO_SIDE.min(self.most);
        let mut found = self.find_in(frame, area, side, 0.0, Lane::Photo)?;
        if found.is_empty() {
            found = self.find_in(frame, area, side, BORDER, Lane::Photo)?;
        }
        if found.is_empty() && area.width.max(area.height) > side as usize {
            found = self.find_in(frame, area, side * 2, 0.0, Lane::Live)?;
        }
        Ok(found)
    }

    fn find_in(
        &mut self,
        frame: &Frame,
        area: PixelBox,
        side: u32,
        border: f32,
        lane: Lane,
    ) -> Result<Vec<Found>, AnalysisError> {
        let view = View::of(&self.network(lane).manifest().input, area, side, border);
        let candidates = self.candidates(frame, &view, lane)?;
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

    fn candidates(&mut self, frame: &Frame, view: &View, lane: Lane) -> Result<Vec<Candidate>, AnalysisError> {
        let picture = imaging::fit(frame, view)?;
        let canvas = (picture.width() as f32, picture.height() as f32);
        let network = self.network(lane);
        let output = network.manifest().output.clone();
        let limits = Limits::of(&output);
        let answers = network.ask(&[picture], |answer| match &output {
            Output::Centerface(output) => centerface::read(answer, output),
            Output::Ultraface(output) => ultraface::read(answer, output, canvas),
            _ => Ok(Vec::new()),
        })?;
        let mut candidates: Vec<Candidate> = answers.into_iter().flatten().collect();
        candidates.retain(|face| face.face_box.width().min(face.face_box.height()) >= limits.min_side);
        Ok(suppression::without_parts(suppression::suppressed(candidates, limits.overlap)))
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
        [&mut self.network].into_iter().chain(&mut self.live).chain(&mut self.landmarks)
    }
}

/// What a network detects reliably.
struct Limits {
    /// Maximum overlap of candidates (IoU).
    overlap: f32,
    /// Minimum side of a face, pixels of the input.
    min_side: f32,
    /// Maximum side of a face with exact landmarks, pixels of the input.
    max_side: f32,
}

impl Limits {
    fn of(output: &Output) -> Self {
        let (overlap, min_side, max_side) = match output {
            Output::Centerface(output) => (output.nms_iou, output.min_side, output.max_side),
            Output::Ultraface(output) => (output.nms_iou, output.min_side, None),
            // Manifests of detectors have no other output.
            _ => (1.0, 1.0, None),
        };
        Self { overlap, min_side, max_side: max_side.unwrap_or(f32::INFINITY) }
    }
}

/// Replaces a face by the same one of another search, if that found it.
fn refine(face: &mut Found, again: &[Found]) {
    let overlap = |other: &Found| other.place.face_box.overlap(&face.place.face_box);
    let best = again.iter().max_by(|a, b| overlap(a).total_cmp(&overlap(b)));
    if let Some(best) = best.filter(|best| overlap(best) >= SAME_FACE) {
        *face = *best;
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
    fn a_face_is_replaced_only_by_the_same_one() {
        let found = |left: f32| Found {
            place: Place { face_box: Rect::new(left, 0.0, left + 10.0, 10.0), landmarks: [Point::default(); 5] },
            score: 0.5,
        };
        let mut face = found(0.0);
        refine(&mut face, &[found(8.0)]);
        assert_eq!(face, found(0.0));
        refine(&mut face, &[found(8.0), found(1.0)]);
        assert_eq!(face, found(1.0));
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
