//! Positions in a frame: in the square pixels in which it is displayed, and in its samples.

use domain::frame::Frame;
use domain::geometry::Rect;

/// A box of whole pixels inside a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PixelBox {
    pub(crate) left: usize,
    pub(crate) top: usize,
    pub(crate) width: usize,
    pub(crate) height: usize,
}

impl PixelBox {
    /// The pixels within the frame that `area` touches; `None` when there are none.
    pub(crate) fn covering(area: &Rect, frame: &Frame) -> Option<Self> {
        if [area.left, area.top, area.right, area.bottom].iter().any(|edge| edge.is_nan()) {
            return None;
        }
        let area = area.clamped_to(&frame.bounds());
        let (left, top) = (area.left.floor() as usize, area.top.floor() as usize);
        let width = (area.right.ceil() as usize).saturating_sub(left);
        let height = (area.bottom.ceil() as usize).saturating_sub(top);
        (width > 0 && height > 0 && area.area() > 0.0).then_some(Self { left, top, width, height })
    }

    pub(crate) fn whole(frame: &Frame) -> Self {
        Self { left: 0, top: 0, width: frame.width() as usize, height: frame.height() as usize }
    }

    /// The box widened to whole chroma samples (2×2 pixels) in a frame of this size; a last odd row or column is
    /// dropped.
    pub(crate) fn on_chroma(&self, (width, height): (u32, u32)) -> Self {
        let spread = |start: usize, length: usize, limit: usize| {
            let first = start & !1;
            (first, (start + length).next_multiple_of(2).min(limit & !1).saturating_sub(first))
        };
        let (left, width) = spread(self.left, self.width, width as usize);
        let (top, height) = spread(self.top, self.height, height as usize);
        Self { left, top, width, height }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.width == 0 || self.height == 0
    }

    /// The same position in a plane of half the resolution; a last odd row or column has a sample there too.
    pub(crate) fn on_half(&self) -> Self {
        let (width, height) = (self.width.div_ceil(2), self.height.div_ceil(2));
        Self { left: self.left / 2, top: self.top / 2, width, height }
    }
}

/// Number of pixels that a sample of the frame covers, across and down.
pub(crate) fn pixels_of_a_sample(frame: &Frame) -> (f64, f64) {
    let (across, down) = frame.samples();
    (f64::from(frame.width()) / f64::from(across), f64::from(frame.height()) / f64::from(down))
}

/// The samples under a box of pixels: the box itself for square pixels, otherwise rounded to whole chroma samples.
pub(crate) fn samples_under(area: &PixelBox, frame: &Frame) -> PixelBox {
    if frame.is_square() {
        return *area;
    }
    let (across, down) = pixels_of_a_sample(frame);
    let (columns, rows) = frame.samples();
    let (left, width) = along(area.left, area.width, across, columns as usize);
    let (top, height) = along(area.top, area.height, down, rows as usize);
    PixelBox { left, top, width, height }
}

/// First sample and number of samples, at least one.
fn along(start: usize, length: usize, pixels: f64, samples: usize) -> (usize, usize) {
    let nearest = |pixel: usize| (pixel as f64 / pixels / 2.0).round() as usize * 2;
    let first = nearest(start).min((samples - 1) & !1);
    (first, nearest(start + length).clamp(first + 1, samples) - first)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use domain::Timestamp;
    use domain::frame::{PixelFormat, Plane};

    use super::*;

    fn frame(samples: (u32, u32), shown: (u32, u32)) -> Frame {
        let stride = samples.0 as usize * 3;
        let plane = Plane { data: Bytes::from(vec![0; stride * samples.1 as usize]), stride };
        let frame =
            Frame::new(Timestamp::from_millis(0), samples.0, samples.1, PixelFormat::Rgb8, vec![plane]).unwrap();
        frame.shown_over(shown.0, shown.1)
    }

    #[test]
    fn all_pixels_lie_over_all_samples() {
        for samples in [(320, 480), (704, 288), (1, 1), (3, 5), (351, 577)] {
            for shown in [(640, 480), (768, 576), (4, 1), (1, 4), (320, 480)] {
                let frame = frame(samples, shown);
                let all = samples_under(&PixelBox::whole(&frame), &frame);
                assert_eq!((all.left, all.top), (0, 0));
                let missing = (samples.0 - all.width as u32, samples.1 - all.height as u32);
                assert!(missing.0 <= 1 && missing.1 <= 1, "{samples:?} {shown:?}: {all:?}");
            }
        }
    }

    #[test]
    fn a_part_lies_over_its_samples_and_always_over_one() {
        let wide = frame((320, 480), (640, 480));
        let part = PixelBox { left: 100, top: 30, width: 200, height: 61 };
        assert_eq!(samples_under(&part, &wide), PixelBox { left: 50, top: 30, width: 100, height: 62 });
        for left in 0..640 {
            let one = samples_under(&PixelBox { left, top: 479, width: 1, height: 1 }, &wide);
            assert!(one.width >= 1 && one.left + one.width <= 320 && one.top + one.height <= 480, "{one:?}");
        }
    }
}
