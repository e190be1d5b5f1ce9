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

use domain::Act;
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
    operation("/RegisterUser", |call| run(call, Act::ACCOUNT_CREATE, accounts::register_user)),
    operation("/UpdateUser", |call| run(call, Act::OWN_ACCOUNT_UPDATE, accounts::update_user)),
    operation("/DeleteUser", |call| run(call, Act::ACCOUNT_REMOVE, accounts::delete_user)),
    operation("/DownloadPersonPicture", |call| run(call, Act::READ, pictures::download_person_picture)),
    operation("/DeletePicture", |call| run(call, Act::PICTURE_REMOVE, pictures::delete_picture)),
    operation("/AddLibrary", |call| run(call, Act::LIBRARY_CREATE, libraries::add_library)),
    operation("/DeleteLibrary", |call| run(call, Act::LIBRARY_REMOVE, libraries::delete_library)),
    operation("/QueryLibraryList", |call| run(call, Act::READ, libraries::query_library_list)),
    operation("/AddPerson", |call| run(call, Act::PERSON_ENROL, people::add_person)),
    operation("/DeletePerson", |call| run(call, Act::PERSON_REMOVE, people::delete_person)),
    operation("/UpdatePerson", |call| run(call, Act::PERSON_UPDATE, people::update_person)),
    operation("/QueryPersonList", |call| run(call, Act::READ, people::query_person_list)),
    operation("/AddCamera", |call| run(call, Act::CAMERA_ADD, cameras::add_camera)),
    operation("/DeleteCamera", |call| run(call, Act::CAMERA_REMOVE, cameras::delete_camera)),
    operation("/UpdateCamera", |call| run(call, Act::CAMERA_UPDATE, cameras::update_camera)),
    operation("/QueryCameraList", |call| run(call, Act::READ, cameras::query_camera_list)),
    operation("/SearchCamera", |call| run(call, Act::READ, cameras::search_camera)),
    operation("/QueryCameraRtsp", |call| run(call, Act::READ, cameras::query_camera_rtsp)),
    operation("/AddTask", |call| run(call, Act::TASK_ADD, tasks::add_task)),
    operation("/DeleteTask", |call| run(call, Act::TASK_REMOVE, tasks::delete_task)),
    operation("/UpdateTask", |call| run(call, Act::TASK_UPDATE, tasks::update_task)),
    operation("/QueryTaskList", |call| run(call, Act::READ, tasks::query_task_list)),
    operation("/StartTask", |call| run(call, Act::TASK_START, tasks::start_task)),
    operation("/StopTask", |call| run(call, Act::TASK_STOP, tasks::stop_task)),
    Operation {
        path: "/Compare1V1",
        run: |call| run(call, Act::READ, pictures::compare_1v1),
        on_failure: pictures::compare_refusal,
    },
    operation("/UpdateSystemConfig", |call| run(call, Act::ADAPTER_NOTE, config::update_system_config)),
    operation("/GetSystemConfig", |call| run(call, Act::READ, config::get_system_config)),
    operation("/QueryTaskCaptureRecord", |call| run(call, Act::READ, records::query_task_capture_record)),
    operation("/DeleteTaskCaptureRecord", |call| run(call, Act::RECORD_REMOVE, records::delete_task_capture_record)),
];

async fn login(call: Call) -> Result<Vec<u8>, Fault> {
    success(&session::login(&call).await?)
}

/// Reads the fields, then lets those in who may do this, and does it.
fn run<T, A, F>(call: Call, needed: Act, act: impl FnOnce(Caller, T) -> F + Send + 'static) -> Running
where
    T: DeserializeOwned + Send + 'static,
    A: Serialize + 'static,
    F: Future<Output = Result<A, Fault>> + Send + 'static,
{
    Box::pin(async move {
        let request = call.read()?;
        let caller = call.admit(needed)?;
        success(&act(caller, request).await?)
    })
}
