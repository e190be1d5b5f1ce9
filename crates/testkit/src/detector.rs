//! A detector that finds a body below every [`FakeFace`].

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use domain::frame::Frame;
use domain::geometry::Rect;
use domain::ports::ObjectDetector;
use domain::{DetectedObject, ObjectClass, Result};

use crate::FakeFace;
use crate::picture::read_faces;

/// How certain it is of what it finds.
const SCORE: f32 = 0.87;

/// Finds people where faces are drawn, or vehicles when it is told to.
#[derive(Default)]
pub struct FakeDetector {
    vehicles: AtomicBool,
    hangs: AtomicBool,
    asked: Mutex<Vec<Vec<ObjectClass>>>,
}

impl FakeDetector {
    /// From now on everybody sits in a vehicle (`true`), or walks (`false`).
    pub fn sees_vehicles(&self, vehicles: bool) {
        self.vehicles.store(vehicles, Ordering::Relaxed);
    }

    /// From now on it never answers.
    pub fn hang(&self) {
        self.hangs.store(true, Ordering::Relaxed);
    }

    /// What it was asked to find, in order.
    pub fn asked(&self) -> Vec<Vec<ObjectClass>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Where it finds the body of a face: twice as wide and four times as high, the head included.
    pub fn body(face: &FakeFace) -> Rect {
        let (left, top, size) = (face.left as f32, face.top as f32, face.size as f32);
        Rect::new(left - size / 2.0, top, left + size * 1.5, top + size * 4.0)
    }
}

#[async_trait]
impl ObjectDetector for FakeDetector {
    fn finds(&self, _: ObjectClass) -> bool {
        true
    }

    async fn detect(&self, frame: Frame, wanted: &[ObjectClass]) -> Result<Vec<DetectedObject>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(wanted.to_vec());
        if self.hangs.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        let class = if self.vehicles.load(Ordering::Relaxed) { ObjectClass::Vehicle } else { ObjectClass::Person };
        let faces = if wanted.contains(&class) { read_faces(&frame) } else { Vec::new() };
        Ok(faces.iter().map(|face| DetectedObject { class, place: Self::body(face), score: SCORE }).collect())
    }
}
