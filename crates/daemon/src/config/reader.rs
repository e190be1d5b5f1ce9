//! The sections of readers.

use std::collections::BTreeSet;
use std::path::PathBuf;

use host::{ReaderConnection, ReaderLine, Reads};
use serde::Deserialize;

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

    fn problem(&self) -> Option<&'static str> {
        let printable = self.name.chars().all(|c| c.is_ascii_graphic() || c == ' ');
        match () {
            () if self.name.trim().is_empty() || self.name.len() > 32 || !printable => {
                Some("name: must be 1 to 32 printable ASCII characters")
            }
            () if !self.device.is_absolute() => Some("device: must be the path of a device"),
            () if !(300..=1_000_000).contains(&self.baud) => Some("baud: must be 300 to 1000000"),
            () => None,
        }
    }
}

/// Everything that is wrong with the readers, a line each.
pub(super) fn problems(readers: &[Reader]) -> Vec<String> {
    let places = readers.iter().zip(1..);
    let mut problems: Vec<_> =
        places.filter_map(|(reader, place)| Some(format!("reader {place}: {}", reader.problem()?))).collect();
    if readers.len() > MOST {
        problems.push(format!("reader: at most {MOST}"));
    }
    let names: BTreeSet<_> = readers.iter().map(|reader| &reader.name).collect();
    if names.len() < readers.len() {
        problems.push("reader: two have the same name".to_owned());
    }
    problems
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    #[test]
    fn readers_are_told_apart_by_their_names() {
        let text = "[[reader]]\ndevice = \"/dev/ttyS1\"\n[[reader]]\nname = \"codes\"\nkind = \"keyboard\"\ndevice = \"/dev/input/event3\"\nreads = \"code\"";
        let config = Config::parse(text).unwrap();
        let names: Vec<_> = config.reader.iter().map(|reader| reader.line().name).collect();
        assert_eq!(names, ["reader", "codes"]);
        let twice = "[[reader]]\ndevice = \"/dev/ttyS1\"\n[[reader]]\ndevice = \"ttyS2\"\nbaud = 5";
        let problems = Config::parse(twice).unwrap_err();
        assert_eq!(problems, ["reader 2: device: must be the path of a device", "reader: two have the same name"]);
    }

    #[test]
    fn an_unknown_key_of_a_reader_is_answered_with_the_nearest() {
        let problems = Config::parse("[[reader]]\ndevice = \"/dev/ttyS1\"\nboud = 9600").unwrap_err();
        assert_eq!(problems, ["reader.0.boud: unknown key; did you mean reader.0.baud?"]);
    }
}
