//! Detects motion, so that a frame is searched where something has changed, and all of it only every [`STILL_MILLIS`].
//!
//! The luminance of the picture, averaged over cells a quarter as wide as the smallest face wanted, is compared
//! with that of the last frame in which the cell was searched. Slow changes therefore add up until they count, and
//! nothing becomes the reference without having been searched. A change in a single cell counts as noise; every face
//! covers at least three cells in each of three rows.

use super::tiles;
use crate::frame::{Frame, PixelFormat};
use crate::geometry::Rect;
use crate::ports::{Search, Tiles};
use crate::time::Timestamp;

/// Interval at which the whole picture is searched.
const STILL_MILLIS: i64 = 2_000;
/// A cell has changed when its mean luminance, 0..=255, differs by at least this.
const CHANGE: u8 = 4;
/// Adjacent cells of a row that have to change.
const NEIGHBOURS: usize = 2;
/// Smallest and largest side of a cell, pixels; in between it is a quarter of the smallest face.
const CELLS: (usize, usize) = (4, 64);
/// Samples taken along each side of a cell.
const SAMPLES: usize = 5;

/// Compares frames of one camera with what was searched last.
#[derive(Debug, Default)]
pub(super) struct MotionGate {
    searched: Luminance,
    /// When the whole picture was searched.
    whole_at: Option<Timestamp>,
    seen: Luminance,
}

/// Where something has moved.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Motion {
    /// Unknown: the whole picture was not searched for [`STILL_MILLIS`].
    Anywhere,
    /// In these boxes, pixels; none in a still scene.
    In(Vec<Rect>),
}

/// The mean luminance of each cell in the part of a frame that is searched.
#[derive(Debug, Default, PartialEq, Eq)]
struct Luminance {
    grid: Grid,
    cells: Vec<u8>,
}

/// Position and number of the cells, in pixels of the displayed frame.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Grid {
    left: usize,
    top: usize,
    cell: usize,
    columns: usize,
    rows: usize,
}

impl MotionGate {
    /// Where something has moved in the frame since it was searched there.
    pub(super) fn compare(&mut self, frame: &Frame, search: &Search) -> Motion {
        self.seen.measure(frame, Grid::over(frame, search));
        let waited = self.whole_at.map(|at| frame.at().millis_since(at));
        let is_due = waited.is_none_or(|waited| !(0..STILL_MILLIS).contains(&waited));
        if is_due || self.seen.grid != self.searched.grid {
            return Motion::Anywhere;
        }
        Motion::In(self.seen.changes_since(&self.searched))
    }

    /// Makes the frame last passed to [`compare`](Self::compare) the reference: it was searched, in these tiles or as a
    /// whole.
    pub(super) fn searched(&mut self, at: Timestamp, tiles: Option<&Tiles>) {
        match tiles {
            Some(tiles) => self.searched.take_over(&self.seen, tiles),
            None => {
                std::mem::swap(&mut self.searched, &mut self.seen);
                self.whole_at = Some(at);
            }
        }
    }
}

impl Motion {
    /// Whether something may have moved.
    pub(super) fn is_any(&self) -> bool {
        match self {
            Self::Anywhere => true,
            Self::In(boxes) => !boxes.is_empty(),
        }
    }
}

impl Grid {
    /// Cells over the search region, or over the whole frame; the last ones may extend beyond it.
    fn over(frame: &Frame, search: &Search) -> Self {
        let area = tiles::whole(frame, search);
        let cell = (search.min_face_px as usize / 4).clamp(CELLS.0, CELLS.1);
        let (left, top) = (area.left as usize, area.top as usize);
        let cells = |from: usize, to: f32| (to.ceil() as usize).saturating_sub(from).div_ceil(cell);
        Self { left, top, cell, columns: cells(left, area.right), rows: cells(top, area.bottom) }
    }

    /// The box of some cells of a row.
    fn cells(&self, row: usize, columns: std::ops::Range<usize>) -> Rect {
        let at = |start: usize, cells: usize| (start + cells * self.cell) as f32;
        let (top, bottom) = (at(self.top, row), at(self.top, row + 1));
        Rect::new(at(self.left, columns.start), top, at(self.left, columns.end), bottom)
    }
}

impl Luminance {
    /// Overwrites this with the luminance of a frame.
    fn measure(&mut self, frame: &Frame, grid: Grid) {
        self.grid = grid;
        self.cells.clear();
        for row in 0..grid.rows {
            self.cells.extend((0..grid.columns).map(|column| mean(frame, grid, column, row)));
        }
    }

    /// Boxes around the adjacent cells that differ from those of the same grid.
    fn changes_since(&self, other: &Self) -> Vec<Rect> {
        let columns = self.grid.columns.max(1);
        // A grid of one column has no adjacent cells.
        let needed = NEIGHBOURS.min(columns);
        let mut changes = Vec::new();
        for (row, (now, then)) in self.cells.chunks(columns).zip(other.cells.chunks(columns)).enumerate() {
            let mut column = 0;
            let changed: Vec<bool> = now.iter().zip(then).map(|(now, then)| now.abs_diff(*then) >= CHANGE).collect();
            for run in changed.chunk_by(|one, next| one == next) {
                if run[0] && run.len() >= needed {
                    changes.push(self.grid.cells(row, column..column + run.len()));
                }
                column += run.len();
            }
        }
        changes
    }

    /// Takes over the cells that lie in a tile from the luminance of another frame, measured with the same grid.
    fn take_over(&mut self, other: &Self, tiles: &Tiles) {
        let columns = self.grid.columns.max(1);
        for (index, (own, other)) in self.cells.iter_mut().zip(&other.cells).enumerate() {
            let (row, column) = (index / columns, index % columns);
            let cell = self.grid.cells(row, column..column + 1);
            if tiles.iter().any(|tile| tile.encloses(&cell)) {
                *own = *other;
            }
        }
    }
}

/// One dimension of a frame: its displayed length in pixels, and its number of samples.
struct Samples {
    displayed: usize,
    stored: usize,
}

impl Samples {
    /// The first sample of a cell and the one after its last; the cell may extend beyond the end.
    fn of_cell(&self, start: usize, cell: usize) -> (usize, usize) {
        let sample = |pixel: usize| pixel.min(self.displayed) * self.stored / self.displayed;
        let first = sample(start);
        // A cell may be narrower than a sample.
        (first, sample(start + cell).max(first + 1).min(self.stored))
    }

    /// Distance between the samples that are taken.
    fn step(&self, cell: usize) -> usize {
        (cell * self.stored / self.displayed / SAMPLES).max(1)
    }
}

/// The mean luminance of a cell, from some of its samples.
fn mean(frame: &Frame, grid: Grid, column: usize, row: usize) -> u8 {
    let Some(plane) = frame.planes().first() else { return 0 };
    // Green approximates the luminance of RGB.
    let (bytes, offset) = if frame.format() == PixelFormat::Rgb8 { (3, 1) } else { (1, 0) };
    let (samples, rows) = frame.samples();
    let across = Samples { displayed: frame.width() as usize, stored: samples as usize };
    let down = Samples { displayed: frame.height() as usize, stored: rows as usize };
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
    const SEARCH: Search =
        Search { region: None, min_face_px: 60, max_face_px: 1_000, detail: Detail::Full, tiles: None };

    /// A scene with structure: two greys in stripes.
    fn scene(x: usize, y: usize) -> u8 {
        if (x / 40 + y / 90).is_multiple_of(2) { 90 } else { 120 }
    }

    fn frame(millis: i64, luminance: impl Fn(usize, usize) -> u8) -> Frame {
        let luma: Vec<u8> = (0..WIDTH * HEIGHT).map(|i| luminance(i % WIDTH, i / WIDTH)).collect();
        let chroma = Plane { data: Bytes::from(vec![128; WIDTH * HEIGHT / 4]), stride: WIDTH / 2 };
        let planes = vec![Plane { data: Bytes::from(luma), stride: WIDTH }, chroma.clone(), chroma];
        Frame::new(Timestamp::from_millis(millis), WIDTH as u32, HEIGHT as u32, PixelFormat::I420, planes).unwrap()
    }

    /// Deterministic noise, -spread..=spread.
    fn noise(seed: usize, spread: i32) -> i32 {
        let mixed = (seed as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33) as i32 % (2 * spread + 1) - spread
    }

    /// A gate that has searched the scene at time 0.
    fn gate() -> MotionGate {
        let mut gate = MotionGate::default();
        let first = frame(0, scene);
        assert_eq!(gate.compare(&first, &SEARCH), Motion::Anywhere, "nothing was searched yet");
        gate.searched(first.at(), None);
        gate
    }

    impl MotionGate {
        fn is_open(&mut self, frame: &Frame, search: &Search) -> bool {
            self.compare(frame, search).is_any()
        }

        /// The box around everything that has moved.
        fn moved(&mut self, frame: &Frame) -> Option<Rect> {
            let Motion::In(boxes) = self.compare(frame, &SEARCH) else { panic!("the whole is due") };
            boxes.into_iter().reduce(|all, one| all.joined(&one))
        }
    }

    /// The scene with a face: skin and two eyes that differ from it by `contrast`.
    fn with_face(left: usize, top: usize, side: usize, contrast: i32) -> impl Fn(usize, usize) -> u8 {
        move |x, y| {
            let inside = (left..left + side).contains(&x) && (top..top + side).contains(&y);
            let dark = inside && ((y - top) * 5 / side == 1) && ((x - left) * 5 / side) % 2 == 1;
            let change = if dark { -contrast } else { contrast };
            if inside { (i32::from(scene(x, y)) + change).clamp(0, 255) as u8 } else { scene(x, y) }
        }
    }

    #[test]
    fn a_still_scene_is_searched_at_long_intervals() {
        let mut gate = gate();
        let noisy = |millis: i64| {
            frame(millis, move |x, y| (i32::from(scene(x, y)) + noise(x + y * WIDTH + millis as usize, 8)) as u8)
        };
        let open: Vec<i64> = (1..=10).map(|i| i * 200).filter(|at| gate.is_open(&noisy(*at), &SEARCH)).collect();
        assert_eq!(open, [STILL_MILLIS], "sensor noise is not motion");
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
        // 4/3 of a level more in every frame: less than CHANGE from one frame to the next.
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
    fn motion_in_a_frame_that_was_not_searched_still_counts() {
        let mut gate = gate();
        let changed = |millis| frame(millis, with_face(200, 100, 100, 40));
        assert!(gate.is_open(&changed(200), &SEARCH));
        assert!(gate.is_open(&changed(400), &SEARCH), "the analyzer was busy");
        gate.searched(changed(400).at(), None);
        assert!(!gate.is_open(&changed(600), &SEARCH));
    }

    #[test]
    fn a_change_is_in_the_cells_that_it_touches() {
        let mut gate = gate();
        let moved = gate.moved(&frame(200, with_face(301, 100, 80, 40))).unwrap();
        assert!(moved.encloses(&Rect::new(301.0, 100.0, 381.0, 180.0)), "{moved:?}");
        assert!(Rect::new(285.0, 90.0, 390.0, 195.0).encloses(&moved), "{moved:?}");
    }

    #[test]
    fn what_was_not_searched_stays_a_change() {
        let mut gate = gate();
        let both = |millis| {
            let (left, right) = (with_face(60, 100, 80, 40), with_face(400, 100, 80, 40));
            frame(millis, move |x, y| if x < 300 { left(x, y) } else { right(x, y) })
        };
        assert!(gate.is_open(&both(200), &SEARCH));
        gate.searched(both(200).at(), Some(&Tiles::of(&[Rect::new(0.0, 0.0, 300.0, 360.0)])));
        assert!(gate.moved(&both(400)).unwrap().left >= 390.0, "the left face was searched");
        assert_eq!(gate.compare(&both(STILL_MILLIS), &SEARCH), Motion::Anywhere, "the whole was not, since the start");
    }

    #[test]
    fn only_the_region_counts() {
        let mut gate = MotionGate::default();
        let search = Search { region: Some(Rect::new(0.0, 0.0, 200.0, 360.0)), ..SEARCH };
        gate.is_open(&frame(0, scene), &search);
        gate.searched(Timestamp::from_millis(0), None);
        assert!(!gate.is_open(&frame(200, with_face(400, 100, 100, 60)), &search));
        assert!(gate.is_open(&frame(400, with_face(160, 100, 70, 60)), &search), "its centre is inside");
        assert!(gate.is_open(&frame(400, scene), &SEARCH), "another region was never searched");
    }

    /// A frame with half the samples in each row and a third of the rows.
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
    fn motion_is_found_where_it_is_displayed_with_few_samples_too() {
        let region = Some(Rect::new(320.0, 180.0, 640.0, 360.0));
        let search = Search { region, min_face_px: 12, ..SEARCH };
        for (left, top, opens) in [(500, 280, true), (320, 182, true), (20, 20, false), (100, 300, false)] {
            let mut gate = MotionGate::default();
            gate.is_open(&with_few_samples(0, scene), &search);
            gate.searched(Timestamp::from_millis(0), None);
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
        gate.searched(Timestamp::from_millis(0), None);
        assert!(!gate.is_open(&rgb(91), &SEARCH) && gate.is_open(&rgb(99), &SEARCH));
    }
}
