//! The network of the machine. A change is on trial: unless a request of an authenticated caller reaches the device over
//! the changed network, the change is undone, also after a crash. A mistake therefore does not make the device
//! unreachable.

use std::net::IpAddr;
use std::time::Duration;

use tokio::sync::{Mutex, watch};
use tokio_util::sync::CancellationToken;

use super::{Acts, Appliance};
use crate::{Act, Actor, Error, Network, NetworkPort, Result};

/// Duration of a trial.
const TRIAL: Duration = Duration::from_secs(60);
/// Interval between attempts to confirm or undo a change.
const RETRY: Duration = Duration::from_secs(10);

/// State of the change that is on trial.
pub(super) struct Guard {
    trial: watch::Sender<Trial>,
    /// Held during a change, so that there is one at a time.
    order: Mutex<()>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trial {
    /// No change is on trial.
    None,
    /// Waits for a request on this address, or on any (`None`).
    Awaiting(Option<IpAddr>),
    /// The request has arrived.
    Passed,
    /// The machine refused the change, and undoing what was done of it failed too.
    Stuck,
}

impl Default for Guard {
    fn default() -> Self {
        Self { trial: watch::Sender::new(Trial::None), order: Mutex::default() }
    }
}

impl Appliance {
    /// The network settings of the machine.
    pub async fn network(&self) -> Result<Network> {
        self.ports().host.network().await
    }

    async fn change_network(
        &self,
        actor: &Actor,
        awaited: Option<IpAddr>,
        change: impl FnOnce(&mut Network) -> Result<()>,
    ) -> Result<()> {
        let guard = &self.core.network;
        let _order = guard.order.lock().await;
        // A mark without a trial is that of a change that is still to be undone.
        if *guard.trial.borrow() != Trial::None || self.is_marked().await? {
            return Err(Error::Busy);
        }
        let mut network = self.network().await?;
        change(&mut network)?;
        self.mark_trial(true).await?;
        if let Err(refusal) = self.ports().host.apply_network(&network).await {
            if let Err(error) = self.undo_trial().await {
                tracing::error!(error = error.chain(), "failed to undo refused network change, retrying");
                guard.trial.send_replace(Trial::Stuck);
            }
            return Err(refusal);
        }
        tracing::warn!(network.trial_s = TRIAL.as_secs(), "network changed, on trial");
        guard.trial.send_replace(Trial::Awaiting(awaited));
        self.note(actor, Act::NETWORK_CHANGE, "network").await
    }

    /// Reports that a request of an authenticated caller has arrived at this address of the machine.
    pub fn note_arrival(&self, address: IpAddr) {
        self.note_reached(Some(address.to_canonical()));
    }

    /// Reports that the device has opened a new connection to a platform that has proved who it is. It
    /// ends a trial that any request ends.
    pub fn note_connection(&self) {
        self.note_reached(None);
    }

    fn note_reached(&self, at: Option<IpAddr>) {
        self.core.network.trial.send_if_modified(|trial| {
            let passed = matches!(trial, Trial::Awaiting(awaited) if awaited.is_none() || *awaited == at);
            if passed {
                *trial = Trial::Passed;
            }
            passed
        });
    }

    async fn is_marked(&self) -> Result<bool> {
        self.blocking(|a| a.device_state().network_on_trial()).await
    }

    async fn mark_trial(&self, on_trial: bool) -> Result<()> {
        self.blocking(move |a| a.device_state().set_network_on_trial(on_trial)).await
    }

    async fn undo_trial(&self) -> Result<()> {
        self.ports().host.roll_back_network().await?;
        self.mark_trial(false).await
    }

    /// Undoes the change that was on trial when the process ended.
    async fn undo_interrupted_trial(&self) -> Result<()> {
        let _order = self.core.network.order.lock().await;
        if *self.core.network.trial.borrow() != Trial::None || !self.is_marked().await? {
            return Ok(());
        }
        tracing::warn!("undoing interrupted network change");
        self.undo_trial().await
    }

    /// Ends a trial in which no request arrived: undoes the change.
    async fn fail_trial(&self) -> Result<()> {
        // A request may have arrived at the last moment.
        let late = |trial: &mut Trial| std::mem::replace(trial, Trial::None) == Trial::Passed;
        let _order = self.core.network.order.lock().await;
        let mut passed = false;
        self.core.network.trial.send_modify(|trial| passed = late(trial));
        if passed {
            return self.keep_trial().await;
        }
        tracing::warn!("no request arrived over the changed network, undoing the change");
        self.undo_trial().await
    }

    async fn keep_trial(&self) -> Result<()> {
        // In this order, so that a change that the host has kept is never undone after a crash.
        self.mark_trial(false).await?;
        self.ports().host.keep_network().await?;
        tracing::info!("network change confirmed");
        Ok(())
    }
}

impl Acts<'_> {
    /// Sets the address of a port, on trial for a minute: unless a request arrives at the new address (with DHCP: at
    /// any address), the change is undone.
    ///
    /// # Errors
    /// `NotFound(NetworkPort)`, `Invalid` for an impossible address, `Busy` while another change is on trial,
    /// `Unavailable` when the system does not permit it. Nothing has changed then.
    pub async fn set_port(self, port: NetworkPort) -> Result<()> {
        let actor = self.permit(Act::NETWORK_CHANGE)?;
        let awaited = port.subnet.filter(|_| !port.dhcp).map(|subnet| subnet.address);
        self.appliance
            .change_network(&actor, awaited, |network| {
                let name = port.name.clone();
                let hardware_address = std::mem::take(&mut network.port_mut(&name)?.hardware_address);
                *network.port_mut(&name)? = NetworkPort { hardware_address, ..port };
                network.check_port(&name)
            })
            .await
    }

    /// Sets the port of the default route and the name servers (`None`: those that the network announces), on trial for
    /// a minute: any request confirms the change. Errors as [`set_port`](Self::set_port).
    pub async fn set_default_port(self, port: &str, name_servers: Option<Vec<IpAddr>>) -> Result<()> {
        let actor = self.permit(Act::NETWORK_CHANGE)?;
        self.appliance
            .change_network(&actor, None, |network| {
                network.port_mut(port)?;
                network.default_port = Some(port.to_owned());
                network.name_servers_given = name_servers.is_some();
                network.name_servers = name_servers.unwrap_or_default();
                Ok(())
            })
            .await
    }

    /// Sets every port to DHCP, and the name servers to those of the network, as on a new device; on trial for a
    /// minute: any request confirms the change. Errors as [`set_port`](Self::set_port).
    pub async fn restore_network(self) -> Result<()> {
        let actor = self.permit(Act::NETWORK_CHANGE)?;
        self.appliance
            .change_network(&actor, None, |network| {
                for port in &mut network.ports {
                    (port.dhcp, port.gateway) = (true, None);
                }
                (network.default_port, network.name_servers_given) = (None, false);
                network.name_servers.clear();
                Ok(())
            })
            .await
    }
}

/// Confirms or undoes changes of the network until cancelled; first undoes the one that a crash interrupted.
pub async fn guard(appliance: Appliance, cancel: CancellationToken) {
    let appliance = &appliance;
    let watching = async {
        retry(|| appliance.undo_interrupted_trial()).await;
        let mut trial = appliance.core.network.trial.subscribe();
        loop {
            // Cannot fail: the appliance owns the sender.
            let _ = trial.wait_for(|trial| *trial != Trial::None).await;
            if *trial.borrow() == Trial::Stuck {
                appliance.core.network.trial.send_replace(Trial::None);
                retry(|| appliance.undo_interrupted_trial()).await;
                continue;
            }
            let passed = tokio::time::timeout(TRIAL, trial.wait_for(|trial| *trial == Trial::Passed)).await.is_ok();
            if passed {
                retry(|| appliance.keep_trial()).await;
                appliance.core.network.trial.send_replace(Trial::None);
            } else if let Err(error) = appliance.fail_trial().await {
                tracing::error!(error = error.chain(), "failed to undo network change, retrying");
                retry(|| appliance.undo_interrupted_trial()).await;
            }
        }
    };
    cancel.run_until_cancelled(watching).await;
}

/// Retries until it succeeds.
async fn retry<F: Future<Output = Result<()>>>(act: impl Fn() -> F) {
    while let Err(error) = act().await {
        tracing::error!(error = error.chain(), "failed to confirm or undo network change, retrying");
        tokio::time::sleep(RETRY).await;
    }
}
