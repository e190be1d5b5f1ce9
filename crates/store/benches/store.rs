//! Appending a record and reading pages of a long log. `POLYFACE_BENCH_RECORDS` sets its length, 100000 by default.

#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]

use std::path::Path;
use std::time::Duration;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use domain::ports::{PersonStore, RecordStore};
use domain::{CameraId, LibraryId, PersonFilter, RecordFilter, Seq, Verdict, Window};
use rusqlite::Connection;
use store::{Options, Store};
use testkit::store_suite::samples;

const CAMERAS: u32 = 16;

/// Multiplies one record: appending so many one by one, each made durable, would take too long.
const MULTIPLY: &str = "
    PRAGMA cache_size = -400000;
    PRAGMA synchronous = OFF;
    CREATE TEMP TABLE n AS WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < :records)
        SELECT i FROM n;
    INSERT INTO record SELECT i, randomblob(16), captured_at + i * 1000, i % :cameras,
            iif(i % 10 = 0, 'known', 'stranger'), i % 10 = 0, i % 5000, i % 50, 'library ' || (i % 50), 'allow',
            crop, scene
        FROM n, record WHERE seq = 1;
    INSERT INTO record_capture SELECT i, camera_name, camera_position, first_seen, box_left, box_top, box_right,
            box_bottom, landmarks, quality, quality_size, quality_sharpness, quality_brightness, quality_pose, yaw,
            pitch, roll, gender, age, expression, liveness, model, embedding
        FROM n, record_capture WHERE record = 1;
    INSERT INTO record_match SELECT i, position, watch, threshold, person, code, library, library_name, library_kind,
            similarity, name, gender, age, document_number, address, photo, enrolled_at
        FROM n, record_match WHERE record = 1;";

fn long_log(dir: &Path, records: u64) -> Store {
    let store = Store::open(dir, Options::default()).unwrap();
    store.append(&samples::recognised(&store, 1, 0, samples::candidate(1, 1, 0.9))).unwrap();
    drop(store);
    let multiply = MULTIPLY.replace(":records", &records.to_string()).replace(":cameras", &CAMERAS.to_string());
    Connection::open(dir.join("polyface.db")).unwrap().execute_batch(&multiply).unwrap();
    Store::open(dir, Options::default()).unwrap()
}

fn bench(criterion: &mut Criterion) {
    let records = std::env::var("POLYFACE_BENCH_RECORDS").map_or(100_000, |text| text.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let store = long_log(dir.path(), records);
    bench_pages(criterion, &store, records);
    criterion.bench_function("the feed's next 100", |b| b.iter(|| store.records_after(Seq(records as i64 / 2), 100)));
    criterion.bench_function("append", |b| {
        let fresh = || samples::recognised(&store, 1, 0, samples::candidate(1, 1, 0.9));
        b.iter_batched(fresh, |record| store.append(&record).unwrap(), BatchSize::PerIteration);
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
}

fn bench_pages(criterion: &mut Criterion, store: &Store, records: u64) {
    let all = RecordFilter::default;
    let camera = Some(CameraId(3));
    let libraries = Some(vec![LibraryId(7), LibraryId(8)]);
    let hour = Some(samples::at(records as i64 / 2)..=samples::at(records as i64 / 2 + 3600));
    let pages = [
        ("first page of all", all(), 0),
        ("middle page of all", all(), records / 2),
        ("last page of all", all(), records - 20),
        ("first page of a camera", RecordFilter { camera, ..all() }, 0),
        ("first page of a camera's hour", RecordFilter { camera, captured: hour, ..all() }, 0),
        ("first page of the known at a camera", RecordFilter { camera, verdict: Some(Verdict::Known), ..all() }, 0),
        ("first page of the accepted", RecordFilter { accepted_only: true, ..all() }, 0),
        ("first page of two libraries", RecordFilter { libraries, ..all() }, 0),
    ];
    for (name, filter, skip) in pages {
        let window = Window { skip, limit: 20 };
        criterion.bench_function(name, |b| b.iter(|| store.records(&filter, window).unwrap()));
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = bench
}
criterion_main!(benches);
