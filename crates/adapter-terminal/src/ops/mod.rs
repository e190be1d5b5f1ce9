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

use domain::Timestamp;

use crate::codes::{self, Refusal};
use crate::convert::time;
use crate::device::Device;
use crate::wire::{Fault, Fields};

/// A failure of the device itself, which is logged.
fn failed(error: &domain::Error) -> Fault {
    tracing::error!(error = error.chain(), "command failed");
    codes::FAILED.because(error)
}

/// The time from which pushes are to resume. `None` for one that is not sent, and for zeros, which are reported while
/// no time is set.
fn resume_time(
    device: &Device,
    info: &Fields,
    (name, form): (&str, &str),
    refusal: Refusal,
) -> Result<Option<Timestamp>, Fault> {
    let Some(text) = info.filled(name).filter(|text| !time::is_unset(text)) else { return Ok(None) };
    let begin = time::first(&text, &device.zone());
    begin.map(Some).ok_or_else(|| refusal.because(format_args!("{name} must be a time, {form}")))
}
