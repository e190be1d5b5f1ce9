//! Keeps messages that are too large out of memory: the client library returns a message once it has all of it. Here
//! the frames of the broker pass by as they arrive; of a message whose header announces too large a body nothing but an
//! empty one is passed on, so that it can still be acknowledged.

use std::collections::HashMap;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BufMut, BytesMut};
use futures_io::{AsyncRead, AsyncWrite};
use tokio_util::io::poll_read_buf;

/// Type, channel and length of a frame, bytes.
const HEAD: usize = 7;
/// Class, weight and length of the body in a content header, bytes.
const CONTENT_HEAD: usize = 12;
/// Class and weight.
const CONTENT_CLASS: usize = 4;
/// Types of frames.
const METHOD: u8 = 1;
const HEADER: u8 = 2;
const BODY: u8 = 3;
/// The last byte of a frame.
const END: u8 = 0xce;
/// A broker that speaks another version sends its name instead of frames.
const NAME: u8 = b'A';
/// Bytes read at once.
const PIECE: usize = 16 << 10;

/// A connection to a broker without messages larger than a limit.
pub(super) struct Bounded<S> {
    stream: S,
    sieve: Sieve,
    /// Not examined yet; less than a head after each examination.
    incoming: BytesMut,
    /// To be passed on.
    passed: BytesMut,
}

impl<S> Bounded<S> {
    /// `largest_message`: bytes of a body; `largest_frame`: what was agreed with the broker, bytes.
    pub(super) fn new(stream: S, largest_message: u64, largest_frame: u32) -> Self {
        let sieve = Sieve { largest_message, largest_frame, oversized: HashMap::new(), rest: Rest::none() };
        Self { stream, sieve, incoming: BytesMut::new(), passed: BytesMut::new() }
    }
}

impl<S: tokio::io::AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        while this.passed.is_empty() {
            this.incoming.reserve(PIECE);
            if ready!(poll_read_buf(Pin::new(&mut this.stream), cx, &mut this.incoming))? == 0 {
                return Poll::Ready(Ok(0));
            }
            this.sieve.pass(&mut this.incoming, &mut this.passed)?;
        }
        let length = buffer.len().min(this.passed.len());
        this.passed.copy_to_slice(&mut buffer[..length]);
        Poll::Ready(Ok(length))
    }
}

impl<S: tokio::io::AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Separates the frames that are passed on from those that are not.
struct Sieve {
    largest_message: u64,
    largest_frame: u32,
    /// What is still to come of messages that are left out, bytes by channel.
    oversized: HashMap<u16, u64>,
    /// Of the frame that was examined last.
    rest: Rest,
}

/// What is still to come of a frame, and whether it is passed on.
struct Rest {
    bytes: u64,
    passes: bool,
}

impl Rest {
    fn none() -> Self {
        Self { bytes: 0, passes: true }
    }
}

impl Sieve {
    /// Moves what may pass from `incoming` to `passed`, and drops the rest.
    ///
    /// # Errors
    /// The broker sends larger frames than agreed.
    fn pass(&mut self, incoming: &mut BytesMut, passed: &mut BytesMut) -> io::Result<()> {
        loop {
            let piece = incoming.split_to(incoming.len().min(usize::try_from(self.rest.bytes).unwrap_or(usize::MAX)));
            self.rest.bytes -= piece.len() as u64;
            if self.rest.passes {
                passed.extend_from_slice(&piece);
            }
            if self.rest.bytes > 0 || incoming.len() < HEAD {
                return Ok(());
            }
            match self.examine(incoming, passed)? {
                Some(rest) => self.rest = rest,
                None => return Ok(()),
            }
        }
    }

    /// What to do with the frame at the start of `incoming`; `None` when too little of it has arrived.
    fn examine(&mut self, incoming: &[u8], passed: &mut BytesMut) -> io::Result<Option<Rest>> {
        let mut head = incoming;
        let (kind, channel, length) = (head.get_u8(), head.get_u16(), head.get_u32());
        if kind == NAME {
            return Ok(Some(Rest { bytes: u64::MAX, passes: true }));
        }
        let bytes = HEAD as u64 + u64::from(length) + 1;
        if bytes > self.largest_frame.into() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the broker sends larger frames than agreed"));
        }
        let passes = match kind {
            // The message before was broken off.
            METHOD => {
                self.oversized.remove(&channel);
                true
            }
            HEADER if length as usize >= CONTENT_HEAD => {
                let Some(mut content) = head.get(..CONTENT_HEAD) else { return Ok(None) };
                let class = content.copy_to_bytes(CONTENT_CLASS);
                let size = content.get_u64();
                if size > self.largest_message {
                    tracing::warn!(
                        message.bytes = size,
                        message.limit = self.largest_message,
                        "command dropped: too large"
                    );
                    self.oversized.insert(channel, size);
                    put_empty_header(channel, &class, passed);
                }
                size <= self.largest_message
            }
            BODY => !self.is_left_out(channel, length),
            _ => true,
        };
        Ok(Some(Rest { bytes, passes }))
    }

    /// Whether the piece of a body belongs to a message that is left out.
    fn is_left_out(&mut self, channel: u16, length: u32) -> bool {
        let Some(left) = self.oversized.get_mut(&channel) else { return false };
        *left = left.saturating_sub(length.into());
        if *left == 0 {
            self.oversized.remove(&channel);
        }
        true
    }
}

/// The header of a message with an empty body and no properties.
fn put_empty_header(channel: u16, class: &[u8], to: &mut BytesMut) {
    to.put_u8(HEADER);
    to.put_u16(channel);
    to.put_u32(CONTENT_HEAD as u32 + 2);
    to.put_slice(class);
    to.put_u64(0);
    to.put_u16(0);
    to.put_u8(END);
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: u64 = 1000;
    const FRAME: u32 = 4096;

    fn frame(kind: u8, channel: u16, content: &[u8]) -> Vec<u8> {
        let mut frame = vec![kind];
        frame.put_u16(channel);
        frame.put_u32(content.len() as u32);
        frame.put_slice(content);
        frame.put_u8(END);
        frame
    }

    fn header(channel: u16, size: u64, properties: &[u8]) -> Vec<u8> {
        let mut content = vec![0, 60, 0, 0];
        content.put_u64(size);
        content.put_slice(properties);
        frame(HEADER, channel, &content)
    }

    fn sieve() -> Sieve {
        Sieve { largest_message: LIMIT, largest_frame: FRAME, oversized: HashMap::new(), rest: Rest::none() }
    }

    /// What passes of these bytes when they arrive in pieces of this size, and the most that was ever kept.
    fn passed(bytes: &[u8], piece: usize) -> io::Result<Vec<u8>> {
        let (mut sieve, mut incoming, mut passed) = (sieve(), BytesMut::new(), BytesMut::new());
        for piece in bytes.chunks(piece) {
            incoming.extend_from_slice(piece);
            sieve.pass(&mut incoming, &mut passed)?;
            assert!(incoming.len() < HEAD + CONTENT_HEAD, "{} bytes are kept", incoming.len());
        }
        Ok(passed.to_vec())
    }

    #[test]
    fn everything_within_the_limit_passes_unchanged() {
        let body = [7; 1000];
        let all = [
            frame(METHOD, 1, b"deliver"),
            header(1, 1000, &[0x80, 0, 1, b'x']),
            frame(BODY, 1, &body[..600]),
            frame(8, 0, b""),
            frame(BODY, 1, &body[600..]),
            frame(METHOD, 0, b"close"),
        ]
        .concat();
        for piece in [1, 6, 7, 8, 13, 19, 4096] {
            assert_eq!(passed(&all, piece).unwrap(), all, "{piece}");
        }
        assert_eq!(passed(b"AMQP\x01\x01\x08\x00", 3).unwrap(), b"AMQP\x01\x01\x08\x00");
    }

    #[test]
    fn of_a_message_that_is_too_large_only_an_empty_one_passes() {
        let large =
            [frame(METHOD, 1, b"one"), header(1, 1001, &[0x80, 0, 1, b'x']), frame(BODY, 1, &[7; 500])].concat();
        let rest = [frame(BODY, 1, &[7; 501]), frame(METHOD, 1, b"two"), header(1, 3, &[0, 0]), frame(BODY, 1, b"abc")];
        // Another channel sends at the same time.
        let beside = [header(2, 2, &[0, 0]), frame(BODY, 2, b"ok")].concat();
        let all = [large, beside.clone(), rest.concat()].concat();
        let wanted = [frame(METHOD, 1, b"one"), header(1, 0, &[0, 0]), beside, rest[1..].concat()].concat();
        for piece in [1, 7, 20, 4096] {
            assert_eq!(passed(&all, piece).unwrap(), wanted, "{piece}");
        }
    }

    #[test]
    fn a_message_that_is_broken_off_leaves_out_no_other() {
        let all =
            [header(1, u64::MAX, &[0, 0]), frame(METHOD, 1, b"closed"), header(1, 1, &[0, 0]), frame(BODY, 1, b"a")];
        let wanted = [vec![header(1, 0, &[0, 0])], all[1..].to_vec()].concat().concat();
        assert_eq!(passed(&all.concat(), 5).unwrap(), wanted);
    }

    #[test]
    fn a_frame_larger_than_agreed_ends_the_connection() {
        let large = frame(METHOD, 1, &[0; FRAME as usize]);
        assert_eq!(passed(&large, 100).unwrap_err().kind(), io::ErrorKind::InvalidData);
        let lying = [BODY, 0, 1, 0xff, 0xff, 0xff, 0xff];
        assert_eq!(passed(&lying, 7).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
