//! The built daemon with many people: how soon it serves.

use std::time::Instant;

use domain::ports::FaceAnalyzer;
use polyface_tests::{Device, Report, cache};
use vision::Analyzer;

use crate::rig::run_tool;

/// Of these the median counts.
const STARTS: usize = 5;

pub(crate) async fn measure(report: &mut Report) {
    report.row("start to serving with 100000 people, s", start(&model()).await, None, Some(1.0));
}

/// The embedding model of the default set.
pub(crate) fn model() -> String {
    Analyzer::open(vision::Options::new(cache().join("models"))).unwrap().model().to_string()
}

async fn start(model: &str) -> f64 {
    let mut device = populated(100_000, model).await;
    let mut seconds = Vec::new();
    for _ in 0..STARTS {
        device.terminate();
        let start = Instant::now();
        device.restart().await;
        seconds.push(start.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    seconds[STARTS / 2]
}

/// A device that has served so many people once.
pub(crate) async fn populated(people: u64, model: &str) -> Device {
    let mut device = Device::start().await;
    device.terminate();
    run_tool("populate", &device.storage(), &[&people.to_string(), model]);
    device.restart().await;
    device
}
