//! The record log.

use domain::{
    CameraId, CaptureId, Error, Expression, Gender, LibraryId, LibraryKind, NewRecord, PersonId, PictureId,
    RecordFilter, Seq, Similarity, Thing, Verdict, Window,
};

use super::Stores;
use super::samples::{ALL, at, candidate, new_camera, new_person, recognised, stranger};

fn append(store: &dyn Stores, record: &NewRecord) -> Seq {
    store.append_record(record).unwrap().seq
}

fn seqs(store: &dyn Stores, filter: &RecordFilter, window: Window) -> Vec<Seq> {
    store.records(filter, window).unwrap().rows.into_iter().map(|record| record.seq).collect()
}

/// With all fields, by every way of reading; matches keep their order.
pub fn a_record_reads_back_as_appended(store: &dyn Stores) {
    for new in [stranger(store, 1, 0), recognised(store, u32::MAX, 1, candidate(4, 2, 0.8))] {
        let record = store.append_record(&new).unwrap();
        assert_eq!((&record.capture, &record.matches, record.verdict), (&new.capture, &new.matches, new.verdict));
        assert_eq!(store.record_of_capture(new.capture.id).unwrap(), record);
        assert_eq!(store.records(&RecordFilter::default(), ALL).unwrap().rows[0], record);
        assert_eq!(store.records_after(Seq(record.seq.0 - 1), 10).unwrap(), [record]);
    }
}

/// Every variant.
pub fn every_verdict_and_expression_reads_back(store: &dyn Stores) {
    let verdicts =
        [Verdict::Known, Verdict::Stranger, Verdict::Unclear, Verdict::Blocked, Verdict::NotAllowedNow, Verdict::Spoof];
    let expressions = [
        Expression::Angry,
        Expression::Disgusted,
        Expression::Scared,
        Expression::Happy,
        Expression::Sad,
        Expression::Surprised,
        Expression::Neutral,
    ];
    for (verdict, expression) in verdicts.into_iter().cycle().zip(expressions) {
        let mut new = stranger(store, 1, 0);
        new.verdict = verdict;
        new.capture.attributes.expression = Some(expression);
        append(store, &new);
        let read = store.record_of_capture(new.capture.id).unwrap();
        assert_eq!((read.verdict, read.capture.attributes.expression), (verdict, Some(expression)));
    }
}

/// From 1 without gaps, independent of the time of the capture.
pub fn records_are_numbered_in_order(store: &dyn Stores) {
    assert_eq!(store.newest().unwrap(), Seq(0));
    for (seq, time) in [(1, 50), (2, 10), (3, 90)] {
        assert_eq!(append(store, &stranger(store, 1, time)), Seq(seq));
        assert_eq!(store.newest().unwrap(), Seq(seq));
    }
}

/// In ascending order, up to the limit.
pub fn the_log_is_read_from_any_place(store: &dyn Stores) {
    for time in [50, 10, 90, 20] {
        append(store, &stranger(store, 1, time));
    }
    let read_after = |seq, limit| -> Vec<i64> {
        store.records_after(Seq(seq), limit).unwrap().iter().map(|record| record.seq.0).collect()
    };
    assert_eq!(read_after(0, 100), [1, 2, 3, 4]);
    assert_eq!(read_after(1, 2), [2, 3]);
    assert_eq!(read_after(3, u32::MAX), [4]);
    assert_eq!(read_after(4, 100), [0; 0]);
}

/// A capture that is not recorded is not found.
pub fn a_capture_is_recorded_only_once(store: &dyn Stores) {
    let new = stranger(store, 1, 0);
    append(store, &new);
    assert!(matches!(store.append_record(&new), Err(Error::AlreadyExists { what: Thing::Record })));
    assert_eq!(store.newest().unwrap(), Seq(1));
    let unknown = store.record_of_capture(CaptureId::random());
    assert!(matches!(unknown, Err(Error::NotFound { what: Thing::Record })));
}

/// A row never names a picture that is not stored.
pub fn a_record_needs_its_pictures(store: &dyn Stores) {
    let mut new = stranger(store, 1, 0);
    new.capture.scene = "00".repeat(32).parse().unwrap();
    assert!(matches!(store.append_record(&new), Err(Error::NotFound { what: Thing::Picture })));
    assert_eq!(store.newest().unwrap(), Seq(0));
}

/// It contains [`PictureId::not_kept`].
pub fn a_record_without_pictures_needs_none(store: &dyn Stores) {
    for second in [0, 1] {
        let mut new = stranger(store, 1, second);
        (new.capture.crop, new.capture.scene) = (PictureId::not_kept(), PictureId::not_kept());
        let record = store.append_record(&new).unwrap();
        assert_eq!(store.record_of_capture(new.capture.id).unwrap(), record);
        assert!(matches!(store.get(&record.capture.crop), Err(Error::NotFound { what: Thing::Picture })));
    }
    assert_eq!(store.remove_entries(domain::Removal::Oldest, 10).unwrap(), 2);
}

/// Ties in time are ordered by the place in the log; every window is right.
pub fn records_come_newest_capture_first_page_by_page(store: &dyn Stores) {
    for time in [5, 1, 3, 3, 3, 2, 4] {
        append(store, &stranger(store, 1, time));
    }
    let expected = [1, 7, 5, 4, 3, 6, 2].map(Seq);
    for skip in 0..9 {
        for limit in 0..9 {
            let filter = RecordFilter { camera: Some(CameraId(1)), ..Default::default() };
            let page = store.records(&filter, Window { skip, limit }).unwrap();
            let rows: Vec<Seq> = page.rows.iter().map(|record| record.seq).collect();
            let window: Vec<Seq> = expected.iter().copied().skip(skip as usize).take(limit as usize).collect();
            assert_eq!((page.total, rows), (7, window), "skip {skip} limit {limit}");
        }
    }
}

/// Four records, the newest last: recognised in library 1, below the threshold in library 2, blocked in 3, stranger.
fn four_records(store: &dyn Stores) -> [Seq; 4] {
    let known = recognised(store, 1, 1, candidate(10, 1, 0.9));
    let mut unlike = recognised(store, 2, 2, candidate(20, 2, 0.79));
    unlike.verdict = Verdict::Stranger;
    let mut banned = candidate(30, 3, 0.8);
    banned.library_kind = LibraryKind::Block;
    let mut blocked = recognised(store, 1, 3, banned);
    blocked.verdict = Verdict::Blocked;
    [known, unlike, blocked, stranger(store, 2, 4)].map(|record| append(store, &record))
}

/// Each condition alone; only the camera's own watch counts.
pub fn each_condition_finds_its_records(store: &dyn Stores) {
    let [known, unlike, blocked, nobody] = four_records(store);
    let none = RecordFilter::default;
    let libraries = |ids: &[i64]| Some(ids.iter().copied().map(LibraryId).collect());
    let table = [
        (none(), vec![nobody, blocked, unlike, known]),
        (RecordFilter { camera: Some(CameraId(2)), ..none() }, vec![nobody, unlike]),
        (RecordFilter { captured: Some(at(2)..=at(3)), ..none() }, vec![blocked, unlike]),
        (RecordFilter { captured: Some(at(3)..=at(2)), ..none() }, vec![]),
        (RecordFilter { accepted_only: true, ..none() }, vec![blocked, known]),
        (RecordFilter { libraries: libraries(&[2]), ..none() }, vec![unlike]),
        (RecordFilter { libraries: libraries(&[3, 1, 99]), ..none() }, vec![blocked, known]),
        (RecordFilter { libraries: libraries(&[]), ..none() }, vec![]),
        (RecordFilter { library_name: Some("library 3".into()), ..none() }, vec![blocked]),
        (RecordFilter { library_name: Some("LIBRARY ３".into()), ..none() }, vec![blocked]),
        (RecordFilter { library_name: Some("library".into()), ..none() }, vec![]),
        (RecordFilter { library_kind: Some(LibraryKind::Allow), ..none() }, vec![unlike, known]),
        (RecordFilter { person: Some(PersonId(20)), ..none() }, vec![unlike]),
        (RecordFilter { verdict: Some(Verdict::Stranger), ..none() }, vec![nobody, unlike]),
        (RecordFilter { verdict: Some(Verdict::Spoof), ..none() }, vec![]),
        (RecordFilter { cameras: vec![CameraId(1)], ..none() }, vec![blocked, known]),
        (RecordFilter { cameras: vec![CameraId(9), CameraId(2)], ..none() }, vec![nobody, unlike]),
        (RecordFilter { compared_only: true, ..none() }, vec![blocked, unlike, known]),
        (RecordFilter { unaccepted_only: true, ..none() }, vec![nobody, unlike]),
        (RecordFilter { similarity: Some(Similarity::ZERO..=Similarity::new(0.79)), ..none() }, vec![unlike]),
        (
            RecordFilter { similarity: Some(Similarity::new(0.8)..=Similarity::new(1.0)), ..none() },
            vec![blocked, known],
        ),
        (RecordFilter { name_part: Some("Ad".into()), ..none() }, vec![blocked, unlike, known]),
        (RecordFilter { name_part: Some("ad".into()), ..none() }, vec![]),
        (RecordFilter { document_number_part: Some("B 1".into()), ..none() }, vec![blocked, unlike, known]),
        (RecordFilter { gender: Some(Gender::Male), ..none() }, vec![blocked, unlike, known]),
        (RecordFilter { gender: Some(Gender::Female), ..none() }, vec![]),
        (RecordFilter { gender_unknown: true, ..none() }, vec![nobody]),
        (RecordFilter { age: Some(40.0..=60.0), ..none() }, vec![blocked, unlike, known]),
        (RecordFilter { age: Some(0.0..=40.0), ..none() }, vec![]),
    ];
    for (filter, expected) in table {
        assert_eq!(seqs(store, &filter, ALL), expected, "{filter:?}");
        assert_eq!(store.records(&filter, ALL).unwrap().total, expected.len() as u64, "{filter:?}");
    }
}

/// The person shown by a picture was not present; the stored match still names that person.
pub fn a_spoof_matches_no_person(store: &dyn Stores) {
    let mut record = recognised(store, 1, 1, candidate(10, 1, 0.95));
    record.verdict = Verdict::Spoof;
    let seq = append(store, &record);
    let none = RecordFilter::default;
    let of_nobody = RecordFilter { verdict: Some(Verdict::Spoof), ..none() };
    assert_eq!(seqs(store, &of_nobody, ALL), [seq]);
    let of_somebody = [
        RecordFilter { accepted_only: true, ..none() },
        RecordFilter { person: Some(PersonId(10)), ..none() },
        RecordFilter { library_kind: Some(LibraryKind::Allow), ..none() },
        RecordFilter { compared_only: true, ..none() },
        RecordFilter { name_part: Some(String::new()), ..none() },
        RecordFilter { similarity: Some(Similarity::ZERO..=Similarity::new(1.0)), ..none() },
    ];
    for filter in of_somebody {
        assert_eq!(seqs(store, &filter, ALL), [], "{filter:?}");
    }
    let stored = store.records(&of_nobody, ALL).unwrap().rows.remove(0);
    assert_eq!((stored.best(), stored.accepted()), (None, None));
    assert_eq!(stored.matches, record.matches);
}

/// With AND, whichever the store evaluates first.
pub fn conditions_on_records_are_combined(store: &dyn Stores) {
    let [known, unlike, blocked, _] = four_records(store);
    let none = RecordFilter::default;
    let table = [
        (RecordFilter { camera: Some(CameraId(1)), verdict: Some(Verdict::Known), ..none() }, vec![known]),
        (RecordFilter { camera: Some(CameraId(1)), captured: Some(at(2)..=at(9)), ..none() }, vec![blocked]),
        (RecordFilter { accepted_only: true, camera: Some(CameraId(2)), ..none() }, vec![]),
        (RecordFilter { person: Some(PersonId(20)), accepted_only: true, ..none() }, vec![]),
    ];
    for (filter, expected) in table {
        assert_eq!(seqs(store, &filter, ALL), expected, "{filter:?}");
    }
    let mut all = RecordFilter {
        camera: Some(CameraId(2)),
        captured: Some(at(2)..=at(2)),
        accepted_only: false,
        libraries: Some(vec![LibraryId(2), LibraryId(3)]),
        library_name: Some("library 2".into()),
        library_kind: Some(LibraryKind::Allow),
        person: Some(PersonId(20)),
        verdict: Some(Verdict::Stranger),
        cameras: vec![CameraId(1), CameraId(2)],
        compared_only: true,
        unaccepted_only: true,
        name_part: Some("A".into()),
        document_number_part: Some("".into()),
        similarity: Some(Similarity::ZERO..=Similarity::new(0.79)),
        gender: Some(Gender::Male),
        gender_unknown: false,
        age: Some(40.0..=42.0),
    };
    assert_eq!(seqs(store, &all, ALL), [unlike]);
    all.accepted_only = true;
    assert_eq!(seqs(store, &all, ALL), []);
}

/// The record stays as it was; the removed person's photo is removed.
pub fn a_record_outlives_its_camera_and_its_person(store: &dyn Stores) {
    let camera = store.insert_camera(&new_camera([]), 4, at(0)).unwrap();
    let person = store.insert_person(&new_person(store, "a")).unwrap();
    let mut best = candidate(person.id.0, 1, 0.9);
    best.photo = person.photo.clone();
    let record = store.append_record(&recognised(store, camera.id.0, 1, best)).unwrap();
    store.remove_camera(camera.id).unwrap();
    store.remove_person(person.id).unwrap();
    assert_eq!(store.record_of_capture(record.capture.id).unwrap(), record);
    store.get(&record.capture.crop).unwrap();
    assert!(matches!(store.get(&person.photo), Err(Error::NotFound { what: Thing::Picture })));
}
