//! Records of tasks.

use domain::SightingId;

use crate::codes::Fault;
use crate::convert::records::{query, row};
use crate::request::Caller;
use crate::wire::records::{QueryRecords, RecordKey, RecordRow};
use crate::wire::{Answer, Done, Rows};

/// Lists the records of tasks, newest capture first (/QueryTaskCaptureRecord, section 8.1).
pub(crate) async fn query_task_capture_record(
    caller: Caller,
    request: QueryRecords,
) -> Result<Answer<Rows<RecordRow>>, Fault> {
    let zone = caller.device.zone();
    let (filter, paging) = query(request, &zone)?;
    let page = caller.reading()?.sightings(filter, paging.window()).await?;
    let items = page.rows.into_iter().map(|sighting| row(sighting, &zone)).collect();
    Ok(Answer::of(paging.rows(items, page.total)))
}

/// Removes a record and its captured picture (/DeleteTaskCaptureRecord, section 8.2).
pub(crate) async fn delete_task_capture_record(caller: Caller, request: RecordKey) -> Result<Done, Fault> {
    caller.acts().remove_sighting(SightingId(request.record_id)).await?;
    Ok(Done::DONE)
}
