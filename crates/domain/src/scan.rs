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
