//! What readers of codes, cards and documents read.

use bytes::Bytes;
use jiff::civil::Date;

use crate::Gender;

/// Something that was shown to a reader.
#[derive(Debug, Clone, PartialEq)]
pub enum Scan {
    /// The text of a code (QR or bar).
    Code(String),
    /// The number of a card, never 0.
    Card(u64),
    /// A document that says who somebody is.
    Document(Box<Document>),
}

impl Scan {
    /// What kind of thing was read, for logs and counters.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Code(_) => "code",
            Self::Card(_) => "card",
            Self::Document(_) => "document",
        }
    }
}

/// The number of a card with its bytes in the other order: four of them, or as many more as it has.
pub(crate) fn reversed(card: u64) -> u64 {
    let bytes = (u64::BITS - card.leading_zeros()).div_ceil(8).max(4);
    card.swap_bytes() >> (u64::BITS - 8 * bytes)
}

/// What a document says; empty text where it says nothing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Document {
    /// Its number; never empty.
    pub number: String,
    /// Of the holder.
    pub name: String,
    /// Of the holder.
    pub gender: Option<Gender>,
    /// Of the holder.
    pub ethnic_group: String,
    /// Of the holder.
    pub birth_date: Option<Date>,
    /// Of the holder.
    pub address: String,
    /// Who has issued it.
    pub issuer: String,
    /// From when until when it is valid, as it is written there.
    pub valid: String,
    /// The holder, an encoded picture; may be empty.
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
