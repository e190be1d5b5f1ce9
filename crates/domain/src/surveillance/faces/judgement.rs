//! Who a face may be, and which of the faces in view is who.

use std::collections::{HashMap, HashSet};

use super::best_shot::Standing;
use super::presence::Recorded;
use super::visit::{Opinion, Visit, VisitId};
use super::visits::Visits;
use crate::error::Result;
use crate::face::Embedding;
use crate::gallery::{Neighbour, Query, Scope};
use crate::ids::{PersonId, WatchId};
use crate::library::{Library, LibraryFilter};
use crate::progress::Part;
use crate::rules;
use crate::similarity::{Calibration, Similarity};
use crate::surveillance::duty::Order;
use crate::surveillance::handle::Handle;
use crate::time::Timestamp;
use crate::watch::WatchSettings;

/// Candidates asked of the gallery: the best may already be in view elsewhere in the frame.
const CANDIDATES: usize = 5;

/// A person and how alike.
pub(super) type Choice = (PersonId, Similarity);

/// For each watch the people whom the probe is most like, and the similarity from which one is accepted. The gallery is
/// searched once for all of them. Blocking.
pub(super) fn opinions(handle: &Handle, orders: &[Order], probe: &Embedding) -> Result<Vec<Opinion>> {
    let query = |order: &Order| {
        let scope = Scope::libraries(order.settings.libraries.iter().copied());
        Query { scope, limit: CANDIDATES }
    };
    let found = handle.gallery().search(probe, &orders.iter().map(query).collect::<Vec<_>>());
    handle.progress().stamp(Part::Search);
    let calibration = handle.ports().analyzer.calibration();
    let everybody = handle.gallery().len() as u64;
    let rises = handle.thresholds_rise() && everybody > Calibration::SMALL_LIBRARY;
    let libraries = if rises { handle.ports().people.libraries(&LibraryFilter::default())? } else { Vec::new() };
    let opinion = |(order, near): (&Order, Vec<Neighbour>)| {
        let people = if rises { watched(&order.settings, &libraries).min(everybody) } else { everybody };
        let set = order.settings.threshold;
        Opinion {
            watch: order.watch,
            candidates: near.into_iter().map(|near| (near.person, calibration.similarity(near.cosine))).collect(),
            threshold: if rises { calibration.raised(set, people) } else { set },
            people,
        }
    };
    Ok(orders.iter().zip(found).map(opinion).collect())
}

/// How many people a watch looks for.
fn watched(settings: &WatchSettings, libraries: &[Library]) -> u64 {
    libraries.iter().filter(|library| settings.libraries.contains(&library.id)).map(|library| library.people).sum()
}

/// The faces that one camera sees, and what is asked about them.
pub(super) struct View<'a> {
    pub(super) visits: &'a Visits,
    pub(super) recorded: &'a Recorded,
    pub(super) orders: &'a [Order],
    pub(super) now: Timestamp,
    /// The liveness score demanded.
    pub(super) live_from: Option<f32>,
}

impl View<'_> {
    /// The visits that are to be decided, each with whom every watch takes it for.
    pub(super) fn who_is_who(&self) -> Vec<(VisitId, HashMap<WatchId, Choice>)> {
        let ripe: Vec<_> = self.visits.iter().filter(|visit| visit.ripe(self.now)).map(|visit| visit.id).collect();
        if ripe.is_empty() {
            return Vec::new();
        }
        let chosen: Vec<_> = self.orders.iter().map(|order| (order.watch, self.who_is_who_for(order.watch))).collect();
        let choices = |visit| {
            let of = |(watch, chosen): &(WatchId, Vec<(VisitId, Choice)>)| {
                chosen.iter().find(|(other, _)| *other == visit).map(|(_, choice)| (*watch, *choice))
            };
            chosen.iter().filter_map(of).collect()
        };
        ripe.into_iter().map(|visit| (visit, choices(visit))).collect()
    }

    /// Gives every visit that is to be decided the watch's best candidate that no other face has; the surest pair
    /// chooses first, and a visit that is sure of somebody keeps the person until it is decided itself.
    fn who_is_who_for(&self, watch: WatchId) -> Vec<(VisitId, Choice)> {
        let mut pairs: Vec<_> = self.visits.iter().flat_map(|visit| self.claims(visit, watch)).collect();
        pairs.sort_by(|a, b| b.1.1.value().total_cmp(&a.1.1.value()));
        let mut chosen: Vec<(VisitId, Choice)> = Vec::new();
        let mut given = HashSet::new();
        for (visit, (person, similarity)) in pairs {
            let served = chosen.iter().any(|(other, _)| *other == visit);
            let taken = self.recorded.taken(watch, person, visit, |other| self.in_view(other));
            // A picture of somebody does not take the person's place.
            let free = !self.is_living(visit) || !taken && given.insert(person);
            if !served && free {
                chosen.push((visit, (person, similarity)));
            }
        }
        chosen
    }

    /// Whom a visit may be for a watch, when it may choose now.
    fn claims(&self, visit: &Visit, watch: WatchId) -> Vec<(VisitId, Choice)> {
        let may_choose = |opinion: &&Opinion| {
            let sure = visit.standing_of(opinion) == Standing::Sure;
            visit.ripe(self.now) || sure && visit.shots.undecided()
        };
        let opinion = visit.opinion(watch).filter(may_choose);
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
