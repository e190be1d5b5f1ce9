//! Permission groups.

use domain::Actor;

use crate::codes::{Code, Fault};
use crate::device::{Device, PERMISSIONS, written};
use crate::settings::{PermissionGroup, PermissionGroups};

/// Maximum number of permission groups.
const MAX_GROUPS: usize = 1000;

/// Puts ids in place of names; what is neither stays.
pub(crate) fn resolve(groups: &PermissionGroups, ids: &mut Vec<String>) {
    for id in ids.iter_mut() {
        if let Some(group) = groups.meant(id) {
            id.clone_from(&group.id);
        }
    }
    let mut seen = std::collections::HashSet::new();
    ids.retain(|id| seen.insert(id.clone()));
}

/// Adds a group.
///
/// # Errors
/// Code 40015 when there is no room for it.
pub(crate) fn add(groups: &mut PermissionGroups, group: PermissionGroup) -> Result<(), Fault> {
    if groups.groups.len() >= MAX_GROUPS {
        return Err(Code::Full.into());
    }
    groups.groups.push(group);
    Ok(())
}

/// Sees that there are groups for all ids, whose names are the ids until others are sent. To be called with
/// `one_at_a_time` held.
///
/// # Errors
/// Code 40401 for an unknown id, unless it may be made.
pub(crate) async fn ensure(device: &Device, actor: &Actor, ids: &[String], may_make: bool) -> Result<(), Fault> {
    let mut groups = device.permissions().await?;
    let before = groups.groups.len();
    for id in ids {
        if groups.meant(id).is_some() {
            continue;
        }
        if !may_make {
            return Err(Fault::with(Code::NoId, format!("permission group {id}")));
        }
        let (id, name) = (id.clone(), id.clone());
        let info = serde_json::Map::new();
        add(&mut groups, PermissionGroup { id, name, description: String::new(), info })?;
    }
    if groups.groups.len() > before { keep(device, actor, &groups).await } else { Ok(()) }
}

/// Keeps the groups.
pub(crate) async fn keep(device: &Device, actor: &Actor, groups: &PermissionGroups) -> Result<(), Fault> {
    let acts = device.appliance.by(actor);
    Ok(acts.configure(&device.state(), PERMISSIONS, Some(written(groups)?)).await?)
}
