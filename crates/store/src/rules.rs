//! Rules over the objects that cameras see.

use std::time::Duration;

use domain::geometry::Point;
use domain::{CameraId, ClipSpan, Error, Rule, RuleId, RuleOptions, RuleSettings, SizeLimits, Thing};
use rusqlite::{Connection, OptionalExtension, params};

use crate::cameras;
use crate::columns::{self, Columns, Reader, optional, real, text, vector, whole, word};
use crate::error::Fault;

const SELECT: &str =
    "SELECT id, camera, name, kind, object, points, direction, sensitivity, min_width, min_height, max_width, max_height,
        after_ms, every_ms, people, tolerance, reset_hour, identify, clip_before_ms, clip_after_ms
    FROM rule ORDER BY id";

/// All rules in ascending order of id.
pub(crate) fn rules(db: &Connection) -> Result<Vec<Rule>, Fault> {
    let mut statement = db.prepare_cached(SELECT)?;
    statement.query_and_then([], |row| read(&mut Reader::new(row)))?.collect()
}

pub(crate) fn insert(db: &Connection, camera: CameraId, new: &RuleSettings, limit: u32) -> Result<Rule, Fault> {
    cameras::require(db, camera)?;
    require_free_name(db, camera, &new.name, None)?;
    let count = "SELECT count(*) FROM rule WHERE camera = ?";
    let present: u32 = db.prepare_cached(count)?.query_row([camera.0], |row| row.get(0))?;
    if present >= limit {
        return Err(Error::LimitReached { what: Thing::Rule }.into());
    }
    let mut columns = vec![("camera", camera.0.into())];
    columns.extend(settings_columns(new));
    let id = RuleId(columns::insert(db, "rule", columns)?);
    Ok(Rule { id, camera, settings: new.clone() })
}

pub(crate) fn update(db: &Connection, id: RuleId, settings: &RuleSettings) -> Result<Rule, Fault> {
    let mut statement = db.prepare_cached("SELECT camera FROM rule WHERE id = ?")?;
    let camera = statement.query_row([id.0], |row| row.get(0)).optional()?.map(CameraId).ok_or_else(not_found)?;
    require_free_name(db, camera, &settings.name, Some(id))?;
    columns::update(db, "rule", id.0, settings_columns(settings))?;
    Ok(Rule { id, camera, settings: settings.clone() })
}

pub(crate) fn remove(db: &Connection, id: RuleId) -> Result<(), Fault> {
    let removed = db.prepare_cached("DELETE FROM rule WHERE id = ?")?.execute([id.0])?;
    if removed == 0 { Err(not_found()) } else { Ok(()) }
}

fn not_found() -> Fault {
    Error::NotFound { what: Thing::Rule }.into()
}

/// `AlreadyExists(Rule)` when a rule of the camera other than `but` has the name.
fn require_free_name(db: &Connection, camera: CameraId, name: &str, but: Option<RuleId>) -> Result<(), Fault> {
    let mut statement = db.prepare_cached("SELECT 1 FROM rule WHERE camera = ? AND name = ? AND id IS NOT ?")?;
    let taken = statement.exists(params![camera.0, name, but.map(|id| id.0)])?;
    if taken { Err(Error::AlreadyExists { what: Thing::Rule }.into()) } else { Ok(()) }
}

fn settings_columns(settings: &RuleSettings) -> Columns {
    let points: Vec<f32> = settings.points.iter().flat_map(|point| [point.x, point.y]).collect();
    let options = &settings.options;
    vec![
        ("name", text(&settings.name)),
        ("kind", word(&settings.kind)),
        ("object", word(&settings.object)),
        ("points", vector(&points)),
        ("direction", word(&settings.direction)),
        ("sensitivity", whole(options.sensitivity)),
        ("min_width", real(options.sizes.min_width)),
        ("min_height", real(options.sizes.min_height)),
        ("max_width", real(options.sizes.max_width)),
        ("max_height", real(options.sizes.max_height)),
        ("after_ms", whole(options.after.as_millis())),
        ("every_ms", whole(options.every.as_millis())),
        ("people", whole(options.people)),
        ("tolerance", whole(options.tolerance)),
        ("reset_hour", optional(options.reset_hour, whole)),
        ("identify", options.identify.into()),
        ("clip_before_ms", optional(options.clip, |clip| whole(clip.before.as_millis()))),
        ("clip_after_ms", optional(options.clip, |clip| whole(clip.after.as_millis()))),
    ]
}

fn read(row: &mut Reader<'_>) -> Result<Rule, Fault> {
    let (id, camera) = (RuleId(row.take()?), CameraId(row.take()?));
    let (name, kind, object) = (row.take()?, row.word()?, row.word()?);
    let (points, direction) = (read_points(&row.vector()?)?, row.word()?);
    let options = read_options(row)?;
    Ok(Rule { id, camera, settings: RuleSettings { name, kind, object, points, direction, options } })
}

fn read_options(row: &mut Reader<'_>) -> Result<RuleOptions, Fault> {
    Ok(RuleOptions {
        sensitivity: row.take()?,
        sizes: SizeLimits {
            min_width: row.take()?,
            min_height: row.take()?,
            max_width: row.take()?,
            max_height: row.take()?,
        },
        after: Duration::from_millis(row.take::<i64>()?.unsigned_abs()),
        every: Duration::from_millis(row.take::<i64>()?.unsigned_abs()),
        people: row.take()?,
        tolerance: row.take()?,
        reset_hour: row.take()?,
        identify: row.take()?,
        clip: read_clip(row)?,
    })
}

/// Two columns: before and after.
fn read_clip(row: &mut Reader<'_>) -> Result<Option<ClipSpan>, Fault> {
    let time = |millis: Option<i64>| millis.map(|millis| Duration::from_millis(millis.unsigned_abs()));
    let (before, after) = (time(row.take()?), time(row.take()?));
    Ok(Option::zip(before, after).map(|(before, after)| ClipSpan { before, after }))
}

fn read_points(numbers: &[f32]) -> Result<Vec<Point>, Fault> {
    let (points, rest) = numbers.as_chunks();
    if !rest.is_empty() {
        return Err(Fault::Corrupt("points of a rule"));
    }
    Ok(points.iter().map(|&[x, y]| Point { x, y }).collect())
}
