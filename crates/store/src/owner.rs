//! Whose files are: a command that is run as root must leave none that the service cannot open.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::Path;

/// Gives a file or folder to the owner of the directory. Another user than root is not allowed to, and need not.
pub(crate) fn give_to_owner(file: &File, dir: &Path) {
    if let (Ok(file_about), Ok(dir_about)) = (file.metadata(), dir.metadata())
        && file_about.uid() != dir_about.uid()
    {
        let _ = fchown(file, Some(dir_about.uid()), Some(dir_about.gid()));
    }
}

/// Creates a file that only the owner of its folder may read.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] when there is one.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    if let Some(folder) = path.parent() {
        give_to_owner(&file, folder);
    }
    Ok(file)
}

/// Gives a copy the owner and the mode of what it was made of.
pub(crate) fn make_alike(from: &File, copy: &File) -> io::Result<()> {
    let about = from.metadata()?;
    // Another user than root may not, and need not.
    let _ = fchown(copy, Some(about.uid()), Some(about.gid()));
    copy.set_permissions(about.permissions())
}
