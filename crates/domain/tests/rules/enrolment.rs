//! People whose photos cannot be used, or not yet.

use bytes::Bytes;
use domain::{
    Amendment, Enrolment, EnrolmentState, Error, LibraryId, Limits, NewPerson, Options, PersonFilter, PhotoFault,
    Similarity, Thing, UnusablePhoto, Window,
};
use testkit::{Picture, actor, portrait};
use tokio_util::sync::CancellationToken;

use crate::stage::{Stage, face, newcomer};

const FIRST: Window = Window { skip: 0, limit: 10 };

/// Whether a search with another photo of her finds Alice.
async fn is_found(stage: &Stage) -> bool {
    let libraries = vec![LibraryId::DEFAULT];
    let found = stage.appliance.search(portrait("alice"), libraries, 1, Similarity::DEFAULT_THRESHOLD).await.unwrap();
    !found.hits.is_empty()
}

/// Alice with this photo, to be kept even if it is unusable.
fn with_photo(photo: &Picture) -> NewPerson {
    NewPerson { photo: photo.png(), unusable_photo: UnusablePhoto::Keep, ..newcomer("alice", LibraryId::DEFAULT) }
}

#[tokio::test]
async fn a_person_with_an_unusable_photo_is_kept_on_request_and_not_found_by_searches() {
    let stage = Stage::new();
    let test = actor("test");
    let alice = stage.appliance.by(&test).enrol(with_photo(&Picture::empty())).await.unwrap();
    assert_eq!(alice.enrolment, Enrolment::Failed(PhotoFault::NoFace));
    assert_eq!(stage.appliance.person(alice.id).await.unwrap(), alice);
    assert!(matches!(stage.appliance.embedding(alice.id).await, Err(Error::NoFace)));
    assert!(!is_found(&stage).await);
    let amendment = Amendment { photo: Some(portrait("alice")), ..Amendment::default() };
    let changed = stage.appliance.by(&test).amend_person(alice.id, amendment, |profile| profile).await.unwrap();
    assert_eq!((changed.enrolment, is_found(&stage).await), (Enrolment::Enrolled, true));
    let back =
        Amendment { photo: Some(Picture::empty().png()), unusable_photo: UnusablePhoto::Keep, ..Amendment::default() };
    stage.appliance.by(&test).amend_person(alice.id, back, |profile| profile).await.unwrap();
    assert!(!is_found(&stage).await, "the former photo no longer counts");
}

#[tokio::test]
async fn data_that_is_not_a_picture_is_refused_even_where_unusable_photos_are_kept() {
    let stage = Stage::new();
    let person = NewPerson { photo: Bytes::from_static(b"no picture"), ..with_photo(&Picture::empty()) };
    let refused = stage.appliance.by(&actor("test")).enrol(person).await;
    assert!(matches!(refused, Err(Error::BadPicture { .. })));
    assert_eq!(stage.appliance.people(PersonFilter::default(), FIRST).await.unwrap().total, 0);
}

#[tokio::test]
async fn people_who_are_not_enrolled_count_towards_the_limit() {
    let stage = Stage::with(Options { limits: Limits { people: 1, ..Limits::default() }, ..testkit::options() });
    stage.appliance.by(&actor("test")).enrol(with_photo(&Picture::empty())).await.unwrap();
    assert_eq!(stage.appliance.room_for_people().await.unwrap(), 0);
    let refused = stage.appliance.by(&actor("test")).enrol(newcomer("bob", LibraryId::DEFAULT)).await;
    assert!(matches!(refused, Err(Error::LimitReached { what: Thing::Person })));
}

#[tokio::test(start_paused = true)]
async fn a_photo_that_cannot_be_described_now_is_described_as_soon_as_it_can() {
    let stage = Stage::new();
    stage.fakes.analyzer.refuse_photos(true);
    let alice = with_photo(&Picture::of([face("alice").at(200, 100).sized(200)]));
    let alice = stage.appliance.by(&actor("test")).enrol(alice).await.unwrap();
    assert_eq!(alice.enrolment, Enrolment::Pending);
    let pending = PersonFilter { enrolment: Some(EnrolmentState::Pending), ..PersonFilter::default() };
    assert_eq!(stage.appliance.people(pending, FIRST).await.unwrap().rows, std::slice::from_ref(&alice));
    let cancel = CancellationToken::new();
    let describe = stage.appliance.describe_photos(cancel.clone());
    let watch = async {
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        assert_eq!(stage.appliance.person(alice.id).await.unwrap().enrolment, Enrolment::Pending);
        stage.fakes.analyzer.refuse_photos(false);
        tokio::time::sleep(std::time::Duration::from_secs(600)).await;
        cancel.cancel();
    };
    tokio::join!(describe, watch);
    assert_eq!(stage.appliance.person(alice.id).await.unwrap().enrolment, Enrolment::Enrolled);
    assert!(is_found(&stage).await);
}
