//! Sightings: records as seen by tasks.

use std::collections::HashMap;

use domain::{
    Attendance, Error, Match, NewRecord, Page, PersonId, Presence, Record, Roll, Seq, Sighting, SightingFilter,
    SightingId, TaskMark, Thing, Verdict, Window,
};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params};

use super::filter::candidates_folded;
use super::rows;
use crate::columns::{Columns, Reader, optional, real, time, word};
use crate::connection::View;
use crate::error::Fault;
use crate::lists::{Selection, bounded, json};
use crate::seal::Keys;

/// The kind of the keyed hashes of document numbers.
const DOCUMENT: &str = "document";

/// The searchable columns of a match for a task: its record, place there and candidate.
pub(super) fn columns(
    keys: &Keys,
    (seq, position, candidate): (i64, i64, Option<i64>),
    record: &NewRecord,
    answer: &Match,
    mark: &TaskMark,
) -> Columns {
    let known = answer.accepted().filter(|_| record.verdict != Verdict::Spoof);
    vec![
        ("record", seq.into()),
        ("position", position.into()),
        ("captured_at", time(record.capture.at)),
        ("task", mark.task.0.into()),
        ("direction", word(&mark.direction)),
        ("camera", record.capture.camera.0.into()),
        ("similarity", real(answer.best.as_ref().map_or(0.0, |best| best.similarity.value()))),
        ("person", optional(known, |known| known.person.0.into())),
        ("library", optional(known, |known| known.library.0.into())),
        ("candidate", candidate.filter(|_| known.is_some()).into()),
        ("document_key", optional(known, |known| keys.key_of(DOCUMENT, &known.document_number))),
    ]
}

/// A page of sightings, newest capture first.
pub(crate) fn sightings(db: &View<'_>, filter: &SightingFilter, window: Window) -> Result<Page<Sighting>, Fault> {
    let (total, ids) = select(db, filter)?.keys(db, window)?;
    Ok(Page { rows: load(db, ids)?, total })
}

/// The selection of a filter. Among several conditions, the one that usually matches the fewest rows determines the
/// index.
fn select(db: &View<'_>, filter: &SightingFilter) -> Result<Selection, Fault> {
    let mut selection = Selection::new("sighting INDEXED BY sighting_by_time", "captured_at", "id");
    let mut and = |source, condition, value: Option<Value>| {
        if let Some(value) = value {
            selection.and_from(source, condition, [value]);
        }
    };
    let camera = filter.camera.map(|camera| camera.0.into());
    and("sighting INDEXED BY sighting_by_camera", "camera = ?", camera);
    and("sighting INDEXED BY sighting_by_task", "task = ?", filter.task.map(|task| task.0.into()));
    and("sighting INDEXED BY sighting_by_library", "library = ?", filter.library.map(|library| library.0.into()));
    let document = filter.document_number.as_deref().map(|number| db.keys.key_of(DOCUMENT, number));
    and("sighting INDEXED BY sighting_by_document", "document_key = ?", document);
    let person = filter.person.map(|person| person.0.into());
    match filter.task {
        Some(_) => and("sighting INDEXED BY sighting_by_person", "person = ?", person),
        None => selection.and_if("person = ?", person),
    }
    selection.and_if("direction = ?", filter.direction.map(|direction| word(&direction)));
    selection.and_if("(person IS NOT NULL) = ?", filter.accepted.map(Value::from));
    selection.and_if("similarity >= ?", filter.similarity.map(|least| real(least.value())));
    if let Some(part) = &filter.name_part {
        selection.and("person IS NOT NULL", []);
        let candidates = candidates_folded(db, part)?.map(Value::from);
        selection.and_if("candidate IN (SELECT value FROM json_each(?))", candidates);
    }
    if let Some(captured) = &filter.captured {
        selection.and("captured_at BETWEEN ? AND ?", [time(*captured.start()), time(*captured.end())]);
    }
    Ok(selection)
}

fn load(db: &View<'_>, ids: Vec<i64>) -> Result<Vec<Sighting>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT sighting.id, record, position FROM json_each(?) AS wanted CROSS JOIN sighting ON sighting.id = wanted.value
         ORDER BY wanted.key",
    )?;
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get::<_, u32>(2)? as usize));
    let places = statement.query_map([json(ids)], read)?.collect::<Result<Vec<(i64, i64, usize)>, _>>()?;
    let mut seqs: Vec<i64> = places.iter().map(|(_, seq, _)| *seq).collect();
    seqs.dedup();
    let records: HashMap<i64, Record> =
        rows::load(db, seqs)?.into_iter().map(|record| (record.seq.0, record)).collect();
    places.into_iter().map(|(id, seq, position)| sighting(SightingId(id), records.get(&seq), position)).collect()
}

fn sighting(id: SightingId, record: Option<&Record>, position: usize) -> Result<Sighting, Fault> {
    let answer = record.and_then(|record| record.matches.get(position));
    let mark = answer.and_then(|answer| answer.task.clone());
    let (Some(record), Some(answer), Some(mark)) = (record, answer.cloned(), mark) else {
        return Err(Fault::Corrupt("sighting"));
    };
    Ok(Sighting { id, mark, capture: record.capture.clone(), answer, verdict: record.verdict })
}

/// The log position of a sighting's record.
pub(crate) fn record_of(db: &Connection, id: SightingId) -> Result<Seq, Fault> {
    let mut statement = db.prepare_cached("SELECT record FROM sighting WHERE id = ?")?;
    let seq = statement.query_row([id.0], |row| row.get(0)).optional()?;
    seq.map(Seq).ok_or(Fault::Refused(Error::NotFound { what: Thing::Record }))
}

/// The people on a roll: ?1 libraries, ?2 task, ?3 and ?4 the time range, ?5 whether they must have been seen, or NULL.
const ON_ROLL: &str = "FROM person_library AS m WHERE library IN (SELECT value FROM json_each(?1))
    AND (?5 IS NULL OR ?5 = EXISTS (
        SELECT 1 FROM sighting INDEXED BY sighting_by_person
        WHERE task = ?2 AND sighting.person = m.person AND captured_at BETWEEN ?3 AND ?4))";

/// A page of the people on a roll, in ascending order of id.
pub(crate) fn attendance(db: &Connection, roll: &Roll, window: Window) -> Result<Page<Attendance>, Fault> {
    let libraries = json(roll.libraries.iter().map(|library| library.0));
    let (first, last) = (time(*roll.captured.start()), time(*roll.captured.end()));
    let on_roll = params![libraries, roll.task.0, first, last, roll.seen];
    let total: i64 =
        db.prepare_cached(&format!("SELECT count(DISTINCT person) {ON_ROLL}"))?.query_row(on_roll, |row| row.get(0))?;
    let (limit, skip) = (bounded(window.limit).cast_signed(), i64::try_from(window.skip).unwrap_or(i64::MAX));
    let page = params![libraries, roll.task.0, first, last, roll.seen, limit, skip];
    let mut statement =
        db.prepare_cached(&format!("SELECT DISTINCT person {ON_ROLL} ORDER BY person LIMIT ?6 OFFSET ?7"))?;
    let people = statement.query_map(page, |row| row.get(0))?.collect::<Result<Vec<i64>, _>>()?;
    let mut seen = presences(db, roll, &people)?;
    let entry = |id: i64| Attendance { person: PersonId(id), seen: seen.remove(&id) };
    Ok(Page { rows: people.into_iter().map(entry).collect(), total: total.unsigned_abs() })
}

/// When the task saw each of these people.
fn presences(db: &Connection, roll: &Roll, people: &[i64]) -> Result<HashMap<i64, Presence>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT person, captured_at, direction FROM sighting INDEXED BY sighting_by_person
         WHERE task = ? AND person IN (SELECT value FROM json_each(?)) AND captured_at BETWEEN ? AND ?
         ORDER BY person, captured_at, id",
    )?;
    let (first, last) = (time(*roll.captured.start()), time(*roll.captured.end()));
    let mut rows = statement.query(params![roll.task.0, json(people.iter().copied()), first, last])?;
    let mut seen: HashMap<i64, Presence> = HashMap::new();
    while let Some(row) = rows.next()? {
        let mut row = Reader::new(row);
        let (person, at, direction) = (row.take()?, row.time()?, row.word()?);
        let presence = seen.entry(person).or_insert(Presence { first: at, last: at, direction });
        (presence.last, presence.direction) = (at, direction);
    }
    Ok(seen)
}

#[cfg(test)]
mod tests {
    use domain::{CameraId, LibraryId, TaskId, Timestamp};

    use super::*;
    use crate::connection::Database;

    #[test]
    fn no_filter_sorts_or_scans_all_sightings() {
        let dir = tempfile::tempdir().unwrap();
        let database = Database::testing(dir.path(), 1);
        let all = SightingFilter::default;
        let task = Some(TaskId(1));
        let captured = Some(Timestamp::from_millis(1)..=Timestamp::from_millis(2));
        let table = [
            (all(), "sighting_by_time"),
            (SightingFilter { captured, ..all() }, "sighting_by_time (captured_at>? AND captured_at<?)"),
            (SightingFilter { task, camera: Some(CameraId(1)), ..all() }, "sighting_by_task (task=?)"),
            (SightingFilter { camera: Some(CameraId(1)), ..all() }, "sighting_by_camera (camera=?)"),
            (SightingFilter { task, library: Some(LibraryId(1)), ..all() }, "sighting_by_library (library=?)"),
            (SightingFilter { task, person: Some(PersonId(1)), ..all() }, "sighting_by_person (task=? AND person=?)"),
            (SightingFilter { task, document_number: Some("1".into()), ..all() }, "sighting_by_document"),
        ];
        for (filter, index) in table {
            let plan = database.read("explaining", |db| Ok(select(db, &filter)?.plan(db))).unwrap();
            assert!(plan.iter().filter(|step| step.contains(index)).count() == 2, "{filter:?}: {plan:?}");
            assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "{filter:?}: {plan:?}");
        }
    }
}
