//! Tests of the clips that other tests use.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a helper that panics fails its test")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use domain::geometry::Rect;
use testkit::clip::{self, Codec, Head, Passages, Shape, Spot, Street, View, Walk};

const SHAPE: Shape = Shape { width: 320, height: 180, fps: 10, codec: Codec::H264 };

/// A directory of this test alone.
fn directory(test: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    std::fs::create_dir_all(&directory).unwrap();
    directory
}

fn still(directory: &Path, colour: &str) -> PathBuf {
    let file = directory.join(format!("{colour}.png"));
    let source = format!("color={colour}:size=100x120");
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-y", "-f", "lavfi", "-i", &source, "-frames:v", "1"]).arg(&file);
    assert!(ffmpeg.status().unwrap().success());
    file
}

/// All frames, as R G B.
fn frames(file: &Path) -> Vec<Vec<u8>> {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-i"]).arg(file).args(["-f", "rawvideo", "-pix_fmt", "rgb24", "-"]);
    let output = ffmpeg.output().unwrap();
    output.stdout.chunks(320 * 180 * 3).map(<[u8]>::to_vec).collect()
}

/// The strongest of red, green and blue in mid-height; `None` where they are about equal: the background.
fn colour(frame: &[u8], x: usize) -> Option<char> {
    let start = (90 * 320 + x) * 3;
    let pixel = &frame[start..start + 3];
    let strongest = (0..3).max_by_key(|c| pixel[*c]).unwrap();
    (pixel.iter().max().unwrap() - pixel.iter().min().unwrap() > 100).then(|| ['r', 'g', 'b'][strongest])
}

#[test]
fn a_film_shows_each_still_at_its_time_and_the_background_between() {
    let directory = directory("stills");
    let (red, blue) = (still(&directory, "red"), still(&directory, "blue"));
    let film = clip::from_stills(&directory.join("film.mp4"), &[(&red, 2.0), (&blue, 3.0)], SHAPE, 1.0).unwrap();

    let who: Vec<_> = film.passages.iter().map(|p| (p.who.as_str(), p.from.as_secs(), p.to.as_secs())).collect();
    assert_eq!(who, [("red", 1, 3), ("blue", 4, 7)]);
    assert_eq!(film.length, Duration::from_secs(8));
    let middle: Vec<_> = frames(&film.file).iter().map(|frame| colour(frame, 160)).collect();
    assert_eq!(middle.len(), 80);
    assert_eq!([middle[5], middle[20], middle[35], middle[55], middle[75]], [None, Some('r'), None, Some('b'), None]);
}

#[test]
fn two_stills_stand_side_by_side() {
    let directory = directory("pair");
    let (red, blue) = (still(&directory, "red"), still(&directory, "blue"));
    let pair = Passages::new(SHAPE, 0.5).two(("Ann", &red), ("Bob", &blue), 2.0);
    let film = pair.render(&directory.join("film.mp4")).unwrap();

    let frames = frames(&film.file);
    let (coming, there) = (&frames[6], &frames[15]);
    assert_eq!([colour(there, 80), colour(there, 160), colour(there, 240)], [Some('r'), None, Some('b')]);
    assert_eq!([colour(coming, 80), colour(coming, 240)], [None, None]);
    assert!(film.passages.iter().all(|p| p.from == Duration::from_millis(500) && p.to == Duration::from_millis(2500)));
}

#[test]
fn a_missing_still_is_an_error_and_leaves_no_clip() {
    let directory = directory("missing");
    let film = directory.join("film.mp4");
    assert!(clip::from_stills(&film, &[(Path::new("/nonexistent.jpg"), 2.0)], SHAPE, 1.0).is_err());
    assert!(!film.exists());
}

#[test]
fn a_street_shows_a_head_where_its_walk_says() {
    let photo = image::RgbImage::from_pixel(60, 60, image::Rgb([220, 20, 20]));
    let head = Head::cut(&photo, Rect::new(15.0, 15.0, 45.0, 45.0));
    let (start, end) = (Spot { x: 40.0, y: 90.0, face: 30.0 }, Spot { x: 280.0, y: 90.0, face: 30.0 });
    let walk = Walk { who: "Ann".into(), head, from: 1.0, to: 4.0, start, end };
    let view = View { pillar: Some((140.0, 180.0)), ..View::default() };
    let street = Street { shape: SHAPE, view, walks: vec![walk.clone()] };
    let film = street.render(&directory("street").join("film.mp4"), 1.0).unwrap();

    assert_eq!((film.length, film.passages[0].who.as_str()), (Duration::from_secs(5), "Ann"));
    let frames = frames(&film.file);
    assert_eq!(frames.len(), 50);
    let at = |seconds: f64| walk.spot(seconds).map(|spot| colour(&frames[(seconds * 10.0) as usize], spot.x as usize));
    assert_eq!([at(0.5), at(1.5), at(3.5), at(4.5)], [None, Some(Some('r')), Some(Some('r')), None]);
    assert_eq!(at(2.5), Some(None), "the pillar hides it");
    assert_eq!(colour(&frames[5], 60), None);
}
