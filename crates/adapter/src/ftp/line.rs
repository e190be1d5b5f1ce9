//! Commands, one line each.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

/// The longest line, bytes.
const LONGEST: u64 = 1024;

/// What was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A command in upper case, and its argument.
    Command(String, String),
    /// A line longer than 1024 bytes; the rest of it is unread.
    TooLong,
    /// The end of the connection.
    End,
}

/// Reads a line. Characters that are not UTF-8 are replaced.
pub(super) async fn read(reader: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Line> {
    let mut line = Vec::new();
    let read = reader.take(LONGEST).read_until(b'\n', &mut line).await?;
    if line.last() != Some(&b'\n') {
        return Ok(if read as u64 == LONGEST { Line::TooLong } else { Line::End });
    }
    let line = String::from_utf8_lossy(&line);
    let line = line.trim_end_matches(['\r', '\n']);
    let (command, argument) = line.split_once(' ').unwrap_or((line, ""));
    Ok(Line::Command(command.trim().to_ascii_uppercase(), argument.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_are_split_and_bounded() {
        let long = [b'x'; 5000];
        let mut all: Vec<u8> = b"user  a b\r\nQUIT\nSTOR \xff.jpg\r\n\r\n".to_vec();
        all.extend(long);
        let mut reader = &all[..];
        let command = |name: &str, argument: &str| Line::Command(name.into(), argument.into());
        for wanted in [
            command("USER", " a b"),
            command("QUIT", ""),
            command("STOR", "\u{fffd}.jpg"),
            command("", ""),
            Line::TooLong,
        ] {
            assert_eq!(read(&mut reader).await.unwrap(), wanted);
        }
        assert_eq!(read(&mut &b"NOOP"[..]).await.unwrap(), Line::End);
        assert_eq!(read(&mut &b""[..]).await.unwrap(), Line::End);
    }
}
