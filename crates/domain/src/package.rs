//! A software package whose signature was checked.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use semver::Version;
use sha2::{Digest, Sha256};

/// The product that packages are for.
const PRODUCT: &str = "polyface";
/// Bytes read at a time.
const CHUNK: usize = 64 << 10;

/// A software package of this product whose signature was checked. It is read through [`copy_to`](Self::copy_to) only,
/// which yields the checked bytes or fails.
#[derive(Debug)]
pub struct Package {
    file: File,
    length: u64,
    digest: [u8; 32],
    version: Version,
    signature: String,
}

impl Package {
    /// The first `length` bytes of a file, which had this SHA-256 when the signature was checked.
    pub(crate) fn new(file: File, length: u64, digest: [u8; 32], version: Version, signature: String) -> Self {
        Self { file, length, digest, version, signature }
    }

    /// Its size, bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Its version, as signed.
    pub fn version(&self) -> &Version {
        &self.version
    }

    /// Writes the package. Blocking. Activate what was written only after success.
    ///
    /// # Errors
    /// Of `out`, and `InvalidData` when the file is no longer what was checked; part of it was written then.
    pub fn copy_to(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let mut copied = Sha256::new();
        read_all(&mut self.file, self.length, |chunk| {
            copied.update(chunk);
            out.write_all(chunk)
        })?;
        out.flush()?;
        let same = <[u8; 32]>::from(copied.finalize()) == self.digest;
        if same { Ok(()) } else { Err(io::Error::new(io::ErrorKind::InvalidData, "the package has changed")) }
    }
}

impl Package {
    /// As [`copy_to`](Self::copy_to), with the signature after it, for one who checks it again.
    ///
    /// # Errors
    /// As [`copy_to`](Self::copy_to).
    pub fn copy_signed_to(&mut self, out: &mut dyn Write) -> io::Result<()> {
        self.copy_to(out)?;
        out.write_all(self.signature.as_bytes())?;
        out.flush()
    }
}

/// Hands the first `length` bytes of a file over, in pieces.
pub(crate) fn read_all(file: &mut File, length: u64, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    file.seek(SeekFrom::Start(0))?;
    let mut content = file.take(length);
    let mut chunk = vec![0; CHUNK];
    loop {
        match content.read(&mut chunk)? {
            0 => return Ok(()),
            read => take(&chunk[..read])?,
        }
    }
}

/// The version of a signed comment `polyface VERSION`.
///
/// # Errors
/// Why it is none.
pub(crate) fn signed_version(comment: &str) -> Result<Version, ClaimError> {
    let (product, version) = comment.trim().split_once(' ').ok_or(ClaimError::Product)?;
    if product != PRODUCT {
        return Err(ClaimError::Product);
    }
    version.trim().parse().map_err(|_| ClaimError::Version)
}

/// Why a signed comment names no version of this product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClaimError {
    /// It names another product, or none.
    Product,
    /// The version cannot be read.
    Version,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_names_product_and_version() {
        assert_eq!(signed_version("polyface 1.2.3"), Ok(Version::new(1, 2, 3)));
        for other in ["timestamp:1\tfile:x", "", "polyface", "polyfaced 1.2.3", "POLYFACE 1.2.3", "1.2.3"] {
            assert_eq!(signed_version(other), Err(ClaimError::Product), "{other}");
        }
        for unreadable in
            ["polyface 1.2", "polyface v1.2.3", "polyface 1.2.3 9.9.9", "polyface 18446744073709551616.0.0"]
        {
            assert_eq!(signed_version(unreadable), Err(ClaimError::Version), "{unreadable}");
        }
    }

    #[test]
    fn a_file_that_changed_after_the_check_is_not_copied() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"checked, signature").unwrap();
        let digest = Sha256::digest(b"checked").into();
        let mut other = file.try_clone().unwrap();
        let mut package = Package::new(file, 7, digest, Version::new(1, 0, 0), " signed".to_owned());
        let mut copy = Vec::new();
        package.copy_to(&mut copy).unwrap();
        assert_eq!(copy, b"checked");
        package.copy_signed_to(&mut copy).unwrap();
        assert_eq!(copy, b"checkedchecked signed");
        other.seek(SeekFrom::Start(0)).unwrap();
        other.write_all(b"Evil").unwrap();
        assert_eq!(package.copy_to(&mut Vec::new()).unwrap_err().kind(), io::ErrorKind::InvalidData);
        other.set_len(3).unwrap();
        assert_eq!(package.copy_to(&mut Vec::new()).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
