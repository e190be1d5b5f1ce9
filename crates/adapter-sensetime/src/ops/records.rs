//! Captures and alarms.

use domain::{ObjectCapture, Page, Record};

use crate::codes::Fault;
use crate::convert::records::Wanted;
use crate::convert::{QUERY_PAGE, bodies, library_ids, records, window};
use crate::request::Call;
use crate::wire::bodies::BodySnap;
use crate::wire::records::{Alarm, QueryRecords, Snap};
use crate::wire::{Nothing, Rows, Text};

/// Lists captures with their best match, newest first (1037, section 3.13).
pub(crate) async fn query_snaps(call: Call) -> Result<Rows<Snap>, Fault> {
    let page = page(&call, Wanted::Snaps, QUERY_PAGE).await?;
    let rows = page.rows.iter().map(|record| records::snap(record, &call.device.zone())).collect();
    Ok(Rows::new(rows, page.total))
}

/// Lists captures whose best match reached the threshold, newest first (1036, section 3.16).
pub(crate) async fn query_alarms(call: Call) -> Result<Rows<Alarm>, Fault> {
    let page = page(&call, Wanted::Alarms, QUERY_PAGE).await?;
    let mut rows = Vec::with_capacity(page.rows.len());
    for record in &page.rows {
        let extension = match record.best() {
            Some(best) => call.device.extension(&best.photo).await,
            None => "",
        };
        rows.push(records::alarm(record, extension, &call.device.zone()));
    }
    Ok(Rows::new(rows, page.total))
}

/// Lists captures of bodies, newest first (1046, section 3.22).
pub(crate) async fn query_body_snaps(call: Call) -> Result<Rows<BodySnap>, Fault> {
    let page = bodies_page(&call, QUERY_PAGE).await?;
    let rows = page.rows.iter().map(|body| bodies::snap(body, &call.device.zone())).collect();
    Ok(Rows::new(rows, page.total))
}

/// Removes all captures, their alarms and their pictures; enrolled faces stay (1045, section 3.21).
pub(crate) async fn delete_all_snaps(call: Call) -> Result<Nothing, Fault> {
    call.acts()?.remove_all_records().await?;
    Ok(Nothing::NOTHING)
}

/// The requested page, of at most `most` rows.
pub(super) async fn page(call: &Call, wanted: Wanted, most: i64) -> Result<Page<Record>, Fault> {
    let query: QueryRecords = call.read()?;
    let window = window(query.start_no, query.qry_len, most)?;
    let filter = records::filter(query, wanted, call.device.config.channels, &call.device.zone())?;
    Ok(call.reading()?.records(filter, window).await?)
}

/// The requested page of bodies, of at most `most` rows.
pub(super) async fn bodies_page(call: &Call, most: i64) -> Result<Page<ObjectCapture>, Fault> {
    let query: QueryRecords = call.read()?;
    let window = window(query.start_no, query.qry_len, most)?;
    let filter = records::bodies_filter(query, call.device.config.channels, &call.device.zone())?;
    Ok(call.device.appliance.behaviours(filter, window).await?)
}

/// Refuses a call that names no library or one that does not exist.
pub(super) async fn require_libraries(call: &Call) -> Result<(), Fault> {
    let QueryRecords { lib_ids, .. } = call.read()?;
    let named = lib_ids.and_then(Text::filled).ok_or_else(|| Fault::parameter("lib_ids names no library"))?;
    for library in library_ids(&named, records::MAX_LIBRARIES)? {
        call.reading()?.library(library).await?;
    }
    Ok(())
}
