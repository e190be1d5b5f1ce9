//! Volatile events.

use crate::{CameraId, CameraStatus, PersonId, Reembedding, Scan, Timestamp};

/// A volatile event; lost without a receiver.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A camera came online, went offline or is being opened.
    CameraStatus {
        /// The camera.
        camera: CameraId,
        /// Its status now.
        status: CameraStatus,
    },
    /// A stored photo was described for another embedding model.
    Reembedding(Reembedding),
    /// A reader has read something.
    Scanned {
        /// The name of the reader.
        reader: String,
        /// When.
        at: Timestamp,
        /// What was read.
        scan: Scan,
    },
    /// The device's own door was opened to a person, or left to the controller when its contact is unused.
    Entered {
        /// The person.
        person: PersonId,
        /// When.
        at: Timestamp,
    },
    /// A command for a screen, a lamp or a loudspeaker.
    FrontEnd {
        /// The command, as named in the platform's document.
        what: String,
        /// The content to show or play; empty to end it.
        content: String,
    },
}
