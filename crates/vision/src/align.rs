//! The similarity transform (rotation, uniform scale, translation) that maps one set of points onto another.

use domain::geometry::{Point, Rect};

/// Maps (x, y) to (a·x - b·y + x₀, b·x + a·y + y₀), where (x₀, y₀) is the translation (fields `x`, `y`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Transform {
    a: f64,
    b: f64,
    x: f64,
    y: f64,
}

impl Transform {
    /// The transform without reflection that maps `from` onto `onto` with the least squared error (Umeyama 1991; in two
    /// dimensions it has a closed form). `None` when all points of `from` coincide or are not finite.
    pub(crate) fn between<const N: usize>(from: &[Point; N], onto: &[Point; N]) -> Option<Self> {
        let (centre_from, centre_onto) = (centroid(from), centroid(onto));
        let (mut along, mut across, mut spread) = (0.0, 0.0, 0.0);
        for (from, onto) in from.iter().zip(onto) {
            let (fx, fy) = (f64::from(from.x) - centre_from.0, f64::from(from.y) - centre_from.1);
            let (ox, oy) = (f64::from(onto.x) - centre_onto.0, f64::from(onto.y) - centre_onto.1);
            along += fx * ox + fy * oy;
            across += fx * oy - fy * ox;
            spread += fx * fx + fy * fy;
        }
        let (a, b) = (along / spread, across / spread);
        let transform = Self {
            a,
            b,
            x: centre_onto.0 - a * centre_from.0 + b * centre_from.1,
            y: centre_onto.1 - b * centre_from.0 - a * centre_from.1,
        };
        let usable = spread.is_finite() && spread > 1e-6 && transform.scale() > 1e-9;
        usable.then_some(transform)
    }

    /// The scale factor.
    pub(crate) fn scale(&self) -> f64 {
        self.a.hypot(self.b)
    }

    /// The inverse: the source of a point.
    fn source(&self, x: f64, y: f64) -> (f64, f64) {
        let (x, y) = (x - self.x, y - self.y);
        let squared = self.a * self.a + self.b * self.b;
        ((self.a * x + self.b * y) / squared, (self.a * y - self.b * x) / squared)
    }

    /// The smallest axis-aligned source box that covers an output of this size.
    pub(crate) fn source_box(&self, width: usize, height: usize) -> Rect {
        let (width, height) = (width as f64, height as f64);
        let corners = [(0.0, 0.0), (width, 0.0), (0.0, height), (width, height)].map(|(x, y)| self.source(x, y));
        let least = |pick: fn(&(f64, f64)) -> f64| corners.iter().map(pick).fold(f64::INFINITY, f64::min) as f32;
        let most = |pick: fn(&(f64, f64)) -> f64| corners.iter().map(pick).fold(f64::NEG_INFINITY, f64::max) as f32;
        Rect::new(least(|p| p.0), least(|p| p.1), most(|p| p.0), most(|p| p.1))
    }

    /// The transform, as a matrix of two rows, for a source cropped at (left, top) and then reduced by (narrower,
    /// lower). Coordinates are pixel centres, so the reduction moves the origin.
    pub(crate) fn rows(&self, (left, top): (f64, f64), (narrower, lower): (f64, f64)) -> [[f64; 3]; 2] {
        let (left, top) = (left + (narrower - 1.0) / 2.0, top + (lower - 1.0) / 2.0);
        [
            [self.a * narrower, -self.b * lower, self.a * left - self.b * top + self.x],
            [self.b * narrower, self.a * lower, self.b * left + self.a * top + self.y],
        ]
    }
}

fn centroid(points: &[Point]) -> (f64, f64) {
    let count = points.len() as f64;
    let sum = points.iter().fold((0.0, 0.0), |(x, y), p| (x + f64::from(p.x), y + f64::from(p.y)));
    (sum.0 / count, sum.1 / count)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FACE: [Point; 5] = [
        Point { x: 38.0, y: 51.0 },
        Point { x: 73.0, y: 51.0 },
        Point { x: 56.0, y: 71.0 },
        Point { x: 41.0, y: 92.0 },
        Point { x: 70.0, y: 92.0 },
    ];

    fn carried(transform: &Transform, point: Point) -> Point {
        let [x, y] = transform.rows((0.0, 0.0), (1.0, 1.0));
        let apply = |row: [f64; 3]| (row[0] * f64::from(point.x) + row[1] * f64::from(point.y) + row[2]) as f32;
        Point { x: apply(x), y: apply(y) }
    }

    /// Rotated by 30 degrees, doubled, moved by (5, -7).
    fn moved(point: Point) -> Point {
        let (sin, cos) = 30f32.to_radians().sin_cos();
        Point { x: 2.0 * (cos * point.x - sin * point.y) + 5.0, y: 2.0 * (sin * point.x + cos * point.y) - 7.0 }
    }

    #[test]
    fn a_known_transform_is_found_again() {
        let transform = Transform::between(&FACE, &FACE.map(moved)).unwrap();
        assert!((transform.scale() - 2.0).abs() < 1e-5);
        for point in FACE {
            let (found, wanted) = (carried(&transform, point), moved(point));
            assert!((found.x - wanted.x).abs() < 1e-3 && (found.y - wanted.y).abs() < 1e-3);
        }
    }

    #[test]
    fn a_mirrored_face_is_not_mirrored_back() {
        let mirrored = FACE.map(|p| Point { x: -p.x, y: p.y });
        let transform = Transform::between(&mirrored, &FACE).unwrap();
        let [x, y] = transform.rows((0.0, 0.0), (1.0, 1.0));
        assert!(x[0] * y[1] - x[1] * y[0] > 0.0);
    }

    #[test]
    fn the_source_box_is_carried_over_the_whole_output() {
        let transform = Transform::between(&FACE.map(moved), &FACE).unwrap();
        let area = transform.source_box(112, 112);
        for corner in [(0.0, 0.0), (112.0, 112.0)].map(|(x, y)| moved(Point { x, y })) {
            assert!(area.scaled(1.001).contains(corner));
        }
    }

    #[test]
    fn a_shrunk_and_cut_source_gives_the_same_place() {
        let transform = Transform::between(&FACE.map(moved), &FACE).unwrap();
        let [x, _] = transform.rows((0.0, 0.0), (1.0, 1.0));
        let [cut, _] = transform.rows((10.0, 20.0), (2.0, 2.0));
        // Pixel (3, 4) of the source cut at (10, 20) and halved covers (16, 28) to (17, 29).
        let whole = x[0] * 16.5 + x[1] * 28.5 + x[2];
        assert!((cut[0] * 3.0 + cut[1] * 4.0 + cut[2] - whole).abs() < 1e-9);
    }

    #[test]
    fn points_that_span_nothing_have_no_transform() {
        assert_eq!(Transform::between(&[Point { x: 3.0, y: 4.0 }; 5], &FACE), None);
        assert_eq!(Transform::between(&[Point { x: f32::NAN, y: 4.0 }; 5], &FACE), None);
    }
}
