//! Tasks and sightings.

use domain::{
    Attendance, CameraId, Candidate, Direction, Error, LibraryId, NewRecord, PersonId, Presence, Removal, Roll, Seq,
    SightingFilter, SightingId, Similarity, TaskId, TaskKind, TaskSettings, Thing, Verdict, WatchSettings, Window,
};

use super::Stores;
use super::samples::{ALL, at, candidate, library, new_camera, person, sighted, stranger, task};

/// Cameras on the first three channels.
fn cameras(store: &dyn Stores) -> [CameraId; 3] {
    [1, 2, 3].map(|_| store.insert_camera(&new_camera([]), 16, at(0)).unwrap().id)
}

/// With all fields, cameras in the given order, for every kind.
pub fn a_task_reads_back_as_added(store: &dyn Stores) {
    let [one, two, three] = cameras(store);
    let mut added = Vec::new();
    for (name, kind) in [("a", TaskKind::RollCall), ("b", TaskKind::Plain), ("c", TaskKind::SignIn)] {
        let settings = TaskSettings { kind, ..task(name, &[two, one], &[three, two]) };
        let added_task = store.insert_task(&settings, None, at(3)).unwrap();
        assert_eq!((&added_task.settings, added_task.created_at), (&settings, at(3)));
        assert_eq!(added_task.direction(one), Some(Direction::Entry));
        assert_eq!((added_task.direction(three), added_task.direction(CameraId(9))), (Some(Direction::Exit), None));
        added.push(added_task);
    }
    assert_eq!(store.tasks().unwrap(), added);
    assert!(added.is_sorted_by_key(|task| (task.id, task.watch)));
}

/// With its watch, which keeps its id; the cameras' own watches stay.
pub fn a_task_changes_as_a_whole(store: &dyn Stores) {
    let [one, two, _] = cameras(store);
    let staff = library(store, "staff");
    let before = store.insert_task(&task("a", &[one], &[two]), None, at(0)).unwrap();
    let mut settings = task("other", &[two], &[]);
    settings.watch = WatchSettings { libraries: [staff].into(), ..WatchSettings::default() };
    let after = store.update_task(before.id, &settings, None).unwrap();
    assert_eq!((after.id, after.watch, &after.settings), (before.id, before.watch, &settings));
    assert_eq!(store.tasks().unwrap(), [after]);
    assert!(store.cameras().unwrap().iter().all(|camera| camera.watch.settings == new_camera([]).watch));
    assert!(matches!(store.update_task(TaskId(99), &settings, None), Err(Error::NotFound { what: Thing::Task })));
}

/// When adding and changing; otherwise nothing changes.
pub fn a_task_needs_a_free_name_and_existing_cameras_and_libraries(store: &dyn Stores) {
    let [one, ..] = cameras(store);
    store.insert_task(&task("a", &[one], &[]), None, at(0)).unwrap();
    let other = store.insert_task(&task("b", &[one], &[]), None, at(0)).unwrap();
    let mut strange = task("c", &[one], &[]);
    strange.watch.libraries.insert(LibraryId(99));
    for (settings, error) in [
        (task("a", &[one], &[]), "task already exists"),
        (task("c", &[CameraId(9)], &[]), "camera does not exist"),
        (task("c", &[one], &[CameraId(9)]), "camera does not exist"),
        (strange, "library does not exist"),
    ] {
        assert_eq!(store.insert_task(&settings, None, at(0)).unwrap_err().to_string(), error);
        assert_eq!(store.update_task(other.id, &settings, None).unwrap_err().to_string(), error);
    }
    assert_eq!(store.tasks().unwrap()[1..], [other]);
}

/// Until the task is removed.
pub fn cameras_and_libraries_of_a_task_cannot_be_removed(store: &dyn Stores) {
    let [one, two, three] = cameras(store);
    let staff = library(store, "staff");
    let mut settings = task("a", &[one], &[two]);
    settings.watch.libraries.insert(staff);
    let id = store.insert_task(&settings, None, at(0)).unwrap().id;
    for camera in [one, two] {
        assert!(matches!(store.remove_camera(camera), Err(Error::InUse { by: Thing::Task })));
    }
    assert!(matches!(store.remove_library(staff), Err(Error::InUse { by: Thing::Task })));
    store.remove_camera(three).unwrap();
    store.remove_task(id).unwrap();
    assert!(matches!(store.remove_task(id), Err(Error::NotFound { what: Thing::Task })));
    store.remove_camera(one).unwrap();
    store.remove_library(staff).unwrap();
}

/// Nor is that of its watch.
pub fn a_task_id_is_never_reused(store: &dyn Stores) {
    let [one, ..] = cameras(store);
    let first = store.insert_task(&task("a", &[one], &[]), None, at(0)).unwrap();
    store.remove_task(first.id).unwrap();
    let second = store.insert_task(&task("a", &[one], &[]), None, at(0)).unwrap();
    assert!(second.id > first.id && second.watch > first.watch);
}

fn ids(store: &dyn Stores, filter: &SightingFilter, window: Window) -> Vec<i64> {
    store.sightings(filter, window).unwrap().rows.iter().map(|sighting| sighting.id.0).collect()
}

/// They share the capture; a record without a task has no sighting.
pub fn a_record_is_a_sighting_for_each_of_its_tasks(store: &dyn Stores) {
    store.append_record(&stranger(store, 1, 0)).unwrap();
    let tasks = [(7, Direction::Entry), (8, Direction::Exit)];
    let record = store.append_record(&sighted(store, 2, 1, &candidate(1, 1, 0.9), &tasks)).unwrap();
    let page = store.sightings(&SightingFilter::default(), ALL).unwrap();
    assert_eq!(page.total, 2);
    for (sighting, position) in page.rows.iter().zip([1, 0]) {
        assert_eq!((&sighting.capture, sighting.verdict), (&record.capture, record.verdict));
        assert_eq!(sighting.answer, record.matches[position]);
        assert_eq!(Some(&sighting.mark), record.matches[position].task.as_ref());
        assert_eq!(store.record_of_sighting(sighting.id).unwrap(), record.seq);
    }
    assert!(matches!(store.record_of_sighting(SightingId(99)), Err(Error::NotFound { what: Thing::Record })));
}

/// Independent of the order of recording.
pub fn sightings_come_newest_capture_first_page_by_page(store: &dyn Stores) {
    for seconds in [3, 1, 2] {
        store.append_record(&sighted(store, 1, seconds, &candidate(1, 1, 0.9), &[(7, Direction::Entry)])).unwrap();
    }
    let page = |skip, limit| ids(store, &SightingFilter::default(), Window { skip, limit });
    assert_eq!((page(0, 2), page(2, 2), page(3, 2)), (vec![1, 3], vec![2], vec![]));
}

/// Each condition alone, and two together.
pub fn each_condition_finds_its_sightings(store: &dyn Stores) {
    let known = |person: i64, library, similarity| {
        let mut known = candidate(person, library, similarity);
        (known.name, known.document_number) = (format!("Ann {person}"), format!("ID-{person}"));
        known
    };
    let (entry, exit) = (Direction::Entry, Direction::Exit);
    for (camera, seconds, best, task) in [
        (1, 1, known(1, 1, 0.9), (7, entry)),
        (2, 2, known(2, 2, 0.85), (7, exit)),
        (1, 3, known(3, 1, 0.3), (8, entry)),
    ] {
        store.append_record(&sighted(store, camera, seconds, &best, &[task])).unwrap();
    }
    let all = SightingFilter::default;
    let table = [
        (all(), vec![3, 2, 1]),
        (SightingFilter { task: Some(TaskId(7)), ..all() }, vec![2, 1]),
        (SightingFilter { camera: Some(CameraId(1)), ..all() }, vec![3, 1]),
        (SightingFilter { library: Some(LibraryId(1)), ..all() }, vec![1]),
        (SightingFilter { person: Some(PersonId(2)), ..all() }, vec![2]),
        (SightingFilter { person: Some(PersonId(3)), ..all() }, vec![]),
        (SightingFilter { name_part: Some("ann".into()), ..all() }, vec![2, 1]),
        (SightingFilter { name_part: Some("N 2".into()), ..all() }, vec![2]),
        (SightingFilter { document_number: Some("ID-1".into()), ..all() }, vec![1]),
        (SightingFilter { accepted: Some(true), ..all() }, vec![2, 1]),
        (SightingFilter { accepted: Some(false), ..all() }, vec![3]),
        (SightingFilter { similarity: Some(Similarity::new(0.85)), ..all() }, vec![2, 1]),
        (SightingFilter { direction: Some(exit), ..all() }, vec![2]),
        (SightingFilter { captured: Some(at(2)..=at(3)), ..all() }, vec![3, 2]),
        (SightingFilter { task: Some(TaskId(7)), person: Some(PersonId(1)), ..all() }, vec![1]),
        (SightingFilter { task: Some(TaskId(8)), accepted: Some(true), ..all() }, vec![]),
    ];
    for (filter, expected) in table {
        assert_eq!(ids(store, &filter, ALL), expected, "{filter:?}");
        assert_eq!(store.sightings(&filter, ALL).unwrap().total, expected.len() as u64, "{filter:?}");
    }
}

/// Also in any script; strangers have no name.
pub fn sightings_are_found_by_names_in_any_letter_case(store: &dyn Stores) {
    for (person, name) in [(1, "Иван"), (2, "Jose\u{301}"), (3, "Groß_"), (4, "Ａｎｎ")] {
        let known = Candidate { name: name.into(), ..candidate(person, 1, 0.9) };
        store.append_record(&sighted(store, 1, person, &known, &[(7, Direction::Entry)])).unwrap();
    }
    let stranger = Candidate { name: "Иван".into(), ..candidate(5, 1, 0.3) };
    store.append_record(&sighted(store, 1, 5, &stranger, &[(7, Direction::Entry)])).unwrap();
    for (part, expected) in [
        ("иван", vec![1]),
        ("ВАН", vec![1]),
        ("JOSÉ", vec![2]),
        ("jose", vec![]),
        ("GROSS_", vec![3]),
        ("_g", vec![]),
        ("%", vec![]),
        ("ann", vec![4]),
    ] {
        for task in [None, Some(TaskId(7))] {
            let filter = SightingFilter { task, name_part: Some(part.into()), ..Default::default() };
            assert_eq!(ids(store, &filter, ALL), expected, "{part}");
        }
    }
}

/// Even though a picture of a person was shown.
pub fn a_spoof_is_a_sighting_without_a_person(store: &dyn Stores) {
    let record = sighted(store, 1, 1, &candidate(1, 1, 0.9), &[(7, Direction::Entry)]);
    store.append_record(&NewRecord { verdict: Verdict::Spoof, ..record }).unwrap();
    let found = store.sightings(&SightingFilter { accepted: Some(false), ..Default::default() }, ALL).unwrap();
    assert_eq!((found.total, found.rows[0].accepted()), (1, None));
    assert_eq!(ids(store, &SightingFilter { person: Some(PersonId(1)), ..Default::default() }, ALL), [0; 0]);
}

/// Only those of the removed record, with its pictures; ids are not reused.
pub fn sightings_are_removed_with_their_records(store: &dyn Stores) {
    let append = |seconds| {
        let tasks = [(7, Direction::Entry), (8, Direction::Entry)];
        store.append_record(&sighted(store, 1, seconds, &candidate(1, 1, 0.9), &tasks)).unwrap()
    };
    let (first, second) = (append(1), append(2));
    assert_eq!(store.remove_entries(Removal::One(second.seq), 1).unwrap(), 1);
    assert_eq!(store.remove_entries(Removal::One(second.seq), 1).unwrap(), 0);
    assert_eq!(store.remove_entries(Removal::One(Seq(99)), 1).unwrap(), 0);
    assert!(matches!(store.get(&second.capture.crop), Err(Error::NotFound { what: Thing::Picture })));
    assert_eq!(store.record_of_capture(first.capture.id).unwrap(), first);
    assert_eq!(ids(store, &SightingFilter::default(), ALL), [2, 1]);
    append(3);
    assert_eq!(ids(store, &SightingFilter::default(), ALL), [6, 5, 2, 1]);
}

/// In the requested period and by the requested task; a person in two of the libraries is listed once.
pub fn a_roll_lists_people_seen_and_not_seen(store: &dyn Stores) {
    let staff = library(store, "staff");
    let [ann, bob, eve] = ["ann", "bob", "eve"].map(|code| person(store, code));
    let both = domain::PersonChange { libraries: Some(vec![staff, LibraryId::DEFAULT]), ..Default::default() };
    store.update_person(ann, &both, at(0)).unwrap();
    for (seconds, who, task) in [
        (1, bob, (7, Direction::Entry)),
        (10, ann, (7, Direction::Entry)),
        (12, ann, (7, Direction::Exit)),
        (13, eve, (8, Direction::Entry)),
        (20, bob, (7, Direction::Entry)),
    ] {
        store.append_record(&sighted(store, 1, seconds, &candidate(who.0, 1, 0.9), &[task])).unwrap();
    }
    let roll = |libraries: &[LibraryId], seen| Roll {
        task: TaskId(7),
        libraries: libraries.to_vec(),
        captured: at(10)..=at(19),
        seen,
    };
    let was = Presence { first: at(10), last: at(12), direction: Direction::Exit };
    let all_rows = store.attendance(&roll(&[staff, LibraryId::DEFAULT], None), ALL).unwrap();
    assert_eq!(all_rows.total, 3);
    assert_eq!(all_rows.rows[0], Attendance { person: ann, seen: Some(was) });
    let people = |seen, window| {
        let page = store.attendance(&roll(&[LibraryId::DEFAULT], seen), window).unwrap();
        (page.rows.iter().map(|row| row.person).collect::<Vec<_>>(), page.total)
    };
    assert_eq!(people(Some(true), ALL), (vec![ann], 1));
    assert_eq!(people(Some(false), ALL), (vec![bob, eve], 2));
    assert_eq!(people(Some(false), Window { skip: 1, limit: 5 }), (vec![eve], 2));
    assert_eq!(store.attendance(&roll(&[], None), ALL).unwrap().total, 0);
}
