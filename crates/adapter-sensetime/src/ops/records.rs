//! Captures and alarms.

use domain::{Page, Record};

use crate::call::Call;
use crate::codes::Fault;
use crate::convert::{QUERY_PAGE, records, window};
use crate::wire::Rows;
use crate::wire::records::{Alarm, QueryRecords, Snap};

/// Lists captures with their best match, newest first (1037, section 3.13).
pub(crate) async fn query_snaps(call: Call) -> Result<Rows<Snap>, Fault> {
    let page = page(&call, false).await?;
    let rows = page.rows.iter().map(|record| records::snap(record, call.core.zone())).collect();
    Ok(Rows::new(rows, page.total))
}

/// Lists captures whose best match reached the threshold, newest first (1036, section 3.16).
pub(crate) async fn query_alarms(call: Call) -> Result<Rows<Alarm>, Fault> {
    let page = page(&call, true).await?;
    let mut rows = Vec::with_capacity(page.rows.len());
    for record in &page.rows {
        let extension = match record.best() {
            Some(best) => call.core.extension(&best.photo).await,
            None => "",
        };
        rows.push(records::alarm(record, extension, call.core.zone()));
    }
    Ok(Rows::new(rows, page.total))
}

async fn page(call: &Call, accepted_only: bool) -> Result<Page<Record>, Fault> {
    let query: QueryRecords = call.read()?;
    let window = window(query.start_no, query.qry_len, QUERY_PAGE)?;
    let filter = records::filter(query, accepted_only, call.core.config.channels, call.core.zone())?;
    Ok(call.core.appliance.records(filter, window).await?)
}
