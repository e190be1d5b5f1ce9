//! Records on their way out: to the broker, to the HTTP subscriber, and again on demand.

mod again;
mod broker;
mod feeds;
mod messages;
mod scans;
mod subscriber;

use domain::{Appliance, RecordKind};
use tokio_util::sync::CancellationToken;

use crate::device::Device;

pub(crate) use feeds::{
    TO_BROKER, TO_SUBSCRIBER, confirm, confirm_early, entry, find, forget_resume, is_pushed_as, resume_from,
    resume_since_now, resume_time,
};

/// Pushes until cancelled.
pub(crate) async fn run(device: &Device, appliance: Appliance, cancel: &CancellationToken) {
    tokio::join!(
        broker::deliver(device, appliance.clone(), RecordKind::People, cancel),
        broker::deliver(device, appliance.clone(), RecordKind::Strangers, cancel),
        subscriber::deliver(device, appliance.clone(), cancel),
        scans::run(device, &appliance, cancel),
        subscriber::send_heartbeats(device, cancel),
        again::run(device, cancel),
    );
}
