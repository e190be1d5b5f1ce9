//! The scan: compares the high bits of every row once, for all probes and queries at the same time. Rows that may be
//! among the best are compared with all bits.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::sync::Arc;

use super::block::{BLOCK_ROWS, Block, State};
use super::code::{self, PreparedProbe, Shape};
use super::kernel::{Kernel, Probe};
use super::{Neighbour, Query, Scope};

/// Rows that are checked against the floor at once.
const GROUP: usize = 32;
/// Below this many bytes to scan, a further thread costs more than it saves.
const BYTES_PER_THREAD: usize = 8 << 20;
/// Maximum number of threads: more are limited by the memory bandwidth.
const MAX_THREADS: usize = 4;

/// A probe and its queries.
#[derive(Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) probe: &'a [f32],
    pub(super) queries: &'a [Query],
}

/// The neighbours for each query of each question, most similar first; none for a probe that cannot be compared.
pub(super) fn scan(state: &State, kernel: Kernel, questions: &[Question<'_>]) -> Vec<Vec<Vec<Neighbour>>> {
    let fits = |question: &Question<'_>| state.accepts(question.probe.len());
    let fitting: Vec<_> = questions.iter().filter(|question| fits(question)).copied().collect();
    let mut found = scan_in_parts(state, kernel, &fitting, threads(state)).into_iter();
    let answer = |question| {
        let answer = if fits(question) { found.next() } else { None };
        answer.unwrap_or_else(|| vec![Vec::new(); question.queries.len()])
    };
    questions.iter().map(answer).collect()
}

fn scan_in_parts(state: &State, kernel: Kernel, questions: &[Question<'_>], parts: usize) -> Vec<Vec<Vec<Neighbour>>> {
    let prepared: Vec<PreparedProbe> = questions.iter().map(|question| PreparedProbe::new(question.probe)).collect();
    let part = state.blocks.len().div_ceil(parts).max(1);
    let scan_part = |blocks: &[Arc<Block>]| scan_blocks(blocks, kernel, &prepared, searches(state, questions));
    let mut parts = state.blocks.chunks(part);
    let first = parts.next().unwrap_or_default();
    let mut best = std::thread::scope(|scope| {
        let others: Vec<_> = parts.map(|blocks| scope.spawn(move || scan_part(blocks))).collect();
        let best = scan_part(first);
        // A panic is a bug: propagate it.
        others.into_iter().fold(best, |best, other| match other.join() {
            Ok(other) => merged(best, other),
            Err(panic) => std::panic::resume_unwind(panic),
        })
    });
    best.iter_mut().map(|searches| searches.iter_mut().map(Search::take).collect()).collect()
}

fn threads(state: &State) -> usize {
    let useful = (state.scanned_bytes() / BYTES_PER_THREAD).min(MAX_THREADS);
    if useful < 2 { 1 } else { useful.min(std::thread::available_parallelism().map_or(1, usize::from)) }
}

fn searches<'a>(state: &State, questions: &[Question<'a>]) -> Vec<Vec<Search>> {
    let of = |question: &Question<'a>| question.queries.iter().map(|query| Search::new(state, query)).collect();
    questions.iter().map(of).collect()
}

fn merged(mut best: Vec<Vec<Search>>, other: Vec<Vec<Search>>) -> Vec<Vec<Search>> {
    for (search, other) in best.iter_mut().flatten().zip(other.into_iter().flatten()) {
        other.found.into_iter().for_each(|Reverse(Ranked(neighbour))| search.offer(neighbour));
    }
    best
}

fn scan_blocks(
    blocks: &[Arc<Block>],
    kernel: Kernel,
    prepared: &[PreparedProbe],
    mut searches: Vec<Vec<Search>>,
) -> Vec<Vec<Search>> {
    let probes: Vec<Probe> = prepared.iter().map(|prepared| prepared.probe.clone()).collect();
    let mut products = vec![0; BLOCK_ROWS * probes.len()];
    for block in blocks {
        if !searches.iter().flatten().any(|search| search.considers_some(block)) {
            continue;
        }
        let rows = block.people.len();
        let products = &mut products[..rows * probes.len()];
        kernel.dots(&block.high, &probes, products);
        for ((prepared, searches), products) in prepared.iter().zip(&mut searches).zip(products.chunks_exact(rows)) {
            select(block, prepared, products, searches);
        }
    }
    searches
}

/// Offers to the searches of one probe every row that may be among their best.
fn select(block: &Block, prepared: &PreparedProbe, products: &[i32], searches: &mut [Search]) {
    let together = products.chunks(GROUP).zip(block.shapes.chunks(GROUP)).enumerate();
    for (number, (products, shapes)) in together {
        let mut floor = lowest_floor(searches);
        // Without branches, so that the compiler uses vector registers: nearly always no row reaches the floor.
        let reaches = |(product, shape): (&i32, &Shape)| prepared.reach(*product, *shape) >= floor;
        if !products.iter().zip(shapes).fold(false, |any, row| any | reaches(row)) {
            continue;
        }
        for (place, (product, shape)) in products.iter().zip(shapes).enumerate() {
            if prepared.reach(*product, *shape) >= floor {
                rank(block, number * GROUP + place, prepared, searches);
                floor = lowest_floor(searches);
            }
        }
    }
}

fn lowest_floor(searches: &[Search]) -> f32 {
    searches.iter().map(|search| search.floor).fold(f32::INFINITY, f32::min)
}

/// Compares a row with all bits.
fn rank(block: &Block, row: usize, prepared: &PreparedProbe, searches: &mut [Search]) {
    let membership = block.memberships[row];
    if searches.iter().any(|search| search.considers(membership)) {
        let lines = prepared.exact.len();
        let (high, low) = (&block.high[row * lines..][..lines], &block.low[row * lines..][..lines]);
        let cosine = code::cosine(high, low, block.shapes[row].step, &prepared.exact);
        let neighbour = Neighbour { person: block.people[row], cosine };
        searches.iter_mut().filter(|search| search.considers(membership)).for_each(|search| search.offer(neighbour));
    }
}

/// The best so far for one query.
struct Search {
    /// The least similar on top.
    found: BinaryHeap<Reverse<Ranked>>,
    limit: usize,
    /// A row below this cannot be among the best.
    floor: f32,
    /// For each interned membership, whether the query's scope includes it; `None`: all people.
    considered: Option<Vec<bool>>,
}

impl Search {
    fn new(state: &State, query: &Query) -> Self {
        let includes = |membership: &Arc<_>| query.scope.includes(membership);
        let considered = (query.scope != Scope::ALL).then(|| state.memberships.iter().map(includes).collect());
        let floor = if query.limit == 0 { f32::INFINITY } else { f32::NEG_INFINITY };
        Self { found: BinaryHeap::new(), limit: query.limit, floor, considered }
    }

    fn considers(&self, membership: u32) -> bool {
        self.considered.as_ref().is_none_or(|considered| considered[membership as usize])
    }

    fn considers_some(&self, block: &Block) -> bool {
        self.limit > 0 && block.memberships.iter().any(|membership| self.considers(*membership))
    }

    fn offer(&mut self, neighbour: Neighbour) {
        self.found.push(Reverse(Ranked(neighbour)));
        if self.found.len() > self.limit {
            self.found.pop();
        }
        if self.found.len() == self.limit {
            self.floor = self.found.peek().map_or(self.floor, |Reverse(Ranked(worst))| worst.cosine);
        }
    }

    /// Takes the neighbours, most similar first.
    fn take(&mut self) -> Vec<Neighbour> {
        std::mem::take(&mut self.found).into_sorted_vec().into_iter().map(|Reverse(Ranked(near))| near).collect()
    }
}

/// Orders by similarity; of two equally similar people, the one enrolled earlier is greater, so that the result is
/// independent of the order of rows.
struct Ranked(Neighbour);

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cosine.total_cmp(&other.0.cosine).then(other.0.person.cmp(&self.0.person))
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ranked {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gallery::block::Index;
    use crate::{Embedding, LibraryId, Membership, ModelId, PersonId, Template};

    const PEOPLE: i64 = 5 * BLOCK_ROWS as i64 + 7;

    fn embedding(seed: i64) -> Embedding {
        let vector = (0..8).map(|n| ((seed * (n + 2) + 1) as f32 * 0.7).sin()).collect();
        Embedding::normalised(ModelId("test".into()), vector).unwrap()
    }

    fn crowd() -> State {
        let (mut state, mut index) = (State::default(), Index::default());
        for person in 0..PEOPLE {
            let libraries = vec![LibraryId(person / BLOCK_ROWS as i64)];
            let membership = Membership { libraries, ..Membership::default() };
            // Many are exactly alike, so that ties must be broken.
            let template = Template { person: PersonId(person), membership, embedding: embedding(person % 1500) };
            assert!(state.put(&mut index, &template));
        }
        state
    }

    #[test]
    fn the_answer_does_not_depend_on_threads_or_instructions() {
        let state = crowd();
        let query = |scope, limit| Query { scope, limit };
        let queries = [
            query(Scope::ALL, 20),
            query(Scope::libraries(vec![LibraryId(4), LibraryId(5)]), 3),
            query(Scope::libraries(vec![LibraryId(77)]), 3),
            query(Scope::ALL, usize::MAX),
        ];
        let probes = [embedding(3), embedding(1400)];
        let questions = probes.each_ref().map(|probe| Question { probe: probe.vector(), queries: &queries });
        let alone = scan_in_parts(&state, Kernel::detect(), &questions, 1);
        assert_eq!(alone[0][0].iter().map(|near| near.person.0).take(4).collect::<Vec<_>>(), [3, 1503, 3003, 4503]);
        assert_eq!(alone[1].iter().map(Vec::len).collect::<Vec<_>>(), [20, 3, 0, PEOPLE as usize]);
        for kernel in Kernel::available() {
            for parts in 1..8 {
                let found = scan_in_parts(&state, kernel, &questions, parts);
                assert_eq!(found, alone, "{} in {parts} parts", kernel.name());
            }
        }
    }
}
