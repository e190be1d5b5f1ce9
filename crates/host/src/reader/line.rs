//! Assembles the bytes of a reader into lines.

/// STX and ETX, with which some readers frame their lines.
const START: u8 = 0x02;
const END: u8 = 0x03;

/// The line being received; it ends with CR, LF or ETX.
#[derive(Debug)]
pub(super) struct Line {
    bytes: Vec<u8>,
    longest: usize,
    /// Whether the line is invalid: too long, or incomplete.
    void: bool,
}

/// A completed line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Completed {
    /// A line, without its end.
    Line(Vec<u8>),
    /// An invalid line.
    Void,
}

impl Line {
    /// An empty line; lines of more than `longest` bytes are invalid.
    pub(super) fn new(longest: usize) -> Self {
        Self { bytes: Vec::new(), longest, void: false }
    }

    /// Takes a byte; returns the line it completes. Empty lines are ignored.
    pub(super) fn push(&mut self, byte: u8) -> Option<Completed> {
        match byte {
            b'\r' | b'\n' | END => self.complete(),
            START => {
                self.forget();
                None
            }
            _ if self.void => None,
            _ if self.bytes.len() == self.longest => {
                self.spoil();
                None
            }
            byte => {
                self.bytes.push(byte);
                None
            }
        }
    }

    /// Marks the line as invalid until its end.
    pub(super) fn spoil(&mut self) {
        self.bytes = Vec::new();
        self.void = true;
    }

    /// Discards a partial line; returns whether there was one.
    pub(super) fn forget(&mut self) -> bool {
        let something = self.void || !self.bytes.is_empty();
        self.bytes.clear();
        self.void = false;
        something
    }

    fn complete(&mut self) -> Option<Completed> {
        let (bytes, void) = (std::mem::take(&mut self.bytes), std::mem::take(&mut self.void));
        if void {
            return Some(Completed::Void);
        }
        (!bytes.is_empty()).then_some(Completed::Line(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(longest: usize, bytes: &[u8]) -> Vec<Completed> {
        let mut line = Line::new(longest);
        bytes.iter().filter_map(|byte| line.push(*byte)).collect()
    }

    fn line(text: &str) -> Completed {
        Completed::Line(text.into())
    }

    #[test]
    fn a_line_ends_as_readers_end_it() {
        assert_eq!(lines(9, b"1\r\n2\n\n3\r\x024\x03\r\nrest"), [line("1"), line("2"), line("3"), line("4")]);
    }

    #[test]
    fn half_a_line_before_the_start_of_a_text_is_forgotten() {
        assert_eq!(lines(9, b"12\x0234\x03"), [line("34")]);
    }

    #[test]
    fn a_line_that_is_too_long_is_void_as_a_whole() {
        assert_eq!(
            lines(4, b"1234\n12345\n123456789\n5\n"),
            [line("1234"), Completed::Void, Completed::Void, line("5")]
        );
    }

    #[test]
    fn a_spoiled_line_is_void_until_its_end() {
        let mut under = Line::new(9);
        under.push(b'1');
        under.spoil();
        assert_eq!(under.push(b'2'), None);
        assert_eq!(under.push(b'\n'), Some(Completed::Void));
        assert_eq!(under.push(b'\n'), None);
    }
}
