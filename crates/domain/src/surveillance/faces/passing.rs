//! A frame on its way through the face stage, and what the shots in it keep.
//!
//! A decoded picture of high definition takes three megabytes, and every face in view may have a shot in a frame of its own.
//! A shot therefore keeps its surroundings alone, and all shots of a frame share one JPEG of the scene.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use crate::error::Result;
use crate::face::{CROP_SCALE, Detection};
use crate::frame::Frame;
use crate::geometry::{Point, Rect};
use crate::ports::FaceAnalyzer;
use crate::time::Timestamp;

/// A face in one frame.
#[derive(Debug, Clone)]
pub(super) struct Shot {
    /// The part of the frame around the face.
    pub(super) part: Frame,
    /// Upper left corner of the part in the frame.
    pub(super) corner: Point,
    /// In the frame.
    pub(super) detection: Detection,
    pub(super) scene: Scene,
}

impl Shot {
    pub(super) fn at(&self) -> Timestamp {
        self.part.at()
    }

    pub(super) fn quality(&self) -> u8 {
        self.detection.quality.overall
    }
}

/// JPEG of a whole frame; encoded before the frame is dropped.
#[derive(Debug, Clone, Default)]
pub(super) struct Scene(Arc<OnceLock<Bytes>>);

impl Scene {
    /// Empty if it could not be encoded.
    pub(super) fn jpeg(&self) -> Bytes {
        self.0.get().cloned().unwrap_or_default()
    }
}

/// A scene that shots wait for.
pub(super) struct Unencoded {
    frame: Frame,
    scene: Scene,
}

impl Unencoded {
    pub(super) async fn encode(self, analyzer: &dyn FaceAnalyzer) -> Result<()> {
        let jpeg = analyzer.encode(self.frame, None).await?;
        // Nothing else sets it.
        let _ = self.scene.0.set(jpeg);
        Ok(())
    }
}

/// A frame in which shots may be taken.
pub(super) struct Passing<'a> {
    frame: &'a Frame,
    /// The part of the frame that a description of a face reads.
    surroundings: &'a dyn Fn(&Frame, &Detection) -> Rect,
    scene: Option<Scene>,
}

impl<'a> Passing<'a> {
    /// Without shots. `surroundings`: see [`FaceAnalyzer::surroundings`].
    pub(super) fn new(frame: &'a Frame, surroundings: &'a dyn Fn(&Frame, &Detection) -> Rect) -> Self {
        Self { frame, surroundings, scene: None }
    }

    pub(super) fn at(&self) -> Timestamp {
        self.frame.at()
    }

    /// Takes a shot of a face.
    pub(super) fn shoot(&mut self, detection: &Detection) -> Shot {
        let area = (self.surroundings)(self.frame, detection).joined(&detection.face_box.scaled(CROP_SCALE));
        let (part, corner) = self.frame.cut(&area);
        let scene = self.scene.get_or_insert_default().clone();
        Shot { part, corner, detection: detection.clone(), scene }
    }

    /// The scene, if shots were taken.
    pub(super) fn unencoded(self) -> Option<Unencoded> {
        self.scene.map(|scene| Unencoded { frame: self.frame.clone(), scene })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{PixelFormat, Plane};

    #[test]
    fn shots_of_a_frame_share_its_scene_and_keep_their_surroundings() {
        let plane = Plane { data: Bytes::from(vec![0; 3 * 64 * 64]), stride: 3 * 64 };
        let frame = Frame::new(Timestamp::from_millis(5), 64, 64, PixelFormat::Rgb8, vec![plane]).unwrap();
        let face_box = Rect::new(10.0, 20.0, 20.0, 30.0);
        let detection = Detection { face_box, landmarks: Default::default(), score: 1.0, quality: Default::default() };
        let surroundings = |_: &Frame, face: &Detection| face.face_box.widened(4.0);
        let mut passing = Passing::new(&frame, &surroundings);
        assert!(Passing::new(&frame, &surroundings).unencoded().is_none(), "nobody needs the scene");
        let (one, other) = (passing.shoot(&detection), passing.shoot(&detection));
        assert_eq!((one.at(), one.part.samples(), one.corner), (frame.at(), (18, 18), Point { x: 6.0, y: 16.0 }));
        let waiting = passing.unencoded().unwrap();
        assert!(one.scene.jpeg().is_empty());
        waiting.scene.0.set(Bytes::from_static(b"jpeg")).unwrap();
        assert_eq!((one.scene.jpeg(), other.scene.jpeg()), (Bytes::from_static(b"jpeg"), Bytes::from_static(b"jpeg")));
    }
}
