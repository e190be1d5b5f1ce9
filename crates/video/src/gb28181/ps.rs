//! MPEG program streams (ISO/IEC 13818-1), as cameras send them: one pack, or several, for every frame.

use crate::decoder::Codec;

const PACK: u8 = 0xba;
const END: u8 = 0xb9;
const MAP: u8 = 0xbc;
const SYSTEM: u8 = 0xbb;

/// Every part of a stream begins so.
const START: [u8; 3] = [0, 0, 1];

/// The streams of a program.
#[derive(Debug, Default)]
pub(super) struct Program {
    video: Option<(u8, u8)>,
}

impl Program {
    /// How its video is coded, when it has said so; the number of a coding that we do not know is the error.
    pub(super) fn codec(&self) -> Option<Result<Codec, u8>> {
        self.video.map(|(_, kind)| match kind {
            0x1b => Ok(Codec::H264),
            0x24 => Ok(Codec::H265),
            other => Err(other),
        })
    }

    /// The video of a frame; `None` when it is no whole frame.
    pub(super) fn video(&mut self, frame: &[u8]) -> Option<Vec<u8>> {
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
                        0xe0..=0xef if self.video.is_none_or(|(id, _)| id == kind) => video.extend(content(part)?),
                        _ => {}
                    }
                    rest = next;
                }
                _ => return None,
            }
        }
        Some(video)
    }

    /// Takes the first video stream of the map.
    fn read_map(&mut self, map: &[u8]) {
        self.video = video_of(map).or(self.video);
    }
}

/// Zeros behind the last part are harmless.
fn trailing(rest: &[u8]) -> bool {
    rest.iter().all(|byte| *byte == 0)
}

/// A pack's head is of its own form.
fn after_pack(rest: &[u8]) -> Option<&[u8]> {
    match rest.get(4)? >> 6 {
        // With stuffing.
        0b01 => rest.get(14 + usize::from(rest.get(13)? & 7)..),
        // Of MPEG-1.
        _ => rest.get(12..),
    }
}

/// The part at the start, without its code and length, and what follows it. One without a length reaches to the end.
fn part(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = usize::from(u16::from_be_bytes([*rest.get(4)?, *rest.get(5)?]));
    let body = &rest[6..];
    let unbounded = length == 0 && (0xe0..=0xef).contains(&rest[3]);
    if unbounded { Some((body, &[])) } else { body.split_at_checked(length) }
}

/// What a packet of a stream carries.
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

/// Whether an access unit can be decoded without those before it.
pub(super) fn is_key(codec: Codec, unit: &[u8]) -> bool {
    let mut starts = unit.windows(4).filter(|window| window[..3] == START).map(|window| window[3]);
    starts.any(|head| match codec {
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
