//! Conversion between records and rows.

use std::collections::HashMap;

use domain::geometry::Point;
use domain::{
    Attributes, CameraId, Candidate, Capture, CaptureId, Landmarks, LibraryId, Match, PersonId, Quality, Record, Seq,
    Similarity, TaskId, TaskMark, WatchId,
};
use uuid::Uuid;

use super::candidates::{self, Known};
use crate::columns::{self, Columns, Reader, optional, picture, real, text, time, vector, whole, word};
use crate::connection::View;
use crate::error::Fault;
use crate::lists::json;
use crate::seal::{Keys, Place};

const SELECT: &str = "SELECT seq, verdict, capture, camera, captured_at, crop, scene,
        camera_name, camera_position, first_seen, box_left, box_top, box_right, box_bottom, landmarks,
        quality, quality_size, quality_sharpness, quality_brightness, quality_pose, yaw, pitch, roll,
        gender, age, expression, liveness, model, embedding
    FROM json_each(?) AS wanted
        CROSS JOIN record ON record.seq = wanted.value
        CROSS JOIN record_capture ON record_capture.record = record.seq
    ORDER BY wanted.key";

const SELECT_MATCHES: &str = "SELECT record, watch, threshold, task, task_name, direction, m.person, sealed,
        library, library_name, library_kind, similarity, gender, age, category, photo, enrolled_at
    FROM record_match AS m LEFT JOIN candidate ON candidate.id = m.candidate WHERE record IN (SELECT value FROM json_each(?))
    ORDER BY record, position";

/// The columns of a record that are never searched.
pub(super) fn capture_columns(keys: &Keys, seq: i64, capture: &Capture) -> Columns {
    let Capture { face_box, quality, attributes, .. } = capture;
    let landmarks: Vec<f32> = capture.landmarks.iter().flat_map(|point| [point.x, point.y]).collect();
    vec![
        ("record", seq.into()),
        ("camera_name", text(&capture.camera_name)),
        ("camera_position", text(&capture.camera_position)),
        ("first_seen", time(capture.first_seen)),
        ("box_left", real(face_box.left)),
        ("box_top", real(face_box.top)),
        ("box_right", real(face_box.right)),
        ("box_bottom", real(face_box.bottom)),
        ("landmarks", vector(&landmarks)),
        ("quality", whole(quality.overall)),
        ("quality_size", whole(quality.size)),
        ("quality_sharpness", whole(quality.sharpness)),
        ("quality_brightness", whole(quality.brightness)),
        ("quality_pose", whole(quality.pose)),
        ("yaw", real(quality.yaw)),
        ("pitch", real(quality.pitch)),
        ("roll", real(quality.roll)),
        ("gender", optional(attributes.gender, |gender| word(&gender))),
        ("age", optional(attributes.age, real)),
        ("expression", optional(attributes.expression, |expression| word(&expression))),
        ("liveness", optional(capture.liveness, real)),
        ("model", text(&capture.embedding.model().0)),
        ("embedding", columns::embedding(keys, place(seq), &capture.embedding)),
    ]
}

fn place(seq: i64) -> Place<'static> {
    Place::new("record_capture", seq)
}

/// The match of one watch. `candidate`: the row of its best candidate.
pub(super) fn match_columns(seq: i64, position: i64, answer: &Match, candidate: Option<i64>) -> Columns {
    let mut columns = vec![
        ("record", seq.into()),
        ("position", position.into()),
        ("watch", answer.watch.0.into()),
        ("threshold", real(answer.threshold.value())),
    ];
    columns.extend(answer.task.iter().flat_map(task_columns));
    columns.push(("candidate", candidate.into()));
    columns.extend(answer.best.iter().flat_map(candidate_columns));
    columns
}

fn task_columns(mark: &TaskMark) -> Columns {
    vec![("task", mark.task.0.into()), ("task_name", text(&mark.name)), ("direction", word(&mark.direction))]
}

pub(super) fn candidate_columns(best: &Candidate) -> Columns {
    vec![
        ("person", best.person.0.into()),
        ("library", best.library.0.into()),
        ("library_name", text(&best.library_name)),
        ("library_kind", word(&best.library_kind)),
        ("similarity", real(best.similarity.value())),
        ("gender", optional(best.gender, |gender| word(&gender))),
        ("age", optional(best.age, whole)),
        ("category", word(&best.category)),
        ("photo", picture(&best.photo)),
        ("enrolled_at", time(best.enrolled_at)),
    ]
}

/// The records with these sequence numbers, in this order. Two statements for any number.
pub(super) fn load(db: &View<'_>, seqs: impl IntoIterator<Item = i64>) -> Result<Vec<Record>, Fault> {
    let seqs = json(seqs);
    let mut matches = matches(db, &seqs)?;
    let mut statement = db.prepare_cached(SELECT)?;
    let mut records = statement
        .query_and_then([&seqs], |row| read(db.keys, &mut Reader::new(row)))?
        .collect::<Result<Vec<Record>, Fault>>()?;
    for record in &mut records {
        record.matches = matches.remove(&record.seq.0).unwrap_or_default();
    }
    Ok(records)
}

fn matches(db: &View<'_>, seqs: &str) -> Result<HashMap<i64, Vec<Match>>, Fault> {
    let mut statement = db.prepare_cached(SELECT_MATCHES)?;
    let mut rows = statement.query([seqs])?;
    let mut matches: HashMap<i64, Vec<Match>> = HashMap::new();
    while let Some(row) = rows.next()? {
        let mut row = Reader::new(row);
        matches.entry(row.take()?).or_default().push(read_match(db.keys, &mut row)?);
    }
    Ok(matches)
}

fn read(keys: &Keys, row: &mut Reader<'_>) -> Result<Record, Fault> {
    let seq = Seq(row.take()?);
    let verdict = row.word()?;
    Ok(Record { seq, capture: read_capture(keys, seq, row)?, matches: Vec::new(), verdict })
}

fn read_capture(keys: &Keys, seq: Seq, row: &mut Reader<'_>) -> Result<Capture, Fault> {
    Ok(Capture {
        id: CaptureId(Uuid::from_bytes(row.take()?)),
        camera: CameraId(row.take()?),
        at: row.time()?,
        crop: row.picture()?,
        scene: row.picture()?,
        camera_name: row.take()?,
        camera_position: row.take()?,
        first_seen: row.time()?,
        face_box: row.rect()?,
        landmarks: read_landmarks(row)?,
        quality: read_quality(row)?,
        attributes: Attributes { gender: row.word_optional()?, age: row.take()?, expression: row.word_optional()? },
        liveness: row.take()?,
        embedding: row.embedding(keys, place(seq.0))?,
    })
}

fn read_landmarks(row: &mut Reader<'_>) -> Result<Landmarks, Fault> {
    let numbers = row.vector()?;
    let (points, _) = numbers.as_chunks();
    let points: Vec<Point> = points.iter().map(|&[x, y]| Point { x, y }).collect();
    points.try_into().map_err(|_| Fault::Corrupt("landmarks"))
}

fn read_quality(row: &mut Reader<'_>) -> rusqlite::Result<Quality> {
    Ok(Quality {
        overall: row.take()?,
        size: row.take()?,
        sharpness: row.take()?,
        brightness: row.take()?,
        pose: row.take()?,
        yaw: row.take()?,
        pitch: row.take()?,
        roll: row.take()?,
    })
}

fn read_match(keys: &Keys, row: &mut Reader<'_>) -> Result<Match, Fault> {
    let watch = WatchId(row.take()?);
    let threshold = Similarity::new(row.take()?);
    let task = read_task(row)?;
    let person: Option<i64> = row.take()?;
    let best = person.map(|person| read_candidate(keys, PersonId(person), row)).transpose()?;
    Ok(Match { watch, threshold, best, task })
}

/// Three columns: task, task_name, direction.
fn read_task(row: &mut Reader<'_>) -> Result<Option<TaskMark>, Fault> {
    let Some(task) = row.take::<Option<i64>>()? else {
        row.skip(2);
        return Ok(None);
    };
    Ok(Some(TaskMark { task: TaskId(task), name: row.take()?, direction: row.word()? }))
}

/// Reads the columns behind the person's id.
pub(super) fn read_candidate(keys: &Keys, person: PersonId, row: &mut Reader<'_>) -> Result<Candidate, Fault> {
    let Known { code, name, document_number, address } = candidates::read(keys, person.0, row)?;
    Ok(Candidate {
        person,
        code,
        library: LibraryId(row.take()?),
        library_name: row.take()?,
        library_kind: row.word()?,
        similarity: Similarity::new(row.take()?),
        name,
        gender: row.word_optional()?,
        age: row.take()?,
        // NULL in records from before it was stored.
        category: row.word_optional()?.unwrap_or_default(),
        document_number,
        address,
        photo: row.picture()?,
        enrolled_at: row.time()?,
    })
}
