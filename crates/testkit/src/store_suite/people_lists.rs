//! Lists of people.

use domain::{
    AnyOf, Category, EnrolledPerson, Gender, LibraryChange, LibraryId, LibraryKind, PersonChange, PersonFilter,
    PersonId, Profile, Window,
};

use super::Stores;
use super::samples::{ALL, at, library, new_person};

fn ids(store: &dyn Stores, filter: &PersonFilter, window: Window) -> Vec<PersonId> {
    store.people(filter, window).unwrap().rows.into_iter().map(|person| person.id).collect()
}

/// Ties in time are ordered by id; every window is right.
pub fn people_come_newest_first_page_by_page(store: &dyn Stores) {
    let mut expected: Vec<PersonId> = Vec::new();
    for (number, time) in [5, 1, 3, 3, 3, 2, 4].into_iter().enumerate() {
        let mut new = new_person(store, &format!("p{number}"));
        new.at = at(time);
        expected.push(store.insert_person(&new).unwrap().id);
    }
    expected = [0, 6, 4, 3, 2, 5, 1].map(|place| expected[place]).to_vec();
    for filter in [PersonFilter::default(), PersonFilter { library: Some(LibraryId::DEFAULT), ..Default::default() }] {
        for skip in 0..9 {
            for limit in 0..9 {
                let page = store.people(&filter, Window { skip, limit }).unwrap();
                let rows: Vec<PersonId> = page.rows.iter().map(|person| person.id).collect();
                let window: Vec<PersonId> = expected.iter().copied().skip(skip as usize).take(limit as usize).collect();
                assert_eq!((page.total, rows), (7, window), "skip {skip} limit {limit}");
            }
        }
    }
}

struct People {
    staff: LibraryId,
    ann: PersonId,
    bob: PersonId,
    eve: PersonId,
}

/// Eve is the oldest, Ann the newest.
fn people(store: &dyn Stores) -> People {
    let staff = library(store, "staff");
    let enrol = |code: &str, time: i64, libraries: &[LibraryId], gender, age, address: &str| {
        let mut new = new_person(store, code);
        new.at = at(time);
        new.libraries = libraries.to_vec();
        let document_number = format!("ID-{code}");
        new.profile =
            Profile { name: code.into(), document_number, gender, age, address: address.into(), ..Profile::default() };
        store.insert_person(&new).unwrap().id
    };
    let eve = enrol("Eve", 1, &[LibraryId::DEFAULT], None, None, "");
    let bob = enrol("Bob", 2, &[staff], Some(Gender::Male), Some(35), "Harbour 7");
    let ann = enrol("Ann", 3, &[staff, LibraryId::DEFAULT], Some(Gender::Female), Some(53), "harbour 7");
    People { staff, ann, bob, eve }
}

/// Each condition alone.
pub fn each_condition_finds_its_people(store: &dyn Stores) {
    let People { staff, ann, bob, eve } = people(store);
    let none = PersonFilter::default;
    let block = LibraryChange { kind: Some(LibraryKind::Block), ..Default::default() };
    store.update_library(LibraryId::DEFAULT, &block, at(9)).unwrap();
    let blocked =
        Profile { category: Category::Blocked, cards: vec!["17".into()], ..store.person(bob).unwrap().profile };
    store.update_person(bob, &PersonChange { profile: Some(blocked), ..Default::default() }, at(9)).unwrap();
    let free = store.insert_person(&EnrolledPerson { libraries: vec![staff], ..new_person(store, "free") }).unwrap().id;
    let table = [
        (PersonFilter { name_part: Some("nN".into()), ..none() }, vec![ann]),
        (PersonFilter { name_part: Some("%".into()), ..none() }, vec![]),
        (PersonFilter { card: Some("17".into()), ..none() }, vec![bob]),
        (PersonFilter { card: Some("1".into()), ..none() }, vec![]),
        (PersonFilter { blocked: Some(true), ..none() }, vec![ann, bob, eve]),
        (PersonFilter { blocked: Some(false), ..none() }, vec![free]),
        (PersonFilter { blocked: Some(true), library: Some(staff), ..none() }, vec![ann, bob]),
    ];
    for (filter, expected) in table {
        assert_eq!(ids(store, &filter, ALL), expected, "{filter:?}");
    }
    store.remove_person(free).unwrap();
    let table = [
        (none(), vec![ann, bob, eve]),
        (PersonFilter { library: Some(staff), ..none() }, vec![ann, bob]),
        (PersonFilter { library: Some(LibraryId(99)), ..none() }, vec![]),
        (PersonFilter { name: Some("Bob".into()), ..none() }, vec![bob]),
        (PersonFilter { name: Some("bOB".into()), ..none() }, vec![bob]),
        (PersonFilter { name: Some("Bo".into()), ..none() }, vec![]),
        (PersonFilter { document_number: Some("ID-Eve".into()), ..none() }, vec![eve]),
        (PersonFilter { document_number_part: Some("id-e".into()), ..none() }, vec![eve]),
        (PersonFilter { document_number_part: Some("D-".into()), library: Some(staff), ..none() }, vec![ann, bob]),
        (PersonFilter { gender: Some(Gender::Female), ..none() }, vec![ann]),
        (PersonFilter { gender_unstated: true, ..none() }, vec![eve]),
        (PersonFilter { age: Some(35), ..none() }, vec![bob]),
        (PersonFilter { address: Some("harbour 7".into()), ..none() }, vec![ann]),
        (PersonFilter { created_from: Some(at(2)), ..none() }, vec![ann, bob]),
        (PersonFilter { created_to: Some(at(2)), ..none() }, vec![bob, eve]),
    ];
    for (filter, expected) in table {
        assert_eq!(ids(store, &filter, ALL), expected, "{filter:?}");
        assert_eq!(store.people(&filter, ALL).unwrap().total, expected.len() as u64, "{filter:?}");
    }
}

/// With AND, whichever the store evaluates first.
pub fn conditions_are_combined(store: &dyn Stores) {
    let People { staff, ann, bob, eve } = people(store);
    let none = PersonFilter::default;
    let table = [
        (PersonFilter { library: Some(staff), gender: Some(Gender::Male), ..none() }, vec![bob]),
        (PersonFilter { library: Some(staff), name: Some("Ann".into()), ..none() }, vec![ann]),
        (PersonFilter { library: Some(staff), name: Some("Eve".into()), ..none() }, vec![]),
        (PersonFilter { library: Some(staff), created_to: Some(at(2)), age: Some(35), ..none() }, vec![bob]),
        (PersonFilter { name: Some("Ann".into()), age: Some(35), ..none() }, vec![]),
        (PersonFilter { created_from: Some(at(1)), created_to: Some(at(1)), ..none() }, vec![eve]),
    ];
    for (filter, expected) in table {
        assert_eq!(ids(store, &filter, ALL), expected, "{filter:?}");
    }
    let mut all = PersonFilter {
        library: Some(staff),
        name: Some("Ann".into()),
        document_number: Some("ID-Ann".into()),
        gender: Some(Gender::Female),
        age: Some(53),
        address: Some("harbour 7".into()),
        created_from: Some(at(3)),
        created_to: Some(at(3)),
        any: Some(AnyOf { text: "nn".into(), ..AnyOf::default() }),
        name_part: Some("n".into()),
        ..none()
    };
    assert_eq!(ids(store, &all, ALL), [ann]);
    all.address = Some("elsewhere".into());
    assert_eq!(ids(store, &all, ALL), []);
}

/// Parts of texts in any letter case, digits of the age, or the gender; no character is special.
pub fn any_one_field_suffices(store: &dyn Stores) {
    let People { staff, ann, bob, eve } = people(store);
    let any = |text: &str, age: Option<&str>, gender| AnyOf { text: text.into(), age: age.map(Into::into), gender };
    let table = [
        (any("EV", None, None), vec![eve]),
        (any("id-b", None, None), vec![bob]),
        (any("HARBOUR", None, None), vec![ann, bob]),
        (any("%", None, None), vec![]),
        (any("_", None, None), vec![]),
        (any("", Some("3"), None), vec![ann, bob]),
        (any("", Some("53"), None), vec![ann]),
        (any("", None, Some(Gender::Male)), vec![bob]),
        (any("eve", Some("35"), None), vec![bob, eve]),
    ];
    for (any, expected) in table {
        let filter = PersonFilter { any: Some(any), ..Default::default() };
        assert_eq!(ids(store, &filter, ALL), expected, "{filter:?}");
    }
    let in_staff = PersonFilter { library: Some(staff), any: Some(any("eve", Some("35"), None)), ..Default::default() };
    assert_eq!(ids(store, &in_staff, ALL), [bob]);
}

/// Also in any script; no character is special.
pub fn names_are_found_in_any_letter_case_and_encoding(store: &dyn Stores) {
    let names = ["Иван Петров", "Jose\u{301} 100%_", "Straße", "Ａｎｎ", "ΝΊΚΟΣ", "張三"];
    let mut found = Vec::new();
    for (number, name) in names.into_iter().enumerate() {
        let mut new = new_person(store, &format!("p{number}"));
        new.at = at(number as i64);
        new.profile = Profile { name: name.into(), address: format!("{name} str."), ..Profile::default() };
        found.push(store.insert_person(&new).unwrap().id);
    }
    let table = [
        ("иван", vec![0]),
        ("ВАН П", vec![0]),
        ("JOSÉ", vec![1]),
        ("jose\u{301}", vec![1]),
        ("jose", vec![]),
        ("%_", vec![1]),
        ("_o", vec![]),
        ("STRASSE", vec![2]),
        ("aẞe", vec![2]),
        ("ann", vec![3]),
        ("ＡＮＮ", vec![3]),
        ("νίκος", vec![4]),
        ("张三", vec![]),
        ("三", vec![5]),
    ];
    for (part, expected) in table {
        let expected: Vec<PersonId> = expected.into_iter().map(|number: usize| found[number]).collect();
        let in_library = Some(LibraryId::DEFAULT);
        for filter in [
            PersonFilter { name_part: Some(part.into()), ..Default::default() },
            PersonFilter { name_part: Some(part.into()), library: in_library, ..Default::default() },
            PersonFilter { any: Some(AnyOf { text: part.into(), ..AnyOf::default() }), ..Default::default() },
        ] {
            assert_eq!(ids(store, &filter, ALL), expected, "{filter:?}");
        }
    }
    let whole = [("ИВАН ПЕТРОВ", vec![0]), ("иван", vec![]), ("josé 100%_", vec![1]), ("strasse", vec![2])];
    for (name, expected) in whole {
        let expected: Vec<PersonId> = expected.into_iter().map(|number: usize| found[number]).collect();
        for library in [None, Some(LibraryId::DEFAULT)] {
            let filter = PersonFilter { name: Some(name.into()), library, ..Default::default() };
            assert_eq!(ids(store, &filter, ALL), expected, "{filter:?}");
        }
    }
    let renamed = Profile { name: "Пётр".into(), ..Profile::default() };
    store.update_person(found[0], &PersonChange { profile: Some(renamed), ..Default::default() }, at(9)).unwrap();
    for (part, expected) in [("ПЁТР", vec![found[0]]), ("пе\u{308}тр", vec![found[0]]), ("иван", vec![])] {
        let filter = PersonFilter { name_part: Some(part.into()), ..Default::default() };
        assert_eq!(ids(store, &filter, ALL), expected, "{part}");
    }
}

/// An empty text is not a condition.
pub fn empty_conditions_match_all_people(store: &dyn Stores) {
    let People { ann, bob, eve, .. } = people(store);
    for age in [None, Some(String::new())] {
        let filter = PersonFilter { any: Some(AnyOf { age, ..AnyOf::default() }), ..Default::default() };
        assert_eq!(ids(store, &filter, ALL), [ann, bob, eve]);
    }
}
