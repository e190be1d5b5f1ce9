//! Repairs JPEG files as found in the field for the decoder.

use std::borrow::Cow;

use domain::jpeg::marker::{END_OF_IMAGE, HUFFMAN_TABLES, START_OF_IMAGE, START_OF_SCAN};
use domain::jpeg::{Segment, segments};

/// Application segments that affect decoding or orientation; all others are dropped.
const RELEVANT: [(u8, &[u8]); 4] = [(0xe0, b"JFIF\0"), (0xe0, MOTION_JPEG), (0xe1, b"Exif\0\0"), (0xee, b"Adobe")];
/// Content of the segment that selects the Motion JPEG tables.
const MOTION_JPEG: &[u8] = b"AVI1\0";
/// Marker that repeats the height of the picture.
const NUMBER_OF_LINES: u8 = 0xdc;
/// Maximum number of scans: decoding each traverses the whole picture, however few bytes it has.
const MOST_SCANS: usize = 100;
/// Bytes that a decoder accepts as picture data but that no real picture ends with.
const OTHER_REST: [u8; 512] = {
    let (mut bytes, mut state, mut at) = ([0; 512], 0x2545_f491u32, 0);
    while at < bytes.len() {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        bytes[at] = (state >> 24) as u8 & 0x7f;
        at += 1;
    }
    bytes
};

/// A file whose segments are contiguous, from the start of the picture to an end marker.
pub(crate) struct Mended {
    bytes: Vec<u8>,
    whole: bool,
    scans: usize,
}

impl Mended {
    /// Repairs a file; `None` when it is not a JPEG.
    pub(crate) fn new(file: &[u8]) -> Option<Self> {
        let mut walk = segments(file)?;
        let mut mended = Self { bytes: Vec::with_capacity(file.len() + 32), whole: false, scans: 0 };
        mended.bytes.extend([0xff, START_OF_IMAGE]);
        if !walk.clone().any(|segment| segment.marker == HUFFMAN_TABLES) {
            mended.add(0xe0, MOTION_JPEG, &[0; 9]);
        }
        for segment in walk.by_ref().filter(counts) {
            mended.scans += usize::from(segment.marker == START_OF_SCAN);
            mended.add(segment.marker, segment.content, &restarted_once(segment.scan));
        }
        mended.whole = walk.is_whole();
        mended.bytes.extend([0xff, END_OF_IMAGE]);
        Some(mended)
    }

    fn add(&mut self, marker: u8, content: &[u8], behind: &[u8]) {
        let length = content.len() as u16 + 2 + if marker == START_OF_SCAN { 0 } else { behind.len() as u16 };
        self.bytes.extend([0xff, marker]);
        self.bytes.extend(length.to_be_bytes());
        self.bytes.extend_from_slice(content);
        self.bytes.extend_from_slice(behind);
    }

    /// The repaired file.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether the end of the picture was present, or there is no picture at all.
    pub(crate) fn is_whole(&self) -> bool {
        self.whole || self.scans == 0
    }

    /// The same file with other data before its end. It decodes to the same picture only if nothing was missing,
    /// because the decoder fills gaps from the following data.
    pub(crate) fn with_another_rest(&self) -> Vec<u8> {
        let (picture, end) = self.bytes.split_at(self.bytes.len() - 2);
        [picture, &OTHER_REST, end].concat()
    }

    /// Whether one scan has the whole picture, so that it can be decoded row by row.
    pub(crate) fn is_simple(&self) -> bool {
        self.scans <= 1
    }

    /// Whether the number of scans is plausible.
    pub(crate) fn has_few_scans(&self) -> bool {
        self.scans <= MOST_SCANS
    }
}

fn counts(segment: &Segment<'_>) -> bool {
    let is_relevant = |(marker, start): &(u8, &[u8])| segment.marker == *marker && segment.content.starts_with(start);
    !matches!(segment.marker, NUMBER_OF_LINES | 0xe0..=0xfe) || RELEVANT.iter().any(is_relevant)
}

/// The scan without restart markers that directly follow another one.
fn restarted_once(scan: &[u8]) -> Cow<'_, [u8]> {
    let is_restart = |at: usize| matches!(scan.get(at..at + 2), Some([0xff, 0xd0..=0xd7]));
    let doubled = |at: &usize| is_restart(*at) && is_restart(*at + 2);
    let Some(first) = (0..scan.len()).find(doubled) else { return Cow::Borrowed(scan) };
    let (mut kept, mut at) = (scan[..first].to_vec(), first);
    while at < scan.len() {
        if doubled(&at) {
            at += 2;
        } else {
            kept.push(scan[at]);
            at += 1;
        }
    }
    Cow::Owned(kept)
}
