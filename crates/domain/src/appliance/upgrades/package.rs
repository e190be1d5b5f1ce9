//! Packages: any file followed by its minisign signature (the text of the `.minisig` file), whose trusted comment is
//! `polyface VERSION`.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use minisign_verify::{PublicKey, Signature};
use semver::Version;
use sha2::{Digest, Sha256};

use super::versions::reading;
use crate::package::{ClaimError, Package, read_all, signed_version};
use crate::{Error, Result};

/// Start of a signature.
const SIGNATURE_START: &[u8] = b"untrusted comment: ";
/// Maximum size of a signature including its comments, bytes.
const MAX_SIGNATURE: u64 = 4096;

/// Whether this text is a public key whose signatures can be checked.
pub fn is_upgrade_key(text: &str) -> bool {
    PublicKey::from_base64(text).is_ok()
}

/// Checks the signature of a file by this key, and that it was made for this product. Blocking.
///
/// # Errors
/// `Invalid` with the field `package` without the signature of this key, `package product` when it was signed for
/// something else, `package version` when its version cannot be read, `package content` when it is not what was signed.
pub fn verify_package(mut file: File, key: Option<&str>) -> Result<Package> {
    let refuse = |why: &str| Error::invalid("package", why);
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
    let version = claimed(signature.trusted_comment())?;
    Ok(Package::new(file, length, digest.finalize().into(), version, text))
}

/// The version that the signed comment names.
fn claimed(comment: &str) -> Result<Version> {
    signed_version(comment).map_err(|error| match error {
        ClaimError::Product => Error::invalid("package product", "it was not signed as \"polyface VERSION\""),
        ClaimError::Version => Error::invalid("package version", "it was signed for a version that cannot be read"),
    })
}

/// Whether a signature is at the end of a file. Blocking.
pub(super) fn carries_signature(file: &mut File) -> io::Result<bool> {
    Ok(split(file)?.is_some())
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
