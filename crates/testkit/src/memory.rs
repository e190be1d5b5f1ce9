//! How fast this machine reads its memory: the limit of everything that scans.

use std::hint::black_box;

/// Reads everything once, split over so many threads.
pub fn read_once(memory: &[u64], threads: usize) {
    std::thread::scope(|scope| {
        let mut parts = memory.chunks(memory.len().div_ceil(threads.max(1)).max(1));
        let first = parts.next().unwrap_or_default();
        parts.for_each(|part| drop(scope.spawn(move || sum(part))));
        sum(first);
    });
}

/// Independent sums, so that the compiler may use vector registers.
fn sum(memory: &[u64]) {
    let mut sums = [0u64; 32];
    for piece in memory.as_chunks::<32>().0 {
        sums.iter_mut().zip(piece).for_each(|(sum, number)| *sum = sum.wrapping_add(*number));
    }
    black_box(sums);
}
