//! Networks against their arithmetic: the time that their multiplications and additions would take at the rate that one
//! core reaches in one large operation.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use polyface_tests::{Report, cache};

use crate::bare::{self, Bare};
use crate::networks::{DETECTOR_INPUT, EMBEDDER_INPUT, ROUNDS};
use crate::rig::quantile;

/// What this program is called with to print [`ratios`] and do nothing else.
pub(crate) const ARITHMETIC: &str = "arithmetic";

/// A network, its input, and the operation with which the rate is measured (`models/convert/yardsticks.py`).
const PAIRS: [(&str, &[usize], &str, &[usize]); 2] = [
    ("centerface_int8", &DETECTOR_INPUT, "u8s8", &[512, 512]),
    ("face_embed_512", &EMBEDDER_INPUT, "f32", &[1, 128, 28, 28]),
];

pub(crate) fn measure(report: &mut Report) {
    let output = Command::new(std::env::current_exe().unwrap()).arg(ARITHMETIC).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let output = String::from_utf8(output.stdout).unwrap();
    let mut figures = output.split_whitespace().map(|figure| figure.parse::<f64>().unwrap());
    for (name, budget) in [("detector alone on one core, ms", 3.0), ("embedder alone on one core, ms", 2.0)] {
        let [measured, limit] = [(); 2].map(|()| figures.next().unwrap());
        report.row(name, measured, Some(limit), Some(budget));
    }
}

/// For each pair the milliseconds that the network takes on one core, and those that its operations would take.
pub(crate) fn ratios() -> String {
    let environment = bare::environment();
    let operations: toml::Table = fs::read_to_string(yardsticks("operations.toml")).unwrap().parse().unwrap();
    let count = |name: &str| operations[name].as_integer().unwrap() as f64;
    let pairs = PAIRS.map(|(network, input, yardstick, side)| {
        let mut network_alone = Bare::load(&environment, &bare::model(network), "input", input, 1);
        let mut rate = Bare::load(&environment, &yardsticks(&format!("{yardstick}.onnx")), "input", side, 1);
        let (mut times, mut limits) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            times.push(timed(|| network_alone.run()));
            limits.push(timed(|| rate.run()));
        }
        let limit = quantile(&mut limits, 0.5) * count(network) / count(yardstick);
        format!("{} {limit}", quantile(&mut times, 0.5))
    });
    pairs.join(" ")
}

fn yardsticks(file: &str) -> PathBuf {
    cache().join("yardsticks").join(file)
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}
