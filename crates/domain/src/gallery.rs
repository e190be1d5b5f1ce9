//! The in-memory search structure over all embeddings.
//!
//! Each person has one row of 20 bits per component (`code`). A search reads the high 8 of them from memory once, by
//! the machine's widest instructions (`kernel`), and that is what it costs: the time to read them. For each row a
//! bound says how far those 8 bits may be wrong, so the few rows that may belong among the best are known, and only
//! these are compared with all 20 (`scan`). The answer is therefore exactly that of comparing everybody with 20 bits,
//! whose cosines are those of 32-bit floating point to within 4e-6, usually 1e-7: as much as the order of summation
//! changes there. 16 bits would take a fifth less memory but give other ten neighbours in one of three hundred searches;
//! floating point would take 60 % more, and reading it from a file would bring the disk into every search.
//!
//! Rows lie in blocks of a thousand (`block`); a change copies one block and publishes a new list of blocks, so a
//! search reads a frozen state without a lock and never waits for an enrolment, nor the other way round. The sets of
//! libraries and permission groups a person is in are interned as one small number, so that the filter costs one
//! table look-up per row; a block without anybody in scope is not read. Searches that meet share a scan (`rounds`),
//! and a large gallery is scanned by several threads.

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

/// Below this many bytes to scan, waiting for others costs more than it saves.
const SHARED_FROM: usize = 1 << 20;

/// Which people a search considers: those who fulfil every condition.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scope {
    /// In at least one of these libraries.
    pub libraries: Option<Vec<LibraryId>>,
    /// In at least one of these permission groups.
    pub permission_groups: Option<Vec<String>>,
}

impl Scope {
    /// Everybody.
    pub const ALL: Self = Self { libraries: None, permission_groups: None };

    /// Those in at least one of these libraries.
    pub fn libraries(libraries: impl IntoIterator<Item = LibraryId>) -> Self {
        Self { libraries: Some(libraries.into_iter().collect()), ..Self::ALL }
    }

    /// Of these, those in at least one of these permission groups.
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

/// One question to the gallery.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Who is considered.
    pub scope: Scope,
    /// How many people at most, the best first.
    pub limit: usize,
}

/// A person found, with the cosine to the probe.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbour {
    /// The person.
    pub person: PersonId,
    /// Cosine of the angle between probe and template, -1..=1.
    pub cosine: f32,
}

/// All templates of one embedding model: one row per person, so the best row is the best person.
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

    /// The model whose embeddings it holds.
    pub fn model(&self) -> &ModelId {
        &self.model
    }

    /// How many people are in it.
    pub fn len(&self) -> usize {
        self.published.load().rows()
    }

    /// Whether nobody is in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What a search reads from memory, bytes: its time is near the time to read as much.
    pub fn scanned_bytes(&self) -> usize {
        self.published.load().scanned_bytes()
    }

    /// The instructions that searches use, for a log or a report.
    pub fn instructions(&self) -> &'static str {
        self.kernel.name()
    }

    /// Adds a person or replaces the person's template and membership. Templates of another model, or of
    /// another length than those present, are left out and answered with `false`.
    pub fn insert(&self, template: Template) -> bool {
        self.insert_all([template]) == 1
    }

    /// Adds many people and publishes them together; answers how many were taken.
    pub fn insert_all(&self, templates: impl IntoIterator<Item = Template>) -> usize {
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = State::clone(&self.published.load());
        let fitting = templates.into_iter().filter(|t| *t.embedding.model() == self.model);
        let taken = fitting.filter(|t| state.put(&mut index, t)).count();
        self.publish(state);
        taken
    }

    /// Takes people out; unknown ones are passed over.
    pub fn remove(&self, people: &[PersonId]) {
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = State::clone(&self.published.load());
        people.iter().for_each(|person| state.take_out(&mut index, *person));
        self.publish(state);
    }

    /// Notes what a person belongs to now; an unknown person is passed over.
    pub fn set_membership(&self, person: PersonId, membership: &Membership) {
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(&row) = index.rows.get(&person) else { return };
        let mut state = State::clone(&self.published.load());
        let membership = state.intern(&mut index, membership);
        state.set_membership(row, membership);
        self.publish(state);
    }

    /// Compares the probe with everybody once and answers every query, best first. A probe of another
    /// model or length finds nobody. Blocking: it shares one reading of the memory with other searches that wait.
    pub fn search(&self, probe: &Embedding, queries: &[Query]) -> Vec<Vec<Neighbour>> {
        if *probe.model() != self.model {
            return vec![Vec::new(); queries.len()];
        }
        if self.scanned_bytes() < SHARED_FROM {
            let question = Question { probe: probe.vector(), queries };
            return self.scan(&[question]).pop().unwrap_or_default();
        }
        self.rounds.ask(probe, queries, |round| {
            let questions: Vec<_> = round.iter().map(|ticket| ticket.question()).collect();
            self.scan(&questions)
        })
    }

    /// Counts changes, for who wants to hear of them.
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
