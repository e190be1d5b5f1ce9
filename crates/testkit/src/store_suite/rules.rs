//! Rules over the objects that cameras see.

use std::time::Duration;

use domain::geometry::Point;
use domain::{
    BehaviourKind, CameraId, ClipSpan, Crossing, Error, ObjectClass, RuleId, RuleOptions, RuleSettings, SizeLimits,
    Thing,
};

use super::Stores;
use super::samples::{at, new_camera};

fn line(name: &str) -> RuleSettings {
    let points = vec![Point { x: 0.0, y: 0.125 }, Point { x: 1.0, y: 0.7 }];
    let (kind, object, direction) = (BehaviourKind::Line, ObjectClass::Person, Crossing::AToB);
    RuleSettings { name: name.into(), kind, object, points, direction, options: RuleOptions::default() }
}

/// A rule with something everywhere.
fn parking() -> RuleSettings {
    let points = [(0.1, 0.2), (0.9, 0.2), (0.5, 0.8)].map(|(x, y)| Point { x, y }).to_vec();
    let options = RuleOptions {
        sensitivity: 55,
        sizes: SizeLimits { min_width: 0.125, min_height: 0.1, max_width: 0.5, max_height: 0.75 },
        after: Duration::from_secs(90),
        every: Duration::from_millis(1_500),
        people: 3,
        tolerance: 1,
        reset_hour: Some(4),
        identify: true,
        clip: Some(ClipSpan { before: Duration::from_secs(5), after: Duration::from_millis(7_500) }),
    };
    RuleSettings { kind: BehaviourKind::Parking, object: ObjectClass::Cycle, points, options, ..line("yard") }
}

/// In order of addition.
pub fn a_rule_reads_back_as_added(store: &dyn Stores) {
    let [gate, door] = [(); 2].map(|()| store.insert_camera(&new_camera([]), 3, at(0)).unwrap().id);
    let vehicles = RuleSettings { object: ObjectClass::Vehicle, direction: Crossing::Both, ..line("drive") };
    let first = store.insert_rule(gate, &vehicles, 9).unwrap();
    let back = RuleSettings { direction: Crossing::BToA, ..line("drive") };
    let second = store.insert_rule(door, &back, 9).unwrap();
    assert_eq!((first.camera, &first.settings), (gate, &vehicles));
    assert_eq!((second.camera, &second.settings), (door, &back), "the name is another camera's");
    let third = store.insert_rule(door, &parking(), 9).unwrap();
    assert_eq!(third.settings, parking());
    assert_eq!(store.rules().unwrap(), [first, second, third]);
}

/// The camera must exist and be below the limit, without another rule of that name.
pub fn a_rule_needs_a_camera_room_and_a_free_name(store: &dyn Stores) {
    let missing = store.insert_rule(CameraId(1), &line("a"), 9);
    assert!(matches!(missing, Err(Error::NotFound { what: Thing::Camera })));
    let [gate, door] = [(); 2].map(|()| store.insert_camera(&new_camera([]), 3, at(0)).unwrap().id);
    store.insert_rule(gate, &line("a"), 2).unwrap();
    let taken = store.insert_rule(gate, &line("a"), 2);
    assert!(matches!(taken, Err(Error::AlreadyExists { what: Thing::Rule })));
    let other = store.insert_rule(gate, &line("b"), 2).unwrap();
    let full = store.insert_rule(gate, &line("c"), 2);
    assert!(matches!(full, Err(Error::LimitReached { what: Thing::Rule })));
    store.insert_rule(door, &line("c"), 2).unwrap();
    let renamed = store.update_rule(other.id, &line("a"));
    assert!(matches!(renamed, Err(Error::AlreadyExists { what: Thing::Rule })));
    assert_eq!(store.rules().unwrap().len(), 3);
}

/// Everything except the camera; the name may stay.
pub fn a_rule_changes_as_a_whole(store: &dyn Stores) {
    let camera = store.insert_camera(&new_camera([]), 3, at(0)).unwrap().id;
    let rule = store.insert_rule(camera, &line("a"), 9).unwrap();
    let points = vec![Point { x: 0.5, y: 0.25 }, Point { x: 0.75, y: 1.0 }];
    for name in ["a", "b"] {
        let settings = RuleSettings {
            object: ObjectClass::Vehicle,
            points: points.clone(),
            direction: Crossing::Both,
            ..line(name)
        };
        let changed = store.update_rule(rule.id, &settings).unwrap();
        assert_eq!((changed.id, changed.camera, &changed.settings), (rule.id, camera, &settings));
        assert_eq!(store.rules().unwrap(), [changed]);
    }
    store.update_rule(rule.id, &parking()).unwrap();
    assert_eq!(store.rules().unwrap()[0].settings, parking());
    let unknown = store.update_rule(RuleId(rule.id.0 + 1), &line("c"));
    assert!(matches!(unknown, Err(Error::NotFound { what: Thing::Rule })));
}

/// Its id is not reused.
pub fn a_rule_is_removed_alone_or_with_its_camera(store: &dyn Stores) {
    let [gate, door] = [(); 2].map(|()| store.insert_camera(&new_camera([]), 3, at(0)).unwrap().id);
    let [first, second, third] = [(gate, "a"), (door, "a"), (door, "b")]
        .map(|(camera, name)| store.insert_rule(camera, &line(name), 9).unwrap());
    store.remove_rule(third.id).unwrap();
    assert_eq!(store.rules().unwrap(), [first, second]);
    store.remove_camera(gate).unwrap();
    store.remove_camera(door).unwrap();
    assert_eq!(store.rules().unwrap(), []);
    assert!(matches!(store.remove_rule(third.id), Err(Error::NotFound { what: Thing::Rule })));
    let camera = store.insert_camera(&new_camera([]), 3, at(0)).unwrap().id;
    assert!(store.insert_rule(camera, &line("a"), 9).unwrap().id > third.id);
}
