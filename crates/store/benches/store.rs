//! Appending a record and reading pages of a long log. `POLYFACE_BENCH_RECORDS` sets its length, 100000 by default.

#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]

use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use domain::ports::{LogStore, PersonStore};
use domain::{CameraId, LibraryId, LibraryKind, PersonFilter, PersonId, RecordFilter, Seq, Timestamp, Verdict, Window};
use store::{Options, Store, StoreKey};
use testkit::store_suite::samples;

fn key() -> StoreKey {
    StoreKey::new([7; 32])
}

#[path = "../examples/long_log/log.rs"]
mod log;

fn bench(criterion: &mut Criterion) {
    let records = std::env::var("POLYFACE_BENCH_RECORDS").map_or(100_000, |text| text.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    log::fill(dir.path(), records);
    let store = Store::open(dir.path(), &key(), Options::default()).unwrap();
    print_pages(&store, records);
    criterion.bench_function("the feed's next 100", |b| b.iter(|| store.records_after(Seq(records as i64 / 2), 100)));
    criterion.bench_function("append", |b| {
        let fresh = || samples::recognised(&store, 1, 0, samples::candidate(1, 1, 0.9));
        b.iter_batched(fresh, |record| store.append_record(&record).unwrap(), BatchSize::PerIteration);
    });
    let mut number = 0;
    criterion.bench_function("enrol", |b| {
        let fresh = || {
            number += 1;
            samples::new_person(&store, &number.to_string())
        };
        b.iter_batched(fresh, |person| store.insert_person(&person).unwrap(), BatchSize::PerIteration);
    });
    criterion.bench_function("a page of 20 people", |b| {
        b.iter(|| store.people(&PersonFilter::default(), Window { skip: 0, limit: 20 }).unwrap());
    });
    criterion.bench_function("a page of 20 people by a part of their name", |b| {
        let filter = PersonFilter { name_part: Some("7".into()), ..PersonFilter::default() };
        b.iter(|| store.people(&filter, Window { skip: 0, limit: 20 }).unwrap());
    });
}

/// Every condition alone and some together, on pages from the first to the last.
fn print_pages(store: &Store, records: u64) {
    let all = RecordFilter::default;
    let (camera, verdict) = (Some(CameraId(3)), Some(Verdict::Known));
    let filters = [
        ("all", all()),
        ("a camera", RecordFilter { camera, ..all() }),
        ("a verdict", RecordFilter { verdict, ..all() }),
        ("the known at a camera", RecordFilter { camera, verdict, ..all() }),
        ("the accepted", RecordFilter { accepted_only: true, ..all() }),
        ("a part of a name", RecordFilter { name_part: Some("a".into()), ..all() }),
        ("a person", RecordFilter { person: Some(PersonId(77)), ..all() }),
        ("a library", RecordFilter { libraries: Some(vec![LibraryId(7)]), ..all() }),
        ("two libraries", RecordFilter { libraries: Some(vec![LibraryId(7), LibraryId(8)]), ..all() }),
        ("a library's name", RecordFilter { library_name: Some("library 7".into()), ..all() }),
        ("libraries of a kind", RecordFilter { library_kind: Some(LibraryKind::Allow), ..all() }),
        (
            "two libraries at a camera",
            RecordFilter { camera, libraries: Some([7, 8].map(LibraryId).to_vec()), ..all() },
        ),
    ];
    println!("{records} records, milliseconds: the first question, then the 99th of a hundred, median");
    for (name, filter) in &filters {
        print_times(name, store, filter, records, |_| None);
        // Another range each time, as a console that shows the last day asks.
        print_times(&format!("{name}, a stretch of time"), store, filter, records, |turn| {
            let from = (records * turn / TURNS) as i64;
            Some(samples::at(from)..=samples::at(from + 86_400))
        });
    }
}

const TURNS: u64 = 200;

fn print_times(
    name: &str,
    store: &Store,
    filter: &RecordFilter,
    records: u64,
    captured: impl Fn(u64) -> Option<RangeInclusive<Timestamp>>,
) {
    let mut times = Vec::new();
    let mut total = records;
    for turn in 0..TURNS {
        let filter = RecordFilter { captured: captured(turn), ..filter.clone() };
        // From the first page to the last, not in order.
        let skip = total.saturating_sub(20) * (turn * 67 % TURNS) / (TURNS - 1);
        let started = Instant::now();
        total = store.records(&filter, Window { skip, limit: 20 }).unwrap().total;
        times.push(started.elapsed().as_secs_f64() * 1e3);
    }
    let first = times[0];
    times.sort_by(f64::total_cmp);
    let (p99, median) = (times[times.len() * 99 / 100 - 1], times[times.len() / 2]);
    println!("{first:9.1} {p99:7.2} {median:7.2}  {name}");
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = bench
}
criterion_main!(benches);
