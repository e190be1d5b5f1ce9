//! Batches of people.

use std::collections::HashSet;

use futures_util::{StreamExt, stream};

use super::Acts;
use crate::{Act, Error, LibraryId, NewPerson, Person, PersonCode, Result, Thing};

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
            let mut removed = 0;
            for code in codes {
                let left = a.ports().people.person_by_code(&code).and_then(|p| a.leave_library(&actor, p.id, library));
                match left {
                    Ok(()) => removed += 1,
                    Err(Error::NotFound { what: Thing::Person }) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(removed)
        })
        .await
    }
}
