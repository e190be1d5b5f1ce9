//! Extracts the XML document from a camera's response: decodes any encoding and repairs common faults.
//!
//! Cameras write labels in national encodings without declaring them, leave the rest of a buffer after the document or
//! in a label, and omit escapes in addresses and declarations of prefixes. All of these are tolerated.

use encoding_rs::{Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use roxmltree::{Document, Error, ParsingOptions};

/// Maximum number of nodes of a document; a response of the maximum size made only of tags would exceed it.
pub(super) const MOST_NODES: u32 = 50_000;
/// Maximum number of times that a document may name `xmlns`: an element that declares a namespace costs the parser the
/// square of those in force. Toolkits declare some sixty for an envelope.
const MOST_NAMESPACES: usize = 512;
/// Maximum number of attributes of an element: the parser compares each with those before it.
const MOST_ATTRIBUTES: usize = 256;
/// Maximum number of missing prefix declarations added to a document.
const MOST_PREFIXES: usize = 16;
/// Number of bytes searched for an XML declaration.
const LONGEST_DECLARATION: usize = 256;

const CDATA: &str = "<![CDATA[";
const CDATA_END: &str = "]]>";

/// Parses a document. Type definitions are rejected, so there are no custom entities.
pub(crate) fn parse(text: &str) -> Result<Document<'_>, Error> {
    if text.matches("xmlns").nth(MOST_NAMESPACES).is_some() {
        return Err(Error::NamespacesLimitReached);
    }
    if text.split('<').any(|tag| values(tag) > MOST_ATTRIBUTES) {
        return Err(Error::AttributesLimitReached);
    }
    Document::parse_with_options(text, ParsingOptions { nodes_limit: MOST_NODES, ..ParsingOptions::default() })
}

/// Number of quoted values in a tag without its first character; what follows the tag does not count. A value has no `<`.
fn values(tag: &str) -> usize {
    let (mut values, mut quote) = (0, None);
    for byte in tag.bytes() {
        match (byte, quote) {
            (b'>', None) => break,
            (b'"' | b'\'', None) => quote = Some(byte),
            (_, Some(begun)) if begun == byte => {
                values += 1;
                quote = None;
            }
            _ => {}
        }
    }
    values
}

/// The text of the SOAP envelope in a response. `charset`: encoding named in the response head.
pub(crate) fn envelope(answer: &[u8], charset: Option<&str>) -> String {
    let text = decoded(answer, charset);
    declared(mended(alone(&text)))
}

/// Whether a response is complete up to the end of its envelope.
pub(super) fn is_whole(answer: &[u8]) -> bool {
    let last = answer.iter().rposition(|byte| *byte == b'<').map(|at| &answer[at..]);
    let tag = last.and_then(|last| last.strip_prefix(b"</")?.trim_ascii_end().strip_suffix(b">"));
    tag.is_some_and(|tag| tag.trim_ascii_end().ends_with(b"Envelope"))
}

/// Decodes text whose encoding is undeclared or wrongly declared.
pub(super) fn decoded(bytes: &[u8], charset: Option<&str>) -> String {
    let named = charset.map(str::to_owned).or_else(|| named_encoding(bytes));
    let named = named.and_then(|name| Encoding::for_label(name.trim().as_bytes())).filter(|named| *named != UTF_8);
    let encoding = Encoding::for_bom(bytes).map(|(encoding, _)| encoding).or_else(|| wide(bytes));
    let candidates = [encoding, named, Some(UTF_8), is_gb2312(bytes).then_some(GB18030)];
    let text = candidates.into_iter().flatten().find_map(|encoding| {
        let (text, _, failed) = encoding.decode(bytes);
        (!failed).then(|| text.into_owned())
    });
    // Fall back to a lossy decoding: tags are ASCII in all candidates.
    text.unwrap_or_else(|| named.unwrap_or(WINDOWS_1252).decode(bytes).0.into_owned())
}

/// The encoding that an XML declaration names.
fn named_encoding(bytes: &[u8]) -> Option<String> {
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(LONGEST_DECLARATION)]).into_owned();
    let (_, declaration) = start.split_once("<?xml")?;
    let (_, value) = declaration.split_once("?>")?.0.split_once("encoding")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|quote| ['"', '\''].contains(quote))?;
    value[1..].split_once(quote).map(|(name, _)| name.to_owned())
}

/// The two-byte encoding recognised by the first characters, if any.
fn wide(bytes: &[u8]) -> Option<&'static Encoding> {
    match bytes {
        [b'<', 0, _, 0, ..] => Some(UTF_16LE),
        [0, b'<', 0, _, ..] => Some(UTF_16BE),
        _ => None,
    }
}

/// Whether all non-ASCII bytes form valid GB 2312 pairs.
fn is_gb2312(bytes: &[u8]) -> bool {
    bytes.split(u8::is_ascii).all(|run| run.len() % 2 == 0 && run.iter().all(|byte| (0xa1..=0xfe).contains(byte)))
}

/// The envelope without the text around it; all of the text when there is none.
fn alone(text: &str) -> &str {
    let Some(name) = text.find("Envelope") else { return text.trim_matches(|c: char| c.is_whitespace() || c == '\0') };
    let before = &text[..name];
    // Keep a type definition, so the parser rejects it.
    let start = before.find("<!DOCTYPE").or_else(|| before.rfind('<')).unwrap_or(name);
    let end = text.rfind("Envelope").and_then(|last| Some(last + text[last..].find('>')? + 1));
    text.get(start..end.unwrap_or(text.len())).unwrap_or(text)
}

/// Removes characters that XML does not allow, and escapes every ampersand that does not begin a reference, except in
/// CDATA sections.
fn mended(text: &str) -> String {
    let mut mended = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once(CDATA) {
        mend(before, &mut mended);
        let (verbatim, behind) = behind.split_once(CDATA_END).unwrap_or((behind, ""));
        mended.push_str(CDATA);
        mended.extend(verbatim.chars().filter(allowed));
        mended.push_str(CDATA_END);
        rest = behind;
    }
    mend(rest, &mut mended);
    mended
}

fn mend(text: &str, mended: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        mended.extend(rest[..at].chars().filter(allowed));
        rest = &rest[at + 1..];
        match reference(rest) {
            Some((reference, behind)) => {
                mended.push_str(&reference);
                rest = behind;
            }
            None => mended.push_str("&amp;"),
        }
    }
    mended.extend(rest.chars().filter(allowed));
}

/// The complete reference after an ampersand, and the rest; empty for a reference to a character that XML does not
/// allow.
fn reference(text: &str) -> Option<(String, &str)> {
    let end = text.bytes().take(10).position(|byte| byte == b';')?;
    let (name, behind) = (&text[..end], &text[end + 1..]);
    if ["amp", "lt", "gt", "quot", "apos"].contains(&name) {
        return Some((format!("&{name};"), behind));
    }
    let number = match name.strip_prefix('#')? {
        hex if hex.starts_with(['x', 'X']) => u32::from_str_radix(&hex[1..], 16),
        decimal => decimal.parse(),
    };
    let character = char::from_u32(number.ok()?).filter(allowed);
    Some((character.map_or_else(String::new, |_| format!("&{name};")), behind))
}

fn allowed(c: &char) -> bool {
    !c.is_control() && !matches!(c, '\u{feff}' | '\u{fffe}' | '\u{ffff}') || matches!(c, '\t' | '\n' | '\r')
}

/// Declares every undeclared prefix that the document uses.
fn declared(mut text: String) -> String {
    for _ in 0..MOST_PREFIXES {
        let Err(Error::UnknownNamespace(prefix, _)) = parse(&text) else { break };
        let Some(root) = text.find('<').map(|at| at + 1) else { break };
        let name = text[root..].find(|c: char| c.is_whitespace() || matches!(c, '>' | '/')).unwrap_or_default();
        text.insert_str(root + name, &format!(" xmlns:{prefix}=\"urn:undeclared\""));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The label in an envelope that was sent like this.
    fn label(answer: &[u8], charset: Option<&str>) -> String {
        let text = envelope(answer, charset);
        let document = parse(&text).unwrap_or_else(|why| panic!("{why}: {text:?}"));
        let label = document.descendants().find(|node| node.tag_name().name() == "It").unwrap();
        label.text().unwrap_or_default().to_owned()
    }

    fn around(label: &[u8]) -> Vec<u8> {
        [b"<e:Envelope xmlns:e=\"urn:e\"><e:Body><It>", label, b"</It></e:Body></e:Envelope>"].concat()
    }

    fn encoded(encoding: &'static Encoding, label: &str) -> Vec<u8> {
        around(&encoding.encode(label).0)
    }

    #[test]
    fn labels_are_read_in_the_encoding_they_are_written_in() {
        let declaring = |name: &str, sent: Vec<u8>| {
            [format!("<?xml version='1.0' encoding=\"{name}\" ?>").as_bytes(), sent.as_slice()].concat()
        };
        let gb = encoded(GB18030, "\u{5927}\u{95e8}");
        assert_eq!(label(&gb, None), "\u{5927}\u{95e8}", "undeclared");
        assert_eq!(label(&declaring("utf-8", gb.clone()), Some("utf-8")), "\u{5927}\u{95e8}", "declared wrongly");
        assert_eq!(label(&declaring("gb2312", gb.clone()), None), "\u{5927}\u{95e8}");
        assert_eq!(label(&declaring("GBK", gb.clone()), None), "\u{5927}\u{95e8}");
        assert_eq!(label(&gb, Some("gb18030")), "\u{5927}\u{95e8}");
        let big5 = encoded(encoding_rs::BIG5, "\u{9580}");
        assert_eq!(label(&declaring("big5", big5), None), "\u{9580}");
        assert_eq!(label(&declaring("iso-8859-1", around(b"Entr\xe9e")), None), "Entr\u{e9}e");
        assert_eq!(label(&around(b"Entr\xe9e"), None), "Entr\u{e9}e", "undeclared");
        assert_eq!(label(&around("\u{95e8} \u{e9}".as_bytes()), None), "\u{95e8} \u{e9}");
    }

    #[test]
    fn two_bytes_for_each_character_are_understood() {
        let text = String::from_utf8(around(b"gate")).unwrap();
        let wide = |bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<_>>();
        assert_eq!(label(&wide(u16::to_le_bytes), None), "gate");
        assert_eq!(label(&wide(u16::to_be_bytes), None), "gate");
        assert_eq!(label(&[&b"\xff\xfe"[..], &wide(u16::to_le_bytes)].concat(), Some("utf-8")), "gate");
    }

    #[test]
    fn what_is_around_an_envelope_or_in_its_labels_does_no_harm() {
        for (before, behind) in [
            ("\u{feff}", ""),
            ("\r\n \t", "\r\n\0\0\0"),
            ("\0", "\0</garbage"),
            ("--mime\r\nContent-ID: <root>\r\n\r\n<?xml version=\"1.0\"?>", "\r\n--mime--"),
            ("<?xml version=\"1.0\"?>\n<!-- gSOAP -->", "<html>"),
        ] {
            let sent = [before.as_bytes(), &around(b"gate"), behind.as_bytes()].concat();
            assert_eq!(label(&sent, None), "gate", "{before:?} {behind:?}");
        }
        assert_eq!(label(&around(b"gate\0\0\x01 2"), None), "gate 2");
        assert_eq!(
            label(&around(b"rtsp://a/b?c=1&d=2&amp;e=&#51;&nbsp;&#0;&#x1f;&"), None),
            "rtsp://a/b?c=1&d=2&e=3&nbsp;&"
        );
    }

    #[test]
    fn the_end_of_an_envelope_is_the_end_of_the_answer() {
        let whole = around(b"gate");
        assert!(is_whole(&whole) && is_whole(&[&whole[..], b" \r\n"].concat()));
        assert!((0..whole.len()).all(|length| !is_whole(&whole[..length])));
        assert!(!is_whole(b"") && !is_whole(b"<Envelope>") && !is_whole(b"</Envelope"));
    }

    #[test]
    fn prefixes_need_not_be_declared() {
        let sent = b"<s:Envelope><s:Body a:type=\"x\"><t:It>gate</t:It></s:Body></s:Envelope>";
        assert_eq!(label(sent, None), "gate");
        let many = (0..100).map(|n| format!("<p{n}:a/>")).collect::<String>();
        assert!(parse(&envelope(format!("<Envelope>{many}</Envelope>").as_bytes(), None)).is_err());
    }

    #[test]
    fn a_document_made_to_keep_the_parser_busy_is_refused() {
        let declared = (0..30_000).map(|n| format!(" xmlns:p{n}=\"\"")).collect::<String>();
        let namespaces = format!("<Envelope{declared}>{}</Envelope>", "<a xmlns:b=\"\"/>".repeat(20_000));
        let many = (0..100_000).map(|n| format!(" a{n}='>'")).collect::<String>();
        let attributes = format!("<Envelope><!-- ' --><a{many}/></Envelope>");
        let began = std::time::Instant::now();
        for (text, wanted) in [(namespaces, Error::NamespacesLimitReached), (attributes, Error::AttributesLimitReached)]
        {
            assert_eq!(parse(&envelope(text.as_bytes(), None)).unwrap_err(), wanted);
        }
        assert!(began.elapsed() < std::time::Duration::from_secs(5), "{:?}", began.elapsed());
    }

    #[test]
    fn what_toolkits_declare_is_far_from_the_limits() {
        let declared = (0..60).map(|n| format!(" xmlns:n{n}=\"urn:{n}\" a{n}='it is \"{n}\" > 0'")).collect::<String>();
        let parts = "<tt:It xmlns:tt=\"urn:onvif\">'gate' = \"1\"</tt:It>".repeat(400);
        let text = format!("<Envelope{declared}>{parts}</Envelope>");
        assert_eq!(parse(&text).unwrap().root_element().children().count(), 400);
    }
}
