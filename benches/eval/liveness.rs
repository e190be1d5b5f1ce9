//! Passive liveness: photos set into scenes as if the people stood there, against simulated prints, screens and
//! cut-out masks made of the same photos. Simulated attacks prove the wiring, not the security.

use bytes::Bytes;
use domain::Timestamp;
use domain::frame::{Frame, PixelFormat, Plane};
use domain::geometry::Rect;
use domain::ports::{FaceAnalyzer, Lane, Search};
use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};
use polyface_tests::{Report, models, photo};
use vision::{Analyzer, Options};

/// Sides of a scene, pixels.
const SCENE: (u32, u32) = (1280, 720);
/// Widths of the faces in the scenes, pixels, in turn.
const FACES: [f32; 4] = [100.0, 140.0, 180.0, 220.0];
/// Bins of the printed histograms.
const BINS: usize = 10;

/// What is held before the camera.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Show {
    /// The person: the photo as it is.
    Living,
    /// Paper: less contrast and colour, halftone, a white border, slightly out of focus.
    Print,
    /// A display: its own gamma and colour, the camera's grid over its own, glare, a dark bezel.
    Screen,
    /// The face cut out of a print, before somebody else's head and shoulders.
    Mask,
}

/// Shares of living faces that a threshold of the printed table rejects.
const REJECTED: [f32; 4] = [0.01, 0.02, 0.05, 0.1];

/// Measures the errors at the threshold of the manifest and the area below the ROC; adds rows and prints how the scores
/// are spread and what other thresholds would do.
pub(crate) async fn measure(report: &mut Report) {
    let analyzer = Analyzer::open(Options { liveness: true, ..Options::new(models()) }).expect("the models");
    let threshold = analyzer.live_from().expect("a threshold");
    let people = people(&analyzer).await;
    report.row("liveness: score demanded of a living face", f64::from(threshold), None, None);
    let living = scores(&analyzer, &people, Show::Living).await;
    for (show, name) in [
        (Show::Living, "liveness BPCER: living taken for pictures, %"),
        (Show::Print, "liveness APCER: simulated prints taken for living, %"),
        (Show::Screen, "liveness APCER: simulated screens taken for living, %"),
        (Show::Mask, "liveness APCER: simulated masks taken for living, %"),
    ] {
        let scores = if show == Show::Living { living.clone() } else { scores(&analyzer, &people, show).await };
        let accepted = accepted(&scores, threshold);
        let wrong = if show == Show::Living { 1.0 - accepted } else { accepted };
        report.row(name, 100.0 * wrong, None, None);
        if show != Show::Living {
            let name = format!("liveness: area below the ROC, living against simulated {}", plural(show));
            report.row(&name, area(&living, &scores), None, None);
            for rejected in REJECTED {
                let threshold = quantile(&living, rejected);
                println!(
                    "{show:?}: at {threshold:.4}, {:.1} % of the living rejected, {:.1} % of these accepted",
                    100.0 * (1.0 - self::accepted(&living, threshold)),
                    100.0 * self::accepted(&scores, threshold)
                );
            }
        }
        println!("{show:?}: {} scores, by tenths from 0 to 1: {:?}", scores.len(), histogram(&scores));
    }
}

fn plural(show: Show) -> &'static str {
    match show {
        Show::Living => "living",
        Show::Print => "prints",
        Show::Screen => "screens",
        Show::Mask => "masks",
    }
}

/// The share of scores from a threshold on.
fn accepted(scores: &[f32], threshold: f32) -> f64 {
    scores.iter().filter(|score| **score >= threshold).count() as f64 / scores.len() as f64
}

/// The threshold that rejects this share of the scores at most.
fn quantile(scores: &[f32], share: f32) -> f32 {
    let mut sorted = scores.to_vec();
    sorted.sort_by(f32::total_cmp);
    sorted[(share * sorted.len() as f32) as usize]
}

/// The chance that a living face has a higher score than an attack; equal scores count half.
fn area(living: &[f32], attacks: &[f32]) -> f64 {
    let beaten = |score: &f32| {
        let (below, equal) = attacks.iter().fold((0, 0), |(below, equal), attack| {
            (below + u32::from(attack < score), equal + u32::from(attack == score))
        });
        f64::from(below) + f64::from(equal) / 2.0
    };
    living.iter().map(beaten).sum::<f64>() / (living.len() * attacks.len()) as f64
}

/// A photo and the face in it.
struct Portrait {
    picture: RgbImage,
    face: Rect,
}

async fn people(analyzer: &Analyzer) -> Vec<Portrait> {
    let mut people = Vec::new();
    for file in files("") {
        let picture = read(&file);
        if let Some(face) = largest(analyzer, &picture).await {
            people.push(Portrait { picture, face });
        }
    }
    people
}

/// All portraits (`""`), or the group pictures (`"_groups"`), in the order of their names.
fn files(folder: &str) -> Vec<std::path::PathBuf> {
    let root = photo(folder);
    let list = |dir: &std::path::Path| -> Vec<_> {
        let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
        let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
        paths.sort();
        paths
    };
    if !folder.is_empty() {
        return list(&root);
    }
    let is_person = |dir: &std::path::PathBuf| dir.is_dir() && !dir.ends_with("_groups");
    list(&root).into_iter().filter(is_person).flat_map(|dir| list(&dir)).collect()
}

fn read(file: &std::path::Path) -> RgbImage {
    image::open(file).expect("a photo").to_rgb8()
}

async fn scores(analyzer: &Analyzer, people: &[Portrait], show: Show) -> Vec<f32> {
    let rooms: Vec<RgbImage> = files("_groups").iter().take(4).map(|file| room(file)).collect();
    let mut scores = Vec::new();
    for (index, person) in people.iter().enumerate() {
        let width = FACES[index % FACES.len()];
        let shown = shown(person, &people[(index + 1) % people.len()], width, show);
        let scene = centred(&rooms[index % rooms.len()], &shown);
        // Nobody is judged where no face is found.
        scores.extend(score(analyzer, &scene).await);
    }
    scores
}

/// An out-of-focus background.
fn room(file: &std::path::Path) -> RgbImage {
    let small = imageops::resize(&read(file), SCENE.0 / 8, SCENE.1 / 8, FilterType::Triangle);
    imageops::resize(&imageops::blur(&small, 2.0), SCENE.0, SCENE.1, FilterType::Triangle)
}

fn centred(room: &RgbImage, shown: &RgbImage) -> RgbImage {
    let mut scene = room.clone();
    let middle = |outer: u32, inner: u32| (i64::from(outer) - i64::from(inner)) / 2;
    imageops::overlay(&mut scene, shown, middle(SCENE.0, shown.width()), middle(SCENE.1, shown.height()));
    scene
}

fn shown(person: &Portrait, other: &Portrait, width: f32, show: Show) -> RgbImage {
    match show {
        Show::Living => scaled(person, width),
        Show::Print => bordered(&printed(&scaled(person, width)), 0.06, Rgb([222, 220, 210])),
        Show::Screen => bordered(&displayed(&scaled(person, width)), 0.05, Rgb([14, 14, 16])),
        Show::Mask => masked(person, other, width),
    }
}

/// The photo with its face so wide.
fn scaled(person: &Portrait, width: f32) -> RgbImage {
    let factor = width / person.face.width();
    let side = |side: u32| ((side as f32 * factor) as u32).max(1);
    imageops::resize(&person.picture, side(person.picture.width()), side(person.picture.height()), FilterType::Triangle)
}

fn printed(picture: &RgbImage) -> RgbImage {
    let tint = [1.02, 1.0, 0.93];
    let paper = with_pixels(picture, |x, y, rgb| {
        let grey = rgb.iter().sum::<f32>() / 3.0;
        let dots = 6.0 * (x * 2.1 + y * 0.9).sin() * (y * 2.1 - x * 0.9).sin();
        std::array::from_fn(|c| (40.0 + 0.68 * (grey + 0.75 * (rgb[c] - grey))) * tint[c] + dots)
    });
    imageops::blur(&paper, 0.8)
}

fn displayed(picture: &RgbImage) -> RgbImage {
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    let tint = [0.95, 1.0, 1.1];
    let lit = with_pixels(picture, |x, y, rgb| {
        let glare = 64.0 * (-((x / width - 0.75).powi(2) + (y / height - 0.2).powi(2)) / 0.02).exp();
        std::array::from_fn(|c| {
            let grid = 1.0 + 0.06 * (x * (2.9 + 0.1 * c as f32)).sin() + 0.05 * (y * 2.9).sin();
            ((rgb[c] / 255.0).powf(0.85) * tint[c] * 230.0 + 13.0) * grid + glare
        })
    });
    imageops::blur(&lit, 0.5)
}

/// The printed face, an ellipse, over the other's face.
fn masked(person: &Portrait, other: &Portrait, width: f32) -> RgbImage {
    let mut wearer = scaled(other, width);
    let paper = printed(&scaled(person, width * 1.05));
    let at = |portrait: &Portrait, width: f32| {
        let factor = width / portrait.face.width();
        let centre = portrait.face.center();
        (centre.x * factor, centre.y * factor)
    };
    let ((from_x, from_y), (to_x, to_y)) = (at(person, width * 1.05), at(other, width));
    let (rx, ry) = (width * 0.55, width * 0.72);
    for (x, y, pixel) in wearer.enumerate_pixels_mut() {
        let (dx, dy) = (x as f32 - to_x, y as f32 - to_y);
        let (px, py) = (from_x + dx, from_y + dy);
        if (dx / rx).powi(2) + (dy / ry).powi(2) <= 1.0 && px >= 0.0 && py >= 0.0 {
            *pixel = paper.get_pixel_checked(px as u32, py as u32).copied().unwrap_or(*pixel);
        }
    }
    wearer
}

fn with_pixels(picture: &RgbImage, shade: impl Fn(f32, f32, [f32; 3]) -> [f32; 3]) -> RgbImage {
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let shaded = shade(x as f32, y as f32, picture.get_pixel(x, y).0.map(f32::from));
        Rgb(shaded.map(|value| value.clamp(0.0, 255.0) as u8))
    })
}

fn bordered(picture: &RgbImage, share: f32, colour: Rgb<u8>) -> RgbImage {
    let border = (picture.width() as f32 * share) as u32 + 2;
    let mut all = RgbImage::from_pixel(picture.width() + 2 * border, picture.height() + 2 * border, colour);
    imageops::overlay(&mut all, picture, i64::from(border), i64::from(border));
    all
}

fn frame(picture: &RgbImage) -> Frame {
    let (width, height) = picture.dimensions();
    let plane = Plane { data: Bytes::from(picture.as_raw().clone()), stride: width as usize * 3 };
    Frame::new(Timestamp::from_millis(0), width, height, PixelFormat::Rgb8, vec![plane]).expect("a frame")
}

async fn largest(analyzer: &Analyzer, picture: &RgbImage) -> Option<Rect> {
    let found = analyzer.detect(frame(picture), Search::ANYWHERE, Lane::Photo).await.expect("a search");
    found.first().map(|detection| detection.face_box)
}

async fn score(analyzer: &Analyzer, scene: &RgbImage) -> Option<f32> {
    let frame = frame(scene);
    let mut found = analyzer.detect(frame.clone(), Search::ANYWHERE, Lane::Photo).await.expect("a search");
    found.truncate(1);
    analyzer.describe(frame, found, Lane::Photo).await.expect("a description").pop()?.liveness
}

fn histogram(scores: &[f32]) -> [usize; BINS] {
    let mut bins = [0; BINS];
    scores.iter().for_each(|score| bins[((score * BINS as f32) as usize).min(BINS - 1)] += 1);
    bins
}
