//! The in-memory search structure over all embeddings.
//!
//! Rows lie in blocks of a thousand; a change copies one block and publishes a new list of blocks, so a
//! search reads a frozen state without a lock and never waits for an enrolment, nor the other way round.
//! The set of libraries a person is in is interned as a small number, so that the filter costs one table
//! look-up per row.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use crate::{Embedding, LibraryId, ModelId, PersonId, Template};

mod scan;

pub use scan::dot;

/// Rows in a block: the unit that a change copies (2 MB at 512 dimensions).
const BLOCK_ROWS: usize = 1024;

/// Which people a search considers.
#[derive(Debug, Clone, PartialEq)]
pub enum Scope {
    /// Everybody.
    All,
    /// Those in at least one of these libraries.
    Libraries(Vec<LibraryId>),
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
    published: ArcSwap<State>,
    index: Mutex<Index>,
}

/// What a search reads: frozen once published.
#[derive(Default, Clone)]
struct State {
    blocks: Vec<Arc<Block>>,
    /// For each interned number, the libraries it stands for.
    memberships: Arc<Vec<Box<[LibraryId]>>>,
}

#[derive(Default, Clone)]
struct Block {
    people: Vec<PersonId>,
    memberships: Vec<u32>,
    vectors: Vec<f32>,
}

/// What only changes need.
#[derive(Default)]
struct Index {
    rows: HashMap<PersonId, usize>,
    interned: HashMap<Box<[LibraryId]>, u32>,
}

impl Gallery {
    /// An empty gallery for embeddings of this model.
    pub fn new(model: ModelId) -> Self {
        Self { model, published: ArcSwap::default(), index: Mutex::default() }
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

    /// Adds a person or replaces the person's template and libraries. Templates of another model, or of
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
        self.published.store(Arc::new(state));
        taken
    }

    /// Takes people out; unknown ones are passed over.
    pub fn remove(&self, people: &[PersonId]) {
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = State::clone(&self.published.load());
        people.iter().for_each(|person| state.take_out(&mut index, *person));
        self.published.store(Arc::new(state));
    }

    /// Notes that a person is now in these libraries; an unknown person is passed over.
    pub fn set_libraries(&self, person: PersonId, libraries: &[LibraryId]) {
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(&row) = index.rows.get(&person) else { return };
        let mut state = State::clone(&self.published.load());
        let membership = state.intern(&mut index, libraries);
        Arc::make_mut(&mut state.blocks[row / BLOCK_ROWS]).memberships[row % BLOCK_ROWS] = membership;
        self.published.store(Arc::new(state));
    }

    /// Compares the probe with everybody once and answers every query, best first. A probe of another
    /// model or length finds nobody.
    pub fn search(&self, probe: &Embedding, queries: &[Query]) -> Vec<Vec<Neighbour>> {
        let state = self.published.load();
        let fits = state.dimensions().is_none_or(|dimensions| dimensions == probe.vector().len());
        if *probe.model() != self.model || !fits {
            return vec![Vec::new(); queries.len()];
        }
        scan::scan(&state, probe.vector(), queries)
    }
}

impl State {
    fn rows(&self) -> usize {
        self.blocks.last().map_or(0, |last| (self.blocks.len() - 1) * BLOCK_ROWS + last.people.len())
    }

    fn put(&mut self, index: &mut Index, template: &Template) -> bool {
        let vector = template.embedding.vector();
        if self.dimensions().is_some_and(|dimensions| dimensions != vector.len()) {
            return false;
        }
        let membership = self.intern(index, &template.libraries);
        match index.rows.get(&template.person) {
            Some(&row) => {
                let block = Arc::make_mut(&mut self.blocks[row / BLOCK_ROWS]);
                block.set(row % BLOCK_ROWS, template.person, membership, vector);
            }
            None => {
                index.rows.insert(template.person, self.rows());
                self.open_block().push(template.person, membership, vector);
            }
        }
        true
    }

    /// The last row takes the place of the one that goes, so that rows stay dense.
    fn take_out(&mut self, index: &mut Index, person: PersonId) {
        let Some(row) = index.rows.remove(&person) else { return };
        let last_row = self.rows() - 1;
        // A row exists, so there is a last block and it has a last row.
        let Some(last_block) = self.blocks.last_mut() else { return };
        let Some((moved, membership, vector)) = Arc::make_mut(last_block).pop() else { return };
        if last_block.people.is_empty() {
            self.blocks.pop();
        }
        if row != last_row {
            Arc::make_mut(&mut self.blocks[row / BLOCK_ROWS]).set(row % BLOCK_ROWS, moved, membership, &vector);
            index.rows.insert(moved, row);
        }
    }

    fn dimensions(&self) -> Option<usize> {
        self.blocks.first().and_then(|block| block.vectors.len().checked_div(block.people.len()))
    }

    fn open_block(&mut self) -> &mut Block {
        if self.blocks.last().is_none_or(|block| block.people.len() == BLOCK_ROWS) {
            self.blocks.push(Arc::default());
        }
        let last = self.blocks.len() - 1;
        Arc::make_mut(&mut self.blocks[last])
    }

    fn intern(&mut self, index: &mut Index, libraries: &[LibraryId]) -> u32 {
        if let Some(&number) = index.interned.get(libraries) {
            return number;
        }
        let number = self.memberships.len() as u32;
        Arc::make_mut(&mut self.memberships).push(libraries.into());
        index.interned.insert(libraries.into(), number);
        number
    }
}

impl Block {
    fn push(&mut self, person: PersonId, membership: u32, vector: &[f32]) {
        self.people.push(person);
        self.memberships.push(membership);
        self.vectors.extend_from_slice(vector);
    }

    fn set(&mut self, row: usize, person: PersonId, membership: u32, vector: &[f32]) {
        self.people[row] = person;
        self.memberships[row] = membership;
        self.vectors[row * vector.len()..][..vector.len()].copy_from_slice(vector);
    }

    fn pop(&mut self) -> Option<(PersonId, u32, Vec<f32>)> {
        let dimensions = self.vectors.len().checked_div(self.people.len())?;
        let vector = self.vectors.split_off(self.vectors.len() - dimensions);
        Some((self.people.pop()?, self.memberships.pop()?, vector))
    }
}
