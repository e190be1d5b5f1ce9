//! The visitors in view of one camera now, or a moment ago.
//!
//! It ensures that a person is matched with at most one face of a frame, and that a face that was recorded is not
//! recorded again before it was out of sight for the watch's re-arm time.

use std::collections::HashMap;
use std::time::Duration;

use super::visit::{VisitId, same_visitor};
use crate::calibration::Calibration;
use crate::face::Embedding;
use crate::ids::{PersonId, WatchId};
use crate::time::Timestamp;

/// Maximum number of visitors remembered per watch; beyond that the one unseen for longest is forgotten.
const REMEMBERED: usize = 256;

/// Who was recorded.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Visitor {
    Person(PersonId),
    Stranger(Embedding),
    /// A picture of a face: neither the person nor a stranger.
    Spoof(Embedding),
}

/// Time span of a visit so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stay {
    pub(super) first_seen: Timestamp,
    pub(super) last_seen: Timestamp,
}

#[derive(Debug)]
struct Presence {
    visitor: Visitor,
    visit: VisitId,
    last_seen: Timestamp,
}

/// The visitors that each watch of one camera has recorded.
#[derive(Debug, Default)]
pub(super) struct Recorded {
    by_watch: HashMap<WatchId, Visitors>,
}

impl Recorded {
    /// The visitors that this watch has recorded.
    pub(super) fn by(&mut self, watch: WatchId) -> &mut Visitors {
        self.by_watch.entry(watch).or_default()
    }

    /// Reports that the face of a visit is in view.
    pub(super) fn seen(&mut self, visit: VisitId, at: Timestamp) {
        self.by_watch.values_mut().for_each(|visitors| visitors.seen(visit, at));
    }

    /// Whether this watch has recorded another face that is in view now as this person.
    pub(super) fn taken(
        &self,
        watch: WatchId,
        person: PersonId,
        by_other_than: VisitId,
        live: impl Fn(VisitId) -> bool,
    ) -> bool {
        self.by_watch.get(&watch).is_some_and(|visitors| visitors.taken(person, by_other_than, live))
    }

    /// Forgets the visitor of a visit.
    pub(super) fn forget(&mut self, visit: VisitId) {
        self.by_watch.values_mut().for_each(|visitors| visitors.forget(visit));
    }

    /// Forgets the visitors of other watches.
    pub(super) fn keep_only(&mut self, kept: impl Fn(WatchId) -> bool) {
        self.by_watch.retain(|watch, _| kept(*watch));
    }
}

/// The visitors of one camera that one watch has recorded.
#[derive(Debug, Default)]
pub(super) struct Visitors {
    present: Vec<Presence>,
}

impl Visitors {
    /// Reports that the face of a visit is in view.
    fn seen(&mut self, visit: VisitId, at: Timestamp) {
        for presence in self.present.iter_mut().filter(|presence| presence.visit == visit) {
            presence.last_seen = at;
        }
    }

    /// Whether another face that is in view now was recorded as this person.
    fn taken(&self, person: PersonId, by_other_than: VisitId, live: impl Fn(VisitId) -> bool) -> bool {
        let wanted = Visitor::Person(person);
        self.present.iter().any(|p| p.visitor == wanted && p.visit != by_other_than && live(p.visit))
    }

    /// Sets the visitor of a visit. Returns whether the visitor is to be recorded: `false` when the same visitor was
    /// recorded and has not been out of sight for the re-arm time since, or the same visit was recorded as this
    /// visitor.
    pub(super) fn arrive(
        &mut self,
        visitor: Visitor,
        visit: VisitId,
        stay: Stay,
        rearm: Duration,
        calibration: &Calibration,
    ) -> bool {
        let rearm = i64::try_from(rearm.as_millis()).unwrap_or(i64::MAX);
        let known = self.present.iter_mut().find(|p| p.visitor.same(&visitor, calibration));
        if let Some(presence) = known {
            let away = stay.first_seen.millis_since(presence.last_seen);
            let is_new = presence.visit != visit && away >= rearm;
            presence.visit = visit;
            presence.last_seen = presence.last_seen.max(stay.last_seen);
            return is_new;
        }
        self.forget_stalest();
        self.present.push(Presence { visitor, visit, last_seen: stay.last_seen });
        true
    }

    /// Forgets the visitor of a visit.
    fn forget(&mut self, visit: VisitId) {
        self.present.retain(|presence| presence.visit != visit);
    }

    fn forget_stalest(&mut self) {
        if self.present.len() < REMEMBERED {
            return;
        }
        let stalest = self.present.iter().enumerate().min_by_key(|(_, p)| p.last_seen).map(|(index, _)| index);
        stalest.map(|index| self.present.swap_remove(index));
    }
}

impl Visitor {
    fn same(&self, other: &Self, calibration: &Calibration) -> bool {
        match (self, other) {
            (Self::Person(a), Self::Person(b)) => a == b,
            (Self::Stranger(a), Self::Stranger(b)) | (Self::Spoof(a), Self::Spoof(b)) => {
                same_visitor(a, b, calibration)
            }
            (Self::Person(_) | Self::Stranger(_) | Self::Spoof(_), _) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::ModelId;

    const REARM: Duration = Duration::from_secs(5);

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn stay(first: i64, last: i64) -> Stay {
        Stay { first_seen: at(first), last_seen: at(last) }
    }

    fn straight() -> Calibration {
        Calibration::new(vec![(0.0, 0.0), (1.0, 1.0)]).unwrap()
    }

    fn stranger(x: f32, y: f32) -> Visitor {
        Visitor::Stranger(Embedding::normalised(ModelId("m".into()), vec![x, y]).unwrap())
    }

    #[test]
    fn a_person_is_recorded_again_only_after_the_rearm_time_out_of_sight() {
        let mut visitors = Visitors::default();
        let alice = || Visitor::Person(PersonId(1));
        assert!(visitors.arrive(alice(), VisitId(1), stay(0, 3_000), REARM, &straight()));
        visitors.seen(VisitId(1), at(10_000));
        assert!(!visitors.arrive(alice(), VisitId(2), stay(12_000, 13_000), REARM, &straight()));
        assert!(!visitors.arrive(alice(), VisitId(3), stay(17_999, 18_000), REARM, &straight()));
        assert!(visitors.arrive(alice(), VisitId(4), stay(23_000, 24_000), REARM, &straight()));
    }

    #[test]
    fn strangers_are_distinguished_by_their_faces() {
        let mut visitors = Visitors::default();
        assert!(visitors.arrive(stranger(1.0, 0.0), VisitId(1), stay(0, 0), REARM, &straight()));
        assert!(!visitors.arrive(stranger(0.95, 0.1), VisitId(2), stay(1_000, 1_000), REARM, &straight()));
        assert!(visitors.arrive(stranger(0.0, 1.0), VisitId(3), stay(1_000, 1_000), REARM, &straight()));
    }

    #[test]
    fn a_person_in_view_is_taken_for_every_other_face() {
        let mut visitors = Visitors::default();
        visitors.arrive(Visitor::Person(PersonId(1)), VisitId(1), stay(0, 0), REARM, &straight());
        assert!(visitors.taken(PersonId(1), VisitId(2), |_| true));
        assert!(!visitors.taken(PersonId(1), VisitId(1), |_| true), "not for the face itself");
        assert!(!visitors.taken(PersonId(1), VisitId(2), |_| false), "nor after it left");
    }
}
