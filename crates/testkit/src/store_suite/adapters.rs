//! What adapters keep.

use domain::{JobItem, PersonId, Seq};

use super::{Stores, samples};

/// Per adapter and feed; a feed may be sent back.
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

/// The same key of another adapter is another value.
pub fn an_adapter_sees_only_its_own_values(store: &dyn Stores) {
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

/// A person nobody knows cannot be annotated.
pub fn a_note_on_a_person_goes_with_the_person(store: &dyn Stores) {
    let (ada, bob) = (samples::person(store, "ada"), samples::person(store, "bob"));
    store.annotate("a", ada, Some("1")).unwrap();
    store.annotate("a", ada, Some("2")).unwrap();
    store.annotate("b", ada, Some("3")).unwrap();
    assert_eq!(store.annotations("a", &[bob, ada]).unwrap(), [(ada, "2".to_owned())]);
    store.annotate("a", ada, None).unwrap();
    assert_eq!(store.annotations("a", &[ada]).unwrap(), []);
    store.remove_person(ada).unwrap();
    assert_eq!(store.annotations("b", &[ada]).unwrap(), []);
    assert!(store.annotate("b", PersonId(99), Some("x")).is_err());
}

/// Until it ends, with what came of each item; another adapter does not see it.
pub fn a_job_is_kept_until_it_ends(store: &dyn Stores) {
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
    assert!(store.begin_job("a", "third", &[]).unwrap() > second, "a number is used once");
}
