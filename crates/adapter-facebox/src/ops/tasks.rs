//! Tasks.

use std::collections::HashMap;

use domain::names::holds;
use domain::{Error, LibraryFilter, TaskId};

use crate::codes::{Code, Fault};
use crate::convert::tasks::{Surroundings, TaskChange, kind, new_task, row};
use crate::convert::{self, Paging};
use crate::request::Caller;
use crate::wire::tasks::{AddTask, QueryTasks, TaskKey, TaskRow, UpdateTask};
use crate::wire::{Answer, Done, Rows};

/// Makes a task that is off (/AddTask, section 6.1).
pub(crate) async fn add_task(caller: Caller, request: AddTask) -> Result<Done, Fault> {
    let (task, plan) = new_task(request)?;
    let added = caller.acts().add_task(task).await?;
    keep_plan(&caller, added.id, plan).await
}

/// Removes a task that is off; its records stay (/DeleteTask, section 6.2).
pub(crate) async fn delete_task(caller: Caller, TaskKey { task_id }: TaskKey) -> Result<Done, Fault> {
    let id = TaskId(task_id);
    caller.acts().remove_task(id).await.map_err(running)?;
    keep_plan(&caller, id, String::new()).await
}

/// Changes the fields of a task that are sent, while it is off (/UpdateTask, section 6.3).
pub(crate) async fn update_task(caller: Caller, request: UpdateTask) -> Result<Done, Fault> {
    let id = TaskId(request.task_id);
    let change = TaskChange::of(request)?;
    let plan = change.plan.as_ref().map(|(text, _)| text.clone());
    let changed = caller.acts().update_task(id, |task| change.put_into(task)).await;
    changed.map_err(running)?;
    match plan {
        Some(plan) => keep_plan(&caller, id, plan).await,
        None => Ok(Done::DONE),
    }
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
    let mut items = Vec::new();
    for task in page.items {
        let plan = caller.device.state().value(&key(task.id)).await?.unwrap_or_default();
        items.push(row(task, plan, &around));
    }
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

/// The plan as it was written, to be told as it was written.
async fn keep_plan(caller: &Caller, id: TaskId, plan: String) -> Result<Done, Fault> {
    let value = Some(plan).filter(|plan| !plan.is_empty());
    caller.device.state().set_value(&key(id), value).await?;
    Ok(Done::DONE)
}

fn key(id: TaskId) -> String {
    format!("task.{id}.plan")
}
