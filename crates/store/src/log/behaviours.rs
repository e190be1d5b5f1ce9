//! Findings of rules over moving objects.

use domain::geometry::Rect;
use domain::{
    Behaviour, BehaviourFilter, BehaviourKind, CameraId, CaptureId, Error, ObjectCapture, ObjectClass, Page, Seq,
    Thing, Timestamp, What, Window,
};
use rusqlite::{Connection, OptionalExtension};
use uuid::Uuid;

use super::entries::{person_columns, read_person};
use crate::columns::{self, Reader, optional, picture, text, time, vector, whole, word};
use crate::error::Fault;
use crate::lists::{Selection, json};
use crate::words::Word;

const SELECT: &str =
    "SELECT entry, at, camera, capture, camera_name, camera_position, kind, rule, fired, object, targets,
        quality, count, inwards, outwards, ends, crop, scene, person, person_code, person_name
    FROM json_each(?) AS wanted CROSS JOIN behaviour ON behaviour.entry = wanted.value
    ORDER BY wanted.key";

pub(super) fn append(
    db: &Connection,
    seq: i64,
    (at, camera): (Timestamp, Option<CameraId>),
    new: &Behaviour,
) -> Result<(), Fault> {
    if seq_of(db, new.id)?.is_some() {
        return Err(Error::AlreadyExists { what: Thing::Record }.into());
    }
    let targets: Vec<f32> =
        new.targets.iter().flat_map(|target| [target.left, target.top, target.right, target.bottom]).collect();
    let mut columns = vec![
        ("entry", seq.into()),
        ("capture", new.id.0.as_bytes().to_vec().into()),
        ("at", time(at)),
        // Rules always apply to a camera.
        ("camera", camera.map_or(0, |camera| camera.0).into()),
        ("camera_name", text(&new.camera_name)),
        ("camera_position", text(&new.camera_position)),
        ("kind", word(&new.kind)),
        ("rule", text(&new.rule)),
        ("fired", new.fired.into()),
        ("object", word(&new.object)),
        ("targets", vector(&targets)),
        ("quality", whole(new.quality)),
        ("count", whole(new.count)),
        ("inwards", whole(new.inwards)),
        ("outwards", whole(new.outwards)),
        ("ends", optional(new.ends, |id| id.0.as_bytes().to_vec().into())),
        ("crop", picture(&new.crop)),
        ("scene", picture(&new.scene)),
    ];
    columns.extend(person_columns(new.person.as_ref()));
    columns::insert(db, "behaviour", columns)?;
    Ok(())
}

fn seq_of(db: &Connection, id: CaptureId) -> rusqlite::Result<Option<i64>> {
    let mut statement = db.prepare_cached("SELECT entry FROM behaviour WHERE capture = ?")?;
    statement.query_row([id.0.as_bytes()], |row| row.get(0)).optional()
}

/// The behaviours among these entries.
pub(super) fn load(db: &Connection, seqs: &str) -> Result<Vec<(i64, What)>, Fault> {
    let found = read_all(db, seqs)?.into_iter();
    Ok(found.map(|(seq, found)| (seq, What::Behaviour(Box::new(found.behaviour)))).collect())
}

pub(super) fn page(db: &Connection, filter: &BehaviourFilter, window: Window) -> Result<Page<ObjectCapture>, Fault> {
    let (total, seqs) = select(filter).keys(db, window)?;
    let rows = read_all(db, &json(seqs))?.into_iter().map(|(_, found)| found).collect();
    Ok(Page { rows, total })
}

pub(super) fn of_capture(db: &Connection, id: CaptureId) -> Result<ObjectCapture, Fault> {
    let found = read_all(db, &json(seq_of(db, id)?))?.pop();
    found.map(|(_, found)| found).ok_or(Fault::Refused(Error::NotFound { what: Thing::Record }))
}

fn select(filter: &BehaviourFilter) -> Selection {
    let mut selection = Selection::new("behaviour INDEXED BY behaviour_by_time_alone", "at", "entry");
    if let Some(object) = filter.object {
        selection.and_from("behaviour INDEXED BY behaviour_by_time", "object = ?", [word(&object)]);
    }
    match filter.camera.map(|camera| camera.0.into()) {
        Some(camera) if filter.object.is_some() => {
            selection.and_from("behaviour INDEXED BY behaviour_by_camera", "camera = ?", [camera]);
        }
        Some(camera) => selection.and("camera = ?", [camera]),
        None => {}
    }
    if let Some(captured) = &filter.captured {
        selection.and("at BETWEEN ? AND ?", [time(*captured.start()), time(*captured.end())]);
    }
    select_rest(&mut selection, filter);
    selection
}

/// Conditions that no index supports.
fn select_rest(selection: &mut Selection, filter: &BehaviourFilter) {
    if !filter.cameras.is_empty() {
        let cameras = json(filter.cameras.iter().map(|camera| camera.0.into()));
        selection.and("camera IN (SELECT value FROM json_each(?))", [cameras.into()]);
    }
    if !filter.kinds.is_empty() {
        // Words of the store are plain letters: no separator is part of one.
        let pair = |(kind, object): &(BehaviourKind, ObjectClass)| format!("{} {}", kind.word(), object.word());
        let pairs: Vec<_> = filter.kinds.iter().map(pair).collect();
        selection.and("instr(?, ',' || kind || ' ' || object || ',') > 0", [format!(",{},", pairs.join(",")).into()]);
    }
    if filter.fired_only {
        selection.and("fired = 1", []);
    }
}

fn read_all(db: &Connection, seqs: &str) -> Result<Vec<(i64, ObjectCapture)>, Fault> {
    let mut statement = db.prepare_cached(SELECT)?;
    statement.query_and_then([seqs], |row| read(&mut Reader::new(row)))?.collect()
}

fn read(row: &mut Reader<'_>) -> Result<(i64, ObjectCapture), Fault> {
    let (seq, at, camera) = (row.take()?, row.time()?, CameraId(row.take()?));
    let behaviour = Behaviour {
        id: CaptureId(Uuid::from_bytes(row.take()?)),
        camera_name: row.take()?,
        camera_position: row.take()?,
        kind: row.word()?,
        rule: row.take()?,
        fired: row.take()?,
        object: row.word()?,
        targets: read_targets(row)?,
        quality: row.take()?,
        count: row.take()?,
        inwards: row.take()?,
        outwards: row.take()?,
        ends: row.take::<Option<[u8; 16]>>()?.map(|id| CaptureId(Uuid::from_bytes(id))),
        crop: row.picture()?,
        scene: row.picture()?,
        person: read_person(row)?,
    };
    Ok((seq, ObjectCapture { seq: Seq(seq), at, camera, behaviour }))
}

fn read_targets(row: &mut Reader<'_>) -> Result<Vec<Rect>, Fault> {
    let numbers = row.vector()?;
    let (targets, rest) = numbers.as_chunks();
    if !rest.is_empty() {
        return Err(Fault::Corrupt("targets"));
    }
    Ok(targets.iter().map(|&[left, top, right, bottom]| Rect { left, top, right, bottom }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::Database;

    #[test]
    fn no_filter_sorts_or_scans_all_behaviours() {
        let dir = tempfile::tempdir().unwrap();
        let database = Database::open(dir.path(), 1).unwrap();
        let all = BehaviourFilter { object: Some(ObjectClass::Person), ..BehaviourFilter::default() };
        let captured = Some(Timestamp::from_millis(1)..=Timestamp::from_millis(2));
        let table = [
            (all.clone(), "behaviour_by_time (object=?)"),
            (
                BehaviourFilter { captured: captured.clone(), ..all.clone() },
                "behaviour_by_time (object=? AND at>? AND at<?)",
            ),
            (BehaviourFilter::default(), "behaviour_by_time_alone"),
            (
                BehaviourFilter {
                    captured,
                    cameras: vec![CameraId(1)],
                    fired_only: true,
                    ..BehaviourFilter::default()
                },
                "behaviour_by_time_alone (at>? AND at<?)",
            ),
            (BehaviourFilter { camera: Some(CameraId(1)), ..all }, "behaviour_by_camera (object=? AND camera=?)"),
        ];
        for (filter, index) in table {
            let plan = database.read("explaining", |db| Ok(select(&filter).plan(db))).unwrap();
            assert!(plan.iter().filter(|step| step.contains(index)).count() == 2, "{filter:?}: {plan:?}");
            assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "{filter:?}: {plan:?}");
        }
    }
}
