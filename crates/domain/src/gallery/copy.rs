//! Conversion of the gallery to chunks of bytes that a store can keep, and back. Numbers are little-endian.
//!
//! The first chunk contains the number of rows and components and the memberships; each further chunk is a block. The
//! file is read, not mapped: mapping would need unsafe code, turn a bad sector into a signal that ends the process, and
//! save a tenth of a second.

use std::sync::{Arc, PoisonError};

use super::block::{BLOCK_ROWS, Block, Index, State};
use super::code::{LowLine, Shape};
use super::kernel::{self, LINE, Line, MAX_COMPONENTS};
use super::{Gallery, LibraryId, Membership, PersonId};

/// Version of the layout; changes whenever the meaning of a byte does.
const LAYOUT: u32 = 3;
/// Bytes of a row without its components: person, membership, shape.
const ROW_HEAD: usize = 8 + 4 + 8;

/// An immutable snapshot of a gallery; later changes copy the blocks that they change.
pub struct Copy(Arc<State>);

impl Copy {
    /// The chunks in order, created lazily; each is about a megabyte.
    pub fn chunks(&self) -> impl Iterator<Item = Vec<u8>> {
        std::iter::once(head(&self.0)).chain(self.0.blocks.iter().map(|block| block_chunk(block)))
    }
}

/// A gallery being restored from the chunks of a [`struct@Copy`].
#[derive(Default)]
pub struct Restoration {
    state: State,
    /// Total number of rows; `None` before the first chunk.
    rows: Option<usize>,
}

impl Gallery {
    /// A snapshot of the present content; cheap.
    pub fn copy(&self) -> Copy {
        Copy(self.published.load_full())
    }

    /// Replaces the content by a restored one. Returns `false`, without a change, when the restoration is incomplete or
    /// two rows are of the same person.
    pub fn restore(&self, restoration: Restoration) -> bool {
        let Restoration { state, rows } = restoration;
        let restored = Index::of(&state);
        if rows != Some(state.rows()) || restored.rows.len() != state.rows() {
            return false;
        }
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        *index = restored;
        self.publish(state);
        true
    }
}

impl Restoration {
    /// Adds the next chunk. Returns `false` when the chunk is invalid.
    pub fn take(&mut self, chunk: &[u8]) -> bool {
        let mut bytes = Bytes(chunk);
        let taken = if self.rows.is_none() { self.take_head(&mut bytes) } else { self.take_block(&mut bytes) };
        taken.is_some() && bytes.0.is_empty()
    }

    fn take_head(&mut self, bytes: &mut Bytes<'_>) -> Option<()> {
        let layout = bytes.u32()?;
        self.state.dimensions = bytes.u32()? as usize;
        let rows = usize::try_from(bytes.i64()?).ok()?;
        if layout != LAYOUT || self.state.dimensions > MAX_COMPONENTS || (rows > 0 && self.state.dimensions == 0) {
            return None;
        }
        let mut memberships = Vec::new();
        for _ in 0..bytes.u32()? {
            memberships.push(Arc::new(bytes.membership()?));
        }
        self.state.memberships = Arc::new(memberships);
        self.rows = Some(rows);
        Some(())
    }

    fn take_block(&mut self, bytes: &mut Bytes<'_>) -> Option<()> {
        let lines = kernel::lines(self.state.dimensions);
        let row = ROW_HEAD + lines * 2 * LINE;
        let rows = bytes.0.len() / row;
        // All blocks but the last are full.
        let expected = self.rows?.checked_sub(self.state.blocks.len() * BLOCK_ROWS)?.min(BLOCK_ROWS);
        if rows == 0 || rows != expected {
            return None;
        }
        let block = Block {
            people: bytes.each(rows, |b| PersonId(i64::from_le_bytes(b)))?,
            memberships: bytes.each(rows, u32::from_le_bytes)?,
            shapes: bytes.each(rows, shape)?,
            high: bytes.each(rows * lines, |b: [u8; LINE]| Line(b.map(u8::cast_signed)))?,
            low: bytes.each(rows * lines, LowLine)?,
        };
        let known = |membership: &u32| (*membership as usize) < self.state.memberships.len();
        let usable = |shape: &Shape| shape.step.is_finite() && shape.slack.is_finite();
        if !block.memberships.iter().all(known) || !block.shapes.iter().all(usable) {
            return None;
        }
        self.state.blocks.push(Arc::new(block));
        Some(())
    }
}

fn head(state: &State) -> Vec<u8> {
    let mut chunk = Vec::new();
    chunk.extend(LAYOUT.to_le_bytes());
    chunk.extend((state.dimensions as u32).to_le_bytes());
    chunk.extend((state.rows() as u64).to_le_bytes());
    chunk.extend((state.memberships.len() as u32).to_le_bytes());
    state.memberships.iter().for_each(|membership| put_membership(&mut chunk, membership));
    chunk
}

fn put_membership(chunk: &mut Vec<u8>, membership: &Membership) {
    chunk.extend((membership.libraries.len() as u32).to_le_bytes());
    chunk.extend(membership.libraries.iter().flat_map(|library| library.0.to_le_bytes()));
    chunk.extend((membership.permission_groups.len() as u32).to_le_bytes());
    for group in &membership.permission_groups {
        chunk.extend((group.len() as u32).to_le_bytes());
        chunk.extend(group.bytes());
    }
}

fn block_chunk(block: &Block) -> Vec<u8> {
    let bytes = block.people.len() * ROW_HEAD + block.high.len() * 2 * LINE;
    let mut chunk = Vec::with_capacity(bytes);
    chunk.extend(block.people.iter().flat_map(|person| person.0.to_le_bytes()));
    chunk.extend(block.memberships.iter().flat_map(|membership| membership.to_le_bytes()));
    chunk.extend(block.shapes.iter().flat_map(|shape| [shape.step, shape.slack]).flat_map(f32::to_le_bytes));
    block.high.iter().for_each(|line| chunk.extend_from_slice(&line.0.map(i8::cast_unsigned)));
    block.low.iter().for_each(|line| chunk.extend_from_slice(&line.0));
    chunk
}

fn shape(bytes: [u8; 8]) -> Shape {
    let [a, b, c, d, e, f, g, h] = bytes;
    Shape { step: f32::from_le_bytes([a, b, c, d]), slack: f32::from_le_bytes([e, f, g, h]) }
}

/// The unread rest of a chunk.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    /// Reads the next `count` items of N bytes; `None`, before memory is allocated, when there are fewer bytes.
    fn each<const N: usize, T>(&mut self, count: usize, item: impl Fn([u8; N]) -> T) -> Option<Vec<T>> {
        let (these, rest) = self.0.split_at_checked(count.checked_mul(N)?)?;
        self.0 = rest;
        Some(these.as_chunks::<N>().0.iter().map(|bytes| item(*bytes)).collect())
    }

    fn u32(&mut self) -> Option<u32> {
        self.each(1, u32::from_le_bytes)?.pop()
    }

    fn i64(&mut self) -> Option<i64> {
        self.each(1, i64::from_le_bytes)?.pop()
    }

    fn text(&mut self) -> Option<String> {
        let length = self.u32()? as usize;
        String::from_utf8(self.each(length, u8::from_le_bytes)?).ok()
    }

    fn membership(&mut self) -> Option<Membership> {
        let libraries = self.u32()? as usize;
        let libraries = self.each(libraries, |bytes| LibraryId(i64::from_le_bytes(bytes)))?;
        let mut permission_groups = Vec::new();
        for _ in 0..self.u32()? {
            permission_groups.push(self.text()?);
        }
        Some(Membership { libraries, permission_groups })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gallery::{Query, Scope};
    use crate::{Embedding, Membership, ModelId, Template};

    fn embedding(seed: i64) -> Embedding {
        let vector = (0..70).map(|n| ((seed * 37 + n * 11) as f32 * 0.7).sin()).collect();
        Embedding::normalised(ModelId("test".into()), vector).unwrap()
    }

    fn template(person: i64) -> Template {
        let membership = Membership {
            libraries: (0..=person % 3).map(LibraryId).collect(),
            permission_groups: (0..person % 2).map(|_| "north gate".to_owned()).collect(),
        };
        Template { person: PersonId(person), membership, embedding: embedding(person) }
    }

    fn gallery(people: i64) -> Gallery {
        let gallery = Gallery::new(ModelId("test".into()));
        gallery.insert_all((0..people).map(template));
        gallery
    }

    fn restored(chunks: &[Vec<u8>]) -> Option<Gallery> {
        let (gallery, mut restoration) = (gallery(0), Restoration::default());
        let taken = chunks.iter().all(|chunk| restoration.take(chunk));
        (taken && gallery.restore(restoration)).then_some(gallery)
    }

    fn answers(gallery: &Gallery) -> Vec<Vec<crate::gallery::Neighbour>> {
        let query = |scope| Query { scope, limit: 7 };
        gallery.search(&embedding(5), &[query(Scope::ALL), query(Scope::libraries(vec![LibraryId(2)]))])
    }

    #[test]
    fn a_restored_gallery_answers_and_changes_like_the_one_that_was_copied() {
        for people in [0, 1, 1024, 1025, 2100] {
            let original = gallery(people);
            let copy = restored(&original.copy().chunks().collect::<Vec<_>>()).unwrap();
            assert_eq!(answers(&copy), answers(&original));
            for gallery in [&original, &copy] {
                gallery.remove(&[PersonId(5), PersonId(0)]);
                gallery.insert(template(5));
                gallery.insert(template(1_000_000));
            }
            assert_eq!((answers(&copy), copy.len()), (answers(&original), original.len()));
        }
    }

    #[test]
    fn a_copy_is_a_snapshot() {
        let original = gallery(10);
        let copy = original.copy();
        original.remove(&[PersonId(5)]);
        let restored = restored(&copy.chunks().collect::<Vec<_>>()).unwrap();
        assert_eq!(answers(&restored), answers(&gallery(10)));
    }

    #[test]
    fn a_damaged_copy_is_refused() {
        let chunks: Vec<Vec<u8>> = gallery(1500).copy().chunks().collect();
        assert!(restored(&chunks).is_some());
        assert!(restored(&chunks[..2]).is_none(), "a block is missing");
        assert!(restored(&[&chunks[..], &chunks[2..]].concat()).is_none(), "a block too many");
        assert!(restored(&chunks[1..]).is_none(), "no head");
        let damaged = |chunk: usize, change: fn(&mut Vec<u8>)| {
            let mut chunks = chunks.clone();
            change(&mut chunks[chunk]);
            restored(&chunks)
        };
        assert!(damaged(0, |head| head[0] = 9).is_none(), "another layout");
        assert!(damaged(0, |head| head[6] = 9).is_none(), "more components");
        assert!(damaged(0, |head| head[14] = 0xff).is_none(), "endless rows");
        assert!(damaged(0, |head| head[19] = 0xff).is_none(), "endless memberships");
        assert!(damaged(1, |block| block.push(0)).is_none(), "a byte too many");
        assert!(damaged(2, |block| block.truncate(block.len() - 1)).is_none(), "a byte too few");
        assert!(damaged(1, |block| block.copy_within(0..8, 8)).is_none(), "a person twice");
        assert!(damaged(1, |block| block[8 * 1024] = 200).is_none(), "an unknown membership");
        assert!(damaged(1, |block| block[12 * 1024..][..4].fill(0xff)).is_none(), "a step that is no number");
    }
}
