//! Records pushed again because a platform asked for them.

use std::sync::Arc;

use domain::Seq;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Kind, messages, record};
use crate::core::Core;
use crate::ops::settings::Mqtt;

/// Requests that wait at most.
const WAITING: usize = 8;

/// Records to be pushed again.
pub(crate) struct Errand {
    pub(crate) kind: Kind,
    pub(crate) records: Vec<Seq>,
}

/// The way to the one who does it.
pub(crate) struct Errands {
    desk: mpsc::Sender<Errand>,
    work: tokio::sync::Mutex<mpsc::Receiver<Errand>>,
}

impl Default for Errands {
    fn default() -> Self {
        let (desk, work) = mpsc::channel(WAITING);
        Self { desk, work: tokio::sync::Mutex::new(work) }
    }
}

impl Errands {
    /// Waits while too many are waiting.
    pub(crate) async fn ask(&self, errand: Errand) {
        // The other end lives as long as this one.
        let _ = self.desk.send(errand).await;
    }
}

/// Pushes again what is asked for, until cancelled. Nobody confirms it: it is done when the broker has it.
pub(super) async fn run(core: &Arc<Core>, cancel: &CancellationToken) {
    let mut work = core.errands.work.lock().await;
    while let Some(Some(errand)) = cancel.run_until_cancelled(work.recv()).await {
        let _ = cancel.run_until_cancelled(push(core, errand)).await;
    }
}

async fn push(core: &Core, Errand { kind, records }: Errand) {
    for seq in records {
        let done = async {
            // Who switched the reports off meanwhile wants the rest no more.
            let set = Mqtt::load(core).await?;
            let Some(record) = record(core, seq).await? else { return Ok(()) };
            let message = messages::again(core, &set, &record).await?;
            // What is too large is told of by nobody; the others arrive in a later connection.
            let _ = core.link.publish_surely(&core.below(kind.topic()), message.to_string().into_bytes()).await;
            Ok::<_, domain::Error>(())
        };
        if let Err(error) = done.await {
            tracing::warn!(error = error.chain(), "a record cannot be pushed again");
        }
    }
}
