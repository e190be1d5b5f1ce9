//! Models, photographs and small drawings for the tests.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use domain::frame::{Colour, Frame, Matrix, PixelFormat, Plane, Range};
use domain::ports::{FaceAnalyzer, Lane, Search};
use domain::{Detection, Face, Timestamp};
use image::RgbImage;
use vision::{Analyzer, Options};

/// The folder of models: `POLYFACE_MODELS`, else that of `models/fetch.sh`.
pub(crate) fn models() -> PathBuf {
    existing(std::env::var_os("POLYFACE_MODELS").map_or_else(|| cache().join("models"), PathBuf::from), "sets.toml")
}

/// The folder of photographs, by person: `POLYFACE_PHOTOS`, else that of `models/fetch.sh`.
fn photos() -> PathBuf {
    existing(std::env::var_os("POLYFACE_PHOTOS").map_or_else(|| cache().join("photos"), PathBuf::from), "_groups")
}

pub(crate) fn cache() -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache/polyface");
    std::env::var_os("POLYFACE_CACHE").map_or_else(home, PathBuf::from)
}

pub(crate) fn existing(folder: PathBuf, file: &str) -> PathBuf {
    assert!(folder.join(file).exists(), "{} has no {file}: run models/fetch.sh --photos", folder.display());
    folder
}

/// The analyzer of the default set, on the processor.
pub(crate) fn analyzer() -> Analyzer {
    Analyzer::open(Options { liveness: true, ..Options::new(models()) }).unwrap()
}

/// All photographs of a person, or of groups (`_groups`), in the order of their names.
pub(crate) fn photos_of(person: &str) -> Vec<PathBuf> {
    let files = std::fs::read_dir(photos().join(person)).unwrap();
    let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

/// A photograph as pixels.
pub(crate) async fn photo(analyzer: &Analyzer, name: &str) -> Frame {
    read(analyzer, &photos().join(name)).await
}

pub(crate) async fn read(analyzer: &Analyzer, path: &Path) -> Frame {
    let bytes = Bytes::from(std::fs::read(path).unwrap());
    analyzer.decode(bytes, Timestamp::from_millis(0)).await.unwrap()
}

pub(crate) async fn detect(analyzer: &Analyzer, frame: &Frame) -> Vec<Detection> {
    analyzer.detect(frame.clone(), Search::ANYWHERE, Lane::Photo).await.unwrap()
}

/// The largest face.
pub(crate) async fn face(analyzer: &Analyzer, frame: &Frame) -> Face {
    let mut detections = detect(analyzer, frame).await;
    detections.truncate(1);
    let mut faces = analyzer.describe(frame.clone(), detections, Lane::Photo).await.unwrap();
    faces.pop().expect("a face")
}

pub(crate) fn image(frame: &Frame) -> RgbImage {
    RgbImage::from_raw(frame.width(), frame.height(), frame.planes()[0].data.to_vec()).unwrap()
}

pub(crate) fn frame(image: RgbImage) -> Frame {
    let (width, height) = image.dimensions();
    let plane = Plane { data: Bytes::from(image.into_raw()), stride: width as usize * 3 };
    Frame::new(Timestamp::from_millis(0), width, height, PixelFormat::Rgb8, vec![plane]).unwrap()
}

/// The frame as a video decoder gives it (BT.601, video range), with padded rows.
pub(crate) fn as_video(frame: &Frame, format: PixelFormat) -> Frame {
    as_video_in(frame, format, Colour::default())
}

/// The same with colours stood for in this way.
pub(crate) fn as_video_in(frame: &Frame, format: PixelFormat, colour: Colour) -> Frame {
    let image = image(frame);
    let (width, height) = (image.width() as usize & !1, image.height() as usize & !1);
    let yuv = |x: usize, y: usize| samples(image.get_pixel(x as u32, y as u32).0.map(f32::from), colour);
    let plane = |step: usize, parts: &[usize]| {
        let row = |y: usize| {
            let samples = (0..width).step_by(step).flat_map(move |x| parts.iter().map(move |part| yuv(x, y)[*part]));
            samples.chain([0; 16]).collect::<Vec<u8>>()
        };
        let data: Vec<u8> = (0..height).step_by(step).flat_map(row).collect();
        Plane { data: Bytes::from(data), stride: width / step * parts.len() + 16 }
    };
    let planes = match format {
        PixelFormat::Nv12 => vec![plane(1, &[0]), plane(2, &[1, 2])],
        _ => vec![plane(1, &[0]), plane(2, &[1]), plane(2, &[2])],
    };
    Frame::new(frame.at(), width as u32, height as u32, format, planes).unwrap().coloured(colour)
}

/// Luma, blue and red difference of a colour.
fn samples([r, g, b]: [f32; 3], Colour { matrix, range }: Colour) -> [u8; 3] {
    let (of_red, of_blue) = match matrix {
        Matrix::Bt601 => (0.299, 0.114),
        Matrix::Bt709 => (0.2126, 0.0722),
        Matrix::Bt2020 => (0.2627, 0.0593),
    };
    let luma = of_red * r + (1.0 - of_red - of_blue) * g + of_blue * b;
    let (blue, red) = ((b - luma) / (2.0 - 2.0 * of_blue), (r - luma) / (2.0 - 2.0 * of_red));
    let (black, in_luma, in_chroma) = match range {
        Range::Limited => (16.0, 219.0 / 255.0, 224.0 / 255.0),
        Range::Full => (0.0, 1.0, 1.0),
    };
    [black + in_luma * luma, 128.0 + in_chroma * blue, 128.0 + in_chroma * red].map(|sample| sample.round() as u8)
}
