//! NEON, with the dot product instruction if available.

use std::arch::aarch64::{
    int8x16_t, int32x4_t, vaddvq_s32, vdupq_n_s32, vget_high_s8, vget_low_s8, vld1q_s8, vmull_s8, vpadalq_s16,
};
use std::arch::{asm, is_aarch64_feature_detected};

use super::{Kernel, Line, Probe, in_groups};

/// Adds the kernels of this machine, fastest first.
pub(super) fn find(found: &mut Vec<Kernel>) {
    if is_aarch64_feature_detected!("dotprod") {
        found.push(Kernel { name: "neon-dotprod", dots: dotprod });
    }
    if is_aarch64_feature_detected!("neon") {
        found.push(Kernel { name: "neon", dots: neon });
    }
}

#[target_feature(enable = "neon,dotprod")]
fn dotprod(rows: &[Line], probes: &[Probe], out: &mut [i32]) {
    in_groups(rows, probes, out, |r, p, o| dotprod_group(r, p, o), |r, p, o| dotprod_group(r, p, o));
}

#[target_feature(enable = "neon,dotprod")]
fn dotprod_group<const GROUP: usize>(rows: &[Line], probes: &[Probe; GROUP], out: &mut [i32]) {
    let stride = probes[0].lines.len();
    let count = rows.len() / stride;
    for (number, row) in rows.chunks_exact(stride).enumerate() {
        let mut sums = [vdupq_n_s32(0); GROUP];
        for (place, line) in row.iter().enumerate() {
            for quarter in 0..4 {
                let codes = load(line, quarter);
                for (sum, probe) in sums.iter_mut().zip(probes) {
                    *sum = sdot(*sum, codes, load(&probe.lines[place], quarter));
                }
            }
        }
        for (place, sum) in sums.into_iter().enumerate() {
            out[place * count + number] = vaddvq_s32(sum);
        }
    }
}

/// The dot product instruction; its intrinsic is not stable yet.
#[target_feature(enable = "neon,dotprod")]
fn sdot(sum: int32x4_t, a: int8x16_t, b: int8x16_t) -> int32x4_t {
    let mut sum = sum;
    // SAFETY: it reads and writes only the named registers.
    unsafe {
        asm!("sdot {sum:v}.4s, {a:v}.16b, {b:v}.16b", sum = inout(vreg) sum, a = in(vreg) a, b = in(vreg) b,
            options(pure, nomem, nostack, preserves_flags));
    }
    sum
}

#[target_feature(enable = "neon")]
fn neon(rows: &[Line], probes: &[Probe], out: &mut [i32]) {
    in_groups(rows, probes, out, |r, p, o| neon_group(r, p, o), |r, p, o| neon_group(r, p, o));
}

/// A product of two bytes fits 16 bits, the sum of two products may not: each is added in 32 bits at once.
#[target_feature(enable = "neon")]
fn neon_group<const GROUP: usize>(rows: &[Line], probes: &[Probe; GROUP], out: &mut [i32]) {
    let stride = probes[0].lines.len();
    let count = rows.len() / stride;
    for (number, row) in rows.chunks_exact(stride).enumerate() {
        let mut sums = [vdupq_n_s32(0); GROUP];
        for (place, line) in row.iter().enumerate() {
            for quarter in 0..4 {
                let codes = load(line, quarter);
                for (sum, probe) in sums.iter_mut().zip(probes) {
                    let other = load(&probe.lines[place], quarter);
                    *sum = vpadalq_s16(*sum, vmull_s8(vget_low_s8(codes), vget_low_s8(other)));
                    *sum = vpadalq_s16(*sum, vmull_s8(vget_high_s8(codes), vget_high_s8(other)));
                }
            }
        }
        for (place, sum) in sums.into_iter().enumerate() {
            out[place * count + number] = vaddvq_s32(sum);
        }
    }
}

/// A quarter of a line.
#[target_feature(enable = "neon")]
fn load(line: &Line, quarter: usize) -> int8x16_t {
    let quarters = line.0.as_chunks::<16>().0;
    // SAFETY: a quarter of a line is 16 bytes.
    unsafe { vld1q_s8(quarters[quarter].as_ptr()) }
}
