//! Speed of reading memory, the limit of every scan.

use std::hint::black_box;

/// Reads all of `memory` once, split over this many threads.
pub fn read_once(memory: &[u64], threads: usize) {
    std::thread::scope(|scope| {
        let mut parts = memory.chunks(memory.len().div_ceil(threads.max(1)).max(1));
        let first = parts.next().unwrap_or_default();
        parts.for_each(|part| drop(scope.spawn(move || sum(part))));
        sum(first);
    });
}

/// With independent sums, so that the compiler can use vector registers.
fn sum(memory: &[u64]) {
    let mut sums = [0u64; 32];
    for chunk in memory.as_chunks::<32>().0 {
        sums.iter_mut().zip(chunk).for_each(|(sum, number)| *sum = sum.wrapping_add(*number));
    }
    black_box(sums);
}
