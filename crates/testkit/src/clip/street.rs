//! Clips of heads that walk through the picture, composed frame by frame: size, path, light, blur and occlusion are
//! configurable, and the position of each face at any time is known.

use std::io;
use std::path::Path;
use std::sync::Arc;

use domain::geometry::Rect;
use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};

use super::{Film, Passage, Shape, at, encode_frames};

/// Size of a head relative to its face.
const HEAD_FACES: f32 = 2.0;
/// Part of the head's radius over which it fades into the background.
const FEATHER: f32 = 0.15;
/// Number of moments that are averaged in an exposure.
const EXPOSURES: i32 = 5;
/// Steps per second, and vertical movement of a face with each, in face widths.
const GAIT: (f64, f32) = (1.8, 0.05);

/// A head cut out of a photo.
#[derive(Debug, Clone)]
pub struct Head {
    picture: Arc<RgbImage>,
    /// Width of the face in the picture, pixels.
    face: f32,
}

impl Head {
    /// Cuts out the head around a face of the photo.
    pub fn cut(photo: &RgbImage, face: Rect) -> Self {
        let side = face.width().max(face.height()) * HEAD_FACES;
        let (left, top) = (face.center().x - side / 2.0, face.center().y - side / 2.0);
        let pixel = |x: u32, y: u32| {
            let inside = |value: f32, limit: u32| value.clamp(0.0, limit as f32 - 1.0) as u32;
            *photo.get_pixel(inside(left + x as f32, photo.width()), inside(top + y as f32, photo.height()))
        };
        let picture = RgbImage::from_fn(side.max(1.0) as u32, side.max(1.0) as u32, pixel);
        Self { picture: Arc::new(picture), face: face.width() }
    }

    /// The same head with a scarf over the lower part of the face: `part` of its height, 0..=1.
    #[must_use]
    pub fn with_scarf(&self, part: f32) -> Self {
        let mut picture = RgbImage::clone(&self.picture);
        let (side, face) = (picture.height() as f32, picture.height() as f32 / HEAD_FACES);
        let from = (side / 2.0 + face * (0.5 - part)) as u32;
        for y in from..picture.height() {
            for x in 0..picture.width() {
                let fold = (x + y) % 9 * 3;
                picture.put_pixel(x, y, Rgb([70 + fold as u8, 60, 90]));
            }
        }
        Self { picture: Arc::new(picture), face: self.face }
    }

    /// The head in a size close to the displayed one: strong scaling in one step would flicker.
    fn near(&self, face: f32) -> Self {
        let scale = face / self.face;
        if scale >= 0.75 {
            return self.clone();
        }
        let side = ((self.picture.width() as f32 * scale).round() as u32).max(8);
        let picture = imageops::resize(&*self.picture, side, side, FilterType::Triangle);
        Self { face: self.face * side as f32 / self.picture.width() as f32, picture: Arc::new(picture) }
    }
}

/// Position and size of a face.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spot {
    /// Centre, pixels from the left.
    pub x: f32,
    /// Centre, pixels from the top.
    pub y: f32,
    /// Width, pixels.
    pub face: f32,
}

/// Path of a head through the picture, at constant speed.
#[derive(Debug, Clone)]
pub struct Walk {
    /// Name of the person.
    pub who: String,
    /// The head.
    pub head: Head,
    /// Start, seconds from the start of the clip.
    pub from: f64,
    /// End, seconds from the start of the clip.
    pub to: f64,
    /// First position.
    pub start: Spot,
    /// Last position.
    pub end: Spot,
}

impl Walk {
    /// Position of the face at this many seconds from the start of the clip; `None` outside the walk.
    pub fn spot(&self, seconds: f64) -> Option<Spot> {
        let part = ((seconds - self.from) / (self.to - self.from)) as f32;
        if !(0.0..1.0).contains(&part) {
            return None;
        }
        let between = |a: f32, b: f32| a + (b - a) * part;
        let face = between(self.start.face, self.end.face);
        let step = ((seconds - self.from) * GAIT.0 * std::f64::consts::TAU).sin() as f32;
        let y = between(self.start.y, self.end.y) + step * GAIT.1 * face;
        Some(Spot { x: between(self.start.x, self.end.x), y, face })
    }
}

/// Conditions of the camera.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    /// 1 is daylight, 0 is dark.
    pub light: f32,
    /// Standard deviation of the sensor noise, 0..=255.
    pub noise: f32,
    /// Motion blur of a face, in face widths, at any speed.
    pub smear: f32,
    /// A pillar in the foreground: left and right edge, pixels.
    pub pillar: Option<(f32, f32)>,
}

impl Default for View {
    fn default() -> Self {
        Self { light: 1.0, noise: 1.5, smear: 0.0, pillar: None }
    }
}

/// A clip of people who walk past the camera.
#[derive(Debug, Clone)]
pub struct Street {
    /// Size, frame rate and codec.
    pub shape: Shape,
    /// Conditions of the camera.
    pub view: View,
    /// The walks, in any order.
    pub walks: Vec<Walk>,
}

impl Street {
    /// Renders the clip; replaces an existing file. The picture is empty for `tail` seconds at the end.
    ///
    /// # Errors
    /// When ffmpeg is missing or fails.
    pub fn render(&self, file: &Path, tail: f64) -> io::Result<Film> {
        let length = self.walks.iter().map(|walk| walk.to).fold(0.0, f64::max) + tail;
        let near = |walk: &Walk| Walk { head: walk.head.near(walk.start.face.max(walk.end.face)), ..walk.clone() };
        let mut walks: Vec<Walk> = self.walks.iter().map(near).collect();
        // Nearer people hide those farther away.
        walks.sort_by(|a, b| a.end.face.total_cmp(&b.end.face));
        let background = self.background();
        let frames = (length * f64::from(self.shape.fps)) as u32;
        encode_frames(self.shape, file, |pipe| {
            let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
            for frame in 0..frames {
                let seconds = f64::from(frame) / f64::from(self.shape.fps);
                pipe.write_all(self.frame(&background, &walks, seconds, &mut noise).as_raw())?;
            }
            Ok(())
        })?;
        let passage = |walk: &Walk| Passage { who: walk.who.clone(), from: at(walk.from), to: at(walk.to) };
        let passages = self.walks.iter().map(passage).collect();
        Ok(Film { file: file.to_owned(), length: at(length), passages })
    }

    /// A wall, lighter towards the top.
    fn background(&self) -> RgbImage {
        let shade = |y: u32| (120.0 - 50.0 * y as f32 / self.shape.height as f32) as u8;
        RgbImage::from_fn(self.shape.width, self.shape.height, |x, y| {
            let tile = if (x / 64 + y / 64) % 2 == 0 { 6 } else { 0 };
            Rgb([shade(y) + tile, shade(y) + tile + 4, shade(y) + tile + 8])
        })
    }

    fn frame(&self, background: &RgbImage, walks: &[Walk], seconds: f64, noise: &mut Noise) -> RgbImage {
        let mut canvas = background.clone();
        for walk in walks {
            if let Some(spot) = walk.spot(seconds) {
                draw(&mut canvas, &walk.head, spot, self.view.smear * spot.face);
            }
        }
        if let Some((left, right)) = self.view.pillar {
            for x in left.max(0.0) as u32..(right.max(0.0) as u32).min(canvas.width()) {
                (0..canvas.height()).for_each(|y| canvas.put_pixel(x, y, Rgb([60, 52, 45])));
            }
        }
        for sample in canvas.iter_mut() {
            *sample = (f32::from(*sample) * self.view.light + self.view.noise * noise.next()).clamp(0.0, 255.0) as u8;
        }
        canvas
    }
}

/// Draws a head, blurred horizontally over this many pixels.
fn draw(canvas: &mut RgbImage, head: &Head, spot: Spot, smear: f32) {
    let scale = head.face / spot.face;
    let radius = head.picture.width() as f32 / scale / 2.0;
    let bound = |value: f32, limit: u32| value.clamp(0.0, limit as f32) as u32;
    let (left, right) = (spot.x - radius - smear, spot.x + radius + smear);
    for y in bound(spot.y - radius, canvas.height())..bound(spot.y + radius, canvas.height()) {
        for x in bound(left, canvas.width())..bound(right, canvas.width()) {
            let (dx, dy) = (x as f32 - spot.x, y as f32 - spot.y);
            let (colour, cover) = exposed(head, (dx, dy), radius, smear);
            let pixel = canvas.get_pixel_mut(x, y);
            for channel in 0..3 {
                let behind = f32::from(pixel[channel]);
                pixel[channel] = (colour[channel] + behind * (1.0 - cover)) as u8;
            }
        }
    }
}

/// Colour and coverage of the head at a point during the exposure.
fn exposed(head: &Head, (dx, dy): (f32, f32), radius: f32, smear: f32) -> ([f32; 3], f32) {
    let moments = if smear > 0.0 { EXPOSURES } else { 1 };
    let (mut colour, mut cover) = ([0.0; 3], 0.0);
    for moment in 0..moments {
        let shift = smear * (moment as f32 / (moments.max(2) - 1) as f32 - 0.5) * f32::from(u8::from(moments > 1));
        let (u, v) = ((dx - shift) / radius, dy / radius);
        let alpha = ((1.0 - u.hypot(v)) / FEATHER).clamp(0.0, 1.0) / moments as f32;
        if alpha > 0.0 {
            let sample = sampled(&head.picture, u, v);
            (0..3).for_each(|channel| colour[channel] += sample[channel] * alpha);
            cover += alpha;
        }
    }
    (colour, cover)
}

/// The bilinearly interpolated picture at a point, -1..=1 from its centre.
fn sampled(picture: &RgbImage, u: f32, v: f32) -> [f32; 3] {
    let last = picture.width() as f32 - 1.001;
    let (x, y) = (((u + 1.0) / 2.0 * last).clamp(0.0, last), ((v + 1.0) / 2.0 * last).clamp(0.0, last));
    let (left, top, across, down) = (x as u32, y as u32, x.fract(), y.fract());
    let pixel = |x, y| picture.get_pixel(x, y);
    let corners = [pixel(left, top), pixel(left + 1, top), pixel(left, top + 1), pixel(left + 1, top + 1)];
    let weights = [(1.0 - across) * (1.0 - down), across * (1.0 - down), (1.0 - across) * down, across * down];
    std::array::from_fn(|channel| (0..4).map(|i| f32::from(corners[i][channel]) * weights[i]).sum())
}

/// Deterministic, roughly normal noise with deviation 1.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let bytes = self.0.to_le_bytes();
        let sum: u32 = bytes[..4].iter().map(|byte| u32::from(*byte)).sum();
        // Four uniform bytes have a mean of 510 and a deviation of 147.8.
        (sum as f32 - 510.0) / 147.8
    }
}
