//! People.

use domain::{
    Category, EnrolledPerson, Error, KeptPhoto, LibraryFilter, LibraryId, Membership, ModelId, PersonChange,
    PersonFilter, PersonId, PhotoFault, Profile, Template, Thing, Timestamp, Validity,
};
use jiff::civil::{Date, date, time};

use super::Stores;
use super::samples::{
    ALL, at, embedding, embedding_by, embedding_of, full_profile, kept_photo, library, model, new_person, person,
    stranger,
};

fn person_with(store: &dyn Stores, code: &str, profile: Profile) -> EnrolledPerson {
    EnrolledPerson { profile, ..new_person(store, code) }
}

/// Their number is returned, and nothing of them is left.
pub fn everybody_is_removed_and_libraries_stay(store: &dyn Stores) {
    let staff = library(store, "staff");
    let photos: Vec<_> = ["a", "b", "c"]
        .into_iter()
        .map(|code| {
            let new = EnrolledPerson { libraries: vec![staff], ..new_person(store, code) };
            store.insert_person(&new).unwrap().photo
        })
        .collect();
    assert_eq!(store.remove_everybody().unwrap(), 3);
    store.erase_removed().unwrap();
    assert_eq!(store.people(&PersonFilter::default(), ALL).unwrap().total, 0);
    assert!(photos.iter().all(|photo| store.get(photo).is_err()));
    assert_eq!(store.libraries(&LibraryFilter::default()).unwrap().len(), 2);
    assert_eq!(store.remove_everybody().unwrap(), 0);
}

/// With all fields, by every way of reading.
pub fn a_person_reads_back_as_enrolled(store: &dyn Stores) {
    let (staff, guests) = (library(store, "staff"), library(store, "guests"));
    let mut full = person_with(store, "full-1 证", full_profile());
    full.libraries = vec![guests, staff, guests];
    let empty = person_with(store, "empty", Profile::default());
    for (new, libraries) in [(full, vec![staff, guests]), (empty, vec![LibraryId::DEFAULT])] {
        let stored = store.insert_person(&new).unwrap();
        assert_eq!((&stored.code, &stored.profile, &stored.photo), (&new.code, &new.profile, &new.photo.picture));
        assert_eq!((&stored.libraries, stored.created_at, stored.updated_at), (&libraries, new.at, new.at));
        assert_eq!(store.person(stored.id).unwrap(), stored);
        assert_eq!(store.person_by_code(&new.code).unwrap(), stored);
        assert_eq!(store.people_by_id(&[PersonId(999), stored.id]).unwrap(), std::slice::from_ref(&stored));
        assert_eq!(store.embedding(stored.id, &model()).unwrap(), embedding_of(&new));
    }
}

/// Every variant, with extreme values.
pub fn every_category_and_validity_reads_back(store: &dyn Stores) {
    let daily = Validity::DailyBetween {
        from: time(8, 30, 0, 0),
        to: time(23, 59, 59, 999_999_999),
        first: Some(date(2024, 2, 29)),
        last: Some(date(9999, 12, 31)),
    };
    let nights = |first, last| Validity::DailyBetween { from: time(22, 0, 0, 0), to: time(6, 0, 0, 0), first, last };
    let validities = [
        (Category::Staff, Validity::Permanent),
        (Category::Visitor, Validity::Between(at(-1_000_000_000), at(1))),
        (Category::Visitor, Validity::Between(at(-1_000_000_000), Timestamp::MAX)),
        (Category::Visitor, Validity::Between(Timestamp::MIN, at(1))),
        (Category::Blocked, daily),
        (Category::Staff, nights(None, Some(Date::MAX))),
        (Category::Staff, nights(Some(date(1, 1, 1)), None)),
        (Category::Staff, nights(None, None)),
        (Category::Stranger, Validity::Uses(0)),
        (Category::Vip, Validity::Uses(u32::MAX)),
    ];
    for (number, (category, validity)) in validities.into_iter().enumerate() {
        let profile = Profile { category, validity, ..Profile::default() };
        let stored = store.insert_person(&person_with(store, &format!("p{number}"), profile.clone())).unwrap();
        assert_eq!(store.person(stored.id).unwrap().profile, profile);
    }
}

/// At least one, and only existing ones; otherwise nothing is stored.
pub fn a_person_needs_existing_libraries(store: &dyn Stores) {
    let mut new = new_person(store, "a");
    new.libraries = vec![LibraryId::DEFAULT, LibraryId(99)];
    assert!(matches!(store.insert_person(&new), Err(Error::NotFound { what: Thing::Library })));
    new.libraries = vec![];
    assert!(matches!(store.insert_person(&new), Err(Error::Invalid { field: "libraries", .. })));
    assert_eq!(store.people(&Default::default(), ALL).unwrap().total, 0);
    new.libraries = vec![LibraryId::DEFAULT];
    store.insert_person(&new).unwrap();
}

/// In any library; the first person stays unchanged.
pub fn a_code_is_unique(store: &dyn Stores) {
    let staff = library(store, "staff");
    let first = store.insert_person(&new_person(store, "a")).unwrap();
    let mut again = new_person(store, "a");
    again.libraries = vec![staff];
    assert!(matches!(store.insert_person(&again), Err(Error::AlreadyExists { what: Thing::PersonCode })));
    assert_eq!(store.person_by_code(&first.code).unwrap(), first);
}

/// Neither to two people nor twice to one; it is free again after its holder was removed.
pub fn a_card_number_belongs_to_one_person(store: &dyn Stores) {
    let with_cards =
        |cards: &[&str]| Profile { cards: cards.iter().map(|card| (*card).to_owned()).collect(), ..Profile::default() };
    let holder = store.insert_person(&person_with(store, "a", with_cards(&["1", "2"]))).unwrap().id;
    let taken = store.insert_person(&person_with(store, "b", with_cards(&["3", "2"])));
    assert!(matches!(taken, Err(Error::Invalid { field: "cards", .. })));
    let twice = store.insert_person(&person_with(store, "c", with_cards(&["4", "4"])));
    assert!(matches!(twice, Err(Error::Invalid { field: "cards", .. })));
    let kept = PersonChange { profile: Some(with_cards(&["2", "5"])), ..Default::default() };
    store.update_person(holder, &kept, at(1)).unwrap();
    store.insert_person(&person_with(store, "d", with_cards(&["1", "3", "4"]))).unwrap();
    store.remove_person(holder).unwrap();
    store.insert_person(&person_with(store, "e", with_cards(&["2", "5"]))).unwrap();
}

/// A row never names a picture that is not stored.
pub fn a_person_needs_a_stored_photo(store: &dyn Stores) {
    let mut new = new_person(store, "a");
    new.photo.picture = "00".repeat(32).parse().unwrap();
    assert!(matches!(store.insert_person(&new), Err(Error::NotFound { what: Thing::Picture })));
}

/// Including its lists; the enrolment time stays.
pub fn a_profile_changes_as_a_whole(store: &dyn Stores) {
    let id = store.insert_person(&person_with(store, "a", full_profile())).unwrap().id;
    let profile = Profile { name: "B".into(), permission_groups: vec!["x".into()], ..Profile::default() };
    let change = PersonChange { profile: Some(profile.clone()), ..Default::default() };
    let changed = store.update_person(id, &change, at(9)).unwrap();
    assert_eq!((&changed.profile, changed.created_at, changed.updated_at), (&profile, at(0), at(9)));
    assert_eq!(changed.libraries, [LibraryId::DEFAULT]);
    assert_eq!(store.person(id).unwrap(), changed);
}

/// People whose passes are not counted are not limited.
pub fn counted_passes_are_used_up(store: &dyn Stores) {
    let mut new = new_person(store, "visitor");
    new.profile.validity = Validity::Uses(2);
    let visitor = store.insert_person(&new).unwrap().id;
    assert_eq!([(); 4].map(|()| store.count_use(visitor).unwrap()), [true, true, false, false]);
    assert_eq!(store.person(visitor).unwrap().profile.validity, Validity::Uses(0));
    let staff = person(store, "staff");
    let before = store.person(staff).unwrap();
    assert_eq!([(); 3].map(|()| store.count_use(staff).unwrap()), [true; 3]);
    assert_eq!(store.person(staff).unwrap(), before);
    assert!(matches!(store.count_use(PersonId(99)), Err(Error::NotFound { what: Thing::Person })));
}

/// Neither part of it.
pub fn a_refused_change_changes_nothing(store: &dyn Stores) {
    let before = store.insert_person(&person_with(store, "a", full_profile())).unwrap();
    let change =
        PersonChange { profile: Some(Profile::default()), libraries: Some(vec![LibraryId(99)]), ..Default::default() };
    let refused = store.update_person(before.id, &change, at(9));
    assert!(matches!(refused, Err(Error::NotFound { what: Thing::Library })));
    let change = PersonChange { profile: Some(Profile::default()), libraries: Some(vec![]), ..Default::default() };
    let refused = store.update_person(before.id, &change, at(9));
    assert!(matches!(refused, Err(Error::Invalid { field: "libraries", .. })));
    assert_eq!(store.person(before.id).unwrap(), before);
}

/// The former photo is removed with its templates of all models.
pub fn another_photo_replaces_the_former_one(store: &dyn Stores) {
    let before = store.insert_person(&new_person(store, "a")).unwrap();
    let other = ModelId("other".into());
    store.put_template(before.id, &other, Err(PhotoFault::NoFace)).unwrap();
    let photo = kept_photo(store, "another photo", embedding(7));
    let picture = photo.picture.clone();
    let change = PersonChange { photo: Some(photo), ..Default::default() };
    let changed = store.update_person(before.id, &change, at(9)).unwrap();
    assert_eq!((&changed.photo, &changed.profile, changed.updated_at), (&picture, &before.profile, at(9)));
    assert!(store.get(&before.photo).is_err() && store.get(&picture).is_ok());
    assert_eq!(store.embedding(before.id, &model()).unwrap(), embedding(7));
    assert_eq!(store.template_gaps(&other).unwrap().missing, 1, "its description was of the former photo");
    let missing = KeptPhoto { picture: "00".repeat(32).parse().unwrap(), ..kept_photo(store, "a third", embedding(8)) };
    let refused = store.update_person(before.id, &PersonChange { photo: Some(missing), ..Default::default() }, at(10));
    assert!(matches!(refused, Err(Error::NotFound { what: Thing::Picture })));
    assert_eq!(store.person(before.id).unwrap(), changed);
}

/// The set is replaced; ascending and without duplicates.
pub fn a_person_moves_between_libraries(store: &dyn Stores) {
    let (staff, guests) = (library(store, "staff"), library(store, "guests"));
    let id = person(store, "a");
    let change = PersonChange { libraries: Some(vec![guests, staff, guests]), ..Default::default() };
    assert_eq!(store.update_person(id, &change, at(1)).unwrap().libraries, [staff, guests]);
    let mut seen = Vec::new();
    store.templates(&model(), &mut |template| seen.push(template.membership.libraries)).unwrap();
    assert_eq!(seen, [[staff, guests]]);
}

/// By id and code, for reading and writing.
pub fn unknown_people_are_not_found(store: &dyn Stores) {
    let removed = person(store, "a");
    store.remove_person(removed).unwrap();
    let code = "a".parse().unwrap();
    let answers = [
        store.person(removed).map(drop),
        store.person_by_code(&code).map(drop),
        store.update_person(removed, &PersonChange::default(), at(0)).map(drop),
        store.embedding(removed, &model()).map(drop),
        store.remove_person(removed),
    ];
    for answer in answers {
        assert!(matches!(answer, Err(Error::NotFound { what: Thing::Person })), "{answer:?}");
    }
    assert_eq!(store.people_by_id(&[removed]).unwrap(), []);
}

/// Row, embedding and photo are removed; the code is free again.
pub fn a_removed_person_leaves_nothing(store: &dyn Stores) {
    let removed = store.insert_person(&person_with(store, "a", full_profile())).unwrap();
    store.remove_person(removed.id).unwrap();
    assert!(matches!(store.get(&removed.photo), Err(Error::NotFound { what: Thing::Picture })));
    assert_eq!(store.people(&Default::default(), ALL).unwrap().total, 0);
    store.templates(&model(), &mut |_| panic!("a template is left")).unwrap();
    store.insert_person(&person_with(store, "a", full_profile())).unwrap();
}

/// While another person or a record names it.
pub fn a_shared_photo_outlives_one_of_its_people(store: &dyn Stores) {
    let first = store.insert_person(&new_person(store, "a")).unwrap();
    let mut second = new_person(store, "b");
    second.photo.picture = store.put(&store.get(&first.photo).unwrap()).unwrap();
    let second = store.insert_person(&second).unwrap();
    assert_eq!(first.photo, second.photo);
    store.remove_person(first.id).unwrap();
    store.get(&second.photo).unwrap();

    let mut record = stranger(store, 1, 0);
    record.capture.crop = store.put(&store.get(&second.photo).unwrap()).unwrap();
    store.append_record(&record).unwrap();
    store.remove_person(second.id).unwrap();
    store.get(&second.photo).unwrap();
}

/// A person is enrolled with a photo while the only other person with the same photo is removed.
pub fn a_photo_put_again_survives_the_removal_of_its_last_person(store: &dyn Stores) {
    let first = store.insert_person(&new_person(store, "a")).unwrap();
    let mut second = new_person(store, "b");
    second.photo.picture = store.put(&store.get(&first.photo).unwrap()).unwrap();
    store.remove_person(first.id).unwrap();
    let second = store.insert_person(&second).unwrap();
    store.get(&second.photo).unwrap();
    store.remove_person(second.id).unwrap();
    assert!(matches!(store.get(&second.photo), Err(Error::NotFound { what: Thing::Picture })));
}

/// Not even after the newest was removed.
pub fn a_person_id_is_never_reused(store: &dyn Stores) {
    let first = person(store, "a");
    store.remove_person(first).unwrap();
    assert!(person(store, "a") > first);
}

/// Each person once, with any number of libraries.
pub fn templates_carry_memberships_and_their_own_model_only(store: &dyn Stores) {
    let staff = library(store, "staff");
    let mut expected = Vec::new();
    let both = vec![LibraryId::DEFAULT, staff];
    for (code, libraries, groups) in [("a", both, 2), ("b", vec![staff], 0), ("c", vec![staff], 1)] {
        let permission_groups = ["lab".into(), "gate".into()].into_iter().take(groups).collect();
        let profile = Profile { permission_groups, ..Profile::default() };
        let new = EnrolledPerson { libraries: libraries.clone(), ..person_with(store, code, profile) };
        let person = store.insert_person(&new).unwrap().id;
        let embedding = embedding_of(&new);
        let membership = Membership { libraries, permission_groups: new.profile.permission_groups };
        expected.push(Template { person, membership, embedding });
    }
    let other = ModelId("other/2".into());
    let photo = kept_photo(store, "another photo", embedding_by(other.clone(), 1));
    let foreign = EnrolledPerson { photo, ..new_person(store, "d") };
    let foreign = store.insert_person(&foreign).unwrap().id;

    let templates = |model: &ModelId| {
        let mut seen = Vec::new();
        store.templates(model, &mut |template| seen.push(template)).unwrap();
        seen.sort_by_key(|template| template.person);
        seen
    };
    assert_eq!(templates(&model()), expected);
    assert_eq!(templates(&other).iter().map(|template| template.person).collect::<Vec<_>>(), [foreign]);
}
