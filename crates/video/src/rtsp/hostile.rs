//! Runs all parsers of RTSP input without the network, for fuzzing.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};

use super::assembly::Assembly;
use super::description::Offer;
use super::fields::{SessionField, TransportField};
use super::redirect;
use super::sieve::Sieve;
use super::wire::{Incoming, Reader, Response};
use crate::decoder::Codec;

/// Maximum size of the pieces in which the bytes arrive.
const PIECE: usize = 1500;

/// Parses the bytes of a connection: responses as every kind of response, and packets as video of both codings. Returns
/// the number of access units found. Never panics, and allocates memory only in proportion to the input.
#[cfg_attr(not(fuzzing), expect(unreachable_pub, reason = "public for fuzzing alone"))]
pub fn read_anything(data: &[u8]) -> usize {
    let (mut reader, mut bytes) = (Reader::default(), BytesMut::new());
    let mut videos = [Codec::H264, Codec::H265].map(Video::new);
    for piece in data.chunks(PIECE) {
        bytes.extend_from_slice(piece);
        loop {
            match reader.next(&mut bytes) {
                Ok(Some(Incoming::Packet { channel, data })) => {
                    videos.iter_mut().for_each(|video| video.take(channel, &data));
                }
                Ok(Some(Incoming::Response(answer))) => understand(&answer),
                Ok(Some(Incoming::Request { .. })) => {}
                Ok(None) => break,
                Err(_) => return videos.iter().map(|video| video.whole).sum(),
            }
        }
    }
    videos.iter().map(|video| video.whole).sum()
}

fn understand(answer: &Response) {
    let Ok(url) = url::Url::parse("rtsp://camera/live") else { return };
    let base = redirect::base(&url, answer);
    if let Ok(offer) = Offer::read(&answer.body) {
        redirect::control(&base, offer.control.as_deref());
        let _ = Assembly::new(offer.codec, offer.parameters);
    }
    SessionField::of(answer);
    TransportField::of(answer);
    let _ = redirect::target(&url, answer, std::net::IpAddr::from([127, 0, 0, 1]));
}

struct Video {
    sieve: Sieve,
    assembly: Option<Assembly>,
    now: Instant,
    whole: usize,
}

impl Video {
    fn new(codec: Codec) -> Self {
        let (now, datagrams) = (Instant::now(), codec == Codec::H265);
        let sieve = Sieve::new(0, 96, datagrams, now);
        Self { sieve, assembly: Assembly::new(codec, None).ok(), now, whole: 0 }
    }

    fn take(&mut self, channel: u8, data: &Bytes) {
        self.now += Duration::from_millis(20);
        self.sieve.take(channel, data, self.now);
        let Some(assembly) = &mut self.assembly else { return };
        let mut whole = VecDeque::new();
        while let Some(next) = self.sieve.next() {
            let _ = assembly.take(&next, &mut whole);
        }
        self.whole += whole.len();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Nearly valid messages and packets.
    fn likely() -> impl Strategy<Value = Vec<u8>> {
        let line = prop_oneof![
            "RTSP/1.0 (200|302|401) [ -~]{0,8}\r\n",
            "(CSeq|Session|Transport|Location|Content-Base|Content-Length|WWW-Authenticate): ?[ -~]{0,30}\r\n",
            "[a-z]=[ -~]{0,40}\r?\n",
            "m=video 0 RTP/AVP [0-9 ]{1,6}\r\na=(rtpmap|fmtp):96 H26[45]/[0-9=;,a-zA-Z+/-]{0,60}\r\n",
            Just("\r\n".to_owned()),
        ];
        let text = line.prop_map(String::into_bytes);
        let rtp = (any::<[u8; 3]>(), 0_u8..40, any::<bool>(), prop::collection::vec(any::<u8>(), 0..60));
        let rtp = rtp.prop_map(|([odd, kind, mark], sequence, plain, payload)| {
            let flags = if plain { 0x80 } else { odd };
            let start = [
                flags,
                if plain { 96 } else { kind } | mark & 0x80,
                0,
                sequence,
                0,
                0,
                0,
                sequence / 4,
                0,
                0,
                0,
                odd / 128,
            ];
            [&start[..], &payload].concat()
        });
        let packet =
            (0_u8..3, rtp).prop_map(|(channel, data)| [&[b'$', channel, 0, data.len() as u8][..], &data].concat());
        prop_oneof![3 => text, 5 => packet, 1 => prop::collection::vec(any::<u8>(), 0..30)]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_bytes_of_a_camera_make_it_panic(pieces in prop::collection::vec(likely(), 0..60)) {
            let start = b"RTSP/1.0 200 OK\r\n\r\n".to_vec();
            read_anything(&[start].into_iter().chain(pieces).collect::<Vec<_>>().concat());
        }

        #[test]
        fn no_random_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..4000)) {
            read_anything(&bytes);
        }

        #[test]
        fn a_stream_cut_anywhere_is_read_alike(cuts in prop::collection::vec(1_usize..2000, 0..10)) {
            let payload = [&[0x65][..], &[7; 900]].concat();
            let packet = |n: u8| [&[b'$', 0, 3, 145, 0x80, 0xe0, 0, n, 0, 0, 0, n, 0, 0, 0, 1][..], &payload].concat();
            let all = [b"RTSP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx".to_vec(), (0..9).flat_map(packet).collect()].concat();
            let (mut reader, mut bytes, mut rest, mut count) = (Reader::default(), BytesMut::new(), &all[..], 0);
            for cut in cuts.into_iter().chain([all.len()]) {
                let (piece, left) = rest.split_at(cut.min(rest.len()));
                bytes.extend_from_slice(piece);
                rest = left;
                while let Ok(Some(_)) = reader.next(&mut bytes) {
                    count += 1;
                }
            }
            prop_assert_eq!(count, 10);
        }
    }

    #[test]
    fn the_video_in_it_is_found() {
        let packet = |n: u8| [b'$', 0, 0, 16, 0x80, 0xe0, 0, n, 0, 0, 0, n, 0, 0, 0, 1, 0x41, 0x9a, 2, 4];
        let stream: Vec<u8> = (0..5).flat_map(packet).collect();
        assert!(read_anything(&stream) >= 5);
    }
}
