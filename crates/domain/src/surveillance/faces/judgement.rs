//! Identification: the candidates for a face, and the assignment of people to the faces in view.

use std::collections::{HashMap, HashSet};

use super::best_shot::Standing;
use super::presence::Recorded;
use super::visit::{Opinion, Visit, VisitId};
use super::visits::Visits;
use crate::calibration::{Chances, Matching};
use crate::face::Embedding;
use crate::gallery::{Neighbour, Query, Scope};
use crate::ids::{PersonId, WatchId};
use crate::progress::Part;
use crate::rules;
use crate::similarity::Similarity;
use crate::surveillance::config::CameraWatch;
use crate::surveillance::handle::Handle;
use crate::time::Timestamp;

/// Number of candidates per search: the best may be assigned to another face in view.
const CANDIDATES: usize = 5;

/// A person and the similarity to the probe.
pub(super) type Choice = (PersonId, Similarity);

/// For each watch, the people most similar to one of the probes of a face, and the threshold for that many probes. The
/// gallery is searched once for all watches and probes. Blocking.
pub(in crate::surveillance) fn opinions(
    handle: &Handle,
    watches: &[CameraWatch],
    probes: &[Embedding],
    matching: Matching,
) -> Vec<Opinion> {
    let query = |watch: &CameraWatch| {
        let scope = Scope::libraries(watch.settings.libraries.iter().copied());
        Query { scope, limit: CANDIDATES }
    };
    let queries: Vec<_> = watches.iter().map(query).collect();
    let found = handle.gallery().search_each(probes, &queries);
    handle.progress().stamp(Part::Search);
    let calibration = handle.ports().analyzer.calibration();
    let opinion = |(index, watch): (usize, &CameraWatch)| {
        let people = handle.gallery().count(&queries[index].scope) as u64;
        let chances = Chances { people, tries: probes.len() };
        let threshold = calibration.threshold(watch.settings.threshold, chances, matching);
        let near = nearest(found.iter().flat_map(|found| &found[index]));
        let candidates = near.into_iter().map(|near| (near.person, calibration.similarity(near.cosine))).collect();
        Opinion { watch: watch.id, candidates, threshold, sure_from: calibration.sure_from(threshold), people }
    };
    watches.iter().enumerate().map(opinion).collect()
}

/// The [`CANDIDATES`] most similar people, each by the probe that is nearest.
fn nearest<'a>(found: impl Iterator<Item = &'a Neighbour>) -> Vec<Neighbour> {
    let mut near: Vec<Neighbour> = Vec::with_capacity(CANDIDATES);
    for neighbour in found {
        match near.iter_mut().find(|known| known.person == neighbour.person) {
            Some(known) => known.cosine = known.cosine.max(neighbour.cosine),
            None => near.push(*neighbour),
        }
    }
    near.sort_by(|a, b| b.cosine.total_cmp(&a.cosine).then(a.person.cmp(&b.person)));
    near.truncate(CANDIDATES);
    near
}

/// The visits of one camera and the watches to identify them for.
pub(super) struct View<'a> {
    pub(super) visits: &'a Visits,
    pub(super) recorded: &'a Recorded,
    pub(super) watches: &'a [CameraWatch],
    pub(super) now: Timestamp,
    /// Lowest liveness score of a living face; `None` while liveness is not checked.
    pub(super) live_from: Option<f32>,
}

impl View<'_> {
    /// The visits that are to be decided, each with its candidate for every watch that has one.
    pub(super) fn identify(&self) -> Vec<(VisitId, HashMap<WatchId, Choice>)> {
        let ripe: Vec<_> = self.visits.iter().filter(|visit| visit.ripe(self.now)).map(|visit| visit.id).collect();
        if ripe.is_empty() {
            return Vec::new();
        }
        let chosen: Vec<_> = self.watches.iter().map(|watch| (watch.id, self.assign(watch.id))).collect();
        let choices = |visit| {
            let of = |(watch, chosen): &(WatchId, Vec<(VisitId, Choice)>)| {
                chosen.iter().find(|(other, _)| *other == visit).map(|(_, choice)| (*watch, *choice))
            };
            chosen.iter().filter_map(of).collect()
        };
        ripe.into_iter().map(|visit| (visit, choices(visit))).collect()
    }

    /// Assigns to every visit that is to be decided its best candidate that no other face has, most similar pair first.
    /// A visit that is sure of its candidate reserves that person until it is decided itself.
    fn assign(&self, watch: WatchId) -> Vec<(VisitId, Choice)> {
        let mut pairs: Vec<_> = self.visits.iter().flat_map(|visit| self.claims(visit, watch)).collect();
        pairs.sort_by(|a, b| b.1.1.value().total_cmp(&a.1.1.value()));
        let mut chosen: Vec<(VisitId, Choice)> = Vec::new();
        let mut assigned = HashSet::new();
        for (visit, (person, similarity)) in pairs {
            let has_candidate = chosen.iter().any(|(other, _)| *other == visit);
            let taken = self.recorded.taken(watch, person, visit, |other| self.in_view(other));
            // A picture of a person does not reserve that person.
            let free = !self.is_living(visit) || !taken && assigned.insert(person);
            if !has_candidate && free {
                chosen.push((visit, (person, similarity)));
            }
        }
        chosen
    }

    /// The candidates of a visit for a watch; none when the visit is neither ripe nor sure.
    fn claims(&self, visit: &Visit, watch: WatchId) -> Vec<(VisitId, Choice)> {
        let may_claim = |opinion: &&Opinion| {
            let sure = visit.standing_of(opinion) == Standing::Sure;
            visit.ripe(self.now) || sure && visit.shots.undecided()
        };
        let opinion = visit.opinion(watch).filter(may_claim);
        let candidates = opinion.map_or(&[][..], |opinion| &opinion.candidates);
        candidates.iter().map(|candidate| (visit.id, *candidate)).collect()
    }

    fn is_living(&self, visit: VisitId) -> bool {
        self.visits.get(visit).is_some_and(|visit| is_living(visit, self.live_from))
    }

    fn in_view(&self, visit: VisitId) -> bool {
        self.visits.get(visit).is_some_and(|visit| visit.track.is_some())
    }
}

/// Whether a visit shows a living face, by its best look.
pub(super) fn is_living(visit: &Visit, live_from: Option<f32>) -> bool {
    let score = visit.best.as_ref().and_then(|look| look.face.liveness);
    rules::is_living(live_from, score)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_counts_by_the_nearest_probe() {
        let near = |person, cosine| Neighbour { person: PersonId(person), cosine };
        let (mean, look) = ([near(1, 0.6), near(2, 0.5)], [near(2, 0.8), near(3, 0.7), near(1, 0.1)]);
        let both = nearest(mean.iter().chain(&look));
        assert_eq!(both, [near(2, 0.8), near(3, 0.7), near(1, 0.6)]);
        let many: Vec<_> = (0..20).map(|person| near(person, 0.5)).collect();
        assert_eq!(nearest(many.iter()), many[..CANDIDATES], "of equally near people those enrolled first");
    }
}
