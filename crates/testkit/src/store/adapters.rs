//! What adapters keep.

use domain::ports::AdapterState;
use domain::{Error, Job, JobId, JobItem, PersonId, Result, Seq, Thing};

use super::MemoryStore;

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

    fn annotations(&self, adapter: &str, people: &[PersonId]) -> Result<Vec<(PersonId, String)>> {
        let state = self.read();
        let note = |id: &PersonId| Some((*id, state.annotations.get(&(*id, adapter.to_owned()))?.clone()));
        Ok(people.iter().filter_map(note).collect())
    }

    fn annotate(&self, adapter: &str, person: PersonId, note: Option<&str>) -> Result<()> {
        let mut state = self.write()?;
        if !state.people.contains_key(&person) {
            return Err(Error::NotFound { what: Thing::Person });
        }
        let key = (person, adapter.to_owned());
        match note {
            Some(note) => state.annotations.insert(key, note.to_owned()),
            None => state.annotations.remove(&key),
        };
        Ok(())
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
