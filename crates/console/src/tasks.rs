//! Tasks and roll calls, as JSON.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use domain::{Appliance, Direction, RollEntry, TaskId, TaskKind, Window};
use serde::{Deserialize, Serialize};

use crate::Desk;
use crate::api::{Refusal, local};
use crate::login::Viewer;

/// Default number of people per page.
const DEFAULT_PAGE: u32 = 100;

#[derive(Serialize)]
pub(crate) struct TaskView {
    id: i64,
    name: String,
    kind: &'static str,
    running: bool,
    /// Channels at entries.
    entries: Vec<u32>,
    /// Channels at exits.
    exits: Vec<u32>,
}

/// All tasks.
pub(crate) async fn tasks(viewer: Viewer, State(desk): State<Arc<Desk>>) -> Result<Json<Vec<TaskView>>, Refusal> {
    let tasks = viewer.reading(&desk)?.tasks().await?;
    Ok(Json(
        tasks
            .into_iter()
            .map(|task| TaskView {
                id: task.id.0,
                running: task.is_running(),
                kind: kind(task.settings.kind),
                name: task.settings.name,
                entries: task.settings.entries.iter().map(|camera| camera.0).collect(),
                exits: task.settings.exits.iter().map(|camera| camera.0).collect(),
            })
            .collect(),
    ))
}

fn kind(kind: TaskKind) -> &'static str {
    match kind {
        TaskKind::Plain => "plain",
        TaskKind::RollCall => "roll_call",
        TaskKind::SignIn => "sign_in",
    }
}

/// Query parameters of a roll call.
#[derive(Deserialize)]
pub(crate) struct Wanted {
    /// `yyyy-mm-dd`, local time; default: today.
    day: Option<String>,
    /// Only people who were seen, or only those who were not.
    seen: Option<bool>,
    /// Number of people to skip.
    skip: Option<u64>,
    /// Maximum number of people, up to 1000.
    limit: Option<u32>,
}

#[derive(Serialize)]
pub(crate) struct RollView {
    total: u64,
    people: Vec<RollLine>,
}

#[derive(Serialize)]
struct RollLine {
    person: i64,
    code: String,
    name: String,
    seen: bool,
    /// First and last seen that day, local time; `null` when not seen.
    first: Option<String>,
    last: Option<String>,
    /// Whether the person was last seen at an entry.
    inside: bool,
}

/// The people of a task's libraries, with whether and when they were seen on a day.
pub(crate) async fn roll(
    viewer: Viewer,
    State(desk): State<Arc<Desk>>,
    Path(id): Path<i64>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<RollView>, Refusal> {
    let appliance = viewer.reading(&desk)?;
    let day = match wanted.day {
        Some(text) => text.parse().map_err(|_| Refusal(StatusCode::BAD_REQUEST))?,
        None => appliance.now().in_zone(&appliance.time_zone()).date(),
    };
    let window = Window { skip: wanted.skip.unwrap_or(0), limit: wanted.limit.unwrap_or(DEFAULT_PAGE) };
    let page = appliance.roll_call(TaskId(id), day, wanted.seen, window).await?;
    let people = page.rows.into_iter().map(|entry| line(entry, appliance)).collect();
    Ok(Json(RollView { total: page.total, people }))
}

fn line(entry: RollEntry, appliance: &Appliance) -> RollLine {
    RollLine {
        person: entry.person.id.0,
        code: entry.person.code.to_string(),
        name: entry.person.profile.name,
        seen: entry.seen.is_some(),
        first: entry.seen.map(|seen| local(appliance, seen.first)),
        last: entry.seen.map(|seen| local(appliance, seen.last)),
        inside: entry.seen.is_some_and(|seen| seen.direction == Direction::Entry),
    }
}
