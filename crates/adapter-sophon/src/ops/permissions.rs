//! Permission groups (4.1).

use adapter::lenient::Text;
use domain::PermissionGroup;
use serde_json::Value;
use uuid::Uuid;

use crate::codes::{Code, Fault};
use crate::convert::{description, group_name};
use crate::request::Caller;
use crate::wire::permissions::{
    CreatePermission, DeletePermission, Permission, PermissionDeleted, PermissionInfo, Permissions, QueryPermissions,
    UpdatePermission,
};
use crate::work::groups::everybody;
use crate::work::permissions::{meant, named};

/// Maximum length of what is kept of a group as it is, bytes.
const MAX_INFO: usize = 16 << 10;

/// Makes a group (POST permissions, section 4.1.1).
pub(crate) async fn create(caller: Caller, request: CreatePermission) -> Result<PermissionInfo, Fault> {
    let name = group_name(request.permission_name.0)?;
    let info = request.info.unwrap_or_default().0;
    if info.contains_key("name") || info.contains_key("description") {
        return Err(Fault::parameter("info holds name or description"));
    }
    let note = Some(Value::Object(info)).filter(|info| info.as_object().is_some_and(|info| !info.is_empty()));
    let note = note.map(|info| info.to_string());
    if note.as_ref().is_some_and(|note| note.len() > MAX_INFO) {
        return Err(Fault::parameter("info is too large"));
    }
    let _one_at_a_time = caller.device.one_at_a_time.lock().await;
    if meant(&caller.reading()?.permission_groups().await?, &name).is_some() {
        return Err(Fault::with(Code::GroupName, "it is taken"));
    }
    let id = Uuid::new_v4().to_string();
    let group = PermissionGroup { id, name, description: description(request.description.0)?, note };
    caller.acts().create_permission_group(group.clone()).await?;
    Ok(PermissionInfo { info: Permission { id: Some(group.id.clone()), ..shown(&group) } })
}

/// Lists groups (GET permissions, section 4.1.2).
pub(crate) async fn query(caller: Caller, request: QueryPermissions) -> Result<Permissions, Fault> {
    let groups = caller.reading()?.permission_groups().await?;
    let wanted = match request.permission_name {
        Some(Text(name)) => vec![named(&groups, &name).ok_or(Code::NoResource)?],
        None => groups.iter().collect(),
    };
    Ok(Permissions { permissions_list: wanted.into_iter().map(shown).collect() })
}

/// Removes a group, and its people where that is asked for (DELETE permissions, section 4.1.3).
pub(crate) async fn delete(caller: Caller, request: DeletePermission) -> Result<PermissionDeleted, Fault> {
    let with_people = request.user_recursive_delete.is_some_and(|wanted| wanted.0);
    let _one_at_a_time = caller.device.one_at_a_time.lock().await;
    let groups = caller.reading()?.permission_groups().await?;
    let id = &named(&groups, &request.permission_name.0).ok_or(Code::NoResource)?.id;
    if with_people {
        let people = everybody(caller.reading()?, None).await?.into_iter();
        let members = people.filter(|person| person.profile.permission_groups.contains(id));
        caller.acts().remove_people(members.map(|person| person.id).collect()).await?;
    }
    caller.acts().remove_permission_group(id).await?;
    let message = if with_people {
        "delete the permission info and the user in the permission"
    } else {
        "just delete the permission info,the user already exists"
    };
    Ok(PermissionDeleted { permission_name: request.permission_name.0, message })
}

/// Replaces the description of a group (PUT permissions, section 4.1.4).
pub(crate) async fn update(caller: Caller, request: UpdatePermission) -> Result<PermissionInfo, Fault> {
    let description = description(request.description.0)?;
    let _one_at_a_time = caller.device.one_at_a_time.lock().await;
    let groups = caller.reading()?.permission_groups().await?;
    let before = named(&groups, &request.permission_name.0).ok_or(Code::NoResource)?;
    let group = PermissionGroup { description, ..before.clone() };
    caller.acts().update_permission_group(group.clone()).await?;
    Ok(PermissionInfo { info: shown(&group) })
}

fn shown(group: &PermissionGroup) -> Permission {
    Permission { id: None, name: group.name.clone(), description: group.description.clone() }
}
