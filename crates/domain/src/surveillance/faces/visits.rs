//! The visits that one camera sees, and those it lost from sight a moment ago.

use std::time::Duration;

use super::best_shot::Shot;
use super::visit::{Likeness, Look, Visit, VisitId};
use crate::camera::SnapMode;
use crate::face::Face;
use crate::rules;
use crate::similarity::Calibration;
use crate::surveillance::tracker::{Track, TrackId};
use crate::time::Timestamp;

/// A face in a worse shot is not proof enough that a track was given somebody else's face.
const PROOF_QUALITY: u8 = 40;

/// How visits are told from each other by their faces.
#[derive(Debug, Clone, Copy)]
pub(super) struct Comparison<'a> {
    pub(super) calibration: &'a Calibration,
    /// A decided visit that was out of sight for longer is another one.
    pub(super) rearm: Duration,
    /// The liveness score demanded: a face and a picture of it are not the same visitor.
    pub(super) live_from: Option<f32>,
}

/// The visits of one camera.
#[derive(Debug, Default)]
pub(super) struct Visits {
    all: Vec<Visit>,
    next: u64,
}

impl Visits {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Visit> {
        self.all.iter()
    }

    pub(super) fn get(&self, id: VisitId) -> Option<&Visit> {
        self.all.iter().find(|visit| visit.id == id)
    }

    pub(super) fn get_mut(&mut self, id: VisitId) -> Option<&mut Visit> {
        self.all.iter_mut().find(|visit| visit.id == id)
    }

    /// The visit whose face the track shows; a new one when the track is new.
    pub(super) fn of(&mut self, track: TrackId, at: Timestamp, mode: SnapMode) -> &mut Visit {
        let known = self.all.iter().position(|visit| visit.track == Some(track));
        let index = known.unwrap_or_else(|| self.open(track, at, mode));
        &mut self.all[index]
    }

    /// Notes that a track has ended.
    pub(super) fn lose(&mut self, track: &Track) {
        let lost = self.all.iter_mut().find(|visit| visit.track == Some(track.id));
        lost.into_iter().for_each(|visit| visit.lose(track));
    }

    /// Takes every face for real, however seldom it was seen.
    pub(super) fn trust(&mut self) {
        self.all.iter_mut().for_each(|visit| visit.shots.trust());
    }

    /// Calls all decisions due.
    pub(super) fn close(&mut self, now: Timestamp) {
        self.all.iter_mut().filter(|visit| visit.shots.undecided()).for_each(|visit| visit.call_due(now));
    }

    /// The shots to be described, at most one of each visit.
    pub(super) fn take_wanted(&mut self) -> Vec<(VisitId, Shot)> {
        self.all.iter_mut().filter_map(|visit| Some((visit.id, visit.wanted.take()?))).collect()
    }

    /// Takes a shot back that could not be described now.
    pub(super) fn give_back(&mut self, id: VisitId, shot: Shot) {
        if let Some(visit) = self.get_mut(id) {
            visit.wanted = Some(shot);
        }
    }

    /// Gives up the oldest shots beyond `most` that wait to be described; answers how many.
    pub(super) fn give_up_beyond(&mut self, most: usize) -> usize {
        let waiting = self.all.iter_mut().filter(|visit| visit.wanted.is_some());
        waiting.rev().skip(most).map(|visit| visit.wanted = None).count()
    }

    /// Takes a described shot of a visit into account. The face decides whose it is: a visit that was lost from
    /// sight goes on, and visits whose tracks were confused (`doubtful`) get their own faces back. Answers which
    /// visit it belongs to.
    pub(super) fn take_in(&mut self, id: VisitId, look: Look, doubtful: bool, by: Comparison<'_>) -> Option<VisitId> {
        let own = self.all.iter().position(|visit| visit.id == id)?;
        let owner = match self.all[own].likeness(&look.face, by.calibration) {
            None => self.found_again(own, &look.face, by),
            Some(Likeness::Other) if doubtful && proves(&look) => self.untangle(own, &look, by),
            Some(_) => own,
        };
        let owner = &mut self.all[owner];
        owner.take_in(look);
        Some(owner.id)
    }

    /// Forgets the visits that are over.
    pub(super) fn forget_over(&mut self, now: Timestamp) {
        self.all.retain(|visit| !visit.over(now));
    }

    /// Forgets all visits.
    pub(super) fn clear(&mut self) {
        self.all.clear();
    }

    fn open(&mut self, track: TrackId, at: Timestamp, mode: SnapMode) -> usize {
        let id = VisitId(self.next);
        self.next += 1;
        self.all.push(Visit::new(id, track, at, mode));
        self.all.len() - 1
    }

    /// Joins a visit whose face is known now with another one of the same face that was never in view together with
    /// it. Answers the one that goes on: the visit itself when it is nobody else's.
    fn found_again(&mut self, known: usize, face: &Face, by: Comparison<'_>) -> usize {
        let own = &self.all[known];
        let follows = |visit: &Visit| goes_on(visit, own, by.rearm) || goes_on(own, visit, by.rearm);
        let same = |visit: &Visit| {
            rules::is_living(by.live_from, visit.liveness) == rules::is_living(by.live_from, face.liveness)
                && visit.likeness(face, by.calibration) == Some(Likeness::Same)
        };
        let Some(other) = self.all.iter().position(|visit| follows(visit) && same(visit)) else { return known };
        let part = self.all.remove(known);
        let other = if other > known { other - 1 } else { other };
        self.all[other].join(&part);
        other
    }

    /// Finds the visit that a face belongs to which is not the one that its track stands for: another one, whose
    /// track is exchanged, or a new one. Answers it.
    fn untangle(&mut self, wrong: usize, look: &Look, by: Comparison<'_>) -> usize {
        let same = |visit: &Visit| visit.likeness(&look.face, by.calibration) == Some(Likeness::Same);
        let right = self.all.iter().position(same);
        if let Some([wrong, right]) = right.and_then(|right| self.all.get_disjoint_mut([wrong, right]).ok()) {
            wrong.exchange(right);
        }
        if let Some(right) = right {
            return right;
        }
        let at = look.at;
        let mode = self.all[wrong].shots.mode();
        match self.all[wrong].track.take() {
            Some(track) => self.open(track, at, mode),
            None => wrong,
        }
    }
}

/// Whether the later visit may be the earlier one found again: it began after that was seen last, and soon enough.
fn goes_on(earlier: &Visit, later: &Visit, rearm: Duration) -> bool {
    let away = later.first_seen.millis_since(earlier.last_seen);
    let in_time = earlier.shots.undecided() || away <= rearm.as_millis() as i64;
    away > 0 && in_time && !earlier.stale(later.first_seen)
}

fn proves(look: &Look) -> bool {
    look.quality >= PROOF_QUALITY
}
