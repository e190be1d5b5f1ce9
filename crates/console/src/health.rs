//! `/healthz` and `/metrics`.

use std::collections::BTreeMap;
use std::sync::Arc;

use adapter::{Component, Health};
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use domain::upgrades::UpgradeState;
use domain::{Appliance, Reembedding};
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;

use crate::process::Figures;

/// The sources of both endpoints.
pub(crate) struct Vitals {
    pub(crate) health: Arc<Health>,
    pub(crate) metrics: PrometheusHandle,
    /// `None` when the device failed to start.
    pub(crate) appliance: Option<Appliance>,
}

pub(crate) fn routes(vitals: Vitals) -> Router {
    let routes = Router::new().route("/healthz", get(healthz)).route("/metrics", get(metrics));
    routes.with_state(Arc::new(vitals))
}

#[derive(Serialize)]
struct Healthz {
    status: &'static str,
    version: &'static str,
    components: BTreeMap<&'static str, &'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<String>,
    /// Active alarms; they do not affect the status.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attention: Vec<String>,
    /// Seconds since the last progress of each part.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    progress: BTreeMap<&'static str, u64>,
    /// Present only after a change of the embedding model; the device serves meanwhile.
    #[serde(skip_serializing_if = "Option::is_none")]
    reembedding: Option<Photos>,
    /// Present after the first upgrade.
    #[serde(skip_serializing_if = "Option::is_none")]
    upgrade: Option<Upgrade>,
}

/// How the last upgrade goes or went.
#[derive(Serialize)]
struct Upgrade {
    /// `installing`, `on_trial`, `succeeded` or `failed`.
    state: &'static str,
    version: String,
    /// How much is installed.
    #[serde(skip_serializing_if = "Option::is_none")]
    percent: Option<u8>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

impl Upgrade {
    fn of(appliance: &Appliance) -> Option<Self> {
        let (state, version, percent, why) = match appliance.upgrade_state() {
            UpgradeState::None => return None,
            UpgradeState::Installing { version, percent } => ("installing", version, Some(percent), None),
            UpgradeState::OnTrial { version } => ("on_trial", version, None, None),
            UpgradeState::Succeeded { version } => ("succeeded", version, None, None),
            UpgradeState::Failed { version, why } => ("failed", version, None, Some(why)),
        };
        Some(Self { state, version, percent, why })
    }
}

/// Progress of re-embedding the stored photos.
#[derive(Serialize)]
struct Photos {
    total: u64,
    done: u64,
    unusable: u64,
    postponed: u64,
}

impl Photos {
    fn of(appliance: &Appliance) -> Option<Self> {
        let Reembedding { total, done, unusable, postponed } = appliance.reembedding();
        (total > 0).then_some(Self { total, done, unusable, postponed })
    }
}

fn ages(appliance: &Appliance) -> BTreeMap<&'static str, u64> {
    appliance.progress().ages().into_iter().map(|(part, age)| (part.name(), age.as_secs())).collect()
}

/// 200 when every component is up, otherwise 503 with the reasons.
async fn healthz(State(vitals): State<Arc<Vitals>>) -> impl IntoResponse {
    let report = vitals.health.report();
    let (code, status) =
        if report.is_up() { (StatusCode::OK, "ok") } else { (StatusCode::SERVICE_UNAVAILABLE, "unavailable") };
    let mut answer = Healthz {
        status,
        version: env!("CARGO_PKG_VERSION"),
        components: BTreeMap::new(),
        reasons: Vec::new(),
        attention: report.attention,
        progress: vitals.appliance.as_ref().map(ages).unwrap_or_default(),
        reembedding: vitals.appliance.as_ref().and_then(Photos::of),
        upgrade: vitals.appliance.as_ref().and_then(Upgrade::of),
    };
    for (name, component) in report.components {
        let state = match component {
            Component::Up => "up",
            Component::Down { reason } => {
                answer.reasons.push(format!("{name}: {reason}"));
                "down"
            }
        };
        answer.components.insert(name, state);
    }
    (code, Json(answer))
}

/// All metrics in the Prometheus text format, including those of the process.
async fn metrics(State(vitals): State<Arc<Vitals>>) -> impl IntoResponse {
    let mut text = vitals.metrics.render();
    match Figures::read() {
        Ok(figures) => text.push_str(&figures.to_string()),
        Err(error) => tracing::warn!(%error, "failed to read process metrics"),
    }
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}
