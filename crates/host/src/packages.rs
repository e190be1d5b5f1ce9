//! Signed packages on a machine without slots: a privileged unit of systemd checks and installs them.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::ports::OnPercent;
use domain::{Error, Package, Result};
use tokio::time::Instant;

use crate::bus::{Bus, Service, UNITS};

/// The unit that installs what lies in the spool; it may do nothing else for the daemon.
const UNIT: &str = "polyface-upgrade.service";
/// The unit's object.
const STATE: Service =
    UNITS.at("/org/freedesktop/systemd1/unit/polyface_2dupgrade_2eservice", "org.freedesktop.systemd1.Unit");
/// The unit takes less time, also on slow media.
const PATIENCE: Duration = Duration::from_secs(3600);
/// The unit starts and copies the package within this time, also on slow media.
const START: Duration = Duration::from_secs(600);
/// Interval between two looks at the unit.
const LOOK: Duration = Duration::from_millis(500);
/// What counts as done when the package has been handed over, percent; the rest is the unit's.
const HANDED_OVER: u8 = 20;

/// Where packages are handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spool {
    /// Folder of the daemon, for the signed package.
    pub folder: PathBuf,
    /// The unit's answer: empty when the packages are installed, otherwise why not. Absent until it has ended.
    pub answer: PathBuf,
}

/// Name of the package in the spool.
const PACKAGE: &str = "package";

impl Spool {
    /// The signed package that waits to be installed.
    pub fn package(&self) -> PathBuf {
        self.folder.join(PACKAGE)
    }
}

/// Has the unit install a package.
pub(crate) async fn install(bus: &Bus, spool: &Spool, package: Package, on_percent: OnPercent<'_>) -> Result<()> {
    let (folder, file) = (spool.folder.clone(), spool.package());
    let handing_over = tokio::task::spawn_blocking(move || hand_over(&folder, &file, package)).await;
    let handed_over = handing_over.map_err(Error::internal("handing over a package"))?;
    handed_over.map_err(Error::internal("handing over a package"))?;
    on_percent(HANDED_OVER);
    bus.call(UNITS, "StartUnit", &(UNIT, "replace")).await?;
    await_taken(&spool.package()).await?;
    await_unit(bus).await?;
    match answer(&spool.answer).await? {
        Some(why) if why.is_empty() => Ok(()),
        Some(why) => Err(Error::internal("installing packages")(why)),
        None => Err(Error::internal("installing packages")("the unit has ended without an answer")),
    }
}

/// Waits for the unit, then tells whether it has installed what waited in the spool.
pub(crate) async fn await_installation(bus: &Bus, spool: &Spool) -> Result<bool> {
    await_unit(bus).await?;
    Ok(answer(&spool.answer).await?.is_some_and(|why| why.is_empty()))
}

/// Waits until the unit has taken the package. Before that it may not have started yet, and its answer be that to an
/// earlier package, which it removes first.
async fn await_taken(package: &Path) -> Result<()> {
    let end = Instant::now() + START;
    while tokio::fs::try_exists(package).await.map_err(Error::internal("handing over a package"))? {
        if Instant::now() > end {
            return Err(Error::Unavailable { what: "the unit that installs packages" });
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

async fn await_unit(bus: &Bus) -> Result<()> {
    let end = Instant::now() + PATIENCE;
    loop {
        let state: String = bus.property(STATE, "ActiveState").await?;
        if matches!(&*state, "inactive" | "failed" | "active") {
            return Ok(());
        }
        if Instant::now() > end {
            return Err(Error::Unavailable { what: "the end of an installation" });
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn answer(file: &Path) -> Result<Option<String>> {
    match tokio::fs::read_to_string(file).await {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::internal("reading how an installation went")(error)),
    }
}

/// Puts the package with its signature into the spool, durably, once it is what was checked.
fn hand_over(folder: &Path, file: &Path, mut package: Package) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let part = file.with_extension("part");
    let mut copy = File::create(&part)?;
    package.copy_signed_to(&mut copy)?;
    copy.sync_all()?;
    fs::rename(part, file)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_package_that_the_unit_does_not_take_is_not_installed() {
        let folder = tempfile::tempdir().unwrap();
        let package = folder.path().join(PACKAGE);
        fs::write(&package, "x").unwrap();
        assert!(matches!(await_taken(&package).await, Err(Error::Unavailable { .. })));
        fs::remove_file(&package).unwrap();
        await_taken(&package).await.unwrap();
    }
}
