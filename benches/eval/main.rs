//! How well people are recognised: one to one, one to many, and walking past a camera, with the real models on the
//! fetched photographs. `make eval`; `WRITE=1` writes the calibration and the fit of the clarity found into the
//! embedder's manifest, `SET` names another set of models, and `ONLY=liveness` measures nothing else.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark may die of what it did not expect")]

mod calibration;
mod clarity;
mod degrade;
mod distractors;
mod faces;
mod identification;
mod liveness;
mod looks;
mod passages;
mod plots;
mod scenes;
mod verification;

use std::sync::Arc;

use calibration::Found;
use domain::ports::FaceAnalyzer;
use polyface_tests::{Report, cache, checkout};
use verification::Pairs;
use vision::Analyzer;

/// The set whose results the documentation shows.
const DOCUMENTED: &str = "default";

#[tokio::main]
async fn main() {
    if std::env::var_os("ONLY").is_some_and(|only| only == "liveness") {
        let mut report = Report::new("eval-liveness");
        liveness::measure(&mut report).await;
        report.write().unwrap();
        return;
    }
    let set = std::env::var("SET").ok().filter(|set| !set.is_empty()).unwrap_or_else(|| DOCUMENTED.to_owned());
    let options = vision::Options { set: set.clone(), ..vision::Options::new(cache().join("models")) };
    let analyzer = Arc::new(Analyzer::open(options).expect("the models: run `make models` first"));
    let mut report = Report::new("eval");
    let faces = faces::all(&analyzer).await;
    let pairs = Pairs::of(&faces);
    report.row("photographs: faces", faces.len() as f64, None, None);

    let pictures = if set == DOCUMENTED { checkout().join("docs/quality") } else { checkout().join("target/reports") };
    std::fs::create_dir_all(&pictures).unwrap();
    verification::tell(&pairs, &mut report, &pictures);
    let found = Found::from(&pairs);
    println!("calibration: {:?}, unlike {:?}", found.points, found.unlike);
    // Before it is written: what cannot be read again would keep every device from starting.
    let calibration = found.calibration();
    let clarity = clarity::measure(&analyzer, &faces, &calibration, &mut report, &pictures).await;
    if std::env::var_os("WRITE").is_some_and(|write| write == "1") {
        let model = analyzer.model().to_string();
        let name = model.split('/').next().unwrap_or_default();
        let manifest = checkout().join("models").join(format!("{name}.toml"));
        found.write(&manifest).unwrap();
        clarity.write(&manifest).unwrap();
    }
    looks::measure(&analyzer, &faces, &calibration, &mut report).await;
    identification::tell(&faces, &pairs, &calibration, &mut report);
    let films = std::env::var("PASSAGES").unwrap_or_default();
    if films != "0" {
        passages::tell(analyzer, &faces, &films, &mut report).await;
    }
    if set == DOCUMENTED {
        liveness::measure(&mut report).await;
    }
    report.write().unwrap();
}
