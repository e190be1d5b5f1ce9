//! A face analyzer that reads [`FakeFace`]s out of real pictures.

use std::collections::VecDeque;
use std::io::Cursor;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::frame::Frame;
use domain::geometry::{Point, Rect};
use domain::ports::{Detail, FaceAnalyzer, Lane, Search};
use domain::{Attributes, Calibration, Detection, Embedding, Error, Face, ModelId, Quality, Result, Timestamp};
use image::codecs::jpeg::JpegEncoder;
use image::{ImageReader, RgbImage};

use crate::picture::{FakeFace, read_faces, to_frame};

/// Components of an embedding.
const DIMENSIONS: u64 = 128;
/// Length of the noise by which two shots of one face differ; the cosine of two shots is about 0.94.
const NOISE: f32 = 0.25;
/// Maximum size of a picture, pixels.
const MAX_PIXELS: u64 = 16_000_000;

/// What the analyzer does instead of searching a live frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Returns [`Error::Busy`].
    Busy,
    /// Returns [`Error::Internal`].
    Error,
    /// Panics.
    Panic,
}

/// Liveness score of a face; `None` without one.
type Liveness = Box<dyn Fn(&FakeFace) -> Option<f32> + Send + Sync>;

/// How far a head is turned at a time, degrees; `None` for a picture, which shows its landmarks in one plane.
type Heads = Box<dyn Fn(&FakeFace, Timestamp) -> Option<f32> + Send + Sync>;

/// Length of the noise in the shots of a face; shots of one face with [`NOISE`] differ at random, greater noise is the
/// same in all, as blur is.
type Blur = Box<dyn Fn(&FakeFace) -> f32 + Send + Sync>;

/// Lowest clarity at which an unrecognised face is a stranger; the clarity of a face is a hundredth of its quality.
const CLEAR_FROM: f32 = 0.2;

/// Decodes real pictures and frames, detects the faces drawn in them, and gives every identity its own embedding with a
/// little noise in every shot. It fails on request like real ones.
pub struct FakeAnalyzer {
    model: ModelId,
    calibration: Calibration,
    recalibrated: OnceLock<Calibration>,
    blur: OnceLock<Blur>,
    failures: Mutex<VecDeque<Failure>>,
    searches: Mutex<Vec<Search>>,
    liveness: OnceLock<(f32, Liveness)>,
    overlooked: Mutex<Vec<u32>>,
    heads: OnceLock<Heads>,
    effort: Mutex<Duration>,
    refuses_photos: AtomicBool,
    refuses_scenes: AtomicBool,
    /// Held during a search with effort: one at a time, first in, first out.
    turn: tokio::sync::Mutex<()>,
}

impl FakeAnalyzer {
    /// An analyzer of the model `fake-1`.
    pub fn new() -> Self {
        Self::of_model("fake-1")
    }

    /// An analyzer of another model.
    pub fn of_model(name: &str) -> Self {
        let points = vec![(0.0, 0.0), (0.25, 0.35), (0.44, 0.70), (0.50, 0.80), (0.60, 0.88), (0.80, 0.96), (1.0, 1.0)];
        Self {
            model: ModelId(name.into()),
            // Cannot fail: the points rise.
            calibration: Calibration::new(points)
                .unwrap_or_else(|error| unreachable!("{error}"))
                .with_clear_from(CLEAR_FROM),
            recalibrated: OnceLock::new(),
            blur: OnceLock::new(),
            failures: Mutex::default(),
            searches: Mutex::default(),
            liveness: OnceLock::new(),
            overlooked: Mutex::default(),
            heads: OnceLock::new(),
            effort: Mutex::default(),
            refuses_photos: AtomicBool::new(false),
            refuses_scenes: AtomicBool::new(false),
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// Fails the searches of the next live frames, in this order.
    pub fn fail_next(&self, failures: impl IntoIterator<Item = Failure>) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).extend(failures);
    }

    /// Makes this face undetectable.
    pub fn overlook(&self, face: &FakeFace) {
        self.overlooked.lock().unwrap_or_else(PoisonError::into_inner).push(face.identity);
    }

    /// Makes an overlooked face detectable again.
    pub fn notice(&self, face: &FakeFace) {
        let mut overlooked = self.overlooked.lock().unwrap_or_else(PoisonError::into_inner);
        overlooked.retain(|identity| *identity != face.identity);
    }

    /// Sets whether photos are refused, as when the networks hang.
    pub fn refuse_photos(&self, refuse: bool) {
        self.refuses_photos.store(refuse, Ordering::Relaxed);
    }

    /// Encodes no whole frames from now on.
    pub fn refuse_scenes(&self) {
        self.refuses_scenes.store(true, Ordering::Relaxed);
    }

    /// Switches liveness on: a face is living from this score on. `score` returns the score of a face.
    pub fn judge_liveness(&self, live_from: f32, score: impl Fn(&FakeFace) -> Option<f32> + Send + Sync + 'static) {
        // Only the first call has an effect.
        let _ = self.liveness.set((live_from, Box::new(score)));
    }

    /// Makes faces those of solid heads that turn: `yaw` returns by how many degrees, or `None` for a picture.
    pub fn turn_heads(&self, yaw: impl Fn(&FakeFace, Timestamp) -> Option<f32> + Send + Sync + 'static) {
        // Only the first call has an effect.
        let _ = self.heads.set(Box::new(yaw));
    }

    /// Replaces the calibration.
    ///
    /// # Errors
    /// Those of `by`.
    pub fn calibrate(&self, by: impl FnOnce(Calibration) -> Result<Calibration>) -> Result<()> {
        // Only the first call has an effect.
        let _ = self.recalibrated.set(by(self.calibration.clone())?);
        Ok(())
    }

    /// Blurs faces: `noise` returns the length of the noise of a shot, for a face of length 1.
    pub fn blur(&self, noise: impl Fn(&FakeFace) -> f32 + Send + Sync + 'static) {
        // Only the first call has an effect.
        let _ = self.blur.set(Box::new(noise));
    }

    /// The searches of live frames, in order.
    pub fn live_searches(&self) -> Vec<Search> {
        self.searches.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sets how long a search of a live frame in full detail takes; less detail takes proportionally less.
    pub fn set_effort(&self, effort: Duration) {
        *self.effort.lock().unwrap_or_else(PoisonError::into_inner) = effort;
    }

    async fn spend_effort(&self, detail: Detail) {
        let effort = *self.effort.lock().unwrap_or_else(PoisonError::into_inner);
        if effort.is_zero() {
            return;
        }
        let part = match detail {
            Detail::Full => 1.0,
            Detail::Reduced => 0.56,
            Detail::Least => 0.25,
        };
        let _turn = self.turn.lock().await;
        tokio::time::sleep(effort.mul_f64(part)).await;
    }

    fn take_failure(&self) -> Result<()> {
        let failure = self.failures.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        match failure {
            None => Ok(()),
            Some(Failure::Busy) => Err(Error::Busy),
            Some(Failure::Error) => Err(Error::internal("analysing a frame")("requested by the test")),
            Some(Failure::Panic) => panic!("requested by the test"),
        }
    }

    fn describe_one(&self, frame: &Frame, detection: Detection) -> Result<Face> {
        let center = detection.face_box.center();
        let seen = read_faces(frame).into_iter().find(|face| face.face_box().contains(center)).ok_or(Error::NoFace)?;
        let attributes =
            Attributes { gender: Some(seen.gender), age: Some(f32::from(seen.age)), ..Attributes::default() };
        let embedding = Embedding::normalised(self.model.clone(), self.vector(&seen))?;
        let liveness = self.liveness.get().and_then(|(_, score)| score(&seen));
        let clarity = Some(f32::from(seen.quality) / 100.0);
        Ok(Face { detection, attributes, liveness, clarity, embedding })
    }

    /// The identity's own direction plus this shot's noise.
    fn vector(&self, face: &FakeFace) -> Vec<f32> {
        let noise = self.blur.get().map_or(NOISE, |noise| noise(face));
        let shot = [face.left, face.top, face.size, u32::from(face.quality)];
        let shot = shot.iter().fold(u64::from(face.identity), |mixed, part| scramble(mixed ^ u64::from(*part) << 24));
        let seed = if noise > NOISE { u64::from(face.identity) | 1 << 41 } else { shot | 1 << 40 };
        let (own, disturbed) = (direction(u64::from(face.identity)), direction(seed));
        own.iter().zip(disturbed).map(|(own, disturbed)| own + noise * disturbed).collect()
    }
}

impl Default for FakeAnalyzer {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl FaceAnalyzer for FakeAnalyzer {
    fn model(&self) -> &ModelId {
        &self.model
    }

    fn calibration(&self) -> &Calibration {
        self.recalibrated.get().unwrap_or(&self.calibration)
    }

    fn live_from(&self) -> Option<f32> {
        self.liveness.get().map(|(live_from, _)| *live_from)
    }

    async fn decode(&self, picture: Bytes, at: Timestamp) -> Result<Frame> {
        let open = || ImageReader::new(Cursor::new(&picture)).with_guessed_format();
        let (width, height) = open().map_err(bad)?.into_dimensions().map_err(bad)?;
        if u64::from(width) * u64::from(height) > MAX_PIXELS {
            return Err(bad(format!("{width}x{height} pixels are too many")));
        }
        to_frame(open().map_err(bad)?.decode().map_err(bad)?.to_rgb8(), at)
    }

    async fn encode(&self, frame: Frame, part: Option<Rect>) -> Result<Bytes> {
        if part.is_none() && self.refuses_scenes.load(Ordering::Relaxed) {
            return Err(Error::Unavailable { what: "the encoder" });
        }
        let part = part.unwrap_or(frame.bounds()).clamped_to(&frame.bounds());
        let (left, top) = (part.left as u32, part.top as u32);
        let (width, height) = ((part.width() as u32).max(1), (part.height() as u32).max(1));
        let plane = &frame.planes()[0];
        let cut = RgbImage::from_fn(width, height, |x, y| {
            let start = (top + y) as usize * plane.stride + (left + x) as usize * 3;
            image::Rgb([plane.data[start], plane.data[start + 1], plane.data[start + 2]])
        });
        let mut file = Vec::new();
        JpegEncoder::new_with_quality(&mut file, 90)
            .encode_image(&cut)
            .map_err(Error::internal("encoding a picture"))?;
        Ok(file.into())
    }

    fn surroundings(&self, _frame: &Frame, face: &Detection) -> Rect {
        face.face_box
    }

    async fn detect(&self, frame: Frame, search: Search, lane: Lane) -> Result<Vec<Detection>> {
        if lane == Lane::Live {
            self.searches.lock().unwrap_or_else(PoisonError::into_inner).push(search);
            self.spend_effort(search.detail).await;
            self.take_failure()?;
        } else if self.refuses_photos.load(Ordering::Relaxed) {
            return Err(Error::Unavailable { what: "the networks" });
        }
        let overlooked = self.overlooked.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut faces = read_faces(&frame);
        faces.retain(|face| wanted(face, &search) && !overlooked.contains(&face.identity));
        faces.sort_by_key(|face| std::cmp::Reverse(face.size));
        let yaw = |face: &FakeFace| self.heads.get().and_then(|yaw| yaw(face, frame.at()));
        Ok(faces.iter().map(|face| detection(face, yaw(face).unwrap_or_default())).collect())
    }

    async fn describe(&self, frame: Frame, detections: Vec<Detection>, _lane: Lane) -> Result<Vec<Face>> {
        detections.into_iter().map(|detection| self.describe_one(&frame, detection)).collect()
    }

    async fn embed(&self, frame: Frame, detection: Detection, _lane: Lane) -> Result<(Detection, Embedding)> {
        self.describe_one(&frame, detection).map(|face| (face.detection, face.embedding))
    }
}

fn bad(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::BadPicture { why: why.into().to_string() }
}

fn wanted(face: &FakeFace, search: &Search) -> bool {
    let face_box = face.face_box();
    let inside = search.region.is_none_or(|region| region.contains(face_box.center()));
    let seen_whole = search.tiles.is_none_or(|tiles| tiles.iter().any(|tile| tile.encloses(&face_box)));
    inside && seen_whole && (search.min_face_px..=search.max_face_px).contains(&face.size)
}

/// The detection of a face whose head is turned by this angle, degrees.
fn detection(face: &FakeFace, yaw: f32) -> Detection {
    let face_box = face.face_box();
    let (sine, cosine) = yaw.to_radians().sin_cos();
    let point = |x: f32, y: f32, depth: f32| Point {
        x: face_box.left + face_box.width() * (0.5 + (x - 0.5) * cosine + depth * sine),
        y: face_box.top + face_box.height() * y,
    };
    let overall = face.quality;
    let parts = Quality { overall, size: overall, sharpness: overall, brightness: overall, ..Quality::default() };
    Detection {
        face_box,
        landmarks: [
            point(0.3, 0.4, 0.0),
            point(0.7, 0.4, 0.0),
            point(0.5, 0.6, 0.2),
            point(0.35, 0.8, 0.05),
            point(0.65, 0.8, 0.05),
        ],
        score: 0.99,
        quality: Quality { pose: overall, ..parts },
    }
}

/// A unit vector determined by the seed.
fn direction(seed: u64) -> Vec<f32> {
    let component = |n: u64| (0..4u64).map(|k| unit(scramble(seed << 16 ^ n << 4 ^ k))).sum::<f32>() - 2.0;
    let vector: Vec<f32> = (0..DIMENSIONS).map(component).collect();
    let length = vector.iter().map(|v| v * v).sum::<f32>().sqrt();
    vector.into_iter().map(|v| v / length).collect()
}

/// 0..1 from the upper bits.
fn unit(bits: u64) -> f32 {
    (bits >> 40) as f32 / (1u64 << 24) as f32
}

/// Mixes the bits well (the finaliser of splitmix64).
fn scramble(seed: u64) -> u64 {
    let mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}
