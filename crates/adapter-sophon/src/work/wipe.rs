//! Wiping the device (4.5.4, 5.2).

use domain::{Actor, LibraryFilter, LibraryId};

use super::groups::everybody;
use crate::codes::Fault;
use crate::device::Device;
use crate::wire::system::Options;

/// Removes people with their groups, and events, as asked. To be called with `one_at_a_time` held.
pub(crate) async fn wipe(device: &Device, actor: &Actor, options: Options) -> Result<(), Fault> {
    if options.users {
        // The default group stays, empty (quirk S-DEFAULTGROUP).
        let libraries = device.appliance.libraries(LibraryFilter::default()).await?;
        let libraries: Vec<_> =
            libraries.iter().map(|library| library.id).filter(|id| *id != LibraryId::DEFAULT).collect();
        device.appliance.check_removable(&libraries).await?;
        let people = everybody(&device.appliance, None).await?.iter().map(|person| person.id).collect();
        device.appliance.by(actor).remove_people(people).await?;
        device.appliance.by(actor).withdraw_libraries(libraries).await?;
        for group in device.appliance.permission_groups().await? {
            device.appliance.by(actor).remove_permission_group(&group.id).await?;
        }
    }
    if options.events {
        device.appliance.by(actor).remove_all_records().await?;
    }
    Ok(())
}
