//! Fills a storage directory with a long record log, quickly: nothing synced.
//!
//! `cargo run --release --package store --example long_log -- DIR RECORDS`

#![allow(clippy::unwrap_used, reason = "a tool for measuring may die of what it did not expect")]

use std::path::Path;

mod log;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [dir, records] = &arguments[..] else { panic!("DIR RECORDS are needed") };
    log::fill(Path::new(dir), records.parse().unwrap());
}
