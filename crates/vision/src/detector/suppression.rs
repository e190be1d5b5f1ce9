//! Non-maximum suppression: keeps the highest-scoring candidate of each face.

use super::{Candidate, MAX_CANDIDATES};

/// The candidates by descending score, without those that overlap a higher-scoring one by more than `limit` (IoU).
pub(super) fn suppressed(mut candidates: Vec<Candidate>, limit: f32) -> Vec<Candidate> {
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
    candidates.truncate(MAX_CANDIDATES);
    let mut kept: Vec<Candidate> = Vec::new();
    for candidate in candidates {
        if kept.iter().all(|surer| surer.face_box.overlap(&candidate.face_box) <= limit) {
            kept.push(candidate);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use domain::geometry::Rect;

    use super::*;

    fn candidate(left: f32, score: f32) -> Candidate {
        Candidate { face_box: Rect::new(left, 0.0, left + 10.0, 10.0), landmarks: None, score }
    }

    #[test]
    fn of_overlapping_candidates_the_surest_stays() {
        let kept = suppressed(vec![candidate(0.0, 0.6), candidate(1.0, 0.9), candidate(50.0, 0.7)], 0.3);
        assert_eq!(kept, [candidate(1.0, 0.9), candidate(50.0, 0.7)]);
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
