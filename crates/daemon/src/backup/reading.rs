//! Reads a backup into the folder of a restoration. Everything in it is untrusted: names are compared with known ones, sizes
//! are bounded before anything is written, and the manifest must name exactly what was there.

use std::collections::BTreeSet;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, BufWriter, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use domain::names::printable;
use store::{Incoming, StoreKey};
use tar::Archive;

use super::archive::Hashing;
use super::manifest::{Entry, FORMAT, Manifest, Notes};
use super::names::{self, Member};

/// Room that stays free on the file system, bytes.
const SPARE: u64 = 64 << 20;
/// What may follow the end of the archive: padding.
const PADDING: u64 = 64 << 10;

/// What a backup has beside files.
pub(super) struct Opened {
    pub(super) manifest: Manifest,
    /// The key that its data keys are wrapped by.
    pub(super) key: StoreKey,
}

/// Reads every member into its place and compares it with the manifest.
pub(super) fn read(mut content: impl Read, into: &Incoming) -> Result<Opened> {
    let mut reading = Reading::new(into);
    let mut archive = Archive::new(&mut content);
    // Raw: extensions of the format, which name other members, are members of unknown names.
    for member in archive.entries().context(DAMAGED)?.raw(true) {
        let mut member = member.context(DAMAGED)?;
        ensure!(reading.manifest.is_none(), "the backup has a member after its manifest");
        let plain = member.header().entry_type().is_file();
        let name = String::from_utf8_lossy(&member.header().path_bytes()).into_owned();
        let known = Member::named(&name).filter(|_| plain);
        let known = known.with_context(|| format!("the backup has an unknown member {}", printable(&name)))?;
        let bytes = member.header().entry_size().context(DAMAGED)?;
        reading.member(&name, known, bytes, &mut member)?;
    }
    require_end(&mut content)?;
    reading.finish()
}

/// What an error while reading means.
const DAMAGED: &str = "the backup is cut short or damaged";

/// Only the end of the encrypted content proves that nothing was cut off.
fn require_end(content: &mut impl Read) -> Result<()> {
    let mut rest = Vec::new();
    content.take(PADDING).read_to_end(&mut rest).context(DAMAGED)?;
    ensure!(rest.len() < PADDING as usize && rest.iter().all(|byte| *byte == 0), "data follows the end of the backup");
    Ok(())
}

struct Reading<'a> {
    into: &'a Incoming,
    seen: BTreeSet<String>,
    notes: Notes,
    key: Option<StoreKey>,
    manifest: Option<Manifest>,
}

impl<'a> Reading<'a> {
    fn new(into: &'a Incoming) -> Self {
        Self { into, seen: BTreeSet::new(), notes: Notes::default(), key: None, manifest: None }
    }

    fn member(&mut self, name: &str, member: Member, bytes: u64, content: &mut impl Read) -> Result<()> {
        if let Some(most) = member.most_bytes() {
            ensure!(bytes <= most, "{name} in the backup is too large: {bytes} bytes, at most {most}");
        }
        let free = self.into.free().context("the free space cannot be read")?;
        ensure!(
            bytes.saturating_add(SPARE) <= free,
            "the backup does not fit: {name} has {bytes} bytes, and {free} are free"
        );
        let mut content = Hashing::new(content);
        let entry = match self.place(&member)? {
            Some(file) => self.write(name, &file, content)?,
            None => {
                let mut bytes = Vec::new();
                content.read_to_end(&mut bytes).context(DAMAGED)?;
                self.keep(&member, &bytes)?;
                content.entry(name)
            }
        };
        ensure!(entry.bytes == bytes, DAMAGED);
        match member {
            Member::Manifest => {}
            Member::Picture(_) => self.notes.note_picture(&entry),
            other => {
                ensure!(self.seen.insert(name.to_owned()), "the backup has {name} twice");
                self.notes.members.push(entry);
                if other == Member::Database {
                    // Long before the pictures have been read.
                    self.into.version()?;
                }
            }
        }
        Ok(())
    }

    /// The file of a member; `None` for what is only kept in memory.
    fn place(&self, member: &Member) -> Result<Option<PathBuf>> {
        let folder = self.into.folder();
        Ok(Some(match member {
            Member::Key | Member::Manifest => return Ok(None),
            Member::Database => self.into.database(),
            Member::DataKeys => self.into.data_keys(),
            Member::Own(name) => folder.join(name),
            Member::Sound(name) => names::sound_file(&folder, name),
            Member::Picture(id) => self.into.picture(id).context("a folder cannot be made")?,
        }))
    }

    fn write(&self, name: &str, file: &Path, mut content: Hashing<impl Read>) -> Result<Entry> {
        let create = || -> io::Result<_> {
            if let Some(folder) = file.parent() {
                DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            }
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)
        };
        let created = create().map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => anyhow::anyhow!("the backup has {name} twice"),
            _ => anyhow::anyhow!("{} cannot be written: {error}", file.display()),
        })?;
        content.copy_to(BufWriter::new(created)).map_err(|error| match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => anyhow::anyhow!("the disk is full"),
            _ => anyhow::Error::new(error).context(DAMAGED),
        })?;
        Ok(content.entry(name))
    }

    fn keep(&mut self, member: &Member, bytes: &[u8]) -> Result<()> {
        match member {
            Member::Key => self.key = Some(StoreKey::parse(bytes).context("store.key in the backup is no key")?),
            _ => self.manifest = Some(manifest(bytes)?),
        }
        Ok(())
    }

    fn finish(self) -> Result<Opened> {
        let manifest = self.manifest.context("the backup has no manifest")?;
        let (members, pictures) = self.notes.finish();
        for required in [names::DATABASE, names::DATA_KEYS, names::KEY] {
            ensure!(self.seen.contains(required), "the backup has no {required}");
        }
        for entry in &members {
            let listed = manifest.members.iter().find(|listed| listed.name == entry.name);
            let listed = listed.with_context(|| format!("the backup has a member {} too many", entry.name))?;
            ensure!(listed == entry, "{} in the backup is not what its manifest says", entry.name);
        }
        ensure!(members.len() == manifest.members.len(), "the backup lacks a member that its manifest names");
        let same = (pictures.count, pictures.bytes, &pictures.sha256)
            == (manifest.pictures.count, manifest.pictures.bytes, &manifest.pictures.sha256);
        ensure!(same, "the pictures in the backup are not those that its manifest names");
        let key = self.key.context("the backup has no store.key")?;
        Ok(Opened { manifest, key })
    }
}

fn manifest(bytes: &[u8]) -> Result<Manifest> {
    #[derive(serde::Deserialize)]
    struct Form {
        format: u32,
    }
    let Form { format } = serde_json::from_slice(bytes).context("the manifest of the backup cannot be read")?;
    if format > FORMAT {
        bail!("the backup has format {format}, this program reads formats up to {FORMAT}: install a newer version");
    }
    serde_json::from_slice(bytes).context("the manifest of the backup cannot be read")
}
