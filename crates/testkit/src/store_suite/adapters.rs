//! State of adapters.

use domain::{
    CameraChange, EnrolledPerson, JobItem, LibraryChange, LibraryKind, NewCamera, NewLibrary, Note, Noted,
    PersonChange, Seq,
};

use super::{Stores, samples};

/// Per adapter and feed; a cursor may go back.
pub fn a_feed_remembers_its_place(store: &dyn Stores) {
    assert_eq!(store.cursor("a", "push").unwrap(), None);
    store.set_cursor("a", "push", Seq(7)).unwrap();
    store.set_cursor("a", "other", Seq(8)).unwrap();
    store.set_cursor("b", "push", Seq(9)).unwrap();
    store.set_cursor("a", "push", Seq(5)).unwrap();
    let places = [("a", "push"), ("a", "other"), ("b", "push"), ("b", "other")];
    let read = places.map(|(adapter, feed)| store.cursor(adapter, feed).unwrap());
    assert_eq!(read, [Some(Seq(5)), Some(Seq(8)), Some(Seq(9)), None]);
}

/// The same key of another adapter is a different value.
pub fn values_of_adapters_are_separate(store: &dyn Stores) {
    assert_eq!(store.value("a", "key").unwrap(), None);
    store.set_value("a", "key", Some("1")).unwrap();
    store.set_value("b", "key", Some("2")).unwrap();
    store.set_value("a", "key", Some("3")).unwrap();
    assert_eq!(store.value("a", "key").unwrap().as_deref(), Some("3"));
    store.set_value("a", "key", None).unwrap();
    store.set_value("a", "key", None).unwrap();
    assert_eq!(store.value("a", "key").unwrap(), None);
    assert_eq!(store.value("b", "key").unwrap().as_deref(), Some("2"));
}

fn note(adapter: &'static str, text: &str) -> Option<Note> {
    Some(Note { adapter, text: (!text.is_empty()).then(|| text.to_owned()) })
}

/// It is written and changed in the transaction of the person.
pub fn a_note_on_a_person_is_removed_with_the_person(store: &dyn Stores) {
    let new = EnrolledPerson { note: note("a", "1"), ..samples::new_person(store, "ada") };
    let (ada, bob) = (store.insert_person(&new).unwrap().id, samples::person(store, "bob"));
    let change = |note| store.update_person(ada, &PersonChange { note, ..Default::default() }, samples::at(1)).unwrap();
    let things = [Noted::Person(bob), Noted::Person(ada)];
    assert_eq!(store.notes("a", &things).unwrap(), [(ada.into(), "1".to_owned())]);
    change(note("a", "2"));
    change(note("b", "3"));
    change(None);
    assert_eq!(store.notes("a", &things).unwrap(), [(ada.into(), "2".to_owned())]);
    change(note("a", ""));
    assert_eq!(store.notes("a", &things).unwrap(), []);
    store.remove_person(ada).unwrap();
    assert_eq!(store.notes("b", &things).unwrap(), []);
}

/// A later camera on the same channel has none.
pub fn notes_on_libraries_cameras_and_tasks_are_removed_with_them(store: &dyn Stores) {
    let new = NewLibrary { note: note("a", "library"), ..samples::new_library("staff", LibraryKind::Allow) };
    let library = store.create_library(&new, samples::at(0)).unwrap().id;
    let new = NewCamera { note: note("a", "camera"), ..samples::new_camera([]) };
    let camera = store.insert_camera(&new, 3, samples::at(0)).unwrap().id;
    let settings = samples::task("hall", &[camera], &[]);
    let task = store.insert_task(&settings, note("a", "task").as_ref(), samples::at(0)).unwrap().id;
    let things = [Noted::from(library), camera.into(), task.into()];
    let kept = || store.notes("a", &things).unwrap().into_iter().map(|(_, note)| note).collect::<Vec<_>>();
    assert_eq!(kept(), ["library", "camera", "task"]);
    let change = LibraryChange { note: note("a", "other library"), ..Default::default() };
    store.update_library(library, &change, samples::at(1)).unwrap();
    store.update_camera(camera, &CameraChange { note: note("a", "other camera"), ..Default::default() }).unwrap();
    store.update_task(task, &settings, note("a", "other task").as_ref()).unwrap();
    store.update_task(task, &settings, None).unwrap();
    assert_eq!(kept(), ["other library", "other camera", "other task"]);
    store.remove_task(task).unwrap();
    store.remove_camera(camera).unwrap();
    store.remove_library(library).unwrap();
    assert_eq!(kept(), Vec::<String>::new());
    assert_eq!(store.insert_camera(&samples::new_camera([]), 3, samples::at(2)).unwrap().id, camera);
    assert_eq!(kept(), Vec::<String>::new());
}

/// With the outcome of each item, and not visible to other adapters.
pub fn a_job_is_stored_until_it_ends(store: &dyn Stores) {
    let item =
        |about: &str, outcome: Option<&str>| JobItem { about: about.into(), outcome: outcome.map(str::to_owned) };
    let items = [item("x", None), item("y", None), item("z", Some("known"))];
    let first = store.begin_job("a", "first", &items).unwrap();
    let second = store.begin_job("a", "second", &[]).unwrap();
    store.note_outcome(first, 1, "done").unwrap();
    store.note_outcome(first, 3, "there is none").unwrap();
    let jobs = store.jobs("a").unwrap();
    assert_eq!(
        jobs.iter().map(|job| (job.id, job.about.as_str())).collect::<Vec<_>>(),
        [(first, "first"), (second, "second")]
    );
    assert_eq!(jobs[0].items, [item("x", None), item("y", Some("done")), item("z", Some("known"))]);
    assert_eq!(store.jobs("b").unwrap(), []);
    store.end_job(first).unwrap();
    store.end_job(first).unwrap();
    store.note_outcome(first, 0, "too late").unwrap();
    assert_eq!(store.jobs("a").unwrap().iter().map(|job| job.id).collect::<Vec<_>>(), [second]);
    assert!(store.begin_job("a", "third", &[]).unwrap() > second, "an id is never reused");
}
