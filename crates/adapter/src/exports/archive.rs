//! Zip files of pictures with an index table.

use std::collections::HashSet;
use std::io::{self, BufWriter, Seek, Write};

use bytes::Bytes;
use domain::{Error, Result};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::{Cell, ExportFile, Exports, Table, failed};

/// Name of the table in the archive.
const INDEX: &str = "index.csv";
/// Maximum number of pictures queued for writing.
const QUEUE: usize = 2;
const WRITING: &str = "writing an archive";

/// A zip file being written: pictures, and `index.csv` with a row for each. Data is written to disk at once; memory
/// holds only a few pictures and the names. An archive that is not finished leaves no file.
pub struct Archive {
    /// In lower case: some file systems are case-insensitive.
    names: HashSet<String>,
    queue: mpsc::Sender<Piece>,
    written: JoinHandle<Result<ExportFile>>,
}

enum Piece {
    Picture { name: String, picture: Bytes, row: Vec<Cell> },
    End,
}

impl Archive {
    /// An empty archive. Its table has the column `file`, followed by `columns`.
    pub fn begin(exports: &Exports, columns: &'static [&'static str]) -> Self {
        let (queue, pieces) = mpsc::channel(QUEUE);
        let exports = exports.clone();
        let written = tokio::task::spawn_blocking(move || write(&exports, columns, pieces));
        Self { names: HashSet::from([INDEX.to_owned()]), queue, written }
    }

    /// Number of pictures so far.
    pub fn len(&self) -> usize {
        self.names.len() - 1
    }

    /// Whether there is no picture yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a picture and its row. `name` has no folders; a number is appended if it is taken. `row`: the cells after
    /// the column `file`.
    ///
    /// # Errors
    /// `StorageFull`, `Internal`; the archive is lost then.
    pub async fn add(&mut self, name: &str, picture: Bytes, row: Vec<Cell>) -> Result<()> {
        let name = self.free_name(name);
        self.names.insert(name.to_lowercase());
        self.send(Piece::Picture { name, picture, row }).await
    }

    /// The complete file.
    ///
    /// # Errors
    /// `StorageFull`, `Internal`.
    pub async fn finish(mut self) -> Result<ExportFile> {
        self.send(Piece::End).await?;
        self.written.await.map_err(Error::internal(WRITING))?
    }

    async fn send(&mut self, piece: Piece) -> Result<()> {
        if self.queue.send(piece).await.is_ok() {
            return Ok(());
        }
        // The writer ends early only because of an error.
        let ended = (&mut self.written).await.map_err(Error::internal(WRITING))?;
        Err(ended.err().unwrap_or_else(|| Error::internal(WRITING)("the writer ended early")))
    }

    fn free_name(&self, name: &str) -> String {
        let (stem, extension) = name.rsplit_once('.').unwrap_or((name, "bin"));
        let others = (2..).map(|number| format!("{stem} ({number}).{extension}"));
        let mut names = std::iter::once(name.to_owned()).chain(others);
        names.find(|name| !self.names.contains(&name.to_lowercase())).unwrap_or_default()
    }
}

fn write(exports: &Exports, columns: &[&str], pieces: mpsc::Receiver<Piece>) -> Result<ExportFile> {
    write_pieces(exports, columns, pieces).map_err(failed(WRITING))
}

fn write_pieces(exports: &Exports, columns: &[&str], mut pieces: mpsc::Receiver<Piece>) -> io::Result<ExportFile> {
    let header: Vec<&str> = ["file"].into_iter().chain(columns.iter().copied()).collect();
    let mut zip = ZipWriter::new(BufWriter::new(ExportFile::create(exports)?));
    let mut table = Table::new(ExportFile::create(exports)?, &header)?;
    loop {
        match pieces.blocking_recv() {
            Some(Piece::Picture { name, picture, row }) => {
                zip.start_file(&name, options()).map_err(into_io)?;
                zip.write_all(&picture)?;
                table.add([Cell::Text(name)].into_iter().chain(row))?;
            }
            Some(Piece::End) => break,
            None => return Err(io::Error::other("the archive was abandoned")),
        }
    }
    let mut table = table.finish()?;
    table.rewind()?;
    zip.start_file(INDEX, options()).map_err(into_io)?;
    io::copy(&mut table, &mut zip)?;
    zip.finish().map_err(into_io)?.into_inner().map_err(io::IntoInnerError::into_error)
}

/// Pictures are already compressed.
fn options() -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(CompressionMethod::Stored).unix_permissions(0o600)
}

/// Preserves the error kind, so that a full disk is recognised.
fn into_io(error: ZipError) -> io::Error {
    match error {
        ZipError::Io(error) => error,
        other => io::Error::other(other),
    }
}
