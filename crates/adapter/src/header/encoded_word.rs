//! Encoded words of RFC 2047 (`=?utf-8?B?5byg?=`), which mail programs, .NET and others use in file names.

use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, Engine, GeneralPurpose, GeneralPurposeConfig};
use encoding_rs::Encoding;

/// Start of a word.
const OPENING: &str = "=?";
/// End of a word.
const CLOSING: &str = "?=";

/// A word cannot be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadWord;

/// Decodes the encoded words of a text. Blanks between two words are dropped; a character may be split between two
/// words of the same charset. Text that only resembles the start of a word is kept.
///
/// # Errors
/// A word is not terminated, or its content is invalid in its encoding or charset.
pub(crate) fn decode(text: &str) -> Result<String, BadWord> {
    let mut decoded = String::new();
    let mut words: Option<Words> = None;
    let mut rest = text;
    while let Some(at) = rest.find(OPENING) {
        let (before, from) = rest.split_at(at);
        let Some((word, after)) = Words::read(from)? else {
            decoded.push_str(&flush(words.take())?);
            decoded.push_str(before);
            decoded.push_str(OPENING);
            rest = &from[OPENING.len()..];
            continue;
        };
        match words.as_mut().filter(|words| before.trim().is_empty() && words.charset == word.charset) {
            Some(words) => words.bytes.extend(word.bytes),
            None => {
                let after_word = words.is_some() && before.trim().is_empty();
                decoded.push_str(&flush(words.replace(word))?);
                decoded.push_str(if after_word { "" } else { before });
            }
        }
        rest = after;
    }
    decoded.push_str(&flush(words)?);
    decoded.push_str(rest);
    Ok(decoded)
}

/// Adjacent words of the same charset.
struct Words {
    charset: &'static Encoding,
    bytes: Vec<u8>,
}

fn flush(words: Option<Words>) -> Result<String, BadWord> {
    let Some(Words { charset, bytes }) = words else { return Ok(String::new()) };
    let text = charset.decode_without_bom_handling_and_without_replacement(&bytes).ok_or(BadWord)?;
    Ok(text.into_owned())
}

impl Words {
    /// The word at the start of the text, and the remaining text; `None` when there is none.
    fn read(text: &str) -> Result<Option<(Self, &str)>, BadWord> {
        let Some((charset, inner)) = text.strip_prefix(OPENING).and_then(|inner| inner.split_once('?')) else {
            return Ok(None);
        };
        // A language may follow the charset (RFC 2231, section 5).
        let charset = Encoding::for_label(charset.split('*').next().unwrap_or_default().as_bytes());
        let content = inner.split_once('?').and_then(|(encoding, inner)| Some((decoder(encoding)?, inner)));
        let (charset, (decode, inner)) = match (charset, content) {
            (Some(charset), Some(content)) => (charset, content),
            (None, None) => return Ok(None),
            (Some(_), None) | (None, Some(_)) => return Err(BadWord),
        };
        let (content, after) = inner.split_once(CLOSING).ok_or(BadWord)?;
        let bytes = decode(content).ok_or(BadWord)?;
        Ok(Some((Self { charset, bytes }, after)))
    }
}

/// Decodes the content of a word.
type Decoder = fn(&str) -> Option<Vec<u8>>;

fn decoder(encoding: &str) -> Option<Decoder> {
    match encoding {
        "B" | "b" => Some(base64),
        "Q" | "q" => Some(quoted_printable),
        _ => None,
    }
}

fn base64(content: &str) -> Option<Vec<u8>> {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(&STANDARD, config).decode(content).ok()
}

fn quoted_printable(content: &str) -> Option<Vec<u8>> {
    let mut bytes = content.bytes();
    let mut decoded = Vec::with_capacity(content.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'_' => b' ',
            b'=' => super::percent::hexadecimal(bytes.next()?, bytes.next()?)?,
            byte => byte,
        });
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_either_encoding_and_any_charset_are_decoded() {
        let cases = [
            ("=?utf-8?B?5byg5LiJ?=.jpg", "张三.jpg"),
            ("=?UTF-8?b?5byg5LiJ?=", "张三"),
            ("=?utf-8?Q?=E5=BC=A0_=e4=b8=89=5F1?=", "张 三_1"),
            ("=?gbk?B?1cXI/Q==?=", "张三"),
            ("=?GB2312?Q?=D5=C5=C8=FD?=", "张三"),
            ("=?gb18030?B?1cXI/Q?=", "张三"),
            ("=?iso-8859-1?Q?J=FCrgen?=", "Jürgen"),
            ("=?utf-8*de?Q?J=C3=BCrgen?=", "Jürgen"),
            ("a_=?utf-8?B?5byg?=_b_=?utf-8?B?5LiJ?=", "a_张_b_三"),
        ];
        for (text, decoded) in cases {
            assert_eq!(decode(text).as_deref(), Ok(decoded), "{text}");
        }
    }

    #[test]
    fn blanks_between_words_go_and_a_character_may_be_split() {
        let cases = [
            ("=?utf-8?B?5byg?= =?utf-8?B?5LiJ?=", "张三"),
            ("=?utf-8?B?5bw=?=\t =?utf-8?B?oOS4iQ==?= x", "张三 x"),
            ("=?utf-8?B?5byg?= =?gbk?B?yP0=?=", "张三"),
            ("=?utf-8?B?5byg?= and =?utf-8?B?5LiJ?=", "张 and 三"),
        ];
        for (text, decoded) in cases {
            assert_eq!(decode(text).as_deref(), Ok(decoded), "{text}");
        }
    }

    #[test]
    fn what_is_no_word_stays() {
        for text in ["", "a.jpg", "=?", "a=?b", "=?a?b", "what=?!?=", "=?a?x?b?=", "?="] {
            assert_eq!(decode(text).as_deref(), Ok(text));
        }
    }

    #[test]
    fn a_word_that_cannot_be_decoded_is_an_error() {
        for text in [
            "=?utf-8?B?5byg",
            "=?utf-8?B",
            "=?utf-8?B?5b*g?=",
            "=?utf-8?B?5bw=?=",
            "=?martian?B?5byg?=",
            "=?utf-8?Q?=E5=B?=",
            "=?utf-8?Q?=D5=C5?=",
            "=?hz-gb-2312?B?5byg?=",
        ] {
            assert_eq!(decode(text), Err(BadWord), "{text}");
        }
    }
}
