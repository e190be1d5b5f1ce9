//! What was acknowledged, and at which place of the log of writes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What the device acknowledged; clones share it. A place is a number of entries of the log.
#[derive(Debug, Clone, Default)]
pub struct Journal(Arc<Mutex<Entries>>);

#[derive(Debug, Default)]
struct Entries {
    people: BTreeMap<String, Person>,
    records: BTreeMap<String, usize>,
}

/// The places of what happened to a person.
#[derive(Debug, Default)]
struct Person {
    enrolled: Option<usize>,
    removal_sent: Option<usize>,
    removed: Option<usize>,
}

/// What must be on a disk, and what may be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    /// Codes of people whose enrolment was acknowledged and whose removal was not asked for.
    pub people: BTreeSet<String>,
    /// Codes of people whose enrolment or removal was under way.
    pub perhaps: BTreeSet<String>,
    /// Captures of records that were seen.
    pub records: BTreeSet<String>,
}

impl Journal {
    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An enrolment is asked for.
    pub fn enrolment_sent(&self, code: &str) {
        self.entries().people.insert(code.to_owned(), Person::default());
    }

    /// An enrolment was acknowledged.
    pub fn enrolled(&self, code: &str, place: usize) {
        self.entries().people.entry(code.to_owned()).or_default().enrolled = Some(place);
    }

    /// The removal of a person is asked for, the one who was enrolled first; `None` while `keep` or fewer are left.
    pub fn next_removal(&self, keep: usize, place: usize) -> Option<String> {
        let mut entries = self.entries();
        let mut left: Vec<_> =
            entries.people.iter_mut().filter(|(_, p)| p.enrolled.is_some() && p.removal_sent.is_none()).collect();
        if left.len() <= keep {
            return None;
        }
        left.sort_by_key(|(_, person)| person.enrolled);
        let (code, person) = left.swap_remove(0);
        person.removal_sent = Some(place);
        Some(code.clone())
    }

    /// A removal was acknowledged.
    pub fn removed(&self, code: &str, place: usize) {
        self.entries().people.entry(code.to_owned()).or_default().removed = Some(place);
    }

    /// Records were seen.
    pub fn seen(&self, captures: impl IntoIterator<Item = String>, place: usize) {
        let mut entries = self.entries();
        for capture in captures {
            entries.records.entry(capture).or_insert(place);
        }
    }

    /// Numbers of acknowledged enrolments and removals, and of seen records.
    pub fn counts(&self) -> (usize, usize, usize) {
        let entries = self.entries();
        let count = |has: fn(&Person) -> bool| entries.people.values().filter(|person| has(person)).count();
        (count(|person| person.enrolled.is_some()), count(|person| person.removed.is_some()), entries.records.len())
    }

    /// What a disk must have after so many entries of the log.
    pub fn expected(&self, after: usize) -> Expected {
        let entries = self.entries();
        let came = |place: Option<usize>| place.is_some_and(|place| place <= after);
        let mut expected = Expected::default();
        for (code, person) in &entries.people {
            // Nothing of the removal was written before that place.
            let may_go = person.removal_sent.is_some_and(|place| place < after);
            if came(person.enrolled) && !may_go {
                expected.people.insert(code.clone());
            } else if !came(person.removed) {
                expected.perhaps.insert(code.clone());
            }
        }
        let seen = entries.records.iter().filter(|(_, place)| **place <= after);
        expected.records = seen.map(|(capture, _)| capture.clone()).collect();
        expected
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(codes: &[&str]) -> BTreeSet<String> {
        codes.iter().map(|code| (*code).to_owned()).collect()
    }

    #[test]
    fn what_was_acknowledged_before_a_cut_must_be_there() {
        let journal = Journal::default();
        journal.enrolment_sent("a");
        journal.enrolled("a", 10);
        journal.enrolment_sent("b");
        journal.enrolled("b", 20);
        assert_eq!(journal.next_removal(2, 30), None);
        assert_eq!(journal.next_removal(1, 30).as_deref(), Some("a"));
        journal.removed("a", 40);
        journal.seen(["r".to_owned()], 25);
        journal.seen(["r".to_owned()], 50);
        let at = |after| journal.expected(after);
        assert_eq!(at(9), Expected { perhaps: set(&["a", "b"]), ..Expected::default() });
        assert_eq!((at(10).people, at(10).perhaps), (set(&["a"]), set(&["b"])));
        assert_eq!(at(30), Expected { people: set(&["a", "b"]), records: set(&["r"]), ..Expected::default() });
        assert_eq!((at(31).people, at(31).perhaps), (set(&["b"]), set(&["a"])));
        assert_eq!((at(40).people, at(40).perhaps), (set(&["b"]), set(&[])));
        assert_eq!((at(24).records, journal.counts()), (set(&[]), (2, 1, 1)));
    }
}
