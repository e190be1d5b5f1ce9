//! Batches of people: started here, answered when they are done.

use serde_json::Value;

use crate::codes::{Refusal, add_persons, edit_persons, edit_persons_new};
use crate::device::batches::BatchKind;
use crate::request::{Call, Outcome};
use crate::wire::replies::Progress;
use crate::wire::{Fault, Fields, Reply};
use crate::work;

/// Maximum number of people of a batch.
const MOST: i64 = 1000;

/// The refusals of the three operators.
struct Refusals {
    busy: Refusal,
    no_begin: Refusal,
    no_end: Refusal,
    no_info: Refusal,
    no_number: Refusal,
    too_many: Refusal,
    other_number: Refusal,
    no_list: Refusal,
}

macro_rules! table {
    ($table:ident) => {
        Refusals {
            busy: $table::BUSY,
            no_begin: $table::NO_BEGIN,
            no_end: $table::NO_END,
            no_info: $table::NO_INFO,
            no_number: $table::NO_NUMBER,
            too_many: $table::TOO_MANY,
            other_number: $table::OTHER_NUMBER,
            no_list: $table::NO_LIST,
        }
    };
}

/// Adds up to 1000 people by the addresses of their pictures (AddPersons, section 4.6).
pub(crate) async fn add_persons(call: Call) -> Outcome {
    begin(&call, BatchKind::Add, &table!(add_persons)).await
}

/// Changes up to 1000 people (EditPersons, section 4.7).
pub(crate) async fn edit_persons(call: Call) -> Outcome {
    begin(&call, BatchKind::Edit, &table!(edit_persons)).await
}

/// Adds or changes up to 1000 people (EditPersonsNew, section 4.10).
pub(crate) async fn edit_persons_new(call: Call) -> Outcome {
    begin(&call, BatchKind::AddOrEdit, &table!(edit_persons_new)).await
}

async fn begin(call: &Call, kind: BatchKind, refusals: &Refusals) -> Outcome {
    if call.device.batches.running().is_some() {
        return Err(refusals.busy.into());
    }
    let people = people(call, refusals)?;
    let begun = work::batches::begin(&call.device, kind, call.command.message_id.clone(), people).await;
    if begun { Ok(Reply::none()) } else { Err(refusals.busy.into()) }
}

fn people(call: &Call, refusals: &Refusals) -> Result<Vec<Fields>, Fault> {
    let top = &call.command.top;
    top.filled("DataBegin").ok_or(refusals.no_begin)?;
    top.filled("DataEnd").ok_or(refusals.no_end)?;
    let number = top.int("PersonNum").ok_or(refusals.no_number)?;
    if !(1..=MOST).contains(&number) {
        return Err(refusals.too_many.into());
    }
    let list = call.command.info.as_ref().ok_or(refusals.no_info)?.as_array().ok_or(refusals.no_list)?;
    if list.len() as i64 != number {
        return Err(refusals.other_number.into());
    }
    // An entry that is not an object has no customId, and is refused for that.
    let fields = |entry: &Value| Fields::new(entry.as_object().cloned().unwrap_or_default());
    Ok(list.iter().map(fields).collect())
}

/// Reports which batch runs (QueryProgress, section 4.8).
pub(crate) async fn query_progress(call: Call) -> Outcome {
    let running = call.device.batches.running();
    Ok(Reply::with(Progress {
        query_type: running.map_or("None", BatchKind::operator),
        status: running.map_or(0, BatchKind::status).to_string(),
    }))
}
