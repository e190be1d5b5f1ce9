//! The operations, one function each, and the table that leads from the path to them.

mod accounts;
mod cameras;
mod config;
mod libraries;
mod people;
mod pictures;
mod records;
mod tasks;

pub(crate) use pictures::{show_picture, upload_person_picture};

use std::future::Future;

use domain::Role;
use futures_util::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::call::{Call, success};
use crate::codes::Fault;
use crate::session::{self, Caller};
use crate::wire::refusal;

/// A path the device answers.
pub(crate) struct Operation {
    pub(crate) path: &'static str,
    /// Does it and gives the body of the answer.
    pub(crate) run: fn(Call) -> Running,
    /// The body of the answer when it fails.
    pub(crate) on_failure: fn(&Fault) -> Value,
}

type Running = BoxFuture<'static, Result<Vec<u8>, Fault>>;

const fn operation(path: &'static str, run: fn(Call) -> Running) -> Operation {
    Operation { path, run, on_failure: refusal }
}

/// All paths with a JSON body.
pub(crate) const OPERATIONS: &[Operation] = &[
    Operation { path: "/Login", run: |call| Box::pin(login(call)), on_failure: session::login_refusal },
    operation("/RegisterUser", |call| administer(call, accounts::register_user)),
    operation("/UpdateUser", |call| read(call, accounts::update_user)),
    operation("/DeleteUser", |call| administer(call, accounts::delete_user)),
    operation("/DownloadPersonPicture", |call| read(call, pictures::download_person_picture)),
    operation("/DeletePicture", |call| change(call, pictures::delete_picture)),
    operation("/AddLibrary", |call| change(call, libraries::add_library)),
    operation("/DeleteLibrary", |call| change(call, libraries::delete_library)),
    operation("/QueryLibraryList", |call| read(call, libraries::query_library_list)),
    operation("/AddPerson", |call| change(call, people::add_person)),
    operation("/DeletePerson", |call| change(call, people::delete_person)),
    operation("/UpdatePerson", |call| change(call, people::update_person)),
    operation("/QueryPersonList", |call| read(call, people::query_person_list)),
    operation("/AddCamera", |call| change(call, cameras::add_camera)),
    operation("/DeleteCamera", |call| change(call, cameras::delete_camera)),
    operation("/UpdateCamera", |call| change(call, cameras::update_camera)),
    operation("/QueryCameraList", |call| read(call, cameras::query_camera_list)),
    operation("/SearchCamera", |call| read(call, cameras::search_camera)),
    operation("/QueryCameraRtsp", |call| read(call, cameras::query_camera_rtsp)),
    operation("/AddTask", |call| change(call, tasks::add_task)),
    operation("/DeleteTask", |call| change(call, tasks::delete_task)),
    operation("/UpdateTask", |call| change(call, tasks::update_task)),
    operation("/QueryTaskList", |call| read(call, tasks::query_task_list)),
    operation("/StartTask", |call| change(call, tasks::start_task)),
    operation("/StopTask", |call| change(call, tasks::stop_task)),
    Operation {
        path: "/Compare1V1",
        run: |call| read(call, pictures::compare_1v1),
        on_failure: pictures::compare_refusal,
    },
    operation("/UpdateSystemConfig", |call| change(call, config::update_system_config)),
    operation("/GetSystemConfig", |call| read(call, config::get_system_config)),
    operation("/QueryTaskCaptureRecord", |call| read(call, records::query_task_capture_record)),
    operation("/DeleteTaskCaptureRecord", |call| change(call, records::delete_task_capture_record)),
];

async fn login(call: Call) -> Result<Vec<u8>, Fault> {
    success(&session::login(&call).await?)
}

/// For everybody with a session.
fn read<T, A, F>(call: Call, act: impl FnOnce(Caller, T) -> F + Send + 'static) -> Running
where
    T: DeserializeOwned + Send + 'static,
    A: Serialize + 'static,
    F: Future<Output = Result<A, Fault>> + Send + 'static,
{
    Box::pin(run(call, Role::Viewer, act))
}

/// For those who may change people, libraries, cameras and tasks.
fn change<T, A, F>(call: Call, act: impl FnOnce(Caller, T) -> F + Send + 'static) -> Running
where
    T: DeserializeOwned + Send + 'static,
    A: Serialize + 'static,
    F: Future<Output = Result<A, Fault>> + Send + 'static,
{
    Box::pin(run(call, Role::Operator, act))
}

/// For those who manage accounts.
fn administer<T, A, F>(call: Call, act: impl FnOnce(Caller, T) -> F + Send + 'static) -> Running
where
    T: DeserializeOwned + Send + 'static,
    A: Serialize + 'static,
    F: Future<Output = Result<A, Fault>> + Send + 'static,
{
    Box::pin(run(call, Role::Admin, act))
}

async fn run<T, A, F>(call: Call, role: Role, act: impl FnOnce(Caller, T) -> F) -> Result<Vec<u8>, Fault>
where
    T: DeserializeOwned,
    A: Serialize + 'static,
    F: Future<Output = Result<A, Fault>>,
{
    let request = call.read()?;
    let caller = call.admit(role)?;
    success(&act(caller, request).await?)
}
