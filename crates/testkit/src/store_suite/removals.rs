//! Removals.

use domain::{CameraId, Error, NewRecord, RecordFilter, RecordKind, Removal, Seq, Thing, Timestamp, Verdict, Window};

use super::Stores;
use super::samples::{ALL, at, candidate, new_person, picture, recognised, stranger};

fn append(store: &dyn Stores, record: &NewRecord) -> Seq {
    store.append_record(record).unwrap().seq
}

fn left(store: &dyn Stores) -> Vec<Seq> {
    store.records_after(Seq(0), 1000).unwrap().iter().map(|record| record.seq).collect()
}

fn before(kind: RecordKind, time: Timestamp) -> Removal {
    Removal::Before { kind, from: Timestamp::MIN, time }
}

/// In the order of the log, not of time, up to the limit; nothing of them is left.
pub fn the_oldest_records_are_removed_with_their_pictures(store: &dyn Stores) {
    let first = stranger(store, 1, 9);
    let seqs: Vec<_> = [first.clone(), stranger(store, 1, 5), recognised(store, 2, 7, candidate(4, 2, 0.8))]
        .iter()
        .map(|record| append(store, record))
        .collect();
    assert_eq!(store.remove_entries(Removal::Oldest, 1).unwrap(), 1);
    assert_eq!(left(store), seqs[1..]);
    let gone = store.record_of_capture(first.capture.id);
    assert!(matches!(gone, Err(Error::NotFound { what: Thing::Record })));
    for picture in [&first.capture.crop, &first.capture.scene] {
        assert!(matches!(store.get(picture), Err(Error::NotFound { what: Thing::Picture })));
    }
    assert_eq!(store.remove_entries(Removal::Oldest, 10).unwrap(), 2);
    assert_eq!(store.remove_entries(Removal::Oldest, 10).unwrap(), 0);
    assert_eq!(store.records(&RecordFilter::default(), ALL).unwrap().total, 0);
}

/// Later records stay, even with older captures.
pub fn records_are_removed_up_to_a_place_in_the_log(store: &dyn Stores) {
    let seqs: Vec<_> = [9, 5, 7, 1].map(|seconds| append(store, &stranger(store, 1, seconds))).into();
    assert_eq!(store.remove_entries(Removal::UpTo(seqs[2]), 2).unwrap(), 2);
    assert_eq!(left(store), seqs[2..]);
    assert_eq!(store.remove_entries(Removal::UpTo(seqs[2]), 2).unwrap(), 1);
    assert_eq!(store.remove_entries(Removal::UpTo(seqs[2]), 2).unwrap(), 0);
    assert_eq!(left(store), seqs[3..]);
    assert_eq!(store.records(&RecordFilter::default(), ALL).unwrap().total, 1);
}

/// By verdict and time of the capture, which must be before the given time.
pub fn records_of_a_kind_are_removed_by_age(store: &dyn Stores) {
    let of = |verdict, seconds| append(store, &NewRecord { verdict, ..stranger(store, 1, seconds) });
    let verdicts = [Verdict::Known, Verdict::Stranger, Verdict::Blocked, Verdict::Spoof, Verdict::NotAllowedNow];
    let old: Vec<_> = verdicts.into_iter().map(|verdict| of(verdict, 1)).collect();
    let new: Vec<_> = verdicts.into_iter().map(|verdict| of(verdict, 2)).collect();
    append(store, &stranger(store, 1, 1));
    assert_eq!(store.remove_entries(before(RecordKind::Strangers, at(2)), 10).unwrap(), 3);
    assert_eq!(left(store)[..3], [old[0], old[2], old[4]]);
    assert_eq!(store.remove_entries(before(RecordKind::People, at(2)), 2).unwrap(), 2);
    assert_eq!(store.remove_entries(before(RecordKind::People, at(2)), 2).unwrap(), 1);
    assert_eq!(left(store), new);
}

/// From its first time on, so that records from before the clock was set stay.
pub fn records_from_before_a_time_are_not_removed_by_age(store: &dyn Stores) {
    let seqs = [1, 2, 3].map(|seconds| append(store, &stranger(store, 1, seconds)));
    let removal = Removal::Before { kind: RecordKind::Strangers, from: at(2), time: at(3) };
    assert_eq!(store.remove_entries(removal, 10).unwrap(), 1);
    assert_eq!(left(store), [seqs[0], seqs[2]]);
}

/// Those that lie before one with a credible time that is old enough.
pub fn misdated_records_are_removed_with_those_that_follow_them(store: &dyn Stores) {
    // Credible are 10 to 50.
    let seqs = [1, 30, 90, 2, 20, 91, 40, 3].map(|seconds| append(store, &stranger(store, 1, seconds)));
    let older_than = |seconds| Removal::Misdated { earliest: at(10), latest: at(50), before: at(seconds) };
    assert_eq!(store.remove_entries(older_than(20), 10).unwrap(), 0, "nothing is that old");
    assert_eq!(store.remove_entries(older_than(21), 2).unwrap(), 2, "the oldest first");
    assert_eq!(left(store), [seqs[1], seqs[3], seqs[4], seqs[5], seqs[6], seqs[7]]);
    assert_eq!(store.remove_entries(older_than(21), 2).unwrap(), 1);
    assert_eq!(left(store), [seqs[1], seqs[4], seqs[5], seqs[6], seqs[7]], "those after it may be younger");
    assert_eq!(store.remove_entries(older_than(41), 10).unwrap(), 1);
    assert_eq!(left(store), [seqs[1], seqs[4], seqs[6], seqs[7]]);
}

/// This applies to a person's photo and to the scene of another record.
pub fn a_picture_that_another_row_names_stays(store: &dyn Stores) {
    let mut person = new_person(store, "a");
    let mut first = stranger(store, 1, 1);
    let mut second = stranger(store, 1, 2);
    first.capture.crop = picture(store, "shared with a person");
    person.photo.picture = picture(store, "shared with a person");
    first.capture.scene = picture(store, "shared with a record");
    second.capture.scene = picture(store, "shared with a record");
    store.insert_person(&person).unwrap();
    append(store, &first);
    append(store, &second);
    store.remove_entries(Removal::Oldest, 1).unwrap();
    store.get(&first.capture.crop).unwrap();
    store.get(&first.capture.scene).unwrap();
    store.remove_entries(Removal::Oldest, 1).unwrap();
    assert!(store.get(&first.capture.scene).is_err());
}

/// Totals and windows of filters that were used before.
pub fn pages_are_right_after_every_removal(store: &dyn Stores) {
    let camera = RecordFilter { camera: Some(CameraId(2)), ..RecordFilter::default() };
    let mut kept: Vec<(Timestamp, Seq, u32)> = Vec::new();
    for number in 0..60 {
        let (camera_id, seconds) = (1 + number % 2, i64::from(number * 7 % 50));
        let seq = append(store, &stranger(store, camera_id, seconds));
        kept.push((at(seconds), seq, camera_id));
        if number % 3 == 2 {
            store.remove_entries(Removal::Oldest, 2).unwrap();
            kept.drain(..2.min(kept.len()));
        }
        if number == 30 {
            let removed = store.remove_entries(before(RecordKind::Strangers, at(20)), 1000).unwrap();
            let count = kept.len();
            kept.retain(|(time, ..)| *time >= at(20));
            assert_eq!(removed as usize, count - kept.len());
        }
        for (filter, of) in [(RecordFilter::default(), None), (camera.clone(), Some(2))] {
            let mut expected: Vec<_> = kept.iter().filter(|(.., id)| of.is_none_or(|of| of == *id)).collect();
            expected.sort_unstable_by(|a, b| b.cmp(a));
            for window in [ALL, Window { skip: 1, limit: 3 }, Window { skip: 9, limit: 5 }] {
                let page = store.records(&filter, window).unwrap();
                let rows = expected.iter().skip(window.skip as usize).take(window.limit as usize);
                assert_eq!(page.total, expected.len() as u64);
                let seqs: Vec<_> = page.rows.iter().map(|record| record.seq).collect();
                assert_eq!(seqs, rows.map(|(_, seq, _)| *seq).collect::<Vec<_>>(), "{number}: {window:?}");
            }
        }
    }
}

/// Not even after the newest record was removed.
pub fn a_place_in_the_log_is_never_reused(store: &dyn Stores) {
    let last = append(store, &stranger(store, 1, 1));
    store.remove_entries(Removal::Oldest, 10).unwrap();
    assert_eq!(store.newest().unwrap(), last);
    assert!(append(store, &stranger(store, 1, 2)) > last);
}

/// Pictures count; free space of the file system is reported.
pub fn usage_falls_with_removals(store: &dyn Stores) {
    let before = store.usage().unwrap();
    assert!(before.free_bytes > 0 && !before.read_only);
    let mut record = stranger(store, 1, 1);
    record.capture.scene = store.put(&[7; 300_000]).unwrap();
    append(store, &record);
    let full = store.usage().unwrap().used_bytes;
    assert!(full >= before.used_bytes + 300_000);
    store.remove_entries(Removal::Oldest, 1).unwrap();
    assert!(store.usage().unwrap().used_bytes <= full - 300_000);
    store.tidy().unwrap();
}
