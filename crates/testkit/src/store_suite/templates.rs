//! Templates of several embedding models.

use domain::{
    Description, Embedding, EnrolledPerson, Enrolment, Error, KeptPhoto, ModelId, PersonChange, PersonId, PhotoFault,
    PhotoTemplate, TemplateGaps, Thing,
};

use super::Stores;
use super::samples::{at, embedding_by, kept_photo, model, new_person, person};

fn other() -> ModelId {
    ModelId("other/2".into())
}

fn put(store: &dyn Stores, id: PersonId) -> Embedding {
    let embedding = embedding_by(other(), 7);
    let template = PhotoTemplate { embedding: embedding.clone(), quality: 50 };
    store.put_template(id, &other(), Ok(&template)).unwrap();
    embedding
}

fn enrolled_by(store: &dyn Stores, model: &ModelId) -> Vec<PersonId> {
    let mut known = Vec::new();
    store.templates(model, &mut |template| known.push(template.person)).unwrap();
    known.sort_unstable();
    known
}

fn missing(store: &dyn Stores, after: PersonId, limit: u32) -> Vec<PersonId> {
    let people = store.people_without_template(&other(), after, limit).unwrap();
    people.into_iter().map(|(person, _)| person).collect()
}

/// People without a template are listed in pages, with their photos.
pub fn a_new_model_has_no_templates_until_they_are_put(store: &dyn Stores) {
    let enrolled = store.insert_person(&new_person(store, "a")).unwrap();
    let (a, b, c) = (enrolled.id, person(store, "b"), person(store, "c"));
    assert_eq!(store.template_gaps(&model()).unwrap(), TemplateGaps::default());
    assert_eq!(store.template_gaps(&other()).unwrap(), TemplateGaps { missing: 3, unusable: 0 });
    assert_eq!(store.people_without_template(&other(), PersonId(0), 1).unwrap(), [(a, enrolled.photo)]);
    put(store, b);
    assert_eq!(missing(store, PersonId(0), 9), [a, c]);
    assert_eq!(missing(store, a, 9), [c]);
    assert_eq!(enrolled_by(store, &other()), [b]);
    assert_eq!(store.template_gaps(&other()).unwrap().missing, 2);
}

/// Such a person has no template and is not listed again.
pub fn a_photo_without_a_usable_face_is_recorded(store: &dyn Stores) {
    let a = person(store, "a");
    store.put_template(a, &other(), Err(PhotoFault::NoFace)).unwrap();
    assert_eq!((missing(store, PersonId(0), 9), enrolled_by(store, &other())), (vec![], vec![]));
    assert_eq!(store.template_gaps(&other()).unwrap(), TemplateGaps { missing: 0, unusable: 1 });
    put(store, a);
    assert_eq!(store.template_gaps(&other()).unwrap(), TemplateGaps::default());
    assert_eq!(enrolled_by(store, &other()), [a]);
}

/// Going back to a model needs no re-embedding.
pub fn the_templates_of_other_models_stay(store: &dyn Stores) {
    let a = person(store, "a");
    put(store, a);
    assert_eq!((enrolled_by(store, &model()), enrolled_by(store, &other())), (vec![a], vec![a]));
}

/// There is always one while the person exists.
pub fn an_embedding_is_of_the_requested_model_or_the_latest(store: &dyn Stores) {
    let a = person(store, "a");
    let first = store.embedding(a, &model()).unwrap();
    assert_eq!(store.embedding(a, &other()).unwrap(), first);
    let second = put(store, a);
    assert_eq!(store.embedding(a, &other()).unwrap(), second);
    assert_eq!(store.embedding(a, &model()).unwrap(), first);
}

/// None can be put afterwards.
pub fn a_removed_person_leaves_no_template_of_any_model(store: &dyn Stores) {
    let a = person(store, "a");
    put(store, a);
    store.remove_person(a).unwrap();
    assert_eq!((enrolled_by(store, &model()), enrolled_by(store, &other())), (vec![], vec![]));
    let refused = store.put_template(a, &other(), Err(PhotoFault::NoFace));
    assert!(matches!(refused, Err(Error::NotFound { what: Thing::Person })));
    assert_eq!(store.template_gaps(&other()).unwrap(), TemplateGaps::default());
}

/// Only the model in use counts.
pub fn people_are_enrolled_once_the_model_in_use_has_their_template(store: &dyn Stores) {
    store.use_model(&model()).unwrap();
    let (a, b, c) = (person(store, "a"), person(store, "b"), person(store, "c"));
    let states = || [a, b, c].map(|id| store.person(id).unwrap().enrolment);
    assert_eq!((states(), store.people_not_enrolled().unwrap()), ([Enrolment::Enrolled; 3], 0));
    put(store, b);
    assert_eq!(states(), [Enrolment::Enrolled; 3], "another model does not count");
    store.use_model(&other()).unwrap();
    assert_eq!(states(), [Enrolment::Pending, Enrolment::Enrolled, Enrolment::Pending]);
    put(store, a);
    store.put_template(c, &other(), Err(PhotoFault::ManyFaces)).unwrap();
    let failed = Enrolment::Failed(PhotoFault::ManyFaces);
    assert_eq!(
        (states(), store.people_not_enrolled().unwrap()),
        ([Enrolment::Enrolled, Enrolment::Enrolled, failed], 1)
    );
    store.use_model(&model()).unwrap();
    assert_eq!(states(), [Enrolment::Enrolled; 3]);
}

/// Pending or failed.
pub fn a_person_without_a_template_is_kept_with_the_reason(store: &dyn Stores) {
    store.use_model(&model()).unwrap();
    let kept = |code: &str, described| {
        let new = new_person(store, code);
        let photo = KeptPhoto { described, ..new.photo };
        store.insert_person(&EnrolledPerson { photo, ..new }).unwrap()
    };
    let faulty = kept("a", Description::Unusable(PhotoFault::LowQuality));
    let waiting = kept("b", Description::Pending);
    assert_eq!((faulty.enrolment, waiting.enrolment), (Enrolment::Failed(PhotoFault::LowQuality), Enrolment::Pending));
    assert_eq!((enrolled_by(store, &model()), store.people_not_enrolled().unwrap()), (vec![], 2));
    let still_missing = store.people_without_template(&model(), PersonId(0), 9).unwrap();
    assert_eq!(still_missing, [(waiting.id, waiting.photo.clone())], "only pending photos");
    assert!(matches!(store.embedding(faulty.id, &model()), Err(Error::NoFace)));
    let photo = kept_photo(store, "a better one", embedding_by(model(), 3));
    let change = PersonChange { photo: Some(photo), ..Default::default() };
    assert_eq!(store.update_person(faulty.id, &change, at(1)).unwrap().enrolment, Enrolment::Enrolled);
    assert_eq!(enrolled_by(store, &model()), [faulty.id]);
    store.remove_person(waiting.id).unwrap();
    assert_eq!(store.people_not_enrolled().unwrap(), 0);
}
