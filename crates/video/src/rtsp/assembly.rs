//! From packets to access units, by the depacketisers of retina.
//!
//! retina's own session ends at the first thing that it does not expect of a camera. Its depacketisers do not, and can be
//! used without it: through `codec::Depacketizer` and `testutil::DepacketizeBuf`, which retina keeps open for its fuzz
//! tests and may change in any version. The workspace therefore pins the version.

use std::collections::VecDeque;

use domain::ports::SourceError;
use retina::codec::{CodecItem, Depacketizer, FrameFormat, ParametersRef, VideoFrame};
use retina::rtp::PacketMeta;
use retina::testutil::DepacketizeBuf;
use retina::{PacketContext, Timestamp};

use super::order::Ordered;
use crate::decoder::Codec;
use crate::session::plain;

/// Ticks in a second of the time in the packets of H.264 and H.265.
const CLOCK_HZ: std::num::NonZeroU32 = std::num::NonZeroU32::new(90_000).unwrap();
/// Bytes of an access unit that is not whole after which it is given up.
const LARGEST_PENDING: usize = 16 << 20;
/// Room for packets at first, bytes.
const ROOM: usize = 64 << 10;

/// Packets in, access units out.
pub(super) struct Assembly {
    codec: Codec,
    parameters: Option<String>,
    depacketizer: Depacketizer,
    buffer: DepacketizeBuf,
    /// Bytes since the last whole access unit.
    pending: usize,
}

impl Assembly {
    /// `parameters` of the coding as announced; those that cannot be understood are left to the stream itself.
    pub(super) fn new(codec: Codec, parameters: Option<String>) -> Result<Self, SourceError> {
        let depacketizer = depacketizer(codec, parameters.as_deref())?;
        Ok(Self { codec, parameters, depacketizer, buffer: DepacketizeBuf::new(ROOM), pending: 0 })
    }

    /// Takes a packet, and returns the access units that it makes whole. A packet that fits nowhere costs the access
    /// unit that it belongs to: `Err` says why.
    pub(super) fn take(&mut self, next: &Ordered, whole: &mut VecDeque<VideoFrame>) -> Result<(), String> {
        let payload = &next.packet.payload;
        self.pending += payload.len();
        if self.pending > LARGEST_PENDING {
            self.start_over().map_err(|why| why.to_string())?;
            return Err(format!("an access unit is larger than {LARGEST_PENDING} bytes"));
        }
        let Some(timestamp) = Timestamp::new(i64::from(next.packet.time), CLOCK_HZ, 0) else { return Ok(()) };
        let meta = PacketMeta {
            ctx: PacketContext::dummy(),
            stream_id: 0,
            timestamp,
            sequence_number: next.packet.sequence,
            ssrc: next.packet.source,
            mark: next.packet.last,
            // How many does not matter to it, and sums of many overflow.
            loss: next.lost.min(1),
        };
        let taken = self.buffer.push(&mut self.depacketizer, meta, payload);
        // Also after a failure: it panics at a packet that comes before what was whole is fetched.
        let pulled = self.pull(whole);
        taken.and(pulled)
    }

    fn pull(&mut self, whole: &mut VecDeque<VideoFrame>) -> Result<(), String> {
        let mut outcome = Ok(());
        while let Some(item) = self.depacketizer.pull() {
            match item {
                Ok(CodecItem::VideoFrame(frame)) => {
                    self.pending = 0;
                    whole.push_back(frame);
                }
                Ok(_) => {}
                Err(_) => outcome = Err("a picture was cut off".to_owned()),
            }
        }
        outcome
    }

    /// Width and height as the stream says.
    pub(super) fn size(&self) -> Option<(u32, u32)> {
        match self.depacketizer.parameters() {
            Some(ParametersRef::Video(video)) => Some(video.pixel_dimensions()),
            _ => None,
        }
    }

    fn start_over(&mut self) -> Result<(), SourceError> {
        *self = Self::new(self.codec, self.parameters.take())?;
        Ok(())
    }
}

fn depacketizer(codec: Codec, parameters: Option<&str>) -> Result<Depacketizer, SourceError> {
    let start = |parameters| Depacketizer::new("video", encoding(codec), CLOCK_HZ.get(), None, parameters);
    let mut depacketizer =
        start(parameters).or_else(|_| start(None)).map_err(|why| SourceError::Undecodable(plain(&why)))?;
    depacketizer.set_frame_format(FrameFormat::SIMPLE);
    Ok(depacketizer)
}

fn encoding(codec: Codec) -> &'static str {
    match codec {
        Codec::H264 => "h264",
        Codec::H265 => "h265",
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::rtsp::packet::Packet;

    fn ordered(sequence: u16, time: u32, last: bool, payload: &[u8]) -> Ordered {
        let payload = Bytes::copy_from_slice(payload);
        Ordered { packet: Packet { sequence, time, source: 1, payload_type: 96, last, payload }, lost: 0 }
    }

    fn play(packets: &[Ordered]) -> (usize, usize) {
        let mut assembly =
            Assembly::new(Codec::H264, Some("packetization-mode=1;sprop-parameter-sets=%,".into())).unwrap();
        let mut whole = VecDeque::new();
        let failed = packets.iter().filter(|packet| assembly.take(packet, &mut whole).is_err()).count();
        (whole.len(), failed)
    }

    #[test]
    fn a_packet_that_fits_nowhere_costs_no_more_than_its_access_unit() {
        let slice = [0x41, 0x9a, 0x02, 0x04];
        let packets = [
            ordered(1, 0, true, &slice),
            ordered(2, 3000, false, &[0x7c, 0x05, 1]),
            ordered(3, 3000, true, &[0x1f]),
            ordered(4, 6000, true, &slice),
            ordered(5, 9000, false, &[0x7c, 0x85, 1]),
            ordered(6, 12_000, true, &slice),
            ordered(7, 12_000, true, &[0x78, 0xff, 0xff, 1]),
            ordered(8, 15_000, true, &slice),
        ];
        assert_eq!(play(&packets), (4, 4));
    }

    #[test]
    fn an_access_unit_without_end_is_given_up() {
        let fragment = [&[0x7c, 0x85][..], &vec![7; 60_000]].concat();
        let middle = [&[0x7c, 0x05][..], &vec![7; 60_000]].concat();
        let packets = (0..300).map(|i| ordered(i, 0, false, if i == 0 { &fragment } else { &middle }));
        let (whole, failed) = play(&packets.collect::<Vec<_>>());
        assert_eq!(whole, 0);
        assert!(failed >= 1, "it grows without bound");
    }
}
