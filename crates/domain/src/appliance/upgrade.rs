//! Software upgrades: only a package of this product that is signed with the configured key and newer than what runs is
//! installed.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use minisign_verify::{PublicKey, Signature};
use semver::Version;
use sha2::{Digest, Sha256};

use super::{Acts, Options};
use crate::package::{ClaimError, Package, read_all, signed_version};
use crate::{Act, Error, Result};

/// Start of a signature.
const SIGNATURE_START: &[u8] = b"untrusted comment: ";
/// Maximum size of a signature including its comments, bytes.
const MAX_SIGNATURE: u64 = 4096;
/// The version that runs.
const INSTALLED: &str = env!("CARGO_PKG_VERSION");

impl Acts<'_> {
    /// Installs a software package and restarts the machine. The package is any file followed by its minisign signature
    /// (the text of the `.minisig` file), whose trusted comment is `polyface VERSION`. The file is removed in any case,
    /// and before it is checked, so that only this act reaches its content.
    ///
    /// # Errors
    /// `Invalid` with the field `package` without the signature of the configured key, `package product` when it was
    /// signed for something else, `package version` when it is not newer than what runs and `Options::allow_downgrade`
    /// is not set, `package content` when it is not what was signed; `Unavailable` when the machine cannot install
    /// packages. Nothing has changed then.
    pub async fn upgrade(self, package: &Path) -> Result<()> {
        let actor = self.permit(Act::MACHINE_UPGRADE)?;
        let path = package.to_owned();
        let package = self.blocking(move |a| open(&path).and_then(|file| verify(file, a.options()))).await?;
        tracing::info!(package.version = %package.version(), package.bytes = package.length(), "software package verified");
        self.appliance.ports().host.install(package).await?;
        self.appliance.note(&actor, Act::MACHINE_UPGRADE, "machine").await
    }
}

/// Whether this text is a public key whose signatures can be checked.
pub fn is_upgrade_key(text: &str) -> bool {
    PublicKey::from_base64(text).is_ok()
}

/// Opens the package and removes its name. Blocking.
fn open(path: &Path) -> Result<File> {
    let file = File::open(path).map_err(reading);
    std::fs::remove_file(path).map_err(reading)?;
    file
}

/// Checks signature, product and version. Blocking.
fn verify(mut file: File, options: &Options) -> Result<Package> {
    let refuse = |why: &str| Error::invalid("package", why);
    let key = options.upgrade_key.as_deref();
    let key = key.ok_or_else(|| refuse("no key is configured whose signature would count"))?;
    let key = PublicKey::from_base64(key).map_err(Error::internal("reading the upgrade key"))?;
    let (length, text) = split(&mut file).map_err(reading)?.ok_or_else(|| refuse("it carries no signature"))?;
    let signature = Signature::decode(&text).map_err(|_| refuse("its signature is broken"))?;
    let mut verifier = key.verify_stream(&signature).map_err(|_| refuse("it was signed with another key"))?;
    let mut digest = Sha256::new();
    let check = |chunk: &[u8]| {
        verifier.update(chunk);
        digest.update(chunk);
        Ok(())
    };
    read_all(&mut file, length, check).map_err(reading)?;
    // Covers the comment too.
    let changed = |_| Error::invalid("package content", "it is not what was signed");
    verifier.finalize().map_err(changed)?;
    let version = admit(signature.trusted_comment(), options.allow_downgrade)?;
    Ok(Package::new(file, length, digest.finalize().into(), version))
}

/// The version that the signed comment names, if it may be installed.
fn admit(comment: &str, allow_downgrade: bool) -> Result<Version> {
    let version = signed_version(comment).map_err(|error| match error {
        ClaimError::Product => Error::invalid("package product", "it was not signed as \"polyface VERSION\""),
        ClaimError::Version => Error::invalid("package version", "it was signed for a version that cannot be read"),
    })?;
    let installed = INSTALLED.parse().map_err(Error::internal("reading the installed version"))?;
    if version > installed || allow_downgrade {
        return Ok(version);
    }
    Err(Error::invalid("package version", format!("{version} is not above the installed {installed}")))
}

fn reading(error: io::Error) -> Error {
    Error::internal("reading a software package")(error)
}

/// The length of the content, and the signature after it; `None` without a signature.
fn split(file: &mut File) -> io::Result<Option<(u64, String)>> {
    let length = file.metadata()?.len();
    let start = length.saturating_sub(MAX_SIGNATURE);
    file.seek(SeekFrom::Start(start))?;
    let mut tail = Vec::new();
    file.take(MAX_SIGNATURE).read_to_end(&mut tail)?;
    let found = tail.windows(SIGNATURE_START.len()).rposition(|window| window == SIGNATURE_START);
    Ok(found.and_then(|at| Some((start + at as u64, String::from_utf8(tail.split_off(at)).ok()?))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_higher_version_is_admitted_unless_going_back_is_allowed() {
        let field = |comment: &str, back| match admit(comment, back) {
            Ok(_) => "",
            Err(Error::Invalid { field, .. }) => field,
            Err(error) => panic!("{error}"),
        };
        let installed = format!("polyface {INSTALLED}");
        for (comment, back, refused) in [
            ("polyface 999.0.0", false, ""),
            (&*installed, false, "package version"),
            (&*installed, true, ""),
            ("polyface 0.0.1", false, "package version"),
            ("polyface 0.0.1", true, ""),
            ("polyface 999.0.0-", true, "package version"),
            ("other 999.0.0", true, "package product"),
            ("timestamp:1764380000", true, "package product"),
        ] {
            assert_eq!(field(comment, back), refused, "{comment}");
        }
    }
}
