//! Tasks.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use domain::{
    Camera, CameraId, CameraStatus, DayWindow, LibraryId, Similarity, Task, TaskKind, TaskSettings, WatchSettings,
    WeeklyPlan,
};
use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use serde_json::Value;

use super::cameras::{camera_id, online};
use super::{bounded, name, remark, time_text};
use crate::codes::Fault;
use crate::wire::tasks::{AddTask, Ids, TaskCamera, TaskLibrary, TaskRow, UpdateTask};

/// The longest plan text, characters.
const MAX_PLAN: usize = 4096;
/// The longest interval, milliseconds: a day.
const MAX_INTERVAL: i64 = 24 * 3600 * 1000;
const WEEK: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];

/// 0 ordinary, 1 roll call, 3 sign-in.
pub(crate) fn kind(number: i64) -> Result<TaskKind, Fault> {
    match number {
        0 => Ok(TaskKind::Plain),
        1 => Ok(TaskKind::RollCall),
        3 => Ok(TaskKind::SignIn),
        _ => Err(Fault::field("type")),
    }
}

fn kind_number(kind: TaskKind) -> i64 {
    match kind {
        TaskKind::Plain => 0,
        TaskKind::RollCall => 1,
        TaskKind::SignIn => 3,
    }
}

/// The text of a plan, and the plan. Text that is not a JSON object means always
/// (quirk "6.1 plan"); an object must be valid.
pub(crate) fn plan(text: String) -> Result<(String, WeeklyPlan), Fault> {
    let text = bounded("plan", text, MAX_PLAN)?;
    let Ok(days) = adapter::parse_object(text.as_bytes()) else { return Ok((text, WeeklyPlan::always())) };
    let mut windows = Vec::new();
    for (day, spans) in &days {
        let known = WEEK.iter().find(|(name, _)| day.eq_ignore_ascii_case(name)).map(|(_, day)| *day);
        let spans = known.and_then(|day| spans.as_array()?.iter().map(|span| window(day, span)).collect());
        let spans: Vec<DayWindow> = spans.ok_or_else(|| Fault::field("plan"))?;
        windows.extend(spans);
    }
    Ok((text, WeeklyPlan::within(windows)))
}

fn window(day: Weekday, span: &Value) -> Option<DayWindow> {
    let (from, to) = (time(span.get("start")?.as_str()?.trim())?, end(span.get("end")?.as_str()?.trim())?);
    Some(DayWindow { day, from, to })
}

/// The end of a span: on the next day when it is earlier than the start. 24:00 is the end of the day, like 00:00, and
/// so is the last minute.
fn end(text: &str) -> Option<Time> {
    if matches!(text, "24:00" | "24:00:00" | "23:59") { Some(Time::MAX) } else { time(text) }
}

/// `hh:mm` or `hh:mm:ss`.
fn time(text: &str) -> Option<Time> {
    Time::strptime("%H:%M:%S", text).or_else(|_| Time::strptime("%H:%M", text)).ok()
}

fn threshold(number: f64) -> Result<Similarity, Fault> {
    if (0.0..=1.0).contains(&number) { Ok(Similarity::new(number as f32)) } else { Err(Fault::field("threshold")) }
}

fn interval(millis: i64) -> Result<Duration, Fault> {
    if !(1..=MAX_INTERVAL).contains(&millis) {
        return Err(Fault::field("interval"));
    }
    Ok(Duration::from_millis(millis.unsigned_abs()))
}

/// Cameras in their order, each once.
fn cameras(ids: Ids) -> Vec<CameraId> {
    let mut cameras = Vec::new();
    for id in ids.0.into_iter().map(camera_id) {
        if !cameras.contains(&id) {
            cameras.push(id);
        }
    }
    cameras
}

fn entries(ids: Ids) -> Result<Vec<CameraId>, Fault> {
    let cameras = cameras(ids);
    if cameras.is_empty() { Err(Fault::field("camera_list1")) } else { Ok(cameras) }
}

fn libraries(ids: Ids) -> Result<BTreeSet<LibraryId>, Fault> {
    let libraries: BTreeSet<_> = ids.0.into_iter().map(LibraryId).collect();
    if libraries.is_empty() { Err(Fault::field("lib_list")) } else { Ok(libraries) }
}

/// A new task, and the text of its plan.
pub(crate) fn new_task(task: AddTask) -> Result<(TaskSettings, String), Fault> {
    let (text, plan) = plan(task.plan.unwrap_or_default())?;
    let watch = WatchSettings {
        libraries: libraries(task.lib_list)?,
        threshold: threshold(task.threshold)?,
        rearm: interval(task.interval)?,
        plan,
        enabled: false,
        ..WatchSettings::default()
    };
    let settings = TaskSettings {
        name: name("name", task.name)?,
        kind: kind(task.kind.unwrap_or_default())?,
        entries: entries(task.camera_list1)?,
        exits: task.camera_list2.map(cameras).unwrap_or_default(),
        remark: remark(task.remark)?,
        watch,
    };
    Ok((settings, text))
}

/// A change of a task; `None` leaves a field as it is.
pub(crate) struct TaskChange {
    name: Option<String>,
    kind: Option<TaskKind>,
    entries: Option<Vec<CameraId>>,
    exits: Option<Vec<CameraId>>,
    libraries: Option<BTreeSet<LibraryId>>,
    interval: Option<Duration>,
    threshold: Option<Similarity>,
    pub(crate) plan: Option<(String, WeeklyPlan)>,
    remark: Option<String>,
}

impl TaskChange {
    /// The fields that were sent.
    pub(crate) fn of(change: UpdateTask) -> Result<Self, Fault> {
        Ok(Self {
            name: change.name.map(|text| name("name", text)).transpose()?,
            kind: change.kind.map(kind).transpose()?,
            entries: change.camera_list1.map(entries).transpose()?,
            exits: change.camera_list2.map(cameras),
            libraries: change.lib_list.map(libraries).transpose()?,
            interval: change.interval.map(interval).transpose()?,
            threshold: change.threshold.map(threshold).transpose()?,
            plan: change.plan.map(plan).transpose()?,
            remark: change.remark.map(|text| remark(Some(text))).transpose()?,
        })
    }

    /// The settings with the fields that were sent.
    pub(crate) fn put_into(self, settings: TaskSettings) -> TaskSettings {
        let before = settings.watch;
        TaskSettings {
            name: self.name.unwrap_or(settings.name),
            kind: self.kind.unwrap_or(settings.kind),
            entries: self.entries.unwrap_or(settings.entries),
            exits: self.exits.unwrap_or(settings.exits),
            remark: self.remark.unwrap_or(settings.remark),
            watch: WatchSettings {
                libraries: self.libraries.unwrap_or(before.libraries),
                threshold: self.threshold.unwrap_or(before.threshold),
                rearm: self.interval.unwrap_or(before.rearm),
                plan: self.plan.map_or(before.plan, |(_, plan)| plan),
                enabled: before.enabled,
                unclear: before.unclear,
            },
        }
    }
}

/// The cameras, libraries and time zone for the entries of tasks.
pub(crate) struct Surroundings<'a> {
    pub(crate) cameras: &'a [(Camera, CameraStatus)],
    pub(crate) libraries: &'a HashMap<LibraryId, String>,
    pub(crate) zone: &'a TimeZone,
}

/// The entry of a task.
pub(crate) fn row(task: Task, plan: String, around: &Surroundings<'_>) -> TaskRow {
    let running = task.is_running();
    let camera = |id: &CameraId| {
        let known = around.cameras.iter().find(|(camera, _)| camera.id == *id);
        TaskCamera {
            camera_id: id.0,
            name: known.map(|(camera, _)| camera.settings.name.clone()).unwrap_or_default(),
            state: known.filter(|_| running).map_or(0, |(_, status)| online(status)),
        }
    };
    let library =
        |id: &LibraryId| TaskLibrary { lib_id: id.0, name: around.libraries.get(id).cloned().unwrap_or_default() };
    let settings = task.settings;
    TaskRow {
        task_id: task.id.0,
        name: settings.name.clone(),
        task_name: settings.name,
        kind: kind_number(settings.kind),
        camera_list1: settings.entries.iter().map(camera).collect(),
        camera_list2: settings.exits.iter().map(camera).collect(),
        lib_list: settings.watch.libraries.iter().map(library).collect(),
        interval: settings.watch.rearm.as_millis() as u64,
        threshold: super::fraction(settings.watch.threshold),
        state: u8::from(running),
        plan,
        remark: settings.remark,
        create_time: time_text(task.created_at, around.zone),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_a_json_object_of_days_and_any_other_text_means_always() {
        let text =
            r#"{"monday": [{"start": "08:00", "end": "18:00"}], "Sunday": [{"start": "00:00", "end": "24:00"}]}"#;
        let (kept, plan) = plan(text.into()).unwrap();
        assert_eq!((kept.as_str(), plan.windows().len()), (text, 2));
        for text in ["", "template 7", "[]", "7"] {
            let (kept, plan) = super::plan(text.into()).unwrap();
            assert_eq!((kept.as_str(), plan), (text, WeeklyPlan::always()));
        }
        for bad in [
            r#"{"noday": []}"#,
            r#"{"monday": 7}"#,
            r#"{"monday": [{"start": "24:00", "end": "08:00"}]}"#,
            r#"{"monday": [{"start": "18:00", "end": "24:01"}]}"#,
            r#"{"monday": [{"start": "25:00", "end": "26:00"}]}"#,
            &"x".repeat(MAX_PLAN + 1),
        ] {
            assert_eq!(super::plan(bad.into()).unwrap_err().message(), "Invalid para: plan");
        }
    }

    #[test]
    fn a_span_may_end_on_the_next_day_or_with_its_own() {
        // Monday, 2 March 2026, and the day after.
        let covered = |start: &str, end: &str, day, (hour, minute, second)| {
            let text = format!(r#"{{"Monday": [{{"start": "{start}", "end": "{end}"}}]}}"#);
            plan(text).unwrap().1.covers(jiff::civil::date(2026, 3, day).at(hour, minute, second, 0))
        };
        assert!(covered("22:00", "06:00", 2, (23, 0, 0)) && covered("22:00", "06:00", 3, (5, 59, 0)));
        assert!(!covered("22:00", "06:00", 2, (5, 0, 0)) && !covered("22:00", "06:00", 3, (6, 1, 0)));
        for end in ["24:00", "24:00:00", "00:00", "23:59", "23:59:59"] {
            assert!(covered("18:00", end, 2, (23, 59, 59)) && !covered("18:00", end, 3, (0, 0, 0)), "{end}");
            assert!(!covered("18:00", end, 2, (17, 59, 59)), "{end}");
        }
        for (hour, last) in [("00:00", (2, (23, 59, 59))), ("08:00", (3, (7, 59, 59)))] {
            assert!(covered(hour, hour, last.0, last.1) && !covered(hour, hour, 3, (8, 0, 1)), "{hour}");
        }
    }

    #[test]
    fn thresholds_are_fractions_and_intervals_are_positive() {
        assert!([0.0, 0.8, 1.0].into_iter().all(|number| threshold(number).is_ok()));
        assert!([-0.1, 1.1, 80.0, f64::NAN].into_iter().all(|number| threshold(number).is_err()));
        assert!(interval(1).is_ok() && interval(0).is_err() && interval(i64::MAX).is_err());
    }
}
