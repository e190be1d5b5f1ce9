//! What the device tells of its own accord (4.4.6, 4.4.9, 4.5.3).

mod after_changes;
mod calls;
mod cameras;
mod history;
mod messages;
mod operations;
mod platform;
mod realtime;
mod status;

use domain::Appliance;
use tokio_util::sync::CancellationToken;

use crate::device::Device;

/// Pushes until cancelled.
pub(crate) async fn run(device: &Device, appliance: Appliance, cancel: CancellationToken) {
    tokio::join!(
        realtime::deliver(device, appliance.clone(), cancel.clone()),
        history::deliver(device, appliance, cancel.clone()),
        status::report(device, &cancel),
        cameras::send(device, &cancel),
        operations::send(device, &cancel),
        platform::serve(device, &cancel),
    );
}
