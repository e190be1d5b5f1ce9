//! Which versions may be installed.

use std::io;

use semver::Version;

use crate::{Error, Result};

/// What the version of software is compared with.
#[derive(Debug, Clone)]
pub(super) struct Versions {
    /// The one that runs.
    pub(super) installed: Version,
    /// The lowest that may be installed.
    pub(super) floor: Option<Version>,
    /// Whether the owner wants to go back.
    pub(super) allow_downgrade: bool,
}

impl Versions {
    /// `Invalid("package version")` unless this version is above what runs, and not below the floor.
    pub(super) fn admit_newer(&self, version: &Version) -> Result<()> {
        self.admit(version, *version > self.installed, "above")
    }

    /// As [`admit_newer`](Self::admit_newer), or the version that runs.
    pub(super) fn admit_again(&self, version: &Version) -> Result<()> {
        self.admit(version, *version >= self.installed, "at or above")
    }

    fn admit(&self, version: &Version, is_new: bool, relation: &str) -> Result<()> {
        let refuse = |why| Err(Error::invalid("package version", why));
        if self.allow_downgrade {
            return Ok(());
        }
        if !is_new {
            return refuse(format!("{version} is not {relation} the installed {}", self.installed));
        }
        match &self.floor {
            Some(floor) if version < floor => refuse(format!("{version} is below {floor}, which ran here before")),
            _ => Ok(()),
        }
    }
}

pub(super) fn reading(error: io::Error) -> Error {
    Error::internal("reading a software package")(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_higher_version_not_below_the_floor_is_admitted_unless_going_back_is_allowed() {
        let version = |text: &str| text.parse::<Version>().unwrap();
        let versions = |floor: &str, allow_downgrade| Versions {
            installed: version("1.2.0"),
            floor: Some(version(floor)),
            allow_downgrade,
        };
        for (new, floor, back, admitted) in [
            ("1.2.1", "1.2.0", false, true),
            ("1.2.0", "1.2.0", false, false),
            ("1.2.0", "1.2.0", true, true),
            ("1.1.9", "1.1.0", false, false),
            ("1.1.9", "1.2.0", true, true),
            ("1.3.0", "1.4.0", false, false),
            ("1.4.0", "1.4.0", false, true),
        ] {
            assert_eq!(versions(floor, back).admit_newer(&version(new)).is_ok(), admitted, "{new} over {floor}");
        }
    }
}
