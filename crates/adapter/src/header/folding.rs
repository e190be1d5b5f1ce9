//! Unfolds header fields of parts that span several lines, as MIME programs write long ones (RFC 822). The form parser
//! does not accept them.

use std::error::Error;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, stream};
use memchr::memmem;

use crate::BodyError;

/// Maximum size of a part's head, and of the data before the first part, bytes. The form parser buffers both and scans
/// them again with every piece.
const MAX_HEAD: usize = 16 << 10;
const LINE_END: &[u8] = b"\r\n";
const HEAD_END: &[u8] = b"\r\n\r\n";

/// Why the form was cut off.
type Failure = Box<dyn Error + Send + Sync>;

/// The form with every header field of its parts on one line, otherwise unchanged. Memory is bounded by the maximum
/// head plus one piece of the form. Fails at a head that is too long.
pub(crate) fn unfolded<S, E>(form: S, boundary: &str) -> impl Stream<Item = Result<Bytes, Failure>> + Send + use<S, E>
where
    S: Stream<Item = Result<Bytes, E>> + Send + Unpin,
    E: Into<Failure>,
{
    let unfolding = Unfolding::of(boundary);
    stream::unfold((form, Some(unfolding)), |(mut form, unfolding)| async move {
        let mut unfolding = unfolding?;
        Some(match form.next().await {
            Some(Ok(piece)) => match unfolding.take(&piece) {
                Ok(passed) => (Ok(passed), (form, Some(unfolding))),
                Err(error) => (Err(error.into()), (form, None)),
            },
            Some(Err(error)) => (Err(error.into()), (form, None)),
            None => (Ok(unfolding.held.freeze()), (form, None)),
        })
    })
}

/// The expected next element of the form.
#[derive(Clone, Copy)]
enum Expected {
    /// The boundary of the first part.
    First,
    /// The rest of a boundary line, and the head of a part.
    Head,
    /// Content up to a boundary.
    Content,
    /// The epilogue.
    End,
}

struct Unfolding {
    expected: Expected,
    /// Line end and boundary.
    separator: Vec<u8>,
    /// Bytes that cannot be forwarded yet.
    held: BytesMut,
    /// Number of bytes forwarded before the first part.
    before: usize,
}

impl Unfolding {
    fn of(boundary: &str) -> Self {
        let separator = format!("\r\n--{boundary}").into_bytes();
        Self { expected: Expected::First, separator, held: BytesMut::new(), before: 0 }
    }

    /// Takes a piece and returns the bytes that can be forwarded.
    fn take(&mut self, piece: &[u8]) -> Result<Bytes, BodyError> {
        self.held.extend_from_slice(piece);
        let mut passed = BytesMut::new();
        while self.step(&mut passed)? {}
        Ok(passed.freeze())
    }

    /// Forwards bytes up to the next change of state; returns whether there was one.
    fn step(&mut self, passed: &mut BytesMut) -> Result<bool, BodyError> {
        match self.expected {
            Expected::First => self.pass_to_first(passed),
            Expected::Content => Ok(self.pass_to_boundary(0, passed)),
            Expected::Head => self.pass_to_content(passed),
            Expected::End => {
                passed.unsplit(self.held.split());
                Ok(false)
            }
        }
    }

    /// Forwards the preamble and the first boundary.
    fn pass_to_first(&mut self, passed: &mut BytesMut) -> Result<bool, BodyError> {
        let found = self.pass_to_boundary(LINE_END.len(), passed);
        self.before += passed.len();
        if self.before > MAX_HEAD { Err(BodyError::TooLarge) } else { Ok(found) }
    }

    /// Forwards everything up to and including the boundary. `skip`: number of leading bytes of the separator that are
    /// absent.
    fn pass_to_boundary(&mut self, skip: usize, passed: &mut BytesMut) -> bool {
        let separator = &self.separator[skip..];
        match memmem::find(&self.held, separator) {
            Some(at) => {
                passed.unsplit(self.held.split_to(at + separator.len()));
                self.expected = Expected::Head;
                true
            }
            None => {
                let settled = self.held.len().saturating_sub(separator.len() - 1);
                passed.unsplit(self.held.split_to(settled));
                false
            }
        }
    }

    /// Forwards the head with its fields unfolded.
    fn pass_to_content(&mut self, passed: &mut BytesMut) -> Result<bool, BodyError> {
        match memmem::find(&self.held, HEAD_END) {
            _ if self.held.starts_with(b"--") => self.expected = Expected::End,
            Some(at) if at <= MAX_HEAD => {
                unfold(&self.held.split_to(at + HEAD_END.len()), passed);
                self.expected = Expected::Content;
            }
            None if self.held.len() < MAX_HEAD + HEAD_END.len() => return Ok(false),
            Some(_) | None => return Err(BodyError::TooLarge),
        }
        Ok(true)
    }
}

/// Unfolds a head: a line that begins with a blank continues the previous one.
fn unfold(mut head: &[u8], passed: &mut BytesMut) {
    while let Some(at) = memmem::find(head, LINE_END) {
        let (line, rest) = (&head[..at], &head[at + LINE_END.len()..]);
        passed.extend_from_slice(line);
        let is_folded = matches!(rest, [b' ' | b'\t', ..]);
        passed.extend_from_slice(if is_folded { b" " } else { LINE_END });
        head = if is_folded { without_blanks(rest) } else { rest };
    }
    passed.extend_from_slice(head);
}

fn without_blanks(mut line: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = line {
        line = rest;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The forwarded form when it arrives in pieces of this size.
    fn passed(form: &[u8], size: usize) -> Vec<u8> {
        try_passed(form, size).unwrap()
    }

    fn try_passed(form: &[u8], size: usize) -> Result<Vec<u8>, BodyError> {
        let mut unfolding = Unfolding::of("x");
        let mut passed = Vec::new();
        for piece in form.chunks(size) {
            passed.extend(unfolding.take(piece)?);
        }
        passed.extend_from_slice(&unfolding.held);
        Ok(passed)
    }

    #[test]
    fn fields_come_on_one_line_and_content_stays_whatever_the_pieces_are() {
        let folded = b"preamble\r\n--x\r\nA: b;\r\n\tc;\r\n   d\r\nE: f\r\n\r\n1\r\n 2\r\n-\r\n--x\r\n\r\n\r\n 3\r\n--x--\r\n a\r\n b";
        let wanted =
            b"preamble\r\n--x\r\nA: b; c; d\r\nE: f\r\n\r\n1\r\n 2\r\n-\r\n--x\r\n\r\n\r\n 3\r\n--x--\r\n a\r\n b";
        for size in 1..=folded.len() {
            assert_eq!(passed(folded, size).escape_ascii().to_string(), wanted.escape_ascii().to_string(), "{size}");
        }
    }

    #[test]
    fn a_line_of_blanks_ends_neither_its_field_nor_the_head() {
        assert_eq!(passed(b"--x\r\nA: b\r\n \r\nE: f\r\n \r\n\r\n1", 5), b"--x\r\nA: b \r\nE: f \r\n\r\n1");
    }

    #[test]
    fn what_is_no_form_and_a_head_without_end_are_passed_on_as_they_are() {
        for form in [&b""[..], b"no form", b"--x", b"--x\r\nA: b\r\n c"] {
            for size in [61, 4096, 100_000] {
                assert!(passed(form, size) == form);
            }
        }
    }

    #[test]
    fn a_head_is_as_long_as_it_may_be_or_the_form_breaks_off() {
        let head = |length: usize| [b"--x", &vec![b'c'; length][..], b"\r\n\r\n1"].concat();
        let endless = [b"--x\r\nA: b\r\n ", &vec![b'c'; MAX_HEAD * 2][..]].concat();
        let late = [b"--x\r\n\r\n1\r\n", &head(MAX_HEAD + 1)[..]].concat();
        for size in [61, 4096, MAX_HEAD + 5, 100_000] {
            assert!(passed(&head(MAX_HEAD), size) == head(MAX_HEAD));
            for long in [&head(MAX_HEAD + 1), &endless, &late, &vec![b'c'; MAX_HEAD * 2]] {
                assert_eq!(try_passed(long, size), Err(BodyError::TooLarge));
            }
        }
    }
}
