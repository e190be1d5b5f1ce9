//! RTP packets (RFC 3550), parsed as tolerantly as players do.

use bytes::{Bytes, BytesMut};
use retina::rtcp::PacketRef;
use retina::rtp::PacketHeader;

/// Padding flag in the first byte.
const PADDING: u8 = 0x20;

/// An RTP packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Packet {
    pub(super) sequence: u16,
    pub(super) time: u32,
    pub(super) source: u32,
    pub(super) payload_type: u8,
    /// Marker: the packet ends a frame.
    pub(super) last: bool,
    pub(super) payload: Bytes,
}

impl Packet {
    /// Parses a packet; `None` when the data is not one.
    pub(super) fn parse(data: &Bytes) -> Option<Self> {
        let (header, range) = match PacketHeader::validate(&data[..]) {
            Ok(read) => read,
            // Impossible padding is treated as payload.
            Err(_) if data.first().is_some_and(|flags| flags & PADDING != 0) => return Self::parse(&unpadded(data)),
            Err(_) => return None,
        };
        Some(Self {
            sequence: header.sequence_number(),
            time: header.timestamp(),
            source: header.ssrc(),
            payload_type: header.payload_type(),
            last: header.mark(),
            payload: data.slice(usize::from(range.start)..usize::from(range.end)),
        })
    }
}

fn unpadded(data: &[u8]) -> Bytes {
    let mut data = BytesMut::from(data);
    if let Some(flags) = data.first_mut() {
        *flags &= !PADDING;
    }
    data.freeze()
}

/// Whether this is an RTCP report (RFC 5761 4).
pub(super) fn is_report(data: &[u8]) -> bool {
    matches!(data, [_, 192..=223, ..])
}

/// Whether an RTCP report is complete.
pub(super) fn is_whole_report(mut data: &[u8]) -> bool {
    while let Ok((_, rest)) = PacketRef::parse(data) {
        if rest.is_empty() {
            return true;
        }
        data = rest;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(data: &[u8]) -> Option<Packet> {
        Packet::parse(&Bytes::copy_from_slice(data))
    }

    const PLAIN: [u8; 14] = [0x80, 0xe0, 0, 5, 0, 0, 0, 9, 0, 0, 0, 7, 1, 2];

    #[test]
    fn a_packet_is_read_with_all_its_extras() {
        let packet = parse(&PLAIN).unwrap();
        let read = (packet.sequence, packet.time, packet.source, packet.payload_type, packet.last);
        assert_eq!(read, (5, 9, 7, 96, true));
        assert_eq!(packet.payload, [1, 2].as_slice());
        let extras = [0xb1, 96, 0, 5, 0, 0, 0, 9, 0, 0, 0, 7, 9, 9, 9, 9, 0, 0, 0, 1, 8, 8, 8, 8, 1, 2, 0, 2];
        assert_eq!(parse(&extras).unwrap().payload, [1, 2].as_slice());
    }

    #[test]
    fn padding_that_cannot_be_is_part_of_the_payload() {
        for padding in [0, 3, 255] {
            let mut data = PLAIN;
            (data[0], data[13]) = (0xa0, padding);
            assert_eq!(parse(&data).unwrap().payload, [1, padding].as_slice(), "{padding}");
        }
        assert_eq!(parse(&[0xa0, 0x60, 0, 5, 0, 0, 0, 9, 0, 0, 0, 7]).unwrap().payload, [].as_slice());
    }

    #[test]
    fn what_is_no_packet_is_none() {
        for length in 0..12 {
            assert_eq!(parse(&PLAIN[..length]), None);
        }
        let mut other_version = PLAIN;
        other_version[0] = 0x40;
        assert_eq!(parse(&other_version), None);
        assert_eq!(
            parse(&[0x90, 0x60, 0, 5, 0, 0, 0, 9, 0, 0, 0, 7, 0, 0, 0xff, 0xff, 1]),
            None,
            "an extension beyond its end"
        );
    }

    #[test]
    fn reports_are_told_from_packets_and_from_what_is_neither() {
        let report = [0x80, 200, 0, 6, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        assert!(is_report(&report) && is_whole_report(&report));
        assert!(is_whole_report(&[report.as_slice(), &[0x80, 203, 0, 1, 1, 1, 1, 1]].concat()));
        assert!(!is_report(&PLAIN));
        for short in [&report[..8], &report[..3], &[], &[0; 7], &[&report[..], &[0x80]].concat()] {
            assert!(!is_whole_report(short), "{short:?}");
        }
    }
}
