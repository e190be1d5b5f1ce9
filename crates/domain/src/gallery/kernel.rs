//! Dot products of 8-bit vectors with the best instructions of the machine, detected when the gallery is created.
//!
//! The only module with `unsafe`, for two reasons: a function compiled for an extension of the processor may be called
//! only where the extension was detected, and registers are loaded through pointers. Other errors are prevented by
//! types: a [`Line`] has exactly the size and alignment of the widest register, so there are no odd lengths and no
//! tails.

#![allow(unsafe_code, reason = "vector instructions; every block documents why it is sound")]

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86;

/// Components in a line.
pub(super) const LINE: usize = 64;
/// Maximum number of components of a vector: no sum can exceed 32 bits.
pub(super) const MAX_COMPONENTS: usize = 1 << 16;

/// A part of a vector; the last line of a vector is padded with zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C, align(64))]
pub(super) struct Line(pub(super) [i8; LINE]);

/// Number of lines of a vector.
pub(super) fn lines(components: usize) -> usize {
    components.div_ceil(LINE)
}

/// A vector prepared for multiplication with many rows.
#[derive(Debug, Clone)]
pub(super) struct Probe {
    lines: Vec<Line>,
    /// Sum of the components, by which instructions with one unsigned operand are corrected.
    #[cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "other instructions have signed operands"))]
    sum: i32,
}

impl Probe {
    /// From at most [`MAX_COMPONENTS`] components; -128 becomes -127, because it has no negative.
    pub(super) fn new(codes: &[i8]) -> Self {
        let padded = |chunk: &[i8]| {
            let mut line = Line([0; LINE]);
            line.0.iter_mut().zip(chunk).for_each(|(to, code)| *to = (*code).max(-i8::MAX));
            line
        };
        let lines: Vec<Line> = codes[..codes.len().min(MAX_COMPONENTS)].chunks(LINE).map(padded).collect();
        let sum = lines.iter().flat_map(|line| line.0).map(i32::from).sum();
        Self { lines, sum }
    }
}

/// Writes the dot product of a probe and a row to `out[probe * rows + row]`.
///
/// # Safety
/// The machine must have the instructions that it is compiled for.
type Dots = unsafe fn(rows: &[Line], probes: &[Probe], out: &mut [i32]);

/// An implementation of the dot product. Only [`Kernel::available`] creates one.
#[derive(Clone, Copy)]
pub(super) struct Kernel {
    name: &'static str,
    dots: Dots,
}

impl Kernel {
    /// The fastest kernel of this machine.
    pub(super) fn detect() -> Self {
        Self::available()[0]
    }

    /// All kernels of this machine, fastest first; never empty.
    pub(super) fn available() -> Vec<Self> {
        let mut found = Vec::new();
        #[cfg(target_arch = "x86_64")]
        x86::find(&mut found);
        #[cfg(target_arch = "aarch64")]
        aarch64::find(&mut found);
        found.push(Self { name: "portable", dots: portable });
        found
    }

    /// Name of the instructions.
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

/// Passes the probes to `four` in groups of four, which share each load of a row, and the rest to `one`. A block of
/// rows fits the second-level cache, so that only the first pass reads it from memory.
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

/// In plain Rust, written so that the compiler vectorises it.
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
