//! AVX2 and AVX-512 VNNI.

use std::arch::x86_64::{
    __m256i, __m512i, _mm_add_epi32, _mm_cvtsi128_si32, _mm_shuffle_epi32, _mm256_abs_epi8, _mm256_add_epi32,
    _mm256_castsi256_si128, _mm256_extracti128_si256, _mm256_load_si256, _mm256_madd_epi16, _mm256_maddubs_epi16,
    _mm256_set1_epi16, _mm256_setzero_si256, _mm256_sign_epi8, _mm512_dpbusd_epi32, _mm512_load_si512,
    _mm512_reduce_add_epi32, _mm512_set1_epi8, _mm512_setzero_si512, _mm512_xor_si512,
};

use super::{Kernel, Line, Probe, in_groups};

/// Adds the kernels of this machine, fastest first.
pub(super) fn find(found: &mut Vec<Kernel>) {
    if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vnni") {
        found.push(Kernel { name: "avx512-vnni", dots: vnni });
    }
    if is_x86_feature_detected!("avx2") {
        found.push(Kernel { name: "avx2", dots: avx2 });
    }
}

#[target_feature(enable = "avx512f,avx512vnni")]
fn vnni(rows: &[Line], probes: &[Probe], out: &mut [i32]) {
    in_groups(rows, probes, out, |r, p, o| vnni_group(r, p, o), |r, p, o| vnni_group(r, p, o));
}

/// The instruction multiplies unsigned with signed bytes. Flipping the highest bit of a row adds 128 to each component,
/// which adds 128 times the probe's sum to the result; this is subtracted again. Sums wrap, so the result is right
/// whenever it fits.
#[target_feature(enable = "avx512f,avx512vnni")]
fn vnni_group<const GROUP: usize>(rows: &[Line], probes: &[Probe; GROUP], out: &mut [i32]) {
    let stride = probes[0].lines.len();
    let count = rows.len() / stride;
    let flip = _mm512_set1_epi8(i8::MIN);
    for (number, row) in rows.chunks_exact(stride).enumerate() {
        let mut sums = [_mm512_setzero_si512(); GROUP];
        for (place, line) in row.iter().enumerate() {
            let unsigned = _mm512_xor_si512(load_512(line), flip);
            for (sum, probe) in sums.iter_mut().zip(probes) {
                *sum = _mm512_dpbusd_epi32(*sum, unsigned, load_512(&probe.lines[place]));
            }
        }
        for (place, (sum, probe)) in sums.into_iter().zip(probes).enumerate() {
            let added = probe.sum.wrapping_mul(128);
            out[place * count + number] = _mm512_reduce_add_epi32(sum).wrapping_sub(added);
        }
    }
}

#[target_feature(enable = "avx512f")]
fn load_512(line: &Line) -> __m512i {
    // SAFETY: a line is 64 bytes, aligned to 64.
    unsafe { _mm512_load_si512(std::ptr::from_ref(line).cast()) }
}

#[target_feature(enable = "avx2")]
fn avx2(rows: &[Line], probes: &[Probe], out: &mut [i32]) {
    in_groups(rows, probes, out, |r, p, o| avx2_group(r, p, o), |r, p, o| avx2_group(r, p, o));
}

/// The instruction multiplies unsigned with signed bytes and adds pairs in 16 bits, saturating. Given
/// the row's magnitudes, at most 128, and the probe with the row's signs, at most 127, a pair reaches 32512: it never
/// saturates.
#[target_feature(enable = "avx2")]
fn avx2_group<const GROUP: usize>(rows: &[Line], probes: &[Probe; GROUP], out: &mut [i32]) {
    let stride = probes[0].lines.len();
    let count = rows.len() / stride;
    let ones = _mm256_set1_epi16(1);
    for (number, row) in rows.chunks_exact(stride).enumerate() {
        let mut sums = [_mm256_setzero_si256(); GROUP];
        for (place, line) in row.iter().enumerate() {
            for half in 0..2 {
                let codes = load_256(line, half);
                let magnitudes = _mm256_abs_epi8(codes);
                for (sum, probe) in sums.iter_mut().zip(probes) {
                    let signed = _mm256_sign_epi8(load_256(&probe.lines[place], half), codes);
                    let pairs = _mm256_maddubs_epi16(magnitudes, signed);
                    *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(pairs, ones));
                }
            }
        }
        for (place, sum) in sums.into_iter().enumerate() {
            out[place * count + number] = sum_of(sum);
        }
    }
}

/// The first or second half of a line.
#[target_feature(enable = "avx2")]
fn load_256(line: &Line, half: usize) -> __m256i {
    let halves = line.0.as_chunks::<32>().0;
    // SAFETY: half a line is 32 bytes, aligned to 32.
    unsafe { _mm256_load_si256(std::ptr::from_ref(&halves[half]).cast()) }
}

#[target_feature(enable = "avx2")]
fn sum_of(numbers: __m256i) -> i32 {
    let four = _mm_add_epi32(_mm256_castsi256_si128(numbers), _mm256_extracti128_si256::<1>(numbers));
    let two = _mm_add_epi32(four, _mm_shuffle_epi32::<0b01_00_11_10>(four));
    _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32::<0b10_11_00_01>(two)))
}
