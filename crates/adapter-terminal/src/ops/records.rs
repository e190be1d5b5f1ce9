//! What confirms pushes, and pushes on demand.

use domain::{Seq, Timestamp};
use jiff::tz::TimeZone;
use serde_json::json;

use super::{Call, Outcome, doors, failed};
use crate::codes::{Refusal, push_ack, push_records, push_snaps};
use crate::convert::{time, values};
use crate::ops::settings::Mqtt;
use crate::push::{self, Errand, Kind};
use crate::wire::Reply;

/// Takes the confirmation that the device is known to be online (Online-Ack, section 10.2). Not answered.
pub(crate) async fn online_ack(call: Call) -> Outcome {
    let refused = call.info.filled("result").is_some_and(|result| result.eq_ignore_ascii_case("fail"));
    if call.command.is_for(&call.core.id) && !refused {
        call.core.confirmations.confirm_online();
    }
    Ok(Reply::none())
}

/// Takes the confirmation of a record or a snapshot (PushAck, section 11).
pub(crate) async fn push_ack(call: Call) -> Outcome {
    use push_ack as table;
    let kind = match call.info.int("PushAckType").ok_or(table::NO_TYPE)? {
        1 => Kind::Stranger,
        2 => Kind::Person,
        _ => return Err(table::NO_SUCH_TYPE.into()),
    };
    let seq = Seq(call.info.int("SnapOrRecordID").ok_or(table::NO_ID)?);
    let failed = |error: domain::Error| table::FAILED.because(error);
    let set = Mqtt::load(&call.core).await.map_err(failed)?;
    let on = if kind == Kind::Stranger { set.strangers() } else { set.people() };
    if !set.resumes() || !on {
        return Err(table::OFF.into());
    }
    let record = push::record(&call.core, seq).await.map_err(failed)?;
    // One that waits to be confirmed exists, even when it was overwritten meanwhile.
    if call.core.confirmations.expects(kind, seq) {
        push::mark(&call.core, kind, seq).await.map_err(failed)?;
        call.core.confirmations.confirm(kind, seq);
    } else {
        let record = record.as_ref().ok_or(table::NO_RECORD)?;
        let told = push::kind(&call.core, record).await.map_err(failed)?;
        if kind != told && kind != Kind::of(record) {
            return Err(table::NO_RECORD.into());
        }
    }
    if let Some(record) = record.filter(|_| kind == Kind::Person) {
        doors::decide(&call.core, record.capture.id, &call.info).await;
    }
    Ok(Reply::with(json!({
        "PushAckType": kind.ack_type().to_string(),
        "SnapOrRecordID": seq.to_string(),
    })))
}

/// What an operator that pushes on demand refuses.
struct Table {
    no_begin: Refusal,
    no_end: Refusal,
    none: Refusal,
    off: Refusal,
}

/// Pushes the records of people of a period again (ManualPushRecords, section 20).
pub(crate) async fn manual_push_records(call: Call) -> Outcome {
    use push_records as table;
    let table = Table { no_begin: table::NO_BEGIN, no_end: table::NO_END, none: table::NONE, off: table::OFF };
    push_again(&call, Kind::Person, &table).await
}

/// Pushes the snapshots of strangers of a period again (ManualPushSnaps, section 22).
pub(crate) async fn manual_push_snaps(call: Call) -> Outcome {
    use push_snaps as table;
    let table = Table { no_begin: table::NO_BEGIN, no_end: table::NO_END, none: table::NONE, off: table::OFF };
    push_again(&call, Kind::Stranger, &table).await
}

async fn push_again(call: &Call, kind: Kind, table: &Table) -> Outcome {
    let (core, zone) = (&call.core, call.core.zone());
    let end = |name: &str, refusal: Refusal, read: fn(&str, &TimeZone) -> Option<Timestamp>| {
        let text = call.info.filled(name).ok_or(refusal)?;
        let rule = || refusal.because(format_args!("{name} must be a time, YYYY-MM-DDTHH:MM:SS"));
        read(&text, &zone).ok_or_else(rule)
    };
    let begin = end("TimeS", table.no_begin, time::first)?;
    let end = end("TimeE", table.no_end, time::last)?;
    let set = Mqtt::load(core).await.map_err(|error| failed(&error))?;
    if !(if kind == Kind::Stranger { set.strangers() } else { set.people() }) {
        return Err(table.off.into());
    }
    let name = call.info.filled("Name").filter(|_| kind == Kind::Person);
    if !name.as_deref().is_none_or(values::is_readable) {
        return Err(push_records::NO_INFO.because(values::unreadable("Name")));
    }
    let found = push::find(core, kind, begin..=end, name.as_deref()).await;
    let records = found.map_err(|error| failed(&error))?;
    if records.is_empty() {
        return Err(table.none.into());
    }
    let number = records.len();
    // Waits while earlier ones are being pushed, so that what was asked for is bounded.
    core.errands.ask(Errand { kind, records }).await;
    Ok(Reply::with(json!({ "RecordNum": number.to_string() })))
}
