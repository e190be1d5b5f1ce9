//! Films and what the detector finds in them.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use bytes::Bytes;
use domain::frame::{Frame, PixelFormat, Plane};
use domain::geometry::Point;
use domain::ports::ObjectDetector;
use domain::{BehaviourKind, Crossing, DetectedObject, ObjectClass, RuleOptions, RuleSettings, Timestamp};
use vision::{Analyzer, Objects, Options};

/// Frames of a film that are searched in a second.
pub(crate) const RATE: u32 = 5;

/// A film of `vtest.avi`'s size, and what was found in each of its frames.
pub(crate) struct Film {
    pub(crate) size: (u32, u32),
    pub(crate) found: Vec<Vec<DetectedObject>>,
}

/// Size of `vtest.avi`, pixels.
pub(crate) const SIZE: (u32, u32) = (768, 576);

fn cache() -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache/polyface");
    std::env::var_os("POLYFACE_CACHE").map_or_else(home, PathBuf::from)
}

/// The people who walk about before a building: `vtest.avi`.
pub(crate) fn street() -> PathBuf {
    let file = cache().join("films/vtest.avi");
    assert!(file.exists(), "{} is missing: run models/fetch.sh --photos", file.display());
    file
}

/// The detector of the default set.
pub(crate) fn detector() -> Objects {
    let models = std::env::var_os("POLYFACE_MODELS").map_or_else(|| cache().join("models"), PathBuf::from);
    Analyzer::open(Options::new(models)).unwrap().objects().expect("the default set finds objects")
}

impl Film {
    /// Searches the frames that `pictures` gives, RGB, in order.
    pub(crate) async fn of(detector: &Objects, pictures: impl Iterator<Item = Vec<u8>>) -> Self {
        let mut found = Vec::new();
        for picture in pictures {
            let frame = frame(Bytes::from(picture), Timestamp::from_millis(0));
            found.push(detector.detect(frame, &ObjectClass::ALL).await.unwrap());
        }
        Self { size: SIZE, found }
    }
}

/// A rule about people, with its points in pixels.
pub(crate) fn rule(name: &str, kind: BehaviourKind, pixels: &[(f32, f32)]) -> RuleSettings {
    let point = |&(x, y): &(f32, f32)| Point { x: x / SIZE.0 as f32, y: y / SIZE.1 as f32 };
    RuleSettings {
        name: name.into(),
        kind,
        object: ObjectClass::Person,
        points: pixels.iter().map(point).collect(),
        direction: Crossing::Both,
        options: RuleOptions::default(),
    }
}

/// A frame of this picture.
pub(crate) fn frame(rgb: Bytes, at: Timestamp) -> Frame {
    let plane = Plane { data: rgb, stride: SIZE.0 as usize * 3 };
    Frame::new(at, SIZE.0, SIZE.1, PixelFormat::Rgb8, vec![plane]).unwrap()
}

/// The pictures of a film, [`RATE`] in a second, RGB.
pub(crate) fn pictures(file: &Path) -> Pictures {
    let decoder = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(file)
        .args(["-vf", &format!("fps={RATE}"), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"])
        .stdout(Stdio::piped())
        .spawn();
    Pictures { decoder: decoder.expect("ffmpeg") }
}

/// Pictures that ffmpeg decodes.
pub(crate) struct Pictures {
    decoder: Child,
}

impl Iterator for Pictures {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut picture = vec![0; (SIZE.0 * SIZE.1 * 3) as usize];
        let output = self.decoder.stdout.as_mut().unwrap();
        output.read_exact(&mut picture).is_ok().then_some(picture)
    }
}

impl Drop for Pictures {
    fn drop(&mut self) {
        // The rest of the film is not wanted.
        let _ = self.decoder.kill();
        let _ = self.decoder.wait();
    }
}
