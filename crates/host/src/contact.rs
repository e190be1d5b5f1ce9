//! The device's door contact: a GPIO line that opens the door while active.

use std::path::PathBuf;

use domain::{Error, Result};
use gpiocdev::Request;
use gpiocdev::line::{Offset, Value};

/// The GPIO line that opens the door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactLine {
    /// The chip, e.g. `/dev/gpiochip0`.
    pub chip: PathBuf,
    /// Number of the line on the chip.
    pub line: Offset,
    /// Whether the line is low while the door is open.
    pub active_low: bool,
}

/// The contact, requested exclusively.
#[derive(Debug)]
pub struct Contact {
    request: Request,
    line: Offset,
}

impl Contact {
    /// Requests the line, initially with the door closed. Fails with `Unavailable` when it does not exist, is in use,
    /// or access is denied; the log says which.
    pub fn open(wanted: &ContactLine) -> Result<Self> {
        let mut request = Request::builder();
        request.on_chip(&wanted.chip).with_consumer("polyface").with_line(wanted.line).as_output(Value::Inactive);
        if wanted.active_low {
            request.as_active_low();
        }
        let request = request.request().map_err(|error| {
            tracing::error!(host.chip = %wanted.chip.display(), host.line = wanted.line, %error, "failed to open the door contact");
            Error::Unavailable { what: "the contact of the door" }
        })?;
        Ok(Self { request, line: wanted.line })
    }

    /// Opens or closes the door.
    pub(crate) fn set(&self, on: bool) -> Result<()> {
        let value = if on { Value::Active } else { Value::Inactive };
        self.request.set_value(self.line, value).map(drop).map_err(Error::internal("switching the door contact"))
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
