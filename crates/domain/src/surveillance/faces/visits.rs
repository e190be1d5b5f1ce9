//! The visits in view of one camera, and those lost from sight a moment ago.

use std::time::Duration;

use super::passing::Shot;
use super::turn::Looked;
use super::visit::{Likeness, Look, Visit, VisitId};
use crate::calibration::Calibration;
use crate::camera::SnapMode;
use crate::face::Face;
use crate::rules;
use crate::surveillance::doorkeeper::Arrival;
use crate::surveillance::tracker::{Track, TrackId};
use crate::time::Timestamp;

/// Lowest quality of a shot that proves that a track follows another face.
const PROOF_QUALITY: u8 = 40;

/// How visits are compared by their faces.
#[derive(Debug, Clone, Copy)]
pub(super) struct Comparison<'a> {
    pub(super) calibration: &'a Calibration,
    /// After a longer time out of sight, a decided visit is not continued.
    pub(super) rearm: Duration,
    /// Lowest liveness score of a living face: a face and a picture of it are different visitors.
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

    /// The visit that follows a track now.
    pub(super) fn following(&self, track: Option<TrackId>) -> Option<VisitId> {
        let follows = |visit: &&Visit| track.is_some() && visit.track == track;
        self.all.iter().find(follows).map(|visit| visit.id)
    }

    /// The visit of a track; a new visit for a new track.
    pub(super) fn of(&mut self, track: TrackId, at: Timestamp, mode: SnapMode) -> &mut Visit {
        let known = self.all.iter().position(|visit| visit.track == Some(track));
        let index = known.unwrap_or_else(|| self.open(track, at, mode));
        &mut self.all[index]
    }

    /// Reports that a track has ended.
    pub(super) fn lose(&mut self, track: &Track) {
        let lost = self.all.iter_mut().find(|visit| visit.track == Some(track.id));
        lost.into_iter().for_each(|visit| visit.lose(track));
    }

    /// Accepts every face as real, even after one sighting.
    pub(super) fn trust(&mut self) {
        self.all.iter_mut().for_each(|visit| visit.shots.trust());
    }

    /// Makes the undecided visits that are certain due.
    pub(super) fn hasten(&mut self, live_from: Option<f32>) {
        self.all.iter_mut().for_each(|visit| visit.hasten(live_from));
    }

    /// Makes all undecided visits due.
    pub(super) fn close(&mut self, now: Timestamp) {
        self.all.iter_mut().filter(|visit| visit.shots.undecided()).for_each(|visit| visit.call_due(now));
    }

    /// Takes the shots to be described, at most one per visit.
    pub(super) fn take_wanted(&mut self) -> Vec<(VisitId, Shot)> {
        self.all.iter_mut().filter_map(|visit| Some((visit.id, visit.wanted.take()?))).collect()
    }

    /// Puts back a shot that could not be described now.
    pub(super) fn give_back(&mut self, id: VisitId, shot: Shot) {
        if let Some(visit) = self.get_mut(id) {
            visit.wanted = Some(shot);
        }
    }

    /// Drops the oldest shots beyond `max` that wait to be described. Returns how many.
    pub(super) fn drop_beyond(&mut self, max: usize) -> usize {
        let waiting = self.all.iter_mut().filter(|visit| visit.wanted.is_some());
        waiting.rev().skip(max).map(|visit| visit.wanted = None).count()
    }

    /// Adds a look to the visit that its face belongs to and returns that visit, with its arrival if that is to be
    /// reported again because the head has turned; `None` when `id` is no visit. By the face, a visit that was lost from
    /// sight is continued, and visits whose tracks were confused (`doubtful`) are corrected.
    pub(super) fn take_in(
        &mut self,
        id: VisitId,
        look: Look,
        doubtful: bool,
        by: Comparison<'_>,
    ) -> Option<(VisitId, Option<Arrival>)> {
        let own = self.all.iter().position(|visit| visit.id == id)?;
        let likeness = self.all[own].likeness(&look.face, by.calibration);
        let turned = match self.all[own].turn.looked(likeness == Some(Likeness::Same)) {
            Looked::Unasked => None,
            Looked::AtVisitor(arrival) => Some(arrival),
            Looked::AtAnother => return Some((id, None)),
        };
        let (owner, certain) = match likeness {
            None => (self.rejoin(own, &look.face, by), !doubtful),
            Some(Likeness::Other) if doubtful && proves(&look) => (self.untangle(own, &look, by), true),
            Some(likeness) => (own, likeness == Likeness::Same || !doubtful),
        };
        let owner = &mut self.all[owner];
        owner.take_in(look, certain, by.live_from);
        Some((owner.id, turned))
    }

    /// Removes the visits that are over.
    pub(super) fn remove_over(&mut self, now: Timestamp) {
        self.all.retain(|visit| !visit.over(now));
    }

    /// Removes all visits.
    pub(super) fn clear(&mut self) {
        self.all.clear();
    }

    fn open(&mut self, track: TrackId, at: Timestamp, mode: SnapMode) -> usize {
        let id = VisitId(self.next);
        self.next += 1;
        self.all.push(Visit::new(id, track, at, mode));
        self.all.len() - 1
    }

    /// Joins a visit, whose face has just become known, with another visit of the same face that it may continue.
    /// Returns the index of the joined visit, or `known` when there is none.
    fn rejoin(&mut self, known: usize, face: &Face, by: Comparison<'_>) -> usize {
        let own = &self.all[known];
        let may_join = |visit: &Visit| continues(visit, own, by.rearm) || continues(own, visit, by.rearm);
        let same = |visit: &Visit| {
            rules::is_living(by.live_from, visit.liveness) == rules::is_living(by.live_from, face.liveness)
                && visit.likeness(face, by.calibration) == Some(Likeness::Same)
        };
        let Some(other) = self.all.iter().position(|visit| may_join(visit) && same(visit)) else { return known };
        let part = self.all.remove(known);
        let other = if other > known { other - 1 } else { other };
        self.all[other].join(&part);
        other
    }

    /// Finds the visit of a face that is not the one its track was assigned to: another visit, with which tracks are
    /// exchanged, or a new one. Returns its index.
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

/// Whether `later` may continue `earlier`: it began after `earlier` was last seen, and soon enough.
fn continues(earlier: &Visit, later: &Visit, rearm: Duration) -> bool {
    let away = later.first_seen.millis_since(earlier.last_seen);
    let in_time = earlier.shots.undecided() || away <= rearm.as_millis() as i64;
    away > 0 && in_time && !earlier.stale(later.first_seen)
}

fn proves(look: &Look) -> bool {
    look.quality >= PROOF_QUALITY
}
