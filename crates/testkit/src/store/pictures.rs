//! `Pictures`, and the removal of unused pictures.

use bytes::Bytes;
use domain::ports::Pictures;
use domain::{Error, PictureId, Result, Thing, Timestamp};
use sha2::{Digest, Sha256};

use super::{MemoryStore, State};

impl Pictures for MemoryStore {
    fn put(&self, picture: &[u8]) -> Result<PictureId> {
        let mut state = self.write()?;
        let id: PictureId = hex::encode(Sha256::digest(picture)).parse()?;
        state.pictures.entry(id.clone()).or_insert_with(|| Bytes::copy_from_slice(picture));
        *state.pins.entry(id.clone()).or_default() += 1;
        Ok(id)
    }

    fn keep(&self, picture: &[u8], limit: u64, _: Timestamp) -> Result<PictureId> {
        let id = self.put(picture)?;
        let mut state = self.write()?;
        state.unpin(&id);
        if state.kept_pictures.len() as u64 >= limit {
            state.remove_unnamed(&id);
            return Err(Error::LimitReached { what: Thing::Picture });
        }
        state.kept_pictures.insert(id.clone());
        Ok(id)
    }

    fn remove(&self, id: &PictureId) -> Result<()> {
        let mut state = self.write()?;
        state.check_pictures(&[id])?;
        if state.people.values().any(|enrolled| enrolled.person.photo == *id) {
            return Err(Error::InUse { by: Thing::Person });
        }
        state.kept_pictures.remove(id);
        state.pictures.remove(id);
        Ok(())
    }

    fn get(&self, id: &PictureId) -> Result<Bytes> {
        self.read().pictures.get(id).cloned().ok_or(Error::NotFound { what: Thing::Picture })
    }

    fn size(&self, id: &PictureId) -> Result<u64> {
        self.get(id).map(|picture| picture.len() as u64)
    }
}

impl State {
    /// `NotFound(Picture)` unless all of these are stored.
    pub(super) fn check_pictures(&self, ids: &[&PictureId]) -> Result<()> {
        let all_stored = ids.iter().all(|id| self.pictures.contains_key(*id));
        if all_stored { Ok(()) } else { Err(Error::NotFound { what: Thing::Picture }) }
    }

    /// Reports that a row names the picture now.
    pub(super) fn unpin(&mut self, id: &PictureId) {
        let puts = self.pins.remove(id).unwrap_or_default();
        if puts > 1 {
            self.pins.insert(id.clone(), puts - 1);
        }
    }

    /// Removes a picture, unless a row names it or was announced by a put.
    pub(super) fn remove_unnamed(&mut self, id: &PictureId) {
        let by_person = self.people.values().any(|enrolled| enrolled.person.photo == *id);
        let by_entry = self.log.values().any(|entry| entry.pictures().contains(&id));
        let kept = self.kept_pictures.contains(id);
        if !by_person && !by_entry && !kept && !self.pins.contains_key(id) {
            self.pictures.remove(id);
        }
    }
}
