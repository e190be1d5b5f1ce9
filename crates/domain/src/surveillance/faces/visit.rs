//! One visit of one face: its shots and looks, their common probe, and its candidates.

use bytes::Bytes;

use super::best_shot::{BestShot, Standing};
use super::passing::{Passing, Scene, Shot};
use super::turn::HeadTurn;
use super::vote::Vote;
use crate::calibration::Calibration;
use crate::camera::SnapMode;
use crate::face::{Detection, Embedding, Face};
use crate::ids::{PersonId, WatchId};
use crate::similarity::Similarity;
use crate::surveillance::tracker::{MAX_LOST_MILLIS, Track, TrackId};
use crate::time::Timestamp;

/// How long an undecided visit may be continued after it was lost from sight.
const RELINK_MILLIS: i64 = 2_000;
/// A visit is sure of its best candidate only when the second is this much less similar.
const MARGIN: f32 = 0.05;
/// A visit is decided at a single look only when the second candidate is this much less similar. Twice [`MARGIN`],
/// since no further look confirms which of the two it is: people who are enrolled twice and twins get their looks.
const CERTAIN_MARGIN: f32 = 0.10;
/// Faces at least this similar are of the same visitor; stricter than a match, so that two strangers are rarely
/// confused.
const SAME_VISITOR: f32 = 0.84;
/// Faces less similar than this, both in good shots, are of different visitors.
const OTHER_VISITOR: f32 = 0.50;

/// Number of a visit, unique per camera since the camera was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct VisitId(pub(super) u64);

/// A described shot, with the pictures for a record of it.
#[derive(Debug)]
pub(super) struct Look {
    /// Time of the frame.
    pub(super) at: Timestamp,
    /// Quality of the detection, before the shot was described.
    pub(super) quality: u8,
    pub(super) face: Face,
    /// JPEG of the face with its surroundings.
    pub(super) crop: Bytes,
    pub(super) scene: Scene,
}

/// One visit of one face, in one track or in several that follow each other.
#[derive(Debug)]
pub(super) struct Visit {
    pub(super) id: VisitId,
    /// The track of the face; `None` while it is lost from sight.
    pub(super) track: Option<TrackId>,
    pub(super) first_seen: Timestamp,
    pub(super) last_seen: Timestamp,
    pub(super) shots: BestShot,
    /// The shot to be described next.
    pub(super) wanted: Option<Shot>,
    /// Whether it is to be decided as soon as no shot waits to be described.
    pub(super) due: bool,
    /// The best look since the last decision.
    pub(super) best: Option<Look>,
    /// Combined over the watches: sure as soon as one watch is.
    pub(super) standing: Standing,
    /// The result of the newest search for each watch.
    pub(super) opinions: Vec<Opinion>,
    /// Liveness score of the newest look.
    pub(super) liveness: Option<f32>,
    /// Clarity of the clearest look since the last decision.
    pub(super) clarity: Option<f32>,
    /// The person whose pass it was counted as.
    pub(super) passed: Option<PersonId>,
    pub(super) turn: HeadTurn,
    vote: Vote,
}

/// Result of a search for one watch.
#[derive(Debug, Clone)]
pub(in crate::surveillance) struct Opinion {
    pub(in crate::surveillance) watch: WatchId,
    /// Candidates, most similar first.
    pub(in crate::surveillance) candidates: Vec<(PersonId, Similarity)>,
    /// Lowest similarity at which a candidate is accepted.
    pub(in crate::surveillance) threshold: Similarity,
    /// Lowest similarity at which a single look is sure.
    pub(in crate::surveillance) sure_from: Similarity,
    /// Number of people searched among.
    pub(in crate::surveillance) people: u64,
}

impl Opinion {
    /// Whether the best candidate is so by a single look, with room to the threshold and to the second.
    fn is_certain(&self) -> bool {
        self.best().is_some_and(|(best, margin)| best >= self.sure_from && margin >= CERTAIN_MARGIN)
    }

    /// The highest similarity, and by how much the second is lower.
    fn best(&self) -> Option<(Similarity, f32)> {
        let [best, rest @ ..] = self.candidates.as_slice() else { return None };
        Some((best.1, best.1.value() - rest.first().map_or(0.0, |second| second.1.value())))
    }
}

impl Visit {
    pub(super) fn new(id: VisitId, track: TrackId, at: Timestamp, mode: SnapMode) -> Self {
        Self {
            id,
            track: Some(track),
            first_seen: at,
            last_seen: at,
            shots: BestShot::new(mode, at),
            wanted: None,
            due: false,
            best: None,
            standing: Standing::Unsure,
            opinions: Vec::new(),
            liveness: None,
            clarity: None,
            passed: None,
            turn: HeadTurn::default(),
            vote: Vote::default(),
        }
    }

    /// Adds a frame. `doubtful`: the track may follow another face now. `early`: somebody waits for the decision.
    pub(super) fn see(&mut self, frame: &mut Passing<'_>, detection: &Detection, doubtful: bool, early: bool) {
        let at = frame.at();
        self.last_seen = at;
        self.turn.see(at, &detection.landmarks, doubtful);
        if self.wanted.is_none() && self.turn.take_wish() {
            self.wanted = Some(frame.shoot(detection));
        }
        let another = self.wanted.is_none() && self.shots.wants_another(at, self.standing, doubtful);
        self.shots.see(frame, detection, self.standing, another);
        if self.wanted.is_none() {
            self.wanted = self.shots.look(at, another, early);
        }
        if self.shots.due(at, self.standing) {
            self.call_due(at);
        }
    }

    /// Reports that the face is lost from sight.
    pub(super) fn lose(&mut self, track: &Track) {
        self.track = None;
        self.last_seen = track.last_seen;
        if self.wanted.is_none() && self.shots.undecided() {
            self.wanted = self.shots.last_look(track.last_seen);
        }
    }

    /// Makes the visit due now, without waiting for a better look.
    pub(super) fn call_due(&mut self, now: Timestamp) {
        self.due = true;
        if self.wanted.is_none() {
            self.wanted = self.shots.last_look(now);
        }
    }

    /// Makes an undecided visit that needs no further look due now: one that is certain or, in snap mode *first*, sure.
    /// Wherever a living face is demanded, every look must be one.
    pub(super) fn hasten(&mut self, live_from: Option<f32>) {
        let sure = self.shots.mode() == SnapMode::First && self.standing == Standing::Sure && self.shots.confirmed();
        let enough = sure || self.opinions.iter().any(Opinion::is_certain);
        if enough && self.shots.undecided() && self.vote.all_living(live_from) {
            self.wanted = None;
            self.due = true;
        }
    }

    /// Whether it is to be decided now and has all that is needed for a decision.
    pub(super) fn ripe(&self, now: Timestamp) -> bool {
        let settled = self.standing != Standing::Unsure || self.stale(now);
        let left = self.track.is_none() && self.shots.undecided() && settled && self.shots.confirmed();
        self.best.is_some() && self.wanted.is_none() && self.shots.wants_more() && (self.due || left)
    }

    /// Whether nothing is left to be decided and it will not be continued.
    pub(super) fn over(&self, now: Timestamp) -> bool {
        let open = self.shots.undecided() && self.shots.confirmed();
        let nothing_to_decide = self.probe().is_none() || !open && self.stale(now);
        self.track.is_none() && self.wanted.is_none() && nothing_to_decide
    }

    /// Whether it was out of sight for too long to be continued.
    pub(super) fn stale(&self, now: Timestamp) -> bool {
        now.millis_since(self.last_seen) > MAX_LOST_MILLIS + RELINK_MILLIS
    }

    /// Adds a look. `certain`: it surely shows the face of this visit. `live_from`: lowest liveness score of a living
    /// face, if one is demanded.
    pub(super) fn take_in(&mut self, look: Look, certain: bool, live_from: Option<f32>) {
        self.vote.add(&look.face, certain, live_from);
        self.liveness = look.face.liveness;
        self.clarity = self.clarity.into_iter().chain(look.face.clarity).reduce(f32::max);
        let quality = |look: &Look| look.face.detection.quality.overall;
        if self.best.as_ref().is_none_or(|best| quality(&look) > quality(best)) {
            self.best = Some(look);
        }
    }

    /// The mean of all looks; `None` before the first.
    pub(super) fn probe(&self) -> Option<&Embedding> {
        self.vote.mean()
    }

    /// What to search for: the mean of all looks and, if `each`, the looks.
    pub(super) fn probes(&self, each: bool, live_from: Option<f32>) -> Vec<Embedding> {
        self.vote.probes(each, live_from)
    }

    /// Sets the results of a search.
    pub(super) fn weigh(&mut self, opinions: Vec<Opinion>) {
        let standings: Vec<_> = opinions.iter().map(|opinion| self.standing_of(opinion)).collect();
        self.standing = match standings.as_slice() {
            all if all.contains(&Standing::Sure) => Standing::Sure,
            all if all.contains(&Standing::Unsure) => Standing::Unsure,
            _ => Standing::Nobody,
        };
        self.opinions = opinions;
    }

    /// How sure the best candidate of a watch is.
    pub(super) fn standing_of(&self, opinion: &Opinion) -> Standing {
        let Some((best, margin)) = opinion.best() else { return Standing::Nobody };
        let clear = self.vote.looks() > 1 || best >= opinion.sure_from;
        let sure = best >= opinion.threshold && margin >= MARGIN && clear;
        if sure { Standing::Sure } else { Standing::Unsure }
    }

    /// The result of the newest search for a watch; `None` before the first.
    pub(super) fn opinion(&self, watch: WatchId) -> Option<&Opinion> {
        self.opinions.iter().find(|opinion| opinion.watch == watch)
    }

    /// Reports that it was decided.
    pub(super) fn decided(&mut self, now: Timestamp) {
        self.shots.decided(now);
        self.due = false;
        self.best = None;
        self.clarity = None;
        self.vote.decided();
    }

    /// Compares a face with that of the visit; `None` before the first look.
    pub(super) fn likeness(&self, face: &Face, calibration: &Calibration) -> Option<Likeness> {
        let similarity = calibration.similarity(self.probe()?.cosine(&face.embedding)?).value();
        Some(match similarity {
            s if s >= SAME_VISITOR => Likeness::Same,
            s if s < OTHER_VISITOR => Likeness::Other,
            _ => Likeness::Unclear,
        })
    }

    /// Extends the visit by another part of it, earlier or later.
    pub(super) fn join(&mut self, part: &Self) {
        self.shots.join(&part.shots);
        if part.first_seen > self.first_seen {
            self.track = part.track;
            self.last_seen = part.last_seen;
        } else {
            self.first_seen = part.first_seen;
        }
    }

    /// Exchanges the tracks of two visits whose faces were confused.
    pub(super) fn exchange(&mut self, other: &mut Self) {
        std::mem::swap(&mut self.track, &mut other.track);
        std::mem::swap(&mut self.last_seen, &mut other.last_seen);
        for visit in [&mut *self, other] {
            visit.wanted = None;
            visit.turn.restart();
            visit.shots.drop_shot();
        }
    }
}

/// Result of comparing a face with a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Likeness {
    Same,
    Unclear,
    Other,
}

/// Whether two faces are of the same visitor.
pub(super) fn same_visitor(one: &Embedding, other: &Embedding, calibration: &Calibration) -> bool {
    one.cosine(other).is_some_and(|cosine| calibration.similarity(cosine).value() >= SAME_VISITOR)
}
