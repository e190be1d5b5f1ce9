//! Findings of rules over moving objects.

use std::collections::HashMap;

use domain::geometry::Rect;
use domain::{
    Attributes, Behaviour, BehaviourFilter, BehaviourKind, CameraId, CaptureId, Clip, ClipState, ComparedFilter,
    Comparison, Error, ObjectCapture, ObjectClass, Page, PersonId, Seq, Similarity, Thing, Timestamp, What, Window,
};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::candidates;
use super::filter::candidates_with;
use super::rows::{candidate_columns, read_candidate};
use crate::columns::{self, Columns, Reader, optional, picture, real, text, time, vector, whole, word};
use crate::connection::View;
use crate::error::Fault;
use crate::lists::{Selection, bounded, json};
use crate::words::Word;

/// Stored values of [`ClipState`].
const AWAITED: &str = "awaited";
const STORED: &str = "stored";
const LOST: &str = "lost";

const SELECT: &str =
    "SELECT entry, at, camera, capture, camera_name, camera_position, kind, rule, fired, object, targets,
        quality, count, inwards, outwards, ends, crop, scene, clip, video
    FROM json_each(?) AS wanted CROSS JOIN behaviour ON behaviour.entry = wanted.value
    ORDER BY wanted.key";

const SELECT_MATCHES: &str = "SELECT behaviour, target, face_gender, face_age, face_expression, threshold,
        m.person, sealed, library, library_name, library_kind, similarity, gender, age, category, photo, enrolled_at
    FROM behaviour_match AS m LEFT JOIN candidate ON candidate.id = m.candidate WHERE behaviour IN (SELECT value FROM json_each(?))
    ORDER BY behaviour, target";

pub(super) fn append(
    db: &View<'_>,
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
        ("clip", optional(clip_word(&new.clip), text)),
    ];
    if let ClipState::Stored(video) = &new.clip {
        columns.push(("video", picture(video)));
    }
    columns::insert(db, "behaviour", columns)?;
    for comparison in &new.comparisons {
        let candidate = candidates::number(db, &comparison.best)?;
        columns::insert(db, "behaviour_match", comparison_columns(seq, comparison, candidate))?;
    }
    Ok(())
}

fn comparison_columns(seq: i64, comparison: &Comparison, candidate: i64) -> Columns {
    let mut columns = vec![
        ("behaviour", seq.into()),
        ("candidate", candidate.into()),
        ("target", whole(comparison.target)),
        ("face_gender", optional(comparison.attributes.gender, |gender| word(&gender))),
        ("face_age", optional(comparison.attributes.age, real)),
        ("face_expression", optional(comparison.attributes.expression, |expression| word(&expression))),
        ("threshold", real(comparison.threshold.value())),
        ("accepted", comparison.accepted().is_some().into()),
    ];
    columns.extend(candidate_columns(&comparison.best));
    columns
}

fn seq_of(db: &Connection, id: CaptureId) -> rusqlite::Result<Option<i64>> {
    let mut statement = db.prepare_cached("SELECT entry FROM behaviour WHERE capture = ?")?;
    statement.query_row([id.0.as_bytes()], |row| row.get(0)).optional()
}

/// The behaviours among these entries.
pub(super) fn load(db: &View<'_>, seqs: &str) -> Result<Vec<(i64, What)>, Fault> {
    let found = read_all(db, seqs)?.into_iter();
    Ok(found.map(|(seq, found)| (seq, What::Behaviour(Box::new(found.behaviour)))).collect())
}

pub(super) fn page(db: &View<'_>, filter: &BehaviourFilter, window: Window) -> Result<Page<ObjectCapture>, Fault> {
    let (total, seqs) = select(db, filter)?.keys(db, window)?;
    let rows = read_all(db, &json(seqs))?.into_iter().map(|(_, found)| found).collect();
    Ok(Page { rows, total })
}

/// The oldest behaviours that await their clip.
pub(super) fn awaiting(db: &View<'_>, limit: u32) -> Result<Vec<ObjectCapture>, Fault> {
    let sql = "SELECT entry FROM behaviour INDEXED BY behaviour_awaiting_clip WHERE clip = 'awaited'
               ORDER BY entry LIMIT ?";
    let limit = bounded(limit).cast_signed();
    let seqs = db.prepare_cached(sql)?.query_map([limit], |row| row.get(0))?.collect::<Result<Vec<i64>, _>>()?;
    Ok(read_all(db, &json(seqs))?.into_iter().map(|(_, found)| found).collect())
}

/// Stores the outcome of a clip, the entry `seq`.
pub(super) fn settle_clip(db: &Connection, seq: i64, clip: &Clip) -> Result<(), Fault> {
    let behaviour = seq_of(db, clip.of)?.ok_or(Fault::Refused(Error::NotFound { what: Thing::Record }))?;
    let sql = "UPDATE behaviour SET clip = ?, video = ? WHERE entry = ? AND clip = 'awaited'";
    let word = if clip.video.is_some() { STORED } else { LOST };
    let video = optional(clip.video.as_ref(), picture);
    if db.prepare_cached(sql)?.execute(params![word, video, behaviour])? == 0 {
        return Err(Error::AlreadyExists { what: Thing::Record }.into());
    }
    columns::insert(db, "clip", vec![("entry", seq.into()), ("behaviour", behaviour.into())])?;
    Ok(())
}

/// The clips among these entries.
pub(super) fn load_clips(db: &Connection, seqs: &str) -> Result<Vec<(i64, What)>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT clip.entry, behaviour.capture, behaviour.video FROM json_each(?) AS wanted
         CROSS JOIN clip ON clip.entry = wanted.value CROSS JOIN behaviour ON behaviour.entry = clip.behaviour",
    )?;
    let read = |row: &rusqlite::Row<'_>| {
        let mut row = Reader::new(row);
        let (seq, of) = (row.take()?, CaptureId(Uuid::from_bytes(row.take()?)));
        Ok((seq, What::Clip(Clip { of, video: row.picture_optional()? })))
    };
    statement.query_and_then([seqs], read)?.collect()
}

pub(super) fn of_capture(db: &View<'_>, id: CaptureId) -> Result<ObjectCapture, Fault> {
    let found = read_all(db, &json(seq_of(db, id)?))?.pop();
    found.map(|(_, found)| found).ok_or(Fault::Refused(Error::NotFound { what: Thing::Record }))
}

fn select(db: &View<'_>, filter: &BehaviourFilter) -> Result<Selection, Fault> {
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
    select_rest(db, &mut selection, filter)?;
    Ok(selection)
}

/// Conditions that no index supports.
fn select_rest(db: &View<'_>, selection: &mut Selection, filter: &BehaviourFilter) -> Result<(), Fault> {
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
    match &filter.compared {
        Some(compared) => select_compared(db, selection, compared),
        None => Ok(()),
    }
}

/// One statement for every combination: what is not asked for is NULL.
fn select_compared(db: &View<'_>, selection: &mut Selection, filter: &ComparedFilter) -> Result<(), Fault> {
    let bound = |similarity: &Similarity| real(similarity.value());
    let similarity = filter.similarity.as_ref();
    let candidates = candidates_with(db, filter.name_part.as_deref(), filter.document_number_part.as_deref())?;
    let candidates = Value::from(candidates);
    selection.and(
        COMPARED,
        [
            optional(filter.accepted, Into::into),
            candidates.clone(),
            candidates,
            optional(similarity, |range| bound(range.start())),
            optional(similarity, |range| bound(range.end())),
        ],
    );
    Ok(())
}

const COMPARED: &str = "EXISTS (SELECT 1 FROM behaviour_match AS m WHERE m.behaviour = behaviour.entry
    AND coalesce(m.accepted = ?, true)
    AND (? IS NULL OR m.candidate IN (SELECT value FROM json_each(?)))
    AND coalesce(m.similarity >= ?, true) AND coalesce(m.similarity <= ?, true))";

fn read_all(db: &View<'_>, seqs: &str) -> Result<Vec<(i64, ObjectCapture)>, Fault> {
    let mut statement = db.prepare_cached(SELECT)?;
    let found = statement.query_and_then([seqs], |row| read(&mut Reader::new(row)))?;
    let mut found = found.collect::<Result<Vec<_>, Fault>>()?;
    let mut comparisons = comparisons(db, seqs)?;
    for (seq, found) in &mut found {
        found.behaviour.comparisons = comparisons.remove(seq).unwrap_or_default();
    }
    Ok(found)
}

fn comparisons(db: &View<'_>, seqs: &str) -> Result<HashMap<i64, Vec<Comparison>>, Fault> {
    let mut statement = db.prepare_cached(SELECT_MATCHES)?;
    let mut rows = statement.query([seqs])?;
    let mut comparisons: HashMap<i64, Vec<Comparison>> = HashMap::new();
    while let Some(row) = rows.next()? {
        let mut row = Reader::new(row);
        let behaviour = row.take()?;
        let target = usize::try_from(row.take::<i64>()?).map_err(|_| Fault::Corrupt("target"))?;
        let attributes =
            Attributes { gender: row.word_optional()?, age: row.take()?, expression: row.word_optional()? };
        let (threshold, person) = (Similarity::new(row.take()?), PersonId(row.take()?));
        let best = read_candidate(db.keys, person, &mut row)?;
        comparisons.entry(behaviour).or_default().push(Comparison { target, attributes, threshold, best });
    }
    Ok(comparisons)
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
        clip: read_clip(row)?,
        comparisons: Vec::new(),
    };
    Ok((seq, ObjectCapture { seq: Seq(seq), at, camera, behaviour }))
}

/// Two columns: clip and video.
fn read_clip(row: &mut Reader<'_>) -> Result<ClipState, Fault> {
    let (word, video) = (row.text_or_empty()?, row.picture_optional()?);
    match (word.as_str(), video) {
        ("", None) => Ok(ClipState::None),
        (AWAITED, None) => Ok(ClipState::Awaited),
        (STORED, Some(video)) => Ok(ClipState::Stored(video)),
        (LOST, None) => Ok(ClipState::Lost),
        _ => Err(Fault::Corrupt("clip")),
    }
}

fn clip_word(clip: &ClipState) -> Option<&'static str> {
    match clip {
        ClipState::None => None,
        ClipState::Awaited => Some(AWAITED),
        ClipState::Stored(_) => Some(STORED),
        ClipState::Lost => Some(LOST),
    }
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
        let database = Database::testing(dir.path(), 1);
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
                    compared: Some(ComparedFilter::default()),
                    ..BehaviourFilter::default()
                },
                "behaviour_by_time_alone (at>? AND at<?)",
            ),
            (BehaviourFilter { camera: Some(CameraId(1)), ..all }, "behaviour_by_camera (object=? AND camera=?)"),
        ];
        for (filter, index) in table {
            let plan = database.read("explaining", |db| Ok(select(db, &filter)?.plan(db))).unwrap();
            assert!(plan.iter().filter(|step| step.contains(index)).count() == 2, "{filter:?}: {plan:?}");
            assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "{filter:?}: {plan:?}");
        }
    }
}
