//! The management listener: health, metrics, and a live page.

mod api;
mod health;
mod login;
mod page;
mod process;
mod tasks;

use std::sync::Arc;
use std::time::Duration;

use adapter::{Adapter, Health, Sessions, uuid_id};
use async_trait::async_trait;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn_with_state, map_response};
use axum::routing::{get, post};
use domain::{Appliance, SessionTerms};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio_util::sync::CancellationToken;

/// The adapter's name.
const NAME: &str = "console";
/// Idle time after which a login ends; an open page keeps sending requests.
const SESSION_IDLE: Duration = Duration::from_secs(30 * 60);
/// Time after which a login ends, used or not.
const SESSION_LONGEST: Duration = Duration::from_secs(12 * 3600);
/// Maximum size of a login form, bytes.
const FORM_BYTES: usize = 4096;
/// Interval of the exporter's upkeep, which condenses distributions.
const UPKEEP: Duration = Duration::from_secs(5);

/// The console. While it is closed, only `/healthz` and `/metrics` are served.
///
/// `/healthz` and `/metrics` need no login; everything that shows people requires a login of any role.
#[derive(Clone)]
pub struct Console {
    desk: Arc<Desk>,
}

/// State shared by the handlers.
struct Desk {
    appliance: Appliance,
    health: Arc<Health>,
    metrics: PrometheusHandle,
    sessions: Sessions,
}

impl Console {
    /// A console for this appliance, with `/healthz` from `health` and `/metrics` from `metrics`.
    pub fn new(appliance: Appliance, health: Arc<Health>, metrics: PrometheusHandle) -> Self {
        let terms = SessionTerms { adapter: NAME, idle: SESSION_IDLE, longest: SESSION_LONGEST };
        let sessions = Sessions::new(appliance.clone(), terms, uuid_id);
        Self { desk: Arc::new(Desk { appliance, health, metrics, sessions }) }
    }
}

/// Only `/healthz` and `/metrics`, for a device that cannot serve and stays up to report the reason.
pub fn vital_routes(health: Arc<Health>, metrics: PrometheusHandle) -> Router {
    let vitals = health::Vitals { health, metrics, appliance: None };
    health::routes(vitals).layer(map_response(page::harden))
}

#[async_trait]
impl Adapter for Console {
    fn name(&self) -> &'static str {
        NAME
    }

    fn routes(&self) -> Option<Router> {
        let routes = Router::new()
            .route("/", get(page::overview))
            .route("/login", get(page::login).post(login::log_in))
            .route("/logout", post(login::log_out))
            .route("/assets/{name}", get(page::asset))
            .route("/api/status", get(api::status))
            .route("/api/captures", get(api::captures))
            .route("/api/tasks", get(tasks::tasks))
            .route("/api/tasks/{id}/roll", get(tasks::roll))
            .route("/pictures/{id}", get(api::picture));
        let Desk { appliance, health, metrics, .. } = &*self.desk;
        let vitals =
            health::Vitals { health: Arc::clone(health), metrics: metrics.clone(), appliance: Some(appliance.clone()) };
        let gate = from_fn_with_state(self.desk.clone(), page::gate);
        let routes = routes.with_state(self.desk.clone()).layer(gate).merge(health::routes(vitals));
        Some(routes.layer(DefaultBodyLimit::max(FORM_BYTES)).layer(map_response(page::harden)))
    }

    async fn run(&self, _appliance: Appliance, cancel: CancellationToken) {
        let mut ticks = tokio::time::interval(UPKEEP);
        while cancel.run_until_cancelled(ticks.tick()).await.is_some() {
            self.desk.metrics.run_upkeep();
        }
    }
}
