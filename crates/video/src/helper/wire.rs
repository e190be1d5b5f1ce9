//! The messages: one byte for the kind, four for the length, then the fields, all little-endian. Lengths are checked
//! before anything is read.

use std::io::{self, Read, Write};

use domain::frame::{Colour, Frame, Matrix, PixelFormat, Plane, Range};
use domain::ports::SourceError;
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::decoder::LARGEST_UNIT;
use crate::sink::LARGEST;

/// Bytes before the fields of a message.
pub(super) const HEAD: usize = 5;

/// Maximum number of bytes in a row beyond the samples, which decoders add for alignment.
const PADDING: usize = 1024;

/// Maximum size of a picture, bytes; the size of the file in memory.
pub(super) const LARGEST_PICTURE: usize = (LARGEST as usize + PADDING) * LARGEST as usize * 3 / 2;

/// Maximum length of a reply's fields.
const LONGEST_REPLY: usize = 512;

/// Maximum length of the text of a failure, bytes.
const LONGEST_TEXT: usize = 300;

const UNIT: u8 = 1;
const WANTED: u8 = 2;

const READY: u8 = 1;
const PROGRESS: u8 = 2;
const PICTURE: u8 = 3;
const FAILED: u8 = 4;

/// From the daemon.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// An access unit with its tick.
    Unit { tick: u64, data: Vec<u8> },
    /// The next picture is wanted.
    Picture,
}

/// The head and tick of the message that carries a unit of this length.
pub(super) fn unit_head(tick: u64, length: usize) -> [u8; HEAD + 8] {
    let mut head = [0; HEAD + 8];
    head[..HEAD].copy_from_slice(&self::head(UNIT, length + 8));
    head[HEAD..].copy_from_slice(&tick.to_le_bytes());
    head
}

/// The message that asks for a picture.
pub(super) fn wanted() -> [u8; HEAD] {
    head(WANTED, 0)
}

fn head(kind: u8, length: usize) -> [u8; HEAD] {
    let [a, b, c, d] = (length as u32).to_le_bytes();
    [kind, a, b, c, d]
}

impl Request {
    /// The next request; `None` when the daemon has closed the socket.
    pub(super) fn read(from: &mut impl Read) -> io::Result<Option<Self>> {
        let mut head = [0; HEAD];
        match from.read_exact(&mut head) {
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            other => other?,
        }
        let [kind, length @ ..] = head;
        let length = u32::from_le_bytes(length) as usize;
        match kind {
            UNIT if (8..=LARGEST_UNIT + 8).contains(&length) => {
                let mut tick = [0; 8];
                from.read_exact(&mut tick)?;
                let mut data = vec![0; length - 8];
                from.read_exact(&mut data)?;
                Ok(Some(Self::Unit { tick: u64::from_le_bytes(tick), data }))
            }
            WANTED if length == 0 => Ok(Some(Self::Picture)),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

/// Why the daemon ends a helper.
#[derive(Debug, thiserror::Error)]
pub(super) enum Breach {
    #[error("a message of kind {0} and length {1}")]
    Message(u8, usize),
    #[error("an impossible picture: {0:?}")]
    Description(Description),
    #[error("a picture that was not asked for")]
    Unasked,
    #[error("a picture with fewer bytes than announced")]
    Short,
    #[error("a second beginning")]
    Ready,
}

impl From<Breach> for SourceError {
    fn from(breach: Breach) -> Self {
        Self::Undecodable(format!("the decoder process sent {breach}"))
    }
}

/// Totals of a helper since its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Progress {
    /// Decoded pictures.
    pub(super) decoded: u64,
    /// Access units that the decoder has taken.
    pub(super) units: u64,
    /// Bytes of these.
    pub(super) bytes: u64,
    /// Processor time, microseconds.
    pub(super) busy: u64,
}

/// Which restrictions the kernel has imposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Confinement {
    /// Files and networks (Landlock).
    pub(super) files: bool,
    /// System calls (seccomp).
    pub(super) calls: bool,
}

/// A picture in the shared memory, plane after plane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Description {
    /// Tick of its access unit, when known.
    pub(super) tick: Option<u64>,
    /// Samples per row, and rows.
    pub(super) samples: (u32, u32),
    /// Width and height in square pixels.
    pub(super) shown: (u32, u32),
    pub(super) format: PixelFormat,
    pub(super) colour: Colour,
    /// Bytes from one row to the next, for each plane.
    pub(super) strides: Vec<usize>,
}

impl Description {
    pub(super) fn of(frame: &Frame, tick: Option<u64>) -> Self {
        Self {
            tick,
            samples: frame.samples(),
            shown: (frame.width(), frame.height()),
            format: frame.format(),
            colour: frame.colour(),
            strides: frame.planes().iter().map(|plane| plane.stride).collect(),
        }
    }

    /// Length of each plane in bytes, from its first row to the end of its last one; `None` for a picture that no
    /// decoder makes.
    pub(super) fn lengths(&self) -> Option<Vec<usize>> {
        let within = |(width, height): (u32, u32)| (1..=LARGEST).contains(&width) && (1..=LARGEST).contains(&height);
        if !within(self.samples) || !within(self.shown) {
            return None;
        }
        let planes = self.format.planes(self.samples.0, self.samples.1);
        let length = |((row, rows), stride): (&(usize, usize), &usize)| {
            // Of an interlaced picture every other row is left out.
            let plausible = (*row..=2 * (row + PADDING)).contains(stride);
            plausible.then(|| stride * (rows - 1) + row)
        };
        let lengths: Option<Vec<usize>> = planes.iter().zip(&self.strides).map(length).collect();
        lengths.filter(|all| all.len() == planes.len() && all.iter().sum::<usize>() <= LARGEST_PICTURE)
    }
}

/// From the helper.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// The decoder runs, and the process has given up its rights.
    Ready(Confinement),
    Progress(Progress),
    /// The picture that was asked for is in the shared memory.
    Picture(Progress, Description),
    /// The decoder cannot go on.
    Failed(String),
}

impl Reply {
    pub(super) fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let mut fields = Vec::with_capacity(LONGEST_REPLY);
        let kind = match self {
            Self::Ready(confinement) => {
                fields.push(u8::from(confinement.files) | u8::from(confinement.calls) << 1);
                READY
            }
            Self::Progress(progress) => {
                progress.put(&mut fields);
                PROGRESS
            }
            Self::Picture(progress, picture) => {
                progress.put(&mut fields);
                picture.put(&mut fields);
                PICTURE
            }
            Self::Failed(why) => {
                fields.extend_from_slice(&why.as_bytes()[..why.floor_char_boundary(LONGEST_TEXT)]);
                FAILED
            }
        };
        let mut message = head(kind, fields.len()).to_vec();
        message.append(&mut fields);
        to.write_all(&message)
    }

    /// The next reply; `None` when the helper has closed the socket.
    pub(super) async fn read(from: &mut (impl AsyncRead + Unpin)) -> Result<Option<Self>, Breach> {
        let mut head = [0; HEAD];
        if from.read_exact(&mut head).await.is_err() {
            return Ok(None);
        }
        let [kind, length @ ..] = head;
        let length = u32::from_le_bytes(length) as usize;
        let mut fields = [0; LONGEST_REPLY];
        let breach = || Breach::Message(kind, length);
        let fields = fields.get_mut(..length).ok_or_else(breach)?;
        if from.read_exact(fields).await.is_err() {
            return Ok(None);
        }
        Self::parse(kind, fields).ok_or_else(breach).map(Some)
    }

    fn parse(kind: u8, fields: &[u8]) -> Option<Self> {
        let mut fields = Fields(fields);
        let reply = match kind {
            READY => {
                let set = fields.byte()?;
                Self::Ready(Confinement { files: set & 1 != 0, calls: set & 2 != 0 })
            }
            PROGRESS => Self::Progress(Progress::take(&mut fields)?),
            PICTURE => Self::Picture(Progress::take(&mut fields)?, Description::take(&mut fields)?),
            FAILED => Self::Failed(String::from_utf8(std::mem::take(&mut fields.0).to_vec()).ok()?),
            _ => return None,
        };
        fields.0.is_empty().then_some(reply)
    }
}

impl Progress {
    /// Whether only the processor time differs, which is not worth a message.
    pub(super) fn is_as(self, other: Self) -> bool {
        Self { busy: 0, ..self } == Self { busy: 0, ..other }
    }

    fn put(self, to: &mut Vec<u8>) {
        [self.decoded, self.units, self.bytes, self.busy].iter().for_each(|number| to.extend(number.to_le_bytes()));
    }

    fn take(from: &mut Fields<'_>) -> Option<Self> {
        Some(Self { decoded: from.long()?, units: from.long()?, bytes: from.long()?, busy: from.long()? })
    }
}

/// Stands for an unknown tick.
const NO_TICK: u64 = u64::MAX;

const FORMATS: [PixelFormat; 2] = [PixelFormat::I420, PixelFormat::Nv12];
const MATRICES: [Matrix; 3] = [Matrix::Bt601, Matrix::Bt709, Matrix::Bt2020];
const RANGES: [Range; 2] = [Range::Limited, Range::Full];

fn place<T: PartialEq>(all: &[T], one: &T) -> u8 {
    all.iter().position(|other| other == one).map_or(u8::MAX, |place| place as u8)
}

impl Description {
    fn put(&self, to: &mut Vec<u8>) {
        to.extend(self.tick.unwrap_or(NO_TICK).to_le_bytes());
        let sizes = [self.samples.0, self.samples.1, self.shown.0, self.shown.1];
        sizes.iter().for_each(|size| to.extend(size.to_le_bytes()));
        to.push(place(&FORMATS, &self.format));
        to.push(place(&MATRICES, &self.colour.matrix));
        to.push(place(&RANGES, &self.colour.range));
        self.strides.iter().for_each(|stride| to.extend((*stride as u32).to_le_bytes()));
    }

    fn take(from: &mut Fields<'_>) -> Option<Self> {
        let tick = Some(from.long()?).filter(|tick| *tick != NO_TICK);
        let (samples, shown) = ((from.word()?, from.word()?), (from.word()?, from.word()?));
        let format = *FORMATS.get(usize::from(from.byte()?))?;
        let matrix = *MATRICES.get(usize::from(from.byte()?))?;
        let range = *RANGES.get(usize::from(from.byte()?))?;
        let strides = std::iter::from_fn(|| from.word()).map(|stride| stride as usize).collect();
        Some(Self { tick, samples, shown, format, colour: Colour { matrix, range }, strides })
    }
}

/// The rest of a message's fields.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*first)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn word(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn long(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }
}

/// The planes of a picture in these bytes.
pub(super) fn planes(picture: &bytes::Bytes, lengths: &[usize], strides: &[usize]) -> Vec<Plane> {
    let mut from = 0;
    let plane = |(length, stride): (&usize, &usize)| {
        let data = picture.slice(from..from + length);
        from += length;
        Plane { data, stride: *stride }
    };
    lengths.iter().zip(strides).map(plane).collect()
}

#[cfg(test)]
mod tests;
