//! MPEG program streams as cameras send them, one pack per access unit.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::clip::Codec;

/// Maximum size of a PES packet, bytes.
const MAX_PACKET: usize = 65_000;
/// Clock ticks per unit, at 25 units per second.
const TICKS: u64 = 3_600;

/// One coded picture, Annex B.
#[derive(Debug, Clone)]
pub(crate) struct AccessUnit {
    pub(crate) data: Vec<u8>,
    key: bool,
}

/// The access units of a clip.
///
/// # Errors
/// When ffmpeg is missing or fails, or the clip does not contain video of the codec.
pub(crate) fn access_units(clip: &Path, codec: Codec) -> io::Result<Vec<AccessUnit>> {
    let (filter, format) = match codec {
        Codec::H264 => ("h264_mp4toannexb,h264_metadata=aud=insert", "h264"),
        Codec::H265 => ("hevc_mp4toannexb,hevc_metadata=aud=insert", "hevc"),
    };
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-i"])
        .arg(clip)
        .args(["-map", "0:v:0", "-c", "copy", "-bsf:v", filter, "-f", format, "-"])
        .stdin(Stdio::null())
        .output()?;
    let units = cut(&output.stdout, codec);
    if !output.status.success() || units.is_empty() {
        return Err(io::Error::other(format!("{} holds no {format}", clip.display())));
    }
    Ok(units)
}

/// Splits the stream before each access unit delimiter.
fn cut(stream: &[u8], codec: Codec) -> Vec<AccessUnit> {
    let delimiters: Vec<usize> = starts(stream).filter(|at| kind(stream, *at, codec) == delimiter(codec)).collect();
    let ends = delimiters.iter().skip(1).copied().chain([stream.len()]);
    let unit = |(start, end): (usize, usize)| {
        let data = stream[start..end].to_vec();
        let key = starts(&data).any(|at| is_key(kind(&data, at, codec), codec));
        AccessUnit { data, key }
    };
    delimiters.iter().copied().zip(ends).map(unit).collect()
}

/// Positions of the start codes.
fn starts(data: &[u8]) -> impl Iterator<Item = usize> {
    data.windows(4).enumerate().filter(|(_, window)| window[..3] == [0, 0, 1]).map(|(at, _)| at)
}

fn kind(data: &[u8], at: usize, codec: Codec) -> u8 {
    match codec {
        Codec::H264 => data[at + 3] & 0x1f,
        Codec::H265 => data[at + 3] >> 1 & 0x3f,
    }
}

fn delimiter(codec: Codec) -> u8 {
    match codec {
        Codec::H264 => 9,
        Codec::H265 => 35,
    }
}

fn is_key(kind: u8, codec: Codec) -> bool {
    match codec {
        Codec::H264 => kind == 5,
        Codec::H265 => (16..=21).contains(&kind),
    }
}

/// The pack of the unit with this number, with a map before key frames if `mapped`.
pub(super) fn pack(unit: &AccessUnit, number: u64, codec: Codec, mapped: bool) -> Vec<u8> {
    let time = number * TICKS;
    let mut pack = pack_head(time);
    if unit.key {
        pack.extend([0, 0, 1, 0xbb, 0, 12, 0x80, 0, 1, 4, 0xe1, 0x7f, 0xe0, 0xe0, 0x80, 0xc0, 0xc0, 8]);
        pack.extend(if mapped { map(codec) } else { Vec::new() });
    }
    for (index, chunk) in unit.data.chunks(MAX_PACKET).enumerate() {
        let stamp = if index == 0 { stamp(time).to_vec() } else { Vec::new() };
        let flags = if index == 0 { 0x80 } else { 0 };
        let length = (3 + stamp.len() + chunk.len()) as u16;
        pack.extend([0, 0, 1, 0xe0]);
        pack.extend(length.to_be_bytes());
        pack.extend([0x80, flags, stamp.len() as u8]);
        pack.extend(stamp);
        pack.extend(chunk);
    }
    pack
}

/// Pack header (ISO/IEC 13818-1, table 2-33): the clock in 33 bits among marker bits, the rate, three bytes of
/// stuffing.
fn pack_head(time: u64) -> Vec<u8> {
    let bits = 0b01 << 46
        | (time >> 30 & 7) << 43
        | 1 << 42
        | (time >> 15 & 0x7fff) << 27
        | 1 << 26
        | (time & 0x7fff) << 11
        | 1 << 10
        | 1;
    let rate = 50_000_u32 << 2 | 0b11;
    let mut head = vec![0, 0, 1, 0xba];
    head.extend(&bits.to_be_bytes()[2..]);
    head.extend(&rate.to_be_bytes()[1..]);
    head.extend([0xfb, 0xff, 0xff, 0xff]);
    head
}

/// Program stream map (table 2-41): video of this codec in stream 0xe0, and audio that is never sent.
fn map(codec: Codec) -> Vec<u8> {
    let coding = match codec {
        Codec::H264 => 0x1b,
        Codec::H265 => 0x24,
    };
    let mut map = vec![0, 0, 1, 0xbc, 0, 18, 0xe1, 0xff, 0, 0, 0, 8, coding, 0xe0, 0, 0, 0x90, 0xc0, 0, 0];
    let check = checksum(&map);
    map.extend(check.to_be_bytes());
    map
}

/// The CRC of the standard, annex A.
fn checksum(data: &[u8]) -> u32 {
    data.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte) << 24, |sum, _| sum << 1 ^ if sum >> 31 == 1 { 0x04c1_1db7 } else { 0 })
    })
}

/// Presentation time stamp: 33 bits among marker bits.
fn stamp(time: u64) -> [u8; 5] {
    let part = |shift: u32, mask: u64| (time >> shift & mask) << 1 | 1;
    let (high, middle, low) = (part(30, 7) as u8, part(15, 0x7fff) as u16, part(0, 0x7fff) as u16);
    let ([b, c], [d, e]) = (middle.to_be_bytes(), low.to_be_bytes());
    [0x20 | high, b, c, d, e]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::{self, Shape};

    #[test]
    fn ffmpeg_reads_every_picture_of_the_stream() {
        let folder = std::env::temp_dir();
        for (codec, name) in [(Codec::H264, "h264"), (Codec::H265, "hevc")] {
            let clip = clip::pattern(&folder, Shape { fps: 10, ..Shape::small(codec) }, 2).unwrap();
            let units = access_units(&clip, codec).unwrap();
            assert_eq!((units.len(), units.iter().filter(|unit| unit.key).count()), (20, 2));
            let stream: Vec<u8> =
                (0..).zip(&units).flat_map(|(number, unit)| pack(unit, number, codec, true)).collect();
            let file = folder.join(format!("{}.ps", uuid::Uuid::new_v4()));
            std::fs::write(&file, stream).unwrap();
            let probe = Command::new("ffprobe")
                .args(["-v", "error", "-f", "mpeg", "-count_frames", "-show_entries"])
                .args(["stream=codec_name,nb_read_frames", "-of", "csv=p=0"])
                .arg(&file)
                .output();
            std::fs::remove_file(&file).unwrap();
            assert_eq!(String::from_utf8_lossy(&probe.unwrap().stdout).trim(), format!("{name},20"));
        }
    }
}
