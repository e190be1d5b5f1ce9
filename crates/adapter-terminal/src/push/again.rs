//! Records pushed again because a platform asked for them.

use domain::{RecordKind, Result, Seq};
use tokio_util::sync::CancellationToken;

use super::feeds::{entry, topic};
use super::messages;
use crate::device::{Device, PushAgain};
use crate::settings::Reports;

/// Pushes the requested records until cancelled. Such a push needs no confirmation: it is done when the broker has
/// acknowledged it.
pub(super) async fn run(device: &Device, cancel: &CancellationToken) {
    let mut queue = device.pushes_again.worker().await;
    while let Some(PushAgain { kind, records }) = cancel.run_until_cancelled(queue.next()).await {
        let _ = cancel.run_until_cancelled(push_all(device, kind, records)).await;
    }
}

async fn push_all(device: &Device, kind: RecordKind, records: Vec<Seq>) {
    for seq in records {
        if let Err(error) = push(device, kind, seq).await {
            tracing::warn!(record.seq = seq.0, error = error.chain(), "failed to push a record again");
        }
    }
}

async fn push(device: &Device, kind: RecordKind, seq: Seq) -> Result<()> {
    let set = Reports::load(&device.state()).await?;
    let Some(entry) = entry(device, seq).await? else { return Ok(()) };
    let Some(message) = messages::again(device, &set, &entry).await? else { return Ok(()) };
    // A message that is too large is dropped; a lost one is sent over a later connection.
    let _ = device.link.publish_surely(&device.below(topic(kind)), message.bytes()).await;
    Ok(())
}
