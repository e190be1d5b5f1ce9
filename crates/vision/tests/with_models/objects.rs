//! People, vehicles and animals.

use domain::ObjectClass;
use domain::ports::ObjectDetector;
use vision::{Analyzer, Options, Role, SelfTestError};

use crate::opening::{linked, replace};
use crate::support::{analyzer, frame, models, photo};

#[tokio::test]
async fn a_set_with_a_model_of_objects_finds_all_classes() {
    let analyzer = analyzer();
    assert!(analyzer.models().iter().any(|model| model.role == Role::Objects));
    let objects = analyzer.objects().unwrap();
    assert!(ObjectClass::ALL.iter().all(|class| objects.finds(*class)));
    let small = Analyzer::open(Options { set: "small".to_owned(), ..Options::new(models()) }).unwrap();
    assert!(small.objects().is_none());
}

#[tokio::test]
async fn a_person_in_a_photo_is_found_when_people_are_asked_for() {
    let analyzer = analyzer();
    let objects = analyzer.objects().unwrap();
    let portrait = photo(&analyzer, "Eileen_Collins/astronaut.png").await;
    let found = objects.detect(portrait.clone(), &ObjectClass::ALL).await.unwrap();
    let person = found.iter().find(|found| found.class == ObjectClass::Person).expect("a person");
    let bounds = portrait.bounds();
    assert!(person.score > 0.5 && person.place.area() > 0.3 * bounds.area(), "{person:?}");
    assert_eq!(person.place, person.place.clamped_to(&bounds));
    let others = objects.detect(portrait, &[ObjectClass::Vehicle, ObjectClass::Dog]).await.unwrap();
    assert!(others.iter().all(|found| found.class != ObjectClass::Person), "{others:?}");
}

#[tokio::test]
async fn frames_of_any_size_are_searched() {
    let objects = analyzer().objects().unwrap();
    for (width, height) in [(1, 1), (15, 400), (16, 16), (17, 1_999), (2_048, 31)] {
        let plain = frame(image::RgbImage::from_pixel(width, height, image::Rgb([90, 90, 90])));
        let found = objects.detect(plain, &ObjectClass::ALL).await.unwrap();
        assert!(found.iter().all(|found| found.place.area() >= 1.0), "{width} x {height}: {found:?}");
    }
}

#[tokio::test]
async fn labels_that_do_not_fit_the_network_fail_the_self_test() {
    let folder = linked();
    replace(folder.path(), "objects_centernet.toml", "labels = [\"person\", ", "labels = [");
    let analyzer = Analyzer::open(Options::new(folder.path())).unwrap();
    let Err(SelfTestError::NoAnswer { why, .. }) = analyzer.self_test().await else { panic!("no answer") };
    assert!(why.contains("7 classes for 6 labels"), "{why}");
}
