//! Placement of a part of a frame in the detector's input.

use domain::geometry::{Point, Rect};

use crate::manifest::Input;
use crate::pixel_box::PixelBox;

/// A part of a frame scaled to `content` and placed at `offset` in a black picture of size `canvas`; all in pixels of
/// the network's input.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct View {
    pub(crate) content: (usize, usize),
    pub(crate) offset: (usize, usize),
    pub(crate) canvas: (usize, usize),
    /// The part, in pixels of the frame.
    pub(crate) area: PixelBox,
}

impl View {
    /// The part with its aspect preserved, never enlarged, with a longer side of at most `side`. `border` is the width
    /// of the black border relative to the longer side: a face that fills the picture is only detected with some room
    /// around it.
    pub(crate) fn fitted(area: PixelBox, side: u32, multiple: u32, border: f32) -> Self {
        let (width, height) = (area.width as f32, area.height as f32);
        let margin = width.max(height) * border;
        let scale = (side as f32 / (width.max(height) + 2.0 * margin)).min(1.0);
        let content = (even(width * scale), even(height * scale));
        let offset = (margin * scale) as usize;
        let padded = |side: usize| (side + 2 * offset).next_multiple_of(multiple as usize);
        Self { content, offset: (offset, offset), canvas: (padded(content.0), padded(content.1)), area }
    }

    /// The part stretched over a canvas of a given size, except for the border.
    pub(crate) fn stretched(area: PixelBox, canvas: (u32, u32), border: f32) -> Self {
        let canvas = (canvas.0 as usize, canvas.1 as usize);
        let part = |side: usize| even(side as f32 / (1.0 + 2.0 * border)).min(side);
        let content = (part(canvas.0), part(canvas.1));
        let offset = ((canvas.0 - content.0) / 2, (canvas.1 - content.1) / 2);
        Self { content, offset, canvas, area }
    }

    /// The part as this input takes it: [fitted](Self::fitted) where any size is accepted, else
    /// [stretched](Self::stretched).
    pub(crate) fn of(input: &Input, area: PixelBox, side: u32, border: f32) -> Self {
        if input.is_free() {
            return Self::fitted(area, side, input.multiple_of, border);
        }
        Self::stretched(area, (input.width, input.height), border)
    }

    /// Converts a point of the network's input to pixels of the frame.
    pub(crate) fn point(&self, point: Point) -> Point {
        let PixelBox { left, top, width, height } = self.area;
        Point {
            x: left as f32 + (point.x - self.offset.0 as f32) * width as f32 / self.content.0 as f32,
            y: top as f32 + (point.y - self.offset.1 as f32) * height as f32 / self.content.1 as f32,
        }
    }

    /// Converts a box of the network's input to pixels of the frame.
    pub(crate) fn area(&self, area: Rect) -> Rect {
        let near = self.point(Point { x: area.left, y: area.top });
        let far = self.point(Point { x: area.right, y: area.bottom });
        Rect::new(near.x, near.y, far.x, far.y)
    }
}

/// The nearest even number, at least 2: chroma has half the resolution.
fn even(side: f32) -> usize {
    ((side / 2.0).round() as usize).max(1) * 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(width: usize, height: usize) -> PixelBox {
        PixelBox { left: 0, top: 0, width, height }
    }

    #[test]
    fn a_large_frame_is_scaled_down_to_sides_the_network_takes() {
        let view = View::fitted(all(1920, 1080), 640, 32, 0.0);
        assert_eq!((view.content, view.offset, view.canvas), ((640, 360), (0, 0), (640, 384)));
    }

    #[test]
    fn a_small_frame_keeps_its_size() {
        let view = View::fitted(all(150, 150), 640, 32, 0.0);
        assert_eq!((view.content, view.canvas), ((150, 150), (160, 160)));
    }

    #[test]
    fn a_border_leaves_room_on_every_side() {
        let view = View::fitted(all(150, 150), 640, 32, 0.5);
        assert_eq!((view.content, view.offset, view.canvas), ((150, 150), (75, 75), (320, 320)));
        let view = View::stretched(all(1920, 1080), (320, 240), 0.5);
        assert_eq!((view.content, view.offset), ((160, 120), (80, 60)));
    }

    #[test]
    fn places_come_back_in_pixels_of_the_frame() {
        let view = View::fitted(all(1920, 1080), 640, 32, 0.5);
        let (left, top) = (view.offset.0 as f32, view.offset.1 as f32);
        let (right, bottom) = (left + view.content.0 as f32, top + view.content.1 as f32);
        let frame = view.area(Rect::new(left, top, right, bottom));
        assert_eq!(frame, Rect::new(0.0, 0.0, 1920.0, 1080.0));
    }

    #[test]
    fn a_part_of_the_frame_lies_where_it_was_cut() {
        let view = View::fitted(PixelBox { left: 400, top: 200, width: 960, height: 540 }, 480, 32, 0.0);
        assert_eq!((view.content, view.canvas), ((480, 270), (480, 288)));
        assert_eq!(view.area(Rect::new(10.0, 20.0, 30.0, 50.0)), Rect::new(420.0, 240.0, 460.0, 300.0));
    }

    #[test]
    fn the_thinnest_frame_still_has_content() {
        let view = View::fitted(all(16384, 1), 640, 32, 0.0);
        assert_eq!((view.content, view.canvas), ((640, 2), (640, 32)));
    }
}
