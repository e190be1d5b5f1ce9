//! The door between the document's words and the core's.

use domain::{Decider, DoorRules, Similarity};

/// What a face must be like for want of a word about it.
const UNSET: Similarity = Similarity::DEFAULT_THRESHOLD;
/// The bits that demand a mask and a temperature, which no sensor of the device tells.
const CHECKS: i64 = 0x300;

/// `OpendoorWay`.
pub(crate) fn way(decided_by: Decider) -> u8 {
    match decided_by {
        Decider::Face => 0,
        Decider::Remote => 1,
        Decider::FaceOrRemote => 2,
        Decider::FaceThenRemote => 3,
    }
}

/// `None` for a way that there is not.
pub(crate) fn decider(way: i64) -> Option<Decider> {
    [Decider::Face, Decider::Remote, Decider::FaceOrRemote, Decider::FaceThenRemote]
        .into_iter()
        .find(|decider| i64::from(self::way(*decider)) == way)
}

/// `FaceThreshold`, 50 to 100.
pub(crate) fn threshold(rules: &DoorRules) -> u8 {
    let threshold = if rules.threshold == Similarity::ZERO { UNSET } else { rules.threshold };
    threshold.percent().max(50)
}

/// Whether a `VerifyMode` is one of a machine without sensors for masks and temperature.
pub(crate) fn is_verify_mode(mode: i64) -> bool {
    mode & CHECKS == 0 && matches!(mode, 1..=4 | 21..=26)
}

/// Whether a face alone is what a `VerifyMode` demands: the white list (1), or that or something else (4, 23, 26).
pub(crate) fn face_suffices(mode: i64) -> bool {
    matches!(mode, 1 | 4 | 23 | 26)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_are_numbered_from_0_to_3() {
        for number in 0..=3 {
            assert_eq!(decider(number).map(way), Some(number as u8));
        }
        assert_eq!((decider(-1), decider(4)), (None, None));
    }

    #[test]
    fn a_face_suffices_where_nothing_else_is_demanded_with_it() {
        let suffices: Vec<i64> = (0..=30).filter(|mode| is_verify_mode(*mode) && face_suffices(*mode)).collect();
        assert_eq!(suffices, [1, 4, 23, 26]);
        for demanding in [257, 261, 513, 793] {
            assert!(!is_verify_mode(demanding), "{demanding}: nothing tells masks and temperature");
        }
    }
}
