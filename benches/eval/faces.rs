//! The faces of the fetched photographs, described by the real analyzer.

use std::fs;
use std::path::{Path, PathBuf};

use domain::geometry::Rect;
use domain::ports::{FaceAnalyzer, Lane, Search};
use domain::{Embedding, Timestamp};
use image::RgbImage;
use polyface_tests::cache;
use vision::Analyzer;

/// The folder of pictures of several people. Those in one picture are all different; who is in two of them nobody
/// wrote down.
const GROUPS: &str = "_groups";
/// A collage of the same few men, each several times, without their names.
const COLLAGE: &str = "bald_guys";
/// Smaller faces of the group pictures are left out, pixels.
const SMALLEST: u32 = 30;

/// A face in a photo.
pub(crate) struct PhotoFace {
    /// Whose it is.
    pub(crate) who: String,
    /// The file it was found in.
    pub(crate) photo: PathBuf,
    /// Where.
    pub(crate) face_box: Rect,
    pub(crate) embedding: Embedding,
}

impl PhotoFace {
    /// Whether it is known if both are the same person.
    pub(crate) fn comparable(&self, other: &Self) -> bool {
        let in_group = |face: &Self| face.photo.parent().is_some_and(|folder| folder.ends_with(GROUPS));
        self.photo == other.photo || !(in_group(self) && in_group(other))
    }
}

/// Every face of the set: one of each portrait, all of each group picture.
pub(crate) async fn all(analyzer: &Analyzer) -> Vec<PhotoFace> {
    let mut faces = Vec::new();
    for folder in sorted(&cache().join("photos")).into_iter().filter(|entry| entry.is_dir()) {
        let who = folder.file_name().unwrap().to_string_lossy().into_owned();
        for photo in sorted(&folder).into_iter().filter(|photo| photo.file_stem().is_none_or(|stem| stem != COLLAGE)) {
            faces.extend(of_photo(analyzer, &who, &photo).await);
        }
    }
    faces
}

async fn of_photo(analyzer: &Analyzer, who: &str, photo: &Path) -> Vec<PhotoFace> {
    let file = fs::read(photo).unwrap().into();
    let frame = analyzer.decode(file, Timestamp::from_millis(0)).await.unwrap();
    let search = Search { min_face_px: SMALLEST, ..Search::ANYWHERE };
    let mut found = analyzer.detect(frame.clone(), search, Lane::Photo).await.unwrap();
    if who != GROUPS {
        // The largest comes first; a portrait shows nobody else.
        found.truncate(1);
    }
    let described = analyzer.describe(frame, found, Lane::Photo).await.unwrap();
    let stem = photo.file_stem().unwrap().to_string_lossy();
    let named = described.into_iter().enumerate().map(|(index, face)| PhotoFace {
        who: if who == GROUPS { format!("{stem} {index}") } else { who.to_owned() },
        photo: photo.to_owned(),
        face_box: face.detection.face_box,
        embedding: face.embedding,
    });
    named.collect()
}

/// The pixels of a photo, upright.
pub(crate) fn pixels(photo: &Path) -> RgbImage {
    image::open(photo).unwrap().to_rgb8()
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}
