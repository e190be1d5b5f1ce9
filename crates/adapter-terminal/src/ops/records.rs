//! Confirmations of pushes, and pushes on demand.

use domain::{RecordKind, Seq, Timestamp, What};
use jiff::tz::TimeZone;

use super::{doors, failed};
use crate::codes::{Refusal, push_ack, push_records, push_snaps};
use crate::convert::{time, values};
use crate::device::PushAgain;
use crate::push;
use crate::request::{Call, Outcome};
use crate::settings::Reports;
use crate::wire::Reply;
use crate::wire::replies::{Confirmed, PushedAgain};

/// Takes the confirmation that the device is known to be online (Online-Ack, section 10.2). Not answered.
pub(crate) async fn online_ack(call: Call) -> Outcome {
    let refused = call.info.filled("result").is_some_and(|result| result.eq_ignore_ascii_case("fail"));
    if call.command.is_for(&call.device.id) && !refused {
        call.device.confirmations.confirm_online();
    }
    Ok(Reply::none())
}

/// Takes the confirmation of a record or a snapshot (PushAck, section 11).
pub(crate) async fn push_ack(call: Call) -> Outcome {
    use push_ack as table;
    let kind = match call.info.int("PushAckType").ok_or(table::NO_TYPE)? {
        1 => RecordKind::Strangers,
        2 => RecordKind::People,
        _ => return Err(table::NO_SUCH_TYPE.into()),
    };
    let seq = Seq(call.info.int("SnapOrRecordID").ok_or(table::NO_ID)?);
    let failed = |error: domain::Error| table::FAILED.because(error);
    let set = Reports::load(&call.device.state()).await.map_err(failed)?;
    if !set.resumes() || !set.pushes(kind) {
        return Err(table::OFF.into());
    }
    let entry = push::entry(&call.device, seq).await.map_err(failed)?;
    // A record that is to be confirmed exists, even when it was overwritten since.
    if call.device.confirmations.expects(kind, seq) {
        push::confirm(&call.device, kind, seq).await.map_err(failed)?;
    } else {
        let entry = entry.as_ref().ok_or(table::NO_RECORD)?;
        if !push::is_pushed_as(&call.device, entry, kind).await.map_err(failed)? {
            return Err(table::NO_RECORD.into());
        }
        push::confirm_early(&call.device, kind, seq).await.map_err(failed)?;
    }
    if let (RecordKind::People, Some(What::Record(record))) = (kind, entry.map(|entry| entry.what)) {
        doors::decide(&call.device, record.capture.id, &call.info).await?;
    }
    let ack_type = match kind {
        RecordKind::Strangers => "1",
        RecordKind::People => "2",
    };
    Ok(Reply::with(Confirmed { kind: ack_type.to_owned(), id: seq.to_string() }))
}

/// The refusals of an operator that pushes on demand.
struct Refusals {
    no_begin: Refusal,
    no_end: Refusal,
    none: Refusal,
    off: Refusal,
}

/// Pushes the records of people of a period again (ManualPushRecords, section 20).
pub(crate) async fn manual_push_records(call: Call) -> Outcome {
    use push_records as table;
    let refusals = Refusals { no_begin: table::NO_BEGIN, no_end: table::NO_END, none: table::NONE, off: table::OFF };
    push_again(&call, RecordKind::People, &refusals).await
}

/// Pushes the snapshots of strangers of a period again (ManualPushSnaps, section 22).
pub(crate) async fn manual_push_snaps(call: Call) -> Outcome {
    use push_snaps as table;
    let refusals = Refusals { no_begin: table::NO_BEGIN, no_end: table::NO_END, none: table::NONE, off: table::OFF };
    push_again(&call, RecordKind::Strangers, &refusals).await
}

async fn push_again(call: &Call, kind: RecordKind, refusals: &Refusals) -> Outcome {
    let (device, zone) = (&call.device, call.device.zone());
    let end = |name: &str, refusal: Refusal, read: fn(&str, &TimeZone) -> Option<Timestamp>| {
        let text = call.info.filled(name).ok_or(refusal)?;
        let rule = || refusal.because(format_args!("{name} must be a time, YYYY-MM-DDTHH:MM:SS"));
        read(&text, &zone).ok_or_else(rule)
    };
    let begin = end("TimeS", refusals.no_begin, time::first)?;
    let end = end("TimeE", refusals.no_end, time::last)?;
    let set = Reports::load(&device.state()).await.map_err(|error| failed(&error))?;
    if !set.pushes(kind) {
        return Err(refusals.off.into());
    }
    let name = call.info.filled("Name").filter(|_| kind == RecordKind::People);
    if !name.as_deref().is_none_or(values::is_readable) {
        return Err(push_records::NO_INFO.because(values::unreadable("Name")));
    }
    let found = push::find(device, kind, begin..=end, name.as_deref()).await;
    let records = found.map_err(|error| failed(&error))?;
    if records.is_empty() {
        return Err(refusals.none.into());
    }
    let number = records.len();
    device.pushes_again.put(PushAgain { kind, records }).await;
    Ok(Reply::with(PushedAgain { record_num: number.to_string() }))
}
