//! The settings of the one camera that the document knows: they apply to every camera without a value of its own.

use std::time::Duration;

use domain::{Area, Camera, CameraDefaults, DoorRules, Result, Similarity, WatchSettings};

use crate::convert::face;
use crate::device::Device;

/// The settings in force for cameras without values of their own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct InForce {
    pub(crate) threshold: Similarity,
    pub(crate) rearm: Duration,
    pub(crate) min_face_px: u32,
    pub(crate) area: Area,
}

impl InForce {
    /// Those of the first such camera; without one the defaults for later cameras; on a new device the document's
    /// factory values.
    pub(crate) async fn load(device: &Device) -> Result<Self> {
        let (cameras, defaults) = (device.appliance.cameras().await?, device.appliance.camera_defaults());
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

    /// The threshold of a door with these rules: without one from a platform, that of the cameras.
    pub(crate) fn door_threshold(&self, rules: &DoorRules) -> Similarity {
        if rules.threshold == Similarity::ZERO { self.threshold } else { rules.threshold }
    }
}

/// Changes the defaults for all cameras, unless they stay the same.
pub(crate) async fn set_defaults(device: &Device, change: impl FnOnce(CameraDefaults) -> CameraDefaults) -> Result<()> {
    let before = device.appliance.camera_defaults();
    let after = change(before);
    if after == before { Ok(()) } else { device.acts().set_camera_defaults(after).await }
}
