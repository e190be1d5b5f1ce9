//! The parts of a multipart stream, each as soon as it is whole: one that says its length does not wait for the next.

use bytes::{Buf, Bytes, BytesMut};
use domain::ports::SourceError;

/// Longest head of a part, bytes, the line before it included.
const LONGEST_HEAD: usize = 8 << 10;
/// Largest part, bytes.
const LARGEST_PART: usize = 16 << 20;

/// One part.
pub(super) struct Part {
    pub(super) is_picture: bool,
    pub(super) content: Bytes,
}

/// A stream being taken apart.
pub(super) struct Parts {
    /// Two hyphens and the boundary.
    line: Vec<u8>,
    buffer: BytesMut,
    head: Option<Head>,
    /// So much of the buffer holds no boundary.
    searched: usize,
}

#[derive(Clone, Copy)]
struct Head {
    is_picture: bool,
    length: Option<usize>,
}

/// The boundary in a content type; `None`: it is not of several parts.
pub(super) fn boundary(kind: &str) -> Option<String> {
    let (kind, parameters) = kind.split_once(';')?;
    if !kind.trim().to_ascii_lowercase().starts_with("multipart/") {
        return None;
    }
    let named = |parameter: &str| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"').to_owned())
    };
    // Some cameras give the boundary with its hyphens.
    let boundary = parameters.split(';').find_map(named)?;
    let boundary = boundary.strip_prefix("--").map_or_else(|| boundary.clone(), str::to_owned);
    (1..=70).contains(&boundary.len()).then_some(boundary)
}

impl Parts {
    pub(super) fn new(boundary: &str) -> Self {
        Self { line: format!("--{boundary}").into_bytes(), buffer: BytesMut::new(), head: None, searched: 0 }
    }

    /// Takes what the camera sent next.
    pub(super) fn add(&mut self, piece: &[u8]) {
        self.buffer.extend_from_slice(piece);
    }

    /// The next part that is whole; `None`: more must come.
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
        let content = self.buffer.split_to(end).freeze();
        Ok(Some(Part { is_picture: head.is_picture, content }))
    }

    /// Where the part at the start of the buffer ends, when that has come.
    fn end_of(&mut self, head: Head) -> Result<Option<usize>, SourceError> {
        let too_large = || SourceError::Broken(format!("the camera sends parts larger than {LARGEST_PART} bytes"));
        match head.length {
            Some(length) if length > LARGEST_PART => Err(too_large()),
            Some(length) => Ok((self.buffer.len() >= length).then_some(length)),
            None => match self.find(self.searched) {
                None if self.buffer.len() > LARGEST_PART => Err(too_large()),
                None => {
                    self.searched = self.buffer.len().saturating_sub(self.line.len());
                    Ok(None)
                }
                end => Ok(end),
            },
        }
    }

    /// Skips to the next boundary and reads the head behind it.
    fn take_head(&mut self) -> Result<Option<Head>, SourceError> {
        if let Some(start) = self.find(0) {
            self.buffer.advance(start);
            let after = &self.buffer[self.line.len()..];
            if after.starts_with(b"--") {
                return Err(SourceError::Broken("the camera has ended the stream".to_owned()));
            }
            if let Some(end) = after.windows(4).position(|window| window == b"\r\n\r\n") {
                let head = head(&after[..end]);
                self.buffer.advance(self.line.len() + end + 4);
                return Ok(Some(head));
            }
        }
        match self.buffer.len() > LONGEST_HEAD {
            true => Err(SourceError::Broken("the camera sends something else than it says".to_owned())),
            false => Ok(None),
        }
    }

    fn find(&self, from: usize) -> Option<usize> {
        let line = self.line.as_slice();
        self.buffer[from..].windows(line.len()).position(|window| window == line).map(|at| at + from)
    }
}

fn head(text: &[u8]) -> Head {
    let mut head = Head { is_picture: false, length: None };
    for line in text.split(|byte| *byte == b'\n') {
        let line = String::from_utf8_lossy(line);
        let Some((name, value)) = line.split_once(':') else { continue };
        let value = value.trim().to_ascii_lowercase();
        match name.trim().to_ascii_lowercase().as_str() {
            "content-type" => head.is_picture = value.starts_with("image/jp"),
            // A length that is no number counts as none.
            "content-length" => head.length = value.parse().ok(),
            _ => {}
        }
    }
    head
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let mut huge = Parts::new("x");
        huge.add(format!("--x\r\nContent-Length: {}\r\n\r\n", usize::MAX).as_bytes());
        let mut endless = Parts::new("x");
        endless.add(b"--x\r\n\r\n\r\n");
        endless.add(&vec![b'a'; LARGEST_PART + 1]);
        let mut over = Parts::new("x");
        over.add(b"--x--");
        for parts in [&mut rubbish, &mut huge, &mut endless, &mut over] {
            assert!(matches!(parts.next(), Err(SourceError::Broken(_))));
        }
    }

    #[test]
    fn the_boundary_is_read_in_all_its_spellings() {
        for kind in [
            "multipart/x-mixed-replace; boundary=myboundary",
            "Multipart/Mixed;boundary=\"--myboundary\"",
            "multipart/mixed; charset=utf-8; Boundary = myboundary",
        ] {
            assert_eq!(boundary(kind).as_deref(), Some("myboundary"), "{kind}");
        }
        for kind in ["text/html", "text/html; boundary=a", "multipart/mixed", "multipart/mixed; boundary="] {
            assert_eq!(boundary(kind), None, "{kind}");
        }
    }
}
