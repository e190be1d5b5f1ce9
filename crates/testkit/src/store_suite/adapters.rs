//! What adapters keep.

use domain::{PersonId, Seq};

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
