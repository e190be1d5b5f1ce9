//! Batches of people: in the background, one at a time, with an answer for everybody at the end.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::codes::{self, PersonFault};
use crate::commands::say;
use crate::core::Core;
use crate::ops::enrolment::{Act, enrol};
use crate::wire::people::PersonFields;
use crate::wire::{Reply, answer};

/// People fetched and understood side by side: pictures come slowly, and few of them take memory.
const SIDE_BY_SIDE: usize = 8;

/// The operators of batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Add,
    Edit,
    AddOrEdit,
}

impl Kind {
    pub(crate) fn operator(self) -> &'static str {
        match self {
            Self::Add => "AddPersons",
            Self::Edit => "EditPersons",
            Self::AddOrEdit => "EditPersonsNew",
        }
    }

    /// In QueryProgress; 0 is idle.
    pub(crate) fn status(self) -> u8 {
        match self {
            Self::Add => 1,
            Self::Edit => 2,
            Self::AddOrEdit => 3,
        }
    }

    fn act(self) -> Act {
        match self {
            Self::Add => Act::Add,
            Self::Edit => Act::Edit,
            Self::AddOrEdit => Act::AddOrEdit,
        }
    }

    fn code(self, fault: PersonFault) -> u16 {
        match self {
            Self::Add => codes::add_persons_item(fault),
            Self::Edit => codes::edit_persons_item(fault),
            Self::AddOrEdit => codes::edit_persons_new_item(fault),
        }
    }
}

/// A batch to be done.
pub(crate) struct Batch {
    pub(crate) kind: Kind,
    pub(crate) message_id: Option<Value>,
    pub(crate) people: Vec<PersonFields>,
}

/// The batch that runs, and the way to the one who does it.
pub(crate) struct Batches {
    running: Mutex<Option<Kind>>,
    desk: mpsc::Sender<Batch>,
    work: tokio::sync::Mutex<mpsc::Receiver<Batch>>,
}

impl Default for Batches {
    fn default() -> Self {
        let (desk, work) = mpsc::channel(1);
        Self { running: Mutex::default(), desk, work: tokio::sync::Mutex::new(work) }
    }
}

impl Batches {
    /// The one that runs.
    pub(crate) fn running(&self) -> Option<Kind> {
        *self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it was taken; one at a time is.
    pub(crate) fn begin(&self, batch: Batch) -> bool {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let kind = batch.kind;
        let taken = running.is_none() && self.desk.try_send(batch).is_ok();
        if taken {
            *running = Some(kind);
        }
        taken
    }

    fn end(&self) {
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// The batch is over, however it ended.
struct Ending<'a>(&'a Batches);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Does batches until cancelled. One that is interrupted is not answered: whoever was enrolled stays, and the platform
/// sends it again.
pub(crate) async fn run(core: &Arc<Core>, cancel: &CancellationToken) {
    let mut work = core.batches.work.lock().await;
    while let Some(Some(batch)) = cancel.run_until_cancelled(work.recv()).await {
        let _ = cancel.run_until_cancelled(perform(core, batch)).await;
    }
}

async fn perform(core: &Arc<Core>, Batch { kind, message_id, people }: Batch) {
    let ids: Vec<String> = people.iter().map(|person| person.custom_id.clone().unwrap_or_default()).collect();
    let outcomes = {
        let _ending = Ending(&core.batches);
        enrol_all(core, kind, people).await
    };
    let reply = Reply::with(report(kind, &ids, &outcomes));
    say(core, &answer(kind.operator(), &core.id, message_id, Ok(reply))).await;
}

/// In the order of the people. Who comes twice is done in that order too.
async fn enrol_all(core: &Arc<Core>, kind: Kind, people: Vec<PersonFields>) -> Vec<Result<(), PersonFault>> {
    let mut outcomes: Vec<Result<(), PersonFault>> = people.iter().map(|_| Ok(())).collect();
    let mut left: Vec<_> = people.into_iter().enumerate().collect();
    while !left.is_empty() {
        let mut seen = HashSet::new();
        let (now, later) = left.into_iter().partition(|(_, person)| seen.insert(person.custom_id.clone()));
        left = later;
        let enrol = |(place, person): (usize, PersonFields)| async move {
            // Batches take no pictures in text.
            let person = PersonFields { pic: None, ..person };
            (place, enrol(core, person, kind.act()).await.map(drop))
        };
        let mut done = stream::iter(now).map(enrol).buffer_unordered(SIDE_BY_SIDE);
        while let Some((place, outcome)) = done.next().await {
            outcomes[place] = outcome;
        }
    }
    outcomes
}

fn report(kind: Kind, ids: &[String], outcomes: &[Result<(), PersonFault>]) -> Value {
    let all = || ids.iter().zip(outcomes);
    let failed = all().filter_map(|(id, outcome)| outcome.err().map(|fault| (id, fault)));
    let failed: Vec<_> =
        failed.map(|(id, fault)| json!({ "customId": id, "errcode": kind.code(fault).to_string() })).collect();
    let done: Vec<_> = all().filter(|(_, outcome)| outcome.is_ok()).map(|(id, _)| json!({ "customId": id })).collect();
    json!({
        "AddErrNum": failed.len().to_string(),
        "AddSucNum": done.len().to_string(),
        "AddErrInfo": failed,
        "AddSucInfo": done,
    })
}
