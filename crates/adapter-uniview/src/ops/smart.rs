//! Smart tasks (6.1 to 6.3, 6.8 and 6.9).

use std::collections::BTreeSet;

use domain::{Camera, CameraChange, Error, LibraryId, OwnValues, Similarity};

use super::rules;
use crate::codes::{Code, Fault};
use crate::convert::channels::channel;
use crate::convert::{algorithms, smart, switch, within};
use crate::request::Caller;
use crate::settings::Channel;
use crate::wire::smart::{
    Algorithms, ChannelKey, ControlRow, EnabledRow, SetStatus, Task, Tasks, UpdateControl, UpdateTasks,
};
use crate::wire::{Answer, Done, Ids, Int, Nothing};

/// `status` of an analysis that takes turns with others.
const POLLING: i64 = 2;

/// Sets all tasks of a channel, and its person libraries and threshold (/smart/update, section 6.1).
pub(crate) async fn update(caller: Caller, request: UpdateTasks) -> Result<Done, Fault> {
    let sent = request.smart_list.or(request.list).ok_or_else(|| Fault::argument("smart_list is missing"))?;
    let tasks = smart::tasks(sent, &caller.finds())?;
    let _one_at_a_time = caller.device.one_at_a_time.lock().await;
    let camera = caller.reading()?.camera(channel(request.channel_id)).await?;
    check_clothes(&caller, &tasks).await?;
    let control = match request.person_control_info {
        Some(control) => Some(Control::new(&caller, control).await?),
        None => None,
    };
    let kept = Channel { tasks, ..caller.device.channel(&camera).await? };
    follow(&caller, &camera, &kept, control).await?;
    Ok(Done::DONE)
}

/// Person libraries and threshold of a channel, checked; `None` keeps.
#[derive(Default)]
struct Control {
    threshold: Option<Similarity>,
    libraries: Option<BTreeSet<LibraryId>>,
}

impl Control {
    async fn new(caller: &Caller, sent: UpdateControl) -> Result<Self, Fault> {
        let percent = sent.alarm_threshold.map(|number| within("alarm_threshold", number, 0..=100_u8)).transpose()?;
        let libraries = sent.person_lib_id.map(|Ids(ids)| ids.into_iter().map(LibraryId).collect::<BTreeSet<_>>());
        for id in libraries.iter().flatten() {
            caller.reading()?.library(*id).await?;
        }
        let threshold = percent.map(|percent| Similarity::from_percent(f32::from(percent)));
        Ok(Self { threshold, libraries })
    }
}

async fn check_clothes(caller: &Caller, tasks: &[Task]) -> Result<(), Fault> {
    let named: Vec<_> = tasks.iter().filter_map(|task| task.workclothes_lib_list.as_ref()).flatten().collect();
    if named.is_empty() {
        return Ok(());
    }
    let known = caller.device.work_clothes().await?.libraries;
    let unknown = |id: &&i64| !known.iter().any(|library| library.id == **id);
    if named.iter().any(unknown) { Err(Fault::argument("workclothes_lib_list names no library")) } else { Ok(()) }
}

/// Has the camera's rules and watch follow what is to be noted on it, and notes that.
async fn follow(caller: &Caller, camera: &Camera, kept: &Channel, control: Option<Control>) -> Result<(), Fault> {
    rules::follow(caller, camera.id, kept).await?;
    let (enabled, control, note) = (kept.watches(), control.unwrap_or_default(), caller.device.noting(kept)?);
    let change = move |camera: &Camera| {
        let mut watch = camera.watch.settings.clone();
        watch.enabled = enabled;
        watch.threshold = control.threshold.unwrap_or(watch.threshold);
        watch.libraries = control.libraries.unwrap_or(watch.libraries);
        let own = OwnValues { threshold: control.threshold.is_some(), ..OwnValues::default() };
        Ok::<_, Error>(CameraChange { watch: Some(watch), own, note, ..CameraChange::default() })
    };
    caller.acts().amend_camera(camera.id, change).await?;
    Ok(())
}

/// Lists the tasks of a channel, and its person libraries and threshold (/smart/list, section 6.2).
pub(crate) async fn list(caller: Caller, request: ChannelKey) -> Result<Answer<Tasks>, Fault> {
    let camera = caller.reading()?.camera(channel(request.channel_id)).await?;
    let kept = caller.device.channel(&camera).await?;
    let watch = camera.watch.settings;
    let control = ControlRow {
        alarm_threshold: watch.threshold.percent(),
        person_lib_id: watch.libraries.iter().map(|id| id.0).collect(),
    };
    let is_set = camera.own.threshold || !control.person_lib_id.is_empty();
    let person_control_info = is_set.then_some(control);
    Ok(Answer::of(Tasks { smart_list: kept.tasks, person_control_info }))
}

/// Starts or stops the analysis of a channel (/smart/task, section 6.8).
pub(crate) async fn task(caller: Caller, request: SetStatus) -> Result<Done, Fault> {
    let running = switch("status", request.status)?;
    let _one_at_a_time = caller.device.one_at_a_time.lock().await;
    let camera = caller.reading()?.camera(channel(request.channel_id)).await?;
    let kept = Channel { running, ..caller.device.channel(&camera).await? };
    follow(&caller, &camera, &kept, None).await?;
    Ok(Done::DONE)
}

/// Chooses analysis all the time, which is the only one there is (/smart/cycle, section 6.9).
pub(crate) async fn cycle(caller: Caller, request: SetStatus) -> Result<Done, Fault> {
    let Int(status) = request.status;
    if !(1..=POLLING).contains(&status) {
        return Err(Fault::argument("status is neither 1 nor 2"));
    }
    caller.reading()?.camera(channel(request.channel_id)).await?;
    if status == POLLING { Err(Code::NotSupported.into()) } else { Ok(Done::DONE) }
}

/// Lists the algorithms that run here (/algo/list, section 6.3).
pub(crate) async fn algorithm_list(caller: Caller, _: Nothing) -> Result<Answer<Algorithms>, Fault> {
    caller.reading()?;
    Ok(Answer::of(Algorithms { algo_model: algorithms::all(&caller.finds()) }))
}

/// Lists the algorithms that are on, by channel, whether the channel is in use or not (/smart/enable/list of newer
/// firmware).
pub(crate) async fn enabled_list(caller: Caller, _: Nothing) -> Result<Answer<Vec<EnabledRow>>, Fault> {
    let mut rows: Vec<_> =
        (1..=caller.device.channels).map(|channel_id| EnabledRow { channel_id, algo_model: Vec::new() }).collect();
    for camera in caller.reading()?.cameras().await? {
        let kept = caller.device.channel(&camera).await?;
        let on = kept.tasks.iter().filter(|_| kept.running).map(|task| task.algo_model.clone());
        if let Some(row) = rows.iter_mut().find(|row| row.channel_id == camera.id.0) {
            row.algo_model = on.collect();
        }
    }
    Ok(Answer::of(rows))
}
