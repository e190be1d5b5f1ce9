//! Looking for cameras.

use super::Appliance;
use crate::ports::SourceError;
use crate::{CameraStream, DeviceAddress, Error, FoundCamera, Result, Thing};

impl Appliance {
    /// Cameras that answer a search of the network, which takes some seconds; by address.
    /// `Busy` while another search runs, `Unavailable` when the question cannot be sent.
    pub async fn discover_cameras(&self) -> Result<Vec<FoundCamera>> {
        let _one_at_a_time = self.core.searching.try_lock().map_err(|_| Error::Busy)?;
        self.ports().discovery.discover().await.map_err(failure)
    }

    /// The streams of one camera, its main stream first, at least one. It need not be a channel of the device.
    /// `WrongCredentials`, `NotFound(Camera)` when it has no stream, `Invalid` for an unusable address,
    /// `Unavailable` when it does not answer as it should.
    pub async fn camera_streams(&self, device: &DeviceAddress) -> Result<Vec<CameraStream>> {
        self.ports().discovery.streams(device).await.map_err(failure)
    }
}

fn failure(why: SourceError) -> Error {
    tracing::info!(%why, "cameras were asked in vain");
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
