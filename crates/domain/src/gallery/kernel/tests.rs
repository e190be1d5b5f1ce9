use super::*;

/// A deterministic generator of numbers.
struct Generator(u64);

impl Generator {
    fn byte(&mut self) -> i8 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0.to_le_bytes()[7].cast_signed()
    }

    fn codes(&mut self, length: usize) -> Vec<i8> {
        (0..length).map(|_| self.byte()).collect()
    }
}

fn rows_of(vectors: &[Vec<i8>]) -> Vec<Line> {
    let padded = |chunk: &[i8]| {
        let mut line = Line([0; LINE]);
        line.0[..chunk.len()].copy_from_slice(chunk);
        line
    };
    vectors.iter().flat_map(|vector| vector.chunks(LINE).map(padded)).collect()
}

/// The dot product by definition.
fn expected(row: &[i8], probe: &[i8]) -> i32 {
    row.iter().zip(probe).map(|(a, b)| i32::from(*a) * i32::from((*b).max(-127))).sum()
}

/// Checks every kernel of this machine against the definition.
fn check(rows: &[Vec<i8>], probes: &[Vec<i8>]) {
    let lines = rows_of(rows);
    let ready: Vec<Probe> = probes.iter().map(|probe| Probe::new(probe)).collect();
    let wanted: Vec<i32> = probes.iter().flat_map(|p| rows.iter().map(|row| expected(row, p))).collect();
    for kernel in Kernel::available() {
        let mut out = vec![i32::MIN; wanted.len()];
        kernel.dots(&lines, &ready, &mut out);
        assert_eq!(out, wanted, "{} with {} probes of {}", kernel.name(), probes.len(), probes[0].len());
    }
}

#[test]
fn every_kernel_multiplies_random_vectors_of_any_length_and_number() {
    let mut generator = Generator(7);
    for length in [1, 2, 15, 16, 17, 31, 33, 63, 64, 65, 127, 128, 192, 500, 512, 1000] {
        for probes in 1..=9 {
            let rows: Vec<_> = (0..5).map(|_| generator.codes(length)).collect();
            let probes: Vec<_> = (0..probes).map(|_| generator.codes(length)).collect();
            check(&rows, &probes);
        }
    }
}

#[test]
fn no_kernel_saturates_or_loses_a_sign_at_the_edges() {
    let edges = [i8::MIN, -127, -1, 0, 1, 127];
    let flat = |length: usize| edges.map(|edge| vec![edge; length]);
    let turning = |length: usize, a: i8, b: i8| (0..length).map(|n| if n % 2 == 0 { a } else { b }).collect::<Vec<_>>();
    for length in [64, 511, 512, 4096] {
        let mut vectors: Vec<Vec<i8>> = flat(length).to_vec();
        for (a, b) in [(i8::MIN, 127), (127, i8::MIN), (-127, 127), (i8::MIN, 0), (0, 127), (1, -1)] {
            vectors.push(turning(length, a, b));
        }
        check(&vectors, &vectors);
    }
}

#[test]
fn the_longest_vector_fits_the_sum() {
    let edges = [vec![i8::MIN; MAX_COMPONENTS], vec![127; MAX_COMPONENTS]];
    check(&edges, &edges);
}

#[test]
fn every_pair_of_bytes_is_multiplied_right_at_every_place() {
    for place in [0, 15, 16, 31, 63] {
        let single = |value| {
            let mut codes = vec![0; LINE];
            codes[place] = value;
            codes
        };
        let all: Vec<_> = (i8::MIN..=i8::MAX).map(single).collect();
        check(&all, &all);
    }
}

#[test]
fn no_rows_give_no_products() {
    check(&[], &[vec![1; 64]]);
    Kernel::detect().dots(&[], &[], &mut []);
}
