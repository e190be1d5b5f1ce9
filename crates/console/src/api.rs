//! The data of the page, as JSON.

use std::collections::BTreeMap;
use std::sync::Arc;

use adapter::{Component, picture_answer};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::{
    Appliance, Camera, CameraCounters, CameraStatus, Candidate, Error, LibraryFilter, PersonFilter, PictureId, Record,
    Seq, Timestamp, Window,
};
use serde::{Deserialize, Serialize};

use crate::Desk;
use crate::login::Viewer;

/// Number of captures shown.
const CAPTURES: i64 = 24;

#[derive(Serialize)]
pub(crate) struct Status {
    name: String,
    serial: String,
    version: &'static str,
    time: String,
    problems: Vec<String>,
    /// The active alarms.
    attention: Vec<String>,
    people: u64,
    libraries: usize,
    /// Number of records ever written.
    records: i64,
    cameras: Vec<CameraView>,
}

#[derive(Serialize)]
struct CameraView {
    id: u32,
    name: String,
    position: String,
    status: &'static str,
    reason: String,
    frames: u64,
    frames_skipped: u64,
    frames_still: u64,
    frames_analysed: u64,
    frames_coarse: u64,
    frames_whole: u64,
    area_percent: u64,
    interval_ms: u64,
    faces: u64,
    records: u64,
    reconnects: u64,
}

/// Status of the device and its cameras.
pub(crate) async fn status(viewer: Viewer, State(desk): State<Arc<Desk>>) -> Result<Json<Status>, Refusal> {
    let appliance = viewer.reading(&desk)?;
    let one = Window { skip: 0, limit: 1 };
    let options = appliance.options();
    let records = newest(appliance);
    let report = desk.health.report();
    Ok(Json(Status {
        name: options.name.clone(),
        serial: options.serial.clone(),
        version: env!("CARGO_PKG_VERSION"),
        time: local(appliance, appliance.now()),
        problems: problems(report.components),
        attention: report.attention,
        people: appliance.people(PersonFilter::default(), one).await?.total,
        libraries: appliance.libraries(LibraryFilter::default()).await?.len(),
        records,
        cameras: appliance.cameras().await?.iter().map(|camera| view(appliance, camera)).collect(),
    }))
}

/// The newest position in the log, which equals the number of records ever written.
fn newest(appliance: &Appliance) -> i64 {
    appliance.newest_entry().borrow().0
}

fn problems(components: BTreeMap<&'static str, Component>) -> Vec<String> {
    let problem = |(name, component)| match component {
        Component::Up => None,
        Component::Down { reason } => Some(format!("{name}: {reason}")),
    };
    components.into_iter().filter_map(problem).collect()
}

fn view(appliance: &Appliance, camera: &Camera) -> CameraView {
    let (status, reason) = match appliance.camera_status(camera.id) {
        CameraStatus::Connecting => ("connecting", String::new()),
        CameraStatus::Online => ("online", String::new()),
        CameraStatus::Offline { reason } => ("offline", reason),
    };
    let CameraCounters {
        frames,
        frames_skipped,
        frames_still,
        frames_analysed,
        frames_coarse,
        frames_whole,
        area_percent,
        decoding: _,
        interval_ms,
        faces,
        records,
        reconnects,
    } = appliance.camera_counters(camera.id);
    CameraView {
        id: camera.id.0,
        name: camera.settings.name.clone(),
        position: camera.settings.position.clone(),
        status,
        reason,
        frames,
        frames_skipped,
        frames_still,
        frames_analysed,
        frames_coarse,
        frames_whole,
        area_percent,
        interval_ms,
        faces,
        records,
        reconnects,
    }
}

/// Query parameters of `/api/captures`.
#[derive(Deserialize)]
pub(crate) struct After {
    /// Only captures after this position in the log.
    after: Option<i64>,
}

#[derive(Serialize)]
pub(crate) struct CaptureView {
    seq: i64,
    id: String,
    time: String,
    camera: String,
    verdict: String,
    /// Empty unless a person was recognised.
    name: String,
    library: String,
    /// Similarity to the most similar person, recognised or not, percent; `null` when there was nothing to compare
    /// with.
    similarity: Option<u8>,
    quality: u8,
    crop: String,
    scene: String,
    /// Path of the enrolment photo of the recognised person.
    photo: Option<String>,
}

/// The latest captures, oldest first.
pub(crate) async fn captures(
    viewer: Viewer,
    State(desk): State<Arc<Desk>>,
    Query(After { after }): Query<After>,
) -> Result<Json<Vec<CaptureView>>, Refusal> {
    let appliance = viewer.reading(&desk)?;
    let oldest = newest(appliance) - CAPTURES;
    let after = Seq(after.unwrap_or(0).max(oldest).max(0));
    let records = appliance.records_after(after, CAPTURES as u32).await?;
    Ok(Json(records.iter().map(|record| CaptureView::of(record, appliance)).collect()))
}

impl CaptureView {
    fn of(record: &Record, appliance: &Appliance) -> Self {
        let Record { seq, capture, verdict, .. } = record;
        let (known, best) = (record.accepted(), record.own_match().and_then(|own| own.best.as_ref()));
        let text = |of: fn(&Candidate) -> &String| known.map(of).cloned().unwrap_or_default();
        Self {
            seq: seq.0,
            id: capture.id.to_string(),
            time: local(appliance, capture.at),
            camera: capture.camera_name.clone(),
            verdict: verdict.to_string(),
            name: text(|candidate| &candidate.name),
            library: text(|candidate| &candidate.library_name),
            similarity: best.map(|candidate| candidate.similarity.percent()),
            quality: capture.quality.overall,
            crop: path(&capture.crop),
            scene: path(&capture.scene),
            photo: known.map(|candidate| path(&candidate.photo)),
        }
    }
}

/// The URL path of a picture; empty when it was not kept.
fn path(picture: &PictureId) -> String {
    if picture.is_kept() { format!("/pictures/{picture}") } else { String::new() }
}

pub(crate) fn local(appliance: &Appliance, time: Timestamp) -> String {
    time.in_zone(&appliance.time_zone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A stored picture.
pub(crate) async fn picture(
    viewer: Viewer,
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let id = id.parse().map_err(|_| Refusal(StatusCode::NOT_FOUND))?;
    Ok(picture_answer(viewer.reading(&desk)?.picture(id).await?))
}

/// An error reply without details, which are only logged.
pub(crate) struct Refusal(pub(crate) StatusCode);

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound { .. } => return Self(StatusCode::NOT_FOUND),
            Error::Forbidden => return Self(StatusCode::FORBIDDEN),
            _ => {}
        }
        tracing::error!(error = error.chain(), "console request failed");
        Self(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}
