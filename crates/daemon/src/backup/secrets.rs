//! Who can open a backup: recipients with key pairs, or a pass phrase.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal, Read};
use std::path::{Path, PathBuf};

use age::secrecy::{ExposeSecret, SecretString};
use age::{DecryptError, Decryptor, Encryptor, Identity, IdentityFile, Recipient, scrypt, x25519};
use anyhow::{Context, Result, bail, ensure};

use crate::config::NO_RECIPIENT;

/// What every file of age begins with.
const MAGIC: &[u8] = b"age-encryption.org/v1\n";
/// The shortest pass phrase of a new backup, characters.
const SHORTEST: usize = 12;
/// The longest, bytes.
const LONGEST: u64 = 1024;
/// Work of turning the pass phrase into a key, as a power of two: about a second and 128 MiB.
const WORK: u8 = 17;
/// What is accepted of others: eight times as much.
const MOST_WORK: u8 = 20;

/// How a backup is encrypted.
pub(super) enum Lock {
    For(Vec<x25519::Recipient>),
    PassPhrase(SecretString),
}

impl Lock {
    /// For the holders of these public keys.
    pub(super) fn for_recipients(recipients: &[String]) -> Result<Self> {
        let parse = |text: &String| match text.parse() {
            Ok(recipient) => Ok(recipient),
            Err(_) => bail!("{text:?} {NO_RECIPIENT}"),
        };
        Ok(Self::For(recipients.iter().map(parse).collect::<Result<_>>()?))
    }

    /// With a pass phrase, which is read twice from a terminal, or as one line from standard input.
    pub(super) fn with_new_pass_phrase() -> Result<Self> {
        let phrase = read_pass_phrase("Pass phrase of the backup: ")?;
        let long_enough = phrase.expose_secret().chars().count() >= SHORTEST;
        ensure!(long_enough, "the pass phrase of a backup must have at least {SHORTEST} characters");
        if io::stdin().is_terminal() {
            let again = read_pass_phrase("The same again: ")?;
            ensure!(again.expose_secret() == phrase.expose_secret(), "the two pass phrases differ");
        }
        Ok(Self::PassPhrase(phrase))
    }

    pub(super) fn encryptor(self) -> Result<Encryptor> {
        let encryptor = match self {
            Self::For(recipients) => Encryptor::with_recipients(recipients.iter().map(|r| r as &dyn Recipient)),
            Self::PassPhrase(phrase) => {
                let mut recipient = scrypt::Recipient::new(phrase);
                recipient.set_work_factor(WORK);
                Encryptor::with_recipients(std::iter::once(&recipient as &dyn Recipient))
            }
        };
        encryptor.map_err(|error| anyhow::anyhow!("the backup cannot be encrypted: {error}"))
    }
}

/// The decrypted content of a backup; asks for a pass phrase where that opens it.
pub(super) fn open(file: &Path, identities: &[PathBuf]) -> Result<impl Read + use<>> {
    let shown = file.display();
    let input = File::open(file).with_context(|| format!("{shown} cannot be read"))?;
    let mut input = BufReader::new(input);
    // Of a file without a line end the whole would be read as one line.
    let begins_well = input.fill_buf().with_context(|| format!("{shown} cannot be read"))?.starts_with(MAGIC);
    ensure!(begins_well, "{shown} is not a backup");
    let decryptor = Decryptor::new_buffered(input)
        .map_err(|error| anyhow::anyhow!("{shown} is damaged at its beginning: {error}"))?;
    let keys: Vec<Box<dyn Identity>> = if decryptor.is_scrypt() {
        let mut identity = scrypt::Identity::new(read_pass_phrase("Pass phrase of the backup: ")?);
        identity.set_max_work_factor(MOST_WORK);
        vec![Box::new(identity)]
    } else {
        ensure!(
            !identities.is_empty(),
            "{shown} is encrypted for recipients: name the file with the private key of one with --identity"
        );
        read_identities(identities)?
    };
    let wrong =
        if decryptor.is_scrypt() { "the pass phrase is wrong" } else { "none of the private keys belongs to it" };
    decryptor.decrypt(keys.iter().map(|key| &**key)).map_err(|error| match error {
        DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed | DecryptError::NoMatchingKeys => {
            anyhow::anyhow!("{shown} cannot be opened: {wrong}")
        }
        DecryptError::ExcessiveWork { .. } => {
            anyhow::anyhow!("{shown} cannot be opened: its pass phrase was made too expensive to try for this device")
        }
        error => anyhow::anyhow!("{shown} cannot be opened: {error}"),
    })
}

fn read_identities(files: &[PathBuf]) -> Result<Vec<Box<dyn Identity>>> {
    let mut all: Vec<Box<dyn Identity>> = Vec::new();
    for file in files {
        let read = || -> Result<_> {
            let content = BufReader::new(File::open(file)?);
            let identities = IdentityFile::from_buffer(content)?.into_identities();
            identities.map_err(|error| anyhow::anyhow!("{error}"))
        };
        let identities = read().with_context(|| format!("the private key {} cannot be read", file.display()))?;
        all.extend(identities.into_iter().map(|identity| identity as Box<dyn Identity>));
    }
    Ok(all)
}

fn read_pass_phrase(prompt: &str) -> Result<SecretString> {
    let phrase = if io::stdin().is_terminal() { rpassword::prompt_password(prompt) } else { read_line() };
    let phrase = SecretString::from(phrase.context("the pass phrase cannot be read")?);
    ensure!(!phrase.expose_secret().is_empty(), "a pass phrase is needed, as one line on standard input");
    Ok(phrase)
}

fn read_line() -> io::Result<String> {
    let mut line = String::new();
    BufReader::new(io::stdin().lock().take(LONGEST)).read_line(&mut line)?;
    line.truncate(line.trim_end_matches(['\r', '\n']).len());
    Ok(line)
}
