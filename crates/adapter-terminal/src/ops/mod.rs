//! The operations, one function each.

pub(crate) mod batches;
pub(crate) mod device;
pub(crate) mod doors;
pub(crate) mod http;
pub(crate) mod people;
pub(crate) mod pictures;
pub(crate) mod records;
pub(crate) mod screen;
pub(crate) mod settings;
pub(crate) mod sounds;

use crate::codes;
use crate::wire::Fault;

/// A failure of the device itself, which is logged.
fn failed(error: &domain::Error) -> Fault {
    tracing::error!(error = error.chain(), "command failed");
    codes::FAILED.because(error)
}
