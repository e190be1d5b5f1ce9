//! Parts of the device that can be reset.

use std::fmt;

/// Which parts of the device are reset, all of them at the next start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reset {
    /// The settings of the device and of every interface, and the first account's password. Cameras, libraries,
    /// accounts and the network stay.
    pub settings: bool,
    /// All people, also those who wait to be enrolled, and what records say about them. Libraries stay.
    pub people: bool,
    /// All records and other entries of the log.
    pub records: bool,
    /// Everything, with the keys that it is sealed with: the next start is the first one of a new device.
    pub everything: bool,
}

impl Reset {
    /// Everything.
    pub const EVERYTHING: Self = Self { settings: false, people: false, records: false, everything: true };

    /// Whether nothing is reset.
    pub fn is_nothing(self) -> bool {
        self == Self::default()
    }

    /// Reads the parts as they are displayed; `None` for an unknown word.
    pub fn read(text: &str) -> Option<Self> {
        let mut reset = Self::default();
        for word in text.split_whitespace() {
            match word {
                "settings" => reset.settings = true,
                "people" => reset.people = true,
                "records" => reset.records = true,
                "everything" => reset.everything = true,
                _ => return None,
            }
        }
        Some(reset)
    }
}

impl fmt::Display for Reset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            (self.settings, "settings"),
            (self.people, "people"),
            (self.records, "records"),
            (self.everything, "everything"),
        ];
        let words: Vec<_> = parts.iter().filter(|(wanted, _)| *wanted).map(|(_, word)| *word).collect();
        f.write_str(&words.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_read_as_they_are_written() {
        for reset in [Reset { settings: true, records: true, ..Reset::default() }, Reset::EVERYTHING] {
            assert_eq!(Reset::read(&reset.to_string()), Some(reset));
        }
        assert!(Reset::read("").is_some_and(Reset::is_nothing));
        assert_eq!(Reset::read("people plants"), None);
    }
}
