//! Discovery of cameras.

use super::{Acts, Appliance};
use crate::ports::SourceError;
use crate::{Act, CameraStream, DeviceAddress, Error, FoundCamera, Result, Thing};

impl Appliance {
    /// Cameras that answer a discovery on the network, in order of address; takes some seconds.
    ///
    /// # Errors
    /// `Busy` while another discovery runs, `Unavailable` when the request cannot be sent.
    pub async fn discover_cameras(&self) -> Result<Vec<FoundCamera>> {
        let _one_at_a_time = self.core.discovery.try_lock().map_err(|_| Error::Busy)?;
        self.ports().discovery.discover().await.map_err(failure)
    }
}

impl Acts<'_> {
    /// The streams of one camera, its main stream first, at least one. The camera need not be configured.
    ///
    /// # Errors
    /// `Forbidden`, `WrongCredentials`, `NotFound(Camera)` when it has no stream, `Invalid` for an unusable address,
    /// `Unavailable` when it does not give a valid answer.
    pub async fn camera_streams(self, device: &DeviceAddress) -> Result<Vec<CameraStream>> {
        self.permit(Act::ADDRESS_CALL)?;
        self.appliance.ports().discovery.streams(device).await.map_err(failure)
    }
}

fn failure(why: SourceError) -> Error {
    tracing::info!(%why, "ONVIF discovery failed");
    match why {
        SourceError::BadAddress(why) => Error::invalid("address", why),
        SourceError::Unauthorised => Error::WrongCredentials,
        SourceError::NoStream(_) => Error::NotFound { what: Thing::Camera },
        SourceError::NotSupported => Error::NotSupported { what: "this kind of camera" },
        SourceError::Unreachable(_)
        | SourceError::Undecodable(_)
        | SourceError::Stalled(_)
        | SourceError::Broken(_) => Error::Unavailable { what: "the camera" },
    }
}
