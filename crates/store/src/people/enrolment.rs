//! Whether searches find people, by the embedding model in use.

use domain::{Enrolment, EnrolmentState, ModelId, PersonId};
use rusqlite::Connection;

use crate::columns::{self, Columns, Reader, optional, word};
use crate::connection::View;
use crate::error::Fault;
use crate::settings;

/// The setting that names the model in use.
const MODEL: &str = "people.model";

/// The columns of the state.
pub(super) fn columns(enrolment: Enrolment) -> Columns {
    let fault = match enrolment {
        Enrolment::Enrolled | Enrolment::Pending => None,
        Enrolment::Failed(fault) => Some(fault),
    };
    vec![("enrolment", word(&enrolment.state())), ("photo_fault", optional(fault, |fault| word(&fault)))]
}

/// Reads both columns.
pub(super) fn read(row: &mut Reader<'_>) -> Result<Enrolment, Fault> {
    let (state, fault) = (row.word()?, row.word_optional()?);
    match (state, fault) {
        (EnrolmentState::Enrolled, _) => Ok(Enrolment::Enrolled),
        (EnrolmentState::Pending, _) => Ok(Enrolment::Pending),
        (EnrolmentState::Failed, Some(fault)) => Ok(Enrolment::Failed(fault)),
        (EnrolmentState::Failed, None) => Err(Fault::Corrupt("photo fault")),
    }
}

/// Whether the states are by this model.
pub(super) fn is_by(db: &View<'_>, model: &ModelId) -> Result<bool, Fault> {
    Ok(settings::value(db, MODEL)?.is_some_and(|known| known == *model.0))
}

/// Sets the state of a person by what this model made of the photo; ignored while another model is in use.
pub(super) fn follow(db: &View<'_>, id: PersonId, model: &ModelId, enrolment: Enrolment) -> Result<(), Fault> {
    if is_by(db, model)? {
        columns::update(db, "person", id.0, columns(enrolment))?;
    }
    Ok(())
}

/// Sets the states by what this model has made of the photos.
pub(super) fn use_model(db: &View<'_>, model: &ModelId) -> Result<(), Fault> {
    for sql in [
        "UPDATE person SET enrolment = 'pending', photo_fault = NULL WHERE enrolment <> 'pending'
         AND NOT EXISTS (SELECT 1 FROM template WHERE person = id AND model = ?)",
        "UPDATE person SET enrolment = 'enrolled', photo_fault = NULL WHERE enrolment <> 'enrolled'
         AND EXISTS (SELECT 1 FROM template WHERE person = id AND model = ? AND embedding IS NOT NULL)",
        // What is wrong with them was not kept before, or is what another model says.
        "UPDATE person SET enrolment = 'failed', photo_fault = 'no_face' WHERE enrolment <> 'failed'
         AND EXISTS (SELECT 1 FROM template WHERE person = id AND model = ? AND embedding IS NULL)",
    ] {
        db.execute(sql, [&*model.0])?;
    }
    Ok(settings::put(db, MODEL, &model.0)?)
}

/// How many people searches do not find.
pub(super) fn missing(db: &Connection) -> Result<u64, Fault> {
    let mut statement = db.prepare_cached("SELECT count(*) FROM person WHERE enrolment IN ('pending', 'failed')")?;
    Ok(statement.query_row([], |row| row.get::<_, i64>(0))?.cast_unsigned())
}
