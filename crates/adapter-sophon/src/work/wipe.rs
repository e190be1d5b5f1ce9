//! Wiping the device (4.5.4, 5.2).

use domain::{Actor, CameraChange, Error, LibraryFilter, LibraryId, Result, Thing};

use super::groups::everybody;
use crate::codes::Fault;
use crate::device::Device;
use crate::wire::system::Options;

/// Removes people with their groups, and events, as asked. To be called with `one_at_a_time` held.
pub(crate) async fn wipe(device: &Device, actor: &Actor, options: Options) -> Result<(), Fault> {
    if options.users {
        let people = everybody(&device.appliance, None).await?.iter().map(|person| person.id).collect();
        device.appliance.by(actor).remove_people(people).await?;
        for library in device.appliance.libraries(LibraryFilter::default()).await? {
            // The default group stays, empty (quirk S-DEFAULTGROUP).
            if library.id != LibraryId::DEFAULT {
                remove_library(device, actor, library.id).await?;
            }
        }
        for group in device.appliance.permission_groups().await? {
            device.appliance.by(actor).remove_permission_group(&group.id).await?;
        }
    }
    if options.events {
        device.appliance.by(actor).remove_all_records().await?;
    }
    Ok(())
}

/// Removes a library, also from what cameras watch for.
pub(crate) async fn remove_library(device: &Device, actor: &Actor, library: LibraryId) -> Result<()> {
    for camera in device.appliance.cameras().await? {
        if camera.watch.settings.libraries.contains(&library) {
            let forget = move |camera: &domain::Camera| {
                let mut watch = camera.watch.settings.clone();
                watch.libraries.remove(&library);
                Ok::<_, Error>(CameraChange { watch: Some(watch), ..CameraChange::default() })
            };
            device.appliance.by(actor).amend_camera(camera.id, forget).await?;
        }
    }
    match device.appliance.by(actor).remove_library(library).await {
        Err(Error::NotFound { what: Thing::Library }) => Ok(()),
        outcome => outcome,
    }
}
