//! What the device remembers of upgrades, in files: another version of the program must be able to read it, whose
//! database may have another form.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use semver::Version;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The lowest version that may be installed: a text.
const FLOOR: &str = "min-version";
/// The upgrade that is not decided yet: JSON.
const PENDING: &str = "pending.json";
/// The last upgrade that was decided: JSON.
const LAST: &str = "last.json";

/// The files about upgrades in one folder. Every call blocks, and a change is on disk when it returns.
#[derive(Debug, Clone)]
pub struct Ledger {
    folder: PathBuf,
}

/// An upgrade from the moment before its first byte is written until its version is kept or taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Pending {
    /// The version that installs.
    pub(super) from: String,
    /// The version that is installed.
    pub(super) to: String,
    /// The slot that `from` runs in; `None` without slots.
    pub(super) slot: Option<String>,
    /// The start of the machine during which it is installed.
    pub(super) boot: String,
    /// Whether the installation has succeeded.
    pub(super) installed: bool,
    /// Parts of the device that did not work before; nor need they afterwards.
    pub(super) broken_before: Vec<String>,
    /// Why the new version gave itself up.
    pub(super) failure: Option<String>,
}

impl Default for Pending {
    fn default() -> Self {
        Self {
            from: String::new(),
            to: String::new(),
            slot: None,
            boot: String::new(),
            installed: true,
            broken_before: Vec::new(),
            failure: None,
        }
    }
}

/// How an upgrade ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Outcome {
    pub(super) from: String,
    pub(super) to: String,
    /// `None`: the new version was kept.
    pub(super) failure: Option<String>,
}

impl Ledger {
    /// The ledger in this folder, which need not exist.
    pub fn in_folder(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// The lowest version that may be installed; `None` before the first start that went well.
    ///
    /// # Errors
    /// `Unavailable` when it cannot be read.
    pub fn floor(&self) -> Result<Option<Version>> {
        let Some(text) = self.read(FLOOR)? else { return Ok(None) };
        text.trim().parse().map(Some).map_err(|error| {
            tracing::error!(file = FLOOR, %error, "lowest version unreadable");
            Error::Unavailable { what: "the lowest version that may be installed" }
        })
    }

    /// Whether an upgrade is not decided yet.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn is_pending(&self) -> Result<bool> {
        Ok(self.pending()?.is_some())
    }

    /// Raises the floor to this version; a higher one stays.
    pub(super) fn raise_floor(&self, to: &Version) -> Result<()> {
        if self.floor()?.is_some_and(|floor| floor >= *to) {
            return Ok(());
        }
        self.write(FLOOR, &format!("{to}\n"))
    }

    pub(super) fn pending(&self) -> Result<Option<Pending>> {
        self.parsed(PENDING)
    }

    pub(super) fn set_pending(&self, pending: &Pending) -> Result<()> {
        self.write(PENDING, &text(pending)?)
    }

    pub(super) fn last(&self) -> Result<Option<Outcome>> {
        self.parsed(LAST)
    }

    /// Ends the pending upgrade. After a crash in between it is decided once more.
    pub(super) fn decide(&self, outcome: &Outcome) -> Result<()> {
        self.write(LAST, &text(outcome)?)?;
        match fs::remove_file(self.folder.join(PENDING)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(failed(error)),
            _ => sync(&self.folder).map_err(failed),
        }
    }

    /// A value; one that cannot be read is logged and counts as none, because nothing can mend it.
    fn parsed<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        let Some(text) = self.read(name)? else { return Ok(None) };
        match serde_json::from_str(&text) {
            Ok(value) => Ok(Some(value)),
            Err(error) => {
                tracing::error!(file = name, %error, "note about an upgrade unreadable, ignored");
                Ok(None)
            }
        }
    }

    fn read(&self, name: &str) -> Result<Option<String>> {
        match fs::read_to_string(self.folder.join(name)) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        write_durably(&self.folder, name, text).map_err(failed)
    }
}

fn text(value: &impl Serialize) -> Result<String> {
    serde_json::to_string_pretty(value).map_err(Error::internal("writing a note about an upgrade"))
}

fn failed(error: io::Error) -> Error {
    Error::internal("keeping notes about upgrades")(error)
}

/// Replaces a file; after a power cut it has the former or the new text.
fn write_durably(folder: &Path, name: &str, text: &str) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let part = folder.join(format!("{name}.part"));
    let mut file = File::create(&part)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(part, folder.join(name))?;
    sync(folder)
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn the_floor_only_rises_and_nothing_is_installed_while_it_cannot_be_read() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::in_folder(&dir.path().join("new"));
        assert_eq!(ledger.floor().unwrap(), None);
        for (to, floor) in [("1.2.0", "1.2.0"), ("1.10.0", "1.10.0"), ("1.9.0", "1.10.0"), ("1.10.0-rc.1", "1.10.0")] {
            ledger.raise_floor(&version(to)).unwrap();
            assert_eq!(ledger.floor().unwrap(), Some(version(floor)));
        }
        fs::write(dir.path().join("new/min-version"), "latest").unwrap();
        assert!(matches!(ledger.floor(), Err(Error::Unavailable { .. })));
    }

    #[test]
    fn an_upgrade_is_pending_until_it_is_decided() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::in_folder(dir.path());
        assert_eq!((ledger.pending().unwrap(), ledger.last().unwrap()), (None, None));
        let pending = Pending { to: "2.0.0".into(), installed: false, ..Pending::default() };
        ledger.set_pending(&pending).unwrap();
        assert_eq!(ledger.pending().unwrap(), Some(pending));
        let outcome = Outcome { from: "1.0.0".into(), to: "2.0.0".into(), failure: Some("sick".into()) };
        ledger.decide(&outcome).unwrap();
        ledger.decide(&outcome).unwrap();
        assert_eq!((ledger.pending().unwrap(), ledger.last().unwrap()), (None, Some(outcome)));
    }

    #[test]
    fn notes_of_other_versions_are_read_and_garbled_ones_ignored() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::in_folder(dir.path());
        fs::write(dir.path().join(PENDING), r#"{"to": "9.0.0", "slot": "A", "later": [1]}"#).unwrap();
        let pending = ledger.pending().unwrap().unwrap();
        assert_eq!((&*pending.to, pending.slot.as_deref(), pending.installed), ("9.0.0", Some("A"), true));
        fs::write(dir.path().join(PENDING), "{\"to\": ").unwrap();
        assert_eq!(ledger.pending().unwrap(), None);
    }
}
