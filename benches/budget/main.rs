//! The performance budget: each path of it measured, and beside it the limit it is held against, measured in the same
//! run. `make bench` builds what it needs, runs it and writes `bench.json` into the folder `OUT`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark may die of what it did not expect")]

mod enrolment;
mod networks;
mod passage;
mod records;
mod rig;
mod search;
mod start;

use polyface_tests::{Report, cast};

#[tokio::main]
async fn main() {
    if std::env::args().any(|argument| argument == networks::BARE_EMBEDDER) {
        return println!("{}", networks::bare_embedder());
    }
    let mut report = Report::new("bench");
    let (room, face) = rig::room_and_face(&cast()[0].seen).await;
    networks::measure(&mut report, &face).await;
    passage::measure(&mut report, &room, &face).await;
    search::measure(&mut report);
    records::measure(&mut report);
    start::measure(&mut report).await;
    enrolment::measure(&mut report).await;
    report.write().unwrap();
}
