//! Recognitions as lines on standard output.

use std::io::Write;

use domain::names::printable;
use domain::{Appliance, Record, Seq};
use tokio_util::sync::CancellationToken;

const BATCH: u32 = 64;

/// Prints every record committed from now on: time, camera, name, similarity, verdict.
pub(crate) async fn print_recognitions(appliance: Appliance, cancel: CancellationToken) {
    let mut newest = appliance.newest_entry();
    let mut printed = *newest.borrow_and_update();
    while let Some(Ok(())) = cancel.run_until_cancelled(newest.changed()).await {
        newest.mark_unchanged();
        match print_after(&appliance, printed).await {
            Ok(last) => printed = last,
            Err(error) => tracing::error!(error = error.chain(), "records cannot be printed"),
        }
    }
    // What was committed while the cameras were being stopped is news too.
    let _ = print_after(&appliance, printed).await;
}

async fn print_after(appliance: &Appliance, mut printed: Seq) -> domain::Result<Seq> {
    loop {
        let records = appliance.records_after(printed, BATCH).await?;
        let Some(last) = records.last() else { return Ok(printed) };
        printed = last.seq;
        let mut out = std::io::stdout().lock();
        for record in &records {
            // Nobody reading is no reason to stop recognising.
            let _ = writeln!(out, "{}", line(record, &appliance.time_zone()));
        }
        let _ = out.flush();
    }
}

fn line(record: &Record, zone: &jiff::tz::TimeZone) -> String {
    let time = record.capture.at.in_zone(zone).strftime("%Y-%m-%d %H:%M:%S").to_string();
    let best = record.own_match().and_then(|answer| answer.best.as_ref());
    let name = record.accepted().map_or("-", |candidate| candidate.name.as_str());
    let similarity = best.map_or(0.0, |candidate| candidate.similarity.value());
    let (camera, name) = (printable(&record.capture.camera_name), printable(name));
    format!("{time}  {camera:<10}  {name:<20}  {similarity:.2}  {}", record.verdict)
}
