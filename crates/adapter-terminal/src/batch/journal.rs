//! What is kept of a batch until it is answered.

use domain::{Job, JobId, JobItem, Result};
use serde_json::json;

use super::{About, Batch, Item, Kind};
use crate::core::Core;
use crate::wire::Fields;
use crate::wire::people::PersonFields;

/// Keeps a batch; without room it is done all the same, and a restart ends it.
pub(super) async fn begin(core: &Core, about: &About, items: Vec<JobItem>) -> Option<JobId> {
    let begun = core.state().begin_job(about.note(), items).await;
    told("begun", begun)
}

/// One of the people, as kept.
pub(super) fn item(fields: &Fields, outcome: Option<u16>) -> JobItem {
    JobItem { about: fields.note(), outcome: outcome.map(|code| code.to_string()) }
}

/// Keeps what came of the one at this place.
pub(super) async fn note(core: &Core, job: JobId, place: usize, outcome: u16) {
    told("gone on with", core.state().note_outcome(job, place as u32, outcome.to_string()).await);
}

/// Forgets a batch.
pub(super) async fn end(core: &Core, job: JobId) {
    told("ended", core.state().end_job(job).await);
}

/// The batches that nobody was told the end of, the oldest first.
pub(super) async fn batches(core: &Core) -> Vec<Batch> {
    let jobs = told("looked for", core.state().jobs().await).unwrap_or_default();
    let mut batches = Vec::new();
    for job in jobs {
        let id = job.id;
        match batch(job) {
            Some(batch) => batches.push(batch),
            None => end(core, id).await,
        }
    }
    batches
}

fn told<T>(doing: &str, done: Result<T>) -> Option<T> {
    done.inspect_err(|error| tracing::warn!(error = error.chain(), "the journal of a batch cannot be {doing}")).ok()
}

impl About {
    fn note(&self) -> String {
        json!({ "operator": self.kind.operator(), "messageId": self.message_id }).to_string()
    }

    fn kept(note: &str) -> Option<Self> {
        let fields = Fields::kept(note);
        let operator = fields.text("operator")?;
        Some(Self {
            kind: Kind::ALL.into_iter().find(|kind| kind.operator() == operator)?,
            message_id: fields.get("messageId").cloned(),
        })
    }
}

fn batch(job: Job) -> Option<Batch> {
    let items = job.items.into_iter().map(|item| Item {
        person: PersonFields::read(&Fields::kept(&item.about)),
        outcome: item.outcome.and_then(|code| code.parse().ok()),
    });
    Some(Batch { about: About::kept(&job.about)?, job: Some(job.id), resumed: true, items: items.collect() })
}
