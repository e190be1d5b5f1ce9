//! A device that cannot serve.

use std::sync::Arc;

use adapter::{Component, Health};
use anyhow::Result;
use axum::http::StatusCode;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::listeners::Listeners;
use crate::models::Folder;
use crate::run::{drain, machine, notify, serve_listeners};
use crate::{upgrades, vitals};

/// The name of the models on the health board.
pub(crate) const MODELS: &str = "models";

/// What does not work.
#[derive(Debug)]
pub(crate) enum Part {
    Models(Folder),
    Database,
}

impl Part {
    /// Its name on the health board.
    fn name(&self) -> &'static str {
        match self {
            Self::Models(_) => MODELS,
            Self::Database => "database",
        }
    }

    /// Completes when another start may succeed.
    async fn until_changed(&self) {
        match self {
            Self::Models(folder) => folder.until_changed().await,
            Self::Database => std::future::pending().await,
        }
    }
}

/// Serves nothing but the reason: a device with wrong models would take people for others without any other sign, and one
/// without its database would know nobody. It does not end, because a service manager could only start it again, to the
/// same end.
pub(crate) async fn refuse(
    config: &Config,
    part: Part,
    error: &anyhow::Error,
    metrics: PrometheusHandle,
    cancel: &CancellationToken,
) -> Result<()> {
    let health = Arc::new(Health::expecting([]));
    health.set(part.name(), Component::Down { reason: format!("{error:#}") });
    let mut listeners = Listeners::default();
    let routes = console::vital_routes(Arc::clone(&health), metrics);
    listeners.add(config.console.place(), routes, StatusCode::NOT_FOUND, None).await?;
    let mut tasks = JoinSet::new();
    serve_listeners(config, listeners, None, &health, &mut tasks, cancel).await?;
    tasks.spawn(vitals::feed_watchdog(cancel.clone()));
    notify(sd_notify::NotifyState::Ready);
    tracing::error!(error = format!("{error:#}"), "refusing to serve");
    upgrades::fall_back(machine(config, &health).as_ref(), config, &format!("{}: {error:#}", part.name())).await;
    tokio::select! {
        () = cancel.cancelled() => {}
        () = part.until_changed() => {
            tracing::info!("the models have changed: ending, to be started again");
            cancel.cancel();
        }
    }
    drain(tasks).await;
    Ok(())
}
