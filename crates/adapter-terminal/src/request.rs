//! One command, as an operation gets it.

use std::sync::Arc;

use crate::device::Device;
use crate::wire::{Command, Fault, Fields, Reply};

/// A command that was admitted.
pub(crate) struct Call {
    pub(crate) device: Arc<Device>,
    /// The fields of `info`; none when it is a list.
    pub(crate) info: Fields,
    pub(crate) command: Command,
}

/// The outcome of a command.
pub(crate) type Outcome = Result<Reply, Fault>;
