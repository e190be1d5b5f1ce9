//! Permission groups (4.1).

use adapter::lenient::Text;
use uuid::Uuid;

use crate::codes::{Code, Fault};
use crate::convert::{description, group_name};
use crate::request::Caller;
use crate::settings::PermissionGroup;
use crate::wire::permissions::{
    CreatePermission, DeletePermission, Permission, PermissionDeleted, PermissionInfo, Permissions, QueryPermissions,
    UpdatePermission,
};
use crate::work::groups::everybody;
use crate::work::permissions as work;

/// Makes a group (POST permissions, section 4.1.1).
pub(crate) async fn create(caller: Caller, request: CreatePermission) -> Result<PermissionInfo, Fault> {
    let name = group_name(request.permission_name.0)?;
    let info = request.info.unwrap_or_default().0;
    if info.contains_key("name") || info.contains_key("description") {
        return Err(Fault::parameter("info holds name or description"));
    }
    let _one_at_a_time = caller.device.one_at_a_time.lock().await;
    let mut groups = caller.device.permissions().await?;
    if groups.meant(&name).is_some() {
        return Err(Fault::with(Code::GroupName, "it is taken"));
    }
    let id = Uuid::new_v4().to_string();
    let group = PermissionGroup { id, name, description: description(request.description.0)?, info };
    work::add(&mut groups, group.clone())?;
    work::keep(&caller.device, &caller.actor, &groups).await?;
    Ok(PermissionInfo { info: Permission { id: Some(group.id.clone()), ..shown(&group) } })
}

/// Lists groups (GET permissions, section 4.1.2).
pub(crate) async fn query(caller: Caller, request: QueryPermissions) -> Result<Permissions, Fault> {
    caller.reading()?;
    let groups = caller.device.permissions().await?;
    let wanted = match request.permission_name {
        Some(Text(name)) => vec![groups.named(&name).ok_or(Code::NoResource)?],
        None => groups.groups.iter().collect(),
    };
    Ok(Permissions { permissions_list: wanted.into_iter().map(shown).collect() })
}

/// Removes a group, and its people where that is asked for (DELETE permissions, section 4.1.3).
pub(crate) async fn delete(caller: Caller, request: DeletePermission) -> Result<PermissionDeleted, Fault> {
    let with_people = request.user_recursive_delete.is_some_and(|wanted| wanted.0);
    let _one_at_a_time = caller.device.one_at_a_time.lock().await;
    let mut groups = caller.device.permissions().await?;
    let id = groups.named(&request.permission_name.0).ok_or(Code::NoResource)?.id.clone();
    if with_people {
        let people = everybody(caller.reading()?, None).await?.into_iter();
        let members = people.filter(|person| person.profile.permission_groups.contains(&id));
        caller.acts().remove_people(members.map(|person| person.id).collect()).await?;
    }
    groups.groups.retain(|group| group.id != id);
    work::keep(&caller.device, &caller.actor, &groups).await?;
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
    let mut groups = caller.device.permissions().await?;
    let mut named = groups.groups.iter_mut().filter(|group| group.name == request.permission_name.0);
    let group = named.next().ok_or(Code::NoResource)?;
    group.description = description;
    let info = shown(group);
    work::keep(&caller.device, &caller.actor, &groups).await?;
    Ok(PermissionInfo { info })
}

fn shown(group: &PermissionGroup) -> Permission {
    Permission { id: None, name: group.name.clone(), description: group.description.clone() }
}
