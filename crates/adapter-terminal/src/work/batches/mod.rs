//! Batches of people: processed in the background, one at a time, across restarts, with one answer for all people at
//! the end.

mod journal;

use std::collections::HashSet;

use futures_util::{StreamExt, stream};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::enrolment::{Act, enrol};
use crate::codes::people::{Flaw, PersonFault};
use crate::convert::people;
use crate::device::Device;
use crate::device::batches::{About, Batch, BatchKind, Batches, DONE, Item};
use crate::wire::people::PersonFields;
use crate::wire::replies::{BatchDone, FailedPerson, PersonKey};
use crate::wire::{Fields, Reply, answer};

/// Maximum number of people enrolled concurrently: downloads are slow, and few pictures fit into memory.
const CONCURRENT: usize = 8;

/// What the batch does with the person at this place.
fn act(batch: &Batch, place: usize) -> Act {
    match batch.about.kind {
        BatchKind::Add if batch.resumed && !batch.is_repeated(place) => Act::AddAgain,
        BatchKind::Add => Act::Add,
        BatchKind::Edit => Act::Edit,
        BatchKind::AddOrEdit => Act::AddOrEdit,
    }
}

/// Ends the batch when dropped.
struct Ending<'a>(&'a Batches);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Queues a batch; returns `false` while another one runs. From then on it is processed, also after a restart.
pub(crate) async fn begin(device: &Device, kind: BatchKind, message_id: Option<Value>, people: Vec<Fields>) -> bool {
    if !device.batches.reserve(kind) {
        return false;
    }
    let about = About { kind, message_id };
    let (mut items, mut notes) = (Vec::new(), Vec::new());
    for fields in people {
        // In batches, pictures in base64 are ignored.
        let fields = fields.without("pic");
        let person = people::read(&fields);
        let outcome = outcome_at_once(device, kind, &person).await;
        notes.push(journal::item(&fields, outcome));
        items.push(Item { person, outcome });
    }
    let job = journal::begin(device, &about, notes).await;
    device.batches.queue.put(Batch { about, job, resumed: false, items }).await;
    true
}

/// The outcome of a person whose id exists already is decided before the batch starts: after a restart, an id that
/// exists was added by the batch.
async fn outcome_at_once(device: &Device, kind: BatchKind, person: &PersonFields) -> Option<u16> {
    let code = people::code(person).ok().filter(|_| kind == BatchKind::Add)?;
    let present = device.appliance.person_by_code(code).await.is_ok();
    present.then(|| kind.code(PersonFault::Exists))
}

/// The batches that a restart has interrupted. They count as running until [`run`] has processed them.
pub(crate) struct Interrupted(Vec<Batch>);

/// Looks for interrupted batches.
pub(crate) async fn interrupted(device: &Device) -> Interrupted {
    let batches = journal::batches(device).await;
    if let Some(open) = batches.iter().find(|batch| !batch.is_done()) {
        device.batches.reserve(open.about.kind);
        tracing::info!(operator = open.about.kind.operator(), "interrupted batch found, resuming");
    }
    Interrupted(batches)
}

/// Processes batches until cancelled, first those that were interrupted. A batch that is interrupted by cancellation is
/// resumed at the next start.
pub(crate) async fn run(device: &Device, interrupted: Interrupted, cancel: &CancellationToken) {
    let work = async {
        resume(device, interrupted.0).await;
        let mut queue = device.batches.queue.worker().await;
        loop {
            let mut batch = queue.next().await;
            perform(device, &mut batch).await;
            report(device, batch).await;
        }
    };
    let _ = cancel.run_until_cancelled(work).await;
}

async fn resume(device: &Device, mut batches: Vec<Batch>) {
    if batches.is_empty() {
        return;
    }
    // After a power cut the network is up later than the device; a connection shows that pictures can be fetched.
    device.link.wait_until_subscribed().await;
    for batch in batches.iter_mut().filter(|batch| !batch.is_done()) {
        perform(device, batch).await;
    }
    for batch in batches {
        report(device, batch).await;
    }
}

async fn perform(device: &Device, batch: &mut Batch) {
    let _ending = Ending(&device.batches);
    // An id that is repeated is processed in the order of the batch, after its first occurrence.
    while !batch.is_done() {
        let mut seen = HashSet::new();
        let open = |(place, item): (usize, &Item)| item.outcome.is_none().then(|| (place, item.person.clone()));
        let open = batch.items.iter().enumerate().filter_map(open);
        let now: Vec<_> = open.filter(|(_, person)| seen.insert(person.custom_id.clone())).collect();
        let this = &*batch;
        let outcomes = stream::iter(now).map(|(place, person)| enrol_one(device, this, place, person));
        let outcomes: Vec<_> = outcomes.buffer_unordered(CONCURRENT).collect().await;
        for (place, outcome) in outcomes {
            batch.items[place].outcome = Some(outcome);
        }
    }
}

async fn enrol_one(device: &Device, batch: &Batch, place: usize, person: PersonFields) -> (usize, u16) {
    let kind = batch.about.kind;
    let outcome = match enrol(device, person, act(batch, place)).await {
        Ok(_) => DONE,
        Err(Flaw { fault, why }) => {
            let code = kind.code(fault);
            tracing::info!(operator = kind.operator(), item = place, code, reason = why, "person refused");
            code
        }
    };
    if let Some(job) = batch.job {
        journal::note(device, job, place, outcome).await;
    }
    (place, outcome)
}

/// Answers a batch, and removes its job when the broker has acknowledged the answer.
async fn report(device: &Device, batch: Batch) {
    let Batch { about: About { kind, message_id, .. }, job, items, .. } = batch;
    let reply = Reply::with(outcomes(&items));
    device.send_answer(&answer(kind.operator(), &device.id, message_id, Ok(reply))).await;
    if let Some(job) = job {
        journal::end(device, job).await;
    }
}

fn outcomes(items: &[Item]) -> BatchDone {
    let custom_id = |item: &Item| item.person.custom_id.clone().unwrap_or_default();
    let failed = |item: &Item| {
        let code = item.outcome.filter(|code| *code != DONE)?;
        Some(FailedPerson { custom_id: custom_id(item), errcode: code.to_string() })
    };
    let failed: Vec<_> = items.iter().filter_map(failed).collect();
    let done = items.iter().filter(|item| item.outcome == Some(DONE));
    let done: Vec<_> = done.map(|item| PersonKey { custom_id: custom_id(item) }).collect();
    BatchDone {
        add_err_num: failed.len().to_string(),
        add_suc_num: done.len().to_string(),
        add_err_info: failed,
        add_suc_info: done,
    }
}
