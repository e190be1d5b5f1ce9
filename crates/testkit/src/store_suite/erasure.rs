//! Erasure of removed people from the log.

use domain::{
    Attributes, Candidate, Comparison, Correction, Direction, Door, Entry, EntryKind, Means, NamedPerson, NewEntry,
    NewRecord, Opening, Person, PersonCode, PersonId, PictureId, RecordFilter, Seq, SightingFilter, Similarity,
    Verdict, What,
};

use super::Stores;
use super::samples::{ALL, at, candidate, line_crossed, new_person, recognised, sighted};

const KINDS: [EntryKind; 4] = [EntryKind::Record, EntryKind::Correction, EntryKind::Behaviour, EntryKind::Opening];

fn named(person: &Person) -> NamedPerson {
    NamedPerson { id: person.id, code: person.code.clone(), name: person.profile.name.clone() }
}

fn candidate_of(person: &Person, similarity: f32) -> Candidate {
    let (code, name) = (person.code.clone(), person.profile.name.clone());
    Candidate { code, name, photo: person.photo.clone(), ..candidate(person.id.0, 1, similarity) }
}

/// A record of every kind, an opening, a behaviour and a correction that name this person.
fn append_all(store: &dyn Stores, person: &Person) {
    let (sure, unsure) = (candidate_of(person, 0.9), candidate_of(person, 0.3));
    let record = store.append_record(&recognised(store, 1, 1, sure.clone())).unwrap();
    store.append_record(&NewRecord { verdict: Verdict::Stranger, ..recognised(store, 1, 2, unsure) }).unwrap();
    store.append_record(&NewRecord { verdict: Verdict::Spoof, ..recognised(store, 1, 3, sure.clone()) }).unwrap();
    store.append_record(&sighted(store, 1, 4, &sure, &[(7, Direction::Entry), (8, Direction::Exit)])).unwrap();
    let append = |what| store.append(&NewEntry { at: at(5), camera: None, what }).unwrap();
    let (door, by, actor) = (Door::Own, Means::Card, "reader".to_owned());
    let person = Some(named(person));
    append(What::Opening(Opening { door, opened: true, person: person.clone(), by, actor, why: String::new() }));
    append(What::Correction(Correction { record: record.seq, shows: person, actor: "carol".into() }));
    let mut crossed = line_crossed(store, 1, 6);
    if let What::Behaviour(behaviour) = &mut crossed.what {
        let threshold = Similarity::DEFAULT_THRESHOLD;
        behaviour.comparisons =
            vec![Comparison { target: 0, attributes: Attributes::default(), threshold, best: sure }];
    }
    store.append(&crossed).unwrap();
}

fn entries(store: &dyn Stores) -> Vec<Entry> {
    store.entries_after(Seq(0), &KINDS, 1000).unwrap()
}

/// The people that an entry names.
fn people(entry: &Entry) -> Vec<(PersonId, PersonCode, String)> {
    let one = |person: &NamedPerson| (person.id, person.code.clone(), person.name.clone());
    match &entry.what {
        What::Record(record) => {
            let best = record.matches.iter().filter_map(|answer| answer.best.as_ref());
            best.map(|best| (best.person, best.code.clone(), best.name.clone())).collect()
        }
        What::Opening(opening) => opening.person.iter().map(one).collect(),
        What::Correction(correction) => correction.shows.iter().map(one).collect(),
        What::Behaviour(behaviour) => {
            let best = behaviour.comparisons.iter().map(|comparison| &comparison.best);
            best.map(|best| (best.person, best.code.clone(), best.name.clone())).collect()
        }
        What::Notice(_) | What::Clip(_) => Vec::new(),
    }
}

fn nobody() -> (PersonId, PersonCode, String) {
    (PersonId::ERASED, PersonCode::erased(), String::new())
}

/// The entries stay, with verdict, similarity, library and time; those about others say who they were.
pub fn an_erased_person_is_named_nowhere(store: &dyn Stores) {
    let [ann, ben] = ["ann", "ben"].map(|code| store.insert_person(&new_person(store, code)).unwrap());
    append_all(store, &ann);
    append_all(store, &ben);
    let before = entries(store);
    store.remove_person(ann.id).unwrap();
    store.erase_removed().unwrap();
    let after = entries(store);
    assert_eq!(after.len(), before.len());
    let (of_ann, of_ben) = after.split_at(before.len() / 2);
    assert_eq!(of_ben, &before[before.len() / 2..]);
    assert!(of_ann.iter().flat_map(people).all(|person| person == nobody()));
    let (first, former) = (of_ann[0].record().unwrap(), before[0].record().unwrap());
    let (best, was) =
        (first.own_match().unwrap().best.clone().unwrap(), former.own_match().unwrap().best.clone().unwrap());
    assert_eq!((first.verdict, &first.capture), (former.verdict, &former.capture));
    assert_eq!((best.similarity, best.library, &best.library_name), (was.similarity, was.library, &was.library_name));
    assert_eq!((&*best.document_number, &*best.address, best.gender, best.age), ("", "", None, None));
    assert_eq!(best.photo, PictureId::not_kept());
}

/// Neither by number nor by name or document.
pub fn an_erased_person_is_found_by_no_filter(store: &dyn Stores) {
    let ann = store.insert_person(&new_person(store, "ann")).unwrap();
    append_all(store, &ann);
    let filters = [
        RecordFilter { person: Some(ann.id), ..RecordFilter::default() },
        RecordFilter { name_part: Some("ann".into()), ..RecordFilter::default() },
        RecordFilter { document_number_part: Some("1234567".into()), ..RecordFilter::default() },
    ];
    let count = |filter: &RecordFilter| store.records(filter, ALL).unwrap().total;
    let sightings = |filter: &SightingFilter| store.sightings(filter, ALL).unwrap().total;
    let seen = [
        SightingFilter { person: Some(ann.id), ..SightingFilter::default() },
        SightingFilter { name_part: Some("ann".into()), ..SightingFilter::default() },
        SightingFilter { document_number: Some("AB 1234567".into()), ..SightingFilter::default() },
    ];
    assert!(filters.iter().all(|filter| count(filter) > 0) && seen.iter().all(|filter| sightings(filter) > 0));
    let all = || {
        let accepted = RecordFilter { accepted_only: true, ..RecordFilter::default() };
        (count(&RecordFilter::default()), count(&accepted), sightings(&SightingFilter::default()))
    };
    let before = all();
    store.remove_person(ann.id).unwrap();
    store.erase_removed().unwrap();
    assert_eq!(filters.each_ref().map(count), [0; 3]);
    assert_eq!(seen.each_ref().map(sightings), [0; 3]);
    assert_eq!(all(), before);
}

/// A search may have found the person before the removal.
pub fn an_entry_appended_after_the_removal_names_nobody(store: &dyn Stores) {
    let ann = store.insert_person(&new_person(store, "ann")).unwrap();
    store.remove_person(ann.id).unwrap();
    store.erase_removed().unwrap();
    append_all(store, &ann);
    assert!(entries(store).iter().flat_map(people).all(|person| person == nobody()));
}
