//! Selects the index for a filter of records.

use std::ops::Deref;

use domain::names::folded;
use domain::{LibraryId, RecordFilter, Similarity};
use rusqlite::types::Value;

use crate::columns::{real, time, word};
use crate::connection::View;
use crate::error::Fault;
use crate::lists::{Selection, json};
use crate::texts::{self, has};

/// A filter, and the candidates that it asks for by parts of their texts, as JSON.
pub(super) struct Resolved<'a> {
    filter: &'a RecordFilter,
    candidates: Option<String>,
}

impl<'a> Resolved<'a> {
    pub(super) fn new(db: &View<'_>, filter: &'a RecordFilter) -> Result<Self, Fault> {
        let candidates = candidates_with(db, filter.name_part.as_deref(), filter.document_number_part.as_deref())?;
        Ok(Self { filter, candidates })
    }
}

impl Deref for Resolved<'_> {
    type Target = RecordFilter;

    fn deref(&self) -> &RecordFilter {
        self.filter
    }
}

/// The candidates with these parts of name and document number, as JSON; `None` when no part is wanted. An empty part
/// is one of every text, also of those that were erased.
pub(super) fn candidates_with(
    db: &View<'_>,
    name: Option<&str>,
    document_number: Option<&str>,
) -> Result<Option<String>, Fault> {
    let wanted = |part: Option<&str>| part.filter(|part| !part.is_empty()).map(str::to_owned);
    let (name, number) = (wanted(name), wanted(document_number));
    if name.is_none() && number.is_none() {
        return Ok(None);
    }
    let meets = |text: &str, part: &Option<String>| part.as_deref().is_none_or(|part| has(text, part));
    texts::candidates(db, |texts| meets(&texts.name, &name) && meets(&texts.document_number, &number)).map(Some)
}

/// The candidates with this part of the folded name; `None` when the part is empty.
pub(super) fn candidates_folded(db: &View<'_>, part: &str) -> Result<Option<String>, Fault> {
    let part = folded(part);
    if part.is_empty() {
        return Ok(None);
    }
    texts::candidates(db, |texts| has(&texts.name_folded, &part)).map(Some)
}

/// The selection of a filter. Among several conditions, the one that usually matches the fewest records determines the
/// index.
pub(super) fn select(filter: &Resolved<'_>) -> Selection {
    let mut selection = Selection::new("record INDEXED BY record_by_time", "captured_at", "seq");
    if filter.accepted_only {
        selection.and_from("record INDEXED BY record_by_acceptance", "accepted = 1", []);
    }
    let mut and = |source, condition, value: Option<Value>| {
        if let Some(value) = value {
            selection.and_from(source, condition, [value]);
        }
    };
    let kind = filter.library_kind.map(|kind| word(&kind));
    and("record INDEXED BY record_by_library_kind", "best_library_kind = ?", kind);
    let verdict = filter.verdict.map(|verdict| word(&verdict));
    and("record INDEXED BY record_by_verdict", "verdict = ?", verdict);
    let camera = filter.camera.map(|camera| camera.0.into());
    and("record INDEXED BY record_by_camera", "camera = ?", camera);
    let library_name = filter.library_name.as_deref().map(|name| folded(name).into());
    and("record INDEXED BY record_by_library_name", "best_library_folded = ?", library_name);
    if let Some(libraries) = &filter.libraries {
        select_libraries(&mut selection, libraries);
    }
    if let Some(person) = filter.person {
        let person = Value::from(person.0);
        selection.and_from("record INDEXED BY record_by_person", "best_person = ?", [person]);
    }
    if let Some(captured) = &filter.captured {
        selection.and("captured_at BETWEEN ? AND ?", [time(*captured.start()), time(*captured.end())]);
    }
    select_rest(&mut selection, filter);
    selection
}

/// Conditions that no index supports.
fn select_rest(selection: &mut Selection, filter: &Resolved<'_>) {
    if !filter.cameras.is_empty() {
        let cameras = json(filter.cameras.iter().map(|camera| camera.0.into()));
        selection.and("camera IN (SELECT value FROM json_each(?))", [cameras.into()]);
    }
    if filter.compared_only {
        selection.and("best_person IS NOT NULL", []);
    }
    if filter.unaccepted_only {
        selection.and("accepted = 0", []);
    }
    select_best(selection, filter);
    select_face(selection, filter);
}

/// Conditions on the best candidate, which a spoof has none of.
fn select_best(selection: &mut Selection, filter: &Resolved<'_>) {
    if filter.name_part.is_some() || filter.document_number_part.is_some() {
        selection.and("best_person IS NOT NULL", []);
    }
    selection.and_if(BEST_CANDIDATE, filter.candidates.clone().map(Value::from));
    if let Some(similarity) = &filter.similarity {
        let bound = |similarity: &Similarity| real(similarity.value());
        selection.and(BEST_SIMILARITY, [bound(similarity.start()), bound(similarity.end())]);
    }
}

const BEST_CANDIDATE: &str = "EXISTS (SELECT 1 FROM record_match AS m WHERE m.record = record.seq AND m.position = 0
    AND m.candidate IN (SELECT value FROM json_each(?)))";
const BEST_SIMILARITY: &str = "best_person IS NOT NULL AND EXISTS
    (SELECT 1 FROM record_match AS m WHERE m.record = record.seq AND m.position = 0 AND m.similarity BETWEEN ? AND ?)";

/// Conditions on what is estimated of the face.
fn select_face(selection: &mut Selection, filter: &RecordFilter) {
    selection.and_if(FACE_GENDER, filter.gender.map(|gender| word(&gender)));
    if filter.gender_unknown {
        selection.and(FACE_WITHOUT_GENDER, []);
    }
    if let Some(age) = &filter.age {
        selection.and(FACE_AGE, [real(*age.start()), real(*age.end())]);
    }
}

const FACE_GENDER: &str = "EXISTS (SELECT 1 FROM record_capture AS c WHERE c.record = record.seq AND c.gender = ?)";
const FACE_WITHOUT_GENDER: &str =
    "EXISTS (SELECT 1 FROM record_capture AS c WHERE c.record = record.seq AND c.gender IS NULL)";
const FACE_AGE: &str =
    "EXISTS (SELECT 1 FROM record_capture AS c WHERE c.record = record.seq AND c.age BETWEEN ? AND ?)";

fn select_libraries(selection: &mut Selection, libraries: &[LibraryId]) {
    if let [library] = libraries {
        let library = Value::from(library.0);
        selection.and_from("record INDEXED BY record_by_library", "best_library = ?", [library]);
    } else {
        // Several ranges of that index would have to be merged, so the index by time is used instead.
        let ids = json(libraries.iter().map(|library| library.0));
        selection.and("best_library IN (SELECT value FROM json_each(?))", [ids.into()]);
    }
}

#[cfg(test)]
mod tests {
    use domain::{CameraId, LibraryKind, PersonId, Timestamp, Verdict};

    use super::*;
    use crate::connection::Database;

    #[test]
    fn no_filter_sorts_or_scans_the_log() {
        let dir = tempfile::tempdir().unwrap();
        let database = Database::testing(dir.path(), 1);
        let all = RecordFilter::default;
        let captured = Some(Timestamp::from_millis(1)..=Timestamp::from_millis(2));
        let table = [
            (all(), "record_by_time"),
            (RecordFilter { captured: captured.clone(), ..all() }, "record_by_time (captured_at>? AND captured_at<?)"),
            (RecordFilter { accepted_only: true, ..all() }, "record_by_acceptance"),
            (RecordFilter { camera: Some(CameraId(1)), ..all() }, "record_by_camera (camera=?)"),
            (RecordFilter { verdict: Some(Verdict::Known), ..all() }, "record_by_verdict (verdict=?)"),
            (RecordFilter { person: Some(PersonId(1)), ..all() }, "record_by_person (best_person=?)"),
            (RecordFilter { libraries: Some(vec![LibraryId(1)]), ..all() }, "record_by_library (best_library=?)"),
            (RecordFilter { libraries: Some(vec![LibraryId(1), LibraryId(2)]), ..all() }, "record_by_time"),
            (RecordFilter { cameras: vec![CameraId(1), CameraId(2)], compared_only: true, ..all() }, "record_by_time"),
            (RecordFilter { unaccepted_only: true, gender_unknown: true, ..all() }, "record_by_time"),
            (
                RecordFilter {
                    similarity: Some(Similarity::ZERO..=Similarity::new(0.5)),
                    age: Some(0.0..=5.0),
                    ..all()
                },
                "record_by_time",
            ),
            (
                RecordFilter { name_part: Some("a".into()), captured: captured.clone(), ..all() },
                "record_by_time (captured_at>? AND captured_at<?)",
            ),
            (
                RecordFilter { library_name: Some("a".into()), ..all() },
                "record_by_library_name (best_library_folded=?)",
            ),
            (
                RecordFilter { library_kind: Some(LibraryKind::Block), ..all() },
                "record_by_library_kind (best_library_kind=?)",
            ),
            (
                RecordFilter { camera: Some(CameraId(1)), captured, verdict: Some(Verdict::Known), ..all() },
                "record_by_camera (camera=? AND captured_at>? AND captured_at<?)",
            ),
        ];
        for (filter, index) in table {
            let plan = database.read("explaining", |db| Ok(select(&Resolved::new(db, &filter)?).plan(db))).unwrap();
            assert!(plan.iter().filter(|step| step.contains(index)).count() == 2, "{filter:?}: {plan:?}");
            assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "{filter:?}: {plan:?}");
        }
    }
}
