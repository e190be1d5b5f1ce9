//! Many people at once: begun here, answered when they are done.

use serde_json::{Value, json};

use super::{Call, Outcome};
use crate::batch::{self, Kind};
use crate::codes::{Refusal, add_persons, edit_persons, edit_persons_new};
use crate::wire::{Fault, Fields, Reply};

/// People of a batch at most.
const MOST: i64 = 1000;

/// What the three operators refuse a batch with.
struct Table {
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
        Table {
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
    begin(&call, Kind::Add, &table!(add_persons)).await
}

/// Changes up to 1000 people (EditPersons, section 4.7).
pub(crate) async fn edit_persons(call: Call) -> Outcome {
    begin(&call, Kind::Edit, &table!(edit_persons)).await
}

/// Adds or changes up to 1000 people (EditPersonsNew, section 4.10).
pub(crate) async fn edit_persons_new(call: Call) -> Outcome {
    begin(&call, Kind::AddOrEdit, &table!(edit_persons_new)).await
}

async fn begin(call: &Call, kind: Kind, table: &Table) -> Outcome {
    if call.core.batches.running().is_some() {
        return Err(table.busy.into());
    }
    let people = people(call, table)?;
    let begun = batch::begin(&call.core, kind, call.command.message_id.clone(), people).await;
    if begun { Ok(Reply::none()) } else { Err(table.busy.into()) }
}

fn people(call: &Call, table: &Table) -> Result<Vec<Fields>, Fault> {
    let top = &call.command.top;
    top.filled("DataBegin").ok_or(table.no_begin)?;
    top.filled("DataEnd").ok_or(table.no_end)?;
    let number = top.int("PersonNum").ok_or(table.no_number)?;
    if !(1..=MOST).contains(&number) {
        return Err(table.too_many.into());
    }
    let list = call.command.info.as_ref().ok_or(table.no_info)?.as_array().ok_or(table.no_list)?;
    if list.len() as i64 != number {
        return Err(table.other_number.into());
    }
    // What is no object has no customId, and is refused for that.
    let fields = |entry: &Value| Fields::new(entry.as_object().cloned().unwrap_or_default());
    Ok(list.iter().map(fields).collect())
}

/// Tells which batch runs (QueryProgress, section 4.8).
pub(crate) async fn query_progress(call: Call) -> Outcome {
    let running = call.core.batches.running();
    Ok(Reply::with(json!({
        "QueryType": running.map_or("None", Kind::operator),
        "Status": running.map_or(0, Kind::status).to_string(),
    })))
}
