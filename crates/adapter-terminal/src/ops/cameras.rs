//! What this document sets for the one camera it knows: it holds for every camera without a value of its own.

use std::time::Duration;

use domain::{Area, Camera, CameraDefaults, Result, Similarity, WatchSettings};

use crate::convert::face;
use crate::core::Core;

/// What the cameras do that follow the device.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct InForce {
    pub(crate) threshold: Similarity,
    pub(crate) rearm: Duration,
    pub(crate) min_face_px: u32,
    pub(crate) area: Area,
}

impl InForce {
    /// As the first camera has it that follows; what is set for later ones where there is none; the document's factory
    /// values on a new device.
    pub(crate) async fn load(core: &Core) -> Result<Self> {
        let (cameras, defaults) = (core.appliance.cameras().await?, core.appliance.camera_defaults());
        let factory = WatchSettings::default();
        let first = |follows: fn(&Camera) -> bool| cameras.iter().find(|camera| follows(camera));
        let (threshold, rearm) = (first(|c| !c.own.threshold), first(|c| !c.own.rearm));
        let smallest = first(|camera| !camera.own.min_face_px).map(|camera| camera.settings.min_face_px);
        Ok(Self {
            threshold: threshold
                .map(|camera| camera.watch.settings.threshold)
                .or(defaults.threshold)
                .unwrap_or(factory.threshold),
            rearm: rearm.map(|camera| camera.watch.settings.rearm).or(defaults.rearm).unwrap_or(factory.rearm),
            min_face_px: smallest.or(defaults.min_face_px).unwrap_or(face::FACTORY_PIXELS),
            area: defaults.area.unwrap_or(Area::WHOLE),
        })
    }
}

/// Changes what is set for all cameras, if that is a change.
pub(crate) async fn set_defaults(core: &Core, change: impl FnOnce(CameraDefaults) -> CameraDefaults) -> Result<()> {
    let before = core.appliance.camera_defaults();
    let after = change(before);
    if after == before { Ok(()) } else { core.acts().set_camera_defaults(after).await }
}
