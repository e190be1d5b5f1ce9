//! `GalleryStore`.

use domain::ports::GalleryStore;
use domain::{ModelId, Result};

use super::MemoryStore;

/// The stored copy.
pub(super) struct Kept {
    model: ModelId,
    generation: u64,
    chunks: Vec<Vec<u8>>,
}

impl GalleryStore for MemoryStore {
    fn generation(&self) -> Result<u64> {
        Ok(self.read().generation)
    }

    fn read_copy(&self, model: &ModelId, generation: u64, take: &mut dyn FnMut(&[u8]) -> bool) -> Result<bool> {
        let state = self.read();
        let copy = state.gallery_copy.as_ref();
        let fitting = copy.filter(|copy| copy.model == *model && copy.generation == generation);
        Ok(fitting.is_some_and(|copy| copy.chunks.iter().all(|chunk| take(chunk))))
    }

    fn keep_copy(&self, model: &ModelId, generation: u64, chunks: &mut dyn Iterator<Item = Vec<u8>>) -> Result<bool> {
        let chunks = chunks.filter(|chunk| !chunk.is_empty()).collect();
        let mut state = self.write()?;
        let is_current = state.generation == generation;
        if is_current {
            state.gallery_copy = Some(Kept { model: model.clone(), generation, chunks });
        }
        Ok(is_current)
    }

    fn remove_copy(&self) -> Result<()> {
        self.read().gallery_copy = None;
        Ok(())
    }
}
