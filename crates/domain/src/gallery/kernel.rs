//! Dot products of 8-bit vectors by the best instructions this machine has, found out when the gallery is made.
//!
//! The one place of the product with `unsafe`, for two reasons only: a function compiled for an extension of the
//! processor may be called only where the extension was detected, and registers are loaded through pointers. All
//! that could go wrong otherwise is ruled out by types: a [`Line`] is exactly what the widest register holds and
//! aligned to it, so there are no odd lengths and no tails.

#![allow(unsafe_code, reason = "vector instructions; every block says why it is sound")]

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86;

/// Components in a line.
pub(super) const LINE: usize = 64;
/// The most components of a vector: no sum can leave 32 bits.
pub(super) const MAX_COMPONENTS: usize = 1 << 16;

/// A piece of a vector, the last one of a vector padded with zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C, align(64))]
pub(super) struct Line(pub(super) [i8; LINE]);

/// How many lines a vector takes.
pub(super) fn lines(components: usize) -> usize {
    components.div_ceil(LINE)
}

/// A vector ready to be multiplied with many.
#[derive(Debug, Clone)]
pub(super) struct Probe {
    lines: Vec<Line>,
    /// Of all components: what the instructions that take one side without a sign must be corrected by.
    #[cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "others take both sides with a sign"))]
    sum: i32,
}

impl Probe {
    /// At most [`MAX_COMPONENTS`]; -128 is taken for -127, because its opposite does not exist.
    pub(super) fn new(codes: &[i8]) -> Self {
        let padded = |piece: &[i8]| {
            let mut line = Line([0; LINE]);
            line.0.iter_mut().zip(piece).for_each(|(to, code)| *to = (*code).max(-i8::MAX));
            line
        };
        let lines: Vec<Line> = codes[..codes.len().min(MAX_COMPONENTS)].chunks(LINE).map(padded).collect();
        let sum = lines.iter().flat_map(|line| line.0).map(i32::from).sum();
        Self { lines, sum }
    }
}

/// `out[probe * rows + row]` becomes the dot product of the two.
///
/// # Safety
/// The instructions it is compiled for must be there.
type Dots = unsafe fn(rows: &[Line], probes: &[Probe], out: &mut [i32]);

/// One way to multiply. There is no other way to get one than [`Kernel::available`].
#[derive(Clone, Copy)]
pub(super) struct Kernel {
    name: &'static str,
    dots: Dots,
}

impl Kernel {
    /// The fastest that this machine can run.
    pub(super) fn detect() -> Self {
        Self::available()[0]
    }

    /// All that this machine can run, the fastest first; never empty.
    pub(super) fn available() -> Vec<Self> {
        let mut found = Vec::new();
        #[cfg(target_arch = "x86_64")]
        x86::find(&mut found);
        #[cfg(target_arch = "aarch64")]
        aarch64::find(&mut found);
        found.push(Self { name: "portable", dots: portable });
        found
    }

    /// The instructions it uses.
    pub(super) fn name(self) -> &'static str {
        self.name
    }

    /// Multiplies every row with every probe: `out[probe * rows + row]`. All probes have the same length, of which
    /// `rows` is a multiple.
    pub(super) fn dots(self, rows: &[Line], probes: &[Probe], out: &mut [i32]) {
        let Some(stride) = probes.first().map(|probe| probe.lines.len()) else { return };
        assert!(stride > 0 && rows.len().is_multiple_of(stride) && out.len() == rows.len() / stride * probes.len());
        assert!(probes.iter().all(|probe| probe.lines.len() == stride));
        // SAFETY: a kernel exists only where its instructions were detected.
        unsafe { (self.dots)(rows, probes, out) }
    }
}

/// Hands the probes to `four` by fours, which shares each load of a row among them, and what is left to `one`. A
/// block of rows fits the second-level cache, so that only its first reading comes from memory.
#[inline]
fn in_groups(
    rows: &[Line],
    probes: &[Probe],
    out: &mut [i32],
    four: impl Fn(&[Line], &[Probe; 4], &mut [i32]),
    one: impl Fn(&[Line], &[Probe; 1], &mut [i32]),
) {
    let count = out.len() / probes.len().max(1);
    let (fours, ones) = probes.as_chunks::<4>();
    let (out_of_fours, out_of_ones) = out.split_at_mut(fours.len() * 4 * count);
    for (probes, out) in fours.iter().zip(out_of_fours.chunks_exact_mut((4 * count).max(1))) {
        four(rows, probes, out);
    }
    for (probe, out) in ones.as_chunks::<1>().0.iter().zip(out_of_ones.chunks_exact_mut(count.max(1))) {
        one(rows, probe, out);
    }
}

/// Written so that any compiler makes the most of it.
fn portable(rows: &[Line], probes: &[Probe], out: &mut [i32]) {
    in_groups(rows, probes, out, portable_group, portable_group);
}

fn portable_group<const GROUP: usize>(rows: &[Line], probes: &[Probe; GROUP], out: &mut [i32]) {
    let stride = probes[0].lines.len();
    let count = rows.len() / stride;
    for (number, row) in rows.chunks_exact(stride).enumerate() {
        for (place, probe) in probes.iter().enumerate() {
            out[place * count + number] = row.iter().zip(&probe.lines).map(|(a, b)| portable_line(a, b)).sum();
        }
    }
}

fn portable_line(a: &Line, b: &Line) -> i32 {
    a.0.iter().zip(&b.0).map(|(a, b)| i32::from(i16::from(*a) * i16::from(*b))).sum()
}
