#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    video::fuzzing::rtsp(data);
});
