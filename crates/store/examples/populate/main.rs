//! Fills a storage directory with people that do not exist, quickly: one transaction, nothing synced.
//!
//! `cargo run --release --package store --example populate -- DIR PEOPLE MODEL`

#![allow(clippy::unwrap_used, reason = "a tool for measuring may die of what it did not expect")]

use std::path::Path;

use domain::ModelId;

mod people;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [dir, people, model] = &arguments[..] else { panic!("DIR PEOPLE MODEL are needed") };
    people::populate(Path::new(dir), people.parse().unwrap(), &ModelId(model.as_str().into()));
}
