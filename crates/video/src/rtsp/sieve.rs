//! Selects the packets of the requested video. What the camera announces is only a hint: what it sends decides.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::order::{Order, Ordered};
use super::packet::{self, Packet};

/// Time without packets of the selected stream after which another one may replace it.
const PROBATION: Duration = Duration::from_secs(1);
/// Maximum number of packets kept of the candidate stream.
const MOST_KEPT: usize = 2048;
/// Maximum number of bytes of their payloads.
const MOST_BYTES: usize = 4 << 20;

/// Identity of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct StreamKey {
    channel: u8,
    source: u32,
    payload_type: u8,
}

/// A stream that may replace the selected one, and its packets so far.
#[derive(Debug)]
struct Candidate {
    key: StreamKey,
    packets: Vec<Packet>,
    bytes: usize,
}

/// Selection state of one session.
#[derive(Debug)]
pub(super) struct Sieve {
    channel: u8,
    payload_type: u8,
    /// The selected stream.
    key: Option<StreamKey>,
    /// Arrival of its last packet.
    last_packet: Instant,
    candidate: Option<Candidate>,
    order: Order,
    /// Packets lost before the next one with a payload.
    lost: u16,
    ignored: u64,
}

impl Sieve {
    /// Selects a stream announced with this channel and payload type. `datagrams`: packets may be reordered.
    pub(super) fn new(channel: u8, payload_type: u8, datagrams: bool, now: Instant) -> Self {
        let order = Order::new(datagrams);
        Self { channel, payload_type, key: None, last_packet: now, candidate: None, order, lost: 0, ignored: 0 }
    }

    /// Takes a packet received on a channel.
    pub(super) fn take(&mut self, channel: u8, data: &Bytes, now: Instant) {
        if packet::is_report(data) {
            self.ignored += u64::from(!packet::is_whole_report(data));
            return;
        }
        let Some(packet) = Packet::parse(data) else {
            self.ignored += 1;
            return;
        };
        let key = StreamKey { channel, source: packet.source, payload_type: packet.payload_type };
        if self.key.is_none() && channel == self.channel && packet.payload_type == self.payload_type {
            self.key = Some(key);
        }
        match self.key {
            Some(playing) if playing == key => self.play(packet, now),
            _ if self.may_be_meant(key) => self.consider(key, packet, now),
            _ => self.ignored += 1,
        }
    }

    /// The next packet of the video with a payload.
    pub(super) fn next(&mut self) -> Option<Ordered> {
        loop {
            let next = self.order.next()?;
            self.lost = self.lost.saturating_add(next.lost);
            match next.packet.payload.is_empty() {
                true => self.ignored += 1,
                false => return Some(Ordered { packet: next.packet, lost: std::mem::take(&mut self.lost) }),
            }
        }
    }

    /// Number of packets ignored since the last call.
    pub(super) fn ignored(&mut self) -> u64 {
        std::mem::take(&mut self.ignored)
    }

    fn play(&mut self, packet: Packet, now: Instant) {
        self.last_packet = now;
        self.drop_candidate();
        self.ignored += u64::from(!self.order.take(packet, now));
    }

    /// Whether a stream may be the requested one although its numbers differ from the announced ones.
    fn may_be_meant(&self, key: StreamKey) -> bool {
        let announced = (key.channel == self.channel, key.payload_type == self.payload_type);
        match self.key {
            None => announced.0 || announced.1,
            Some(playing) => playing.channel == key.channel && playing.payload_type == key.payload_type,
        }
    }

    fn consider(&mut self, key: StreamKey, packet: Packet, now: Instant) {
        if self.candidate.as_ref().is_none_or(|candidate| candidate.key != key) {
            self.drop_candidate();
        }
        let candidate = self.candidate.get_or_insert_with(|| Candidate { key, packets: Vec::new(), bytes: 0 });
        candidate.bytes += packet.payload.len();
        candidate.packets.push(packet);
        if candidate.packets.len() > MOST_KEPT || candidate.bytes > MOST_BYTES {
            self.drop_candidate();
        } else if now.duration_since(self.last_packet) >= PROBATION {
            self.follow(now);
        }
    }

    /// Selects the candidate, from its first packet on.
    fn follow(&mut self, now: Instant) {
        let Some(Candidate { key, packets, .. }) = self.candidate.take() else { return };
        tracing::debug!(
            ssrc = key.source,
            channel = key.channel,
            "camera sends the video under other numbers than announced"
        );
        self.key = Some(key);
        self.order.restart();
        packets.into_iter().for_each(|packet| self.play(packet, now));
    }

    fn drop_candidate(&mut self) {
        let packets = self.candidate.take().map_or(0, |candidate| candidate.packets.len());
        self.ignored += packets as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Stage {
        sieve: Sieve,
        start: Instant,
    }

    impl Stage {
        fn new() -> Self {
            let start = Instant::now();
            Self { sieve: Sieve::new(0, 96, false, start), start }
        }

        fn send(&mut self, at_ms: u64, channel: u8, data: &[u8]) -> Vec<u8> {
            self.sieve.take(channel, &Bytes::copy_from_slice(data), self.start + Duration::from_millis(at_ms));
            std::iter::from_fn(|| self.sieve.next()).map(|next| next.packet.payload[0]).collect()
        }
    }

    fn rtp(kind: u8, source: u8, sequence: u8) -> [u8; 13] {
        [0x80, kind, 0, sequence, 0, 0, 0, sequence, 0, 0, 0, source, sequence]
    }

    #[test]
    fn the_announced_stream_is_played_whatever_its_source_is_called() {
        let mut stage = Stage::new();
        assert_eq!(stage.send(0, 0, &rtp(96, 5, 1)), [1]);
        assert_eq!(stage.send(10, 0, &rtp(96, 5, 2)), [2]);
        assert_eq!(stage.sieve.ignored(), 0);
    }

    #[test]
    fn what_is_no_video_is_passed_over_and_counted() {
        let mut stage = Stage::new();
        assert_eq!(stage.send(0, 0, &rtp(96, 5, 1)), [1]);
        let noise: [(u8, &[u8]); 6] = [
            (0, &[]),
            (0, &[0; 7]),
            (1, &[0x80, 200, 0, 6, 0, 0]),
            (7, b"hello"),
            (2, &rtp(97, 9, 1)),
            (0, &rtp(96, 5, 1)),
        ];
        for (channel, data) in noise {
            assert_eq!(stage.send(1, channel, data), [0; 0], "{data:?}");
        }
        assert_eq!(stage.send(2, 0, &rtp(96, 5, 2)[..12]), [0; 0], "an empty packet has its number");
        assert_eq!(stage.send(2, 0, &rtp(96, 5, 3)), [3]);
        assert_eq!(
            stage.send(3, 1, &[0x80, 201, 0, 1, 0, 0, 0, 5]),
            [0; 0],
            "a good report is no video either, but no fault"
        );
        assert_eq!(stage.sieve.ignored(), 7);
    }

    #[test]
    fn a_camera_that_goes_on_under_another_source_is_followed_from_its_first_packet() {
        let mut stage = Stage::new();
        assert_eq!(stage.send(0, 0, &rtp(96, 5, 1)), [1]);
        assert_eq!(stage.send(100, 0, &rtp(96, 6, 10)), [0; 0]);
        assert_eq!(stage.send(900, 0, &rtp(96, 6, 11)), [0; 0]);
        assert_eq!(stage.send(1100, 0, &rtp(96, 6, 12)), [10, 11, 12]);
        assert_eq!(stage.send(1200, 0, &rtp(96, 6, 13)), [13]);
    }

    #[test]
    fn the_leftovers_of_another_session_do_not_take_the_place_of_a_stream_that_goes_on() {
        let mut stage = Stage::new();
        for at in 0..20 {
            assert_eq!(stage.send(at * 500, 0, &rtp(96, 5, at as u8)), [at as u8]);
            assert_eq!(stage.send(at * 500 + 1, 0, &rtp(96, 6, at as u8)), [0; 0]);
        }
        assert_eq!(stage.sieve.ignored(), 19);
    }

    #[test]
    fn a_stream_under_another_payload_type_or_channel_than_announced_is_found() {
        for (channel, kind) in [(0, 97), (2, 96)] {
            let mut stage = Stage::new();
            assert_eq!(stage.send(10, channel, &rtp(kind, 5, 1)), [0; 0]);
            assert_eq!(stage.send(1010, channel, &rtp(kind, 5, 2)), [1, 2], "{channel} {kind}");
        }
        let mut stage = Stage::new();
        assert_eq!(stage.send(2000, 4, &rtp(97, 5, 1)), [0; 0], "neither is as announced");
    }

    #[test]
    fn the_packets_of_another_stream_are_bounded_by_bytes() {
        let mut stage = Stage::new();
        assert_eq!(stage.send(0, 0, &rtp(96, 5, 1)), [1]);
        let large = [&rtp(96, 6, 0)[..], &[0; 60_000]].concat();
        let mut most = 0;
        for at in 1..200 {
            stage.send(at, 0, &large);
            most = most.max(stage.sieve.candidate.as_ref().map_or(0, |candidate| candidate.packets.len()));
        }
        assert!((60..=70).contains(&most), "{most}");
        assert!(stage.sieve.ignored() >= 69);
        assert_eq!(stage.send(300, 0, &rtp(96, 5, 2)), [2]);
    }
}
