//! Restores the order of packets and reports gaps.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use super::packet::Packet;

/// Sequence numbers at most this far behind are late; further behind, the camera has restarted (RFC 3550 A.1).
const LATEST: i16 = -100;
/// Sequence numbers at most this far ahead follow a loss; further ahead, the camera has restarted (RFC 3550 A.1).
const MOST_LOST: i16 = 3000;
/// Maximum number of datagrams queued behind a missing one before it counts as lost.
const MOST_WAITING: usize = 32;
/// Maximum wait for a missing datagram.
const PATIENCE: Duration = Duration::from_millis(100);

/// A packet in order.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ordered {
    pub(super) packet: Packet,
    /// Number of packets lost before it.
    pub(super) lost: u16,
}

/// Reordering state of one stream.
#[derive(Debug)]
pub(super) struct Order {
    /// Whether packets arrive over UDP and may be reordered.
    datagrams: bool,
    last: Option<(u16, u32)>,
    waiting: BTreeMap<u16, (Instant, Packet)>,
    /// Sequence number that would confirm a restart of the camera.
    confirming: Option<u16>,
    ready: VecDeque<Ordered>,
}

impl Order {
    pub(super) fn new(datagrams: bool) -> Self {
        Self { datagrams, last: None, waiting: BTreeMap::new(), confirming: None, ready: VecDeque::new() }
    }

    /// Releases all queued packets and starts over with another stream.
    pub(super) fn restart(&mut self) {
        self.flush();
        (self.last, self.confirming) = (None, None);
    }

    /// Takes a packet; `false` when it is discarded as duplicate or late.
    pub(super) fn take(&mut self, packet: Packet, now: Instant) -> bool {
        let Some((last, time)) = self.last else { return self.put(packet, 0) };
        let ahead = packet.sequence.wrapping_sub(last.wrapping_add(1)).cast_signed();
        if ahead == -1 && packet.time == time {
            return false;
        }
        match (self.datagrams, ahead) {
            (false, 0..) => self.put(packet, if ahead < MOST_LOST { ahead.unsigned_abs() } else { 1 }),
            // TCP keeps the order, so the camera has restarted its numbering.
            (false, _) => self.put(packet, 0),
            (true, _) => self.take_datagram(packet, ahead, now),
        }
    }

    pub(super) fn next(&mut self) -> Option<Ordered> {
        self.ready.pop_front()
    }

    fn take_datagram(&mut self, packet: Packet, ahead: i16, now: Instant) -> bool {
        let used = match ahead {
            0 => self.put(packet, 0),
            1..MOST_LOST => self.waiting.insert(packet.sequence, (now, packet)).is_none(),
            LATEST..0 => return false,
            _ if self.confirming == Some(packet.sequence) => {
                self.restart();
                self.put(packet, 1)
            }
            _ => {
                self.confirming = Some(packet.sequence.wrapping_add(1));
                return false;
            }
        };
        self.confirming = None;
        self.release(now);
        used
    }

    /// Releases packets that are in order or have waited long enough.
    fn release(&mut self, now: Instant) {
        while let Some((sequence, lost)) = self.first_waiting() {
            let impatient = self.waiting.len() > MOST_WAITING
                || self.waiting.values().any(|(since, _)| now.duration_since(*since) > PATIENCE);
            if lost > 0 && !impatient {
                return;
            }
            if let Some((_, packet)) = self.waiting.remove(&sequence) {
                self.put(packet, lost);
            }
        }
    }

    /// Sequence number of the first queued packet, and the number of packets missing before it.
    fn first_waiting(&self) -> Option<(u16, u16)> {
        let next = self.last.map_or(0, |(last, _)| last.wrapping_add(1));
        self.waiting.keys().map(|sequence| (*sequence, sequence.wrapping_sub(next))).min_by_key(|(_, ahead)| *ahead)
    }

    fn flush(&mut self) {
        while let Some((sequence, lost)) = self.first_waiting() {
            if let Some((_, packet)) = self.waiting.remove(&sequence) {
                self.put(packet, lost);
            }
        }
    }

    fn put(&mut self, packet: Packet, lost: u16) -> bool {
        self.last = Some((packet.sequence, packet.time));
        self.ready.push_back(Ordered { packet, lost });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn play(datagrams: bool, sequences: &[u16]) -> Vec<(u16, u16)> {
        let (mut order, now) = (Order::new(datagrams), Instant::now());
        for sequence in sequences {
            order.take(packet(*sequence), now);
        }
        std::iter::from_fn(|| order.next()).map(|ordered| (ordered.packet.sequence, ordered.lost)).collect()
    }

    fn packet(sequence: u16) -> Packet {
        let payload = bytes::Bytes::from_static(b"x");
        Packet { sequence, time: u32::from(sequence) / 4, source: 7, payload_type: 96, last: false, payload }
    }

    #[test]
    fn within_a_connection_every_packet_is_in_its_place() {
        assert_eq!(play(false, &[65_535, 0, 1, 1, 4]), [(65_535, 0), (0, 0), (1, 0), (4, 2)]);
        assert_eq!(play(false, &[500, 0, 1, 9000, 9001]), [(500, 0), (0, 0), (1, 0), (9000, 1), (9001, 0)]);
    }

    #[test]
    fn datagrams_are_put_back_in_order_over_the_end_of_the_numbers() {
        let order = [65_534, 0, 65_535, 65_535, 1, 65_534, 3, 2];
        assert_eq!(play(true, &order), [65_534, 65_535, 0, 1, 2, 3].map(|number| (number, 0)));
    }

    #[test]
    fn a_datagram_that_does_not_come_is_lost_after_a_while() {
        let numbers: Vec<u16> = [1].into_iter().chain(4..40).collect();
        let played = play(true, &numbers);
        assert_eq!((played[0], played[1], played.len()), ((1, 0), (4, 2), 37));
        let (mut order, now) = (Order::new(true), Instant::now());
        for (number, after) in [(1, 0), (3, 10), (4, 120)] {
            order.take(packet(number), now + Duration::from_millis(after));
        }
        assert_eq!(std::iter::from_fn(|| order.next()).count(), 3, "3 has waited long enough when 4 comes");
    }

    #[test]
    fn a_camera_that_counts_anew_is_followed_when_it_goes_on() {
        assert_eq!(play(true, &[5000, 9, 5001, 10, 5002]), [(5000, 0), (5001, 0), (5002, 0)]);
        assert_eq!(play(true, &[5000, 9, 10, 11]), [(5000, 0), (10, 1), (11, 0)]);
    }
}
