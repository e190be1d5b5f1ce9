//! The films that people walk through: sizes, light, blur, cover, groups and crossings.

use std::path::{Path, PathBuf};

use image::RgbImage;
use polyface_tests::{Actor, cast};
use testkit::clip::{Codec, Film, Head, Shape, Spot, Street, View, Walk};

use crate::faces::{PhotoFace, pixels};

/// A camera of 720 lines; ten frames a second are enough, as a device looks at five.
const SHAPE: Shape = Shape { width: 1280, height: 720, fps: 10, codec: Codec::H264 };
const WIDTH: f32 = SHAPE.width as f32;
const HEIGHT: f32 = SHAPE.height as f32;
/// Face widths of people who come nearer, pixels.
const SIZES: [u16; 6] = [40, 60, 90, 130, 200, 300];
/// One passage, seconds.
const PASSAGE: f64 = 3.2;
/// Nobody is to be seen so long between passages, seconds: a track is given up after one.
const GAP: f64 = 1.8;
/// The smallest face that cameras look for unless they are set otherwise, and where people are farther away, pixels.
const USUAL_MIN_FACE: u32 = 60;
const FAR_MIN_FACE: u32 = 30;
/// The middle size, of which the conditions are tried.
const MIDDLE: f32 = 130.0;
/// Strangers of the group pictures have faces at least so wide, pixels.
const CLEAR_STRANGER: f32 = 55.0;
/// Strangers in every film.
const STRANGERS: usize = 6;

/// A film and what it tries.
pub(crate) struct Scene {
    pub(crate) name: String,
    pub(crate) street: Street,
    /// Budgets hold for what the device is made for; the rest is told.
    pub(crate) promised: bool,
    /// The smallest face the camera is set to look for, pixels.
    pub(crate) min_face_px: u32,
    pub(crate) file: PathBuf,
    pub(crate) film: Option<Film>,
}

impl Scene {
    /// Where the device finds the film.
    pub(crate) fn url(&self) -> String {
        format!("file://{}", self.file.display())
    }
}

/// Somebody who can be seen in a film.
#[derive(Clone)]
struct Player {
    who: String,
    head: Head,
}

/// The people enrolled, with their photos.
pub(crate) fn enrolled() -> Vec<Actor> {
    cast()
}

/// The films whose names contain this, not rendered yet.
pub(crate) fn named(part: &str, faces: &[PhotoFace], folder: &Path) -> Vec<Scene> {
    all(faces, folder).into_iter().filter(|scene| scene.name.contains(part)).collect()
}

/// All films.
fn all(faces: &[PhotoFace], folder: &Path) -> Vec<Scene> {
    let players = players(faces);
    let mut scenes = Vec::new();
    let mut add = |name: String, promised: bool, view: View, walks: Vec<Walk>| {
        let file = folder.join(format!("{}.mp4", scenes.len()));
        let street = Street { shape: SHAPE, view, walks };
        let smallest = street.walks.iter().map(|walk| walk.start.face.min(walk.end.face)).fold(f32::MAX, f32::min);
        let min_face_px = if smallest < USUAL_MIN_FACE as f32 { FAR_MIN_FACE } else { USUAL_MIN_FACE };
        scenes.push(Scene { name, street, promised, min_face_px, file, film: None });
    };
    for size in SIZES {
        add(format!("faces of {size} px"), size >= 60, View::default(), coming(&players, f32::from(size)));
    }
    let scarves: Vec<_> = players.iter().map(|p| Player { head: p.head.with_scarf(0.3), ..p.clone() }).collect();
    let pillar = View { pillar: Some((WIDTH * 0.45, WIDTH * 0.45 + MIDDLE * 1.5)), ..View::default() };
    add("motion blur".into(), true, View { smear: 0.12, ..View::default() }, coming(&players, MIDDLE));
    add("dim light".into(), true, View { light: 0.22, noise: 4.0, ..View::default() }, coming(&players, MIDDLE));
    add("scarf over the chin and mouth".into(), false, View::default(), coming(&scarves, MIDDLE));
    add("pillar in the way".into(), true, pillar, across(&players));
    add("two to six at once".into(), true, View::default(), together(&players));
    add("two who cross".into(), true, View::default(), crossing(&players));
    scenes
}

/// The enrolled people, seen in another photo than the enrolled one, and strangers, in turn.
fn players(faces: &[PhotoFace]) -> Vec<Player> {
    let known = cast();
    let strangers = faces.iter().filter(|face| {
        let shown_twice = faces.iter().filter(|other| other.who == face.who).count() > 1;
        !shown_twice && face.face_box.width() >= CLEAR_STRANGER
    });
    let player = |who: &str, face: &PhotoFace| Player { who: who.to_owned(), head: head(face) };
    let strangers: Vec<_> = strangers.take(STRANGERS).map(|face| player("", face)).collect();
    let seen = known.iter().map(|actor| {
        let face = faces.iter().find(|face| face.photo == actor.seen).unwrap();
        player(actor.name, face)
    });
    seen.zip(strangers).flat_map(|(known, stranger)| [known, stranger]).collect()
}

fn head(face: &PhotoFace) -> Head {
    let photo: RgbImage = pixels(&face.photo);
    Head::cut(&photo, face.face_box)
}

/// One after the other, a little across and towards the camera.
fn coming(players: &[Player], face: f32) -> Vec<Walk> {
    let start = Spot { x: WIDTH * 0.38, y: HEIGHT * 0.42, face: face * 0.8 };
    let end = Spot { x: WIDTH * 0.62, y: HEIGHT * 0.50, face: face * 1.2 };
    one_by_one(players, start, end)
}

/// One after the other, across the picture.
fn across(players: &[Player]) -> Vec<Walk> {
    let start = Spot { x: WIDTH * 0.22, y: HEIGHT * 0.45, face: MIDDLE };
    one_by_one(players, start, Spot { x: WIDTH * 0.80, ..start })
}

fn one_by_one(players: &[Player], start: Spot, end: Spot) -> Vec<Walk> {
    let times = (0..).map(|index| 1.0 + f64::from(index) * (PASSAGE + GAP));
    players.iter().zip(times).map(|(player, from)| walk(player, from, start, end)).collect()
}

/// Groups of two to six, side by side.
fn together(players: &[Player]) -> Vec<Walk> {
    let mut walks = Vec::new();
    let mut from = 1.0;
    for (turn, group) in (2..=6_u8).enumerate() {
        for place in 0..group {
            let player = &players[(turn * 5 + usize::from(place)) % players.len()];
            let x = WIDTH * (f32::from(place) + 0.5) / f32::from(group);
            let y = HEIGHT * if place % 2 == 0 { 0.4 } else { 0.55 };
            let start = Spot { x: x - 20.0, y, face: 85.0 };
            walks.push(walk(player, from, start, Spot { x: x + 20.0, y, face: 110.0 }));
        }
        from += PASSAGE + 2.0 * GAP;
    }
    walks
}

/// Pairs that pass each other, one before the other.
fn crossing(players: &[Player]) -> Vec<Walk> {
    let mut walks = Vec::new();
    let mut from = 1.0;
    for pair in players.chunks_exact(2).chain(players[1..].chunks_exact(2)) {
        let near = Spot { x: WIDTH * 0.2, y: HEIGHT * 0.48, face: 125.0 };
        let far = Spot { x: WIDTH * 0.8, y: HEIGHT * 0.44, face: 105.0 };
        walks.push(walk(&pair[0], from, near, Spot { x: far.x, ..near }));
        walks.push(walk(&pair[1], from, far, Spot { x: near.x, ..far }));
        from += PASSAGE + 2.0 * GAP;
    }
    walks
}

fn walk(player: &Player, from: f64, start: Spot, end: Spot) -> Walk {
    Walk { who: player.who.clone(), head: player.head.clone(), from, to: from + PASSAGE, start, end }
}
