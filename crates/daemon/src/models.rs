//! The models of the configuration.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result};
use vision::Analyzer;

use crate::config::{Config, Liveness};

/// Between two looks at the folder.
const LOOK: Duration = Duration::from_secs(5);

/// Opens the models and has them prove themselves on what they run on.
pub(crate) async fn open(config: &Config) -> Result<Analyzer> {
    let started = Instant::now();
    let models = options(config);
    let analyzer = tokio::task::spawn_blocking(move || Analyzer::open(models)).await?;
    let analyzer = analyzer.context("the models cannot be loaded")?;
    let opened = started.elapsed();
    analyzer.self_test().await.context("the models do not work on this machine")?;
    tracing::info!(
        models.set = config.models.set,
        models.provider = %analyzer.provider(),
        models.open_ms = opened.as_millis() as u64,
        models.test_ms = (started.elapsed() - opened).as_millis() as u64,
        "models ready"
    );
    Ok(analyzer)
}

/// Completes when a file in the folder of the models has changed, after which another start may succeed.
pub(crate) async fn until_changed(folder: &Path) {
    let before = state(folder);
    let mut looks = tokio::time::interval(LOOK);
    while state(folder) == before {
        looks.tick().await;
    }
}

/// Names, sizes and times of change of the files in a folder.
fn state(folder: &Path) -> BTreeSet<(OsString, Option<(u64, SystemTime)>)> {
    let about = |file: &Path| {
        let about = fs::metadata(file).ok()?;
        Some((about.len(), about.modified().ok()?))
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| (entry.file_name(), about(&entry.path()))).collect()
}

/// How the analyzer is opened.
pub(crate) fn options(config: &Config) -> vision::Options {
    vision::Options {
        set: config.models.set.clone(),
        provider: config.inference.provider,
        openvino_device: config.inference.openvino_device,
        threads: config.inference.threads,
        liveness: config.vision.liveness == Liveness::Passive,
        ..vision::Options::new(&config.models.dir)
    }
}
