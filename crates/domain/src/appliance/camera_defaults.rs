//! The camera defaults: values for all cameras, set by platforms whose protocol knows only one camera.

use super::{Acts, Appliance};
use crate::{Act, Camera, CameraChange, CameraDefaults, CameraSettings, OwnValues, Result, WatchSettings};

impl Appliance {
    /// The values for every camera that has none of its own; empty while they cannot be read.
    pub fn camera_defaults(&self) -> CameraDefaults {
        self.settings().camera_defaults()
    }

    /// The camera with the defaults in place of what it does not set itself.
    pub(super) fn in_force(&self, camera: Camera) -> Camera {
        self.core.surveillance.in_force(camera)
    }
}

impl Acts<'_> {
    /// Sets the values for every present and future camera that has none of its own, at once and over a restart.
    pub async fn set_camera_defaults(self, defaults: CameraDefaults) -> Result<()> {
        let actor = self.permit(Act::CAMERA_DEFAULTS)?;
        self.blocking(move |a| {
            a.change_settings(|settings| settings.cameras = Ok(Some(defaults)))?;
            a.audit(&actor, Act::CAMERA_DEFAULTS, &"all cameras");
            Ok(())
        })
        .await
    }

    /// Removes these own values from every camera: from now on all cameras follow the defaults.
    pub async fn release_cameras(self, values: OwnValues) -> Result<()> {
        let actor = self.permit(Act::CAMERA_RELEASE)?;
        self.blocking(move |a| {
            a.ports().settings.release_cameras(values)?;
            a.core.surveillance.note_change();
            a.audit(&actor, Act::CAMERA_RELEASE, &"all cameras");
            Ok(())
        })
        .await
    }
}

/// The values that a change sets to something else; they become the camera's own.
pub(super) fn changed(
    (settings, before): (Option<&CameraSettings>, &CameraSettings),
    (watch, watch_before): (Option<&WatchSettings>, &WatchSettings),
) -> OwnValues {
    OwnValues {
        threshold: watch.is_some_and(|watch| watch.threshold != watch_before.threshold),
        rearm: watch.is_some_and(|watch| watch.rearm != watch_before.rearm),
        min_face_px: settings.is_some_and(|settings| settings.min_face_px != before.min_face_px),
        region: settings.is_some_and(|settings| settings.region != before.region),
    }
}

/// Restores the stored value of what is not the camera's own, so that it applies again when there is no default.
pub(super) fn keep_followed(change: &mut CameraChange, stored: &Camera) {
    let own = stored.own.and(change.own);
    if let Some(settings) = &mut change.settings {
        settings.min_face_px = if own.min_face_px { settings.min_face_px } else { stored.settings.min_face_px };
        settings.region = if own.region { settings.region } else { stored.settings.region };
    }
    if let Some(watch) = &mut change.watch {
        let kept = &stored.watch.settings;
        watch.threshold = if own.threshold { watch.threshold } else { kept.threshold };
        watch.rearm = if own.rearm { watch.rearm } else { kept.rearm };
    }
}
