//! The gallery finds exactly the people that a comparison with all templates finds, after and during changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

use domain::gallery::{Gallery, Neighbour, Query, Scope, dot};
use domain::{Embedding, LibraryId, Membership, ModelId, PersonId, Template};
use proptest::prelude::*;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

/// Not a multiple of the vector registers, so that the tail counts too.
const DIMENSIONS: usize = 19;
/// Just over two blocks, so that changes meet the edges of blocks.
const CROWD: i64 = 2_050;

fn model() -> ModelId {
    ModelId("test".into())
}

/// A vector determined by the seed.
fn embedding(seed: u32) -> Embedding {
    let component =
        |n: usize| (seed as f32 * 0.37 + n as f32 * 1.7).sin() + (seed as f32 * 1.13 * (n + 1) as f32).cos();
    Embedding::normalised(model(), (0..DIMENSIONS).map(component).collect()).unwrap()
}

#[derive(Debug, Clone)]
enum Change {
    Put { person: i64, libraries: Vec<i64>, seed: u32 },
    Remove(Vec<i64>),
    Move { person: i64, libraries: Vec<i64> },
}

fn change() -> impl Strategy<Value = Change> {
    // People near the ends of blocks, some in the middle and some new ones.
    let person = || prop_oneof![1_020..1_030i64, 2_040..2_060i64, 0..5i64];
    let libraries = || prop::collection::vec(1..4i64, 1..3);
    prop_oneof![
        (person(), libraries(), any::<u16>()).prop_map(|(person, libraries, seed)| Change::Put {
            person,
            libraries,
            seed: seed.into()
        }),
        prop::collection::vec(person(), 1..4).prop_map(Change::Remove),
        (person(), libraries()).prop_map(|(person, libraries)| Change::Move { person, libraries }),
    ]
}

fn ids(libraries: &[i64]) -> Vec<LibraryId> {
    libraries.iter().copied().map(LibraryId).collect()
}

/// In these libraries, and in a permission group named after each.
fn membership(libraries: &[i64]) -> Membership {
    Membership { libraries: ids(libraries), permission_groups: libraries.iter().map(i64::to_string).collect() }
}

fn template(person: i64, libraries: &[i64], seed: u32) -> Template {
    Template { person: PersonId(person), membership: membership(libraries), embedding: embedding(seed) }
}

/// The expected content of the gallery.
type Model = BTreeMap<PersonId, Template>;

fn apply(gallery: &Gallery, model: &mut Model, change: &Change) {
    match change {
        Change::Put { person, libraries, seed } => {
            let template = template(*person, libraries, *seed);
            model.insert(template.person, template.clone());
            assert!(gallery.insert(template));
        }
        Change::Remove(people) => {
            let people: Vec<_> = people.iter().copied().map(PersonId).collect();
            people.iter().for_each(|person| drop(model.remove(person)));
            gallery.remove(&people);
        }
        Change::Move { person, libraries } => {
            if let Some(template) = model.get_mut(&PersonId(*person)) {
                template.membership = membership(libraries);
            }
            gallery.set_membership(PersonId(*person), &membership(libraries));
        }
    }
}

/// The cosines of all people in scope, highest first.
fn brute_force(model: &Model, probe: &Embedding, query: &Query) -> Vec<f32> {
    let considered = |template: &&Template| {
        let member = &template.membership;
        let in_one = |wanted: &Vec<_>| wanted.iter().any(|one| member.libraries.contains(one));
        let permitted = |wanted: &Vec<_>| wanted.iter().any(|one| member.permission_groups.contains(one));
        let Scope { libraries, permission_groups } = &query.scope;
        libraries.as_ref().is_none_or(in_one) && permission_groups.as_ref().is_none_or(permitted)
    };
    let cosine = |template: &Template| dot(template.embedding.vector(), probe.vector());
    let mut cosines: Vec<_> = model.values().filter(considered).map(cosine).collect();
    cosines.sort_by(|a, b| b.total_cmp(a));
    cosines.truncate(query.limit);
    cosines
}

/// Equal within the error of the gallery, which is greater for so few components than for those of an embedder.
fn same(a: f32, b: f32) -> bool {
    (a - b).abs() < 4e-5
}

fn agree(gallery: &Gallery, model: &Model, probe: &Embedding) {
    let query = |scope, limit| Query { scope, limit };
    let queries = [
        query(Scope::ALL, 5),
        query(Scope::libraries(ids(&[1])), 3),
        query(Scope::libraries(ids(&[2, 3])), 1),
        query(Scope::libraries(ids(&[9])), 5),
        query(Scope::ALL.permitted(["2".into()]), 4),
        query(Scope::libraries(ids(&[1])).permitted(["2".into(), "3".into()]), 4),
        query(Scope::ALL, 0),
    ];
    assert_eq!(gallery.len(), model.len());
    for (found, query) in gallery.search(probe, &queries).iter().zip(&queries) {
        let expected = brute_force(model, probe, query);
        assert_eq!(found.len(), expected.len(), "{query:?}");
        for (near, expected) in found.iter().zip(expected) {
            assert!(same(near.cosine, expected), "{query:?}: {near:?} instead of {expected}");
            let own = dot(model[&near.person].embedding.vector(), probe.vector());
            assert!(same(near.cosine, own), "the cosine is the person's");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_search_is_exact_after_any_changes(
        changes in prop::collection::vec(change(), 1..40),
        probes in prop::collection::vec(any::<u16>(), 3),
    ) {
        let crowd = (0..CROWD).map(|person| template(person, &[1 + person % 3], person as u32));
        let mut model: Model = crowd.map(|template| (template.person, template)).collect();
        let gallery = Gallery::new(self::model());
        prop_assert_eq!(gallery.insert_all(model.values().cloned()), model.len());
        for change in &changes {
            apply(&gallery, &mut model, change);
        }
        for probe in probes {
            agree(&gallery, &model, &embedding(probe.into()));
        }
    }

    #[test]
    fn a_small_gallery_is_exact_down_to_no_people(changes in prop::collection::vec(change(), 0..60)) {
        let (gallery, mut model) = (Gallery::new(self::model()), Model::new());
        for change in &changes {
            apply(&gallery, &mut model, change);
            agree(&gallery, &model, &embedding(7));
        }
        gallery.remove(&model.keys().copied().collect::<Vec<_>>());
        agree(&gallery, &Model::new(), &embedding(7));
    }
}

#[test]
fn embeddings_that_cannot_be_compared_are_refused() {
    let gallery = Gallery::new(model());
    assert!(gallery.insert(template(1, &[1], 1)));
    let vector = |model: &str, n| Embedding::normalised(ModelId(model.into()), vec![1.0; n]).unwrap();
    let stray = |embedding| Template { person: PersonId(2), membership: membership(&[1]), embedding };
    assert!(!gallery.insert(stray(vector("other", DIMENSIONS))));
    assert!(!gallery.insert(stray(vector("test", DIMENSIONS + 1))));
    let all = [Query { scope: Scope::ALL, limit: 5 }];
    assert_eq!(gallery.search(&vector("other", DIMENSIONS), &all), [[]]);
    assert_eq!(gallery.search(&vector("test", 1), &all), [[]]);
}

/// How similar the people of a gallery are.
#[derive(Debug, Clone, Copy)]
enum Crowd {
    Strangers,
    /// Groups of fifty with cosines around 0.8.
    Families,
    /// Pairs with cosines around 0.999.
    Twins,
}

const FACES: u32 = 8_200;

/// A face of 128 components, a whole number of lines; [`FACES`] of them are enough for a shared scan.
fn face(crowd: Crowd, seed: u32) -> Embedding {
    let (kind, own) = match crowd {
        Crowd::Strangers => (seed, 0.0),
        Crowd::Families => (seed / 50, 0.5),
        Crowd::Twins => (seed / 2, 0.03),
    };
    let mut common = SmallRng::seed_from_u64(kind.into());
    let mut single = SmallRng::seed_from_u64(u64::from(seed) << 32);
    let mut component = || common.random_range(-1.0..1.0f32) + own * single.random_range(-1.0..1.0f32);
    Embedding::normalised(model(), (0..128).map(|_| component()).collect()).unwrap()
}

fn again(face: &Embedding, seed: u64) -> Embedding {
    let mut random = SmallRng::seed_from_u64(seed);
    let vector = face.vector().iter().map(|component| component + random.random_range(-0.05..0.05f32)).collect();
    Embedding::normalised(model(), vector).unwrap()
}

#[test]
fn the_ten_nearest_are_those_of_an_exact_comparison_however_similar_people_are() {
    for crowd in [Crowd::Strangers, Crowd::Families, Crowd::Twins] {
        let faces: Vec<_> = (0..FACES).map(|seed| face(crowd, seed)).collect();
        let gallery = Gallery::new(model());
        gallery.insert_all(faces.iter().zip(0..).map(|(face, person)| Template {
            person: PersonId(person),
            membership: membership(&[1]),
            embedding: face.clone(),
        }));
        // From several threads, so that scans are shared.
        std::thread::scope(|scope| {
            for part in 0..4 {
                let (gallery, faces) = (&gallery, &faces);
                scope.spawn(move || (part..36).step_by(4).for_each(|probe| find_again(gallery, faces, probe, crowd)));
            }
        });
    }
}

#[test]
fn several_probes_at_once_find_what_each_finds_alone() {
    for people in [40, CROWD * 30] {
        let gallery = Gallery::new(model());
        gallery.insert_all((0..people).map(|person| template(person, &[1 + person % 3], person as u32)));
        let probes = [embedding(3), embedding(77), embedding(1_990)];
        let query = |library| Query { scope: Scope::libraries(ids(&[library])), limit: 4 };
        let queries = [query(1), query(2)];
        let alone: Vec<_> = probes.iter().map(|probe| gallery.search(probe, &queries)).collect();
        assert_eq!(gallery.search_each(&probes, &queries), alone);
        assert_eq!(gallery.search_each(&[], &queries), Vec::<Vec<Vec<Neighbour>>>::new());
    }
}

#[test]
fn the_people_of_a_scope_are_counted_once_each() {
    let gallery = Gallery::new(model());
    let libraries = |person: i64| if person % 2 == 0 { vec![1, 2] } else { vec![2] };
    gallery.insert_all((0..CROWD).map(|person| template(person, &libraries(person), person as u32)));
    gallery.remove(&[PersonId(0), PersonId(1)]);
    let count = |libraries: &[i64]| gallery.count(&Scope::libraries(ids(libraries)));
    assert_eq!((count(&[1]), count(&[2]), count(&[1, 2]), count(&[9])), (1_024, 2_048, 2_048, 0));
    assert_eq!(gallery.count(&Scope::ALL), 2_048);
}

fn find_again(gallery: &Gallery, faces: &[Embedding], number: u32, crowd: Crowd) {
    let probe = again(&faces[(number * 227) as usize], number.into());
    let exact: Vec<_> = faces.iter().map(|face| dot(face.vector(), probe.vector())).collect();
    let mut nearest: Vec<_> = (0..faces.len()).collect();
    nearest.sort_by(|a, b| exact[*b].total_cmp(&exact[*a]));
    let query = |limit| Query { scope: Scope::ALL, limit };
    let found = gallery.search(&probe, &[query(1), query(10)]);
    let people = |answer: &[Neighbour]| answer.iter().map(|near| near.person.0 as usize).collect::<Vec<_>>();
    assert_eq!(people(&found[0]), nearest[..1], "{crowd:?} {number}");
    // Two people who are equally near to within the error of the gallery may change places.
    let (ten, ten_exact) = (people(&found[1]), &nearest[..10]);
    let same = |found: &usize, wanted: &usize| found == wanted || (exact[*found] - exact[*wanted]).abs() < 1e-5;
    assert!(ten.iter().zip(ten_exact).all(|(found, wanted)| same(found, wanted)), "{crowd:?} {number}: {ten:?}");
    assert_eq!(BTreeSet::from_iter(&ten).len(), 10, "nobody twice");
}

/// A writer adds and removes two people together, and changes face and library of a third at once; readers must never
/// see one of the two alone, nor the new face in the old library.
#[test]
fn a_search_never_sees_a_partial_change() {
    let (gallery, done) = (Gallery::new(model()), AtomicBool::new(false));
    gallery.insert_all((100..CROWD).map(|person| template(person, &[9], person as u32)));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for turn in 0..400 {
                gallery.insert_all([template(1, &[1], 1), template(2, &[1], 2)]);
                let library = 2 + turn % 2;
                gallery.insert(template(3, &[library], library as u32));
                gallery.remove(&[PersonId(1), PersonId(2)]);
            }
            done.store(true, Ordering::Release);
        });
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Acquire) {
                    search_for_partial_changes(&gallery);
                }
            });
        }
    });
}

fn search_for_partial_changes(gallery: &Gallery) {
    let library = |id| Query { scope: Scope::libraries(ids(&[id])), limit: 5 };
    let probe = embedding(2);
    let found = gallery.search(&probe, &[library(1), library(2), library(3)]);
    assert!(matches!(found[0].len(), 0 | 2), "one of two who belong together: {found:?}");
    for (id, near) in [(2, &found[1]), (3, &found[2])] {
        let own = dot(embedding(id).vector(), probe.vector());
        assert!(near.iter().all(|near| same(near.cosine, own)), "a face in another's library");
    }
}
