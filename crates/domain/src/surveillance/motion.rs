//! Whether a frame may show somebody new: a scene in which nothing moves is not searched again and again.
//!
//! The luminance of the picture, averaged over cells a quarter as wide as the smallest face wanted, is compared
//! with that of the last frame that *was* searched. What appears ever so slowly therefore adds up until it counts,
//! and every frame that becomes the measure was itself searched. Noise of single cells does not count, and every
//! face covers at least three cells in each of three rows.

use crate::frame::{Frame, PixelFormat};
use crate::geometry::Rect;
use crate::ports::Search;
use crate::time::Timestamp;

/// A still scene is searched this often all the same.
const STILL_MILLIS: i64 = 2_000;
/// A cell has changed when its mean luminance, 0..=255, differs by so much.
const CHANGE: u8 = 4;
/// Cells in a row that have to change.
const NEIGHBOURS: usize = 2;
/// Sides of a cell, pixels: a quarter of the smallest face, within these.
const CELLS: (usize, usize) = (4, 64);
/// Pixels looked at along each side of a cell.
const SAMPLES: usize = 5;

/// Compares the frames of one camera; only those searched count.
#[derive(Debug, Default)]
pub(super) struct MotionGate {
    searched: Small,
    searched_at: Option<Timestamp>,
    seen: Small,
}

/// A small picture of the part of a frame that is searched.
#[derive(Debug, Default, PartialEq, Eq)]
struct Small {
    grid: Grid,
    cells: Vec<u8>,
}

/// Where the cells lie in the frame, in pixels as it is shown.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Grid {
    left: usize,
    top: usize,
    cell: usize,
    columns: usize,
    rows: usize,
}

impl MotionGate {
    /// Whether the frame may show what the last one searched did not.
    pub(super) fn is_open(&mut self, frame: &Frame, search: &Search) -> bool {
        self.seen.look(frame, Grid::over(frame, search));
        let waited = self.searched_at.map(|at| frame.at().millis_since(at));
        let due = waited.is_none_or(|waited| !(0..STILL_MILLIS).contains(&waited));
        due || self.seen.differs_from(&self.searched)
    }

    /// The frame last asked about was searched.
    pub(super) fn searched(&mut self, at: Timestamp) {
        std::mem::swap(&mut self.searched, &mut self.seen);
        self.searched_at = Some(at);
    }
}

impl Grid {
    /// Cells over the region searched, or over all of the frame; those at its end may hang over.
    fn over(frame: &Frame, search: &Search) -> Self {
        // A face whose centre is in the region reaches out of it by half its size; half of it is inside.
        let bounds = frame.bounds();
        let area = search.region.map_or(bounds, |region| widened(&region, search).clamped_to(&bounds));
        let cell = (search.min_face_px as usize / 4).clamp(CELLS.0, CELLS.1);
        let (left, top) = (area.left as usize, area.top as usize);
        let cells = |from: usize, to: f32| (to.ceil() as usize).saturating_sub(from).div_ceil(cell);
        Self { left, top, cell, columns: cells(left, area.right), rows: cells(top, area.bottom) }
    }
}

fn widened(region: &Rect, search: &Search) -> Rect {
    let by = search.min_face_px as f32 / 2.0;
    Rect::new(region.left - by, region.top - by, region.right + by, region.bottom + by)
}

impl Small {
    /// Becomes the small picture of this frame.
    fn look(&mut self, frame: &Frame, grid: Grid) {
        self.grid = grid;
        self.cells.clear();
        for row in 0..grid.rows {
            self.cells.extend((0..grid.columns).map(|column| mean(frame, grid, column, row)));
        }
    }

    fn differs_from(&self, other: &Self) -> bool {
        if self.grid != other.grid {
            return true;
        }
        let columns = self.grid.columns.max(1);
        // What is narrower than a pair of cells has no neighbours to ask.
        let needed = NEIGHBOURS.min(columns);
        self.cells.chunks(columns).zip(other.cells.chunks(columns)).any(|(now, then)| {
            let mut in_a_row = 0;
            now.iter().zip(then).any(|(now, then)| {
                in_a_row = if now.abs_diff(*then) >= CHANGE { in_a_row + 1 } else { 0 };
                in_a_row >= needed
            })
        })
    }
}

/// One direction of a frame: its length as it is shown, and the samples there are.
struct Samples {
    shown: usize,
    there: usize,
}

impl Samples {
    /// From which sample to before which a cell goes; its last one may hang over the end.
    fn of_cell(&self, start: usize, cell: usize) -> (usize, usize) {
        let sample = |pixel: usize| pixel.min(self.shown) * self.there / self.shown;
        let first = sample(start);
        // A cell may be less than a sample wide.
        (first, sample(start + cell).max(first + 1).min(self.there))
    }

    /// How far apart the samples looked at are.
    fn step(&self, cell: usize) -> usize {
        (cell * self.there / self.shown / SAMPLES).max(1)
    }
}

/// The mean luminance of a cell, from some of its samples.
fn mean(frame: &Frame, grid: Grid, column: usize, row: usize) -> u8 {
    let Some(plane) = frame.planes().first() else { return 0 };
    // Green stands for the luminance of RGB.
    let (bytes, offset) = if frame.format() == PixelFormat::Rgb8 { (3, 1) } else { (1, 0) };
    let (samples, rows) = frame.samples();
    let across = Samples { shown: frame.width() as usize, there: samples as usize };
    let down = Samples { shown: frame.height() as usize, there: rows as usize };
    let (left, right) = across.of_cell(grid.left + column * grid.cell, grid.cell);
    let (top, bottom) = down.of_cell(grid.top + row * grid.cell, grid.cell);
    let step = across.step(grid.cell);
    let (mut sum, mut count) = (0u32, 0u32);
    for y in (top..bottom).step_by(down.step(grid.cell)) {
        let start = y * plane.stride;
        let line = plane.data.get(start + left * bytes..start + right * bytes).unwrap_or_default();
        for sample in line.iter().skip(offset).step_by(step * bytes) {
            sum += u32::from(*sample);
            count += 1;
        }
    }
    sum.checked_div(count).unwrap_or(0) as u8
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::frame::Plane;
    use crate::ports::Detail;

    const WIDTH: usize = 640;
    const HEIGHT: usize = 360;
    const SEARCH: Search = Search { region: None, min_face_px: 60, max_face_px: 1_000, detail: Detail::Full };

    /// A scene with structure: grey blinds before a darker wall.
    fn scene(x: usize, y: usize) -> u8 {
        if (x / 40 + y / 90).is_multiple_of(2) { 90 } else { 120 }
    }

    fn frame(millis: i64, luminance: impl Fn(usize, usize) -> u8) -> Frame {
        let luma: Vec<u8> = (0..WIDTH * HEIGHT).map(|i| luminance(i % WIDTH, i / WIDTH)).collect();
        let chroma = Plane { data: Bytes::from(vec![128; WIDTH * HEIGHT / 4]), stride: WIDTH / 2 };
        let planes = vec![Plane { data: Bytes::from(luma), stride: WIDTH }, chroma.clone(), chroma];
        Frame::new(Timestamp::from_millis(millis), WIDTH as u32, HEIGHT as u32, PixelFormat::I420, planes).unwrap()
    }

    /// Noise that looks random and is the same in every run, -spread..=spread.
    fn noise(seed: usize, spread: i32) -> i32 {
        let mixed = (seed as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33) as i32 % (2 * spread + 1) - spread
    }

    /// A gate that has searched the scene at time 0.
    fn gate() -> MotionGate {
        let mut gate = MotionGate::default();
        let first = frame(0, scene);
        assert!(gate.is_open(&first, &SEARCH), "nothing was searched yet");
        gate.searched(first.at());
        gate
    }

    /// A face in a picture: skin, two eyes and a mouth, so faint that `contrast` is all that sets it off.
    fn with_face(left: usize, top: usize, side: usize, contrast: i32) -> impl Fn(usize, usize) -> u8 {
        move |x, y| {
            let inside = (left..left + side).contains(&x) && (top..top + side).contains(&y);
            let dark = inside && ((y - top) * 5 / side == 1) && ((x - left) * 5 / side) % 2 == 1;
            let change = if dark { -contrast } else { contrast };
            if inside { (i32::from(scene(x, y)) + change).clamp(0, 255) as u8 } else { scene(x, y) }
        }
    }

    #[test]
    fn a_still_scene_is_searched_only_now_and_then() {
        let mut gate = gate();
        let noisy = |millis: i64| {
            frame(millis, move |x, y| (i32::from(scene(x, y)) + noise(x + y * WIDTH + millis as usize, 8)) as u8)
        };
        let open: Vec<i64> = (1..=10).map(|i| i * 200).filter(|at| gate.is_open(&noisy(*at), &SEARCH)).collect();
        assert_eq!(open, [STILL_MILLIS], "sensor noise is no motion");
    }

    #[test]
    fn the_smallest_and_faintest_face_opens_the_gate_wherever_it_appears() {
        for (left, top) in (0..WIDTH - 60).step_by(37).zip((0..HEIGHT - 60).step_by(7)) {
            let mut gate = gate();
            assert!(gate.is_open(&frame(200, with_face(left, top, 60, 8)), &SEARCH), "at {left}, {top}");
        }
    }

    #[test]
    fn a_face_that_appears_slowly_adds_up() {
        let mut gate = gate();
        // A third of a level more in every frame: no frame differs from the one before.
        let open =
            (1..=9).find(|i| gate.is_open(&frame(*i * 200, with_face(300, 100, 80, (*i as i32) * 4 / 3)), &SEARCH));
        assert!(open.is_some(), "within {STILL_MILLIS} ms, when it would be searched anyway");
    }

    #[test]
    fn light_switched_on_opens_the_gate() {
        let mut gate = gate();
        assert!(gate.is_open(&frame(200, |x, y| scene(x, y) + 60), &SEARCH));
    }

    #[test]
    fn what_was_not_searched_stays_news() {
        let mut gate = gate();
        let changed = |millis| frame(millis, with_face(200, 100, 100, 40));
        assert!(gate.is_open(&changed(200), &SEARCH));
        assert!(gate.is_open(&changed(400), &SEARCH), "the analyzer was busy");
        gate.searched(changed(400).at());
        assert!(!gate.is_open(&changed(600), &SEARCH));
    }

    #[test]
    fn only_the_region_counts() {
        let mut gate = MotionGate::default();
        let search = Search { region: Some(Rect::new(0.0, 0.0, 200.0, 360.0)), ..SEARCH };
        gate.is_open(&frame(0, scene), &search);
        gate.searched(Timestamp::from_millis(0));
        assert!(!gate.is_open(&frame(200, with_face(400, 100, 100, 60)), &search));
        assert!(gate.is_open(&frame(400, with_face(160, 100, 70, 60)), &search), "its centre is inside");
        assert!(gate.is_open(&frame(400, scene), &SEARCH), "another region was never searched");
    }

    /// The same scene with a face in fewer samples: every other one of a row, every third row.
    fn with_few_samples(millis: i64, luminance: impl Fn(usize, usize) -> u8) -> Frame {
        let (width, height) = (WIDTH / 2, HEIGHT / 3);
        let luma: Vec<u8> = (0..width * height).map(|i| luminance(i % width * 2, i / width * 3)).collect();
        let chroma = Plane { data: Bytes::from(vec![128; width * height / 4]), stride: width / 2 };
        let planes = vec![Plane { data: Bytes::from(luma), stride: width }, chroma.clone(), chroma];
        let at = Timestamp::from_millis(millis);
        let frame = Frame::new(at, width as u32, height as u32, PixelFormat::I420, planes).unwrap();
        frame.shown_over(WIDTH as u32, HEIGHT as u32)
    }

    #[test]
    fn motion_is_seen_where_it_is_shown_however_few_samples_there_are() {
        let region = Some(Rect::new(320.0, 180.0, 640.0, 360.0));
        let search = Search { region, min_face_px: 12, ..SEARCH };
        for (left, top, opens) in [(500, 280, true), (320, 182, true), (20, 20, false), (100, 300, false)] {
            let mut gate = MotionGate::default();
            gate.is_open(&with_few_samples(0, scene), &search);
            gate.searched(Timestamp::from_millis(0));
            let now = with_few_samples(200, with_face(left, top, 40, 40));
            assert_eq!(gate.is_open(&now, &search), opens, "at {left}, {top}");
        }
    }

    #[test]
    fn a_clock_set_back_does_not_close_the_gate() {
        let mut gate = gate();
        assert!(gate.is_open(&frame(-3_600_000, scene), &SEARCH));
    }

    #[test]
    fn rgb_is_compared_by_its_green() {
        let rgb = |green: u8| {
            let data = Bytes::from([90, green, 90].repeat(64 * 64));
            let plane = Plane { data, stride: 64 * 3 };
            Frame::new(Timestamp::from_millis(0), 64, 64, PixelFormat::Rgb8, vec![plane]).unwrap()
        };
        let mut gate = MotionGate::default();
        gate.is_open(&rgb(90), &SEARCH);
        gate.searched(Timestamp::from_millis(0));
        assert!(!gate.is_open(&rgb(91), &SEARCH) && gate.is_open(&rgb(99), &SEARCH));
    }
}
