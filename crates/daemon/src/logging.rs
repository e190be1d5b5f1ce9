//! Where the log goes.

use std::io::IsTerminal;

use anyhow::{Context, Result};
use daemon::cli::LogFormat;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

/// Starts logging; `RUST_LOG` filters it (default `info`).
pub(crate) fn start(format: LogFormat) -> Result<()> {
    let filter = EnvFilter::builder().with_default_directive(tracing::Level::INFO.into()).from_env()?;
    let layer = match format {
        LogFormat::Text => {
            let colours = std::io::stderr().is_terminal();
            fmt::layer().with_writer(std::io::stderr).with_ansi(colours).with_target(false).boxed()
        }
        LogFormat::Json => fmt::layer().json().with_writer(std::io::stderr).boxed(),
        LogFormat::Journald => tracing_journald::layer().context("the journal cannot be reached")?.boxed(),
    };
    tracing_subscriber::registry().with(layer.with_filter(filter)).try_init().context("logging cannot be started")
}
