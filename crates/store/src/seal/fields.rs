//! Several texts as one value: each with its length before it.

use crate::error::Fault;

/// The texts as one value.
pub(crate) fn pack(texts: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(texts.iter().map(|text| 4 + text.len()).sum());
    for text in texts {
        // No text of a row is longer than 4 GiB.
        bytes.extend((text.len() as u32).to_le_bytes());
        bytes.extend(text.as_bytes());
    }
    bytes
}

/// Reads the texts of a value in order.
pub(crate) struct Fields(std::vec::IntoIter<String>);

impl Fields {
    /// # Errors
    /// `Corrupt` when the value is not of this form.
    pub(crate) fn read(mut bytes: &[u8]) -> Result<Self, Fault> {
        let mut texts = Vec::new();
        while !bytes.is_empty() {
            let (text, rest) = first(bytes).ok_or(Fault::Corrupt("sealed row"))?;
            texts.push(text.to_owned());
            bytes = rest;
        }
        Ok(Self(texts.into_iter()))
    }

    /// The next text; empty behind the end, so that a later version can add some.
    pub(crate) fn take(&mut self) -> String {
        self.0.next().unwrap_or_default()
    }
}

fn first(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (text, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    Some((std::str::from_utf8(text).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_in_order() {
        let mut fields = Fields::read(&pack(&["Ada", "", "Straße 7"])).unwrap();
        assert_eq!([0; 4].map(|_| fields.take()), ["Ada", "", "Straße 7", ""]);
    }

    #[test]
    fn a_value_cut_short_is_refused() {
        let packed = pack(&["Ada", "Bob"]);
        let whole = [7, packed.len()];
        let readable = (1..=packed.len()).filter(|length| Fields::read(&packed[..*length]).is_ok());
        assert_eq!(readable.collect::<Vec<_>>(), whole);
    }
}
