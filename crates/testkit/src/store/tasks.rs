//! `TaskStore`.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use domain::names::holds;
use domain::ports::TaskStore;
use domain::{
    Attendance, Error, Note, Page, PersonId, Presence, Result, Roll, Seq, Sighting, SightingFilter, SightingId, Task,
    TaskId, TaskSettings, Thing, Timestamp, WatchId, Window,
};

use super::{MemoryStore, State, next, window};

impl TaskStore for MemoryStore {
    fn tasks(&self) -> Result<Vec<Task>> {
        Ok(self.read().tasks.values().cloned().collect())
    }

    fn insert_task(&self, task: &TaskSettings, note: Option<&Note>, at: Timestamp) -> Result<Task> {
        let mut state = self.write()?;
        state.check_task(task, None)?;
        let (id, watch) = (TaskId(next(&mut state.last.task)), WatchId(next(&mut state.last.watch)));
        let task = Task { id, watch, settings: task.clone(), created_at: at };
        state.tasks.insert(id, task.clone());
        state.keep_note(id, note);
        Ok(task)
    }

    fn update_task(&self, id: TaskId, settings: &TaskSettings, note: Option<&Note>) -> Result<Task> {
        let mut state = self.write()?;
        let before = state.tasks.get(&id).cloned().ok_or(Error::NotFound { what: Thing::Task })?;
        state.check_task(settings, Some(id))?;
        let task = Task { settings: settings.clone(), ..before };
        state.tasks.insert(id, task.clone());
        state.keep_note(id, note);
        Ok(task)
    }

    fn remove_task(&self, id: TaskId) -> Result<()> {
        let mut state = self.write()?;
        state.remove_notes(id);
        state.tasks.remove(&id).map(drop).ok_or(Error::NotFound { what: Thing::Task })
    }

    fn sightings(&self, filter: &SightingFilter, wanted: Window) -> Result<Page<Sighting>> {
        let mut rows: Vec<Sighting> = self.read().all_sightings().filter(|sighting| fits(filter, sighting)).collect();
        rows.sort_by_key(|sighting| Reverse((sighting.capture.at, sighting.id)));
        Ok(Page { total: rows.len() as u64, rows: window(rows, wanted) })
    }

    fn record_of_sighting(&self, id: SightingId) -> Result<Seq> {
        let found = self.read().sightings.get(&id).map(|(seq, _)| *seq);
        found.ok_or(Error::NotFound { what: Thing::Record })
    }

    fn attendance(&self, roll: &Roll, wanted: Window) -> Result<Page<Attendance>> {
        let state = self.read();
        let people = state.people.values().map(|enrolled| &enrolled.person);
        let on_roll = people.filter(|person| person.libraries.iter().any(|library| roll.libraries.contains(library)));
        let ids: BTreeSet<PersonId> = on_roll.map(|person| person.id).collect();
        let entries = ids.into_iter().map(|person| Attendance { person, seen: state.presence(roll, person) });
        let rows: Vec<_> = entries.filter(|entry| roll.seen.is_none_or(|seen| entry.seen.is_some() == seen)).collect();
        Ok(Page { total: rows.len() as u64, rows: window(rows, wanted) })
    }
}

impl State {
    fn check_task(&self, task: &TaskSettings, but: Option<TaskId>) -> Result<()> {
        if self.tasks.values().any(|other| other.settings.name == task.name && Some(other.id) != but) {
            return Err(Error::AlreadyExists { what: Thing::Task });
        }
        self.require_libraries(&task.watch.libraries)?;
        let all_there = task.entries.iter().chain(&task.exits).all(|camera| self.cameras.contains_key(camera));
        if all_there { Ok(()) } else { Err(Error::NotFound { what: Thing::Camera }) }
    }

    fn all_sightings(&self) -> impl Iterator<Item = Sighting> {
        self.sightings.iter().filter_map(|(id, (seq, position))| {
            let record = self.log.get(seq)?.record()?;
            let answer = record.matches.get(*position)?.clone();
            let (mark, capture) = (answer.task.clone()?, record.capture.clone());
            Some(Sighting { id: *id, mark, capture, answer, verdict: record.verdict })
        })
    }

    fn presence(&self, roll: &Roll, person: PersonId) -> Option<Presence> {
        let filter = SightingFilter {
            task: Some(roll.task),
            person: Some(person),
            captured: Some(roll.captured.clone()),
            ..SightingFilter::default()
        };
        let mut seen: Vec<_> = self.all_sightings().filter(|sighting| fits(&filter, sighting)).collect();
        seen.sort_by_key(|sighting| (sighting.capture.at, sighting.id));
        let (first, last) = (seen.first()?, seen.last()?);
        Some(Presence { first: first.capture.at, last: last.capture.at, direction: last.mark.direction })
    }
}

fn fits(filter: &SightingFilter, sighting: &Sighting) -> bool {
    let known = sighting.accepted();
    let similarity = sighting.answer.best.as_ref().map(|best| best.similarity).unwrap_or_default();
    filter.task.is_none_or(|task| sighting.mark.task == task)
        && filter.camera.is_none_or(|camera| sighting.capture.camera == camera)
        && filter.captured.as_ref().is_none_or(|captured| captured.contains(&sighting.capture.at))
        && filter.accepted.is_none_or(|accepted| known.is_some() == accepted)
        && filter.similarity.is_none_or(|least| similarity >= least)
        && filter.person.is_none_or(|person| known.is_some_and(|known| known.person == person))
        && filter.library.is_none_or(|library| known.is_some_and(|known| known.library == library))
        && filter.name_part.as_ref().is_none_or(|part| known.is_some_and(|known| holds(&known.name, part)))
        && filter.document_number.as_ref().is_none_or(|text| known.is_some_and(|known| known.document_number == *text))
        && filter.direction.is_none_or(|direction| sighting.mark.direction == direction)
}
