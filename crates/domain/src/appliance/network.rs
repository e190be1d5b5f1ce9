//! The network of the machine. A change stands only when somebody has reached the device with it; otherwise it is
//! undone, also after a crash, so that nobody locks himself out.

use std::net::IpAddr;
use std::time::Duration;

use tokio::sync::{Mutex, watch};
use tokio_util::sync::CancellationToken;

use super::{Acts, Appliance};
use crate::{Act, Actor, Error, Network, NetworkPort, Result};

/// How long a change waits for a request.
const PATIENCE: Duration = Duration::from_secs(60);
/// Time between two attempts to undo a change.
const RETRY: Duration = Duration::from_secs(10);

/// Watches over the change that is on trial.
pub(super) struct Guard {
    trial: watch::Sender<Trial>,
    /// One change at a time.
    order: Mutex<()>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trial {
    /// The network is as it shall be.
    None,
    /// A request on this address, or on any when it is not known, makes the change stand.
    Awaiting(Option<IpAddr>),
    /// It came.
    Passed,
    /// The machine refused the change, and to undo what it may have done of it.
    Stuck,
}

impl Default for Guard {
    fn default() -> Self {
        Self { trial: watch::Sender::new(Trial::None), order: Mutex::default() }
    }
}

impl Appliance {
    /// How the machine is connected.
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
        // Without a trial the mark stands for a change that is still to be undone.
        if *guard.trial.borrow() != Trial::None || self.is_marked().await? {
            return Err(Error::Busy);
        }
        let mut network = self.network().await?;
        change(&mut network)?;
        self.mark_trial(true).await?;
        if let Err(refusal) = self.ports().host.apply_network(&network).await {
            if let Err(error) = self.undo_trial().await {
                tracing::error!(error = error.chain(), "a refused change of the network cannot be undone yet");
                guard.trial.send_replace(Trial::Stuck);
            }
            return Err(refusal);
        }
        tracing::warn!(network.trial_s = PATIENCE.as_secs(), "the network was changed, on trial");
        guard.trial.send_replace(Trial::Awaiting(awaited));
        self.note(actor, Act::NETWORK_CHANGE, "network").await
    }

    /// Notes that a request has come in on this address of the machine.
    pub fn note_arrival(&self, address: IpAddr) {
        self.note_reached(Some(address.to_canonical()));
    }

    /// Notes that the device has reached a platform over a connection that it made anew. It passes a trial that any
    /// request would pass.
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

    /// Undoes the change that was on trial when the device went down.
    async fn undo_interrupted_trial(&self) -> Result<()> {
        let _order = self.core.network.order.lock().await;
        if *self.core.network.trial.borrow() != Trial::None || !self.is_marked().await? {
            return Ok(());
        }
        tracing::warn!("a change of the network was interrupted and is undone");
        self.undo_trial().await
    }

    /// Ends a trial that nobody passed.
    async fn fail_trial(&self) -> Result<()> {
        // A request may have come in the last moment.
        let late = |trial: &mut Trial| std::mem::replace(trial, Trial::None) == Trial::Passed;
        let _order = self.core.network.order.lock().await;
        let mut passed = false;
        self.core.network.trial.send_modify(|trial| passed = late(trial));
        if passed {
            return self.keep_trial().await;
        }
        tracing::warn!("no request came in with the new network: the change is undone");
        self.undo_trial().await
    }

    async fn keep_trial(&self) -> Result<()> {
        // In this order: what is undone after a crash was never kept.
        self.mark_trial(false).await?;
        self.ports().host.keep_network().await?;
        tracing::info!("the changed network was used and stays");
        Ok(())
    }
}

impl Acts<'_> {
    /// Sets the address of a port, on trial for a minute: unless a request comes in on the new address (with DHCP: on
    /// any), everything is put back.
    ///
    /// # Errors
    /// `NotFound(NetworkPort)`, `Invalid` for an address that cannot be, `Busy` while another change is on trial,
    /// `Unavailable` when the system does not let the device do it. Nothing has changed then.
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

    /// Sets the port for everything that is on no port's own network, and the name servers (`None`: those that the
    /// network names), on trial for a minute: any request makes it stand. Errors as [`set_port`](Self::set_port).
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

    /// Has every port take its address from the network, and with it the name servers, as on a new device; on trial for
    /// a minute: any request makes it stand. Errors as [`set_port`](Self::set_port).
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

/// Watches over changes of the network until cancelled; first undoes the one that a crash interrupted.
pub async fn guard(appliance: Appliance, cancel: CancellationToken) {
    let appliance = &appliance;
    let watching = async {
        persist(|| appliance.undo_interrupted_trial()).await;
        let mut trial = appliance.core.network.trial.subscribe();
        loop {
            // The appliance holds the sender.
            let _ = trial.wait_for(|trial| *trial != Trial::None).await;
            if *trial.borrow() == Trial::Stuck {
                appliance.core.network.trial.send_replace(Trial::None);
                persist(|| appliance.undo_interrupted_trial()).await;
                continue;
            }
            let passed = tokio::time::timeout(PATIENCE, trial.wait_for(|trial| *trial == Trial::Passed)).await.is_ok();
            if passed {
                persist(|| appliance.keep_trial()).await;
                appliance.core.network.trial.send_replace(Trial::None);
            } else if let Err(error) = appliance.fail_trial().await {
                tracing::error!(error = error.chain(), "a change of the network cannot be undone, trying again");
                persist(|| appliance.undo_interrupted_trial()).await;
            }
        }
    };
    cancel.run_until_cancelled(watching).await;
}

/// Tries until it works.
async fn persist<F: Future<Output = Result<()>>>(act: impl Fn() -> F) {
    while let Err(error) = act().await {
        tracing::error!(error = error.chain(), "the network is not as it shall be, trying again");
        tokio::time::sleep(RETRY).await;
    }
}
