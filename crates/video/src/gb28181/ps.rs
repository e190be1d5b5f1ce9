//! MPEG program streams (ISO/IEC 13818-1), as cameras send them: one or more packs per frame.

use crate::decoder::Codec;
use crate::nal::heads;

const PACK: u8 = 0xba;
const END: u8 = 0xb9;
const MAP: u8 = 0xbc;
const SYSTEM: u8 = 0xbb;

/// Start code prefix of every part.
const START: [u8; 3] = [0, 0, 1];

/// The streams of a program.
#[derive(Debug, Default)]
pub(super) struct Program {
    /// Stream id and stream type of the video in the program stream map.
    mapped: Option<(u8, u8)>,
    /// Id of the first video stream, for a program without a map.
    first: Option<u8>,
    /// Coding according to the video's own parameter sets.
    seen: Option<Codec>,
}

impl Program {
    /// The coding of the video, when known; `Err` is an unsupported stream type. The video's own parameter sets take
    /// precedence over the map, which some cameras fill wrongly or omit.
    pub(super) fn codec(&self) -> Option<Result<Codec, u8>> {
        let mapped = self.mapped.map(|(_, kind)| match kind {
            0x1b => Ok(Codec::H264),
            0x24 => Ok(Codec::H265),
            other => Err(other),
        });
        self.seen.map(Ok).or(mapped)
    }

    /// The video of a frame; `None` when the frame is incomplete or not a program stream.
    pub(super) fn video(&mut self, frame: &[u8]) -> Option<Vec<u8>> {
        let video = self.joined(frame)?;
        self.seen = codec_of(&video).or(self.seen);
        Some(video)
    }

    fn joined(&mut self, frame: &[u8]) -> Option<Vec<u8>> {
        let mut rest = frame;
        let mut video = Vec::new();
        if !rest.starts_with(&[0, 0, 1, PACK]) {
            return None;
        }
        while !rest.is_empty() {
            let [0, 0, 1, kind, ..] = *rest else { return trailing(rest).then_some(video) };
            match kind {
                PACK => rest = after_pack(rest)?,
                END => return Some(video),
                SYSTEM..=0xff => {
                    let (part, next) = part(rest)?;
                    match kind {
                        MAP => self.read_map(part),
                        0xe0..=0xef if self.is_wanted(kind) => video.extend(content(part)?),
                        _ => {}
                    }
                    rest = next;
                }
                _ => return None,
            }
        }
        Some(video)
    }

    /// Reads the first video stream from the map.
    fn read_map(&mut self, map: &[u8]) {
        self.mapped = video_of(map).or(self.mapped);
    }

    /// Whether this video stream is the selected one.
    fn is_wanted(&mut self, stream: u8) -> bool {
        let wanted = self.mapped.map(|(id, _)| id);
        stream == wanted.unwrap_or_else(|| *self.first.get_or_insert(stream))
    }
}

/// Zeros after the last part are ignored.
fn trailing(rest: &[u8]) -> bool {
    rest.iter().all(|byte| *byte == 0)
}

/// The rest after a pack header, whose form differs from that of other parts.
fn after_pack(rest: &[u8]) -> Option<&[u8]> {
    match rest.get(4)? >> 6 {
        // MPEG-2, with stuffing.
        0b01 => rest.get(14 + usize::from(rest.get(13)? & 7)..),
        // MPEG-1.
        _ => rest.get(12..),
    }
}

/// The part at the start, without start code and length, and the rest. Video whose length is missing, or ends where no
/// part begins, extends to the next part: its start code cannot occur within video.
fn part(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = usize::from(u16::from_be_bytes([*rest.get(4)?, *rest.get(5)?]));
    let body = &rest[6..];
    let (part, next) = body.split_at_checked(length)?;
    let fits = length > 0 && (next.starts_with(&START) || trailing(next));
    if fits || !(0xe0..=0xef).contains(&rest[3]) {
        return Some((part, next));
    }
    let begins = |window: &[u8]| window[..3] == START && window[3] >= END;
    let end = body.windows(4).skip(length).position(begins).map_or(body.len(), |at| at + length);
    Some(body.split_at(end))
}

/// The payload of a PES packet.
fn content(part: &[u8]) -> Option<&[u8]> {
    let head = usize::from(*part.get(2)?);
    part.get(3 + head..)
}

fn video_of(map: &[u8]) -> Option<(u8, u8)> {
    let length = |at: usize| Some(usize::from(u16::from_be_bytes([*map.get(at)?, *map.get(at + 1)?])));
    let start = 4 + length(2)?;
    let mut entries = map.get(start + 2..start + 2 + length(start)?)?;
    while let [kind, id, high, low, rest @ ..] = entries {
        if (0xe0..=0xef).contains(id) {
            return Some((*id, *kind));
        }
        entries = rest.get(usize::from(u16::from_be_bytes([*high, *low]))..)?;
    }
    None
}

/// The coding whose parameter sets an access unit contains; the first one found decides.
///
/// An H.264 sequence parameter set has type 7 and is always a reference. H.265 video, sequence and picture parameter
/// sets have types 32 to 34 in the lowest layer; H.264 would read them as data partitions, which no camera sends.
fn codec_of(unit: &[u8]) -> Option<Codec> {
    heads(unit).find_map(|head| match head {
        (0x27 | 0x47 | 0x67, _) => Some(Codec::H264),
        (0x40 | 0x42 | 0x44, 0x01..=0x07) => Some(Codec::H265),
        _ => None,
    })
}

/// Whether an access unit can be decoded without earlier ones.
pub(super) fn is_key(codec: Codec, unit: &[u8]) -> bool {
    heads(unit).any(|(head, _)| match codec {
        Codec::H264 => head & 0x1f == 5,
        Codec::H265 => (16..=21).contains(&(head >> 1 & 0x3f)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRIVATE: u8 = 0xbd;

    const PACK_HEAD: [u8; 16] = [0, 0, 1, PACK, 0x44, 0, 4, 0, 4, 1, 0, 0, 3, 0xfa, 0xff, 0xff];

    fn part_of(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = (body.len() as u16).to_be_bytes();
        [&[0, 0, 1, kind][..], &length, body].concat()
    }

    fn packet(stream: u8, content: &[u8]) -> Vec<u8> {
        part_of(stream, &[&[0x80, 0x80, 2, 0x21, 0x22], content].concat())
    }

    fn map(kind: u8) -> Vec<u8> {
        let audio = [0x90, 0xc0, 0, 1, 9];
        let entries = [&audio[..], &[kind, 0xe0, 0, 0]].concat();
        let length = (entries.len() as u16).to_be_bytes();
        part_of(MAP, &[&[0xe0, 0xff, 0, 2, 7, 7], &length[..], &entries, &[0; 4]].concat())
    }

    #[test]
    fn the_video_of_all_packets_is_joined() {
        let mut program = Program::default();
        let system = part_of(SYSTEM, &[0; 12]);
        let (one, two, sound) = (packet(0xe0, &[1, 2]), packet(0xe0, &[3]), packet(0xc0, &[9]));
        let frame = [&PACK_HEAD[..], &system, &map(0x24), &one, &sound, &part_of(PRIVATE, &[1, 2, 3]), &two].concat();
        assert_eq!(program.video(&frame), Some(vec![1, 2, 3]));
        assert_eq!(program.codec(), Some(Ok(Codec::H265)));
        let next = [&PACK_HEAD[..], &packet(0xe0, &[4])].concat();
        assert_eq!(program.video(&next), Some(vec![4]));
    }

    #[test]
    fn another_coding_is_named() {
        let mut program = Program::default();
        assert_eq!(program.codec(), None);
        program.video(&[&PACK_HEAD[..], &map(0x80)].concat()).unwrap();
        assert_eq!(program.codec(), Some(Err(0x80)));
    }

    #[test]
    fn the_parameter_sets_tell_the_coding_without_a_map_and_against_one() {
        let (h264, h265) = ([0, 0, 0, 1, 0x67, 0x42, 0, 0, 1, 0x65], [0, 0, 0, 1, 0x40, 1, 0, 0, 1, 0x26, 1]);
        let sps_only = [0, 0, 0, 1, 0x42, 1, 1, 0, 0, 1, 0x26, 1];
        for (video, wanted) in [(&h264[..], Codec::H264), (&h265, Codec::H265), (&sps_only, Codec::H265)] {
            for map in [vec![], map(0x80), map(0), map(0x1b), map(0x24)] {
                let mut program = Program::default();
                program.video(&[&PACK_HEAD[..], &map, &packet(0xe0, video)].concat()).unwrap();
                assert_eq!(program.codec(), Some(Ok(wanted)), "{map:?}");
                program.video(&[&PACK_HEAD[..], &packet(0xe0, &[0, 0, 1, 0x41, 9])].concat()).unwrap();
                assert_eq!(program.codec(), Some(Ok(wanted)), "pictures between say nothing new");
            }
        }
        let mut program = Program::default();
        program.video(&[&PACK_HEAD[..], &packet(0xe0, &[0, 0, 1, 0x65, 9])].concat()).unwrap();
        assert_eq!(program.codec(), None, "a picture alone does not say how it is coded");
    }

    #[test]
    fn video_whose_length_is_missing_or_too_small_reaches_to_the_next_part() {
        let video = packet(0xe0, &[0, 0, 1, 0x65, 1, 2, 3]);
        for length in [0, 6, 9, 12] {
            let mut short = video.clone();
            short[4..6].copy_from_slice(&u16::to_be_bytes(length));
            for next in [packet(0xc0, &[9]), vec![0, 0, 1, END], vec![]] {
                let frame = [&PACK_HEAD[..], &short, &next].concat();
                assert_eq!(Program::default().video(&frame), Some(vec![0, 0, 1, 0x65, 1, 2, 3]), "{length}");
            }
        }
    }

    #[test]
    fn without_a_map_the_first_video_stream_is_shown() {
        let mut program = Program::default();
        let frame = [&PACK_HEAD[..], &packet(0xe1, &[1]), &packet(0xe0, &[2]), &packet(0xe1, &[3])].concat();
        assert_eq!(program.video(&frame), Some(vec![1, 3]));
    }

    #[test]
    fn a_frame_cut_anywhere_is_no_frame_or_a_shorter_one() {
        let frame = [&PACK_HEAD[..], &map(0x1b), &packet(0xe0, &[1, 2, 3])].concat();
        assert_eq!(Program::default().video(&frame), Some(vec![1, 2, 3]));
        for length in 0..frame.len() {
            let cut = Program::default().video(&frame[..length]);
            assert!(cut.is_none_or(|video| video.is_empty()), "{length}");
            assert_eq!(Program::default().video(&frame[length + 1..]), None, "{length}");
        }
    }

    #[test]
    fn a_key_frame_is_told_by_what_is_in_it() {
        assert!(is_key(Codec::H264, &[0, 0, 0, 1, 0x67, 1, 0, 0, 1, 0x65, 2]));
        assert!(!is_key(Codec::H264, &[0, 0, 0, 1, 0x67, 1, 0, 0, 1, 0x41, 2]));
        assert!(is_key(Codec::H265, &[0, 0, 1, 19 << 1, 1]));
        assert!(!is_key(Codec::H265, &[0, 0, 1, 1 << 1, 1]));
        assert!(!is_key(Codec::H264, &[0, 0, 1]));
    }
}
