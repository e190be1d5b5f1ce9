//! The names in a part's Content-Disposition, in all the encodings that clients use for non-ASCII text: raw UTF-8 as
//! browser forms (RFC 7578) and curl, `filename*` (RFC 6266, RFC 5987), its continuations (RFC 2231), and encoded words
//! (RFC 2047). An unreadable name is never guessed: it may identify a person.

use encoding_rs::{Encoding, UTF_8};

use super::parameters::{Malformed, Parameterised};
use super::{encoded_word, percent};

/// Maximum number of digits of a character reference.
const MAX_DIGITS: usize = 7;

/// A name is present but cannot be read: it is invalid in its charset, truncated, or given twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the name cannot be read")]
pub struct UnreadableName;

/// A name, if present.
pub(crate) type Name = Option<Result<String, UnreadableName>>;

/// The names of a part.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Disposition {
    /// Name of the field.
    pub(crate) name: Name,
    /// Name of the file.
    pub(crate) file_name: Name,
}

impl Disposition {
    /// Parses the header field. `charset`: charset of the form, for raw names that are not UTF-8.
    pub(crate) fn read(field: &[u8], charset: Option<&'static Encoding>) -> Self {
        let field = Parameterised::read(field);
        let (name, file_name) = (name(&field, "name", charset), name(&field, "filename", charset));
        match field.is_whole {
            true => Self { name, file_name },
            // The grammar usually breaks at an unescaped quote, which is in the file name.
            false => Self { name: name.or(Some(Err(UnreadableName))), file_name: Some(Err(UnreadableName)) },
        }
    }
}

/// The extended form takes precedence over the plain one, which is a fallback for old clients. An unreadable extended
/// form is an error, because the plain one may be a placeholder.
fn name(field: &Parameterised, attribute: &str, charset: Option<&'static Encoding>) -> Name {
    let extended = field.parameter(&format!("{attribute}*")).map(|value| value.map(extended));
    let sections = || sections(field, attribute);
    let plain = || field.parameter(attribute).map(|value| value.map(|value| plain(value, charset)));
    let found = extended.and_then(|name| name.map_or_else(sections, |name| Ok(Some(name))));
    let found = found.and_then(|name| name.map_or_else(plain, |name| Ok(Some(name))));
    found.unwrap_or(Some(Err(UnreadableName)))
}

/// `charset'language'percent-encoded` of RFC 5987.
fn extended(value: &[u8]) -> Result<String, UnreadableName> {
    let (charset, text) = charset_and_text(value).ok_or(UnreadableName)?;
    text_of(charset, &percent::decode(text).ok_or(UnreadableName)?)
}

fn charset_and_text(value: &[u8]) -> Option<(&'static Encoding, &[u8])> {
    let mut parts = value.splitn(3, |byte| *byte == b'\'');
    let (label, _language, text) = (parts.next()?, parts.next()?, parts.next()?);
    let charset = if label.is_empty() { UTF_8 } else { Encoding::for_label(label)? };
    Some((charset, text))
}

fn text_of(charset: &'static Encoding, bytes: &[u8]) -> Result<String, UnreadableName> {
    let text = charset.decode_without_bom_handling_and_without_replacement(bytes).ok_or(UnreadableName)?;
    Ok(text.into_owned())
}

/// A value in sections `attribute*0*`, `attribute*1`, … (RFC 2231): those with a trailing asterisk are percent-encoded;
/// the first one names the charset.
fn sections(field: &Parameterised, attribute: &str) -> Result<Name, Malformed> {
    let mut sections: Vec<Section<'_>> = field
        .parameters()
        .filter_map(|(name, value)| Section::of(name.strip_prefix(attribute)?.strip_prefix('*')?, value))
        .collect();
    if sections.is_empty() {
        return Ok(None);
    }
    sections.sort_unstable_by_key(|section| section.number);
    Ok(Some(joined(&sections)))
}

struct Section<'a> {
    number: usize,
    is_encoded: bool,
    value: &'a [u8],
}

impl<'a> Section<'a> {
    fn of(suffix: &str, value: &'a [u8]) -> Option<Self> {
        let (number, is_encoded) = suffix.strip_suffix('*').map_or((suffix, false), |number| (number, true));
        Some(Self { number: number.parse().ok()?, is_encoded, value })
    }
}

fn joined(sections: &[Section<'_>]) -> Result<String, UnreadableName> {
    let (mut charset, mut bytes) = (UTF_8, Vec::new());
    for (expected, section) in sections.iter().enumerate() {
        let mut value = section.value;
        if section.number != expected {
            return Err(UnreadableName);
        }
        if section.is_encoded && expected == 0 {
            (charset, value) = charset_and_text(value).ok_or(UnreadableName)?;
        }
        match section.is_encoded {
            true => bytes.extend(percent::decode(value).ok_or(UnreadableName)?),
            false => bytes.extend_from_slice(value),
        }
    }
    text_of(charset, &bytes)
}

/// A plain name, without its own charset.
fn plain(value: &[u8], charset: Option<&'static Encoding>) -> Result<String, UnreadableName> {
    let text = match (std::str::from_utf8(value), charset) {
        (Ok(text), _) => text.to_owned(),
        (Err(_), Some(charset)) => text_of(charset, value)?,
        (Err(_), None) => return Err(UnreadableName),
    };
    if let Some((charset, text)) = charset_and_text(text.as_bytes()).filter(|_| !text.starts_with('\'')) {
        // The extended form under the plain parameter name.
        return text_of(charset, &percent::decode(text).ok_or(UnreadableName)?);
    }
    match encoded_word::decode(&text).map_err(|_| UnreadableName)? {
        decoded if decoded != text => Ok(decoded),
        _ => unescaped(without_references(&text)),
    }
}

/// Browsers encode `"` and line ends as `%22`, `%0D`, `%0A`; many programs encode the whole name. If every `%` begins a
/// valid sequence they are decoded; otherwise they are text.
fn unescaped(text: String) -> Result<String, UnreadableName> {
    match percent::decode(text.as_bytes()) {
        Some(bytes) => String::from_utf8(bytes).map_err(|_| UnreadableName),
        None => Ok(text),
    }
}

/// Browsers encode characters missing from the page's charset as `&#24352;`.
fn without_references(text: &str) -> String {
    let mut decoded = String::new();
    let mut rest = text;
    while let Some((before, from)) = rest.split_once("&#") {
        decoded.push_str(before);
        rest = match reference(from) {
            Some((character, after)) => {
                decoded.push(character);
                after
            }
            None => {
                decoded.push_str("&#");
                from
            }
        };
    }
    decoded + rest
}

/// The character of the reference after `&#`, and the remaining text. The search for its end is bounded, because a name
/// may consist only of `&#`.
fn reference(from: &str) -> Option<(char, &str)> {
    let end = from.bytes().take(MAX_DIGITS + 1).position(|byte| byte == b';')?;
    Some((character(&from[..end])?, &from[end + 1..]))
}

/// ASCII is excluded: every charset contains it.
fn character(number: &str) -> Option<char> {
    let digits = number.bytes().all(|byte| byte.is_ascii_digit());
    let character = char::from_u32(number.parse().ok()?)?;
    Some(character).filter(|character| digits && !character.is_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::GBK;

    const WANTED: &str = "张三_a1_#_1_30_北京.jpg";

    fn file_name(field: impl AsRef<[u8]>) -> Name {
        Disposition::read(field.as_ref(), None).file_name
    }

    #[test]
    fn a_name_is_the_same_however_it_is_written() {
        let base64 = "5byg5LiJX2ExXyNfMV8zMF/ljJfkuqwuanBn";
        let percent = "%E5%BC%A0%E4%B8%89_a1_%23_1_30_%E5%8C%97%E4%BA%AC.jpg";
        let gbk = "%D5%C5%C8%FD_a1_%23_1_30_%B1%B1%BE%A9.jpg";
        for written in [
            format!("filename=\"{WANTED}\""),
            format!("FileName = {WANTED}"),
            format!("filename=\"=?utf-8?B?{base64}?=\""),
            format!("filename=\"=?utf-8?B?{base64}?=\"; filename*=utf-8''{percent}"),
            format!("filename=\"=?UTF-8?Q?{}?=\"", percent.replace('%', "=").replace("_", "=5F")),
            format!("filename*=UTF-8''{percent}; filename=\"upload.jpg\""),
            format!("filename*=\"UTF-8'zh'{percent}\""),
            format!("filename=\"UTF-8''{percent}\""),
            format!("filename*=GBK''{gbk}"),
            format!("filename*=gb18030''{gbk}; filename=????"),
            "filename*0*=utf-8''%E5%BC%A0%E4; filename*1*=%B8%89_a1_%23_1; filename*2=\"_30_\"; filename*3*=%E5%8C%97%E4%BA%AC.jpg".to_owned(),
            "filename*1*=%B8%89_a1_%23_1_30_%E5%8C%97%E4%BA%AC.jpg; filename*0*=utf-8''%E5%BC%A0%E4".to_owned(),
            format!("filename=\"{percent}\""),
            "filename=\"&#24352;&#19977;_a1_#_1_30_&#21271;&#20140;.jpg\"".to_owned(),
        ] {
            let read = Disposition::read(format!("form-data; name=\"img_1\"; {written}").as_bytes(), None);
            assert_eq!(read.file_name, Some(Ok(WANTED.to_owned())), "{written}");
            assert_eq!(read.name, Some(Ok("img_1".to_owned())), "{written}");
        }
    }

    #[test]
    fn the_name_of_a_field_is_read_like_that_of_a_file() {
        for written in ["name=\"张\"", "name*=utf-8''%E5%BC%A0", "name==?utf-8?B?5byg?=", "name=\"%E5%BC%A0\""] {
            let read = Disposition::read(format!("form-data; {written}").as_bytes(), None);
            assert_eq!(read, Disposition { name: Some(Ok("张".to_owned())), file_name: None }, "{written}");
        }
    }

    #[test]
    fn marks_and_paths_in_a_name_are_kept() {
        let cases = [
            (r#"filename="a\"b.jpg""#, "a\"b.jpg"),
            ("filename=\"a%22b.jpg\"", "a\"b.jpg"),
            (r#"filename="C:\photos\a.jpg""#, r"C:\photos\a.jpg"),
            ("filename=\"100%.jpg\"", "100%.jpg"),
            ("filename=\"100% 张%22.jpg\"", "100% 张%22.jpg"),
            ("filename=\"a&#x;&#65;&b.jpg\"", "a&#x;&#65;&b.jpg"),
            ("filename=\"a;b=c.jpg\"", "a;b=c.jpg"),
            ("filename=\"O'Brien's.jpg\"", "O'Brien's.jpg"),
            ("filename=\"'a'b.jpg\"", "'a'b.jpg"),
            ("filename=my photo.jpg", "my photo.jpg"),
            ("filename=\"\"", ""),
            ("filename=", ""),
        ];
        for (field, expected) in cases {
            assert_eq!(file_name(format!("form-data; {field}")), Some(Ok(expected.to_owned())), "{field}");
        }
        assert_eq!(file_name("form-data; name=\"filename\""), None);
        assert_eq!(Disposition::read(b"", None), Disposition::default());
    }

    #[test]
    fn the_end_of_a_reference_is_looked_for_only_where_it_can_be() {
        assert_eq!(reference("0024352;a"), Some(('张', "a")));
        for none in ["00024352;a", "24352", "张张张;", "", ";", "65;"] {
            assert_eq!(reference(none), None, "{none}");
        }
        let marks = "&#".repeat(150_000) + ";";
        assert!(without_references(&marks) == marks);
    }

    #[test]
    fn a_name_that_cannot_be_read_is_not_guessed() {
        let (raw, _, _) = GBK.encode(WANTED);
        let raw = [b"form-data; filename=\"", &raw[..], b"\""].concat();
        assert_eq!(file_name(&raw), Some(Err(UnreadableName)));
        let broken = Disposition::read(b"form-data; name=img_1; filename=\"a\xd5\\\"", None);
        assert_eq!(broken, Disposition { name: Some(Ok("img_1".to_owned())), file_name: Some(Err(UnreadableName)) });
        assert_eq!(Disposition::read(&raw, Some(GBK)).file_name, Some(Ok(WANTED.to_owned())));
        for written in [
            "filename*=utf-8''%D5%C5.jpg; filename=\"a.jpg\"",
            "filename*=utf-8''%E5%BC; filename=\"a.jpg\"",
            "filename*=utf-8''%E5%B; filename=\"a.jpg\"",
            "filename*=martian''a.jpg",
            "filename*=a.jpg",
            "filename*0*=utf-8''%E5%BC; filename*2*=%A0",
            "filename*0*=utf-8''a; filename*0*=b",
            "filename*1*=utf-8''a",
            "filename=\"a.jpg\"; filename=\"b.jpg\"",
            "filename=\"a.jpg",
            "filename=\"a\"b.jpg\"",
            "filename=\"=?utf-8?B?5byg\"",
            "filename=\"%D5%C5.jpg\"",
        ] {
            assert_eq!(file_name(format!("form-data; {written}")), Some(Err(UnreadableName)), "{written}");
        }
    }
}
