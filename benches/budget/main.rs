//! The performance budget: each path of it measured, and beside it the limit it is held against, measured in the same
//! run. `make bench` builds what it needs, runs it and writes `bench.json` into the folder `OUT`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark may die of what it did not expect")]

mod arithmetic;
mod bare;
mod enrolment;
mod first_look;
mod memory;
mod networks;
mod passage;
mod records;
mod rig;
mod rules;
mod search;
mod start;

use polyface_tests::{Report, cast};

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [networks::BARE] => return networks::serve_bare(),
        [networks::BARE_MEMORY] => return println!("{}", networks::bare_memory()),
        [arithmetic::ARITHMETIC] => return println!("{}", arithmetic::ratios()),
        [memory::BARE_DECODING, film] => return println!("{}", memory::bare_decoding(film)),
        _ => {}
    }
    let mut report = Report::new("bench");
    let (room, face) = rig::room_and_face(&cast()[0].seen).await;
    if wanted("networks") {
        networks::measure(&mut report, &face).await;
    }
    if wanted("arithmetic") {
        arithmetic::measure(&mut report);
    }
    if wanted("passage") {
        passage::measure(&mut report, &room, &face).await;
    }
    if wanted("rules") {
        rules::measure(&mut report).await;
    }
    if wanted("search") {
        search::measure(&mut report);
    }
    if wanted("records") {
        records::measure(&mut report);
    }
    if wanted("start") {
        start::measure(&mut report).await;
    }
    if wanted("memory") {
        memory::measure(&mut report).await;
    }
    if wanted("enrolment") {
        enrolment::measure(&mut report).await;
    }
    report.write().unwrap();
}

/// Whether a part of the table is asked for: those named on the command line, or all.
fn wanted(part: &str) -> bool {
    let mut named = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).peekable();
    named.peek().is_none() || named.any(|name| name == part)
}
