//! Messages to platforms (chapter 13).

mod channels;
mod keep_alive;
mod messages;
mod platform;
mod records;
mod videos;

use domain::Appliance;
use tokio_util::sync::CancellationToken;

use crate::device::Device;
use crate::settings::IDS;
use platform::Pushes;

/// Sends messages until cancelled.
pub(crate) async fn run(device: &Device, appliance: Appliance, cancel: CancellationToken) {
    let pushes = Pushes::new(device);
    let [first, second] = IDS;
    tokio::join!(
        run_for(&pushes, first, appliance.clone(), &cancel),
        run_for(&pushes, second, appliance.clone(), &cancel),
        channels::watch(&pushes, &appliance, &cancel),
    );
}

/// Sends messages to one platform.
async fn run_for(pushes: &Pushes<'_>, id: u8, appliance: Appliance, cancel: &CancellationToken) {
    tokio::join!(
        records::deliver(pushes, id, appliance.clone(), cancel.clone()),
        videos::deliver(pushes, id, appliance, cancel.clone()),
        keep_alive::send(pushes, id, cancel),
        channels::push(pushes, id, cancel),
    );
}
