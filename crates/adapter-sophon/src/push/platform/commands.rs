//! Commands of the platform (5).

use bytes::Bytes;
use domain::Actor;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::people::add_users;
use super::session::Session;
use crate::codes::{Code, Fault};
use crate::convert::people::photo;
use crate::convert::quality::{judged, level};
use crate::device::{Device, NAME};
use crate::wire::platform::{
    Command, CommandResult, DeleteUsers, Fiqa, FiqaResults, PermissionResult, PermissionResults, SyncPermissions,
    UserResult, UserResults,
};
use crate::wire::system::{Options, WipeData, WipeOptions, Wiped};
use crate::wire::{self, Fields};
use crate::work::people::{code, known};
use crate::work::permissions;
use crate::work::wipe::wipe;

/// What became of a command.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Done {
    pub(super) result: CommandResult,
    /// Where the result goes when there is no queue for it.
    pub(super) notify_path: Option<String>,
    /// Whether it asked for the quality of a picture, which has a queue of its own.
    pub(super) is_fiqa: bool,
}

/// Carries out a command.
pub(super) async fn carry_out(device: &Device, session: &Session, fields: Fields) -> Done {
    // What identifies a command is echoed even where the rest cannot be read; the id also has the name of the change log
    // (quirk S-MSGKEY).
    let said = |name: &str| fields.get(name).and_then(adapter::lenient::text);
    let (method, id) = (said("method").unwrap_or_default(), said("messageId").or_else(|| said("messageKey")));
    let read: Result<Command, Fault> = wire::read(fields.clone());
    let is_readable = read.is_ok();
    let extended = read.ok().and_then(|command| command.extend_params).unwrap_or_default();
    let actor = Actor::platform(NAME);
    let path = extended.path.map(|path| path.0);
    let outcome = match method.as_str() {
        _ if !is_readable => Err(Code::CommandParameter.into()),
        "add_users_plus" => add_users(device, session, &actor, fields, path).await.and_then(value),
        "delete_users" => delete_users(device, &actor, fields).await.and_then(value),
        "wipe_data" => wipe_data(device, &actor, fields).await.and_then(value),
        "sync_permissions" => sync_permissions(device, &actor, fields).await.and_then(value),
        "fiqa" => fiqa(device, fields).await.and_then(value),
        _ => Err(Code::CommandParameter.into()),
    };
    let (code, message, result) = match outcome {
        Ok(result) => (Code::Success, succeeded(&method).to_owned(), result),
        Err(fault) => {
            let fault = fault.of_command();
            fault.report(&method);
            (fault.code, fault.message(), json!({}))
        }
    };
    let (success, code, dev_sno) = (code == Code::Success, code.number(), session.dev_sno.clone());
    Done {
        is_fiqa: method == "fiqa",
        notify_path: extended.notify_path.and_then(adapter::lenient::Text::filled),
        result: CommandResult { success, code, message, dev_sno, method, id, result },
    }
}

fn value(result: impl Serialize) -> Result<Value, Fault> {
    serde_json::to_value(result).map_err(|error| domain::Error::internal("writing a result")(error).into())
}

/// The text of the document.
fn succeeded(method: &str) -> &'static str {
    match method {
        "add_users_plus" => "下发人员MQ命令执行成功",
        "delete_users" => "删除人员MQ命令执行成功",
        "wipe_data" => "重置数据成功",
        "sync_permissions" => "同步权限组信息MQ命令执行成功",
        _ => "检测图片质量MQ命令执行成功",
    }
}

/// Removes people; who is unknown does not stop the rest (5.1.2).
async fn delete_users(device: &Device, actor: &Actor, fields: Fields) -> Result<UserResults, Fault> {
    let request: DeleteUsers = wire::read(fields)?;
    let mut results = UserResults::default();
    for userid in request.userid_list.0 {
        match delete_user(device, actor, &userid).await {
            Ok(()) => {
                results.success_users.push(UserResult {
                    userid,
                    username: None,
                    message: "人员删除成功".into(),
                    code: 0,
                });
            }
            Err(fault) => {
                let code = fault.of_command().code.number();
                results
                    .failed_users
                    .push(UserResult { userid, username: None, message: "人员删除失败".into(), code });
            }
        }
    }
    Ok(results)
}

async fn delete_user(device: &Device, actor: &Actor, userid: &str) -> Result<(), Fault> {
    let _one_at_a_time = device.one_at_a_time.lock().await;
    let person = known(device, &code(userid)?).await?.ok_or(Code::NoId)?;
    Ok(device.appliance.by(actor).remove_person(person.id).await?)
}

/// Wipes people and events, as asked (5.2).
async fn wipe_data(device: &Device, actor: &Actor, fields: Fields) -> Result<Wiped, Fault> {
    let request: WipeData = wire::read(fields)?;
    let options: WipeOptions = wire::read(request.wipe_options.0)?;
    let wipe_options = Options { users: options.users.0, events: options.events.0 };
    let _one_at_a_time = device.one_at_a_time.lock().await;
    wipe(device, actor, wipe_options).await?;
    Ok(Wiped { wipe_options })
}

/// Names permission groups, and makes those that are missing (section 3.1).
async fn sync_permissions(device: &Device, actor: &Actor, fields: Fields) -> Result<PermissionResults, Fault> {
    let request: SyncPermissions = wire::read(fields)?;
    let _one_at_a_time = device.one_at_a_time.lock().await;
    let mut results = PermissionResults::default();
    for entry in request.permissions_info_list {
        let (id, name) = (entry.id.0, entry.info.name.0);
        let outcome = permissions::name(device, actor, &id, &name).await;
        let (code, message) = match outcome {
            Ok(()) => (0, "权限组信息同步成功".to_owned()),
            Err(fault) => {
                let fault = fault.of_command();
                (fault.code.number(), fault.message())
            }
        };
        let list = if code == 0 { &mut results.success_permission } else { &mut results.failed_permission };
        list.push(PermissionResult { permission_id: id, permission_name: name, message, code });
    }
    Ok(results)
}

/// Judges the faces of a picture (5.3).
async fn fiqa(device: &Device, fields: Fields) -> Result<FiqaResults, Fault> {
    let request: Fiqa = wire::read(fields)?;
    let level = level(request.info.fiqa_level.as_ref().map(|name| name.0.as_str()))?;
    let picture: Bytes = photo(&request.info.image_base64_str)?;
    let faces = device.appliance.faces(picture).await?;
    Ok(FiqaResults { data: faces.iter().map(|face| judged(face, level)).collect() })
}
