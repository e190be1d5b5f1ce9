//! Searches tiles of a frame at the scale of the whole.
//!
//! A tile is widened until the sides of the network's input are on the ladder of sizes. A face that an edge of a tile cuts
//! is taken from the tile that shows it whole, or searched again in a tile of its own.

use domain::geometry::Rect;

use super::{Found, window};
use crate::error::AnalysisError;
use crate::pixel_box::PixelBox;
use crate::suppression;

/// Maximum number of cut faces that are searched again.
const MOST_AGAIN: usize = 4;
/// A face nearer than this to an edge may extend beyond it, pixels of the network's input: one cell of its output.
const EDGE: f32 = 4.0;

/// Where tiles lie, and their scale.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    whole: PixelBox,
    /// Pixels of the network's input per pixel of the frame.
    scale: f32,
}

impl Grid {
    /// Tiles of a part of the frame whose input has this longer side.
    pub(super) fn over(whole: PixelBox, side: u32) -> Self {
        Self { whole, scale: (side as f32 / whole.width.max(whole.height) as f32).min(1.0) }
    }

    /// The tile that shows this rectangle, and the longer side of its input; `None` when it lies outside.
    fn tile(&self, rect: &Rect) -> Option<(PixelBox, u32)> {
        let PixelBox { left, top, width, height } = self.whole;
        let (left, width) = self.along((rect.left, rect.right), (left, width))?;
        let (top, height) = self.along((rect.top, rect.bottom), (top, height))?;
        let side = width.max(height) as f32 * self.scale;
        Some((PixelBox { left, top, width, height }, side.round() as u32))
    }

    /// Start and length of a tile along one side, whole chroma samples.
    fn along(&self, (from, to): (f32, f32), (start, length): (usize, usize)) -> Option<(usize, usize)> {
        let (least, most) = (start as f32, (start + length) as f32);
        let (from, to) = (from.clamp(least, most), to.clamp(least, most));
        if from >= to {
            return None;
        }
        let rung = window::rung(((to - from) * self.scale).ceil() as u32);
        let wanted = (rung as f32 / self.scale) as usize & !1;
        if wanted >= length & !1 {
            return Some((start, length));
        }
        let centred = ((from + to - wanted as f32) / 2.0).max(least) as usize;
        // The last tile ends with the whole, or a pixel before it.
        let last = start + length - wanted;
        Some((centred.min(last) & !1, wanted)).filter(|(_, length)| *length > 0)
    }

    /// Whether an edge of the tile may cut the face. At the edges of the whole there is nothing more to be seen.
    fn cuts(&self, tile: &PixelBox, face: &Rect) -> bool {
        let margin = EDGE / self.scale;
        let cut = |(start, length): (usize, usize), (whole, all): (usize, usize), (from, to): (f32, f32)| {
            let before = start > whole && from < start as f32 + margin;
            let after = start + length + 1 < whole + all && to > (start + length) as f32 - margin;
            before || after
        };
        let PixelBox { left, top, width, height } = self.whole;
        cut((tile.left, tile.width), (left, width), (face.left, face.right))
            || cut((tile.top, tile.height), (top, height), (face.top, face.bottom))
    }
}

/// The faces in tiles around these rectangles, each once. `search` searches a part of the frame for an input with this
/// longer side; `overlap`: maximum overlap of two faces (IoU).
pub(super) fn find(
    grid: &Grid,
    rects: &[Rect],
    overlap: f32,
    mut search: impl FnMut(PixelBox, u32) -> Result<Vec<Found>, AnalysisError>,
) -> Result<Vec<Found>, AnalysisError> {
    let (mut found, mut cut) = (Vec::new(), Vec::new());
    for (tile, side) in rects.iter().filter_map(|rect| grid.tile(rect)) {
        for face in search(tile, side)? {
            let faces = if grid.cuts(&tile, &face.place.face_box) { &mut cut } else { &mut found };
            faces.push(face);
        }
    }
    let mut again = 0;
    for part in cut {
        let shows = |face: &Found| face.place.face_box.contains(part.place.face_box.center());
        if found.iter().any(shows) {
            continue;
        }
        let face_box = part.place.face_box;
        let around = grid.tile(&face_box.widened(face_box.width().max(face_box.height())));
        let around = around.filter(|_| again < MOST_AGAIN);
        again += 1;
        let seen = around.map(|(tile, side)| search(tile, side)).transpose()?.unwrap_or_default();
        let whole = seen.into_iter().filter(shows).max_by(|a, b| a.score.total_cmp(&b.score));
        found.push(whole.unwrap_or(part));
    }
    Ok(suppression::without_parts(suppression::suppressed(found, overlap)))
}

#[cfg(test)]
mod tests {
    use domain::geometry::Point;

    use super::*;
    use crate::face_crop::Place;

    /// A 1080p frame in which faces of 60 pixels have 25 in the input.
    fn grid() -> Grid {
        Grid::over(PixelBox { left: 0, top: 0, width: 1920, height: 1080 }, 800)
    }

    fn face(face_box: Rect, score: f32) -> Found {
        Found { place: Place { face_box, landmarks: [Point::default(); 5] }, score }
    }

    /// What a network that draws exact boxes finds in a tile: the part of each face in it, unsure of less than half.
    fn seen(faces: &[Rect]) -> impl FnMut(PixelBox, u32) -> Result<Vec<Found>, AnalysisError> {
        move |tile, _| {
            let (left, top) = (tile.left as f32, tile.top as f32);
            let shown = Rect::new(left, top, left + tile.width as f32, top + tile.height as f32);
            let part = |face: &Rect| face.clamped_to(&shown);
            let visible = faces.iter().filter(|face| part(face).area() > 0.4 * face.area());
            Ok(visible.map(|whole| face(part(whole), part(whole).area() / whole.area())).collect())
        }
    }

    #[test]
    fn sides_of_the_input_are_on_the_ladder_or_those_of_the_whole() {
        let allowed = [128, 192, 256, 320, 384, 480, 576, 640, 800];
        for seed in 0..3_000u32 {
            let at =
                |n: u32, limit: u32| ((seed.wrapping_mul(2_654_435_761) ^ (n * 97)).wrapping_mul(40_503) >> 9) % limit;
            let (left, top) = (at(1, 1_900) as f32, at(2, 1_060) as f32);
            let rect = Rect::new(left, top, left + 4.0 + at(3, 1_200) as f32, top + 4.0 + at(4, 700) as f32);
            let (tile, side) = grid().tile(&rect).unwrap();
            let shown = rect.clamped_to(&Rect::new(0.0, 0.0, 1920.0, 1080.0));
            let outer = Rect::new(
                tile.left as f32,
                tile.top as f32,
                (tile.left + tile.width) as f32,
                (tile.top + tile.height) as f32,
            );
            assert!(outer.widened(3.0).encloses(&shown), "{outer:?} of {shown:?}");
            let view = crate::view::View::fitted(tile, side, 32, 0.0);
            assert!(
                allowed.contains(&view.canvas.0) && allowed.contains(&view.canvas.1),
                "{:?} of {rect:?}",
                view.canvas
            );
            let scale = view.content.0 as f32 / tile.width as f32 / grid().scale;
            assert!((0.98..1.02).contains(&scale), "{scale} times the scale");
        }
    }

    #[test]
    fn a_rectangle_outside_the_whole_has_no_tile() {
        assert!(grid().tile(&Rect::new(2_000.0, 0.0, 2_100.0, 50.0)).is_none());
        assert!(grid().tile(&Rect::new(-50.0, 0.0, 0.0, 50.0)).is_none());
    }

    #[test]
    fn a_face_that_no_edge_cuts_is_found_as_it_is() {
        let faces = [Rect::new(900.0, 500.0, 960.0, 580.0)];
        let found = find(&grid(), &[faces[0].widened(60.0)], 0.3, seen(&faces)).unwrap();
        assert_eq!(found, [face(faces[0], 1.0)]);
    }

    #[test]
    fn a_face_at_the_edge_of_the_frame_is_not_cut() {
        let faces = [Rect::new(0.0, 1020.0, 60.0, 1080.0)];
        let mut searches = 0;
        let mut network = seen(&faces);
        let found = find(&grid(), &[faces[0].widened(60.0)], 0.3, |tile, side| {
            searches += 1;
            network(tile, side)
        });
        assert_eq!((found.unwrap(), searches), (vec![face(faces[0], 1.0)], 1));
    }

    #[test]
    fn a_face_cut_by_an_edge_is_taken_whole_from_the_other_tile() {
        let faces = [Rect::new(760.0, 500.0, 860.0, 600.0)];
        // The first tile ends in the face, the second one shows it.
        let rects = [Rect::new(493.0, 400.0, 800.0, 707.0), Rect::new(700.0, 400.0, 1_007.0, 707.0)];
        let found = find(&grid(), &rects, 0.3, seen(&faces)).unwrap();
        assert_eq!(found, [face(faces[0], 1.0)]);
    }

    #[test]
    fn a_face_cut_by_every_tile_is_searched_again() {
        let faces = [Rect::new(760.0, 500.0, 860.0, 600.0)];
        let found = find(&grid(), &[Rect::new(510.0, 400.0, 817.0, 700.0)], 0.3, seen(&faces)).unwrap();
        assert_eq!(found, [face(faces[0], 1.0)]);
    }

    #[test]
    fn a_cut_face_that_is_not_found_again_is_kept() {
        let mut once = Some(face(Rect::new(760.0, 500.0, 816.0, 600.0), 0.5));
        let found =
            find(&grid(), &[Rect::new(510.0, 400.0, 817.0, 700.0)], 0.3, |_, _| Ok(once.take().into_iter().collect()));
        assert_eq!(found.unwrap().len(), 1);
    }

    #[test]
    fn a_face_that_two_tiles_show_is_found_once() {
        let faces = [Rect::new(900.0, 500.0, 960.0, 580.0)];
        let around = faces[0].widened(60.0);
        assert_eq!(find(&grid(), &[around, around.shifted(40.0, 0.0)], 0.3, seen(&faces)).unwrap().len(), 1);
    }
}
