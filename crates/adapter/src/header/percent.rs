//! Strict percent-decoding (RFC 3986, section 2.1): an incomplete sequence is an error.

/// Decodes a text; `None` unless every `%` begins a valid sequence.
pub(crate) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = text.iter().copied();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(if byte == b'%' { hexadecimal(bytes.next()?, bytes.next()?)? } else { byte });
    }
    Some(decoded)
}

/// The byte written as two hexadecimal digits.
pub(crate) fn hexadecimal(high: u8, low: u8) -> Option<u8> {
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    Some(digit(high)? << 4 | digit(low)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sequence_is_a_byte() {
        assert_eq!(decode(b"%E5%bc%A0 a").as_deref(), Some("张 a".as_bytes()));
        for bad in ["100%", "%4", "%zz", "%E5%B"] {
            assert_eq!(decode(bad.as_bytes()), None, "{bad}");
        }
    }
}
