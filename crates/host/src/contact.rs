//! The device's own contact: a line of a GPIO chip that opens the door while it is active.

use std::path::PathBuf;

use domain::{Error, Result};
use gpiocdev::Request;
use gpiocdev::line::{Offset, Value};

/// Which line opens the door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactLine {
    /// The chip, e.g. `/dev/gpiochip0`.
    pub chip: PathBuf,
    /// The number of the line on it.
    pub line: Offset,
    /// Whether the line is low while the door is open.
    pub active_low: bool,
}

/// The contact, the device's alone while it runs.
#[derive(Debug)]
pub struct Contact {
    request: Request,
    line: Offset,
}

impl Contact {
    /// Takes the line, at first with the door closed. `Unavailable` when there is none, it is in use, or the process
    /// may not have it; the log says which.
    pub fn open(wanted: &ContactLine) -> Result<Self> {
        let mut request = Request::builder();
        request.on_chip(&wanted.chip).with_consumer("polyface").with_line(wanted.line).as_output(Value::Inactive);
        if wanted.active_low {
            request.as_active_low();
        }
        let request = request.request().map_err(|error| {
            tracing::error!(host.chip = %wanted.chip.display(), host.line = wanted.line, %error, "no contact for the door");
            Error::Unavailable { what: "the contact of the door" }
        })?;
        Ok(Self { request, line: wanted.line })
    }

    /// Opens the door, or closes it.
    pub(crate) fn set(&self, on: bool) -> Result<()> {
        let value = if on { Value::Active } else { Value::Inactive };
        self.request.set_value(self.line, value).map(drop).map_err(Error::internal("switching the contact"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chip_that_is_not_there_is_unavailable() {
        let wanted = ContactLine { chip: "/dev/gpiochip999".into(), line: 3, active_low: false };
        assert!(matches!(Contact::open(&wanted), Err(Error::Unavailable { .. })));
    }
}
