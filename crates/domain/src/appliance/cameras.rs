//! Cameras.

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;

use super::{Acts, Appliance, camera_defaults};
use crate::{
    Act, Camera, CameraChange, CameraCounters, CameraId, CameraSettings, CameraStatus, Error, NewCamera, Result, Thing,
};

/// How long a camera may take to deliver a picture.
const PATIENCE: Duration = Duration::from_secs(5);

impl Appliance {
    /// Cameras in ascending order of channel, as they are: what is not a camera's own is the device's default.
    pub async fn cameras(&self) -> Result<Vec<Camera>> {
        self.blocking(|a| Ok(a.ports().settings.cameras()?.into_iter().map(|camera| a.in_force(camera)).collect()))
            .await
    }

    /// One camera. `NotFound(Camera)`.
    pub async fn camera(&self, id: CameraId) -> Result<Camera> {
        let found = self.cameras().await?.into_iter().find(|camera| camera.id == id);
        found.ok_or(Error::NotFound { what: Thing::Camera })
    }

    /// A change of a camera with its own values marked, and nothing of the device's defaults in the others.
    fn claimed(&self, mut change: CameraChange, before: &Camera) -> Result<CameraChange> {
        let (settings, watch) = (change.settings.as_ref(), change.watch.as_ref());
        let changed = camera_defaults::changed((settings, &before.settings), (watch, &before.watch.settings));
        change.own = change.own.and(changed);
        let stored = self.ports().settings.cameras()?.into_iter().find(|camera| camera.id == before.id);
        let stored = stored.ok_or(Error::NotFound { what: Thing::Camera })?;
        camera_defaults::keep_followed(&mut change, &stored);
        Ok(change)
    }

    /// Whether a camera delivers pictures now; an unknown one is being connected.
    pub fn camera_status(&self, id: CameraId) -> CameraStatus {
        self.board().status(id)
    }

    /// A JPEG of what a camera sees now. `NotFound(Camera)`; `Unavailable` when it delivers nothing for five seconds.
    pub async fn snapshot(&self, id: CameraId) -> Result<Bytes> {
        self.camera(id).await?;
        let unavailable = || Error::Unavailable { what: "a picture of the camera" };
        let frame = self.board().next_frame(id).ok_or_else(unavailable)?;
        let frame = tokio::time::timeout(PATIENCE, frame).await.ok().and_then(std::result::Result::ok);
        self.ports().analyzer.encode(frame.ok_or_else(unavailable)?, None).await
    }

    /// What a camera has done since the daemon started.
    pub fn camera_counters(&self, id: CameraId) -> CameraCounters {
        self.board().counters(id)
    }

    /// Changes whenever a camera is added, changed or removed.
    pub(crate) fn cameras_changed(&self) -> watch::Receiver<u64> {
        self.core.cameras_changed.subscribe()
    }
}

impl Acts<'_> {
    /// Adds a camera; it is opened at once.
    /// `LimitReached(Camera)`, `AlreadyExists(Camera)` for a taken channel, `NotFound(Library)`, `Invalid`.
    pub async fn add_camera(self, camera: NewCamera) -> Result<Camera> {
        let actor = self.permit(Act::CAMERA_ADD)?;
        self.blocking(move |a| {
            check(&camera.settings)?;
            check_address(&camera.settings)?;
            let channels = a.options().limits.channels;
            let added = a.ports().settings.insert_camera(&camera, channels, a.now())?;
            a.audit(&actor, Act::CAMERA_ADD, &added.id);
            a.core.cameras_changed.send_modify(|version| *version += 1);
            Ok(a.in_force(added))
        })
        .await
    }

    /// Changes a camera; it is opened anew when its source changed. A value that changes is the camera's own from then on.
    /// `NotFound(Camera)`, `NotFound(Library)`, `Invalid` (also when the kind of source would change).
    pub async fn update_camera(self, id: CameraId, change: CameraChange) -> Result<Camera> {
        let actor = self.permit(Act::CAMERA_UPDATE)?;
        let before = self.appliance.camera(id).await?;
        self.blocking(move |a| {
            if let Some(settings) = &change.settings {
                check(settings)?;
                check_same_kind(&before.settings, settings)?;
                // One that was taken once does not keep the other settings from being changed.
                if settings.source != before.settings.source {
                    check_address(settings)?;
                }
            }
            let changed = a.ports().settings.update_camera(id, &a.claimed(change, &before)?)?;
            a.audit(&actor, Act::CAMERA_UPDATE, &id);
            a.core.cameras_changed.send_modify(|version| *version += 1);
            Ok(a.in_force(changed))
        })
        .await
    }

    /// Removes a camera; its records stay. `NotFound(Camera)`, `InUse(Task)` while a task needs it.
    pub async fn remove_camera(self, id: CameraId) -> Result<()> {
        let actor = self.permit(Act::CAMERA_REMOVE)?;
        self.blocking(move |a| {
            a.ports().settings.remove_camera(id)?;
            a.audit(&actor, Act::CAMERA_REMOVE, &id);
            a.core.cameras_changed.send_modify(|version| *version += 1);
            Ok(())
        })
        .await
    }
}

fn check(settings: &CameraSettings) -> Result<()> {
    if settings.name.is_empty() || settings.name.chars().count() > 64 {
        return Err(Error::invalid("camera name", "not 1 to 64 characters"));
    }
    if settings.min_face_px > settings.max_face_px {
        return Err(Error::invalid("face size", "the smallest is above the largest"));
    }
    Ok(())
}

fn check_address(settings: &CameraSettings) -> Result<()> {
    settings.source.check_url().map_err(|why| Error::invalid("source", why.to_string()))
}

fn check_same_kind(before: &CameraSettings, after: &CameraSettings) -> Result<()> {
    if before.source.may_become(&after.source) {
        return Ok(());
    }
    Err(Error::invalid("source", "the kind of a camera cannot change"))
}
