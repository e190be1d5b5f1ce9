//! Waits for the head of a known visitor to turn, where doors ask for that.

use super::parallax::Parallax;
use crate::face::Landmarks;
use crate::surveillance::doorkeeper::{Arrival, Turned};
use crate::time::Timestamp;

/// Maximum time between two views: a longer gap is time enough to exchange a picture for a head.
const GAP_MILLIS: i64 = 700;

/// The head of one visitor.
#[derive(Debug, Default)]
pub(super) struct HeadTurn {
    parallax: Parallax,
    seen: Option<Timestamp>,
    /// Reported to the doors before the head had turned.
    waiting: Option<Arrival>,
    /// Whether a look was taken since the head has turned.
    looking: bool,
}

impl HeadTurn {
    /// Adds a view of the face. `doubtful`: it may be another face than before.
    pub(super) fn see(&mut self, at: Timestamp, landmarks: &Landmarks, doubtful: bool) {
        let gap = self.seen.map_or(0, |seen| at.millis_since(seen));
        if doubtful || !(0..=GAP_MILLIS).contains(&gap) {
            self.restart();
        }
        self.seen = Some(at);
        self.parallax.see(landmarks);
    }

    /// Forgets the views.
    pub(super) fn restart(&mut self) {
        (self.parallax, self.looking) = (Parallax::default(), false);
    }

    /// Whether the head has turned so far.
    pub(super) fn so_far(&self) -> Turned {
        if self.parallax.is_solid() { Turned::Before } else { Turned::NotYet }
    }

    /// Keeps an arrival until the head has turned.
    pub(super) fn wait_with(&mut self, arrival: Arrival) {
        self.waiting = Some(arrival);
    }

    /// Whether a look is needed: the head has turned, and a look has to show that it is the visitor's. Returns it once.
    pub(super) fn take_wish(&mut self) -> bool {
        let wanted = self.waiting.is_some() && self.parallax.is_solid() && !self.looking;
        self.looking |= wanted;
        wanted
    }

    /// Reports a look; `same`: at the same face as before.
    pub(super) fn looked(&mut self, same: bool) -> Looked {
        if !std::mem::take(&mut self.looking) {
            return Looked::Unasked;
        }
        if !same {
            self.restart();
            return Looked::AtAnother;
        }
        let arrival = self.waiting.take().zip(self.seen);
        arrival.map_or(Looked::Unasked, |(arrival, seen)| {
            Looked::AtVisitor(Arrival { seen, turned: Turned::Since, ..arrival })
        })
    }
}

/// What a look means for a head that was waited for.
#[derive(Debug)]
pub(super) enum Looked {
    /// Nothing: it was taken for another reason.
    Unasked,
    /// The head that has turned may be somebody else's. The look must not count as one at the visitor, or the next one at
    /// that head would be like it.
    AtAnother,
    /// The visitor's head has turned; the arrival is to be reported again.
    AtVisitor(Arrival),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Point;
    use crate::ids::{CameraId, PersonId};
    use crate::similarity::Similarity;
    use crate::surveillance::doorkeeper::Pass;

    fn arrival() -> Arrival {
        Arrival {
            person: PersonId(1),
            camera: CameraId(1),
            similarity: Similarity::new(0.9),
            checked_alive: true,
            seen: Timestamp::from_millis(0),
            pass: Pass::AtTheDoor,
            turned: Turned::NotYet,
        }
    }

    /// The nose moves across the face, as that of a head that turns.
    fn landmarks(nose: f32) -> Landmarks {
        [(100.0, 100.0), (140.0, 100.0), (120.0 + nose, 125.0), (104.0, 143.0), (136.0, 143.0)]
            .map(|(x, y)| Point { x, y })
    }

    /// A visitor whose head turns for two seconds.
    fn turn(head: &mut HeadTurn, from: i64) {
        for frame in 0..10 {
            head.see(Timestamp::from_millis(from + 200 * frame), &landmarks(12.0 * (frame as f32).sin()), false);
        }
    }

    #[test]
    fn a_head_that_turns_after_its_arrival_is_reported_with_a_look_at_the_same_face() {
        let mut head = HeadTurn::default();
        head.wait_with(arrival());
        assert!(!head.take_wish());
        turn(&mut head, 0);
        assert!(head.take_wish());
        assert!(!head.take_wish(), "one look is enough");
        let Looked::AtVisitor(again) = head.looked(true) else { panic!("the head has turned") };
        assert_eq!((again.turned, again.seen), (Turned::Since, Timestamp::from_millis(1_800)));
        turn(&mut head, 2_000);
        assert!(!head.take_wish() && matches!(head.looked(true), Looked::Unasked), "it is reported once");
    }

    #[test]
    fn the_head_of_somebody_else_does_not_count() {
        let mut head = HeadTurn::default();
        head.wait_with(arrival());
        turn(&mut head, 0);
        assert!(head.take_wish());
        assert!(matches!(head.looked(false), Looked::AtAnother));
        assert!(matches!(head.looked(true), Looked::Unasked) && !head.take_wish(), "the visitor's head has not turned");
        turn(&mut head, 2_000);
        assert!(head.take_wish() && matches!(head.looked(true), Looked::AtVisitor(_)));
    }

    #[test]
    fn views_before_a_gap_or_a_doubt_do_not_count() {
        for (gap, doubtful) in [(5_000, false), (0, true)] {
            let mut head = HeadTurn::default();
            turn(&mut head, 0);
            assert_eq!(head.so_far(), Turned::Before);
            head.see(Timestamp::from_millis(2_000 + gap), &landmarks(0.0), doubtful);
            assert_eq!(head.so_far(), Turned::NotYet);
        }
    }

    #[test]
    fn a_head_that_has_turned_already_is_not_waited_for() {
        let mut head = HeadTurn::default();
        turn(&mut head, 0);
        assert_eq!(head.so_far(), Turned::Before);
        assert!(!head.take_wish(), "nobody waits");
    }
}
