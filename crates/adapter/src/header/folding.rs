//! Header fields of parts over several lines, as MIME programs write long ones (RFC 822 folding). The reader of forms
//! does not take them, so each field is put on one line before it sees the form.

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, stream};
use memchr::memmem;

/// The longest head of a part that is looked at, bytes; a longer one is left to the reader as it is.
const MAX_HEAD: usize = 16 << 10;
const LINE_END: &[u8] = b"\r\n";
const HEAD_END: &[u8] = b"\r\n\r\n";

/// The form with every header field of its parts on one line; nothing else changes. Memory is bounded by the longest
/// head and a piece of the form.
pub(crate) fn unfolded<S, E>(form: S, boundary: &str) -> impl Stream<Item = Result<Bytes, E>> + Send + use<S, E>
where
    S: Stream<Item = Result<Bytes, E>> + Send + Unpin,
    E: Send,
{
    let unfolding = Unfolding::of(boundary);
    stream::unfold((form, Some(unfolding)), |(mut form, unfolding)| async move {
        let mut unfolding = unfolding?;
        Some(match form.next().await {
            Some(Ok(piece)) => (Ok(unfolding.take(&piece)), (form, Some(unfolding))),
            Some(Err(error)) => (Err(error), (form, None)),
            None => (Ok(unfolding.held.freeze()), (form, None)),
        })
    })
}

/// What comes next in the form.
#[derive(Clone, Copy)]
enum Expected {
    /// The boundary of the first part.
    First,
    /// The rest of a boundary's line, and the head of a part.
    Head,
    /// Content up to a boundary.
    Content,
    /// Nothing that matters.
    End,
}

struct Unfolding {
    expected: Expected,
    /// The line end before a boundary, and the boundary.
    separator: Vec<u8>,
    /// Bytes that cannot be passed on yet.
    held: BytesMut,
}

impl Unfolding {
    fn of(boundary: &str) -> Self {
        let separator = format!("\r\n--{boundary}").into_bytes();
        Self { expected: Expected::First, separator, held: BytesMut::new() }
    }

    /// What can be passed on after this piece.
    fn take(&mut self, piece: &[u8]) -> Bytes {
        self.held.extend_from_slice(piece);
        let mut passed = BytesMut::new();
        while self.step(&mut passed) {}
        passed.freeze()
    }

    /// Passes on what stands before the next change; whether there was one.
    fn step(&mut self, passed: &mut BytesMut) -> bool {
        match self.expected {
            Expected::First => self.pass_to_boundary(LINE_END.len(), passed),
            Expected::Content => self.pass_to_boundary(0, passed),
            Expected::Head => self.pass_to_content(passed),
            Expected::End => {
                passed.unsplit(self.held.split());
                false
            }
        }
    }

    /// Passes on everything up to the boundary, and it; `skip`: so many bytes of the separator are not there.
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

    /// Passes on the head, its fields on one line each.
    fn pass_to_content(&mut self, passed: &mut BytesMut) -> bool {
        match memmem::find(&self.held, HEAD_END) {
            _ if self.held.starts_with(b"--") => self.expected = Expected::End,
            Some(at) if at <= MAX_HEAD => {
                unfold(&self.held.split_to(at + HEAD_END.len()), passed);
                self.expected = Expected::Content;
            }
            None if self.held.len() <= MAX_HEAD => return false,
            Some(_) | None => self.expected = Expected::Content,
        }
        true
    }
}

/// A line that begins with a blank belongs to the one before.
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

    /// The form passed on, when it comes in pieces of this size.
    fn passed(form: &[u8], size: usize) -> Vec<u8> {
        let mut unfolding = Unfolding::of("x");
        let mut passed: Vec<u8> = form.chunks(size).flat_map(|piece| unfolding.take(piece)).collect();
        passed.extend_from_slice(&unfolding.held);
        passed
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
        let endless = [b"--x\r\nA: b\r\n ", &vec![b'c'; MAX_HEAD * 2][..]].concat();
        for form in [&b""[..], b"no form", b"--x", b"--x\r\nA: b\r\n c", &endless] {
            for size in [61, 4096, 100_000] {
                assert!(passed(form, size) == form);
            }
        }
    }
}
