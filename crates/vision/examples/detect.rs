//! Prints the faces found in pictures, and the milliseconds that a search took: one JSON line for each picture. Other
//! detectors are compared with it (`benches/face_peers.py`).
//!
//!     cargo run --release --package vision --example detect -- MODELS PICTURE...

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a tool for developers may die of what it did not expect")]

use std::path::PathBuf;
use std::time::Instant;

use domain::Timestamp;
use domain::ports::{FaceAnalyzer, Lane, Search};
use vision::{Analyzer, Options};

/// Searches of each picture; the quickest counts.
const TURNS: usize = 5;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let models = arguments.next().expect("the folder of the models");
    // As other detectors are measured.
    let options = Options { threads: 1, ..Options::new(models) };
    let analyzer = Analyzer::open(options).expect("the models");
    for file in arguments {
        let photo = std::fs::read(&file).unwrap().into();
        let frame = analyzer.decode(photo, Timestamp::from_millis(0)).await.expect("a picture");
        for (lane, name) in [(Lane::Live, "live"), (Lane::Photo, "photo")] {
            let mut quickest = f64::INFINITY;
            let mut faces = Vec::new();
            for _ in 0..TURNS {
                let start = Instant::now();
                faces = analyzer.detect(frame.clone(), Search::ANYWHERE, lane).await.unwrap();
                quickest = quickest.min(start.elapsed().as_secs_f64() * 1e3);
            }
            println!("{{\"file\":{file:?},\"lane\":\"{name}\",\"faces\":{},\"ms\":{quickest:.1}}}", faces.len());
        }
    }
}
