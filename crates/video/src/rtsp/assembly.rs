//! Assembles packets into access units with retina's depacketisers.
//!
//! retina's own session ends at the first protocol violation of a camera. Its depacketisers do not, and can be used
//! without it through `codec::Depacketizer` and `testutil::DepacketizeBuf`. retina exposes these for its fuzz tests and
//! may change them in any version, so the workspace pins the version.

use std::collections::VecDeque;

use domain::ports::SourceError;
use retina::codec::{CodecItem, Depacketizer, FrameFormat, ParametersRef, VideoFrame};
use retina::rtp::PacketMeta;
use retina::testutil::DepacketizeBuf;
use retina::{PacketContext, Timestamp};

use super::order::Ordered;
use crate::decoder::Codec;
use crate::session::plain;

/// RTP clock rate of H.264 and H.265.
const CLOCK_HZ: std::num::NonZeroU32 = std::num::NonZeroU32::new(90_000).unwrap();
/// Maximum size of an incomplete access unit before it is abandoned, bytes.
const LARGEST_PENDING: usize = 16 << 20;
/// Initial capacity of the packet buffer, bytes.
const ROOM: usize = 64 << 10;

/// Assembly state of one stream.
pub(super) struct Assembly {
    codec: Codec,
    parameters: Option<String>,
    depacketizer: Depacketizer,
    buffer: DepacketizeBuf,
    /// Bytes received since the last complete access unit.
    pending: usize,
}

impl Assembly {
    /// `parameters`: coding parameters as announced. Invalid ones are ignored; the stream itself then provides them.
    pub(super) fn new(codec: Codec, parameters: Option<String>) -> Result<Self, SourceError> {
        let depacketizer = depacketizer(codec, parameters.as_deref())?;
        Ok(Self { codec, parameters, depacketizer, buffer: DepacketizeBuf::new(ROOM), pending: 0 })
    }

    /// Takes a packet and appends the access units that it completes to `whole`. An invalid packet costs the access
    /// unit that it belongs to; `Err` is the reason.
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
            // The depacketiser ignores the exact number, and large sums overflow.
            loss: next.lost.min(1),
        };
        let taken = self.buffer.push(&mut self.depacketizer, meta, payload);
        // Also after a failure: the depacketiser panics on a new packet before the completed units have been fetched.
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
                Err(_) => outcome = Err("an access unit is incomplete".to_owned()),
            }
        }
        outcome
    }

    /// Width and height according to the stream, pixels.
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
