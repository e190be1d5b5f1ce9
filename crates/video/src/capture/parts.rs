//! Splits a multipart stream into parts, returning each one as soon as it is complete. A part with a length does not
//! wait for the next boundary.
//!
//! The length is a hint: a boundary line within it ends the part, and data after it that no boundary precedes still
//! belongs to the part.

use bytes::{Buf, Bytes, BytesMut};
use domain::ports::SourceError;

use super::boundary::{Line, Mark, Opening, is_field, opening};

/// Maximum size of a part's head, and of the data before the first boundary, bytes.
const LONGEST_HEAD: usize = 8 << 10;
/// Maximum size of a part, bytes.
const LARGEST_PART: usize = 16 << 20;

/// First bytes of every JPEG.
const JPEG: [u8; 3] = [0xff, 0xd8, 0xff];
const JPEG_END: [u8; 2] = [0xff, 0xd9];

/// One part of the stream.
pub(super) struct Part {
    pub(super) is_picture: bool,
    pub(super) content: Bytes,
}

/// Parser state of one stream.
pub(super) struct Parts {
    announced: String,
    /// The boundary line as the camera writes it, once it has arrived.
    line: Option<Line>,
    buffer: BytesMut,
    head: Option<Head>,
    /// Length of the prefix of `buffer` that contains no boundary.
    searched: usize,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Head {
    is_picture: bool,
    length: Option<usize>,
}

impl Parts {
    /// `announced`: the boundary named by the content type, empty when it names none.
    pub(super) fn new(announced: &str) -> Self {
        let announced = announced.to_owned();
        Self { announced, line: None, buffer: BytesMut::new(), head: None, searched: 0 }
    }

    /// Appends received data.
    pub(super) fn add(&mut self, piece: &[u8]) {
        self.buffer.extend_from_slice(piece);
    }

    /// The next complete part; `None` until more data arrives.
    ///
    /// # Errors
    /// The data contains no boundary, or none within the maximum size of a part.
    pub(super) fn next(&mut self) -> Result<Option<Part>, SourceError> {
        let head = match self.head {
            Some(head) => head,
            None => match self.take_head()? {
                Some(head) => *self.head.insert(head),
                None => return Ok(None),
            },
        };
        let Some(end) = self.end_of(head)? else { return Ok(None) };
        self.head = None;
        self.searched = 0;
        Ok(Some(part(head, self.buffer.split_to(end).freeze())))
    }

    /// Length of the part at the start of the buffer; `None` while its end has not arrived.
    fn end_of(&mut self, head: Head) -> Result<Option<usize>, SourceError> {
        let mark = self.find()?;
        let length = head.length.unwrap_or(usize::MAX);
        Ok(match mark {
            Some(Mark { at, end: Some(_) }) if self.is_length(length, at) => Some(length),
            Some(Mark { at, end: Some(_) }) => Some(without_line_end(&self.buffer[..at])),
            open => self.is_over(length, open).then_some(length),
        })
    }

    /// Whether the boundary that follows a part confirms its length.
    fn is_length(&self, length: usize, boundary: usize) -> bool {
        self.buffer.get(length..boundary).is_some_and(|between| between.trim_ascii().is_empty())
    }

    /// Whether the part is complete judged by its length alone. `open`: a possible boundary line.
    fn is_over(&self, length: usize, open: Option<Mark>) -> bool {
        let Some((content, behind)) = self.buffer.split_at_checked(length) else { return false };
        match open {
            // The next bytes show whether it is a boundary.
            Some(Mark { at, .. }) if (1..length).contains(&at) => false,
            Some(Mark { at, .. }) if at >= length => self.is_length(length, at),
            // A JPEG without its end marker is not complete.
            _ => behind.trim_ascii().is_empty() && !is_cut(content),
        }
    }

    /// Skips to the next boundary and reads the head after it.
    fn take_head(&mut self) -> Result<Option<Head>, SourceError> {
        if self.line.is_none() && !self.begin()? {
            return Ok(None);
        }
        let Some(Mark { at, end: Some(end) }) = self.find()? else { return Ok(None) };
        match head(&self.buffer[end..]) {
            Some((head, length)) => {
                self.buffer.advance(end + length);
                self.searched = 0;
                Ok(Some(head))
            }
            None => {
                self.buffer.advance(at);
                self.searched = 0;
                Ok(None)
            }
        }
    }

    /// Determines how the camera writes the boundary; `false` until that is known.
    fn begin(&mut self) -> Result<bool, SourceError> {
        match opening(&self.buffer, &self.announced) {
            Opening::Line(line, at) => {
                self.buffer.advance(at);
                self.line = Some(line);
            }
            // Insert the missing boundary line.
            Opening::Head(at) => {
                let line = Line::of(&self.announced);
                self.buffer = [line.bytes(), b"\r\n", &self.buffer[at..]].concat().as_slice().into();
                self.line = Some(line);
            }
            Opening::Nothing if self.buffer.len() > LONGEST_HEAD => {
                return Err(SourceError::Broken(
                    "the camera announced a multipart stream but sends something else".into(),
                ));
            }
            Opening::Nothing => {}
        }
        Ok(self.line.is_some())
    }

    /// Finds the next boundary in the buffer; fails when the buffer exceeds the maximum size of a part without one.
    fn find(&mut self) -> Result<Option<Mark>, SourceError> {
        let Some(line) = &self.line else { return Ok(None) };
        let mark = line.find(&self.buffer, self.searched);
        self.searched = mark.map_or_else(|| line.searched(&self.buffer), |mark| mark.at);
        match mark {
            Some(Mark { end: Some(_), .. }) => Ok(mark),
            _ if self.buffer.len() > LARGEST_PART => {
                Err(SourceError::Broken(format!("the camera sends parts larger than {LARGEST_PART} bytes")))
            }
            _ => Ok(mark),
        }
    }
}

/// Builds a part. Content that begins like a JPEG is a picture regardless of the head.
fn part(head: Head, mut content: Bytes) -> Part {
    let blanks = content.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let is_jpeg = content[blanks..].starts_with(&JPEG);
    if is_jpeg {
        content.advance(blanks);
    }
    Part { is_picture: is_jpeg || head.is_picture && !content.is_empty(), content }
}

/// Whether a JPEG lacks its end marker, or too little has arrived to tell.
fn is_cut(content: &[u8]) -> bool {
    let padding = |byte: &u8| *byte == 0 || byte.is_ascii_whitespace();
    let end = content.iter().rposition(|byte| !padding(byte)).map_or(0, |last| last + 1);
    let start = content[..end].trim_ascii_start();
    JPEG.starts_with(start) || start.starts_with(&JPEG) && !start.ends_with(&JPEG_END)
}

/// Length of the content without the line end that belongs to the boundary after it.
fn without_line_end(content: &[u8]) -> usize {
    let content = content.strip_suffix(b"\n").unwrap_or(content);
    content.strip_suffix(b"\r").unwrap_or(content).len()
}

/// The head at the start of `text`, and its length: up to an empty line, or up to the first line that is not a field.
/// `None` until more data arrives.
fn head(text: &[u8]) -> Option<(Head, usize)> {
    let (mut head, mut length) = (Head::default(), 0);
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let is_folded = length > 0 && line.starts_with(b" ") || line.starts_with(b"\t");
        match line.trim_ascii() {
            b"" if line.ends_with(b"\n") => return Some((head, length + line.len())),
            _ if length + line.len() > LONGEST_HEAD || begins_content(line) => return Some((head, length)),
            field if line.ends_with(b"\n") && is_field(field) => head.read(field),
            _ if line.ends_with(b"\n") && !is_folded => return Some((head, length)),
            _ => {}
        }
        length += line.len();
    }
    None
}

/// Whether this line cannot begin a header field, whatever follows.
fn begins_content(line: &[u8]) -> bool {
    line.first().is_some_and(|byte| !byte.is_ascii_alphanumeric() && !byte.is_ascii_whitespace() && *byte != b'-')
}

impl Head {
    fn read(&mut self, field: &[u8]) {
        let field = String::from_utf8_lossy(field);
        let Some((name, value)) = field.split_once(':') else { return };
        let value = value.trim().to_ascii_lowercase();
        match name.trim().to_ascii_lowercase().as_str() {
            "content-type" => self.is_picture = value.starts_with("image/jp"),
            // An invalid length is ignored.
            "content-length" => self.length = value.parse().ok(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PICTURE: &str = "Content-Type: image/jpeg\r\n";

    fn all(parts: &mut Parts) -> Vec<(bool, String)> {
        let mut found = Vec::new();
        while let Some(part) = parts.next().unwrap() {
            found.push((part.is_picture, String::from_utf8_lossy(&part.content).trim().to_owned()));
        }
        found
    }

    fn wanted() -> Vec<(bool, String)> {
        vec![(false, "Heartbeat".into()), (true, "one".into()), (true, "--x".into())]
    }

    /// The pictures in a stream, however it is cut, when its boundary is announced so.
    fn pictures(announced: &str, stream: &[u8]) -> Vec<Vec<u8>> {
        let in_pieces = |size: usize| {
            let (mut parts, mut found) = (Parts::new(announced), Vec::new());
            for piece in stream.chunks(size) {
                parts.add(piece);
                while let Some(part) = parts.next().unwrap() {
                    found.extend(part.is_picture.then(|| part.content.to_vec()));
                }
            }
            found
        };
        let whole = in_pieces(stream.len());
        for size in [1, 2, 3, 7] {
            assert_eq!(in_pieces(size), whole, "in pieces of {size}");
        }
        whole
    }

    fn jpeg(name: &str) -> Vec<u8> {
        [&JPEG[..], name.as_bytes(), &JPEG_END].concat()
    }

    /// A part with this head and content.
    fn section(head: &str, content: &[u8]) -> Vec<u8> {
        [b"--boundary\r\n", head.as_bytes(), b"\r\n", content, b"\r\n"].concat()
    }

    #[test]
    fn parts_are_taken_apart_however_the_stream_is_cut() {
        let text = "--x\r\nContent-Type: text/plain\r\n\r\nHeartbeat\r\n--x\r\ncontent-type:image/jpeg\r\n\
            Content-Length: 3\r\n\r\none\r\n\r\n--x\r\nContent-Type: image/jpg\r\nContent-Length: 3\r\n\r\n--x";
        for size in [1, 2, 3, 7, text.len()] {
            let (mut parts, mut found) = (Parts::new("x"), Vec::new());
            for piece in text.as_bytes().chunks(size) {
                parts.add(piece);
                found.extend(all(&mut parts));
            }
            assert_eq!(found, wanted(), "in pieces of {size}");
        }
    }

    #[test]
    fn a_part_that_says_its_length_is_there_before_the_next_begins() {
        let mut parts = Parts::new("x");
        parts.add(b"--x\r\nContent-Type: image/jpeg\r\nContent-Length: 3\r\n\r\non");
        assert!(all(&mut parts).is_empty());
        parts.add(b"e");
        assert_eq!(all(&mut parts), [(true, "one".into())]);
    }

    #[test]
    fn what_has_no_end_is_given_up() {
        let mut rubbish = Parts::new("x");
        rubbish.add(&[b'a'; LONGEST_HEAD + 1]);
        let mut endless = Parts::new("x");
        endless.add(b"--x\r\n\r\n\r\n");
        endless.add(&vec![b'a'; LARGEST_PART + 1]);
        for parts in [&mut rubbish, &mut endless] {
            assert!(matches!(parts.next(), Err(SourceError::Broken(_))));
        }
    }

    #[test]
    fn a_boundary_within_the_announced_length_ends_the_part() {
        let text = b"<event/>";
        for more in [1, 2, 3, 4, 5, 86, usize::MAX - text.len()] {
            let head = format!("Content-Type: application/xml\r\nContent-Length: {}\r\n", text.len() + more);
            let event = section(&head, text);
            let stream = [event.clone(), section(PICTURE, &jpeg("a")), event, section(PICTURE, &jpeg("b"))].concat();
            let wanted = [jpeg("a"), jpeg("b")];
            assert_eq!(pictures("boundary", &[&stream, &section("", b"")[..]].concat()), wanted, "{more} too many");
        }
        let cut = section(&format!("{PICTURE}Content-Length: 5000\r\n"), b"\xff\xd8\xffcut");
        let next = section(&format!("{PICTURE}Content-Length: 6\r\n"), &jpeg("a"));
        let found = pictures("boundary", &[cut, next].concat());
        assert_eq!(found, [b"\xff\xd8\xffcut".to_vec(), jpeg("a")], "one bad picture costs one picture");
    }

    #[test]
    fn a_length_that_is_too_small_does_not_cut_a_picture() {
        let long = [&jpeg("a thumbnail")[..5], b" and much more", &JPEG_END].concat();
        for length in [0, 1, 5, long.len() - 1] {
            let stream = section(&format!("{PICTURE}Content-Length: {length}\r\n"), &long);
            let found = pictures("boundary", &[&stream, &section("", b"")[..]].concat());
            assert_eq!(found, std::slice::from_ref(&long), "{length}");
        }
    }

    #[test]
    fn heads_may_be_written_in_any_way() {
        let (a, length) = (jpeg("a"), jpeg("a").len());
        let lines = [
            format!("--boundary\nContent-Type: image/jpeg\nContent-Length: {length}\n\n"),
            format!("--boundary\r\ncontent-length : {length}\r\nCONTENT-TYPE:\r\n image/jpeg\r\n\r\n"),
            "--boundary\r\nContent-Type: application/octet-stream\r\nContent-Length: many\r\n\r\n".to_owned(),
            "--boundary\r\nX-Odd\u{e9}: 1\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n".to_owned(),
            "--boundary\r\n\r\n".to_owned(),
            "--boundary\r\nContent-Type: image/jpeg\r\n\r\n\r\n".to_owned(),
            "--boundary\r\n".to_owned(),
        ];
        for line in lines {
            let stream = [line.as_bytes(), &a, b"\r\n", &section("", b"")].concat();
            assert_eq!(pictures("boundary", &stream), std::slice::from_ref(&a), "{line:?}");
        }
    }

    #[test]
    fn the_boundary_need_not_be_written_as_it_is_announced() {
        let a = jpeg("a");
        for (announced, line) in [
            ("boundary", "----boundary"),
            ("----boundary", "--boundary"),
            ("boundary", "boundary"),
            ("boundary", "--Boundary"),
            ("boundary", "--\"boundary\""),
            ("boundary", "--something-else"),
            ("", "--something-else"),
            ("boundary", "--boundary--"),
        ] {
            let part = [line.as_bytes(), b"\r\n", PICTURE.as_bytes(), b"\r\n", &a, b"\r\n"].concat();
            let stream = [&part, &part, line.as_bytes(), b"\r\n"].concat();
            assert_eq!(pictures(announced, &stream), [a.clone(), a.clone()], "{line} for {announced}");
        }
    }

    #[test]
    fn what_stands_around_the_parts_is_passed_over() {
        let (a, b) = (section(PICTURE, &jpeg("a")), section(PICTURE, &jpeg("b")));
        let stream = [b"This is a preamble.\r\n\r\n", &a[..], b"--boundary--\r\nAn epilogue.\r\n\r\n", &b].concat();
        let unbroken = [&section(PICTURE, &jpeg("a"))[..], &b].concat();
        let headless = [PICTURE.as_bytes(), b"\r\n", &jpeg("a"), b"\r\n", &b].concat();
        let unparted = [&a[..a.len() - 2], &b].concat();
        for stream in [stream, unbroken, headless, unparted] {
            assert_eq!(pictures("boundary", &[&stream, &b"--boundary\r\n"[..]].concat()), [jpeg("a"), jpeg("b")]);
        }
    }
}
