//! Finds the segments of a JPEG file, as tolerantly as common decoders do.
//!
//! Files from the field have fill bytes and stray bytes between segments, application segments with a wrong length, and
//! arbitrary data after the end. The segments that a decoder needs are still present, and are found by their markers.

/// Markers of segments.
pub mod marker {
    /// Start of the file.
    pub const START_OF_IMAGE: u8 = 0xd8;
    /// End of the picture.
    pub const END_OF_IMAGE: u8 = 0xd9;
    /// Huffman tables.
    pub const HUFFMAN_TABLES: u8 = 0xc4;
    /// Quantisation tables.
    pub const QUANTISATION_TABLES: u8 = 0xdb;
    /// Number of blocks between restarts of the scan.
    pub const RESTART_INTERVAL: u8 = 0xdd;
    /// Parameters of a scan; its coded data follows.
    pub const START_OF_SCAN: u8 = 0xda;
    /// A comment.
    pub const COMMENT: u8 = 0xfe;
}

use marker::{
    COMMENT, END_OF_IMAGE, HUFFMAN_TABLES, QUANTISATION_TABLES, RESTART_INTERVAL, START_OF_IMAGE, START_OF_SCAN,
};

/// Maximum number of fill bytes before a marker.
const MAX_FILL: usize = 4096;
/// Maximum size of a segment without its length field, bytes.
const MAX_CONTENT: usize = u16::MAX as usize - 2;

/// One segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment<'a> {
    /// The marker; never the start or the end of the file.
    pub marker: u8,
    /// Content without the length field; at most 65533 bytes.
    pub content: &'a [u8],
    /// Coded data after a start of scan, up to the next marker; empty for other segments.
    pub scan: &'a [u8],
}

/// Iterates over the segments of a file; `None` when it is not a JPEG. Takes linear time and no memory.
pub fn segments(file: &[u8]) -> Option<Segments<'_>> {
    let is_jpeg = file.starts_with(&[0xff, START_OF_IMAGE]);
    is_jpeg.then_some(Segments { file, at: 2, scans: 0, ended: false, searched: file.len() })
}

/// See [`segments`].
#[derive(Debug, Clone)]
pub struct Segments<'a> {
    file: &'a [u8],
    at: usize,
    scans: usize,
    ended: bool,
    /// From here on no plausible segment was found; keeps the time linear.
    searched: usize,
}

impl Segments<'_> {
    /// Whether the iteration has reached the end marker of the picture, not only the end of the bytes.
    pub fn is_whole(&self) -> bool {
        self.ended
    }

    /// The marker at `at`, fill bytes before it skipped, with its position.
    fn marker_at(&self, at: usize) -> Option<(usize, u8)> {
        let fill = self.file.get(at..)?.iter().take(MAX_FILL).take_while(|byte| **byte == 0xff).count();
        let marker = *self.file.get(at + fill).filter(|_| fill > 0)?;
        Some((at + fill - 1, marker))
    }

    /// The length that a segment announces; `None` when it extends beyond the end of the file.
    fn announced(&self, at: usize) -> Option<usize> {
        let length =
            self.file.get(at + 2..)?.first_chunk::<2>().map(|bytes| usize::from(u16::from_be_bytes(*bytes)))?;
        (length >= 2 && at + 2 + length <= self.file.len()).then_some(length)
    }

    /// Whether a marker at an unexpected position is plausibly that of a segment, or the end of the picture.
    fn is_plausible(&self, at: usize) -> bool {
        let Some(marker) = self.file.get(at + 1) else { return false };
        if *marker == END_OF_IMAGE {
            return self.scans > 0;
        }
        let Some(length) = self.announced(at) else { return false };
        let content = &self.file[at + 4..at + 2 + length];
        match (*marker, content) {
            (QUANTISATION_TABLES, [first, ..]) => first >> 4 <= 1 && first & 15 <= 3,
            (HUFFMAN_TABLES, [first, ..]) => first >> 4 <= 1 && first & 15 <= 3 && length >= 19,
            (START_OF_SCAN, [components, ..]) => length == 6 + 2 * usize::from(*components),
            (0xc0..=0xcf, [_, _, _, _, _, components, ..]) => length == 8 + 3 * usize::from(*components),
            (RESTART_INTERVAL, _) => length == 4,
            // Their content cannot be checked, only that a marker follows.
            (0xe0..=0xef | COMMENT, _) => self.file.get(at + 2 + length) == Some(&0xff),
            _ => false,
        }
    }

    /// The next plausible marker from `from` on.
    fn resync(&mut self, from: usize) -> Option<usize> {
        let ahead = self.file.get(from..self.searched)?;
        let marks = ahead.iter().enumerate().filter(|(_, byte)| **byte == 0xff);
        let found = marks.map(|(offset, _)| from + offset).find(|at| self.is_plausible(*at));
        if found.is_none() {
            self.searched = from;
        }
        found
    }

    /// Position and marker of the next segment.
    fn next_start(&mut self) -> Option<(usize, u8)> {
        let expected = self.marker_at(self.at).filter(|(at, marker)| match *marker {
            END_OF_IMAGE => self.scans > 0,
            0xc0..=0xcf | 0xda..=0xfe => self.announced(*at).is_some() || is_ancillary(*marker),
            _ => false,
        });
        if expected.is_some() {
            return expected;
        }
        let at = self.resync(self.at)?;
        Some((at, *self.file.get(at + 1)?))
    }

    /// End of the content of a segment. The length of an application segment or comment may be wrong: when no marker
    /// follows, the segment ends before the next plausible marker.
    fn end_of(&mut self, at: usize, marker: u8) -> Option<usize> {
        let announced = self.announced(at).map(|length| at + 2 + length);
        if !is_ancillary(marker) || announced.is_some_and(|end| self.marker_at(end).is_some()) {
            return announced;
        }
        match announced {
            Some(end) if self.resync(end).is_some() => announced,
            _ => self.resync(at + 2).or(announced),
        }
    }
}

impl<'a> Iterator for Segments<'a> {
    type Item = Segment<'a>;

    fn next(&mut self) -> Option<Segment<'a>> {
        if self.ended {
            return None;
        }
        let (at, marker) = self.next_start()?;
        if marker == END_OF_IMAGE {
            self.ended = true;
            return None;
        }
        let end = self.end_of(at, marker)?;
        let content = self.file.get(at + 4..end).unwrap_or_default();
        let rest = self.file.get(end..).unwrap_or_default();
        let scan = if marker == START_OF_SCAN { &rest[..scan_length(rest)] } else { &[] };
        if marker == START_OF_SCAN && self.scans == 0 {
            // From the first scan on the end marker is plausible, too.
            self.searched = self.file.len();
        }
        self.scans += usize::from(marker == START_OF_SCAN);
        self.at = end + scan.len();
        Some(Segment { marker, content: &content[..content.len().min(MAX_CONTENT)], scan })
    }
}

/// Whether a segment is not needed for decoding: an application segment or a comment.
fn is_ancillary(marker: u8) -> bool {
    matches!(marker, 0xe0..=0xef | COMMENT)
}

/// Length of the coded data: up to a marker that is neither an escaped 0xff nor a restart, or to the end.
fn scan_length(bytes: &[u8]) -> usize {
    let ends = |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0x00..=0xbf | 0xd0..=0xd7 | 0xff);
    bytes.windows(2).position(ends).unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
        [&[0xff, marker], &(content.len() as u16 + 2).to_be_bytes()[..], content].concat()
    }

    /// The segments of a small picture.
    fn parts() -> Vec<Vec<u8>> {
        let scan = [segment(START_OF_SCAN, &[1, 1, 0, 0, 63, 0]), vec![7, 0xff, 0, 8, 0xff, 0xd0, 9]].concat();
        vec![
            segment(0xe0, b"JFIF\0\x01\x02\0\0\x01\0\x01\0\0"),
            segment(QUANTISATION_TABLES, &[0; 65]),
            segment(0xc0, &[8, 0, 8, 0, 8, 1, 1, 0x11, 0]),
            segment(HUFFMAN_TABLES, &[0; 18]),
            scan,
        ]
    }

    fn file(parts: &[Vec<u8>], end: &[u8]) -> Vec<u8> {
        [&[0xff, START_OF_IMAGE], &parts.concat()[..], end].concat()
    }

    const END: [u8; 2] = [0xff, END_OF_IMAGE];

    /// The markers found, and whether the end was found.
    fn found(file: &[u8]) -> (Vec<u8>, bool) {
        let mut segments = segments(file).unwrap();
        (segments.by_ref().map(|segment| segment.marker).collect(), segments.is_whole())
    }

    const ALL: [u8; 5] = [0xe0, QUANTISATION_TABLES, 0xc0, HUFFMAN_TABLES, START_OF_SCAN];

    #[test]
    fn segments_are_found_after_fill_and_stray_bytes() {
        for stray in
            [&[][..], &[0], &[0xff], &[0xff, 0xff, 0xff], &[0xff, 0], &[1, 2, 3], &[0xff, 0xd8], &[0xff, 0xd3, 9]]
        {
            for place in 0..=5 {
                let mut parts = parts();
                parts.insert(place, stray.to_vec());
                assert_eq!(found(&file(&parts, &END)), (ALL.to_vec(), true), "{stray:?} at {place}");
            }
        }
    }

    #[test]
    fn an_application_segment_may_have_a_wrong_length() {
        for wrong in [0, 1, 3, 15, 17, 20, 200, 5_000, 65_535] {
            let mut parts = parts();
            parts[0][2..4].copy_from_slice(&u16::to_be_bytes(wrong));
            let (markers, whole) = found(&file(&parts, &END));
            assert_eq!((&markers[markers.len() - 3..], whole), (&ALL[2..], true), "{wrong}");
            assert_eq!(markers.contains(&QUANTISATION_TABLES), ![17, 20].contains(&wrong), "{wrong}");
        }
    }

    #[test]
    fn data_after_the_end_is_ignored() {
        let trailer = [END.to_vec(), b"a film".to_vec(), file(&parts(), &END)].concat();
        assert_eq!(found(&file(&parts(), &trailer)), (ALL.to_vec(), true));
    }

    #[test]
    fn a_missing_end_is_reported() {
        assert_eq!(found(&file(&parts(), &[])), (ALL.to_vec(), false));
        assert_eq!(
            found(&file(&parts()[..3], &END)),
            (ALL[..3].to_vec(), false),
            "an end without a picture does not count"
        );
        assert!(segments(b"\x89PNG").is_none() && segments(&[0xff]).is_none());
    }

    #[test]
    fn a_scan_extends_to_the_next_marker() {
        let file = file(&parts(), &END);
        let scan = segments(&file).unwrap().last().unwrap();
        assert_eq!((scan.content, scan.scan), (&[1, 1, 0, 0, 63, 0][..], &[7, 0xff, 0, 8, 0xff, 0xd0, 9][..]));
    }

    #[test]
    fn a_file_of_many_markers_takes_linear_time() {
        let start = std::time::Instant::now();
        for opening in
            [&[0xff, 0xe0, 0xff, 0xff][..], &[0xff, 0xfe, 0, 0], &[0xff, 0xe1, 0, 4, 1, 2, 3], &[0xff, 0xda, 0, 2]]
        {
            let mut segments = segments(&[&[0xff, 0xd8], &opening.repeat(2_000_000)[..]].concat()).map(Iterator::count);
            assert!(segments.take().is_some());
        }
        assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_end_the_iteration_within_the_file(
            at in prop::collection::vec((0usize..200, any::<u8>()), 0..12),
            cut in 0usize..220,
        ) {
            let mut bytes = file(&parts(), &END);
            for (place, byte) in at {
                let last = bytes.len() - 1;
                bytes[place.min(last)] = byte;
            }
            bytes.truncate(cut.max(2));
            if let Some(segments) = segments(&bytes) {
                let total: usize = segments.map(|segment| segment.content.len() + segment.scan.len() + 2).sum();
                prop_assert!(total <= bytes.len());
            }
        }
    }
}
