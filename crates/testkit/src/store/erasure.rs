//! Erasure of removed people from the log.

use domain::{Candidate, Entry, NamedPerson, PersonCode, PersonId, PictureId, Timestamp, What};

use super::State;

impl State {
    pub(super) fn erase_removed(&mut self) {
        let mut log = std::mem::take(&mut self.log);
        log.values_mut().for_each(|entry| self.erase_from(entry));
        self.log = log;
    }

    /// Erases people who were removed from an entry.
    pub(super) fn erase_from(&self, entry: &mut Entry) {
        match &mut entry.what {
            What::Record(record) => {
                let candidates = record.matches.iter_mut().filter_map(|answer| answer.best.as_mut());
                candidates.filter(|best| self.was_removed(best.person)).for_each(erase_candidate);
            }
            What::Correction(correction) => self.erase_named(correction.shows.as_mut()),
            What::Behaviour(behaviour) => {
                let candidates = behaviour.comparisons.iter_mut().map(|comparison| &mut comparison.best);
                candidates.filter(|best| self.was_removed(best.person)).for_each(erase_candidate);
            }
            What::Opening(opening) => self.erase_named(opening.person.as_mut()),
            What::Notice(_) | What::Clip(_) => {}
        }
    }

    fn erase_named(&self, person: Option<&mut NamedPerson>) {
        if let Some(person) = person.filter(|person| self.was_removed(person.id)) {
            *person = NamedPerson { id: PersonId::ERASED, code: PersonCode::erased(), name: String::new() };
        }
    }

    fn was_removed(&self, id: PersonId) -> bool {
        id.0 <= self.last.person && !self.people.contains_key(&id)
    }
}

fn erase_candidate(best: &mut Candidate) {
    *best = Candidate {
        person: PersonId::ERASED,
        code: PersonCode::erased(),
        name: String::new(),
        gender: None,
        age: None,
        document_number: String::new(),
        address: String::new(),
        photo: PictureId::not_kept(),
        enrolled_at: Timestamp::from_millis(0),
        ..best.clone()
    };
}
