//! The stored job of a batch, which is kept until the batch is answered.

use domain::{Job, JobId, JobItem, Result};
use serde_json::json;

use crate::convert::people;
use crate::device::Device;
use crate::device::batches::{About, Batch, BatchKind, Item};
use crate::wire::Fields;

/// Stores a batch. When that fails, the batch is processed all the same, but not resumed after a restart.
pub(super) async fn begin(device: &Device, about: &About, items: Vec<JobItem>) -> Option<JobId> {
    let begun = device.state().begin_job(command(about), items).await;
    logged("store", begun)
}

/// One of the people, as stored.
pub(super) fn item(fields: &Fields, outcome: Option<u16>) -> JobItem {
    JobItem { about: fields.note(), outcome: outcome.map(|code| code.to_string()) }
}

/// Stores the outcome of the person at this place.
pub(super) async fn note(device: &Device, job: JobId, place: usize, outcome: u16) {
    logged("update", device.state().note_outcome(job, place as u32, outcome.to_string()).await);
}

/// Removes a batch.
pub(super) async fn end(device: &Device, job: JobId) {
    logged("remove", device.state().end_job(job).await);
}

/// The batches that were not answered, oldest first.
pub(super) async fn batches(device: &Device) -> Vec<Batch> {
    let jobs = logged("read", device.state().jobs().await).unwrap_or_default();
    let mut batches = Vec::new();
    for job in jobs {
        let id = job.id;
        match batch(job) {
            Some(batch) => batches.push(batch),
            None => end(device, id).await,
        }
    }
    batches
}

fn logged<T>(action: &str, done: Result<T>) -> Option<T> {
    done.inspect_err(|error| tracing::warn!(action, error = error.chain(), "stored batch not accessible")).ok()
}

/// The command of a batch, as stored.
fn command(about: &About) -> String {
    json!({ "operator": about.kind.operator(), "messageId": about.message_id }).to_string()
}

fn about(note: &str) -> Option<About> {
    let fields = Fields::kept(note);
    let operator = fields.text("operator")?;
    Some(About {
        kind: BatchKind::ALL.into_iter().find(|kind| kind.operator() == operator)?,
        message_id: fields.get("messageId").cloned(),
    })
}

fn batch(job: Job) -> Option<Batch> {
    let items = job.items.into_iter().map(|item| Item {
        person: people::read(&Fields::kept(&item.about)),
        outcome: item.outcome.and_then(|code| code.parse().ok()),
    });
    Some(Batch { about: self::about(&job.about)?, job: Some(job.id), resumed: true, items: items.collect() })
}
