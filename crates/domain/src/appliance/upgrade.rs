//! Software upgrades: only a package signed with the configured key is installed.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use minisign_verify::{PublicKey, Signature};

use super::Acts;
use crate::{Act, Error, Result};

/// Start of a signature.
const SIGNATURE_START: &[u8] = b"untrusted comment: ";
/// Maximum size of a signature including its comments, bytes.
const MAX_SIGNATURE: u64 = 4096;

impl Acts<'_> {
    /// Installs a software package and restarts the machine. The package is any file followed by its minisign signature
    /// (the text of the `.minisig` file). The file is removed in any case.
    ///
    /// # Errors
    /// `Invalid` for a package without the signature of the configured key; `Unavailable` when the machine cannot
    /// install packages. Nothing has changed then.
    pub async fn upgrade(self, package: &Path) -> Result<()> {
        let actor = self.permit(Act::MACHINE_UPGRADE)?;
        let (file, key) = (package.to_owned(), self.appliance.options().upgrade_key.clone());
        let done = match self.blocking(move |_| verify(&file, key.as_deref())).await {
            Ok(()) => self.appliance.ports().host.install(package).await,
            Err(error) => Err(error),
        };
        // Fails when the host has moved the file.
        let _ = tokio::fs::remove_file(package).await;
        done?;
        self.appliance.note(&actor, Act::MACHINE_UPGRADE, "machine").await
    }
}

/// Whether this text is a public key whose signatures can be checked.
pub fn is_upgrade_key(text: &str) -> bool {
    PublicKey::from_base64(text).is_ok()
}

/// Checks the signature and removes it from the file. Blocking.
fn verify(package: &Path, key: Option<&str>) -> Result<()> {
    let refuse = |why: &str| Error::invalid("package", why);
    let key = key.ok_or_else(|| refuse("no key is configured whose signature would count"))?;
    let key = PublicKey::from_base64(key).map_err(Error::internal("reading the upgrade key"))?;
    let mut file = File::options().read(true).write(true).open(package).map_err(reading)?;
    let (length, text) = split(&mut file).map_err(reading)?.ok_or_else(|| refuse("it carries no signature"))?;
    let signature = Signature::decode(&text).map_err(|_| refuse("its signature is broken"))?;
    let mut verifier = key.verify_stream(&signature).map_err(|_| refuse("it was signed with another key"))?;
    read_all(&mut file, length, |chunk| verifier.update(chunk)).map_err(reading)?;
    verifier.finalize().map_err(|_| refuse("it is not what was signed"))?;
    file.set_len(length).map_err(reading)?;
    file.sync_all().map_err(reading)
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

fn read_all(file: &mut File, length: u64, mut take: impl FnMut(&[u8])) -> io::Result<()> {
    file.seek(SeekFrom::Start(0))?;
    let mut content = file.take(length);
    let mut chunk = vec![0; 64 << 10];
    loop {
        match content.read(&mut chunk)? {
            0 => return Ok(()),
            read => take(&chunk[..read]),
        }
    }
}
