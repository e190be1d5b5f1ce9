//! How passive liveness tells people from simulated pictures of them, with the real models on the fetched photographs:
//! `cargo bench --package polyface-tests --bench liveness`.

#![allow(clippy::expect_used, reason = "a benchmark may die of what it did not expect")]

use polyface_tests::Report;

#[path = "eval/liveness.rs"]
mod liveness;

#[tokio::main]
async fn main() {
    let mut report = Report::new("liveness");
    liveness::measure(&mut report).await;
    report.write().expect("the report is written");
}
