//! Poor looks made from good photographs: small, blurred, dark, noisy and coarsely coded.

use domain::Timestamp;
use domain::frame::{Frame, PixelFormat, Plane};
use domain::geometry::Rect;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};
use rand::RngExt;
use rand::rngs::SmallRng;

/// Side of the part of a photo that is shown, face widths.
const SHOWN: f32 = 3.0;
/// Side of the picture, face widths: the surroundings are one colour.
const PICTURE: f32 = 4.0;

/// What is between a face and the picture of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Condition {
    pub(crate) name: &'static str,
    /// Width of the face, pixels.
    pub(crate) face: f32,
    /// Length of the motion blur, pixels.
    pub(crate) smear: f32,
    /// Deviation of the defocus, pixels.
    pub(crate) defocus: f32,
    /// 1 is daylight.
    pub(crate) light: f32,
    /// Deviation of the sensor's noise, grey levels.
    pub(crate) noise: f32,
    /// JPEG quality; `None`: not coded.
    pub(crate) jpeg: Option<u8>,
    /// Whether a person should be recognised: a stranger in such a look is to be called one.
    pub(crate) good: bool,
}

impl Condition {
    pub(crate) const fn new(name: &'static str, face: f32, good: bool) -> Self {
        Self { name, face, smear: 0.0, defocus: 0.0, light: 1.0, noise: 1.5, jpeg: None, good }
    }

    pub(crate) const fn smeared(name: &'static str, face: f32, smear: f32, good: bool) -> Self {
        Self { smear, ..Self::new(name, face, good) }
    }

    pub(crate) const fn dim(name: &'static str, face: f32, light: f32, noise: f32) -> Self {
        Self { light, noise, ..Self::new(name, face, false) }
    }
}

/// All conditions.
pub(crate) const ALL: [Condition; 19] = [
    Condition::new("60 px", 60.0, true),
    Condition::new("40 px", 40.0, true),
    Condition::new("32 px", 32.0, true),
    Condition::new("24 px", 24.0, false),
    Condition::new("20 px", 20.0, false),
    Condition::smeared("60 px, blur 3", 60.0, 3.0, true),
    Condition::smeared("60 px, blur 5", 60.0, 5.0, true),
    Condition::smeared("60 px, blur 8", 60.0, 8.0, false),
    Condition::smeared("60 px, blur 12", 60.0, 12.0, false),
    Condition::smeared("120 px, blur 9", 120.0, 9.0, true),
    Condition::smeared("120 px, blur 13", 120.0, 13.0, false),
    Condition::smeared("120 px, blur 17", 120.0, 17.0, false),
    Condition::smeared("120 px, blur 25", 120.0, 25.0, false),
    Condition { defocus: 2.0, ..Condition::new("60 px, defocus 2", 60.0, false) },
    Condition::dim("60 px, dim", 60.0, 0.22, 4.0),
    Condition::dim("40 px, dim", 40.0, 0.22, 4.0),
    Condition::dim("60 px, very dim", 60.0, 0.1, 5.0),
    Condition { jpeg: Some(30), ..Condition::new("60 px, JPEG 30", 60.0, true) },
    Condition { jpeg: Some(30), ..Condition::new("40 px, JPEG 30", 40.0, false) },
];

/// A picture of the face in this condition, about in its middle.
pub(crate) fn degraded(photo: &RgbImage, face: Rect, by: &Condition, random: &mut SmallRng) -> RgbImage {
    let width = by.face * random.random_range(0.92..1.08);
    let mut look = Samples::of(&surrounded(&scaled(photo, face, width), (width * PICTURE) as u32));
    if by.smear > 1.0 {
        look = look.smeared(by.smear, random.random_range(-0.5..0.5));
    }
    if by.defocus > 0.0 {
        look = Samples::of(&imageops::blur(&look.picture(), by.defocus));
    }
    look.light(by.light, by.noise, random);
    by.jpeg.map_or_else(|| look.picture(), |quality| coded(&look.picture(), quality))
}

/// The picture as a camera's frame.
pub(crate) fn frame(picture: &RgbImage) -> Frame {
    let (width, height) = picture.dimensions();
    let plane = Plane { data: picture.as_raw().clone().into(), stride: width as usize * 3 };
    Frame::new(Timestamp::from_millis(0), width, height, PixelFormat::Rgb8, vec![plane]).unwrap()
}

/// The face with some surroundings, so that it has this width; the photo's edges are continued.
fn scaled(photo: &RgbImage, face: Rect, width: f32) -> RgbImage {
    let side = face.width() * SHOWN;
    let (left, top) = (face.center().x - side / 2.0, face.center().y - side / 2.0);
    let within = |at: f32, side: u32| (at.max(0.0) as u32).min(side - 1);
    let cut = RgbImage::from_fn(side as u32, side as u32, |x, y| {
        *photo.get_pixel(within(left + x as f32, photo.width()), within(top + y as f32, photo.height()))
    });
    let side = (width * SHOWN) as u32;
    imageops::resize(&cut, side, side, if cut.width() > side { FilterType::Triangle } else { FilterType::CatmullRom })
}

fn surrounded(picture: &RgbImage, side: u32) -> RgbImage {
    let edge = picture.width() - 1;
    let corners = [(0, 0), (edge, 0), (0, edge), (edge, edge)].map(|(x, y)| picture.get_pixel(x, y).0);
    let mean = |channel: usize| (corners.iter().map(|corner| u32::from(corner[channel])).sum::<u32>() / 4) as u8;
    let mut whole = RgbImage::from_pixel(side, side, Rgb([mean(0), mean(1), mean(2)]));
    let place = i64::from((side - picture.width()) / 2);
    imageops::overlay(&mut whole, picture, place, place);
    whole
}

fn coded(picture: &RgbImage, quality: u8) -> RgbImage {
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, quality).encode_image(picture).unwrap();
    image::load_from_memory(&file).unwrap().to_rgb8()
}

/// A picture that has not been rounded yet.
struct Samples {
    side: usize,
    rgb: Vec<f32>,
}

impl Samples {
    fn of(picture: &RgbImage) -> Self {
        Self { side: picture.width() as usize, rgb: picture.as_raw().iter().copied().map(f32::from).collect() }
    }

    fn picture(&self) -> RgbImage {
        let bytes = self.rgb.iter().map(|sample| sample.round().clamp(0.0, 255.0) as u8).collect();
        RgbImage::from_raw(self.side as u32, self.side as u32, bytes).unwrap()
    }

    /// The mean along a line of this length, in this direction (radians from horizontal).
    fn smeared(&self, length: f32, angle: f32) -> Self {
        let steps = length.ceil() as usize;
        let mut rgb = vec![0.0; self.rgb.len()];
        for step in 0..=steps {
            let along = length * (step as f32 / steps as f32 - 0.5);
            self.add_shifted(&mut rgb, along * angle.cos(), along * angle.sin());
        }
        rgb.iter_mut().for_each(|sample| *sample /= (steps + 1) as f32);
        Self { side: self.side, rgb }
    }

    fn add_shifted(&self, sum: &mut [f32], dx: f32, dy: f32) {
        let (left, top) = (dx.floor(), dy.floor());
        let (fx, fy) = (dx - left, dy - top);
        let row = self.side as i64;
        let at = |x: i64, y: i64| (y.clamp(0, row - 1) * row + x.clamp(0, row - 1)) as usize * 3;
        for y in 0..row {
            for x in 0..row {
                let (x0, y0) = (x + left as i64, y + top as i64);
                let corners = [at(x0, y0), at(x0 + 1, y0), at(x0, y0 + 1), at(x0 + 1, y0 + 1)];
                let shares = [(1.0 - fx) * (1.0 - fy), fx * (1.0 - fy), (1.0 - fx) * fy, fx * fy];
                for channel in 0..3 {
                    let value = corners.iter().zip(shares).map(|(corner, share)| share * self.rgb[corner + channel]);
                    sum[at(x, y) + channel] += value.sum::<f32>();
                }
            }
        }
    }

    /// Darkens the picture and adds the sensor's noise, most of which is the same in all channels.
    fn light(&mut self, light: f32, noise: f32, random: &mut SmallRng) {
        for pixel in self.rgb.chunks_exact_mut(3) {
            let grey = normal(random);
            pixel.iter_mut().for_each(|sample| *sample = *sample * light + noise * (0.8 * grey + 0.6 * normal(random)));
        }
    }
}

/// Nearly normally distributed.
fn normal(random: &mut SmallRng) -> f32 {
    (0..12).map(|_| random.random_range(0.0..1.0f32)).sum::<f32>() - 6.0
}
