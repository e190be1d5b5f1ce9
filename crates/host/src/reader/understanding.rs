//! Parses the lines of readers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::{Document, Gender, Scan};

/// Maximum length of a code, bytes.
const LONGEST_CODE: usize = 4 * 1024;
/// Maximum length of a card number, characters.
const LONGEST_CARD: usize = 32;
/// Maximum length of a document line including its photo, bytes.
const LONGEST_DOCUMENT: usize = 256 * 1024;
/// Maximum length of a document field other than the photo, bytes.
const LONGEST_FIELD: usize = 255;
/// Number of document fields, without the photo.
const FIELDS: usize = 8;

/// What a reader reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reads {
    /// QR codes or bar codes: the line is the text.
    Codes,
    /// Cards: the line is the number, up to 64 bits.
    Cards {
        /// Whether the number is hexadecimal instead of decimal.
        hexadecimal: bool,
    },
    /// Documents: tab-separated number, name, gender (`M` or `F`), ethnic group, date of birth (`YYYY-MM-DD`), address,
    /// issuer, validity and the photo in base64. The photo may be omitted; all fields but the number may be empty.
    Documents,
}

impl Reads {
    /// Maximum length of a valid line, bytes.
    pub(super) fn longest(self) -> usize {
        match self {
            Self::Codes => LONGEST_CODE,
            Self::Cards { .. } => LONGEST_CARD,
            Self::Documents => LONGEST_DOCUMENT,
        }
    }

    /// Parses a line; `None` when it is invalid.
    pub(super) fn understand(self, line: &str) -> Option<Scan> {
        match self {
            Self::Codes => code(line),
            Self::Cards { hexadecimal } => card(line.trim(), hexadecimal),
            Self::Documents => document(line),
        }
    }
}

fn code(line: &str) -> Option<Scan> {
    let printable = !line.trim().is_empty() && !line.chars().any(char::is_control);
    printable.then(|| Scan::Code(line.to_owned()))
}

fn card(text: &str, hexadecimal: bool) -> Option<Scan> {
    let radix = if hexadecimal { 16 } else { 10 };
    // `from_str_radix` also accepts a sign.
    let digits = text.chars().all(|digit| digit.is_digit(radix));
    let number = u64::from_str_radix(text, radix).ok().filter(|_| digits)?;
    (number != 0).then_some(Scan::Card(number))
}

fn document(line: &str) -> Option<Scan> {
    let fields: Vec<&str> = line.split('\t').collect();
    let (fields, photo) = fields.split_at_checked(FIELDS)?;
    let usable = |field: &&str| field.len() <= LONGEST_FIELD && !field.chars().any(char::is_control);
    if photo.len() > 1 || !fields.iter().all(usable) {
        return None;
    }
    let text = |index: usize| fields[index].trim().to_owned();
    let document = Document {
        number: Some(text(0)).filter(|number| !number.is_empty())?,
        name: text(1),
        gender: gender(fields[2].trim())?,
        ethnic_group: text(3),
        birth_date: date(fields[4].trim())?,
        address: text(5),
        issuer: text(6),
        valid: text(7),
        photo: STANDARD.decode(photo.first().unwrap_or(&"").trim()).ok()?.into(),
    };
    Some(Scan::Document(Box::new(document)))
}

/// `None` for an invalid value; empty means not stated.
fn gender(text: &str) -> Option<Option<Gender>> {
    match text {
        "" => Some(None),
        "M" | "m" => Some(Some(Gender::Male)),
        "F" | "f" => Some(Some(Gender::Female)),
        _ => None,
    }
}

/// `None` for an invalid date; empty means not stated.
fn date(text: &str) -> Option<Option<jiff::civil::Date>> {
    if text.is_empty() { Some(None) } else { text.parse().ok().map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DECIMAL: Reads = Reads::Cards { hexadecimal: false };
    const HEXADECIMAL: Reads = Reads::Cards { hexadecimal: true };

    #[test]
    fn a_card_is_one_number_in_either_notation() {
        let card = Some(Scan::Card(1_369_406_761));
        assert_eq!(DECIMAL.understand("1369406761"), card);
        assert_eq!(DECIMAL.understand(" 0001369406761 "), card);
        assert_eq!(HEXADECIMAL.understand("519F7d29"), card);
        for nonsense in ["", "0", "0000", "+7", "-7", "12 34", "519f7d29", "99999999999999999999999"] {
            assert_eq!(DECIMAL.understand(nonsense), None, "{nonsense:?}");
        }
        assert_eq!(HEXADECIMAL.understand("10000000000000000"), None);
    }

    #[test]
    fn a_code_is_its_text() {
        assert_eq!(Reads::Codes.understand("https://x/ y"), Some(Scan::Code("https://x/ y".into())));
        for nonsense in ["", "  ", "a\u{1b}[2J"] {
            assert_eq!(Reads::Codes.understand(nonsense), None, "{nonsense:?}");
        }
    }

    #[test]
    fn a_document_has_its_fields_between_tabs() {
        let line = "421126198702054321\tLi Mou\tM\tHan\t1987-02-05\tQichun\tBureau\t20090828-20190828\t/9j/4A==";
        let wanted = Document {
            number: "421126198702054321".into(),
            name: "Li Mou".into(),
            gender: Some(Gender::Male),
            ethnic_group: "Han".into(),
            birth_date: Some(jiff::civil::date(1987, 2, 5)),
            address: "Qichun".into(),
            issuer: "Bureau".into(),
            valid: "20090828-20190828".into(),
            photo: vec![0xff, 0xd8, 0xff, 0xe0].into(),
        };
        assert_eq!(Reads::Documents.understand(line), Some(Scan::Document(Box::new(wanted))));
        let bare = Document { number: "7".into(), ..Document::default() };
        assert_eq!(Reads::Documents.understand("7\t\t\t\t\t\t\t"), Some(Scan::Document(Box::new(bare))));
        for nonsense in [
            "7",
            "\t\t\t\t\t\t\t",
            "7\t\tX\t\t\t\t\t",
            "7\t\t\t\tyesterday\t\t\t",
            "7\t\t\t\t\t\t\t\t?",
            "7\t\t\t\t\t\t\t\t\t",
        ] {
            assert_eq!(Reads::Documents.understand(nonsense), None, "{nonsense:?}");
        }
        let long = format!("7\t{}\t\t\t\t\t\t", "x".repeat(LONGEST_FIELD + 1));
        assert_eq!(Reads::Documents.understand(&long), None);
    }
}
