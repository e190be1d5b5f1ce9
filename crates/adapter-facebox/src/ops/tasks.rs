//! Tasks.

use std::collections::HashMap;

use domain::names::holds;
use domain::{Error, LibraryFilter, Note, TaskId};

use crate::codes::{Code, Fault};
use crate::convert::tasks::{Surroundings, TaskChange, kind, new_task, row};
use crate::convert::{self, Paging};
use crate::request::Caller;
use crate::wire::tasks::{AddTask, QueryTasks, TaskKey, TaskRow, UpdateTask};
use crate::wire::{Answer, Done, Rows};

/// Adds a task that is off (/AddTask, section 6.1).
pub(crate) async fn add_task(caller: Caller, request: AddTask) -> Result<Done, Fault> {
    let (task, plan) = new_task(request)?;
    caller.acts().add_task(task, Some(kept_plan(&caller, plan))).await?;
    Ok(Done::DONE)
}

/// Removes a task that is off; its records stay (/DeleteTask, section 6.2).
pub(crate) async fn delete_task(caller: Caller, TaskKey { task_id }: TaskKey) -> Result<Done, Fault> {
    caller.acts().remove_task(TaskId(task_id)).await.map_err(running)?;
    Ok(Done::DONE)
}

/// Changes the fields of a task that are sent, while it is off (/UpdateTask, section 6.3).
pub(crate) async fn update_task(caller: Caller, request: UpdateTask) -> Result<Done, Fault> {
    let id = TaskId(request.task_id);
    let change = TaskChange::of(request)?;
    let plan = change.plan.as_ref().map(|(text, _)| kept_plan(&caller, text.clone()));
    caller.acts().update_task(id, plan, |task| change.put_into(task)).await.map_err(running)?;
    Ok(Done::DONE)
}

/// Lists tasks by id with the state of their cameras (/QueryTaskList, section 6.4).
pub(crate) async fn query_task_list(caller: Caller, query: QueryTasks) -> Result<Answer<Rows<TaskRow>>, Fault> {
    let paging = Paging::new(query.page_no, query.page_size)?;
    let wanted_kind = query.kind.map(kind).transpose()?;
    let running = query.state.map(is_on).transpose()?;
    let name = convert::filter(query.name, query.username);
    let appliance = caller.reading()?;
    let mut tasks = appliance.tasks().await?;
    tasks.retain(|task| {
        name.as_ref().is_none_or(|part| holds(&task.settings.name, part))
            && wanted_kind.is_none_or(|kind| task.settings.kind == kind)
            && running.is_none_or(|running| task.is_running() == running)
    });
    let page = paging.cut(tasks);
    let cameras = appliance.cameras().await?;
    let cameras: Vec<_> =
        cameras.into_iter().map(|camera| (camera.clone(), appliance.camera_status(camera.id))).collect();
    let named = |library: domain::Library| (library.id, library.name.as_str().to_owned());
    let libraries: HashMap<_, _> =
        appliance.libraries(LibraryFilter::default()).await?.into_iter().map(named).collect();
    let zone = caller.device.zone();
    let around = Surroundings { cameras: &cameras, libraries: &libraries, zone: &zone };
    let ids: Vec<_> = page.items.iter().map(|task| task.id).collect();
    let mut plans = caller.device.state().notes(&ids).await?;
    let mut plan = |id| plans.remove(&id).unwrap_or_default();
    let items = page.items.into_iter().map(|task| (plan(task.id), task));
    let items = items.map(|(plan, task)| row(task, plan, &around)).collect();
    Ok(Answer::of(paging.rows(items, page.total_count)))
}

fn is_on(state: i64) -> Result<bool, Fault> {
    match state {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Fault::field("state")),
    }
}

/// Starts a task (/StartTask, section 6.5).
pub(crate) async fn start_task(caller: Caller, TaskKey { task_id }: TaskKey) -> Result<Done, Fault> {
    caller.acts().start_task(TaskId(task_id)).await.map_err(running)?;
    Ok(Done::DONE)
}

/// Stops a task (/StopTask, section 6.6).
pub(crate) async fn stop_task(caller: Caller, TaskKey { task_id }: TaskKey) -> Result<Done, Fault> {
    caller.acts().stop_task(TaskId(task_id)).await?;
    Ok(Done::DONE)
}

fn running(error: Error) -> Fault {
    match error {
        Error::InUse { .. } => Code::TaskRuns.into(),
        other => other.into(),
    }
}

/// The plan's text, to report it as it was sent.
fn kept_plan(caller: &Caller, plan: String) -> Note {
    caller.device.state().noting(Some(plan).filter(|plan| !plan.is_empty()))
}
