//! Films and what the detector finds in them.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bytes::Bytes;
use domain::frame::{Frame, PixelFormat, Plane};
use domain::ports::ObjectDetector;
use domain::{DetectedObject, ObjectClass, Timestamp};
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

/// A frame of this picture.
pub(crate) fn frame(rgb: Bytes, at: Timestamp) -> Frame {
    let plane = Plane { data: rgb, stride: SIZE.0 as usize * 3 };
    Frame::new(at, SIZE.0, SIZE.1, PixelFormat::Rgb8, vec![plane]).unwrap()
}

/// The pictures of a film, [`RATE`] in a second, RGB.
pub(crate) fn pictures(file: &Path) -> impl Iterator<Item = Vec<u8>> {
    let mut ffmpeg = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(file)
        .args(["-vf", &format!("fps={RATE}"), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("ffmpeg");
    let mut output = ffmpeg.stdout.take().unwrap();
    std::iter::from_fn(move || {
        let mut picture = vec![0; (SIZE.0 * SIZE.1 * 3) as usize];
        let more = output.read_exact(&mut picture).is_ok();
        if !more {
            assert!(ffmpeg.wait().unwrap().success(), "ffmpeg failed");
        }
        more.then_some(picture)
    })
}
