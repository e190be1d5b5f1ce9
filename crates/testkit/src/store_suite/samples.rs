//! Samples for the suite.

use std::sync::Arc;
use std::time::Duration;

use domain::geometry::{Point, Rect};
use domain::{
    Attributes, Behaviour, BehaviourKind, CameraId, CameraSettings, Candidate, Capture, CaptureId, Category, ClipState,
    DayWindow, Description, Direction, Embedding, EnrolledPerson, Expression, Gender, KeptPhoto, LibraryId,
    LibraryKind, LibraryName, Match, ModelId, NewCamera, NewEntry, NewLibrary, NewRecord, ObjectClass, OwnValues,
    PersonId, PhotoTemplate, PictureId, Profile, Quality, Similarity, SnapMode, Source, TaskId, TaskKind, TaskMark,
    TaskSettings, Timestamp, UnclearFaces, Validity, Verdict, WatchId, WatchSettings, WeeklyPlan, What, Window,
};
use jiff::civil::{Weekday, date, time};

use super::Stores;

/// The largest page.
pub const ALL: Window = Window { skip: 0, limit: 1000 };

/// A fixed time plus `seconds`.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + seconds * 1000)
}

/// The model of all sample embeddings.
pub fn model() -> ModelId {
    ModelId(Arc::from("sample/1"))
}

/// A unit vector of `model`, determined by the seed.
pub fn embedding_by(model: ModelId, seed: u32) -> Embedding {
    let number = |i: u32| f32::from((seed.wrapping_mul(2_654_435_761).wrapping_add(i * 40_503) >> 16) as u16) + 1.0;
    Embedding::normalised(model, (0..512).map(number).collect()).unwrap()
}

/// A unit vector of [`model`], determined by the seed.
pub fn embedding(seed: u32) -> Embedding {
    embedding_by(model(), seed)
}

/// A library to be created.
pub fn new_library(name: &str, kind: LibraryKind) -> NewLibrary {
    NewLibrary { name: LibraryName::new(name).unwrap(), kind, description: format!("about {name}"), note: None }
}

/// A stored library.
pub fn library(store: &dyn Stores, name: &str) -> LibraryId {
    store.create_library(&new_library(name, LibraryKind::Allow), at(0)).unwrap().id
}

/// A person to be enrolled into the built-in library, with a stored photo of its own.
pub fn new_person(store: &dyn Stores, code: &str) -> EnrolledPerson {
    EnrolledPerson {
        code: code.parse().unwrap(),
        profile: Profile { name: format!("name of {code}"), ..Profile::default() },
        libraries: vec![LibraryId::DEFAULT],
        photo: kept_photo(store, &format!("photo of {code}"), embedding(code.bytes().map(u32::from).sum())),
        note: None,
        at: at(0),
    }
}

/// A stored photo with this embedding.
pub fn kept_photo(store: &dyn Stores, photo: &str, embedding: Embedding) -> KeptPhoto {
    let model = embedding.model().clone();
    let described = Description::Template(PhotoTemplate { embedding, quality: 77 });
    KeptPhoto { picture: store.put(photo.as_bytes()).unwrap(), model, described }
}

/// The embedding of the person's photo.
pub fn embedding_of(person: &EnrolledPerson) -> Embedding {
    person.photo.described.template().unwrap().embedding.clone()
}

/// An enrolled person.
pub fn person(store: &dyn Stores, code: &str) -> PersonId {
    store.insert_person(&new_person(store, code)).unwrap().id
}

/// A profile with a value in every field.
pub fn full_profile() -> Profile {
    Profile {
        name: "Ada \"Žofie\" 张伟".into(),
        gender: Some(Gender::Female),
        birth_date: Some(date(1815, 12, 10)),
        age: Some(36),
        document_kind: "passport".into(),
        document_number: "AB 1234567".into(),
        phone: "+44 20 7946 0000".into(),
        email: "ada@example.org".into(),
        address: "12 St James's Square".into(),
        native_place: "London".into(),
        ethnic_group: "none stated".into(),
        remark: "100% _sure_; DROP TABLE person".into(),
        category: Category::Vip,
        cards: vec!["0007".into(), "0001".into()],
        validity: Validity::Between(at(0), at(86_400)),
        permission_groups: vec!["north gate".into(), "lab".into()],
    }
}

/// A camera with a value in every field, watching for these libraries.
pub fn new_camera(libraries: impl IntoIterator<Item = LibraryId>) -> NewCamera {
    NewCamera {
        id: None,
        settings: CameraSettings {
            name: "entrance".into(),
            position: "north".into(),
            description: "above the door".into(),
            source: Source::Rtsp { url: "rtsp://user:secret@192.0.2.1/live".into() },
            region: Some(Rect::new(0.5, 1.0, 640.0, 479.5)),
            min_face_px: 60,
            max_face_px: 1000,
            snap_mode: SnapMode::Best,
        },
        watch: WatchSettings {
            libraries: libraries.into_iter().collect(),
            threshold: Similarity::new(0.83),
            rearm: Duration::from_millis(4321),
            ..WatchSettings::default()
        },
        own: OwnValues::default(),
        permission_groups: ["night".to_owned(), "day".to_owned()].into(),
        note: None,
    }
}

/// A stored picture.
pub fn picture(store: &dyn Stores, content: &str) -> PictureId {
    store.put(content.as_bytes()).unwrap()
}

/// A record of a stranger at `seconds`, with stored pictures of its own.
pub fn stranger(store: &dyn Stores, camera: u32, seconds: i64) -> NewRecord {
    let id = CaptureId::random();
    NewRecord {
        capture: Capture {
            id,
            camera: CameraId(camera),
            camera_name: "entrance".into(),
            camera_position: "north".into(),
            at: at(seconds),
            first_seen: at(seconds - 2),
            face_box: Rect::new(10.25, 20.5, 110.75, 140.0),
            landmarks: [1.0, 2.5, 3.25, 4.0, 5.5].map(|x| Point { x, y: x * 3.0 }),
            quality: quality(),
            attributes: Attributes::default(),
            liveness: None,
            embedding: embedding(camera),
            crop: picture(store, &format!("crop of {id}")),
            scene: picture(store, &format!("scene of {id}")),
        },
        matches: Vec::new(),
        verdict: Verdict::Stranger,
    }
}

fn quality() -> Quality {
    Quality { overall: 81, size: 70, sharpness: 92, brightness: 63, pose: 88, yaw: -12.5, pitch: 3.1, roll: 0.7 }
}

/// A record with a value in every field: recognised for the camera's own watch, not for others.
pub fn recognised(store: &dyn Stores, camera: u32, seconds: i64, best: Candidate) -> NewRecord {
    let mut record = stranger(store, camera, seconds);
    record.capture.attributes =
        Attributes { gender: Some(Gender::Male), age: Some(41.3), expression: Some(Expression::Happy) };
    record.capture.liveness = Some(0.97);
    let missed = Candidate { similarity: Similarity::new(0.2), gender: None, age: None, ..best.clone() };
    record.matches = vec![
        Match { watch: WatchId(3), threshold: Similarity::new(0.8), best: Some(best), task: None },
        Match { watch: WatchId(7), threshold: Similarity::new(0.9), best: None, task: Some(mark(7, Direction::Exit)) },
        Match {
            watch: WatchId(5),
            threshold: Similarity::new(0.7),
            best: Some(missed),
            task: Some(mark(8, Direction::Entry)),
        },
    ];
    record.verdict = Verdict::Known;
    record
}

/// A person who crossed a line at `seconds`, with stored pictures of its own.
pub fn line_crossed(store: &dyn Stores, camera: u32, seconds: i64) -> NewEntry {
    let id = CaptureId::random();
    let behaviour = Behaviour {
        id,
        camera_name: "entrance".into(),
        camera_position: "north".into(),
        kind: BehaviourKind::Line,
        rule: "threshold".into(),
        fired: true,
        object: ObjectClass::Person,
        targets: vec![Rect::new(10.25, 20.5, 110.75, 240.0), Rect::new(1.0, 2.0, 3.0, 4.0)],
        quality: 67,
        count: 4,
        inwards: 0,
        outwards: 0,
        ends: None,
        comparisons: Vec::new(),
        clip: ClipState::None,
        crop: picture(store, &format!("crop of {id}")),
        scene: picture(store, &format!("scene of {id}")),
    };
    NewEntry { at: at(seconds), camera: Some(CameraId(camera)), what: What::Behaviour(Box::new(behaviour)) }
}

/// A task, as recorded.
pub fn mark(task: i64, direction: Direction) -> TaskMark {
    TaskMark { task: TaskId(task), name: format!("task {task}"), direction }
}

/// A record of a person for these tasks only.
pub fn sighted(
    store: &dyn Stores,
    camera: u32,
    seconds: i64,
    best: &Candidate,
    tasks: &[(i64, Direction)],
) -> NewRecord {
    let mut record = stranger(store, camera, seconds);
    let answer = |(task, direction): &(i64, Direction)| Match {
        watch: WatchId(100 + task),
        threshold: Similarity::new(0.8),
        best: Some(best.clone()),
        task: Some(mark(*task, *direction)),
    };
    record.matches = tasks.iter().map(answer).collect();
    record.verdict = if best.similarity >= Similarity::new(0.8) { Verdict::Known } else { Verdict::Stranger };
    record
}

/// A person in a library, as recorded.
pub fn candidate(person: i64, library: i64, similarity: f32) -> Candidate {
    Candidate {
        person: PersonId(person),
        code: format!("code-{person}").parse().unwrap(),
        library: LibraryId(library),
        library_name: format!("library {library}"),
        library_kind: LibraryKind::Allow,
        similarity: Similarity::new(similarity),
        name: "Ada".into(),
        gender: Some(Gender::Female),
        age: Some(36),
        category: Category::Vip,
        document_number: "AB 1234567".into(),
        address: "12 St James's Square".into(),
        photo: "ab".repeat(32).parse().unwrap(),
        enrolled_at: at(-9),
    }
}

/// A roll call of the built-in library, stopped.
pub fn task(name: &str, entries: &[CameraId], exits: &[CameraId]) -> TaskSettings {
    let plan = vec![DayWindow { day: Weekday::Monday, from: time(8, 0, 0, 0), to: time(18, 0, 0, 0) }];
    TaskSettings {
        name: name.into(),
        kind: TaskKind::RollCall,
        entries: entries.to_vec(),
        exits: exits.to_vec(),
        remark: "about it".into(),
        watch: WatchSettings {
            libraries: [LibraryId::DEFAULT].into(),
            threshold: Similarity::new(0.83),
            rearm: Duration::from_millis(3001),
            plan: WeeklyPlan::within(plan),
            enabled: false,
            unclear: UnclearFaces::Ignore,
        },
    }
}
