//! The models of the configuration.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
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

/// The folder of the models as it was before they were loaded: what is repaired while they are is a change, too.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    files: Files,
}

/// Names, sizes and times of change of files.
type Files = BTreeSet<(OsString, Option<(u64, SystemTime)>)>;

impl Folder {
    pub(crate) fn now(path: &Path) -> Self {
        Self { path: path.to_owned(), files: files(path) }
    }

    /// Completes when a file has changed, after which another start may succeed.
    pub(crate) async fn until_changed(&self) {
        let mut looks = tokio::time::interval(LOOK);
        while files(&self.path) == self.files {
            looks.tick().await;
        }
    }
}

fn files(folder: &Path) -> Files {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_model_that_is_repaired_while_the_others_are_loaded_is_a_change() {
        let dir = tempfile::tempdir().unwrap();
        let before = Folder::now(dir.path());
        fs::write(dir.path().join("gender.onnx"), "repaired").unwrap();
        before.until_changed().await;
        let after = Folder::now(dir.path());
        let changed = tokio::time::timeout(Duration::from_secs(60), after.until_changed());
        assert!(changed.await.is_err(), "nothing has changed since");
    }
}
