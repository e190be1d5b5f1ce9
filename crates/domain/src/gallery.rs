//! The in-memory search structure over all embeddings.
//!
//! Each person has one row of 16 bits per component (`code`). A search reads the high 8 bits from memory once, with the
//! widest instructions of the machine (`kernel`); it takes about as long as reading them. A bound per row limits the
//! error of those 8 bits, so that only the few rows that may be among the best have to be compared with all 16 bits
//! (`scan`). The result is therefore exactly that of comparing all rows with 16 bits, whose cosines equal those of
//! 32-bit floating point to within 1e-5, usually 2e-6: two people as close as that to a probe may change places. 20 bits
//! would take a quarter more memory; floating point would take twice as much, and reading it from a file would bring the
//! disk into every search.
//!
//! Rows are stored in blocks of a thousand (`block`). A change copies one block and publishes a new list of blocks, so
//! searches read an immutable state without a lock, and searches and enrolments never wait for each other. The set of
//! libraries and permission groups of a person is interned as one small number, so that the filter costs one table
//! look-up per row; a block without a person in scope is not read. Concurrent searches share a scan (`rounds`), and a
//! large gallery is scanned by several threads.

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use tokio::sync::watch;

use crate::{Embedding, LibraryId, Membership, ModelId, PersonId, Template};

mod block;
mod code;
mod copy;
mod kernel;
mod rounds;
mod scan;

use block::{Index, State};
use kernel::Kernel;
use rounds::Rounds;
use scan::Question;

pub use crate::face::dot;
pub use copy::{Copy, Restoration};

/// Below this many bytes to scan, sharing a scan costs more than it saves.
const SHARED_FROM: usize = 1 << 20;

/// The people that a search considers: those who meet every condition.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scope {
    /// In at least one of these libraries.
    pub libraries: Option<Vec<LibraryId>>,
    /// In at least one of these permission groups.
    pub permission_groups: Option<Vec<String>>,
}

impl Scope {
    /// All people.
    pub const ALL: Self = Self { libraries: None, permission_groups: None };

    /// The people in at least one of these libraries.
    pub fn libraries(libraries: impl IntoIterator<Item = LibraryId>) -> Self {
        Self { libraries: Some(libraries.into_iter().collect()), ..Self::ALL }
    }

    /// Restricts the scope to people in at least one of these permission groups.
    #[must_use]
    pub fn permitted(self, groups: impl IntoIterator<Item = String>) -> Self {
        Self { permission_groups: Some(groups.into_iter().collect()), ..self }
    }

    fn includes(&self, membership: &Membership) -> bool {
        let in_one = |wanted: &Vec<_>| membership.libraries.iter().any(|library| wanted.contains(library));
        let permitted = |wanted: &Vec<_>| membership.permission_groups.iter().any(|group| wanted.contains(group));
        self.libraries.as_ref().is_none_or(in_one) && self.permission_groups.as_ref().is_none_or(permitted)
    }
}

/// A query to the gallery.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// The people considered.
    pub scope: Scope,
    /// Maximum number of people returned, most similar first.
    pub limit: usize,
}

/// A person found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbour {
    /// The person.
    pub person: PersonId,
    /// Cosine of the angle between probe and template, -1..=1.
    pub cosine: f32,
}

/// All templates of one embedding model; one row per person.
pub struct Gallery {
    model: ModelId,
    kernel: Kernel,
    published: ArcSwap<State>,
    index: Mutex<Index>,
    rounds: Rounds,
    changes: watch::Sender<u64>,
}

impl Gallery {
    /// An empty gallery for embeddings of this model.
    pub fn new(model: ModelId) -> Self {
        let (published, index, rounds) = (ArcSwap::default(), Mutex::default(), Rounds::default());
        Self { model, kernel: Kernel::detect(), published, index, rounds, changes: watch::Sender::default() }
    }

    /// The embedding model.
    pub fn model(&self) -> &ModelId {
        &self.model
    }

    /// Number of people.
    pub fn len(&self) -> usize {
        self.published.load().rows()
    }

    /// Whether there are no people.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of bytes that a search reads from memory, which determines its time.
    pub fn scanned_bytes(&self) -> usize {
        self.published.load().scanned_bytes()
    }

    /// Name of the instructions that searches use, for logs and reports.
    pub fn instructions(&self) -> &'static str {
        self.kernel.name()
    }

    /// Adds a person, or replaces the person's template and membership. Returns `false`, without a change, for a
    /// template of another model, or of another length than those present.
    pub fn insert(&self, template: Template) -> bool {
        self.insert_all([template]) == 1
    }

    /// Adds people and publishes them together. Returns how many were added or replaced.
    pub fn insert_all(&self, templates: impl IntoIterator<Item = Template>) -> usize {
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = State::clone(&self.published.load());
        let fitting = templates.into_iter().filter(|t| *t.embedding.model() == self.model);
        let inserted = fitting.filter(|t| state.put(&mut index, t)).count();
        self.publish(state);
        inserted
    }

    /// Removes people; unknown ones are ignored.
    pub fn remove(&self, people: &[PersonId]) {
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = State::clone(&self.published.load());
        people.iter().for_each(|person| state.remove(&mut index, *person));
        self.publish(state);
    }

    /// Sets the membership of a person; an unknown person is ignored.
    pub fn set_membership(&self, person: PersonId, membership: &Membership) {
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(&row) = index.rows.get(&person) else { return };
        let mut state = State::clone(&self.published.load());
        let membership = state.intern(&mut index, membership);
        state.set_membership(row, membership);
        self.publish(state);
    }

    /// Compares the probe with all people once. Returns the result of each query, most similar first; empty for a probe
    /// of another model or length. Blocking: concurrent searches wait for each other to share one scan.
    pub fn search(&self, probe: &Embedding, queries: &[Query]) -> Vec<Vec<Neighbour>> {
        self.search_each(std::slice::from_ref(probe), queries).pop().unwrap_or_default()
    }

    /// As [`search`](Self::search) for several probes at once, which share a scan. Returns the results of each probe.
    pub fn search_each(&self, probes: &[Embedding], queries: &[Query]) -> Vec<Vec<Vec<Neighbour>>> {
        if probes.iter().any(|probe| *probe.model() != self.model) {
            return vec![vec![Vec::new(); queries.len()]; probes.len()];
        }
        if self.scanned_bytes() < SHARED_FROM {
            let question = |probe| Question { probe: Embedding::vector(probe), queries };
            return self.scan(&probes.iter().map(question).collect::<Vec<_>>());
        }
        self.rounds.ask(probes, queries, |round| {
            let questions: Vec<_> = round.iter().map(|ticket| ticket.question()).collect();
            self.scan(&questions)
        })
    }

    /// Number of people in the scope.
    pub fn count(&self, scope: &Scope) -> usize {
        self.published.load().count(scope)
    }

    /// Number of changes, as a channel to wait for the next.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn publish(&self, state: State) {
        self.published.store(Arc::new(state));
        self.changes.send_modify(|changes| *changes += 1);
    }

    fn scan(&self, questions: &[Question<'_>]) -> Vec<Vec<Vec<Neighbour>>> {
        scan::scan(&self.published.load(), self.kernel, questions)
    }
}
