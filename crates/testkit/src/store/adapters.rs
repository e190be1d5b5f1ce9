//! `AdapterState`.

use domain::ports::AdapterState;
use domain::{Job, JobId, JobItem, Note, Noted, Result, Seq};

use super::{MemoryStore, State};

impl AdapterState for MemoryStore {
    fn cursor(&self, adapter: &str, feed: &str) -> Result<Option<Seq>> {
        Ok(self.read().cursors.get(&(adapter.to_owned(), feed.to_owned())).copied())
    }

    fn set_cursor(&self, adapter: &str, feed: &str, seq: Seq) -> Result<()> {
        self.write()?.cursors.insert((adapter.to_owned(), feed.to_owned()), seq);
        Ok(())
    }

    fn value(&self, adapter: &str, key: &str) -> Result<Option<String>> {
        Ok(self.read().values.get(&(adapter.to_owned(), key.to_owned())).cloned())
    }

    fn set_value(&self, adapter: &str, key: &str, value: Option<&str>) -> Result<()> {
        let mut state = self.write()?;
        let key = (adapter.to_owned(), key.to_owned());
        match value {
            Some(value) => state.values.insert(key, value.to_owned()),
            None => state.values.remove(&key),
        };
        Ok(())
    }

    fn notes(&self, adapter: &str, things: &[Noted]) -> Result<Vec<(Noted, String)>> {
        let state = self.read();
        let note = |thing: &Noted| Some((*thing, state.notes.get(&(*thing, adapter.to_owned()))?.clone()));
        Ok(things.iter().filter_map(note).collect())
    }

    fn begin_job(&self, adapter: &str, about: &str, items: &[JobItem]) -> Result<JobId> {
        let mut state = self.write()?;
        let id = JobId(super::next(&mut state.last.job));
        let job = Job { id, about: about.to_owned(), items: items.to_vec() };
        state.jobs.insert(id, (adapter.to_owned(), job));
        Ok(id)
    }

    fn jobs(&self, adapter: &str) -> Result<Vec<Job>> {
        let state = self.read();
        let own = state.jobs.values().filter(|(of, _)| of == adapter);
        Ok(own.map(|(_, job)| job.clone()).collect())
    }

    fn note_outcome(&self, job: JobId, place: u32, outcome: &str) -> Result<()> {
        let mut state = self.write()?;
        let item = state.jobs.get_mut(&job).and_then(|(_, job)| job.items.get_mut(place as usize));
        if let Some(item) = item {
            item.outcome = Some(outcome.to_owned());
        }
        Ok(())
    }

    fn end_job(&self, job: JobId) -> Result<()> {
        self.write()?.jobs.remove(&job);
        Ok(())
    }
}

impl State {
    /// Stores or removes a note; no effect for `None`.
    pub(super) fn keep_note(&mut self, thing: impl Into<Noted>, note: Option<&Note>) {
        let Some(Note { adapter, text }) = note else { return };
        let key = (thing.into(), (*adapter).to_owned());
        match text {
            Some(text) => self.notes.insert(key, text.clone()),
            None => self.notes.remove(&key),
        };
    }

    pub(super) fn remove_notes(&mut self, thing: impl Into<Noted>) {
        let removed = thing.into();
        self.notes.retain(|(thing, _), _| *thing != removed);
    }
}
