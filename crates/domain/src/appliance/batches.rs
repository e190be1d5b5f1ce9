//! Batches of people.

use std::collections::HashSet;

use futures_util::{StreamExt, stream};

use super::{Acts, Appliance};
use crate::{Act, Actor, Error, LibraryId, NewPerson, Person, PersonCode, PersonId, Result, Thing};

/// Photos of a batch that are analysed concurrently: enough to keep the analyzer busy, while few decoded photos take
/// memory.
const CONCURRENT: usize = 4;

impl Acts<'_> {
    /// Enrols people, each as [`enrol`](Self::enrol) does. Returns one result per person, in the order of `people`; a
    /// failure does not affect the others. Of several people with the same code, the first that can be enrolled gets
    /// it.
    pub async fn enrol_all(self, people: Vec<NewPerson>) -> Vec<Result<Person>> {
        let mut codes = HashSet::new();
        let mut is_first = |person: &NewPerson| person.code.clone().is_none_or(|code| codes.insert(code));
        let (first, again): (Vec<_>, Vec<_>) = people.into_iter().enumerate().partition(|(_, person)| is_first(person));
        let enrol = |(place, person)| async move { (place, self.enrol(person).await) };
        let mut results: Vec<_> = stream::iter(first).map(enrol).buffer_unordered(CONCURRENT).collect().await;
        for repeated in again {
            results.push(enrol(repeated).await);
        }
        results.sort_unstable_by_key(|(place, _)| *place);
        results.into_iter().map(|(_, result)| result).collect()
    }

    /// Removes people from a library, and from the device if they are in no other. Returns how many were removed; codes
    /// that are not in the library are skipped. Runs to its end even when this future is dropped. `NotFound(Library)`.
    pub async fn remove_all_from_library(self, library: LibraryId, codes: Vec<PersonCode>) -> Result<u64> {
        let actor = self.permit(Act::PERSON_REMOVE)?;
        self.appliance.library(library).await?;
        self.blocking(move |a| {
            let removed = a.leave_library_all(&actor, library, codes);
            // Those before a failure are removed.
            a.erase_removed()?;
            removed
        })
        .await
    }

    /// Removes people from the device, as [`remove_person`](Self::remove_person) does, with one erasure for all of
    /// them. Returns how many were removed; those who do not exist are skipped. Runs to its end even when this future
    /// is dropped.
    pub async fn remove_people(self, ids: Vec<PersonId>) -> Result<u64> {
        let actor = self.permit(Act::PERSON_REMOVE)?;
        self.blocking(move |a| {
            let removed = count(ids, |id| a.drop_in_order(&actor, id));
            a.erase_removed()?;
            removed
        })
        .await
    }
}

impl Appliance {
    fn leave_library_all(&self, actor: &Actor, library: LibraryId, codes: Vec<PersonCode>) -> Result<u64> {
        count(codes, |code| {
            let person = self.ports().people.person_by_code(&code)?;
            self.leave_library(actor, person.id, library)
        })
    }
}

/// Removes each, and counts those that existed.
fn count<T>(things: Vec<T>, mut remove: impl FnMut(T) -> Result<()>) -> Result<u64> {
    let mut removed = 0;
    for thing in things {
        match remove(thing) {
            Ok(()) => removed += 1,
            Err(Error::NotFound { what: Thing::Person }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(removed)
}
