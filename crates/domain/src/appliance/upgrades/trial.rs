//! A version on trial after an upgrade. It is kept once it has been healthy for a while, including recognition; the
//! running slot is marked good then, and the floor raised. Otherwise the reason is stored, and the machine restarted for
//! the boot loader to return to the slot before.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::ledger::{Ledger, Pending};
use super::{Fitness, INSTALLED, UpgradeState, installed};
use crate::appliance::Appliance;
use crate::ports::Host;
use crate::{Result, SlotMark, Slots};

/// Interval between two looks at the health.
const LOOK: Duration = Duration::from_secs(1);
/// Interval between attempts at what the machine refuses.
const RETRY: Duration = Duration::from_secs(10);
/// Why a version failed that never said anything.
const SILENT: &str = "it did not start, or ended before it could say why";
const INTERRUPTED: &str = "its installation was interrupted";

/// How long a version may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// For this long it must be healthy without a break to be kept.
    pub settle: Duration,
    /// After this time it is given up.
    pub limit: Duration,
}

/// What became of a version that cannot serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GivenUp {
    /// It is not on trial, or there is nothing to return to; nothing was done.
    Kept,
    /// The machine restarts into the slot before.
    Restarting,
}

/// What this start is.
#[derive(Debug)]
enum Start {
    /// Of a version that was kept, or of one that has no other to return to.
    Usual(Option<Slots>),
    /// Of the version that an upgrade began in: it never left, or the machine has returned to it.
    Former(Pending, Option<Slots>),
    /// Of a new version.
    New(Pending, Option<Slots>),
}

/// Decides about this version until it is decided, then waits until cancelled, and for an installation that goes on.
pub async fn run(appliance: Appliance, fitness: Arc<dyn Fitness>, terms: Terms, cancel: CancellationToken) {
    // Set once: this runs once.
    let _ = appliance.core.upgrades.fitness.set(Arc::clone(&fitness));
    let deciding = async {
        while let Err(error) = appliance.decide_version(fitness.as_ref(), terms).await {
            tracing::error!(error = error.chain(), "failed to decide about this version, retrying");
            tokio::time::sleep(RETRY).await;
        }
        // A task that ended would be taken for one that died.
        std::future::pending::<()>().await;
    };
    cancel.run_until_cancelled(deciding).await;
    let installing = &appliance.core.upgrades.installing;
    installing.close();
    installing.wait().await;
}

/// Gives this version up if it is on trial; for a start that cannot serve. `why` is stored before the restart.
///
/// # Errors
/// Of the machine and the ledger in `folder`.
pub async fn fall_back(host: &dyn Host, folder: &Path, why: &str) -> Result<GivenUp> {
    let ledger = Ledger::in_folder(folder);
    match start(host, &ledger).await? {
        Start::New(pending, Some(slots)) if can_return(&pending, &slots) => {
            give_up(host, &ledger, pending, why).await?;
            Ok(GivenUp::Restarting)
        }
        Start::New(..) | Start::Usual(_) | Start::Former(..) => Ok(GivenUp::Kept),
    }
}

/// What this start is. A slot that is not marked good, with a version that was never kept, is a new version too: it was
/// installed by other means.
async fn start(host: &dyn Host, ledger: &Ledger) -> Result<Start> {
    let slots = host.slots().await?;
    Ok(match (ledger.pending()?, slots) {
        (Some(pending), None) if pending.installed => Start::New(pending, None),
        (Some(pending), None) => Start::Former(pending, None),
        (Some(pending), Some(slots)) if pending.slot.as_ref() == Some(&slots.running) => {
            Start::Former(pending, Some(slots))
        }
        (Some(pending), Some(slots)) => Start::New(pending, Some(slots)),
        (None, Some(slots)) if !slots.is_good && slots.fallback.is_some() && is_new(ledger)? => {
            let pending = Pending { to: INSTALLED.to_owned(), slot: slots.fallback.clone(), ..Pending::default() };
            Start::New(pending, Some(slots))
        }
        (None, slots) => Start::Usual(slots),
    })
}

fn is_new(ledger: &Ledger) -> Result<bool> {
    let installed = installed()?;
    Ok(ledger.floor()?.is_none_or(|floor| floor < installed))
}

/// Whether there is another slot to return to. A version that was given up and is started nevertheless stays: the
/// machine would restart for ever.
fn can_return(pending: &Pending, slots: &Slots) -> bool {
    pending.failure.is_none() && slots.fallback.is_some()
}

async fn give_up(host: &dyn Host, ledger: &Ledger, mut pending: Pending, why: &str) -> Result<()> {
    tracing::error!(upgrade.version = pending.to, reason = why, "new version given up, returning to the one before");
    pending.failure = Some(why.to_owned());
    ledger.set_pending(&pending)?;
    if let Err(error) = host.mark(SlotMark::Bad).await {
        tracing::error!(error = error.chain(), "failed to mark the running slot bad, relying on the boot loader");
    }
    host.restart().await
}

impl Appliance {
    async fn decide_version(&self, fitness: &dyn Fitness, terms: Terms) -> Result<()> {
        let (host, ledger) = (self.ports().host.as_ref(), &self.core.upgrades.ledger);
        match start(host, ledger).await? {
            Start::Usual(slots) => self.confirm_usual(fitness, terms, slots).await,
            Start::Former(pending, slots) => {
                if self.conclude_former(pending, slots.as_ref()).await? {
                    self.confirm_usual(fitness, terms, host.slots().await?).await?;
                }
                Ok(())
            }
            Start::New(pending, slots) => self.try_out(fitness, terms, pending, slots).await,
        }
    }

    /// A version that was kept before, or that has no other to return to, stays: a camera or platform that is away is no
    /// reason to return to an older one. One that was kept before is marked good as soon as recognition has proved
    /// itself, because the boot loader leaves it when the power fails before that.
    async fn confirm_usual(&self, fitness: &dyn Fitness, terms: Terms, slots: Option<Slots>) -> Result<()> {
        if is_new(&self.core.upgrades.ledger)?
            && let Err(why) = healthy(fitness, terms, &[]).await
        {
            tracing::warn!(reason = why, "not everything works in this version, the first of this device");
        }
        if let Err(why) = proven(fitness, terms.limit).await {
            tracing::error!(reason = why, "recognition does not work, the running slot is not marked good");
            return Ok(());
        }
        self.keep(slots.as_ref()).await
    }

    /// Ends an upgrade in the version that it began in. Returns whether that is decided; otherwise the machine restarts
    /// into the new one.
    async fn conclude_former(&self, mut pending: Pending, slots: Option<&Slots>) -> Result<bool> {
        let host = self.ports().host.as_ref();
        let same_boot = slots.is_none_or(|slots| slots.boot == pending.boot);
        if same_boot && pending.failure.is_none() && (pending.installed || host.await_installation().await?) {
            tracing::info!(upgrade.version = pending.to, "installed by a former process, restarting");
            pending.installed = true;
            self.set_pending(pending).await?;
            host.restart().await?;
            return Ok(false);
        }
        let why = match &pending.failure {
            Some(why) => why.clone(),
            None if pending.installed => SILENT.to_owned(),
            None => INTERRUPTED.to_owned(),
        };
        if slots.is_some() && pending.installed {
            host.mark(SlotMark::OtherBad).await?;
        }
        tracing::error!(upgrade.version = pending.to, reason = why, "upgrade failed, the version before runs");
        self.decide(pending, Some(why)).await?;
        Ok(true)
    }

    async fn try_out(&self, fitness: &dyn Fitness, terms: Terms, pending: Pending, slots: Option<Slots>) -> Result<()> {
        let version = pending.to.clone();
        tracing::info!(upgrade.version = version, "new version on trial");
        self.core.upgrades.set_state(UpgradeState::OnTrial { version });
        match healthy(fitness, terms, &pending.broken_before).await {
            Ok(()) => {
                self.keep(slots.as_ref()).await?;
                tracing::info!(upgrade.version = pending.to, "new version kept");
                self.decide(pending, None).await
            }
            Err(why) => self.take_back(pending, slots.as_ref(), why).await,
        }
    }

    async fn take_back(&self, pending: Pending, slots: Option<&Slots>, why: String) -> Result<()> {
        if !slots.is_some_and(|slots| can_return(&pending, slots)) {
            tracing::error!(
                upgrade.version = pending.to,
                reason = why,
                "new version does not work, nothing to return to"
            );
            return self.decide(pending, Some(why)).await;
        }
        let (host, ledger) = (self.ports().host.as_ref(), &self.core.upgrades.ledger);
        while let Err(error) = give_up(host, ledger, pending.clone(), &why).await {
            tracing::error!(error = error.chain(), "failed to restart the machine, retrying");
            tokio::time::sleep(RETRY).await;
        }
        Ok(())
    }

    /// Tells the boot loader that this version works, then raises the floor.
    async fn keep(&self, slots: Option<&Slots>) -> Result<()> {
        if slots.is_some_and(|slots| !slots.is_good) {
            self.ports().host.mark(SlotMark::Good).await?;
            tracing::info!("running slot marked good");
        }
        let version = installed()?;
        self.blocking(move |a| a.core.upgrades.ledger.raise_floor(&version)).await
    }
}

/// Waits until everything has worked without a break for `terms.settle`, with recognition at its begin and end; after
/// `terms.limit` fails with what does not work. Parts in `but` need not work.
async fn healthy(fitness: &dyn Fitness, terms: Terms, but: &[String]) -> Result<(), String> {
    let end = Instant::now() + terms.limit;
    let mut since = None;
    let mut why = loop {
        let failing = look(fitness, but, since.is_none()).await;
        let now = Instant::now();
        match failing {
            Some(why) if now >= end => break why,
            Some(_) => since = None,
            None if now.duration_since(*since.get_or_insert(now)) >= terms.settle => match fitness.recognises().await {
                Ok(()) => return Ok(()),
                Err(why) if now >= end => break why,
                Err(_) => since = None,
            },
            None if now >= end + terms.settle => break "it was never healthy for long enough".to_owned(),
            None => {}
        }
        tokio::time::sleep(LOOK.min(terms.settle)).await;
    };
    why.truncate(why.floor_char_boundary(500));
    Err(why)
}

/// Waits until recognition proves itself, for `limit` at most.
async fn proven(fitness: &dyn Fitness, limit: Duration) -> Result<(), String> {
    let end = Instant::now() + limit;
    loop {
        match fitness.recognises().await {
            Err(_) if Instant::now() < end => tokio::time::sleep(RETRY).await,
            result => return result,
        }
    }
}

/// What does not work; with `all` including recognition.
async fn look(fitness: &dyn Fitness, but: &[String], all: bool) -> Option<String> {
    let mut failing = fitness.failing();
    failing.retain(|part, _| !but.contains(part));
    if !failing.is_empty() {
        let reasons: Vec<_> = failing.iter().map(|(part, why)| format!("{part}: {why}")).collect();
        return Some(reasons.join("; "));
    }
    if all { fitness.recognises().await.err().map(|why| format!("recognition: {why}")) } else { None }
}
