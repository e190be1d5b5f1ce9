//! What is searched for in a frame, and where.

use crate::geometry::Rect;

/// The queue of an analysis; both lanes get a fair share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// For frames of cameras: first, and refused with [`Error::Busy`](crate::Error::Busy) when the queue is full.
    Live,
    /// For photos to be enrolled or compared: waits, never refused.
    Photo,
}

/// Which faces to detect in a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Search {
    /// Faces whose centre lies outside are ignored; `None`: the whole frame.
    pub region: Option<Rect>,
    /// Minimum shorter side of a face, pixels of the frame.
    pub min_face_px: u32,
    /// Maximum longer side of a face, pixels of the frame.
    pub max_face_px: u32,
    /// Detail of the search.
    pub detail: Detail,
    /// The rectangles of the frame to search, at the scale of the whole; `None`: all of it.
    pub tiles: Option<Tiles>,
}

/// Detail of a search; less is faster and finds only larger faces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Detail {
    /// Resolution for faces from `min_face_px`.
    #[default]
    Full,
    /// Three quarters of the full resolution: faces from 4/3 of `min_face_px`.
    Reduced,
    /// Half of the full resolution: faces from twice `min_face_px`.
    Least,
}

impl Search {
    /// Every face of usable size.
    pub const ANYWHERE: Self =
        Self { region: None, min_face_px: 30, max_face_px: u32::MAX, detail: Detail::Full, tiles: None };
}

/// A few rectangles of a frame. A face is in a tile when its whole box is.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Tiles {
    rects: [Rect; Self::MOST],
    count: usize,
}

impl Tiles {
    /// Maximum number of tiles.
    pub const MOST: usize = 4;

    /// Tiles over these rectangles; those beyond [`MOST`](Self::MOST) are left out.
    pub fn of(rects: &[Rect]) -> Self {
        let mut tiles = Self { count: rects.len().min(Self::MOST), ..Self::default() };
        tiles.rects.iter_mut().zip(rects).for_each(|(tile, rect)| *tile = *rect);
        tiles
    }
}

impl std::ops::Deref for Tiles {
    type Target = [Rect];

    fn deref(&self) -> &[Rect] {
        &self.rects[..self.count]
    }
}
