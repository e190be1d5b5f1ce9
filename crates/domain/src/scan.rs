//! Scans of codes, cards and documents.

use bytes::Bytes;
use jiff::civil::Date;

use crate::Gender;

/// Something that a reader has read.
#[derive(Debug, Clone, PartialEq)]
pub enum Scan {
    /// The text of a code (QR or bar).
    Code(String),
    /// The number of a card, never 0.
    Card(u64),
    /// An identity document.
    Document(Box<Document>),
}

impl Scan {
    /// The kind, for logs and metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Code(_) => "code",
            Self::Card(_) => "card",
            Self::Document(_) => "document",
        }
    }
}

/// A card number with its bytes reversed: the lowest four, or more if it has more.
pub(crate) fn reversed(card: u64) -> u64 {
    let bytes = (u64::BITS - card.leading_zeros()).div_ceil(8).max(4);
    card.swap_bytes() >> (u64::BITS - 8 * bytes)
}

/// Content of an identity document; empty text for what it does not state.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Document {
    /// Its number; never empty.
    pub number: String,
    /// Name of the holder.
    pub name: String,
    /// Stated sex of the holder.
    pub gender: Option<Gender>,
    /// Ethnic group of the holder.
    pub ethnic_group: String,
    /// Date of birth of the holder.
    pub birth_date: Option<Date>,
    /// Address of the holder.
    pub address: String,
    /// Issuing authority.
    pub issuer: String,
    /// Validity, as written in the document.
    pub valid: String,
    /// Encoded photo of the holder; may be empty.
    pub photo: Bytes,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_has_four_bytes_or_more() {
        for (card, other) in [(0x519f_7d29, 0x297d_9f51), (7, 0x0700_0000), (0x4_a1b2_c3d4, 0xd4_c3b2_a104)] {
            assert_eq!((reversed(card), reversed(reversed(card))), (other, card));
        }
        assert_eq!(reversed(0x0102_0304_0506_0708), 0x0807_0605_0403_0201);
    }
}
