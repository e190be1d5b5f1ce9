//! dpkg.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// Installs all packages in a folder together; what the owner changed in the configuration stays. What a power cut
/// interrupted is finished first.
pub(super) fn install(dpkg: &Path, folder: &Path) -> Result<()> {
    let entries = fs::read_dir(folder).context("the packages cannot be listed")?;
    let mut files = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<PathBuf>, _>>()?;
    files.sort();
    if let Err(error) = run(Command::new(dpkg).args(["--configure", "--pending"])) {
        eprintln!("polyfaced: {error:#}");
    }
    run(Command::new(dpkg).args(["--force-confdef", "--force-confold", "--install"]).args(files))
}

fn run(command: &mut Command) -> Result<()> {
    // The service goes on with its former program until the machine restarts, so that it can answer.
    command.env("DEBIAN_FRONTEND", "noninteractive").env("POLYFACE_NO_RESTART", "1");
    let output = command.output().context("dpkg cannot be run")?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last: Vec<_> = said.lines().map(str::trim).filter(|line| !line.is_empty()).rev().take(3).collect();
    let last: Vec<_> = last.into_iter().rev().collect();
    bail!("dpkg failed: {}", last.join("; "))
}
