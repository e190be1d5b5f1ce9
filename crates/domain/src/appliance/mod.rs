//! The one handle through which everything outside acts.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{broadcast, watch};

use crate::ports::Ports;
use crate::*;

/// How the appliance is set up; fixed while it runs.
#[derive(Debug, Clone)]
pub struct Options {
    /// Local time of plans and daily windows.
    pub time_zone: jiff::tz::TimeZone,
}

/// placeholder signatures while the core is being written
#[derive(Clone)]
pub struct Appliance {
    #[allow(dead_code)]
    ports: Arc<Ports>,
    #[allow(dead_code)]
    x: Option<PathBuf>,
}
/// x
pub struct Secret;
/// x
pub struct DeviceInfo;
/// x
pub struct Health;
/// x
pub struct Hit;
/// x
pub struct HitList;
/// x
pub struct Limits;
/// x
pub struct PhotoFace;
/// x
pub struct ComparedFaces;
#[allow(dead_code, missing_docs)]
fn _x(_: Bytes, _: broadcast::Receiver<()>, _: watch::Receiver<()>) {}
