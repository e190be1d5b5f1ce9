//! The content of a signed package: a tar archive of Debian packages of this product.

use std::fs::{self, File};
use std::io::{self, Seek};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use domain::Package;

/// The Debian packages that may be in it. The first must be, and has the version of the whole.
const NAMES: [&str; 3] = ["polyface", "polyface-models", "polyface-onnxruntime"];
/// The largest number of members.
const MEMBERS: usize = 8;

/// Unpacks a package into a new folder, durably.
pub(super) fn unpack(package: &mut Package, into: &Path) -> Result<()> {
    if into.exists() {
        fs::remove_dir_all(into).context("the remains of an interrupted installation cannot be removed")?;
    }
    fs::create_dir(into).context("the packages cannot be unpacked")?;
    let mut archive = tempfile_in(into).context("the packages cannot be unpacked")?;
    package.copy_to(&mut archive).context("the package cannot be read")?;
    archive.rewind().context("the package cannot be read")?;
    for (count, member) in tar::Archive::new(archive).entries().context("it is not a tar archive")?.enumerate() {
        let mut member = member.context("it is not a tar archive")?;
        ensure!(count < MEMBERS, "it has more than {MEMBERS} members");
        let name = member.path().ok().and_then(|path| path.to_str().map(str::to_owned)).unwrap_or_default();
        let regular = member.header().entry_type().is_file();
        ensure!(regular && is_plain(&name), "its member {name:?} is not a Debian package");
        let mut file = File::create_new(into.join(&name)).with_context(|| format!("{name} cannot be unpacked"))?;
        io::copy(&mut member, &mut file).with_context(|| format!("{name} cannot be unpacked"))?;
        file.sync_all().with_context(|| format!("{name} cannot be unpacked"))?;
    }
    File::open(into).and_then(|folder| folder.sync_all()).context("the packages cannot be unpacked")
}

/// A file without a name.
fn tempfile_in(folder: &Path) -> io::Result<File> {
    let path = folder.join("archive");
    let file = fs::OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
    fs::remove_file(path)?;
    Ok(file)
}

/// Whether this is the file name of a Debian package, and no path.
fn is_plain(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '+' | '~' | '-');
    name.ends_with(".deb") && !name.starts_with('.') && name.chars().all(allowed)
}

/// Rejects what is not a package of this product, or another version of it.
pub(super) fn check(folder: &Path, version: &str) -> Result<()> {
    let mut found = false;
    for entry in fs::read_dir(folder).context("the packages cannot be listed")? {
        let file = entry.context("the packages cannot be listed")?.path();
        let (name, own) = (field(&file, "Package")?, field(&file, "Version")?);
        if !NAMES.contains(&&*name) {
            bail!("it contains the Debian package {name:?}, which is not of this product");
        }
        if name == NAMES[0] {
            ensure!(own == version, "it was signed as {version}, but contains {name} {own}");
            found = true;
        }
    }
    ensure!(found, "it contains no Debian package {}", NAMES[0]);
    Ok(())
}

fn field(file: &Path, name: &str) -> Result<String> {
    let output =
        Command::new("dpkg-deb").arg("--field").arg(file).arg(name).output().context("dpkg-deb cannot be run")?;
    ensure!(output.status.success(), "{} is not a Debian package", file.display());
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
