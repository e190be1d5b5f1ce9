//! The exact scan: every row once, all queries at the same time.

use super::{Neighbour, Query, Scope, State};

/// Independent sums that let the compiler use vector registers: a plain sum must be added in order.
const LANES: usize = 16;

/// The dot product of two vectors; the longer one's tail is ignored.
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; LANES];
    let (a_lanes, b_lanes) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let tail: f32 = a_lanes.remainder().iter().zip(b_lanes.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a_lanes.zip(b_lanes) {
        for lane in 0..LANES {
            sums[lane] += x[lane] * y[lane];
        }
    }
    sums.iter().sum::<f32>() + tail
}

pub(super) fn scan(state: &State, probe: &[f32], queries: &[Query]) -> Vec<Vec<Neighbour>> {
    let mut searches: Vec<Best> = queries.iter().map(|query| Best::new(state, query)).collect();
    for block in &state.blocks {
        let rows = block.people.iter().zip(&block.memberships).zip(block.vectors.chunks_exact(probe.len().max(1)));
        for ((&person, &membership), vector) in rows {
            if searches.iter().any(|best| best.considers(membership)) {
                let cosine = dot(probe, vector);
                searches.iter_mut().for_each(|best| best.offer(membership, Neighbour { person, cosine }));
            }
        }
    }
    searches.into_iter().map(|best| best.found).collect()
}

/// The best so far for one query, best first.
struct Best {
    found: Vec<Neighbour>,
    limit: usize,
    /// For each interned membership, whether the query's scope includes it.
    considered: Vec<bool>,
}

impl Best {
    fn new(state: &State, query: &Query) -> Self {
        let includes = |libraries: &[crate::LibraryId]| match &query.scope {
            Scope::All => true,
            Scope::Libraries(wanted) => libraries.iter().any(|library| wanted.contains(library)),
        };
        let considered = state.memberships.iter().map(|libraries| includes(libraries)).collect();
        Self { found: Vec::new(), limit: query.limit, considered }
    }

    fn considers(&self, membership: u32) -> bool {
        self.considered[membership as usize]
    }

    fn offer(&mut self, membership: u32, candidate: Neighbour) {
        let worst = self.found.last().filter(|_| self.found.len() >= self.limit);
        let too_far = worst.is_some_and(|worst| candidate.cosine <= worst.cosine);
        if self.limit == 0 || too_far || !self.considers(membership) {
            return;
        }
        let place = self.found.partition_point(|better| better.cosine >= candidate.cosine);
        self.found.insert(place, candidate);
        self.found.truncate(self.limit);
    }
}
