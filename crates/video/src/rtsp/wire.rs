//! RTSP messages and interleaved packets, as cameras write them (RFC 2326).

use bytes::{Buf, Bytes, BytesMut};

/// Maximum size of a message head, bytes.
const LARGEST_HEAD: usize = 64 << 10;
/// Maximum size of a message body, bytes.
const LARGEST_BODY: usize = 1 << 20;
/// Maximum length of an invalid line that begins like a response within which another response is searched, bytes.
/// Without it, a line made only of such beginnings would be parsed once for each of them.
const LONGEST_DOUBT: usize = 256;
/// Maximum number of header fields of a message.
const MOST_FIELDS: usize = 128;
/// Size of the header of an interleaved packet, bytes.
const PREFIX: usize = 4;
/// Channels from this number on are not accepted while message boundaries are lost.
const LIKELY_CHANNELS: u8 = 16;

/// A message or packet from a camera.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Incoming {
    Packet { channel: u8, data: Bytes },
    Response(Response),
    Request { method: String, fields: Fields },
}

/// A response of a camera.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Response {
    pub(crate) code: u16,
    pub(crate) fields: Fields,
    pub(crate) body: Bytes,
}

/// Header fields of a message; names are compared case-insensitively.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let same = move |(other, _): &&(String, String)| other.eq_ignore_ascii_case(name);
        self.0.iter().filter(same).map(|(_, value)| value.as_str())
    }

    /// Parses fields. Invalid lines are skipped; a line that begins with a blank continues the previous field.
    fn read(lines: &[&[u8]]) -> Self {
        let mut fields = Vec::<(String, String)>::new();
        for line in lines.iter().take(MOST_FIELDS) {
            let text = String::from_utf8_lossy(line);
            if text.starts_with([' ', '\t'])
                && let Some((_, value)) = fields.last_mut()
            {
                value.push(' ');
                value.push_str(text.trim());
            } else if let Some((name, value)) = text.split_once(':') {
                fields.push((name.trim().to_owned(), value.trim().to_owned()));
            }
        }
        Self(fields)
    }

    fn body_length(&self) -> usize {
        self.get("Content-Length").and_then(|length| length.parse().ok()).unwrap_or_default()
    }
}

/// Why a connection cannot be parsed further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Senseless {
    #[error("the peer does not speak RTSP")]
    NotRtsp,
    #[error("the camera sent a message larger than {LARGEST_BODY} bytes")]
    TooLarge,
}

/// Splits the bytes of a connection into messages and packets.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    /// Whether a message was parsed: unparsable bytes after it are skipped instead of being an error.
    speaks: bool,
    /// Whether the last bytes were unparsable, so that the next boundary must be guessed.
    lost: bool,
    /// Number of stretches skipped since the last query.
    passed_over: u64,
    /// Number of bytes needed before parsing can make progress.
    needed: usize,
}

impl Reader {
    /// The next message or packet; `None` until more bytes arrive. Buffers no more than one of them needs.
    pub(crate) fn next(&mut self, bytes: &mut BytesMut) -> Result<Option<Incoming>, Senseless> {
        if bytes.len() < self.needed {
            return Ok(None);
        }
        self.needed = 0;
        loop {
            while bytes.first().is_some_and(|byte| matches!(byte, b'\r' | b'\n' | b' ' | 0)) {
                bytes.advance(1);
            }
            let next = match bytes.first() {
                None => return Ok(None),
                Some(b'$') if self.likely(bytes) => packet(bytes),
                Some(b'$') if bytes.len() <= PREFIX => return Ok(None),
                Some(b'$') => Cut::Senseless(1),
                Some(_) => message(bytes)?,
            };
            match next {
                Cut::Short(needed) => {
                    self.needed = needed;
                    return Ok(None);
                }
                Cut::Whole(incoming) => {
                    (self.speaks, self.lost) = (true, false);
                    return Ok(Some(incoming));
                }
                Cut::Senseless(_) if !self.speaks => return Err(Senseless::NotRtsp),
                Cut::Senseless(length) => self.pass_over(bytes, length),
            }
        }
    }

    /// Number of stretches of bytes skipped since the last call.
    pub(crate) fn passed_over(&mut self) -> u64 {
        std::mem::take(&mut self.passed_over)
    }

    /// Whether a dollar sign begins a packet: always at a known boundary, otherwise only if it looks like one.
    fn likely(&self, bytes: &[u8]) -> bool {
        !self.lost || matches!(bytes, [_, channel, _, _, flags, ..] if *channel < LIKELY_CHANNELS && flags >> 6 == 2)
    }

    /// Skips at least `length` bytes, up to the next possible message or packet.
    fn pass_over(&mut self, bytes: &mut BytesMut, length: usize) {
        let start = |rest: &[u8]| rest.first() == Some(&b'$') || is_response(rest);
        let next = (length..bytes.len()).find(|at| start(&bytes[*at..])).unwrap_or(bytes.len());
        bytes.advance(next);
        self.passed_over += u64::from(!self.lost);
        self.lost = true;
    }
}

enum Cut {
    /// Incomplete: at least this many bytes are needed in total.
    Short(usize),
    Whole(Incoming),
    /// Unparsable: nothing valid begins within this many bytes.
    Senseless(usize),
}

fn packet(bytes: &mut BytesMut) -> Cut {
    let [_, channel, high, low, ..] = bytes[..] else { return Cut::Short(PREFIX) };
    let length = usize::from(u16::from_be_bytes([high, low]));
    if bytes.len() < PREFIX + length {
        return Cut::Short(PREFIX + length);
    }
    bytes.advance(PREFIX);
    Cut::Whole(Incoming::Packet { channel, data: bytes.split_to(length).freeze() })
}

fn message(bytes: &mut BytesMut) -> Result<Cut, Senseless> {
    if !may_begin(bytes) {
        return Ok(Cut::Senseless(doubtful(first_line(bytes), LONGEST_DOUBT)));
    }
    let Some((head, start)) = head(bytes) else {
        let bounded = &bytes[..bytes.len().min(LARGEST_HEAD)];
        return Ok(if bounded.len() < bytes.len() { Cut::Senseless(doubtful(bounded, 0)) } else { Cut::Short(0) });
    };
    let Some((first, fields)) = head.split_first() else { return Ok(Cut::Senseless(1)) };
    let Some(kind) = kind(first) else { return Ok(Cut::Senseless(1)) };
    let fields = Fields::read(fields);
    let length = fields.body_length();
    if length > LARGEST_BODY {
        return Err(Senseless::TooLarge);
    }
    if bytes.len() - start < length {
        return Ok(Cut::Short(start + length));
    }
    bytes.advance(start);
    let body = bytes.split_to(length).freeze();
    Ok(Cut::Whole(match kind {
        Kind::Response(code) => Incoming::Response(Response { code, fields, body }),
        Kind::Request(method) => Incoming::Request { method, fields },
    }))
}

enum Kind {
    Response(u16),
    Request(String),
}

fn kind(line: &[u8]) -> Option<Kind> {
    // Reason phrases may be in national encodings.
    let text = String::from_utf8_lossy(line);
    let mut words = text.split_ascii_whitespace();
    let (first, second) = (words.next()?, words.next()?);
    if is_response(line) {
        return second.parse().ok().map(Kind::Response);
    }
    let method = first.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    let version = words.next()?.as_bytes();
    (method && is_response(version)).then(|| Kind::Request(first.to_owned()))
}

fn is_response(bytes: &[u8]) -> bool {
    bytes.len() >= 5 && bytes[..5].eq_ignore_ascii_case(b"RTSP/")
}

/// Number of bytes to skip of an unparsable stretch: all of it if it begins like a response and is longer than `most`,
/// otherwise one.
fn doubtful(stretch: &[u8], most: usize) -> usize {
    if is_response(stretch) && stretch.len() > most { stretch.len() } else { 1 }
}

/// The first line, cut at the maximum size of a head.
fn first_line(bytes: &[u8]) -> &[u8] {
    let bounded = &bytes[..bytes.len().min(LARGEST_HEAD)];
    bounded.split(|byte| *byte == b'\n').next().unwrap_or_default()
}

/// Whether these bytes may begin a message; the first line may be incomplete.
fn may_begin(bytes: &[u8]) -> bool {
    let line = first_line(bytes);
    match line.len() < bytes.len().min(LARGEST_HEAD) {
        true => kind(line).is_some(),
        false => is_response(line) || line.iter().all(|byte| byte.is_ascii_graphic() || matches!(byte, b' ' | b'\r')),
    }
}

/// The lines of a head, and the offset of the body; `None` while the empty line is missing.
fn head(bytes: &[u8]) -> Option<(Vec<&[u8]>, usize)> {
    let (mut lines, mut start) = (Vec::new(), 0);
    let bounded = &bytes[..bytes.len().min(LARGEST_HEAD)];
    while let Some(length) = bounded[start..].iter().position(|byte| *byte == b'\n') {
        let line = &bounded[start..start + length];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        start += length + 1;
        if line.is_empty() {
            return Some((lines, start));
        }
        lines.push(line);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(reader: &mut Reader, text: &[u8]) -> Vec<Incoming> {
        let mut bytes = BytesMut::from(text);
        std::iter::from_fn(|| reader.next(&mut bytes).expect("sense")).collect()
    }

    fn code(incoming: &Incoming) -> u16 {
        match incoming {
            Incoming::Response(response) => response.code,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn messages_and_packets_follow_each_other() {
        let text = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 3\r\n\r\nabc$\x01\0\x02hi\
            OPTIONS * RTSP/1.0\r\nCSeq: 7\r\n\r\n$\0\0\0RTSP/1.0 404 Not Found\r\n\r\n";
        let all = read_all(&mut Reader::default(), text);
        assert_eq!(all.len(), 5);
        assert!(matches!(&all[0], Incoming::Response(answer) if answer.body.as_ref() == b"abc"));
        assert_eq!(all[1], Incoming::Packet { channel: 1, data: Bytes::from_static(b"hi") });
        assert!(
            matches!(&all[2], Incoming::Request { method, fields } if method == "OPTIONS" && fields.get("cseq") == Some("7"))
        );
        assert_eq!(all[3], Incoming::Packet { channel: 0, data: Bytes::new() });
        assert_eq!(code(&all[4]), 404);
    }

    #[test]
    fn heads_are_read_as_cameras_write_them() {
        let heads: [&[u8]; 5] = [
            b"RTSP/1.0 200 OK\nCSeq: 1\nsession:  a;timeout=60 \n\n",
            b"rtsp/1.0  200\r\nSESSION: a\r\n\t;timeout=60\r\n\r\n",
            b"\r\n\r\n \0RTSP/1.0 200 OK\r\nno field\r\nSession:a;timeout=60\r\n\r\n",
            b"RTSP/1.0 200 \xd6\xd0\r\nSession: a;timeout=60\r\n\r\n",
            b"RTSP/2.0 200 OK\r\nContent-Length: \r\nSession: a;timeout=60\r\n\r\n",
        ];
        for head in heads {
            let all = read_all(&mut Reader::default(), head);
            let [Incoming::Response(answer)] = &all[..] else { panic!("{head:?}") };
            let session = answer.fields.get("session").map(|value| value.replace(' ', ""));
            assert_eq!((answer.code, session.as_deref()), (200, Some("a;timeout=60")), "{head:?}");
        }
    }

    #[test]
    fn bytes_between_messages_are_passed_over_and_counted() {
        let mut reader = Reader::default();
        assert_eq!(read_all(&mut reader, b"RTSP/1.0 200 OK\r\n\r\n").len(), 1);
        let noise = b"\xff\x13noise$\xff\xff\xffmore\r\n\r\n$\0\0\x04\x80\x60hiRTSP/1.0 200 OK\r\n\r\n";
        let all = read_all(&mut reader, noise);
        assert_eq!(all.len(), 2, "{all:?}");
        assert_eq!(reader.passed_over(), 1);
        assert_eq!(reader.passed_over(), 0);
    }

    #[test]
    fn what_does_not_speak_rtsp_is_told_at_once() {
        for other in [
            &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
            b"SSH-2.0-OpenSSH_9\r\n",
            b"\x15\x03\x01\0\x02",
            b"RTSP/1.0 garbage\r\n\r\n",
        ] {
            assert_eq!(Reader::default().next(&mut BytesMut::from(other)), Err(Senseless::NotRtsp), "{other:?}");
        }
        let large = b"RTSP/1.0 200 OK\r\nContent-Length: 99999999\r\n\r\n";
        assert_eq!(Reader::default().next(&mut BytesMut::from(&large[..])), Err(Senseless::TooLarge));
    }

    #[test]
    fn a_message_in_pieces_waits_for_the_rest() {
        let text = b"RTSP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nab$\x02\0\x01x";
        for cut in 0..text.len() {
            let (mut reader, mut bytes) = (Reader::default(), BytesMut::from(&text[..cut]));
            let mut all: Vec<_> = std::iter::from_fn(|| reader.next(&mut bytes).expect("sense")).collect();
            bytes.extend_from_slice(&text[cut..]);
            all.extend(std::iter::from_fn(|| reader.next(&mut bytes).expect("sense")));
            assert_eq!(all.len(), 2, "cut at {cut}");
        }
    }
    #[test]
    fn beginnings_without_an_end_are_passed_over_in_large_stretches() {
        let start = b"RTSP/1.0 200 OK\r\n\r\n";
        let long = |piece: &[u8]| piece.repeat((4 << 20) / piece.len());
        for noise in [
            long(b"RTSP/"),
            long(b"RTSP/1.0 2\n"),
            long(b"RTSP/x\n"),
            long(&[&b"RTSP/".repeat(9999)[..], b"\n"].concat()),
        ] {
            let began = std::time::Instant::now();
            let (mut reader, mut bytes) = (Reader::default(), BytesMut::from(&start[..]));
            bytes.extend_from_slice(&noise);
            bytes.extend_from_slice(b"\n$\0\0\x04\x80\x60hi");
            let all: Vec<_> = std::iter::from_fn(|| reader.next(&mut bytes).expect("sense")).collect();
            assert_eq!(all.first().map(code), Some(200));
            assert!(bytes.len() <= LARGEST_HEAD, "{}", bytes.len());
            // Scanning a whole head for every beginning would take minutes.
            assert!(began.elapsed() < std::time::Duration::from_secs(10), "{:?}", began.elapsed());
        }
    }

    #[test]
    fn a_message_behind_a_cut_one_is_found() {
        let mut reader = Reader::default();
        let all = read_all(&mut reader, b"RTSP/1.0 200 OK\r\n\r\nRTSP/1.0 RTSP/1.0 404 Not Found\r\n\r\n");
        assert_eq!(all.iter().map(code).collect::<Vec<_>>(), [200, 404]);
    }

    #[test]
    fn a_head_is_not_read_again_for_every_piece_of_its_body() {
        let (mut reader, mut bytes) = (Reader::default(), BytesMut::new());
        bytes.extend_from_slice(b"RTSP/1.0 200 OK\r\nContent-Length: 3\r\n\r\na");
        assert_eq!(reader.next(&mut bytes), Ok(None));
        assert_eq!(reader.needed, bytes.len() + 2);
        bytes.extend_from_slice(b"bc$");
        assert!(
            matches!(reader.next(&mut bytes), Ok(Some(Incoming::Response(answer))) if answer.body.as_ref() == b"abc")
        );
        assert_eq!(reader.next(&mut bytes), Ok(None));
    }
}
