//! Storage of the rows.

use std::collections::HashMap;
use std::sync::Arc;

use super::Scope;
use super::code::{Coded, LowLine, Shape};
use super::kernel::{self, Line, MAX_COMPONENTS};
use crate::{Membership, PersonId, Template};

/// Rows per block, the unit that a change copies (1.3 MB at 512 dimensions).
pub(super) const BLOCK_ROWS: usize = 1024;

/// The state that searches read; immutable once published.
#[derive(Default, Clone)]
pub(super) struct State {
    /// Components of a vector; without meaning while there are no blocks.
    pub(super) dimensions: usize,
    /// All but the last are full.
    pub(super) blocks: Vec<Arc<Block>>,
    /// The memberships, by their interned number.
    pub(super) memberships: Arc<Vec<Arc<Membership>>>,
}

/// A block of rows, stored by column.
#[derive(Default, Clone)]
pub(super) struct Block {
    pub(super) people: Vec<PersonId>,
    pub(super) memberships: Vec<u32>,
    pub(super) shapes: Vec<Shape>,
    /// The scanned part: the same number of lines per row.
    pub(super) high: Vec<Line>,
    pub(super) low: Vec<LowLine>,
}

/// A single row.
pub(super) struct Row {
    pub(super) person: PersonId,
    pub(super) membership: u32,
    pub(super) coded: Coded,
}

/// Look-up tables that only changes need.
#[derive(Default)]
pub(super) struct Index {
    pub(super) rows: HashMap<PersonId, usize>,
    pub(super) interned: HashMap<Arc<Membership>, u32>,
}

impl State {
    pub(super) fn rows(&self) -> usize {
        self.blocks.last().map_or(0, |last| (self.blocks.len() - 1) * BLOCK_ROWS + last.people.len())
    }

    /// Number of rows in the scope.
    pub(super) fn count(&self, scope: &Scope) -> usize {
        if *scope == Scope::ALL {
            return self.rows();
        }
        let considered: Vec<bool> = self.memberships.iter().map(|membership| scope.includes(membership)).collect();
        let rows = self.blocks.iter().flat_map(|block| &block.memberships);
        rows.filter(|membership| considered[**membership as usize]).count()
    }

    pub(super) fn scanned_bytes(&self) -> usize {
        self.rows() * kernel::lines(self.dimensions) * kernel::LINE
    }

    /// Whether a vector of this length can be compared with those present.
    pub(super) fn accepts(&self, dimensions: usize) -> bool {
        if self.blocks.is_empty() { dimensions <= MAX_COMPONENTS } else { dimensions == self.dimensions }
    }

    pub(super) fn put(&mut self, index: &mut Index, template: &Template) -> bool {
        let vector = template.embedding.vector();
        if !self.accepts(vector.len()) {
            return false;
        }
        self.dimensions = vector.len();
        let membership = self.intern(index, &template.membership);
        let row = Row { person: template.person, membership, coded: Coded::new(vector) };
        match index.rows.get(&template.person) {
            Some(&place) => self.set(place, &row),
            None => {
                index.rows.insert(template.person, self.rows());
                self.open_block().push(&row);
            }
        }
        true
    }

    /// Removes a row; the last row takes its place, so that rows stay dense.
    pub(super) fn remove(&mut self, index: &mut Index, person: PersonId) {
        let Some(place) = index.rows.remove(&person) else { return };
        let last = self.rows() - 1;
        let Some(last_block) = self.blocks.last_mut() else { return };
        let Some(moved) = Arc::make_mut(last_block).pop(kernel::lines(self.dimensions)) else { return };
        if last_block.people.is_empty() {
            self.blocks.pop();
        }
        if place != last {
            self.set(place, &moved);
            index.rows.insert(moved.person, place);
        }
    }

    pub(super) fn set_membership(&mut self, place: usize, membership: u32) {
        Arc::make_mut(&mut self.blocks[place / BLOCK_ROWS]).memberships[place % BLOCK_ROWS] = membership;
    }

    fn set(&mut self, place: usize, row: &Row) {
        Arc::make_mut(&mut self.blocks[place / BLOCK_ROWS]).set(place % BLOCK_ROWS, row);
    }

    fn open_block(&mut self) -> &mut Block {
        if self.blocks.last().is_none_or(|block| block.people.len() == BLOCK_ROWS) {
            self.blocks.push(Arc::default());
        }
        let last = self.blocks.len() - 1;
        Arc::make_mut(&mut self.blocks[last])
    }

    pub(super) fn intern(&mut self, index: &mut Index, membership: &Membership) -> u32 {
        if let Some(&number) = index.interned.get(membership) {
            return number;
        }
        let number = self.memberships.len() as u32;
        let membership = Arc::new(membership.clone());
        Arc::make_mut(&mut self.memberships).push(Arc::clone(&membership));
        index.interned.insert(membership, number);
        number
    }
}

impl Index {
    /// Builds the index of a state.
    pub(super) fn of(state: &State) -> Self {
        let people = state.blocks.iter().flat_map(|block| &block.people);
        let rows = people.enumerate().map(|(row, person)| (*person, row)).collect();
        let interned = state.memberships.iter().cloned().zip(0..).collect();
        Self { rows, interned }
    }
}

impl Block {
    /// Appends a row. Allocates the memory of a whole block with the first row: growth by doubling would fragment
    /// memory.
    fn push(&mut self, row: &Row) {
        if self.people.is_empty() {
            self.people.reserve_exact(BLOCK_ROWS);
            self.memberships.reserve_exact(BLOCK_ROWS);
            self.shapes.reserve_exact(BLOCK_ROWS);
            self.high.reserve_exact(BLOCK_ROWS * row.coded.high.len());
            self.low.reserve_exact(BLOCK_ROWS * row.coded.low.len());
        }
        self.people.push(row.person);
        self.memberships.push(row.membership);
        self.shapes.push(row.coded.shape);
        self.high.extend_from_slice(&row.coded.high);
        self.low.extend_from_slice(&row.coded.low);
    }

    fn set(&mut self, place: usize, row: &Row) {
        let lines = row.coded.high.len();
        self.people[place] = row.person;
        self.memberships[place] = row.membership;
        self.shapes[place] = row.coded.shape;
        self.high[place * lines..][..lines].copy_from_slice(&row.coded.high);
        self.low[place * lines..][..lines].copy_from_slice(&row.coded.low);
    }

    fn pop(&mut self, lines: usize) -> Option<Row> {
        let (person, membership, shape) = (self.people.pop()?, self.memberships.pop()?, self.shapes.pop()?);
        let rest = self.people.len() * lines;
        let coded = Coded { high: self.high.split_off(rest), low: self.low.split_off(rest), shape };
        Some(Row { person, membership, coded })
    }
}
