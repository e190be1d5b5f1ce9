//! Permission groups.

use super::{Acts, Appliance};
use crate::{Act, Error, PermissionGroup, Result};

/// Maximum number of permission groups.
const MAX_GROUPS: u32 = 1000;
/// Maximum length of an id or a name, characters.
const MAX_NAME: usize = 64;
/// Maximum length of a description, characters.
const MAX_DESCRIPTION: usize = 1000;

impl Appliance {
    /// The permission groups in the order in which they were created.
    pub async fn permission_groups(&self) -> Result<Vec<PermissionGroup>> {
        self.blocking(|a| a.ports().people.permission_groups()).await
    }
}

impl Acts<'_> {
    /// Creates a permission group. `AlreadyExists(PermissionGroup)` for an id or a name in use,
    /// `LimitReached(PermissionGroup)` beyond 1000, `Invalid`.
    pub async fn create_permission_group(self, group: PermissionGroup) -> Result<()> {
        let actor = self.permit(Act::PERMISSION_CREATE)?;
        check(&group)?;
        self.blocking(move |a| {
            a.ports().people.insert_permission_group(&group, MAX_GROUPS)?;
            a.audit(&actor, Act::PERMISSION_CREATE, &group.id);
            Ok(())
        })
        .await
    }

    /// Replaces name, description and note of the permission group with this id. `NotFound(PermissionGroup)`,
    /// `AlreadyExists(PermissionGroup)` for a name in use, `Invalid`.
    pub async fn update_permission_group(self, group: PermissionGroup) -> Result<()> {
        let actor = self.permit(Act::PERMISSION_UPDATE)?;
        check(&group)?;
        self.blocking(move |a| {
            a.ports().people.update_permission_group(&group)?;
            a.audit(&actor, Act::PERMISSION_UPDATE, &group.id);
            Ok(())
        })
        .await
    }

    /// Removes a permission group; its people are in it no more. A camera that is reserved for it stays so: nobody
    /// passes there because of a group that is gone. `NotFound(PermissionGroup)`.
    pub async fn remove_permission_group(self, id: &str) -> Result<()> {
        let (actor, id) = (self.permit(Act::PERMISSION_REMOVE)?, id.to_owned());
        self.blocking(move |a| {
            let _order = a.people_order();
            let people = a.ports().people.remove_permission_group(&id)?;
            for person in a.ports().people.people_by_id(&people)? {
                a.gallery().set_membership(person.id, &person.membership());
            }
            a.audit(&actor, Act::PERMISSION_REMOVE, &id);
            Ok(())
        })
        .await
    }
}

fn check(group: &PermissionGroup) -> Result<()> {
    let fits = |text: &str| (1..=MAX_NAME).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if !fits(&group.id) || !fits(&group.name) {
        return Err(Error::invalid("permission group", format!("id or name has not 1 to {MAX_NAME} characters")));
    }
    if group.description.chars().count() > MAX_DESCRIPTION {
        return Err(Error::invalid("description", format!("longer than {MAX_DESCRIPTION} characters")));
    }
    Ok(())
}
