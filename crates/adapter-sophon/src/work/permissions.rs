//! Permission groups.

use domain::{Actor, PermissionGroup};

use crate::codes::{Code, Fault};
use crate::device::Device;

/// The group with this name.
pub(crate) fn named<'a>(groups: &'a [PermissionGroup], name: &str) -> Option<&'a PermissionGroup> {
    groups.iter().find(|group| group.name == name)
}

/// The group with this id, or else with this name: clients send either (quirk S-PERMID).
pub(crate) fn meant<'a>(groups: &'a [PermissionGroup], text: &str) -> Option<&'a PermissionGroup> {
    groups.iter().find(|group| group.id == text).or_else(|| named(groups, text))
}

/// Puts ids in place of names; what is neither stays.
pub(crate) fn resolve(groups: &[PermissionGroup], ids: &mut Vec<String>) {
    for id in ids.iter_mut() {
        if let Some(group) = meant(groups, id) {
            id.clone_from(&group.id);
        }
    }
    let mut seen = std::collections::HashSet::new();
    ids.retain(|id| seen.insert(id.clone()));
}

/// Sees that there are groups for all ids, whose names are the ids until others are sent. To be called with
/// `one_at_a_time` held.
///
/// # Errors
/// Code 40401 for an unknown id, unless it may be made; code 40015 when there are too many.
pub(crate) async fn ensure(device: &Device, actor: &Actor, ids: &[String], may_make: bool) -> Result<(), Fault> {
    let groups = device.appliance.permission_groups().await?;
    let mut missing: Vec<_> = ids.iter().filter(|id| meant(&groups, id).is_none()).collect();
    missing.sort_unstable();
    missing.dedup();
    for id in missing {
        if !may_make {
            return Err(Fault::with(Code::NoId, format!("permission group {id}")));
        }
        device.appliance.by(actor).create_permission_group(unnamed(id)).await?;
    }
    Ok(())
}

/// Names a group, which is made when it is missing. To be called with `one_at_a_time` held.
///
/// # Errors
/// Code 40012 when another group has the name, code 40015 when there are too many, code 40091 for an id or a name that
/// cannot be one.
pub(crate) async fn name(device: &Device, actor: &Actor, id: &str, name: &str) -> Result<(), Fault> {
    let (groups, acts) = (device.appliance.permission_groups().await?, device.appliance.by(actor));
    let before = groups.into_iter().find(|group| group.id == id);
    let is_new = before.is_none();
    let group = PermissionGroup { name: name.to_owned(), ..before.unwrap_or_else(|| unnamed(id)) };
    let named =
        if is_new { acts.create_permission_group(group).await } else { acts.update_permission_group(group).await };
    Ok(named?)
}

/// A group that is named by its id.
fn unnamed(id: &str) -> PermissionGroup {
    PermissionGroup { id: id.to_owned(), name: id.to_owned(), description: String::new(), note: None }
}
