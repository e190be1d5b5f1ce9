//! Files for download, in their own folder.

mod archive;
mod file;
mod table;

use std::collections::VecDeque;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::{IntoResponse, Response};
use domain::{Error, Result};
use tempfile::TempPath;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::io::ReaderStream;
use tokio_util::sync::CancellationToken;

pub use archive::Archive;
pub use file::ExportFile;
pub use table::{Cell, Table};

/// Maximum number of files kept.
const MAX_FILES: usize = 1000;
/// Interval between removals of expired files.
const CHECK: Duration = Duration::from_secs(60);
/// Size of the pieces in which downloads are read, bytes.
const CHUNK: usize = 64 << 10;

/// Limits on kept files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExportLimits {
    /// How long a file can be downloaded.
    pub kept: Duration,
    /// Maximum size of all files, bytes; the oldest are removed first.
    pub max_bytes: u64,
    /// Space left free on the file system for other data, bytes.
    pub keep_free: u64,
}

impl Default for ExportLimits {
    /// An hour, 1 GiB, 512 MiB.
    fn default() -> Self {
        Self { kept: Duration::from_secs(3600), max_bytes: 1 << 30, keep_free: 512 << 20 }
    }
}

/// A bounded folder of downloads; cheap to clone. Files do not outlive the process.
#[derive(Clone)]
pub struct Exports {
    shared: Arc<Shared>,
}

struct Shared {
    dir: PathBuf,
    limits: ExportLimits,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Oldest first.
    kept: VecDeque<Kept>,
    /// Bytes of files being written.
    writing: u64,
}

/// A file with a name.
struct Kept {
    name: String,
    bytes: u64,
    made: Instant,
    /// Removes the file when dropped; running downloads continue.
    path: TempPath,
}

impl Exports {
    /// Opens the folder, creating it if needed, and removes remaining files.
    ///
    /// # Errors
    /// The folder cannot be emptied or created.
    pub fn open(dir: PathBuf, limits: ExportLimits) -> io::Result<Self> {
        match fs::remove_dir_all(&dir) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        DirBuilder::new().recursive(true).mode(0o700).create(&dir)?;
        Ok(Self { shared: Arc::new(Shared { dir, limits, state: Mutex::default() }) })
    }

    /// Keeps a file as `<stem>.<extension>`, or `<stem>-2.<extension>` and so on if that name is taken. Returns the
    /// name.
    ///
    /// # Errors
    /// `StorageFull`, `Internal`.
    pub async fn keep(&self, file: ExportFile, stem: String, extension: &'static str) -> Result<String> {
        let exports = self.clone();
        blocking(move || {
            let finished = file.finish().map_err(failed("finishing an export"))?;
            let mut state = exports.shared.lock();
            let name = state.free_name(&stem, extension);
            state.keep(name.clone(), finished);
            Ok(name)
        })
        .await
    }

    /// Keeps a table under a name, replacing an older file with that name.
    ///
    /// # Errors
    /// `StorageFull`, `Internal`.
    pub async fn keep_table(&self, name: String, header: &'static [&'static str], rows: Vec<Vec<Cell>>) -> Result<()> {
        let exports = self.clone();
        blocking(move || {
            let write = || {
                let mut table = Table::new(ExportFile::create(&exports)?, header)?;
                rows.into_iter().try_for_each(|row| table.add(row))?;
                table.finish()?.finish()
            };
            let finished = write().map_err(failed("writing a table"))?;
            exports.shared.lock().keep(name, finished);
            Ok(())
        })
        .await
    }

    /// The response that downloads a file; `None` when there is no file with this name.
    ///
    /// # Errors
    /// `Internal` when the file cannot be read.
    pub async fn answer(&self, name: &str) -> Result<Option<Response>> {
        let path = self.shared.lock().kept.iter().find(|kept| kept.name == name).map(|kept| kept.path.to_path_buf());
        let Some(path) = path else { return Ok(None) };
        let file = match tokio::fs::File::open(path).await {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(failed("opening an export"))?,
        };
        let length = file.metadata().await.map_err(failed("reading an export"))?.len();
        let headers = [
            (CONTENT_TYPE, media_type(name).to_owned()),
            (CONTENT_LENGTH, length.to_string()),
            (CONTENT_DISPOSITION, "attachment".to_owned()),
            (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
            (CACHE_CONTROL, "no-store".to_owned()),
        ];
        Ok(Some((headers, Body::from_stream(ReaderStream::with_capacity(file, CHUNK))).into_response()))
    }

    /// Removes all files, finished or not, from the folder. Running downloads continue; an export that is being written
    /// cannot be downloaded.
    ///
    /// # Errors
    /// `Internal` when the folder cannot be emptied.
    pub fn remove_all(&self) -> Result<()> {
        self.shared.lock().kept.clear();
        let remove = || -> io::Result<()> {
            for entry in fs::read_dir(&self.shared.dir)? {
                match fs::remove_file(entry?.path()) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    Ok(()) | Err(_) => {}
                }
            }
            Ok(())
        };
        remove().map_err(failed("removing exports"))
    }

    /// Removes expired files until cancelled.
    pub async fn run(&self, cancel: CancellationToken) {
        let mut ticks = tokio::time::interval(CHECK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while cancel.run_until_cancelled(ticks.tick()).await.is_some() {
            drop(self.shared.lock());
        }
    }
}

impl Shared {
    /// The locked state, after removing expired files.
    fn lock(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while state.kept.front().is_some_and(|kept| kept.made.elapsed() >= self.limits.kept) {
            state.kept.pop_front();
        }
        state
    }

    /// Reserves space for `bytes` more, removing the oldest files if needed.
    fn reserve(&self, bytes: u64) -> io::Result<()> {
        let mut state = self.lock();
        while state.held() + bytes > self.limits.max_bytes || self.free()? < self.limits.keep_free + bytes {
            state.kept.pop_front().ok_or(io::ErrorKind::StorageFull)?;
        }
        state.writing += bytes;
        Ok(())
    }

    fn release(&self, bytes: u64) {
        self.lock().writing -= bytes;
    }

    /// Bytes free on the file system.
    fn free(&self) -> io::Result<u64> {
        let system = rustix::fs::statvfs(&self.dir)?;
        Ok(system.f_bavail * system.f_frsize)
    }
}

impl State {
    fn held(&self) -> u64 {
        self.writing + self.kept.iter().map(|kept| kept.bytes).sum::<u64>()
    }

    fn free_name(&self, stem: &str, extension: &str) -> String {
        let others = (2..).map(|number| format!("{stem}-{number}.{extension}"));
        let mut names = std::iter::once(format!("{stem}.{extension}")).chain(others);
        names.find(|name| self.kept.iter().all(|kept| kept.name != *name)).unwrap_or_default()
    }

    /// Keeps a file, replacing one with the same name.
    fn keep(&mut self, name: String, (path, bytes): (TempPath, u64)) {
        self.kept.retain(|kept| kept.name != name);
        self.kept.push_back(Kept { name, bytes, made: Instant::now(), path });
        while self.kept.len() > MAX_FILES {
            self.kept.pop_front();
        }
    }
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.') {
        Some((_, "zip")) => "application/zip",
        Some((_, "csv")) => "text/csv; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// Runs blocking file work outside the async runtime; it is not cancelled.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(Error::internal("processing an export"))?
}

/// Converts a file system error to a domain error.
fn failed(doing: &'static str) -> impl FnOnce(io::Error) -> Error {
    move |error| match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::StorageFull,
        _ => Error::internal(doing)(error),
    }
}
