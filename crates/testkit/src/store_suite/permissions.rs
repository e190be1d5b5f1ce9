//! Permission groups.

use domain::{Error, PermissionGroup, Profile, Thing};

use super::Stores;
use super::samples::{at, new_camera, new_person};

fn group(id: &str, name: &str) -> PermissionGroup {
    PermissionGroup { id: id.into(), name: name.into(), description: format!("about {name}"), note: None }
}

fn is_taken(outcome: &Result<(), Error>) -> bool {
    matches!(outcome, Err(Error::AlreadyExists { what: Thing::PermissionGroup }))
}

/// Also after a change.
pub fn permission_groups_read_back_in_order_of_creation(store: &dyn Stores) {
    let (night, mut day) = (group("z", "night"), group("a", "day"));
    for group in [&night, &day] {
        store.insert_permission_group(group, 2).unwrap();
    }
    assert_eq!(store.permission_groups().unwrap(), [night.clone(), day.clone()]);
    (day.name, day.note) = ("dawn".into(), Some("{}".into()));
    store.update_permission_group(&day).unwrap();
    assert_eq!(store.permission_groups().unwrap(), [night, day]);
    let full = store.insert_permission_group(&group("b", "noon"), 2);
    assert!(matches!(full, Err(Error::LimitReached { what: Thing::PermissionGroup })));
}

/// Of two groups, not of one with itself.
pub fn ids_and_names_of_permission_groups_are_unique(store: &dyn Stores) {
    store.insert_permission_group(&group("a", "day"), 9).unwrap();
    store.insert_permission_group(&group("b", "night"), 9).unwrap();
    assert!(is_taken(&store.insert_permission_group(&group("a", "noon"), 9)));
    assert!(is_taken(&store.insert_permission_group(&group("c", "day"), 9)));
    assert!(is_taken(&store.update_permission_group(&group("b", "day"))));
    store.update_permission_group(&group("b", "night")).unwrap();
    let missing = store.update_permission_group(&group("c", "noon"));
    assert!(matches!(missing, Err(Error::NotFound { what: Thing::PermissionGroup })));
}

/// And counts as a change of the gallery.
pub fn a_removed_permission_group_leaves_its_people_and_stays_at_cameras(store: &dyn Stores) {
    store.insert_permission_group(&group("day", "day"), 9).unwrap();
    let groups = ["night", "day", "lab"].map(str::to_owned).to_vec();
    let mut insider = new_person(store, "insider");
    insider.profile = Profile { permission_groups: groups, ..Profile::default() };
    let insider = store.insert_person(&insider).unwrap().id;
    let mut outsider = new_person(store, "outsider");
    outsider.profile = Profile { permission_groups: vec!["night".into()], ..Profile::default() };
    let outsider = store.insert_person(&outsider).unwrap().id;
    let camera = store.insert_camera(&new_camera([]), 3, at(0)).unwrap();
    let before = store.generation().unwrap();
    assert_eq!(store.remove_permission_group("day").unwrap(), [insider]);
    assert!(store.generation().unwrap() > before);
    assert_eq!(store.person(insider).unwrap().profile.permission_groups, ["night", "lab"]);
    assert_eq!(store.person(outsider).unwrap().profile.permission_groups, ["night"]);
    assert_eq!(store.cameras().unwrap(), [camera]);
    let missing = store.remove_permission_group("day");
    assert!(matches!(missing, Err(Error::NotFound { what: Thing::PermissionGroup })));
}
