//! The adapters of this build: the one place that names them all.

use std::net::SocketAddr;
use std::sync::Arc;

use adapter::{Adapter, ExportLimits, Exports, Outbound};
use adapter_sensetime::SenseTime;
use anyhow::{Context, Result};
use domain::Appliance;

use crate::config::Config;

/// An adapter and where it is reached.
pub(crate) struct Enabled {
    pub(crate) adapter: Arc<dyn Adapter>,
    pub(crate) listen: SocketAddr,
}

/// Builds every adapter that the configuration enables.
pub(crate) fn enabled(config: &Config, appliance: &Appliance, outbound: &Outbound) -> Result<Vec<Enabled>> {
    let mut adapters = Vec::new();
    if config.sensetime.enabled {
        let settings = adapter_sensetime::Config { channels: config.sensetime.channels };
        let exports = exports(config, "sensetime")?;
        let adapter = Arc::new(SenseTime::new(settings, appliance.clone(), outbound.clone(), exports));
        adapters.push(Enabled { adapter, listen: config.sensetime.listen });
    }
    Ok(adapters)
}

/// The folder of an adapter's downloads.
fn exports(config: &Config, adapter: &str) -> Result<Exports> {
    let dir = config.storage.dir.join("exports").join(adapter);
    Exports::open(dir, ExportLimits::default()).context("no folder for downloads")
}
