//! The log, with entries of all kinds.

use domain::{
    Attributes, BehaviourFilter, BehaviourKind, CameraId, Candidate, Comparison, Correction, Door, Entry, EntryKind,
    Error, Gender, Means, NamedPerson, NewEntry, NewRecord, Notice, ObjectClass, Opening, PersonId, RecordKind,
    Removal, Seq, Similarity, Thing, Timestamp, Topic, What, Window,
};

use super::Stores;
use super::samples::{ALL, at, candidate, line_crossed, recognised, stranger};

fn ada() -> NamedPerson {
    NamedPerson { id: PersonId(7), code: "code-7".parse().unwrap(), name: "Ada".into() }
}

fn opening(person: Option<NamedPerson>) -> Opening {
    let actor = "reader gate".to_owned();
    Opening { door: Door::Own, opened: true, person, by: Means::Card, actor, why: String::new() }
}

fn notice(raised: bool) -> Notice {
    let reason = if raised { "no route to host".to_owned() } else { String::new() };
    Notice { topic: Topic::Camera, subject: "3".into(), raised, reason }
}

fn append(store: &dyn Stores, seconds: i64, what: What<NewRecord>) -> Entry {
    store.append(&NewEntry { at: at(seconds), camera: None, what }).unwrap()
}

fn append_stranger(store: &dyn Stores, seconds: i64) -> Entry {
    store.append(&NewEntry::from(stranger(store, 1, seconds))).unwrap()
}

fn seqs(store: &dyn Stores, kinds: &[EntryKind]) -> Vec<Seq> {
    store.entries_after(Seq(0), kinds, 1000).unwrap().iter().map(|entry| entry.seq).collect()
}

/// With all fields.
pub fn an_entry_of_every_kind_reads_back(store: &dyn Stores) {
    let record = NewEntry::from(recognised(store, 1, 5, candidate(7, 1, 0.9)));
    let mut appended = vec![store.append(&record).unwrap()];
    let relay = Door::Relay("10.0.0.7:4196".parse().unwrap());
    for door in [Door::Own, Door::Controller, relay] {
        for (person, by) in [(Some(ada()), Means::FaceAndCard), (None, Means::Command)] {
            appended.push(append(store, 6, What::Opening(Opening { door, by, ..opening(person) })));
        }
    }
    let refused = Opening { opened: false, why: "refused".into(), ..opening(Some(ada())) };
    let seen = NewEntry { at: at(7), camera: Some(CameraId(2)), what: What::Opening(refused) };
    appended.push(store.append(&seen).unwrap());
    let mut crossed = line_crossed(store, 3, 8);
    if let What::Behaviour(behaviour) = &mut crossed.what {
        let attributes = Attributes { gender: Some(Gender::Female), age: Some(33.5), expression: None };
        let compared = |target, threshold, best| {
            let threshold = Similarity::new(threshold);
            Comparison { target, attributes, threshold, best }
        };
        let nearest = Candidate { gender: None, age: None, ..candidate(9, 2, 0.5) };
        behaviour.comparisons = vec![compared(0, 0.8, candidate(7, 1, 0.9)), compared(1, 0.75, nearest)];
    }
    let mut over = line_crossed(store, 3, 8);
    if let (What::Behaviour(over), What::Behaviour(crossed)) = (&mut over.what, &crossed.what) {
        (over.fired, over.ends, over.inwards, over.outwards) = (false, Some(crossed.id), 2, 1);
    }
    appended.extend([crossed, over, line_crossed(store, 3, 8)].map(|crossed| store.append(&crossed).unwrap()));
    for shows in [Some(ada()), None] {
        let correction = Correction { record: appended[0].seq, shows, actor: "carol".into() };
        appended.push(append(store, 8, What::Correction(correction)));
    }
    for raised in [true, false] {
        appended.push(append(store, 9, What::Notice(notice(raised))));
    }
    assert_eq!(store.entries_after(Seq(0), &EntryKind::ALL, 1000).unwrap(), appended);
}

/// In commit order, independent of time, up to the limit.
pub fn entries_are_read_by_kind(store: &dyn Stores) {
    let first = append_stranger(store, 50).seq;
    let second = append(store, 10, What::Opening(opening(None))).seq;
    let third = append_stranger(store, 20).seq;
    let fourth = append(store, 30, What::Notice(notice(true))).seq;
    assert_eq!(store.newest().unwrap(), fourth);
    assert_eq!(seqs(store, &[EntryKind::Record]), [first, third]);
    assert_eq!(seqs(store, &[EntryKind::Opening]), [second]);
    assert_eq!(seqs(store, &[EntryKind::Notice, EntryKind::Opening]), [second, fourth]);
    assert_eq!(seqs(store, &EntryKind::ALL), [first, second, third, fourth]);
    assert_eq!(seqs(store, &[]), []);
    let two = store.entries_after(first, &EntryKind::ALL, 2).unwrap();
    assert_eq!(two.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [second, third]);
    assert_eq!(store.count_between(first, fourth).unwrap(), 2);
    store.remove_entries(Removal::One(second), 1).unwrap();
    assert_eq!(store.count_between(first, fourth).unwrap(), 1);
}

/// The place before the first entry of that time or later.
pub fn places_are_found_by_time(store: &dyn Stores) {
    assert_eq!(store.place_before(at(0)).unwrap(), Seq(0));
    append_stranger(store, 10);
    append(store, 20, What::Opening(opening(None)));
    for (seconds, place) in [(0, 0), (10, 0), (11, 1), (20, 1), (21, 2)] {
        assert_eq!(store.place_before(at(seconds)).unwrap(), Seq(place), "{seconds}");
    }
}

/// By class, camera and time, the newest first, and by id.
pub fn behaviours_are_found_by_each_condition(store: &dyn Stores) {
    let [first, second, third] = [(1, 10), (2, 20), (1, 30)]
        .map(|(camera, seconds)| store.append(&line_crossed(store, camera, seconds)).unwrap());
    let all = BehaviourFilter { object: Some(ObjectClass::Person), ..BehaviourFilter::default() };
    let found = |filter: &BehaviourFilter, window| {
        let page = store.behaviours(filter, window).unwrap();
        (page.rows.into_iter().map(|found| found.at).collect::<Vec<_>>(), page.total)
    };
    let (first, second, third) = (first.at, second.at, third.at);
    assert_eq!(found(&all, ALL), (vec![third, second, first], 3));
    assert_eq!(found(&all, Window { skip: 1, limit: 1 }), (vec![second], 3));
    assert_eq!(found(&BehaviourFilter { camera: Some(CameraId(1)), ..all.clone() }, ALL), (vec![third, first], 2));
    let later = BehaviourFilter { captured: Some(at(20)..=at(99)), ..all.clone() };
    assert_eq!(found(&later, ALL), (vec![third, second], 2));
    assert_eq!(found(&BehaviourFilter { object: Some(ObjectClass::Vehicle), ..all.clone() }, ALL), (vec![], 0));
    let every = BehaviourFilter::default();
    assert_eq!(found(&BehaviourFilter { fired_only: true, ..every.clone() }, ALL), (vec![third, second, first], 3));
    assert_eq!(found(&BehaviourFilter { camera: Some(CameraId(2)), ..every.clone() }, ALL), (vec![second], 1));
    let cameras = vec![CameraId(2), CameraId(9)];
    assert_eq!(found(&BehaviourFilter { cameras, ..every.clone() }, ALL), (vec![second], 1));
    for (kind, count) in [(BehaviourKind::Line, 3), (BehaviourKind::LineCount, 0)] {
        let kinds = vec![(kind, ObjectClass::Person), (kind, ObjectClass::Dog)];
        assert_eq!(found(&BehaviourFilter { kinds, ..every.clone() }, ALL).1, count);
    }
    let row = store.behaviours(&all, ALL).unwrap().rows.remove(0);
    assert_eq!(store.behaviour(row.behaviour.id).unwrap(), row);
    let missing = store.behaviour(domain::CaptureId::random());
    assert!(matches!(missing, Err(Error::NotFound { what: Thing::Record })), "{missing:?}");
    let strangers = Removal::Before { kind: RecordKind::Strangers, from: Timestamp::MIN, time: at(30) };
    store.remove_entries(strangers, 10).unwrap();
    assert_eq!(found(&all, ALL), (vec![third], 1));
    store.get(&row.behaviour.crop).unwrap();
    store.remove_entries(Removal::Oldest, 10).unwrap();
    assert!(matches!(store.get(&row.behaviour.crop), Err(Error::NotFound { what: Thing::Picture })));
}

/// Even after the entry that raised it was removed.
pub fn a_notice_stands_until_it_is_cleared(store: &dyn Stores) {
    append(store, 1, What::Notice(notice(true)));
    let storage = Notice { topic: Topic::Storage, subject: String::new(), ..notice(true) };
    append(store, 2, What::Notice(storage.clone()));
    store.remove_entries(Removal::Oldest, 10).unwrap();
    assert_eq!(store.standing_notices().unwrap(), [notice(true), storage.clone()]);
    append(store, 3, What::Notice(notice(false)));
    assert_eq!(store.standing_notices().unwrap(), [storage]);
}

/// With every way of removal.
pub fn a_correction_needs_its_record_and_is_removed_with_it(store: &dyn Stores) {
    let record = append_stranger(store, 1).seq;
    let opening = append(store, 1, What::Opening(opening(None))).seq;
    let correct = |record| What::Correction(Correction { record, shows: None, actor: "carol".into() });
    for missing in [opening, Seq(99)] {
        let refused = store.append(&NewEntry { at: at(2), camera: None, what: correct(missing) });
        assert!(matches!(refused, Err(Error::NotFound { what: Thing::Record })), "{refused:?}");
    }
    append(store, 2, correct(record));
    assert_eq!(store.remove_entries(Removal::One(record), 1).unwrap(), 1);
    assert_eq!(seqs(store, &EntryKind::ALL), [opening]);
}

/// Openings without a person stay.
pub fn openings_for_people_are_removed_by_age(store: &dyn Stores) {
    append(store, 1, What::Opening(opening(Some(ada()))));
    let command = append(store, 1, What::Opening(opening(None))).seq;
    let later = append(store, 5, What::Opening(opening(Some(ada())))).seq;
    let before = |kind| Removal::Before { kind, from: Timestamp::MIN, time: at(5) };
    assert_eq!(store.remove_entries(before(RecordKind::Strangers), 10).unwrap(), 0);
    assert_eq!(store.remove_entries(before(RecordKind::People), 10).unwrap(), 1);
    assert_eq!(seqs(store, &EntryKind::ALL), [command, later]);
}

/// Oldest first.
pub fn entries_of_all_kinds_are_removed_up_to_a_place(store: &dyn Stores) {
    append_stranger(store, 1);
    append(store, 2, What::Opening(opening(Some(ada()))));
    let third = append(store, 3, What::Notice(notice(true))).seq;
    let fourth = append_stranger(store, 4).seq;
    assert_eq!(store.remove_entries(Removal::UpTo(third), 2).unwrap(), 2);
    assert_eq!(seqs(store, &EntryKind::ALL), [third, fourth]);
    assert_eq!(store.remove_entries(Removal::UpTo(third), 2).unwrap(), 1);
    assert_eq!(seqs(store, &EntryKind::ALL), [fourth]);
}
