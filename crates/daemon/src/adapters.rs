//! The adapters of this build: the one place that names them all.

use std::net::SocketAddr;
use std::sync::Arc;

use adapter::{Adapter, Outbound};
use adapter_sensetime::SenseTime;
use domain::Appliance;

use crate::config::Config;

/// An adapter and where it is reached.
pub(crate) struct Enabled {
    pub(crate) adapter: Arc<dyn Adapter>,
    pub(crate) listen: SocketAddr,
}

/// Builds every adapter that the configuration enables.
pub(crate) fn enabled(config: &Config, appliance: &Appliance, outbound: &Outbound) -> Vec<Enabled> {
    let mut adapters = Vec::new();
    if config.sensetime.enabled {
        let settings = adapter_sensetime::Config { channels: config.sensetime.channels };
        let adapter = Arc::new(SenseTime::new(settings, appliance.clone(), outbound.clone()));
        adapters.push(Enabled { adapter, listen: config.sensetime.listen });
    }
    adapters
}
