//! Batches of people: in the background, one at a time, over restarts, with an answer for everybody at the end.

mod journal;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use domain::JobId;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::codes::{self, Flaw, PersonFault};
use crate::commands::say;
use crate::convert::people;
use crate::core::Core;
use crate::ops::enrolment::{Act, enrol};
use crate::wire::people::PersonFields;
use crate::wire::{Fields, Reply, answer};

/// People fetched and understood side by side: pictures come slowly, and few of them take memory.
const SIDE_BY_SIDE: usize = 8;
/// The code of one who is enrolled.
const DONE: u16 = 200;

/// The operators of batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Add,
    Edit,
    AddOrEdit,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Add, Self::Edit, Self::AddOrEdit];

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

    fn code(self, fault: PersonFault) -> u16 {
        match self {
            Self::Add => codes::add_persons_item(fault),
            Self::Edit => codes::edit_persons_item(fault),
            Self::AddOrEdit => codes::edit_persons_new_item(fault),
        }
    }
}

/// A batch to be done.
struct Batch {
    about: About,
    /// Under which it is kept; `None` when there was no room for it.
    job: Option<JobId>,
    /// Whether it was interrupted by a restart.
    resumed: bool,
    items: Vec<Item>,
}

/// What is asked for.
struct About {
    kind: Kind,
    message_id: Option<Value>,
}

/// One of the people.
struct Item {
    person: PersonFields,
    /// [`DONE`], or what is wrong; `None` until it is their turn.
    outcome: Option<u16>,
}

impl Batch {
    fn is_done(&self) -> bool {
        self.items.iter().all(|item| item.outcome.is_some())
    }

    /// What may be done with the one at this place.
    fn act(&self, place: usize) -> Act {
        match self.about.kind {
            Kind::Add if self.resumed && !self.comes_again(place) => Act::AddAgain,
            Kind::Add => Act::Add,
            Kind::Edit => Act::Edit,
            Kind::AddOrEdit => Act::AddOrEdit,
        }
    }

    /// Whether this batch has enrolled the one at this place under an earlier one.
    fn comes_again(&self, place: usize) -> bool {
        let id = &self.items[place].person.custom_id;
        self.items[..place].iter().any(|item| item.outcome == Some(DONE) && item.person.custom_id == *id)
    }
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

    /// Whether none ran; now one does.
    fn reserve(&self, kind: Kind) -> bool {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let free = running.is_none();
        running.get_or_insert(kind);
        free
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

/// Whether it was taken; one at a time is. From now on it is done, also when the device is restarted.
pub(crate) async fn begin(core: &Core, kind: Kind, message_id: Option<Value>, people: Vec<Fields>) -> bool {
    if !core.batches.reserve(kind) {
        return false;
    }
    let about = About { kind, message_id };
    let (mut items, mut notes) = (Vec::new(), Vec::new());
    for fields in people {
        // Batches take no pictures in text.
        let fields = fields.without("pic");
        let person = PersonFields::read(&fields);
        let outcome = outcome_at_once(core, kind, &person).await;
        notes.push(journal::item(&fields, outcome));
        items.push(Item { person, outcome });
    }
    let job = journal::begin(core, &about, notes).await;
    // Whoever does it lives as long as the desk.
    let _ = core.batches.desk.send(Batch { about, job, resumed: false, items }).await;
    true
}

/// Whom the batch cannot add because they are there already is told before it begins: after a restart whoever is there
/// was added by the batch.
async fn outcome_at_once(core: &Core, kind: Kind, person: &PersonFields) -> Option<u16> {
    let code = people::code(person).ok().filter(|_| kind == Kind::Add)?;
    let present = core.appliance.person_by_code(code).await.is_ok();
    present.then(|| kind.code(PersonFault::Exists))
}

/// The batches that a restart has interrupted. Until [`run`] has done them they count as running.
pub(crate) struct Interrupted(Vec<Batch>);

/// Looks for interrupted batches.
pub(crate) async fn interrupted(core: &Core) -> Interrupted {
    let batches = journal::batches(core).await;
    if let Some(open) = batches.iter().find(|batch| !batch.is_done()) {
        core.batches.reserve(open.about.kind);
        tracing::info!(operator = open.about.kind.operator(), "an interrupted batch will go on");
    }
    Interrupted(batches)
}

/// Does batches until cancelled, first those that were interrupted. One that is interrupted here goes on after the
/// next start.
pub(crate) async fn run(core: &Arc<Core>, interrupted: Interrupted, cancel: &CancellationToken) {
    let work = async {
        resume(core, interrupted.0).await;
        let mut work = core.batches.work.lock().await;
        while let Some(mut batch) = work.recv().await {
            perform(core, &mut batch).await;
            report(core, batch).await;
        }
    };
    let _ = cancel.run_until_cancelled(work).await;
}

async fn resume(core: &Core, mut batches: Vec<Batch>) {
    if batches.is_empty() {
        return;
    }
    // After a power cut the network comes later, and whoever is reached has pictures.
    core.link.wait_until_listening().await;
    for batch in batches.iter_mut().filter(|batch| !batch.is_done()) {
        perform(core, batch).await;
    }
    for batch in batches {
        report(core, batch).await;
    }
}

async fn perform(core: &Core, batch: &mut Batch) {
    let _ending = Ending(&core.batches);
    // In the order of the people. Who comes twice is done in that order too.
    while !batch.is_done() {
        let mut seen = HashSet::new();
        let open = |(place, item): (usize, &Item)| item.outcome.is_none().then(|| (place, item.person.clone()));
        let open = batch.items.iter().enumerate().filter_map(open);
        let now: Vec<_> = open.filter(|(_, person)| seen.insert(person.custom_id.clone())).collect();
        let this = &*batch;
        let outcomes = stream::iter(now).map(|(place, person)| enrol_one(core, this, place, person));
        let outcomes: Vec<_> = outcomes.buffer_unordered(SIDE_BY_SIDE).collect().await;
        for (place, outcome) in outcomes {
            batch.items[place].outcome = Some(outcome);
        }
    }
}

async fn enrol_one(core: &Core, batch: &Batch, place: usize, person: PersonFields) -> (usize, u16) {
    let kind = batch.about.kind;
    let outcome = match enrol(core, person, batch.act(place)).await {
        Ok(_) => DONE,
        Err(Flaw { fault, why }) => {
            let code = kind.code(fault);
            tracing::info!(operator = kind.operator(), item = place, code, reason = why, "person refused");
            code
        }
    };
    if let Some(job) = batch.job {
        journal::note(core, job, place, outcome).await;
    }
    (place, outcome)
}

/// Answers a batch, and forgets it when the broker has the answer.
async fn report(core: &Core, batch: Batch) {
    let Batch { about: About { kind, message_id, .. }, job, items, .. } = batch;
    say(core, &answer(kind.operator(), &core.id, message_id, Ok(Reply::with(outcomes(&items))))).await;
    if let Some(job) = job {
        journal::end(core, job).await;
    }
}

fn outcomes(items: &[Item]) -> Value {
    let id = |item: &Item| item.person.custom_id.clone().unwrap_or_default();
    let failed = items.iter().filter_map(|item| Some((id(item), item.outcome.filter(|code| *code != DONE)?)));
    let failed: Vec<_> = failed.map(|(id, code)| json!({ "customId": id, "errcode": code.to_string() })).collect();
    let done = items.iter().filter(|item| item.outcome == Some(DONE));
    let done: Vec<_> = done.map(|item| json!({ "customId": id(item) })).collect();
    json!({
        "AddErrNum": failed.len().to_string(),
        "AddSucNum": done.len().to_string(),
        "AddErrInfo": failed,
        "AddSucInfo": done,
    })
}
