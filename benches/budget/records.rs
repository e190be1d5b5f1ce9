//! Pages of a long record log.

use std::time::{Duration, Instant};

use domain::ports::LogStore;
use domain::{CameraId, LibraryId, PersonId, RecordFilter, Timestamp, Verdict, Window};
use polyface_tests::Report;
use store::{Options, Store, StoreKey};

use crate::rig::{quantile, run_tool};

const RECORDS: u64 = 1_000_000;
/// Pages of each filter at each depth.
const PAGES: usize = 30;
const PAGE: u32 = 20;

pub(crate) fn measure(report: &mut Report) {
    let dir = tempfile::tempdir().unwrap();
    run_tool("long_log", dir.path(), &[&RECORDS.to_string()]);
    let store = Store::open(dir.path(), &StoreKey::new([7; 32]), Options::default()).unwrap();
    let mut pages = Vec::new();
    for filter in filters(&store) {
        pages.extend(times(&store, &filter));
    }
    report.row("record query page with its total among 1000000, ms p99", quantile(&mut pages, 0.99), None, Some(10.0));
}

/// First, middle and last pages of a query; the first query of each filter warms nothing up on purpose.
fn times(store: &Store, filter: &RecordFilter) -> Vec<Duration> {
    let ask = |skip| store.records(filter, Window { skip, limit: PAGE }).unwrap();
    let total = ask(0).total;
    let depths = [0, total / 2, total.saturating_sub(u64::from(PAGE))];
    let timed = |skip| {
        let start = Instant::now();
        ask(skip);
        start.elapsed()
    };
    (0..PAGES).flat_map(|_| depths).map(timed).collect()
}

fn filters(store: &Store) -> Vec<RecordFilter> {
    let all = RecordFilter::default;
    let (camera, verdict) = (Some(CameraId(3)), Some(Verdict::Known));
    vec![
        all(),
        RecordFilter { camera, ..all() },
        RecordFilter { verdict, ..all() },
        RecordFilter { camera, verdict, ..all() },
        RecordFilter { accepted_only: true, ..all() },
        RecordFilter { person: Some(PersonId(77)), ..all() },
        RecordFilter { libraries: Some(vec![LibraryId(7), LibraryId(8)]), ..all() },
        RecordFilter { captured: Some(middle_tenth(store)), ..all() },
        RecordFilter { camera, captured: Some(middle_tenth(store)), ..all() },
    ]
}

/// The time in which a tenth of the records was captured.
fn middle_tenth(store: &Store) -> std::ops::RangeInclusive<Timestamp> {
    let at = |skip| store.records(&RecordFilter::default(), Window { skip, limit: 1 }).unwrap().rows[0].capture.at;
    at(RECORDS * 11 / 20)..=at(RECORDS * 9 / 20)
}
