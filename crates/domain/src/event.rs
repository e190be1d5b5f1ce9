//! News that nobody keeps.

use crate::{CameraId, CameraStatus, PersonId, Reembedding, Scan, Timestamp};

/// Something that happened; lost when nobody listens.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A camera came online, went offline or is being opened.
    CameraStatus {
        /// The camera.
        camera: CameraId,
        /// How it is now.
        status: CameraStatus,
    },
    /// A stored photo was described for another embedding model.
    Reembedding(Reembedding),
    /// Something was shown to a reader.
    Scanned {
        /// The name of the reader.
        reader: String,
        /// When.
        at: Timestamp,
        /// What was read.
        scan: Scan,
    },
    /// The device's own door was opened to somebody, or would have been if its contact were in use.
    Entered {
        /// To whom.
        person: PersonId,
        /// When.
        at: Timestamp,
    },
    /// What only a screen, a lamp or a loudspeaker could obey.
    FrontEnd {
        /// What it is about, as the platform's document names it.
        what: String,
        /// What it is to be; empty when it ends.
        content: String,
    },
}
