//! Reassembles RTP packets into frames: restores their order and reports gaps.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use bytes::{Buf, Bytes, BytesMut};

/// Maximum number of packets queued behind a missing one before it counts as lost.
const WINDOW: usize = 64;
/// Maximum size of a frame, bytes.
const LARGEST_FRAME: usize = 8 << 20;

/// RTCP packet types, at the position of the RTP payload type (RFC 5761).
const REPORTS: RangeInclusive<u8> = 192..=223;

/// An RTP packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Packet {
    pub(super) sequence: u16,
    pub(super) time: u32,
    pub(super) source: u32,
    /// Marker: the packet ends a frame.
    pub(super) last: bool,
    pub(super) payload: Bytes,
}

impl Packet {
    /// Parses a packet (RFC 3550); `None` for anything else, including RTCP reports, which some cameras send to the
    /// same port.
    pub(super) fn parse(mut data: Bytes) -> Option<Self> {
        if data.len() < 12 || data[0] >> 6 != 2 || REPORTS.contains(&data[1]) {
            return None;
        }
        let (flags, kind) = (data[0], data[1]);
        let sequence = u16::from_be_bytes([data[2], data[3]]);
        let time = u32::from_be_bytes([data[4], data[5], data[6], data[7]]);
        let source = u32::from_be_bytes([data[8], data[9], data[10], data[11]]);
        let padding = if flags & 0x20 != 0 { usize::from(*data.last()?) } else { 0 };
        let sources = 12 + usize::from(flags & 0x0f) * 4;
        let extension = match flags & 0x10 {
            0 => 0,
            _ => 4 + 4 * usize::from(u16::from_be_bytes([*data.get(sources + 2)?, *data.get(sources + 3)?])),
        };
        let start = sources + extension;
        if start + padding > data.len() {
            return None;
        }
        data.truncate(data.len() - padding);
        data.advance(start);
        Some(Self { sequence, time, source, last: kind & 0x80 != 0, payload: data })
    }
}

/// A reassembled frame.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) data: Bytes,
    /// Number of packets lost within or before the frame.
    pub(super) lost: u16,
}

/// Reassembly state of one stream.
#[derive(Default)]
pub(super) struct Frames {
    source: Option<u32>,
    /// Extended number of the next packet.
    next: Option<u64>,
    waiting: BTreeMap<u64, Packet>,
    time: u32,
    data: BytesMut,
    lost: u16,
}

impl Frames {
    /// Takes a packet and returns the frames that it completes.
    pub(super) fn take(&mut self, packet: Packet) -> Vec<Frame> {
        let mut frames = Vec::new();
        // Other sources do not belong to this call.
        if *self.source.get_or_insert(packet.source) != packet.source {
            return frames;
        }
        let number = self.number(packet.sequence);
        if self.next.is_some_and(|next| number < next) {
            return frames;
        }
        self.waiting.insert(number, packet);
        while let Some(packet) = self.due() {
            self.append(&packet, &mut frames);
        }
        frames
    }

    /// The extended number of a packet, which does not wrap: the one nearest to the expected number.
    fn number(&self, sequence: u16) -> u64 {
        let next = self.next.unwrap_or(1 << 32 | u64::from(sequence));
        let ahead = sequence.wrapping_sub(next as u16).cast_signed();
        next.saturating_add_signed(ahead.into())
    }

    /// The next packet in order, skipping those counted as lost.
    fn due(&mut self) -> Option<Packet> {
        let (&first, _) = self.waiting.first_key_value()?;
        let next = *self.next.get_or_insert(first);
        if first > next && self.waiting.len() <= WINDOW {
            return None;
        }
        self.lost = self.lost.saturating_add(u16::try_from(first - next).unwrap_or(u16::MAX));
        self.next = Some(first + 1);
        self.waiting.remove(&first)
    }

    fn append(&mut self, packet: &Packet, frames: &mut Vec<Frame>) {
        if packet.time != self.time {
            frames.extend(self.finish());
        }
        self.time = packet.time;
        if self.data.len() + packet.payload.len() > LARGEST_FRAME {
            // An oversized frame counts as a loss.
            self.data.clear();
            self.lost = self.lost.saturating_add(1);
        }
        self.data.extend_from_slice(&packet.payload);
        if packet.last {
            frames.extend(self.finish());
        }
    }

    fn finish(&mut self) -> Option<Frame> {
        let data = self.data.split().freeze();
        (!data.is_empty()).then(|| Frame { data, lost: std::mem::take(&mut self.lost) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(sequence: u16, time: u32, last: bool) -> Packet {
        let payload = Bytes::from(vec![sequence as u8]);
        Packet { sequence, time, source: 7, last, payload }
    }

    fn play(packets: impl IntoIterator<Item = Packet>) -> Vec<(Vec<u8>, u16)> {
        let mut frames = Frames::default();
        let all = packets.into_iter().flat_map(|packet| frames.take(packet)).collect::<Vec<_>>();
        all.into_iter().map(|frame| (frame.data.to_vec(), frame.lost)).collect()
    }

    #[test]
    fn a_frame_ends_with_its_mark_or_when_the_time_changes() {
        let marked = play([packet(1, 10, false), packet(2, 10, true), packet(3, 20, true)]);
        assert_eq!(marked, [(vec![1, 2], 0), (vec![3], 0)]);
        let unmarked = play([packet(1, 10, false), packet(2, 10, false), packet(3, 20, false)]);
        assert_eq!(unmarked, [(vec![1, 2], 0)]);
    }

    #[test]
    fn order_is_restored_over_the_end_of_the_numbers() {
        let numbers = [65_534, 0, 65_535, 65_535, 1, 65_534];
        let played = play(numbers.map(|number| packet(number, 10, number == 1)));
        assert_eq!(played, [(vec![254, 255, 0, 1], 0)]);
    }

    #[test]
    fn what_does_not_come_is_lost_after_a_while() {
        let late = (3..70).map(|number| packet(number, u32::from(number), true));
        let played = play([packet(1, 1, true)].into_iter().chain(late));
        assert_eq!(played[0], (vec![1], 0));
        assert_eq!(played[1], (vec![3], 1), "number 2 is missing");
        assert_eq!(played.len(), 68);
    }

    #[test]
    fn packets_of_another_source_are_passed_over() {
        let other = Packet { source: 8, ..packet(2, 10, true) };
        assert_eq!(play([packet(1, 10, false), other, packet(2, 10, true)]), [(vec![1, 2], 0)]);
    }

    #[test]
    fn a_packet_is_read_with_all_its_extras() {
        let plain = [0x80, 0xe0, 0, 5, 0, 0, 0, 9, 0, 0, 0, 7, 1, 2];
        let packet = Packet::parse(Bytes::copy_from_slice(&plain)).unwrap();
        assert_eq!((packet.sequence, packet.time, packet.source, packet.last), (5, 9, 7, true));
        assert_eq!(packet.payload, [1, 2].as_slice());
        let extras = [0xb1, 96, 0, 5, 0, 0, 0, 9, 0, 0, 0, 7, 9, 9, 9, 9, 0, 0, 0, 1, 8, 8, 8, 8, 1, 2, 0, 2];
        assert_eq!(Packet::parse(Bytes::copy_from_slice(&extras)).unwrap().payload, [1, 2].as_slice());
        for length in 0..plain.len() - 2 {
            assert_eq!(Packet::parse(Bytes::copy_from_slice(&plain[..length])), None);
        }
        let report = [0x80, 200, 0, 6, 0, 0, 0, 7, 1, 2, 3, 4, 5, 6];
        assert_eq!(Packet::parse(Bytes::copy_from_slice(&report)), None);
        let mut cut = extras.to_vec();
        cut[18..20].copy_from_slice(&[0xff, 0xff]);
        assert_eq!(Packet::parse(cut.into()), None);
    }
}
