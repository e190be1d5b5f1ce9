//! Tasks: named watches over several cameras.

use domain::{
    CameraId, DayWindow, Direction, Error, LibraryId, LibraryKind, NewCamera, RollEntry, Sighting, SightingFilter,
    Similarity, Source, Task, TaskKind, TaskSettings, Thing, Verdict, WatchSettings, WeeklyPlan, Window,
};
use testkit::{FakeClock, Take, actor};

use crate::stage::{GATE, Stage, face, gate, names, secs};

const ALL: Window = Window { skip: 0, limit: 100 };
const YARD: &str = "rtsp://yard/live";

/// A camera whose own watch is off.
fn idle(url: &str) -> NewCamera {
    let mut camera = gate();
    camera.settings.name = url.into();
    camera.settings.source = Source::Rtsp { url: url.into() };
    camera.watch.enabled = false;
    camera
}

fn task(name: &str, entries: &[u32], exits: &[u32]) -> TaskSettings {
    TaskSettings {
        name: name.into(),
        kind: TaskKind::Plain,
        entries: entries.iter().copied().map(CameraId).collect(),
        exits: exits.iter().copied().map(CameraId).collect(),
        remark: String::new(),
        watch: WatchSettings { libraries: [LibraryId::DEFAULT].into(), rearm: secs(5.0), ..WatchSettings::default() },
    }
}

/// These people pass one after the other, every ten seconds.
fn passing(names: &[&str]) -> Take {
    names.iter().fold(Take::new(), |take, name| take.show(secs(2.0), [face(name)]).nobody(secs(8.0)))
}

impl Stage {
    async fn run_task(&self, settings: TaskSettings) -> Task {
        let task = self.appliance.by(&actor("test")).add_task(settings, None).await.unwrap();
        self.appliance.by(&actor("test")).start_task(task.id).await.unwrap();
        task
    }

    /// The sightings, oldest first.
    async fn sightings(&self) -> Vec<Sighting> {
        let mut page = self.appliance.sightings(SightingFilter::default(), ALL).await.unwrap();
        page.rows.reverse();
        page.rows
    }

    /// Waits for this number of sightings.
    async fn wait_for_sightings(&self, count: usize) {
        let enough = async {
            while self.sightings().await.len() < count {
                tokio::time::sleep(secs(0.1)).await;
            }
        };
        tokio::time::timeout(secs(120.0), enough).await.unwrap();
    }

    async fn play_for(&mut self, time: f64) {
        self.open();
        tokio::time::sleep(secs(time)).await;
        self.close().await;
    }
}

/// The tasks and the codes of the people seen; `?` for an unrecognised one.
fn seen(sightings: &[Sighting]) -> Vec<(&str, &str)> {
    fn who(sighting: &Sighting) -> &str {
        sighting.accepted().map_or("?", |known| known.code.as_str())
    }
    sightings.iter().map(|sighting| (sighting.mark.name.as_str(), who(sighting))).collect()
}

#[tokio::test(start_paused = true)]
async fn a_running_task_records_on_its_cameras_and_a_stopped_one_does_not() {
    let mut stage = Stage::new();
    let late = passing(&["alice", "mallory"]).nobody(secs(120.0)).show(secs(2.0), [face("alice")]).nobody(secs(20.0));
    stage.fakes.frames.script(GATE, [late]);
    stage.add(idle(GATE)).await;
    stage.enrol("alice").await;
    let task = stage.run_task(task("watch", &[1], &[])).await;
    stage.open();
    stage.wait_for_sightings(2).await;
    stage.appliance.by(&actor("test")).stop_task(task.id).await.unwrap();
    tokio::time::sleep(secs(150.0)).await;
    stage.close().await;
    let sightings = stage.sightings().await;
    assert_eq!(seen(&sightings), [("watch", "alice"), ("watch", "?")]);
    assert_eq!((sightings[0].mark.task, sightings[0].mark.direction), (task.id, Direction::Entry));
    let records = stage.records().await;
    assert_eq!((names(&records), records[0].verdict), (vec!["alice", "?"], Verdict::Known));
}

#[tokio::test(start_paused = true)]
async fn a_person_in_view_when_a_task_is_stopped_is_not_recorded() {
    let mut stage = Stage::new();
    stage.fakes.frames.script(GATE, [Take::new().show(secs(60.0), [face("alice")])]);
    stage.add(idle(GATE)).await;
    let task = stage.run_task(task("watch", &[1], &[])).await;
    stage.open();
    tokio::time::sleep(secs(0.3)).await;
    stage.appliance.by(&actor("test")).stop_task(task.id).await.unwrap();
    tokio::time::sleep(secs(5.0)).await;
    stage.close().await;
    assert!(stage.sightings().await.is_empty() && stage.records().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_task_keeps_running_over_a_restart() {
    let stage = Stage::new();
    stage.add(idle(GATE)).await;
    let task = stage.run_task(task("watch", &[1], &[])).await;
    let again = stage.fakes.restart(domain::Limits::default()).unwrap();
    assert!(again.task(task.id).await.unwrap().is_running());
}

/// One record has a match of each watch, by its own libraries and threshold.
#[tokio::test(start_paused = true)]
async fn every_watch_of_a_camera_has_its_own_match() {
    let mut stage = Stage::new();
    stage.fakes.frames.script(GATE, [passing(&["alice"])]);
    let guests = stage.library("guests", LibraryKind::Allow).await;
    stage.add(gate()).await;
    stage.enrol("alice").await;
    let again = domain::NewPerson { code: Some("alice-2".parse().unwrap()), ..crate::stage::newcomer("alice", guests) };
    stage.appliance.by(&actor("test")).enrol(again).await.unwrap();
    let of = |name: &str, library, threshold| {
        let mut settings = task(name, &[1], &[]);
        settings.watch.libraries = [library].into();
        settings.watch.threshold = Similarity::new(threshold);
        settings
    };
    stage.run_task(of("guests", guests, 0.8)).await;
    stage.run_task(of("strict", guests, 1.0)).await;
    stage.run_task(of("other", stage.library("empty", LibraryKind::Allow).await, 0.8)).await;
    stage.play_for(8.0).await;
    let records = stage.records().await;
    assert_eq!((names(&records), records[0].matches.len()), (vec!["alice"], 4));
    assert_eq!(records[0].matches[0].task, None);
    let mut sightings = stage.sightings().await;
    sightings.sort_by_key(|sighting| sighting.id);
    assert_eq!(seen(&sightings), [("guests", "alice-2"), ("strict", "?"), ("other", "?")]);
    assert!(sightings[1].answer.best.is_some() && sightings[2].answer.best.is_none());
}

/// A record that only a task wants contains the match of the camera's own watch too.
#[tokio::test(start_paused = true)]
async fn a_task_re_arms_by_its_own_interval() {
    let mut stage = Stage::new();
    let visits = (0..3).fold(Take::new(), |take, _| take.show(secs(2.0), [face("alice")]).nobody(secs(4.0)));
    stage.fakes.frames.script(GATE, [visits]);
    stage.enrol("alice").await;
    let mut own = gate();
    own.watch.rearm = secs(60.0);
    stage.add(own).await;
    let mut settings = task("often", &[1], &[]);
    settings.watch.rearm = secs(1.0);
    stage.run_task(settings).await;
    let mut settings = task("seldom", &[1], &[]);
    settings.watch.rearm = secs(60.0);
    stage.run_task(settings).await;
    stage.play_for(20.0).await;
    let sightings = stage.sightings().await;
    let of = |name: &str| sightings.iter().filter(|sighting| sighting.mark.name == name).count();
    assert_eq!((of("often"), of("seldom")), (3, 1));
    assert_eq!(names(&stage.records().await), ["alice"; 3]);
}

#[tokio::test(start_paused = true)]
async fn a_task_keeps_to_its_weekly_plan() {
    for (hours, recorded) in [((8, 18), 1), ((0, 2), 0)] {
        let mut stage = Stage::new();
        stage.fakes.frames.script(GATE, [passing(&["alice"])]);
        stage.add(idle(GATE)).await;
        let mut settings = task("watch", &[1], &[]);
        // The clock shows Monday, 9:00 in Shanghai.
        let time = |hour| jiff::civil::time(hour, 0, 0, 0);
        let day = jiff::civil::date(2026, 3, 2).weekday();
        settings.watch.plan = WeeklyPlan::within(vec![DayWindow { day, from: time(hours.0), to: time(hours.1) }]);
        stage.run_task(settings).await;
        stage.play_for(8.0).await;
        assert_eq!(stage.sightings().await.len(), recorded, "{hours:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_over_midnight_arms_a_task_in_the_morning_after() {
    // The clock shows Monday, 9:00 in Shanghai.
    let monday = jiff::civil::date(2026, 3, 2).weekday();
    for (day, (from, to), recorded) in [
        (monday.previous(), (22, 10), 1),
        (monday, (22, 10), 0),
        (monday.previous(), (22, 6), 0),
        (monday, (8, 6), 1),
        (monday.previous(), (10, 10), 1),
        (monday, (0, 0), 1),
    ] {
        let mut stage = Stage::new();
        stage.fakes.frames.script(GATE, [passing(&["alice"])]);
        stage.add(idle(GATE)).await;
        let mut settings = task("watch", &[1], &[]);
        let hour = |hour| jiff::civil::time(hour, 0, 0, 0);
        settings.watch.plan = WeeklyPlan::within(vec![DayWindow { day, from: hour(from), to: hour(to) }]);
        stage.run_task(settings).await;
        stage.play_for(8.0).await;
        assert_eq!(stage.sightings().await.len(), recorded, "{day:?} {from} to {to}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_sign_in_records_known_people_once_a_day_and_direction() {
    let mut stage = Stage::new();
    let pass = ["alice", "mallory", "alice"];
    stage.fakes.frames.script(GATE, [passing(&pass), passing(&pass)]);
    stage.fakes.frames.script(YARD, [Take::new().nobody(secs(3.0)).show(secs(2.0), [face("alice")])]);
    stage.add(idle(GATE)).await;
    stage.add(idle(YARD)).await;
    stage.enrol("alice").await;
    let settings = TaskSettings { kind: TaskKind::SignIn, ..task("sign", &[1], &[2]) };
    stage.run_task(settings).await;
    stage.play_for(35.0).await;
    let directions = |sightings: Vec<Sighting>| sightings.iter().map(|s| s.mark.direction).collect::<Vec<_>>();
    assert_eq!(directions(stage.sightings().await), [Direction::Entry, Direction::Exit]);
    assert_eq!(stage.records().await.len(), 2, "no other record is written");
    stage.fakes.clock.set(FakeClock::START.plus_millis(24 * 3_600_000));
    stage.reopen();
    stage.play_for(35.0).await;
    assert_eq!(stage.sightings().await.len(), 3);
}

fn roll(entries: &[RollEntry]) -> Vec<(String, bool)> {
    entries.iter().map(|entry| (entry.person.code.to_string(), entry.seen.is_some())).collect()
}

#[tokio::test(start_paused = true)]
async fn a_roll_call_lists_people_seen_not_seen_and_present() {
    let mut stage = Stage::new();
    stage.fakes.frames.script(GATE, [passing(&["alice", "bob"])]);
    stage.fakes.frames.script(YARD, [Take::new().nobody(secs(20.0)).show(secs(2.0), [face("bob")])]);
    stage.add(idle(GATE)).await;
    stage.add(idle(YARD)).await;
    for name in ["alice", "bob", "carol"] {
        stage.enrol(name).await;
    }
    let task = stage.run_task(TaskSettings { kind: TaskKind::RollCall, ..task("roll", &[1], &[2]) }).await;
    stage.play_for(30.0).await;
    let day = jiff::civil::date(2026, 3, 2);
    let call = async |day, seen| stage.appliance.roll_call(task.id, day, seen, ALL).await.unwrap();
    let all_rows = call(day, None).await;
    let was = |seen: &str| (all_rows.rows.iter().find(|row| row.person.code.as_str() == seen).unwrap()).seen;
    assert_eq!((was("alice").unwrap().direction, was("bob").unwrap().direction), (Direction::Entry, Direction::Exit));
    assert!(was("bob").unwrap().first < was("bob").unwrap().last);
    let seen = |name: &str, seen| (name.to_owned(), seen);
    assert_eq!(roll(&call(day, Some(true)).await.rows), [seen("alice", true), seen("bob", true)]);
    assert_eq!(roll(&call(day, Some(false)).await.rows), [seen("carol", false)]);
    assert_eq!(call(day.tomorrow().unwrap(), Some(false)).await.total, 3);
}

#[tokio::test(start_paused = true)]
async fn a_running_task_cannot_be_changed_nor_its_camera_removed() {
    let stage = Stage::new();
    stage.add(idle(GATE)).await;
    let task = stage.run_task(task("watch", &[1], &[])).await;
    let running = Err(Thing::Task);
    let in_use = |outcome: Result<(), Error>| match outcome {
        Err(Error::InUse { by }) => Err(by),
        other => other.map_err(|error| panic!("{error}")),
    };
    let appliance = &stage.appliance;
    assert_eq!(in_use(appliance.by(&actor("test")).start_task(task.id).await), running);
    assert_eq!(in_use(appliance.by(&actor("test")).remove_task(task.id).await), running);
    assert_eq!(in_use(appliance.by(&actor("test")).update_task(task.id, None, |same| same).await.map(drop)), running);
    assert_eq!(in_use(appliance.by(&actor("test")).remove_camera(CameraId(1)).await), running);
    appliance.by(&actor("test")).stop_task(task.id).await.unwrap();
    appliance.by(&actor("test")).stop_task(task.id).await.unwrap();
    let nameless = appliance
        .by(&actor("test"))
        .update_task(task.id, None, |task| TaskSettings { name: String::new(), ..task })
        .await;
    assert!(matches!(nameless, Err(Error::Invalid { field: "task name", .. })));
    let nowhere =
        appliance.by(&actor("test")).update_task(task.id, None, |task| TaskSettings { entries: vec![], ..task }).await;
    assert!(matches!(nowhere, Err(Error::Invalid { field: "task cameras", .. })));
    appliance.by(&actor("test")).remove_task(task.id).await.unwrap();
    appliance.by(&actor("test")).remove_camera(CameraId(1)).await.unwrap();
    assert!(matches!(appliance.task(task.id).await, Err(Error::NotFound { what: Thing::Task })));
}

#[tokio::test(start_paused = true)]
async fn libraries_are_withdrawn_from_cameras_all_or_none() {
    let stage = Stage::new();
    let by = actor("test");
    let (staff, guests) =
        (stage.library("staff", LibraryKind::Allow).await, stage.library("guests", LibraryKind::Allow).await);
    let mut camera = gate();
    camera.watch.libraries.extend([staff, guests]);
    let camera = stage.add(camera).await.id;
    let mut watch = task("watch", &[1], &[]);
    watch.watch.libraries.insert(guests);
    let task = stage.appliance.by(&by).add_task(watch, None).await.unwrap();
    let watched = async || stage.appliance.camera(camera).await.unwrap().watch.settings.libraries;
    let before = watched().await;
    let refused = stage.appliance.by(&by).withdraw_libraries(vec![staff, guests]).await;
    assert!(matches!(refused, Err(Error::InUse { by: Thing::Task })));
    assert!(stage.appliance.library(staff).await.is_ok() && watched().await == before, "nothing was changed");
    stage.appliance.by(&by).remove_task(task.id).await.unwrap();
    stage.appliance.by(&by).withdraw_libraries(vec![staff, guests, staff]).await.unwrap();
    assert!(!watched().await.contains(&staff) && !watched().await.contains(&guests));
    assert!(matches!(stage.appliance.library(staff).await, Err(Error::NotFound { what: Thing::Library })));
}

#[tokio::test(start_paused = true)]
async fn a_removed_sighting_is_removed_with_its_record() {
    let mut stage = Stage::new();
    stage.fakes.frames.script(GATE, [passing(&["alice"])]);
    stage.add(gate()).await;
    stage.run_task(task("watch", &[1], &[])).await;
    stage.play_for(8.0).await;
    let sighting = stage.sightings().await.remove(0);
    stage.appliance.by(&actor("test")).remove_sighting(sighting.id).await.unwrap();
    assert!(stage.records().await.is_empty() && stage.sightings().await.is_empty());
    let again = stage.appliance.by(&actor("test")).remove_sighting(sighting.id).await;
    assert!(matches!(again, Err(Error::NotFound { what: Thing::Record })));
}
