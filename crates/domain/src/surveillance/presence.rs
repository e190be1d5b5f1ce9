//! Who is in view of one camera now, or was a moment ago.
//!
//! It keeps two promises: a person is matched with at most one face of a frame, and a face that was recorded
//! is not recorded again before it was out of sight for the watch's re-arm time.

use std::time::Duration;

use super::tracker::TrackId;
use crate::{Embedding, PersonId, Timestamp};

/// Two unknown faces this alike (cosine) are the same visitor; stricter than a match, so that two strangers
/// are rarely taken for one.
const SAME_STRANGER_COSINE: f32 = 0.55;
/// Visitors remembered at most; the one unseen for longest is forgotten first.
const REMEMBERED: usize = 256;

/// Who a recorded face was.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Visitor {
    Person(PersonId),
    Stranger(Embedding),
    /// A picture of somebody: neither the person nor a stranger.
    Spoof(Embedding),
}

/// The time a track spans so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Visit {
    pub(super) first_seen: Timestamp,
    pub(super) last_seen: Timestamp,
}

#[derive(Debug)]
struct Presence {
    visitor: Visitor,
    track: TrackId,
    last_seen: Timestamp,
}

/// The visitors of one camera.
#[derive(Debug, Default)]
pub(super) struct Visitors {
    present: Vec<Presence>,
}

impl Visitors {
    /// Notes that the face of a track was seen.
    pub(super) fn seen(&mut self, track: TrackId, at: Timestamp) {
        for presence in self.present.iter_mut().filter(|presence| presence.track == track) {
            presence.last_seen = at;
        }
    }

    /// Whether another face that is in view now was recorded as this person.
    pub(super) fn taken(&self, person: PersonId, by_other_than: TrackId, live: impl Fn(TrackId) -> bool) -> bool {
        let wanted = Visitor::Person(person);
        self.present.iter().any(|p| p.visitor == wanted && p.track != by_other_than && live(p.track))
    }

    /// Notes who a track is. Answers whether that is news: `false` when the same visitor was recorded and has
    /// not been out of sight for the re-arm time since, or the same track was recorded as the same visitor.
    pub(super) fn arrive(&mut self, visitor: Visitor, track: TrackId, visit: Visit, rearm: Duration) -> bool {
        let rearm = i64::try_from(rearm.as_millis()).unwrap_or(i64::MAX);
        let known = self.present.iter_mut().find(|p| p.visitor.same(&visitor));
        if let Some(presence) = known {
            let away = visit.first_seen.millis_since(presence.last_seen);
            let news = presence.track != track && away >= rearm;
            presence.track = track;
            presence.last_seen = presence.last_seen.max(visit.last_seen);
            return news;
        }
        self.forget_stalest();
        self.present.push(Presence { visitor, track, last_seen: visit.last_seen });
        true
    }

    /// Forgets who a track was.
    pub(super) fn forget(&mut self, track: TrackId) {
        self.present.retain(|presence| presence.track != track);
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
    fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Person(a), Self::Person(b)) => a == b,
            (Self::Stranger(a), Self::Stranger(b)) | (Self::Spoof(a), Self::Spoof(b)) => {
                a.cosine(b).is_some_and(|cosine| cosine >= SAME_STRANGER_COSINE)
            }
            (Self::Person(_) | Self::Stranger(_) | Self::Spoof(_), _) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ModelId;

    const REARM: Duration = Duration::from_secs(5);

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn visit(first: i64, last: i64) -> Visit {
        Visit { first_seen: at(first), last_seen: at(last) }
    }

    fn stranger(x: f32, y: f32) -> Visitor {
        Visitor::Stranger(Embedding::normalised(ModelId("m".into()), vec![x, y]).unwrap())
    }

    #[test]
    fn a_person_is_news_again_only_after_the_rearm_time_out_of_sight() {
        let mut visitors = Visitors::default();
        let alice = || Visitor::Person(PersonId(1));
        assert!(visitors.arrive(alice(), TrackId(1), visit(0, 3_000), REARM));
        visitors.seen(TrackId(1), at(10_000));
        assert!(!visitors.arrive(alice(), TrackId(2), visit(12_000, 13_000), REARM));
        assert!(!visitors.arrive(alice(), TrackId(3), visit(17_999, 18_000), REARM));
        assert!(visitors.arrive(alice(), TrackId(4), visit(23_000, 24_000), REARM));
    }

    #[test]
    fn strangers_are_told_apart_by_their_faces() {
        let mut visitors = Visitors::default();
        assert!(visitors.arrive(stranger(1.0, 0.0), TrackId(1), visit(0, 0), REARM));
        assert!(!visitors.arrive(stranger(0.95, 0.1), TrackId(2), visit(1_000, 1_000), REARM));
        assert!(visitors.arrive(stranger(0.0, 1.0), TrackId(3), visit(1_000, 1_000), REARM));
    }

    #[test]
    fn a_person_in_view_is_taken_for_every_other_face() {
        let mut visitors = Visitors::default();
        visitors.arrive(Visitor::Person(PersonId(1)), TrackId(1), visit(0, 0), REARM);
        assert!(visitors.taken(PersonId(1), TrackId(2), |_| true));
        assert!(!visitors.taken(PersonId(1), TrackId(1), |_| true), "not for the face itself");
        assert!(!visitors.taken(PersonId(1), TrackId(2), |_| false), "nor after it left");
    }
}
