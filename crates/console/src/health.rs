//! Health and metrics, for machines.

use std::collections::BTreeMap;
use std::sync::Arc;

use adapter::Component;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use serde::Serialize;

use crate::Desk;
use crate::process::Figures;

#[derive(Serialize)]
struct Healthz {
    status: &'static str,
    version: &'static str,
    components: BTreeMap<&'static str, &'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<String>,
}

/// 200 when every part of the device is up, else 503 and why not.
pub(crate) async fn healthz(State(desk): State<Arc<Desk>>) -> impl IntoResponse {
    let report = desk.health.report();
    let (code, status) =
        if report.is_up() { (StatusCode::OK, "ok") } else { (StatusCode::SERVICE_UNAVAILABLE, "unavailable") };
    let mut answer =
        Healthz { status, version: env!("CARGO_PKG_VERSION"), components: BTreeMap::new(), reasons: Vec::new() };
    for (name, component) in report.components {
        let word = match component {
            Component::Up => "up",
            Component::Down { reason } => {
                answer.reasons.push(format!("{name}: {reason}"));
                "down"
            }
        };
        answer.components.insert(name, word);
    }
    (code, Json(answer))
}

/// All metrics in the text format of Prometheus, the process's own figures included.
pub(crate) async fn metrics(State(desk): State<Arc<Desk>>) -> impl IntoResponse {
    let mut text = desk.metrics.render();
    match Figures::read() {
        Ok(figures) => text.push_str(&figures.to_string()),
        Err(error) => tracing::warn!(%error, "the process's figures cannot be read"),
    }
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}
