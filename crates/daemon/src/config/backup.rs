//! The section `[backup]`.

use std::path::PathBuf;

use age::x25519::Recipient;
use jiff::civil::Time;
use serde::Deserialize;

use super::{Problems, shapes};

/// Kept backups at most.
const MOST: u32 = 366;

#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub(crate) struct Backup {
    /// Public keys that can open backups.
    pub(crate) recipients: Vec<String>,
    /// Where a backup is written each day; nowhere when empty.
    pub(crate) dir: PathBuf,
    /// When, in local time.
    #[serde(deserialize_with = "shapes::clock_time")]
    pub(crate) at: Time,
    /// How many of these stay.
    pub(crate) keep: u32,
}

impl Default for Backup {
    fn default() -> Self {
        Self { recipients: Vec::new(), dir: PathBuf::new(), at: Time::constant(3, 30, 0, 0), keep: 7 }
    }
}

impl Backup {
    /// Whether a backup is written each day.
    pub(crate) fn is_daily(&self) -> bool {
        !self.dir.as_os_str().is_empty()
    }

    pub(super) fn check(&self, storage: &std::path::Path, problems: &mut Problems<'_>) {
        for (number, text) in self.recipients.iter().enumerate() {
            let key = format!("backup.recipients.{number}");
            problems.require(text.parse::<Recipient>().is_ok(), &key, NO_RECIPIENT);
        }
        let to_someone = !self.is_daily() || !self.recipients.is_empty();
        problems.require(to_someone, "backup.dir", "needs recipients, because nobody is there to enter a pass phrase");
        let outside = !self.is_daily() || self.dir.is_absolute() && !self.dir.starts_with(storage);
        problems.require(outside, "backup.dir", "must be an absolute path outside of storage.dir");
        problems.require((1..=MOST).contains(&self.keep), "backup.keep", format!("must be 1 to {MOST}"));
    }
}

/// What is wrong with a text that is not a recipient.
pub(crate) const NO_RECIPIENT: &str = "is not a public key of age, a text that begins with age1; age-keygen makes one";

#[cfg(test)]
mod tests {
    use crate::config::tests::{config, problems};

    const KEY: &str = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

    #[test]
    fn a_daily_backup_needs_a_folder_elsewhere_and_someone_who_can_open_it() {
        let set = |text: &str| problems(&format!("[storage]\ndir = \"/var/lib/polyface\"\n[backup]\n{text}"));
        assert_eq!(set(&format!("dir = \"/mnt/backup\"\nrecipients = [{KEY:?}]")), [] as [&str; 0]);
        assert_eq!(
            set("dir = \"/mnt/backup\""),
            ["`backup.dir` in a.toml line 4: needs recipients, because nobody is there to enter a pass phrase"]
        );
        for dir in ["backup", "/var/lib/polyface/backup"] {
            assert_eq!(
                set(&format!("dir = {dir:?}\nrecipients = [{KEY:?}]")),
                ["`backup.dir` in a.toml line 4: must be an absolute path outside of storage.dir"]
            );
        }
    }

    #[test]
    fn mistakes_are_named() {
        assert_eq!(config("").backup.at.to_string(), "03:30:00");
        assert_eq!(config("[backup]\nat = \"23:05\"").backup.at.to_string(), "23:05:00");
        assert_eq!(
            problems("[backup]\nat = \"25:00\"\nkeep = 0\nrecipients = [\"age1x\"]"),
            [
                "`backup.at` in a.toml line 2: \"25:00\" is not a time of day, like \"03:30\"",
                "`backup.keep` in a.toml line 3: must be 1 to 366",
                "`backup.recipients` in a.toml line 4: is not a public key of age, a text that begins with age1; \
                 age-keygen makes one",
            ]
        );
    }
}
