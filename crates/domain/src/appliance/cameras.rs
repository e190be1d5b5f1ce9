//! Cameras.

use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;

use super::{Acts, Appliance, camera_defaults};
use crate::surveillance::KeptVideo;
use crate::{
    Act, Actor, Camera, CameraChange, CameraCounters, CameraId, CameraSettings, CameraStatus, Error, NewCamera, Result,
    Source, Thing, Timestamp,
};

/// Time-out of a delivered picture.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(30);
/// Time-out of a snapshot.
const SNAPSHOT_TIMEOUT: Duration = Duration::from_secs(5);

impl Appliance {
    /// Cameras in ascending order of channel, with the device's defaults in place of what a camera does not set itself.
    pub async fn cameras(&self) -> Result<Vec<Camera>> {
        self.blocking(|a| Ok(a.ports().settings.cameras()?.into_iter().map(|camera| a.in_force(camera)).collect()))
            .await
    }

    /// One camera. `NotFound(Camera)`.
    pub async fn camera(&self, id: CameraId) -> Result<Camera> {
        let found = self.cameras().await?.into_iter().find(|camera| camera.id == id);
        found.ok_or(Error::NotFound { what: Thing::Camera })
    }

    /// `LimitReached(CameraCapacity)` when there is not enough computing power for a camera of this source. To be
    /// called with `camera_order` held.
    fn check_power(&self, source: &Source) -> Result<()> {
        let cameras = self.ports().settings.cameras()?;
        let used: u32 = cameras.iter().map(|camera| camera.settings.source.computing_power()).sum();
        let fits = used.saturating_add(source.computing_power()) <= self.options().limits.computing_power;
        if fits { Ok(()) } else { Err(Error::LimitReached { what: Thing::CameraCapacity }) }
    }

    /// A camera as stored, without the defaults. `NotFound(Camera)`.
    fn stored_camera(&self, id: CameraId) -> Result<Camera> {
        let stored = self.ports().settings.cameras()?.into_iter().find(|camera| camera.id == id);
        stored.ok_or(Error::NotFound { what: Thing::Camera })
    }

    /// Changes a camera and returns the changed one. Blocking.
    fn change_camera<E: From<Error>>(
        &self,
        actor: &Actor,
        id: CameraId,
        change: impl FnOnce(&Camera) -> Result<CameraChange, E>,
    ) -> Result<Camera, E> {
        let _order = self.camera_order();
        let stored = self.stored_camera(id)?;
        let before = self.in_force(stored.clone());
        let mut change = change(&before)?;
        if let Some(settings) = &mut change.settings {
            settings.source = settings.source.clone().unmasked(Some(&stored.settings.source))?;
            check(settings)?;
            check_same_kind(&before.settings, settings)?;
            // A stored address that is no longer valid must not prevent changes of other settings.
            if settings.source != before.settings.source {
                check_address(settings)?;
            }
        }
        mark_own(&mut change, &before, &stored);
        let changed = self.ports().settings.update_camera(id, &change)?;
        self.audit(actor, Act::CAMERA_UPDATE, &id);
        self.core.surveillance.note_change();
        Ok(self.in_force(changed))
    }

    fn camera_order(&self) -> MutexGuard<'_, ()> {
        self.core.camera_order.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes whenever a camera, a task or a rule is added, changed or removed.
    pub fn camera_changes(&self) -> watch::Receiver<u64> {
        self.core.surveillance.changes()
    }

    /// Status of a camera; `Connecting` for one that does not exist.
    pub fn camera_status(&self, id: CameraId) -> CameraStatus {
        self.board().status(id)
    }

    /// A JPEG of the next frame of a camera. `NotFound(Camera)`; `Unavailable` when it delivers nothing for five
    /// seconds.
    pub async fn snapshot(&self, id: CameraId) -> Result<Bytes> {
        self.camera(id).await?;
        let unavailable = || Error::Unavailable { what: "a picture of the camera" };
        let frame = self.board().next_frame(id).ok_or_else(unavailable)?;
        let frame = tokio::time::timeout(SNAPSHOT_TIMEOUT, frame).await.ok().and_then(std::result::Result::ok);
        self.ports().analyzer.encode(frame.ok_or_else(unavailable)?, None).await
    }

    /// Keeps the newest video of a camera, for clips of up to this duration, until the returned value is dropped.
    /// `NotFound(Camera)`.
    pub async fn keep_video(&self, id: CameraId, longest: Duration) -> Result<KeptVideo> {
        self.camera(id).await?;
        Ok(KeptVideo::new(self.core.surveillance.clone(), self.board().entry(id), longest))
    }

    /// Counters of a camera since the daemon started.
    pub fn camera_counters(&self, id: CameraId) -> CameraCounters {
        self.board().counters(id)
    }
}

impl Acts<'_> {
    /// All cameras in ascending order of channel, as the actor may see them: passwords are masked for actors who may
    /// not change cameras.
    pub async fn cameras(self) -> Result<Vec<Camera>> {
        let mut cameras = self.reading()?.cameras().await?;
        if self.permit(Act::CAMERA_UPDATE).is_err() {
            cameras.iter_mut().for_each(|camera| camera.settings.source = camera.settings.source.masked());
        }
        Ok(cameras)
    }

    /// Adds a camera; it is opened at once. `LimitReached(Camera)` or `LimitReached(CameraCapacity)`,
    /// `AlreadyExists(Camera)` for a channel in use, `NotFound(Library)`, `Invalid`.
    pub async fn add_camera(self, camera: NewCamera) -> Result<Camera> {
        let actor = self.permit(Act::CAMERA_ADD)?;
        self.blocking(move |a| {
            // The mask stands for a password that the device does not have.
            camera.settings.source.clone().unmasked(None)?;
            check(&camera.settings)?;
            check_address(&camera.settings)?;
            let _order = a.camera_order();
            a.check_power(&camera.settings.source)?;
            let channels = a.options().limits.channels;
            let added = a.ports().settings.insert_camera(&camera, channels, a.now())?;
            a.audit(&actor, Act::CAMERA_ADD, &added.id);
            a.core.surveillance.note_change();
            Ok(a.in_force(added))
        })
        .await
    }

    /// Changes a camera; it is reopened when its source changed. A value that changes is the camera's own from then on.
    /// `NotFound(Camera)`, `NotFound(Library)`, `Invalid` (also when the kind of source would change).
    pub async fn update_camera(self, id: CameraId, change: CameraChange) -> Result<Camera> {
        self.amend_camera(id, |_| Ok::<_, Error>(change)).await
    }

    /// Changes a camera atomically: `change` receives the camera and returns the change, or an error. Errors as
    /// [`update_camera`](Self::update_camera), and those of `change`.
    pub async fn amend_camera<E: From<Error> + Send + 'static>(
        self,
        id: CameraId,
        change: impl FnOnce(&Camera) -> Result<CameraChange, E> + Send + 'static,
    ) -> Result<Camera, E> {
        let actor = self.permit(Act::CAMERA_UPDATE)?;
        self.blocking(move |a| Ok(a.change_camera(&actor, id, change))).await?
    }

    /// Takes a picture that a camera has sent ([`Source::Pushed`]); `at`: when it was sent, or earlier. On `Ok` it was
    /// analysed, and the people in it are recorded. Not in the audit log.
    ///
    /// # Errors
    /// `NotFound(Camera)`; `NotSupported` for a camera that sends none; `BadPicture`; `StorageFull`; `Busy` when too many
    /// pictures wait, for longer than 30 seconds, or when a record waits for the store; `Unavailable` when the camera is
    /// removed meanwhile; others when it cannot be analysed. The same picture may be sent again after all of these.
    pub async fn deliver_picture(self, camera: CameraId, picture: Bytes, at: Timestamp) -> Result<()> {
        self.permit(Act::PICTURE_DELIVER)?;
        if !matches!(self.appliance.camera(camera).await?.settings.source, Source::Pushed { .. }) {
            return Err(Error::NotSupported { what: "pictures from a camera that sends none" });
        }
        let outcome = self.appliance.board().deliver(camera, picture, at)?;
        let outcome = tokio::time::timeout(DELIVERY_TIMEOUT, outcome).await.map_err(|_| Error::Busy)?;
        outcome.map_err(|_| Error::Unavailable { what: "the camera" })?
    }

    /// Removes a camera; its records stay. `NotFound(Camera)`, `InUse(Task)` while a task needs it.
    pub async fn remove_camera(self, id: CameraId) -> Result<()> {
        let actor = self.permit(Act::CAMERA_REMOVE)?;
        self.blocking(move |a| {
            a.ports().settings.remove_camera(id)?;
            a.audit(&actor, Act::CAMERA_REMOVE, &id);
            a.core.surveillance.note_change();
            Ok(())
        })
        .await
    }
}

/// Marks the changed values as the camera's own, and keeps the stored values of what follows the defaults.
fn mark_own(change: &mut CameraChange, before: &Camera, stored: &Camera) {
    let (settings, watch) = (change.settings.as_ref(), change.watch.as_ref());
    let changed = camera_defaults::changed((settings, &before.settings), (watch, &before.watch.settings));
    change.own = change.own.and(changed);
    camera_defaults::keep_followed(change, stored);
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
