//! What files of pictures tell besides: gone at the first time, and never more than there was.

#![no_main]

/// An orientation in a frame of its own.
const LARGEST_ADDITION: usize = 64;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some(bare) = adapter::strip_metadata(data) else { return };
    assert!(bare.len() <= data.len() + LARGEST_ADDITION);
    assert_eq!(adapter::strip_metadata(&bare).as_ref(), Some(&bare), "something was left");
});
