//! Openings of the door by command. Nobody is captured, so they are in no log of records: each waits in a place of its
//! own until the platform has it, also over a restart.

use std::sync::Arc;

use adapter::Delivery;
use domain::{Job, JobId, Result, Seq, State, Timestamp};
use tokio_util::sync::CancellationToken;

use super::mqtt::{self, Subject};
use crate::core::Core;
use crate::ops::settings::Mqtt;

/// Whose durable values these are.
const NAME: &str = "terminal openings";
/// Openings that wait at most; of more the oldest are left to the audit log.
const WAITING: usize = 1000;
/// Openings are numbered from here, where records never get in the life of a device, and numbers still fit 32 bits.
const FIRST: i64 = 1_000_000_000;

/// An opening that is to be told.
pub(super) struct Opening {
    job: JobId,
    pub(super) at: Timestamp,
}

impl Opening {
    /// As platforms know it, among the numbers of records.
    pub(super) fn number(&self) -> Seq {
        Seq(FIRST + self.job.0)
    }

    fn kept(job: &Job) -> Self {
        Self { job: job.id, at: Timestamp::from_millis(job.about.parse().unwrap_or(0)) }
    }
}

/// What is kept under a number, if it is that of an opening.
pub(super) fn job(number: Seq) -> Option<JobId> {
    (number.0 > FIRST).then(|| JobId(number.0 - FIRST))
}

/// Forgets an opening that is told.
pub(super) async fn end(core: &Core, job: JobId) -> Result<()> {
    state(core).end_job(job).await
}

fn state(core: &Core) -> State {
    core.appliance.state(NAME)
}

/// Tells the platform that it has opened the door, as soon as it can be told.
pub(crate) async fn tell(core: &Core) {
    let keep = async {
        if !Mqtt::load(core).await?.people() {
            return Ok(());
        }
        let waiting = state(core).jobs().await?;
        for job in waiting.iter().rev().skip(WAITING - 1) {
            state(core).end_job(job.id).await?;
        }
        state(core).begin_job(core.appliance.now().as_millis().to_string(), Vec::new()).await?;
        Ok::<_, domain::Error>(())
    };
    if let Err(error) = keep.await {
        tracing::warn!(error = error.chain(), "an opening cannot be told");
    }
    core.opened.notify_one();
}

/// Tells of openings, the oldest first, until cancelled.
pub(super) async fn run(core: &Arc<Core>, cancel: &CancellationToken) {
    let work = async {
        loop {
            let mut settings = core.settings_changed.subscribe();
            tokio::select! {
                told = tell_waiting(core) => {
                    if let Err(error) = told {
                        tracing::warn!(error = error.chain(), "an opening cannot be told");
                    }
                    core.opened.notified().await;
                }
                _ = settings.changed() => {}
            }
        }
    };
    let _ = cancel.run_until_cancelled(work).await;
}

async fn tell_waiting(core: &Core) -> Result<()> {
    while let Some(opening) = state(core).jobs().await?.first().map(Opening::kept) {
        let set = Mqtt::load(core).await?;
        let told = !set.people()
            || matches!(mqtt::hand_over(core, &set, Subject::Opening(&opening)).await?, Delivery::Acknowledged);
        if told {
            end(core, opening.job).await?;
        }
    }
    Ok(())
}
