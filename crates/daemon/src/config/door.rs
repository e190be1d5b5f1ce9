//! The section of doors.

use std::net::SocketAddr;

use serde::Deserialize;

use super::problem::Problems;

#[derive(Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Door {
    /// A face last seen longer ago than this opens no door, milliseconds.
    pub(crate) max_age_ms: u64,
    /// Whether a face alone opens a door although liveness is off.
    pub(crate) photos_open: bool,
    /// Whether a face alone opens a door only after its head has turned.
    pub(crate) turn_head: bool,
    /// The message that switches a relay in the network on; empty: none is ever switched.
    #[serde(deserialize_with = "super::shapes::hexadecimal")]
    pub(crate) relay_on: Vec<u8>,
    /// The message that switches it off; empty for relays that do so by themselves.
    #[serde(deserialize_with = "super::shapes::hexadecimal")]
    pub(crate) relay_off: Vec<u8>,
    /// How long it stays on, milliseconds.
    pub(crate) relay_hold_ms: u64,
    /// The relay in the network that an alarm switches on; nothing: there is none.
    #[serde(deserialize_with = "super::shapes::optional_listen")]
    pub(crate) alarm: Option<SocketAddr>,
    /// The line that opens the device's own door, `/dev/gpiochip0:17`; empty: it has none.
    pub(crate) contact: String,
    /// Whether that line is low while the door is open.
    pub(crate) contact_active_low: bool,
    /// The lines D0 and D1 to the controller of a door, `/dev/gpiochip0:5,6`; empty: there is none.
    pub(crate) wiegand: String,
}

impl Default for Door {
    fn default() -> Self {
        Self {
            max_age_ms: 1_500,
            photos_open: false,
            turn_head: false,
            relay_on: Vec::new(),
            relay_off: Vec::new(),
            relay_hold_ms: 3_000,
            alarm: None,
            contact: String::new(),
            contact_active_low: false,
            wiegand: String::new(),
        }
    }
}

impl Door {
    /// The line that opens the device's own door.
    pub(crate) fn contact_line(&self) -> Option<host::ContactLine> {
        let (chip, line) = self.contact.rsplit_once(':')?;
        Some(host::ContactLine { chip: chip.into(), line: line.parse().ok()?, active_low: self.contact_active_low })
    }

    /// The lines to the controller of a door.
    pub(crate) fn number_line(&self) -> Option<host::NumberLine> {
        let (chip, lines) = self.wiegand.rsplit_once(':')?;
        let (d0, d1) = lines.split_once(',')?;
        let (d0, d1) = (d0.parse().ok()?, d1.parse().ok()?);
        (d0 != d1).then(|| host::NumberLine { chip: chip.into(), d0, d1 })
    }

    pub(super) fn check(&self, problems: &mut Problems<'_>) {
        let contact = self.contact.is_empty() || self.contact_line().is_some();
        let numbers = self.wiegand.is_empty() || self.number_line().is_some();
        problems.require((100..=60_000).contains(&self.max_age_ms), "door.max_age_ms", "must be 100 to 60000");
        problems.require(self.relay_on.len() <= 256, "door.relay_on", "must be at most 256 bytes");
        problems.require(self.relay_off.len() <= 256, "door.relay_off", "must be at most 256 bytes");
        problems.require((50..=60_000).contains(&self.relay_hold_ms), "door.relay_hold_ms", "must be 50 to 60000");
        problems.require(contact, "door.contact", "must be a GPIO chip and a line, like \"/dev/gpiochip0:17\"");
        problems.require(numbers, "door.wiegand", "must be a GPIO chip and two lines, like \"/dev/gpiochip0:5,6\"");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::problems;

    #[test]
    fn lines_of_chips_are_read_or_a_problem() {
        let good = "[door]\ncontact = \"/dev/gpiochip0:17\"\nwiegand = \"/dev/gpiochip1:5,6\"";
        assert_eq!(problems(good), [] as [&str; 0]);
        let door = Door { wiegand: "/dev/gpiochip1:5,6".into(), ..Door::default() };
        assert_eq!(door.number_line(), Some(host::NumberLine { chip: "/dev/gpiochip1".into(), d0: 5, d1: 6 }));
        for bad in ["5,6", "/dev/gpiochip0:5", "/dev/gpiochip0:5,5", "/dev/gpiochip0:x,6"] {
            assert_eq!(problems(&format!("[door]\nwiegand = {bad:?}")).len(), 1, "{bad}");
        }
    }
}
