//! Bundles: whether one may be installed into the other slot.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use semver::Version;

use super::package::carries_signature;
use super::versions::{Versions, reading};
use crate::ports::Host;
use crate::{Bundle, Error, Result, Slots};

/// How a bundle begins: a squashfs image.
const BUNDLE_START: &[u8; 4] = b"hsqs";

/// The version of a bundle that may be installed.
pub(super) async fn admit(host: &dyn Host, file: &Path, slots: &Slots, versions: &Versions) -> Result<Version> {
    if !slots.is_good {
        // The other slot is what the machine would return to.
        return Err(Error::Busy);
    }
    let bundle = inspect(host, file).await?;
    check(&bundle, slots, versions)
}

async fn inspect(host: &dyn Host, path: &Path) -> Result<Bundle> {
    let file = path.to_owned();
    let kind = tokio::task::spawn_blocking(move || Kind::of(&file)).await;
    match kind.map_err(Error::internal("reading a software package"))?.map_err(reading)? {
        Kind::Bundle => host.inspect(path).await,
        Kind::SignedPackage => Err(Error::invalid(
            "package",
            "it is a package signed with minisign; this device has two slots and takes RAUC bundles",
        )),
        Kind::Other => Err(Error::invalid("package content", "it is not a RAUC bundle")),
    }
}

enum Kind {
    Bundle,
    SignedPackage,
    Other,
}

impl Kind {
    fn of(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        if carries_signature(&mut file)? {
            return Ok(Self::SignedPackage);
        }
        let mut start = Vec::new();
        file.seek(SeekFrom::Start(0))?;
        file.take(BUNDLE_START.len() as u64).read_to_end(&mut start)?;
        Ok(if start == BUNDLE_START { Self::Bundle } else { Self::Other })
    }
}

fn check(bundle: &Bundle, slots: &Slots, versions: &Versions) -> Result<Version> {
    let Bundle { compatible, version } = bundle;
    if *compatible != slots.compatible {
        let why = format!("it is for {compatible:?}, this device is {:?}", slots.compatible);
        return Err(Error::invalid("package product", why));
    }
    let unreadable = |_| Error::invalid("package version", format!("its version {version:?} cannot be read"));
    let version = version.parse().map_err(unreadable)?;
    versions.admit_again(&version)?;
    Ok(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots() -> Slots {
        Slots { running: "A".into(), is_good: true, fallback: None, compatible: "box-a".into(), boot: String::new() }
    }

    #[test]
    fn a_bundle_is_admitted_for_this_machine_and_not_below_what_ran() {
        let versions = |floor: Option<&str>, allow_downgrade| Versions {
            installed: Version::new(1, 2, 0),
            floor: floor.map(|text| text.parse().unwrap()),
            allow_downgrade,
        };
        let refused = |compatible: &str, version: &str, versions: &Versions| {
            let bundle = Bundle { compatible: compatible.into(), version: version.into() };
            match check(&bundle, &slots(), versions) {
                Ok(_) => "",
                Err(Error::Invalid { field, .. }) => field,
                Err(error) => panic!("{error}"),
            }
        };
        let usual = versions(Some("1.2.0"), false);
        assert_eq!(refused("box-a", "1.2.1", &usual), "");
        assert_eq!(refused("box-a", "1.2.0", &usual), "", "into the other slot, too");
        assert_eq!(refused("box-a", "1.10.0", &usual), "", "versions are not compared as texts");
        assert_eq!(refused("box-a", "1.2.0-rc.1", &usual), "package version");
        assert_eq!(refused("box-a", "1.1.9", &usual), "package version");
        assert_eq!(refused("box-a", "newest", &usual), "package version");
        assert_eq!(refused("box-b", "1.3.0", &usual), "package product");
        let fallen_back = versions(Some("1.4.0"), false);
        assert_eq!(refused("box-a", "1.3.0", &fallen_back), "package version", "below the floor");
        assert_eq!(refused("box-a", "1.4.0", &fallen_back), "");
        assert_eq!(refused("box-a", "1.1.0", &versions(Some("1.4.0"), true)), "", "the owner wants to go back");
    }

    #[test]
    fn the_kind_of_a_file_is_read_from_it() {
        let dir = tempfile::tempdir().unwrap();
        let kind = |content: &[u8]| {
            let file = dir.path().join("file");
            std::fs::write(&file, content).unwrap();
            match Kind::of(&file).unwrap() {
                Kind::Bundle => "bundle",
                Kind::SignedPackage => "package",
                Kind::Other => "other",
            }
        };
        assert_eq!(kind(b"hsqs and so on"), "bundle");
        assert_eq!(kind(b"hsqs and so on\nuntrusted comment: signature\n"), "package");
        assert_eq!(kind(b"hs"), "other");
        assert_eq!(kind(b""), "other");
    }
}
