//! JPEG files of the field, put in order for the decoder.

use domain::jpeg::marker::{END_OF_IMAGE, HUFFMAN_TABLES, START_OF_IMAGE, START_OF_SCAN};
use domain::jpeg::{Segment, segments};
use image::metadata::Orientation;
use turbojpeg::{DecompressHeader, Decompressor, Error, Image, PixelFormat};

const EXIF: &[u8] = b"Exif\0\0";
/// Segments of applications that say how the picture is coded or how it lies; the others only stand in the way.
const TELLING: [(u8, &[u8]); 4] = [(0xe0, b"JFIF\0"), (0xe0, b"AVI1"), (0xe1, EXIF), (0xee, b"Adobe")];
/// Says once more how high the picture is.
const NUMBER_OF_LINES: u8 = 0xdc;
/// Zeros at the end of a file that are not the picture's.
const LEAST_PADDING: usize = 8;
/// Scans of a picture at most: each is a walk over all of it, however few bytes it takes.
const MOST_SCANS: usize = 100;

/// A file whose segments follow each other without gaps, up to the end of the picture.
pub(crate) struct Mended {
    bytes: Vec<u8>,
    /// Whether the end was there.
    whole: bool,
    /// Whether the file holds the tables that its codes are made by.
    has_tables: bool,
    /// Whether the places where the coded picture starts afresh are numbered as they should be.
    has_order: bool,
    scans: usize,
    orientation: Orientation,
}

impl Mended {
    /// `None` when this is no JPEG.
    pub(crate) fn new(file: &[u8]) -> Option<Self> {
        let mut walk = segments(file)?;
        let mut bytes = Vec::with_capacity(file.len());
        bytes.extend([0xff, START_OF_IMAGE]);
        let mut mended = Self {
            bytes,
            whole: false,
            has_tables: false,
            has_order: true,
            scans: 0,
            orientation: Orientation::NoTransforms,
        };
        walk.by_ref().filter(counts).for_each(|segment| mended.add(&segment));
        mended.whole = walk.is_whole();
        if !mended.whole {
            mended.drop_padding();
        }
        mended.bytes.extend([0xff, END_OF_IMAGE]);
        Some(mended)
    }

    fn add(&mut self, segment: &Segment<'_>) {
        let Segment { marker, content, scan } = *segment;
        self.bytes.extend([0xff, marker]);
        self.bytes.extend((content.len() as u16 + 2).to_be_bytes());
        self.bytes.extend_from_slice(content);
        self.bytes.extend_from_slice(scan);
        self.has_tables |= marker == HUFFMAN_TABLES;
        self.has_order &= has_order(scan);
        self.scans += usize::from(marker == START_OF_SCAN);
        if let Some(tiff) = content.strip_prefix(EXIF).filter(|_| marker == 0xe1) {
            // A broken note of the orientation does not spoil the picture.
            self.orientation = Orientation::from_exif_chunk(tiff).unwrap_or(self.orientation);
        }
    }

    /// Takes away what a file system fills the end of a file with; a picture has no such run of zeros.
    fn drop_padding(&mut self) {
        let zeros = self.bytes.iter().rev().take_while(|byte| **byte == 0).count();
        if zeros >= LEAST_PADDING {
            self.bytes.truncate(self.bytes.len() - zeros);
        }
    }

    /// The file in order.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn orientation(&self) -> Orientation {
        self.orientation
    }

    /// Whether there are no more scans than an encoder makes.
    pub(crate) fn has_few_scans(&self) -> bool {
        self.scans <= MOST_SCANS
    }

    /// Whether the file is to be read by [`pixels`], which knows the usual tables, finds the way through disorder, and tells
    /// whether a picture without its end is complete.
    pub(crate) fn is_doubtful(&self) -> bool {
        self.scans > 0 && !(self.whole && self.has_tables && self.has_order)
    }

    /// Rows of R G B; an error when any of them is missing that could be there.
    pub(crate) fn pixels(&self, width: usize, height: usize) -> turbojpeg::Result<Vec<u8>> {
        let pitch = width * 3;
        let mut pixels = vec![0; pitch * height];
        let image = Image { pixels: &mut pixels[..], width, pitch, height, format: PixelFormat::RGB };
        match Decompressor::new()?.decompress(&self.bytes, image) {
            Ok(()) => Ok(pixels),
            // The decoder's words for what it got over; an end that was sent is believed.
            Err(Error::TurboJpegError(text)) if self.whole && text.contains("Corrupt JPEG data") => Ok(pixels),
            Err(error) => Err(error),
        }
    }

    /// What the file says of its picture.
    pub(crate) fn header(&self) -> turbojpeg::Result<DecompressHeader> {
        Decompressor::new()?.read_header(&self.bytes)
    }
}

/// Whether the marks in a coded picture count 0 to 7 again and again.
fn has_order(scan: &[u8]) -> bool {
    let marks = scan.windows(2).filter(|pair| pair[0] == 0xff && (0xd0..=0xd7).contains(&pair[1]));
    marks.zip((0..8).cycle()).all(|(pair, number)| pair[1] == 0xd0 + number)
}

fn counts(segment: &Segment<'_>) -> bool {
    let is_telling = |(marker, start): &(u8, &[u8])| segment.marker == *marker && segment.content.starts_with(start);
    let is_beside = matches!(segment.marker, NUMBER_OF_LINES | 0xe0..=0xfe);
    !is_beside || TELLING.iter().any(is_telling)
}
