//! Templates of several embedding models.

use domain::{Embedding, Error, ModelId, PersonId, PhotoTemplate, TemplateGaps, Thing};

use super::Stores;
use super::samples::{embedding_by, model, new_person, person};

fn other() -> ModelId {
    ModelId("other/2".into())
}

fn put(store: &dyn Stores, id: PersonId) -> Embedding {
    let embedding = embedding_by(other(), 7);
    let template = PhotoTemplate { embedding: embedding.clone(), quality: 50 };
    store.put_template(id, &other(), Some(&template)).unwrap();
    embedding
}

fn known(store: &dyn Stores, model: &ModelId) -> Vec<PersonId> {
    let mut known = Vec::new();
    store.templates(model, &mut |template| known.push(template.person)).unwrap();
    known.sort_unstable();
    known
}

fn missing(store: &dyn Stores, after: PersonId, limit: u32) -> Vec<PersonId> {
    let people = store.people_without_template(&other(), after, limit).unwrap();
    people.into_iter().map(|(person, _)| person).collect()
}

/// Page by page, with their photos.
pub fn a_new_model_knows_nobody_until_templates_are_put(store: &dyn Stores) {
    let enrolled = store.insert_person(&new_person(store, "a")).unwrap();
    let (a, b, c) = (enrolled.id, person(store, "b"), person(store, "c"));
    assert_eq!(store.template_gaps(&model()).unwrap(), TemplateGaps::default());
    assert_eq!(store.template_gaps(&other()).unwrap(), TemplateGaps { missing: 3, unusable: 0 });
    assert_eq!(store.people_without_template(&other(), PersonId(0), 1).unwrap(), [(a, enrolled.photo)]);
    put(store, b);
    assert_eq!(missing(store, PersonId(0), 9), [a, c]);
    assert_eq!(missing(store, a, 9), [c]);
    assert_eq!(known(store, &other()), [b]);
    assert_eq!(store.template_gaps(&other()).unwrap().missing, 2);
}

/// Such a person is neither searched for nor asked about again.
pub fn a_photo_without_a_usable_face_is_noted(store: &dyn Stores) {
    let a = person(store, "a");
    store.put_template(a, &other(), None).unwrap();
    assert_eq!((missing(store, PersonId(0), 9), known(store, &other())), (vec![], vec![]));
    assert_eq!(store.template_gaps(&other()).unwrap(), TemplateGaps { missing: 0, unusable: 1 });
    put(store, a);
    assert_eq!(store.template_gaps(&other()).unwrap(), TemplateGaps::default());
    assert_eq!(known(store, &other()), [a]);
}

/// Going back to a model costs nothing.
pub fn the_templates_of_other_models_stay(store: &dyn Stores) {
    let a = person(store, "a");
    put(store, a);
    assert_eq!((known(store, &model()), known(store, &other())), (vec![a], vec![a]));
}

/// Never none while the person is there.
pub fn an_embedding_is_the_asked_model_s_or_the_last_one(store: &dyn Stores) {
    let a = person(store, "a");
    let first = store.embedding(a, &model()).unwrap();
    assert_eq!(store.embedding(a, &other()).unwrap(), first);
    let second = put(store, a);
    assert_eq!(store.embedding(a, &other()).unwrap(), second);
    assert_eq!(store.embedding(a, &model()).unwrap(), first);
}

/// And none comes back afterwards.
pub fn a_removed_person_leaves_no_template_of_any_model(store: &dyn Stores) {
    let a = person(store, "a");
    put(store, a);
    store.remove_person(a).unwrap();
    assert_eq!((known(store, &model()), known(store, &other())), (vec![], vec![]));
    let refused = store.put_template(a, &other(), None);
    assert!(matches!(refused, Err(Error::NotFound { what: Thing::Person })));
    assert_eq!(store.template_gaps(&other()).unwrap(), TemplateGaps::default());
}
