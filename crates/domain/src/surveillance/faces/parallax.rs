//! Tells from the landmarks of a track whether a solid head has turned.
//!
//! The landmarks of a picture on paper or a screen are in one plane. However it is held, all its views are affine maps of
//! each other, except for perspective. A nose stands out of that plane, so the views of a head that turns are not. The
//! landmarks of all views, centred and scaled, span two dimensions for a plane and a third one for a turning head. The
//! residual is the extent in that third dimension; noise spreads over the fourth one as well.
//!
//! A head that keeps still shows no residual either. Its absence therefore proves nothing.

use crate::face::Landmarks;

/// Number of landmarks.
const POINTS: usize = 5;
/// Views after which a residual counts.
const MIN_VIEWS: u32 = 10;
/// Minimum residual of a solid head that has turned, per landmark, in eye distances. On simulated views, heads that turn
/// by 20 degrees to both sides pass, and of planes that are tilted by 50 degrees one in hundreds.
const SOLID: f64 = 0.04;
/// Minimum ratio of the extents in the third and in the fourth dimension: below it, the residual may be noise.
const ABOVE_NOISE: f64 = 2.0;
/// Sum of the squared distances of a face's landmarks from their centre, in squared eye distances.
const SPREAD: f64 = 2.2;
/// Smallest such sum that is a face, pixels.
const MIN_SPREAD: f64 = 1.0;
/// Rounds of rotations after which a matrix of this size is diagonal.
const ROUNDS: usize = 12;

type Matrix = [[f64; POINTS]; POINTS];

/// The views of one track.
#[derive(Debug, Default)]
pub(super) struct Parallax {
    /// Sum of the products of the landmarks' coordinates.
    products: Matrix,
    views: u32,
    solid: bool,
}

impl Parallax {
    /// Adds a view.
    pub(super) fn see(&mut self, landmarks: &Landmarks) {
        let Some(coordinates) = normalised(landmarks) else { return };
        for [one, other] in pairs() {
            self.products[one][other] +=
                coordinates[0][one] * coordinates[0][other] + coordinates[1][one] * coordinates[1][other];
        }
        self.views += 1;
        self.solid |= self.views >= MIN_VIEWS && self.shows_depth();
    }

    /// Whether the views have shown a solid head.
    pub(super) fn is_solid(&self) -> bool {
        self.solid
    }

    fn shows_depth(&self) -> bool {
        let [.., third, fourth, _] = eigenvalues(self.products);
        // Squared, and summed over views and landmarks.
        let least = SOLID * SOLID * f64::from(self.views) * POINTS as f64;
        third >= least && third >= ABOVE_NOISE * ABOVE_NOISE * fourth
    }
}

fn pairs() -> impl Iterator<Item = [usize; 2]> {
    (0..POINTS).flat_map(|one| (0..POINTS).map(move |other| [one, other]))
}

/// The horizontal and vertical coordinates, centred, in eye distances; `None` when they are no face.
fn normalised(landmarks: &Landmarks) -> Option<[[f64; POINTS]; 2]> {
    let centred = |values: [f64; POINTS]| {
        let mean = values.iter().sum::<f64>() / POINTS as f64;
        values.map(|value| value - mean)
    };
    let across = centred(landmarks.map(|point| f64::from(point.x)));
    let down = centred(landmarks.map(|point| f64::from(point.y)));
    let spread: f64 = across.iter().chain(&down).map(|value| value * value).sum();
    if !spread.is_finite() || spread < MIN_SPREAD {
        return None;
    }
    let scale = (SPREAD / spread).sqrt();
    Some([across, down].map(|values| values.map(|value| value * scale)))
}

/// The eigenvalues of a symmetric matrix, largest first, by Jacobi's rotations.
fn eigenvalues(mut matrix: Matrix) -> [f64; POINTS] {
    for _ in 0..ROUNDS {
        for (p, q) in (0..POINTS).flat_map(|q| (0..q).map(move |p| (p, q))) {
            rotate(&mut matrix, p, q);
        }
    }
    let mut values = std::array::from_fn(|index| matrix[index][index]);
    values.sort_by(|a: &f64, b| b.total_cmp(a));
    values
}

/// Makes the elements at (p, q) and (q, p) zero; p is less than q.
fn rotate(matrix: &mut Matrix, p: usize, q: usize) {
    if matrix[p][q] == 0.0 {
        return;
    }
    let theta = (matrix[q][q] - matrix[p][p]) / (2.0 * matrix[p][q]);
    let tangent = theta.signum() / (theta.abs() + theta.hypot(1.0));
    let cosine = 1.0 / tangent.hypot(1.0);
    let sine = tangent * cosine;
    for row in matrix.iter_mut() {
        (row[p], row[q]) = (cosine * row[p] - sine * row[q], sine * row[p] + cosine * row[q]);
    }
    let (above, below) = matrix.split_at_mut(q);
    for (one, other) in above[p].iter_mut().zip(&mut below[0]) {
        (*one, *other) = (cosine * *one - sine * *other, sine * *one + cosine * *other);
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;
    use crate::geometry::Point;

    /// A head, in eye distances: eyes, nose, corners of the mouth.
    const HEAD: [[f64; 3]; POINTS] =
        [[-0.5, 0.0, 0.0], [0.5, 0.0, 0.0], [0.0, 0.62, -0.5], [-0.4, 1.08, -0.12], [0.4, 1.08, -0.12]];
    /// Eye distance in the pictures, pixels.
    const EYES_PX: f64 = 40.0;
    /// Films of each kind.
    const FILMS: u64 = 60;

    /// How something is moved before the camera.
    #[derive(Clone, Copy)]
    struct Motion {
        /// Largest turn to both sides and up and down, degrees.
        turn: (f64, f64),
        /// Largest curve of a plane that is bent.
        bend: f64,
        /// Distance from the camera, eye distances.
        distance: f64,
        /// Deviation of the landmarks, eye distances.
        noise: f64,
    }

    const HELD: Motion = Motion { turn: (20.0, 8.0), bend: 0.0, distance: 14.0, noise: 0.026 };

    /// The plane of the head's picture.
    fn picture() -> [[f64; 3]; POINTS] {
        HEAD.map(|[x, y, _]| [x, y, 0.0])
    }

    /// A number in 0..1 that depends on the seed.
    fn random(seed: u64) -> f64 {
        let mixed = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ mixed >> 31) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Nearly normally distributed, with a deviation of 1.
    fn noise(seed: u64) -> f64 {
        (0..12).map(|part| random(seed * 12 + part)).sum::<f64>() - 6.0
    }

    fn turned([x, y, z]: [f64; 3], yaw: f64, pitch: f64) -> [f64; 3] {
        let (x, z) = (x * yaw.cos() + z * yaw.sin(), z * yaw.cos() - x * yaw.sin());
        [x, y * pitch.cos() - z * pitch.sin(), y * pitch.sin() + z * pitch.cos()]
    }

    /// What the camera sees of it in one frame of a film.
    fn view(shape: &[[f64; 3]; POINTS], motion: Motion, film: u64, frame: u64) -> Landmarks {
        let time = frame as f64 + TAU * random(film);
        let (yaw, pitch) = (motion.turn.0 * time.sin(), motion.turn.1 * (0.7 * time).sin());
        let mut point = 0;
        shape.map(|[x, y, z]| {
            point += 1;
            let z = z - motion.bend * (0.8 * time).sin() * 2.0 * x * x;
            let [x, y, z] = turned([x, y - 0.55, z], yaw.to_radians(), pitch.to_radians());
            let depth = EYES_PX / (1.0 + z / motion.distance);
            let seed = (film * 1_000 + frame) * 10 + point;
            let blurred = |value: f64, axis| (value * depth + EYES_PX * motion.noise * noise(2 * seed + axis)) as f32;
            Point { x: 300.0 + blurred(x, 0), y: 200.0 + blurred(y, 1) }
        })
    }

    /// The share of films of 25 frames that show a solid head.
    fn solid(shape: &[[f64; 3]; POINTS], motion: Motion) -> f64 {
        let passes = |film: &u64| {
            let mut parallax = Parallax::default();
            (0..25).for_each(|frame| parallax.see(&view(shape, motion, *film, frame)));
            parallax.is_solid()
        };
        (0..FILMS).filter(passes).count() as f64 / FILMS as f64
    }

    #[test]
    fn a_head_that_turns_is_solid() {
        assert_eq!(solid(&HEAD, HELD), 1.0);
        assert_eq!(solid(&HEAD, Motion { turn: (30.0, 5.0), noise: 0.012, ..HELD }), 1.0);
        assert!(solid(&HEAD, Motion { turn: (25.0, 8.0), noise: 0.04, ..HELD }) > 0.9, "with poor landmarks");
    }

    #[test]
    fn a_head_that_keeps_still_shows_nothing() {
        assert_eq!(solid(&HEAD, Motion { turn: (3.0, 2.0), ..HELD }), 0.0);
    }

    #[test]
    fn a_picture_is_hardly_ever_solid_however_it_is_held() {
        for noise in [0.0, 0.012, 0.026] {
            for (turn, distance) in [((2.0, 2.0), 14.0), ((20.0, 20.0), 10.0), ((35.0, 35.0), 6.0), ((50.0, 40.0), 6.0)]
            {
                let motion = Motion { turn, distance, noise, bend: 0.0 };
                assert!(solid(&picture(), motion) < 0.02, "tilted by {turn:?} with noise {noise}");
            }
            let bent = Motion { turn: (15.0, 10.0), bend: 0.6, distance: 8.0, noise };
            assert_eq!(solid(&picture(), bent), 0.0, "bent with noise {noise}");
        }
    }

    #[test]
    fn few_views_prove_nothing() {
        let mut parallax = Parallax::default();
        let fast = Motion { turn: (40.0, 10.0), noise: 0.0, ..HELD };
        (0..u64::from(MIN_VIEWS) - 1).for_each(|frame| parallax.see(&view(&HEAD, fast, 1, frame)));
        assert!(!parallax.is_solid());
        parallax.see(&view(&HEAD, fast, 1, u64::from(MIN_VIEWS)));
        assert!(parallax.is_solid());
    }

    #[test]
    fn views_that_are_no_face_are_ignored() {
        let mut parallax = Parallax::default();
        let nowhere = Point { x: f32::NAN, y: 0.0 };
        (0..100).for_each(|_| parallax.see(&[nowhere; POINTS]));
        (0..100).for_each(|_| parallax.see(&[Point::default(); POINTS]));
        assert_eq!((parallax.views, parallax.is_solid()), (0, false));
    }

    #[test]
    fn eigenvalues_are_those_of_the_matrix() {
        // Of a diagonal matrix, and of one with a known pair in a corner.
        let mut matrix = [[0.0; POINTS]; POINTS];
        (0..POINTS).for_each(|index| matrix[index][index] = index as f64);
        assert_eq!(eigenvalues(matrix), [4.0, 3.0, 2.0, 1.0, 0.0]);
        (matrix[3][3], matrix[4][4], matrix[3][4], matrix[4][3]) = (5.0, 5.0, 2.0, 2.0);
        let found = eigenvalues(matrix);
        assert!((found[0] - 7.0).abs() < 1e-9 && (found[1] - 3.0).abs() < 1e-9, "{found:?}");
    }
}
