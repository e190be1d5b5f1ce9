//! Boundary lines of a multipart stream, as cameras announce and write them.

/// Maximum length of a boundary (RFC 2046) and of a line taken for one, bytes.
const LONGEST: usize = 70;
/// A boundary line of at least this many bytes is found anywhere, because some cameras omit the line end before it. A
/// shorter one must begin a line: its bytes may occur within a picture.
const UNMISTAKABLE: usize = 8;
/// Maximum number of hyphens and blanks after the boundary on its line.
const MOST_BEHIND: usize = 16;

/// Whether a content type is multipart.
pub(super) fn is_multipart(kind: &str) -> bool {
    kind.trim_start().get(..10).is_some_and(|start| start.eq_ignore_ascii_case("multipart/"))
}

/// The boundary that a content type announces; `None` when it names none or is not multipart.
pub(super) fn boundary(kind: &str) -> Option<String> {
    let (_, parameters) = kind.split_once(';').filter(|_| is_multipart(kind))?;
    let named = |parameter: &str| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches(['"', '\'']).trim().to_owned())
    };
    // Some cameras include the leading hyphens.
    let boundary = parameters.split(';').find_map(named)?;
    let boundary = boundary.strip_prefix("--").map_or_else(|| boundary.clone(), str::to_owned);
    (1..=LONGEST).contains(&boundary.len()).then_some(boundary)
}

/// A boundary line in a stream, or the beginning of a possible one at the end of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    /// Offset of its first byte.
    pub(super) at: usize,
    /// Offset of the next line; `None` until the line end has arrived.
    pub(super) end: Option<usize>,
}

/// A boundary line as the camera writes it, without its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line(Vec<u8>);

/// How a stream begins.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// The first boundary line, and its offset.
    Line(Line, usize),
    /// Offset of the head of a first part that has no boundary line.
    Head(usize),
    /// Undecided until more data arrives.
    Nothing,
}

/// Finds the first boundary line. It may differ from the announced one: a line that begins with hyphens and is followed
/// by a header field counts as well.
pub(super) fn opening(stream: &[u8], announced: &str) -> Opening {
    let core = announced.trim_matches('-').as_bytes();
    let mut at = 0;
    for line in stream.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n")) {
        let text = line.trim_ascii();
        if let Some(found) = announced_line(text, core) {
            return Opening::Line(found, at);
        }
        if is_hyphenated(text) {
            match stream[at + line.len()..].split_inclusive(|byte| *byte == b'\n').next() {
                Some(next) if is_field(next) => return Opening::Line(Line(text.to_vec()), at),
                Some(next) if next.ends_with(b"\n") => {}
                _ => return Opening::Nothing,
            }
        }
        if !core.is_empty() && is_content_field(text) {
            return Opening::Head(at);
        }
        at += line.len();
    }
    Opening::Nothing
}

/// Recognises the announced boundary, with any hyphens and quotes around it.
fn announced_line(text: &[u8], core: &[u8]) -> Option<Line> {
    let is_mark = |byte: &&u8| matches!(byte, b'-' | b'"' | b'\'');
    let before = text.iter().take_while(is_mark).count();
    let after = text.iter().rev().take_while(is_mark).count();
    let inner = text.get(before..text.len().saturating_sub(after))?;
    (!core.is_empty() && inner.eq_ignore_ascii_case(core)).then(|| Line(text[..before + core.len()].to_vec()))
}

fn is_hyphenated(text: &[u8]) -> bool {
    text.starts_with(b"--") && (3..=LONGEST + 6).contains(&text.len()) && text.iter().all(u8::is_ascii_graphic)
}

fn is_content_field(text: &[u8]) -> bool {
    text.get(..8).is_some_and(|start| start.eq_ignore_ascii_case(b"content-")) && is_field(text)
}

/// Whether a line is a header field.
pub(super) fn is_field(line: &[u8]) -> bool {
    let Some(colon) = line.iter().position(|byte| *byte == b':') else { return false };
    let name = line[..colon].trim_ascii();
    let may_stand = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte) || !byte.is_ascii();
    name.first().is_some_and(u8::is_ascii_alphanumeric) && name.iter().all(may_stand)
}

impl Line {
    /// The boundary line for an announced boundary.
    pub(super) fn of(announced: &str) -> Self {
        Self(format!("--{}", announced.trim_matches('-')).into_bytes())
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The first boundary line at or after `from`.
    pub(super) fn find(&self, stream: &[u8], from: usize) -> Option<Mark> {
        let first = *self.0.first()?;
        let places = (from..stream.len()).filter(|at| stream[*at] == first);
        places.filter(|at| self.may_stand(stream, *at)).find_map(|at| self.mark(stream, at))
    }

    /// Length of the prefix of a stream without a boundary line that need not be searched again.
    pub(super) fn searched(&self, stream: &[u8]) -> usize {
        stream.len().saturating_sub(self.0.len())
    }

    fn may_stand(&self, stream: &[u8], at: usize) -> bool {
        at == 0 || stream[at - 1] == b'\n' || self.0.len() >= UNMISTAKABLE
    }

    fn mark(&self, stream: &[u8], at: usize) -> Option<Mark> {
        let rest = &stream[at..];
        let Some(behind) = rest.strip_prefix(self.0.as_slice()) else {
            return self.0.starts_with(rest).then_some(Mark { at, end: None });
        };
        let is_end = |byte: &u8| !matches!(byte, b'-' | b'"' | b'\'' | b' ' | b'\t' | b'\r');
        match behind.iter().take(MOST_BEHIND).position(is_end) {
            Some(end) if behind[end] == b'\n' => Some(Mark { at, end: Some(at + self.0.len() + end + 1) }),
            None if behind.len() < MOST_BEHIND => Some(Mark { at, end: None }),
            Some(_) | None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boundary_is_read_in_all_its_spellings() {
        for kind in [
            "multipart/x-mixed-replace; boundary=myboundary",
            "Multipart/Mixed;boundary=\"--myboundary\"",
            "multipart/mixed; charset=utf-8; Boundary = myboundary",
            "multipart/mixed; boundary='myboundary'; charset=utf-8",
        ] {
            assert_eq!(boundary(kind).as_deref(), Some("myboundary"), "{kind}");
        }
        for kind in ["text/html", "text/html; boundary=a", "multipart/mixed", "multipart/mixed; boundary="] {
            assert_eq!(boundary(kind), None, "{kind}");
        }
    }

    #[test]
    fn the_first_line_shows_how_the_boundary_is_written() {
        let line = |stream: &str, announced: &str| match opening(stream.as_bytes(), announced) {
            Opening::Line(line, at) => (String::from_utf8(line.0).unwrap(), at),
            other => panic!("{other:?} in {stream:?}"),
        };
        for (stream, announced, wanted, at) in [
            ("--x\r\nContent-Type: a/b\r\n", "x", "--x", 0),
            ("\r\npreamble\r\n--x\r\n", "x", "--x", 12),
            ("----x\n", "x", "----x", 0),
            ("x\r\n", "--x", "x", 0),
            ("--\"X\"\r\n", "x", "--\"X", 0),
            ("--x--\r\n", "x", "--x", 0),
            ("--other\r\nContent-Type: a/b\r\n", "x", "--other", 0),
            ("--other\nContent-Type: a/b\n", "", "--other", 0),
        ] {
            assert_eq!(line(stream, announced), (wanted.to_owned(), at), "{stream:?}");
        }
        assert_eq!(opening(b"\r\nContent-Type: a/b\r\n", "x"), Opening::Head(2));
        for stream in ["", "--x", "--other\r\n", "--other\r\n\r\n", "-- text\r\nof: it\r\n", "Content-Type"] {
            assert_eq!(opening(stream.as_bytes(), "x"), Opening::Nothing, "{stream:?}");
        }
    }

    #[test]
    fn a_line_is_told_from_what_only_begins_like_one() {
        let find = |boundary: &str, stream: &str| Line::of(boundary).find(stream.as_bytes(), 0);
        assert_eq!(find("x", "a\n--x\r\nb"), Some(Mark { at: 2, end: Some(7) }));
        assert_eq!(find("x", "--x--\n"), Some(Mark { at: 0, end: Some(6) }));
        assert_eq!(find("x", "a\n--x"), Some(Mark { at: 2, end: None }));
        assert_eq!(find("x", "a\n-"), Some(Mark { at: 2, end: None }));
        assert_eq!(find("x", "a--x\r\n\n--xyz\r\n"), None);
        assert_eq!(find("myboundary", "a--myboundary\r\n"), Some(Mark { at: 1, end: Some(15) }));
    }
}
