//! Cameras and their watches.

use domain::{
    Camera, CameraChange, CameraId, DayWindow, DeviceAddress, Error, LibraryId, NewCamera, OwnValues, SnapMode, Source,
    Thing, WatchSettings, WeeklyPlan,
};
use jiff::civil::{Time, Weekday, time};

use super::Stores;
use super::samples::{at, library, new_camera};

/// With all fields, full or empty.
pub fn a_camera_reads_back_as_added(store: &dyn Stores) {
    let staff = library(store, "staff");
    let mut full = new_camera([staff, LibraryId::DEFAULT]);
    full.watch.plan = WeeklyPlan::within(vec![
        DayWindow { day: Weekday::Sunday, from: time(22, 0, 0, 0), to: Time::MAX },
        DayWindow { day: Weekday::Tuesday, from: time(22, 0, 0, 0), to: time(6, 0, 0, 0) },
        DayWindow { day: Weekday::Saturday, from: Time::midnight(), to: Time::midnight() },
        DayWindow { day: Weekday::Monday, from: Time::midnight(), to: time(6, 30, 15, 0) },
    ]);
    full.watch.enabled = false;
    let mut empty = new_camera([]);
    empty.settings.region = None;
    for new in [full, empty] {
        let added = store.insert_camera(&new, 4, at(3)).unwrap();
        assert_eq!((&added.settings, &added.watch.settings), (&new.settings, &new.watch));
        assert_eq!((added.created_at, &added.permission_groups), (at(3), &new.permission_groups));
        assert_eq!(store.cameras().unwrap().last(), Some(&added));
    }
}

fn sources() -> Vec<Source> {
    let device = DeviceAddress { host: "192.0.2.9".into(), port: 65535, user: "u".into(), password: "p&ss ü".into() };
    vec![
        Source::Rtsp { url: "rtsps://192.0.2.1/a".into() },
        Source::File { url: "file:///clip.mp4?loop=1".into() },
        Source::Onvif(device.clone()),
        Source::Gb28181 {
            server: DeviceAddress::default(),
            server_sip_id: "34020000002000000001".into(),
            camera_sip_id: "34020000001320000001".into(),
        },
        Source::Capture { device, vendor: "acme".into(), product: "C-1".into() },
        Source::Pushed { host: "2001:db8::7".parse().unwrap() },
    ]
}

/// Every variant; a new one must be added here.
pub fn every_source_and_snap_mode_reads_back(store: &dyn Stores) {
    let modes = [SnapMode::Best, SnapMode::Timed, SnapMode::First];
    for (source, snap_mode) in sources().into_iter().zip(modes.into_iter().cycle()) {
        let mut new = new_camera([]);
        new.settings.source = source;
        new.settings.snap_mode = snap_mode;
        let id = store.insert_camera(&new, 16, at(0)).unwrap().id;
        let read = store.cameras().unwrap().into_iter().find(|camera| camera.id == id).unwrap();
        assert!(read.settings.source == new.settings.source, "{:?}", new.settings.source);
        assert_eq!(read.settings.snap_mode, snap_mode);
    }
}

/// A freed channel is reused; beyond the last channel the limit is reached.
pub fn a_camera_takes_the_lowest_free_channel(store: &dyn Stores) {
    let add = || store.insert_camera(&new_camera([]), 3, at(0)).map(|camera| camera.id.0);
    assert_eq!([add().unwrap(), add().unwrap(), add().unwrap()], [1, 2, 3]);
    assert!(matches!(add(), Err(Error::LimitReached { what: Thing::Camera })));
    store.remove_camera(CameraId(2)).unwrap();
    assert_eq!(add().unwrap(), 2);
    let channels: Vec<u32> = store.cameras().unwrap().iter().map(|camera| camera.id.0).collect();
    assert_eq!(channels, [1, 2, 3]);
}

/// A channel in use is "already exists", one out of range "invalid".
pub fn a_requested_channel_must_be_free_and_in_range(store: &dyn Stores) {
    let add = |id| store.insert_camera(&NewCamera { id: Some(CameraId(id)), ..new_camera([]) }, 3, at(0));
    assert_eq!(add(2).unwrap().id, CameraId(2));
    assert!(matches!(add(2), Err(Error::AlreadyExists { what: Thing::Camera })));
    for impossible in [0, 4, u32::MAX] {
        assert!(matches!(add(impossible), Err(Error::Invalid { field: "channel", .. })), "{impossible}");
    }
    assert_eq!(store.insert_camera(&new_camera([]), 3, at(0)).unwrap().id, CameraId(1));
}

/// Adding and changing alike; otherwise nothing happens.
pub fn a_watch_needs_existing_libraries(store: &dyn Stores) {
    let unknown = store.insert_camera(&new_camera([LibraryId(99)]), 3, at(0));
    assert!(matches!(unknown, Err(Error::NotFound { what: Thing::Library })));
    assert_eq!(store.cameras().unwrap(), []);
    let camera = store.insert_camera(&new_camera([LibraryId::DEFAULT]), 3, at(0)).unwrap();
    let mut settings = camera.settings.clone();
    settings.name = "other".into();
    let change =
        CameraChange { settings: Some(settings), watch: Some(new_camera([LibraryId(99)]).watch), ..Default::default() };
    assert!(matches!(store.update_camera(camera.id, &change), Err(Error::NotFound { what: Thing::Library })));
    assert_eq!(store.cameras().unwrap(), [camera]);
}

/// `None` keeps a field; the watch keeps its id.
pub fn a_change_of_a_camera_keeps_other_fields(store: &dyn Stores) {
    let staff = library(store, "staff");
    let mut new = new_camera([staff]);
    new.watch.plan =
        WeeklyPlan::within(vec![DayWindow { day: Weekday::Friday, from: time(8, 0, 0, 0), to: time(9, 0, 0, 0) }]);
    let before = store.insert_camera(&new, 3, at(0)).unwrap();
    let mut settings = before.settings.clone();
    settings.name = "back door".into();
    settings.region = None;
    settings.source = Source::Rtsp { url: "rtsp://192.0.2.2/b".into() };
    let change = CameraChange { settings: Some(settings.clone()), ..Default::default() };
    let after = store.update_camera(before.id, &change).unwrap();
    assert_eq!(after, Camera { settings, ..before.clone() });
    let change = CameraChange { watch: Some(WatchSettings::default()), ..Default::default() };
    let after = store.update_camera(before.id, &change).unwrap();
    assert_eq!((after.watch.id, &after.watch.settings), (before.watch.id, &WatchSettings::default()));
    let change = CameraChange { permission_groups: Some(["all".to_owned()].into()), ..Default::default() };
    let reserved = store.update_camera(before.id, &change).unwrap();
    assert_eq!(reserved, Camera { permission_groups: ["all".to_owned()].into(), ..after });
    assert_eq!(store.cameras().unwrap(), [reserved]);
}

/// A camera of another kind is a different camera.
pub fn the_kind_of_a_source_cannot_change(store: &dyn Stores) {
    let camera = store.insert_camera(&new_camera([]), 3, at(0)).unwrap();
    let mut settings = camera.settings.clone();
    settings.source = Source::File { url: "file:///clip.mp4".into() };
    let change = CameraChange { settings: Some(settings.clone()), ..Default::default() };
    assert!(store.update_camera(camera.id, &change).is_ok(), "a stream and a file that plays one are the same kind");
    settings.source = Source::Onvif(DeviceAddress::default());
    let change = CameraChange { settings: Some(settings), ..Default::default() };
    assert!(matches!(store.update_camera(camera.id, &change), Err(Error::Invalid { field: "source", .. })));
}

/// Own values of a change are added to the existing ones.
pub fn own_values_are_kept_until_they_are_released(store: &dyn Stores) {
    let threshold = OwnValues { threshold: true, ..OwnValues::default() };
    let region = OwnValues { region: true, ..OwnValues::default() };
    let camera = store.insert_camera(&NewCamera { own: threshold, ..new_camera([]) }, 3, at(0)).unwrap();
    assert_eq!((camera.own, store.cameras().unwrap()[0].own), (threshold, threshold));
    let change = CameraChange { own: region, ..CameraChange::default() };
    assert_eq!(store.update_camera(camera.id, &change).unwrap().own, threshold.and(region));
    store.insert_camera(&NewCamera { own: OwnValues::ALL, ..new_camera([]) }, 3, at(0)).unwrap();
    store.release_cameras(threshold).unwrap();
    let own: Vec<_> = store.cameras().unwrap().iter().map(|camera| camera.own).collect();
    assert_eq!(own, [region, OwnValues::ALL.without(threshold)]);
}

/// When changing and removing.
pub fn unknown_cameras_are_not_found(store: &dyn Stores) {
    let changed = store.update_camera(CameraId(1), &CameraChange::default());
    assert!(matches!(changed, Err(Error::NotFound { what: Thing::Camera })));
    assert!(matches!(store.remove_camera(CameraId(1)), Err(Error::NotFound { what: Thing::Camera })));
}

/// Unlike the channel.
pub fn a_watch_id_is_never_reused(store: &dyn Stores) {
    let first = store.insert_camera(&new_camera([]), 3, at(0)).unwrap();
    store.remove_camera(first.id).unwrap();
    let second = store.insert_camera(&new_camera([]), 3, at(0)).unwrap();
    assert_eq!(first.id, second.id);
    assert!(second.watch.id > first.watch.id);
}
