//! Fuzz target for multipart streams.

use super::boundary::{boundary, is_multipart};
use super::parts::Parts;
use super::pictures;

/// Input: a content type up to the first line end, then a stream. The stream's first byte is the size of the pieces in
/// which it arrives.
pub fn parts(data: &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or_default();
    let (kind, stream) = data.split_at(end);
    let kind = String::from_utf8_lossy(kind);
    let announced = boundary(&kind).filter(|_| is_multipart(&kind)).unwrap_or_else(|| kind.trim().to_owned());
    let size = stream.first().copied().unwrap_or_default().max(1);
    let (mut parts, mut taken) = (Parts::new(&announced), 0);
    for piece in stream.chunks(size.into()) {
        parts.add(piece);
        while let Ok(Some(part)) = parts.next() {
            taken += pictures(&part.content).iter().map(bytes::Bytes::len).sum::<usize>();
        }
    }
    assert!(taken <= data.len(), "more came out than went in");
}
