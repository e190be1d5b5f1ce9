//! The sections of readers.

use std::collections::BTreeSet;
use std::path::PathBuf;

use host::{ReaderConnection, ReaderLine, Reads};
use serde::Deserialize;

use super::problem::Problems;

/// Readers at most.
const MOST: usize = 8;

#[derive(Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Reader {
    /// Unlike that of any other.
    pub(crate) name: String,
    pub(crate) kind: ReaderKind,
    /// The serial line or the keyboard.
    pub(crate) device: PathBuf,
    /// Bits a second of a serial line.
    pub(crate) baud: u32,
    pub(crate) reads: ReaderReads,
    /// How the numbers of cards are written.
    pub(crate) notation: Notation,
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            name: "reader".into(),
            kind: ReaderKind::Serial,
            device: PathBuf::new(),
            baud: 9_600,
            reads: ReaderReads::Card,
            notation: Notation::Decimal,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ReaderKind {
    Serial,
    /// By USB, where it pretends to be one.
    Keyboard,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ReaderReads {
    Code,
    Card,
    Document,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Notation {
    Decimal,
    Hexadecimal,
}

impl Reader {
    /// As the driver has it.
    pub(crate) fn line(&self) -> ReaderLine {
        let device = self.device.clone();
        let connection = match self.kind {
            ReaderKind::Serial => ReaderConnection::Serial { device, baud: self.baud },
            ReaderKind::Keyboard => ReaderConnection::Keyboard { device },
        };
        let reads = match self.reads {
            ReaderReads::Code => Reads::Codes,
            ReaderReads::Card => Reads::Cards { hexadecimal: self.notation == Notation::Hexadecimal },
            ReaderReads::Document => Reads::Documents,
        };
        ReaderLine { name: self.name.clone(), connection, reads }
    }

    fn check(&self, key: &str, problems: &mut Problems<'_>) {
        let printable = self.name.chars().all(|c| c.is_ascii_graphic() || c == ' ');
        let named = !self.name.trim().is_empty() && self.name.len() <= 32 && printable;
        problems.require(named, &format!("{key}.name"), "must be 1 to 32 printable ASCII characters");
        let device = self.device.is_absolute();
        problems.require(device, &format!("{key}.device"), "must be the path of a device, like \"/dev/ttyS1\"");
        let baud = (300..=1_000_000).contains(&self.baud);
        problems.require(baud, &format!("{key}.baud"), "must be 300 to 1000000");
    }
}

/// Adds everything that is wrong with the readers.
pub(super) fn check(readers: &[Reader], problems: &mut Problems<'_>) {
    let mut names = BTreeSet::new();
    for (number, reader) in readers.iter().enumerate() {
        let key = format!("reader.{number}");
        reader.check(&key, problems);
        problems.require(names.insert(&reader.name), &format!("{key}.name"), "another reader has the same name");
    }
    problems.require(readers.len() <= MOST, "reader", format!("at most {MOST} readers"));
}

#[cfg(test)]
mod tests {
    use crate::config::Config;
    use crate::config::tests::{config, problems};

    #[test]
    fn readers_are_told_apart_by_their_names() {
        let text = "[[reader]]\ndevice = \"/dev/ttyS1\"\n[[reader]]\nname = \"codes\"\nkind = \"keyboard\"\ndevice = \"/dev/input/event3\"\nreads = \"code\"";
        let Config { reader, .. } = config(text);
        let names: Vec<_> = reader.iter().map(|reader| reader.line().name).collect();
        assert_eq!(names, ["reader", "codes"]);
        let twice = "[[reader]]\ndevice = \"/dev/ttyS1\"\n[[reader]]\ndevice = \"ttyS2\"\nbaud = 5";
        assert_eq!(
            problems(twice),
            [
                "`reader.name` in a.toml line 3: another reader has the same name",
                "`reader.device` in a.toml line 4: must be the path of a device, like \"/dev/ttyS1\"",
                "`reader.baud` in a.toml line 5: must be 300 to 1000000",
            ]
        );
    }

    #[test]
    fn an_unknown_key_of_a_reader_is_answered_with_the_nearest() {
        let problems = problems("[[reader]]\ndevice = \"/dev/ttyS1\"\nboud = 9600");
        assert_eq!(problems, ["`reader.boud` in a.toml line 3: unknown key; did you mean reader.baud?"]);
    }

    #[test]
    fn a_mistyped_value_of_one_reader_does_not_hide_the_mistakes_of_another() {
        let text = "[[reader]]\ndevice = 5\n[[reader]]\nname = \"b\"\ndevice = \"/dev/ttyS1\"\nreads = \"cards\"";
        let problems = problems(text);
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].starts_with("`reader.device` in a.toml line 2: "), "{problems:?}");
        assert!(problems[1].starts_with("`reader.reads` in a.toml line 6: "), "{problems:?}");
    }
}
