//! The section of doors.

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Door {
    /// A face last seen longer ago than this opens no door, milliseconds.
    pub(crate) max_age_ms: u64,
    /// The message that switches a relay in the network on; empty: none is ever switched.
    #[serde(with = "hex")]
    pub(crate) relay_on: Vec<u8>,
    /// The message that switches it off; empty for relays that do so by themselves.
    #[serde(with = "hex")]
    pub(crate) relay_off: Vec<u8>,
    /// How long it stays on, milliseconds.
    pub(crate) relay_hold_ms: u64,
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
            relay_on: Vec::new(),
            relay_off: Vec::new(),
            relay_hold_ms: 3_000,
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

    /// Everything that is wrong with it, a line each.
    pub(super) fn problems(&self) -> Vec<String> {
        let messages = [&self.relay_on, &self.relay_off];
        let contact = self.contact.is_empty() || self.contact_line().is_some();
        let numbers = self.wiegand.is_empty() || self.number_line().is_some();
        let demands = [
            ((100..=60_000).contains(&self.max_age_ms), "max_age_ms: must be 100 to 60000"),
            (messages.iter().all(|message| message.len() <= 256), "relay_on, relay_off: at most 256 bytes"),
            ((50..=60_000).contains(&self.relay_hold_ms), "relay_hold_ms: must be 50 to 60000"),
            (contact, "contact: must be a GPIO chip and a line, like /dev/gpiochip0:17"),
            (numbers, "wiegand: must be a GPIO chip and two lines, like /dev/gpiochip0:5,6"),
        ];
        let missed = demands.into_iter().filter(|(met, _)| !met);
        missed.map(|(_, problem)| format!("door.{problem}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_chips_are_read_or_a_problem() {
        let good =
            Door { contact: "/dev/gpiochip0:17".into(), wiegand: "/dev/gpiochip1:5,6".into(), ..Door::default() };
        assert_eq!(good.problems(), [] as [&str; 0]);
        assert_eq!(good.number_line(), Some(host::NumberLine { chip: "/dev/gpiochip1".into(), d0: 5, d1: 6 }));
        for bad in ["5,6", "/dev/gpiochip0:5", "/dev/gpiochip0:5,5", "/dev/gpiochip0:x,6"] {
            let door = Door { wiegand: bad.into(), ..Door::default() };
            assert_eq!(door.problems().len(), 1, "{bad}");
        }
    }
}
