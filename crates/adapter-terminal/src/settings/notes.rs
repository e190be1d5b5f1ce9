//! What only this document knows of people.

use std::collections::HashMap;

use domain::{PersonId, Result, State};

use crate::wire::people::OwnFields;

/// What only this document knows of a person.
pub(crate) async fn own_fields(state: &State, person: PersonId) -> Result<OwnFields> {
    Ok(state.note(person).await?.as_deref().map(OwnFields::kept).unwrap_or_default())
}

/// What only this document knows of people; a person without such a note is absent.
pub(crate) async fn own_fields_of(state: &State, people: &[PersonId]) -> Result<HashMap<PersonId, OwnFields>> {
    let notes = state.notes(people).await?;
    Ok(notes.into_iter().map(|(person, note)| (person, OwnFields::kept(&note))).collect())
}
