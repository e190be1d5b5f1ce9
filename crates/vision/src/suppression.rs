//! Non-maximum suppression: keeps the highest-scoring candidate of each face or object.

use domain::geometry::Rect;

/// Maximum number of candidates that are compared, highest score first.
const MAX_CANDIDATES: usize = 2000;

/// What a network takes for a face or object.
pub(crate) trait Candidate {
    /// Around it.
    fn place(&self) -> &Rect;

    /// How certain that is, 0..=1.
    fn score(&self) -> f32;

    /// Whether it may be the same as another one that is at the same place.
    fn is_like(&self, other: &Self) -> bool;
}

/// The candidates by descending score, without those that overlap a higher-scoring one like them by more than `limit`
/// (IoU).
pub(crate) fn suppressed<C: Candidate>(mut candidates: Vec<C>, limit: f32) -> Vec<C> {
    candidates.sort_by(|a, b| b.score().total_cmp(&a.score()));
    candidates.truncate(MAX_CANDIDATES);
    let mut kept: Vec<C> = Vec::new();
    for candidate in candidates {
        let is_free = |surer: &C| !surer.is_like(&candidate) || surer.place().overlap(candidate.place()) <= limit;
        if kept.iter().all(is_free) {
            kept.push(candidate);
        }
    }
    kept
}

/// The candidates, surest first, without those whose centre lies in a surer and larger one like them: an eye or a cheek
/// of a face that fills the picture.
pub(crate) fn without_parts<C: Candidate>(candidates: Vec<C>) -> Vec<C> {
    let mut kept: Vec<C> = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        let place = candidate.place();
        let has_part = |surer: &C| {
            let whole = surer.place();
            surer.is_like(&candidate) && whole.area() > place.area() && whole.contains(place.center())
        };
        if !kept.iter().any(has_part) {
            kept.push(candidate);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Box {
        class: u8,
        place: Rect,
        score: f32,
    }

    impl Candidate for Box {
        fn place(&self) -> &Rect {
            &self.place
        }

        fn score(&self) -> f32 {
            self.score
        }

        fn is_like(&self, other: &Self) -> bool {
            self.class == other.class
        }
    }

    fn candidate(left: f32, score: f32) -> Box {
        Box { class: 0, place: Rect::new(left, 0.0, left + 10.0, 10.0), score }
    }

    #[test]
    fn a_candidate_of_another_class_stays() {
        let other = Box { class: 1, ..candidate(1.0, 0.6) };
        assert_eq!(suppressed(vec![candidate(0.0, 0.9), other], 0.3).len(), 2);
    }

    #[test]
    fn of_overlapping_candidates_the_surest_stays() {
        let kept = suppressed(vec![candidate(0.0, 0.6), candidate(1.0, 0.9), candidate(50.0, 0.7)], 0.3);
        assert_eq!(kept, [candidate(1.0, 0.9), candidate(50.0, 0.7)]);
    }

    #[test]
    fn an_eye_of_a_surer_face_is_no_face_but_a_face_before_a_less_sure_one_is() {
        let square = |side: f32, score| Box {
            class: 0,
            place: Rect::new(50.0 - side / 2.0, 50.0 - side / 2.0, 50.0 + side / 2.0, 50.0 + side / 2.0),
            score,
        };
        assert_eq!(without_parts(vec![square(80.0, 0.9), square(20.0, 0.5)]), [square(80.0, 0.9)]);
        let (small, large) = (square(20.0, 0.9), square(80.0, 0.5));
        assert_eq!(without_parts(vec![small, large]), [square(20.0, 0.9), square(80.0, 0.5)]);
    }

    #[test]
    fn neighbours_that_hardly_touch_both_stay() {
        assert_eq!(suppressed(vec![candidate(0.0, 0.6), candidate(8.0, 0.9)], 0.3).len(), 2);
    }

    #[test]
    fn a_face_behind_a_suppressed_one_stays() {
        // The middle one overlaps both, the outer two do not overlap each other.
        let kept = suppressed(vec![candidate(0.0, 0.9), candidate(4.0, 0.8), candidate(8.0, 0.7)], 0.3);
        assert_eq!(kept, [candidate(0.0, 0.9), candidate(8.0, 0.7)]);
    }
}
