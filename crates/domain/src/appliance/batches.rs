//! Many people at once.

use std::collections::HashSet;

use futures_util::{StreamExt, stream};

use super::Acts;
use crate::{Act, Error, LibraryId, NewPerson, Person, PersonCode, Result, Thing};

/// Photos of a batch that are understood side by side: enough to keep the analyzer busy, while few decoded photos
/// take memory.
const SIDE_BY_SIDE: usize = 4;

impl Acts<'_> {
    /// Enrols many people, each as [`enrol`](Self::enrol) does. The answers come in the order of the people; one who is
    /// refused keeps nobody else out. Of several with the same code the first who can be enrolled gets it.
    pub async fn enrol_all(self, people: Vec<NewPerson>) -> Vec<Result<Person>> {
        let mut codes = HashSet::new();
        let mut is_first = |person: &NewPerson| person.code.clone().is_none_or(|code| codes.insert(code));
        let (first, again): (Vec<_>, Vec<_>) = people.into_iter().enumerate().partition(|(_, person)| is_first(person));
        let enrol = |(place, person)| async move { (place, self.enrol(person).await) };
        let mut answers: Vec<_> = stream::iter(first).map(enrol).buffer_unordered(SIDE_BY_SIDE).collect().await;
        for repeated in again {
            answers.push(enrol(repeated).await);
        }
        answers.sort_unstable_by_key(|(place, _)| *place);
        answers.into_iter().map(|(_, answer)| answer).collect()
    }

    /// Takes people out of a library, and off the device who is in no other. Answers how many were in it; codes of
    /// nobody there are passed over. Goes on to its end even when the caller goes away. `NotFound(Library)`.
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
