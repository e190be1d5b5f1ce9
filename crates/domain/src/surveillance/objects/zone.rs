//! Zones: what is drawn on the picture.

use crate::error::{Error, Result};
use crate::geometry::Point;

/// Corners that an area may have.
const CORNERS: std::ops::RangeInclusive<usize> = 3..=6;
/// Smallest area, as a share of the picture: less cannot be meant.
const SMALLEST_AREA: f32 = 1e-5;

/// What is drawn on the picture for a kind of rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ZoneKind {
    /// A straight line by its two ends.
    Line,
    /// An area by its corners.
    Area,
}

impl ZoneKind {
    /// Refuses points that are no such zone: `Invalid`.
    pub(super) fn check(self, points: &[Point]) -> Result<()> {
        let invalid = |why| Err(Error::invalid("rule points", why));
        let inside = |point: &Point| (0.0..=1.0).contains(&point.x) && (0.0..=1.0).contains(&point.y);
        if !points.iter().all(inside) {
            return invalid("not all shares of the picture, 0 to 1");
        }
        match (self, points) {
            (Self::Line, [a, b]) if a != b => Ok(()),
            (Self::Line, _) => invalid("a line has two different ends"),
            (Self::Area, _) if !CORNERS.contains(&points.len()) => invalid("an area has 3 to 6 corners"),
            (Self::Area, _) if !is_simple(points) => invalid("the edges of an area do not touch or cross each other"),
            (Self::Area, _) if surface(points) < SMALLEST_AREA => invalid("the corners of an area are on one line"),
            (Self::Area, _) => Ok(()),
        }
    }
}

/// The edges of an area, from corner to corner.
fn edges(corners: &[Point]) -> impl Iterator<Item = (Point, Point)> {
    corners.iter().copied().zip(corners.iter().copied().cycle().skip(1))
}

/// Whether no edge crosses or touches another, but for the corner that two successive ones share.
fn is_simple(corners: &[Point]) -> bool {
    let edges: Vec<_> = edges(corners).collect();
    let count = edges.len();
    let pairs = (0..count).flat_map(|one| (one + 1..count).map(move |other| (one, other)));
    pairs.into_iter().all(|(one, other)| {
        let ((a, b), (c, d)) = (edges[one], edges[other]);
        if other == one + 1 {
            !folds_back(a, b, d)
        } else if (other + 1) % count == one {
            !folds_back(c, d, b)
        } else {
            !touch((a, b), (c, d))
        }
    })
}

/// Whether the edge from `b` to `c` goes back along the one from `a` to `b`, or one of them has no length.
fn folds_back(a: Point, b: Point, c: Point) -> bool {
    let onward = (b.x - a.x) * (c.x - b.x) + (b.y - a.y) * (c.y - b.y);
    a == b || b == c || (aside(a, b, c) == 0.0 && onward < 0.0)
}

/// Whether two edges have a point in common.
fn touch((a, b): (Point, Point), (c, d): (Point, Point)) -> bool {
    let apart = |from: Point, to: Point, one: Point, other: Point| {
        let (one, other) = (aside(from, to, one), aside(from, to, other));
        one * other > 0.0
    };
    let boxes_apart = |a: f32, b: f32, c: f32, d: f32| a.max(b) < c.min(d) || c.max(d) < a.min(b);
    let far = boxes_apart(a.x, b.x, c.x, d.x) || boxes_apart(a.y, b.y, c.y, d.y);
    !far && !apart(a, b, c, d) && !apart(c, d, a, b)
}

/// Of the place, seen from one point to another: negative on the left, 0 on the endless line between them.
fn aside(from: Point, to: Point, place: Point) -> f32 {
    (to.x - from.x) * (place.y - from.y) - (to.y - from.y) * (place.x - from.x)
}

/// The surface of an area.
fn surface(corners: &[Point]) -> f32 {
    (edges(corners).map(|(a, b)| a.x * b.y - a.y * b.x).sum::<f32>() / 2.0).abs()
}

/// A zone on pictures of one size, pixels.
#[derive(Debug)]
pub(super) enum Zone {
    Line(Line),
    Area(Area),
    /// A line on a picture so small that its ends are the same.
    Nowhere,
}

impl Zone {
    /// Of these points; two are a line.
    pub(super) fn of(points: &[Point]) -> Self {
        match points {
            [from, to] => Line::of(*from, *to).map_or(Self::Nowhere, Self::Line),
            corners => Self::Area(Area { corners: corners.to_vec() }),
        }
    }
}

/// An area, pixels.
#[derive(Debug)]
pub(super) struct Area {
    corners: Vec<Point>,
}

impl Area {
    /// How far a place is from the edge: negative outside.
    pub(super) fn depth(&self, place: Point) -> f32 {
        let sides = edges(&self.corners).filter_map(|(from, to)| Line::of(from, to));
        let distance = sides.map(|side| side.distance(place)).fold(f32::INFINITY, f32::min);
        if self.contains(place) { distance } else { -distance }
    }

    /// Whether a ray from the place to the right goes through an odd number of edges.
    fn contains(&self, place: Point) -> bool {
        let crossed = |(a, b): &(Point, Point)| {
            let spans = (a.y > place.y) != (b.y > place.y);
            spans && place.x < a.x + (b.x - a.x) * (place.y - a.y) / (b.y - a.y)
        };
        edges(&self.corners).filter(crossed).count() % 2 == 1
    }
}

/// Which side of a line, seen along it from its first end to its second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// Left.
    A,
    /// Right, and on the line.
    B,
}

/// A straight line between two ends, pixels.
#[derive(Debug)]
pub(super) struct Line {
    from: Point,
    to: Point,
    length: f32,
}

impl Line {
    /// `None` when the ends are the same.
    pub(super) fn of(from: Point, to: Point) -> Option<Self> {
        let length = (to.x - from.x).hypot(to.y - from.y);
        (length > 0.0).then_some(Self { from, to, length })
    }

    /// How far a place is from the line, made endless: negative on side A.
    pub(super) fn offset(&self, place: Point) -> f32 {
        aside(self.from, self.to, place) / self.length
    }

    pub(super) fn side(&self, place: Point) -> Side {
        if self.offset(place) < 0.0 { Side::A } else { Side::B }
    }

    /// How far a place is from the nearest point of the line.
    pub(super) fn distance(&self, place: Point) -> f32 {
        let share = (self.along(place) / self.length).clamp(0.0, 1.0);
        let (x, y) = (self.to.x - self.from.x, self.to.y - self.from.y);
        (place.x - self.from.x - x * share).hypot(place.y - self.from.y - y * share)
    }

    /// Whether the way from one place to another goes through the line, between its ends.
    pub(super) fn is_crossed(&self, from: Point, to: Point) -> bool {
        if self.side(from) == self.side(to) {
            return false;
        }
        // Where between the two places the endless line is.
        let (before, after) = (self.offset(from), self.offset(to));
        let share = before / (before - after);
        let through = Point { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share };
        (0.0..=self.length).contains(&self.along(through))
    }

    /// How far along the line a place is, from its first end.
    fn along(&self, place: Point) -> f32 {
        let (x, y) = (self.to.x - self.from.x, self.to.y - self.from.y);
        (x * (place.x - self.from.x) + y * (place.y - self.from.y)) / self.length
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(points: &[(f32, f32)]) -> Vec<Point> {
        points.iter().map(|&(x, y)| Point { x, y }).collect()
    }

    fn is_area(corners: &[(f32, f32)]) -> bool {
        ZoneKind::Area.check(&points(corners)).is_ok()
    }

    const SQUARE: [(f32, f32); 4] = [(0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8)];

    #[test]
    fn an_area_has_three_to_six_corners_in_the_picture() {
        let hexagon = [(0.3, 0.0), (0.7, 0.0), (1.0, 0.5), (0.7, 1.0), (0.3, 1.0), (0.0, 0.5)];
        assert!(is_area(&SQUARE) && is_area(&SQUARE[..3]) && is_area(&hexagon));
        assert!(!is_area(&[]) && !is_area(&SQUARE[..2]));
        assert!(!is_area(&[&hexagon[..], &[(0.1, 0.3)]].concat()));
        for wrong in [1.01, -0.01, f32::NAN, f32::INFINITY] {
            assert!(!is_area(&[(0.1, 0.1), (0.9, 0.1), (0.5, wrong)]), "{wrong}");
        }
    }

    #[test]
    fn both_ways_round_and_dents_are_areas() {
        let back: Vec<_> = SQUARE.iter().rev().copied().collect();
        assert!(is_area(&back));
        assert!(is_area(&[(0.1, 0.1), (0.9, 0.1), (0.5, 0.4), (0.9, 0.9), (0.1, 0.9)]), "with a dent");
        assert!(is_area(&[(0.1, 0.1), (0.5, 0.1), (0.9, 0.1), (0.5, 0.9)]), "a corner on a straight edge");
    }

    #[test]
    fn edges_that_cross_or_touch_are_no_area() {
        assert!(!is_area(&[(0.2, 0.2), (0.8, 0.8), (0.8, 0.2), (0.2, 0.8)]), "a bow tie");
        assert!(!is_area(&[(0.1, 0.1), (0.9, 0.1), (0.5, 0.5), (0.5, 0.1), (0.1, 0.9)]), "a corner on another edge");
        assert!(!is_area(&[(0.1, 0.1), (0.9, 0.9), (0.5, 0.5)]), "it goes back on itself");
        assert!(!is_area(&[(0.1, 0.1), (0.1, 0.1), (0.9, 0.9), (0.1, 0.9)]), "the same corner twice");
        assert!(!is_area(&[(0.1, 0.5), (0.5, 0.5), (0.9, 0.5)]), "nothing but a line");
    }

    #[test]
    fn depth_is_the_distance_from_the_edge() {
        // A square with a dent from the right.
        let dent = [(0.0, 0.0), (100.0, 0.0), (40.0, 50.0), (100.0, 100.0), (0.0, 100.0)];
        let Zone::Area(area) = Zone::of(&points(&dent)) else { panic!("five corners are an area") };
        let depth = |x, y| area.depth(Point { x, y });
        assert_eq!((depth(10.0, 50.0), depth(20.0, 90.0)), (10.0, 10.0));
        assert_eq!((depth(-30.0, 50.0), depth(103.0, -4.0)), (-30.0, -5.0));
        assert!(depth(80.0, 50.0) < 0.0, "in the dent");
    }
}
