//! The encrypted archive: members are hashed on their way.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};

use age::Encryptor;
use age::stream::StreamWriter;
use sha2::{Digest, Sha256};
use tar::{Builder, Header};

use super::manifest::Entry;

/// An archive that is being written.
pub(super) struct Archive {
    tar: Builder<StreamWriter<BufWriter<File>>>,
    made_at: u64,
}

impl Archive {
    /// `made_at`: the time of its members, seconds since 1970.
    pub(super) fn new(to: File, encryptor: Encryptor, made_at: u64) -> io::Result<Self> {
        let encrypted = encryptor.wrap_output(BufWriter::with_capacity(1 << 20, to))?;
        Ok(Self { tar: Builder::new(encrypted), made_at })
    }

    /// Writes a member of exactly this size.
    pub(super) fn add(&mut self, name: &str, bytes: u64, content: impl Read) -> io::Result<Entry> {
        let mut header = Header::new_gnu();
        header.set_mode(0o600);
        header.set_size(bytes);
        header.set_mtime(self.made_at);
        let mut content = Hashing::new(content.take(bytes));
        self.tar.append_data(&mut header, name, &mut content)?;
        let entry = content.entry(name);
        if entry.bytes == bytes { Ok(entry) } else { Err(io::Error::other(format!("{name} became shorter"))) }
    }

    /// Writes what is left; everything is on the disk afterwards.
    pub(super) fn finish(self) -> io::Result<()> {
        let buffered = self.tar.into_inner()?.finish()?;
        buffered.into_inner()?.sync_all()
    }
}

/// Counts and hashes what is read through it.
pub(super) struct Hashing<R> {
    inner: R,
    bytes: u64,
    hash: Sha256,
}

impl<R: Read> Hashing<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, bytes: 0, hash: Sha256::new() }
    }

    /// What was read, as the content of this member.
    pub(super) fn entry(self, name: &str) -> Entry {
        Entry { name: name.to_owned(), bytes: self.bytes, sha256: hex::encode(self.hash.finalize()) }
    }

    /// Writes everything into a file.
    pub(super) fn copy_to(&mut self, mut file: impl Write) -> io::Result<()> {
        io::copy(self, &mut file).and_then(|_| file.flush())
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.bytes += count as u64;
        self.hash.update(&buffer[..count]);
        Ok(count)
    }
}
