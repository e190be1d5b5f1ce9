//! A record log without a past.

use std::path::Path;

use domain::ports::LogStore;
use rusqlite::Connection;
use store::{Options, Store, StoreKey};
use testkit::store_suite::samples;

const CAMERAS: u32 = 16;

/// Multiplies one record: appending so many one by one, each made durable, would take too long.
const MULTIPLY: &str = "
    PRAGMA cache_size = -400000;
    PRAGMA synchronous = OFF;
    CREATE TEMP TABLE n AS WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < :records)
        SELECT i FROM n;
    INSERT INTO entry SELECT i, kind, at + i * 1000, i % :cameras FROM n, entry WHERE seq = 1;
    INSERT INTO record SELECT i, randomblob(16), captured_at + i * 1000, i % :cameras,
            iif(i % 10 = 0, 'known', 'stranger'), i % 10 = 0, i % 5000, i % 50, 'library ' || (i % 50), 'allow',
            crop, scene
        FROM n, record WHERE seq = 1;
    INSERT INTO record_capture SELECT i, camera_name, camera_position, first_seen, box_left, box_top, box_right,
            box_bottom, landmarks, quality, quality_size, quality_sharpness, quality_brightness, quality_pose, yaw,
            pitch, roll, gender, age, expression, liveness, model,
            sealed('record_capture', i, model, opened('record_capture', 1, model, embedding))
        FROM n, record_capture WHERE record = 1;
    INSERT INTO record_match SELECT i, position, watch, threshold, person, candidate, library, library_name,
            library_kind, similarity, gender, age, category, photo, enrolled_at, task, task_name, direction
        FROM n, record_match WHERE record = 1;";

/// Makes a store whose log has so many records: of every ten one of somebody known, from sixteen cameras.
pub(crate) fn fill(dir: &Path, records: u64) {
    let key = StoreKey::new([7; 32]);
    let store = Store::open(dir, &key, Options::default()).unwrap();
    store.append_record(&samples::recognised(&store, 1, 0, samples::candidate(1, 1, 0.9))).unwrap();
    drop(store);
    let multiply = MULTIPLY.replace(":records", &records.to_string()).replace(":cameras", &CAMERAS.to_string());
    let database = Connection::open(dir.join("polyface.db")).unwrap();
    store::add_functions(&database, dir, &key).unwrap();
    database.execute_batch(&multiply).unwrap();
}
