//! Openings of the door by command and by card. Nobody is captured, so they are in no log of records: each waits in a place of its
//! own until the platform has it, also over a restart.

use std::sync::Arc;

use adapter::Delivery;
use domain::{Job, JobId, PersonId, Result, Seq, State, Timestamp};
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
    /// Who was let in, unless a platform has opened the door with nobody before it.
    pub(super) entry: Option<Entry>,
}

/// Somebody who was let in by a card or an ID card.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) person: PersonId,
    /// What he showed, as `otype` has it.
    pub(super) kind: i64,
}

impl Opening {
    /// As platforms know it, among the numbers of records.
    pub(super) fn number(&self) -> Seq {
        Seq(FIRST + self.job.0)
    }

    fn kept(job: &Job) -> Self {
        let mut words = job.about.split(' ').map(|word| word.parse().unwrap_or(0));
        let at = Timestamp::from_millis(words.next().unwrap_or(0));
        let entry = words.next().zip(words.next()).map(|(person, kind)| Entry { person: PersonId(person), kind });
        Self { job: job.id, at, entry }
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
pub(crate) async fn tell_opening(core: &Core) {
    tell(core, core.appliance.now(), None).await;
}

/// Tells the platform of an opening, as soon as it can be told.
pub(super) async fn tell(core: &Core, at: Timestamp, entry: Option<Entry>) {
    let who = entry.map_or_else(String::new, |entry| format!(" {} {}", entry.person, entry.kind));
    let keep = async {
        if !Mqtt::load(core).await?.people() {
            return Ok(());
        }
        let waiting = state(core).jobs().await?;
        for job in waiting.iter().rev().skip(WAITING - 1) {
            state(core).end_job(job.id).await?;
        }
        state(core).begin_job(format!("{}{who}", at.as_millis()), Vec::new()).await?;
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
