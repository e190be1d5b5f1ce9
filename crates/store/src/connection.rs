//! The connections: one that writes, several that read.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use crate::OpenError;
use crate::error::Fault;
use crate::migrate;

/// Name of the database file.
pub(crate) const FILE: &str = "polyface.db";

/// How long to wait for somebody outside who has locked the database file.
const BUSY: Duration = Duration::from_secs(5);
/// Prepared statements kept per connection; the product has fewer.
const STATEMENTS: usize = 128;
/// The write-ahead log is cut back to this after a checkpoint, bytes.
const WAL_LIMIT: i64 = 16 << 20;

/// The open database.
pub(crate) struct Database {
    // Before the writer, so that the writer closes last and folds the write-ahead log into the file.
    readers: Readers,
    writer: Mutex<Connection>,
}

impl Database {
    /// Opens `dir`'s database, new or old, brings it to the current version and opens the readers.
    pub(crate) fn open(dir: &Path, readers: usize) -> Result<Self, OpenError> {
        let file = dir.join(FILE);
        make_private_file(&file).map_err(OpenError::file("making the database file"))?;
        let mut writer = connect(&file, OpenFlags::SQLITE_OPEN_READ_WRITE, 8 << 10)?;
        migrate::identify(&writer)?;
        prepare_writer(&writer).map_err(OpenError::database("preparing the database"))?;
        migrate::migrate(&mut writer, dir, migrate::STEPS)?;
        let open_reader = |_| connect(&file, OpenFlags::SQLITE_OPEN_READ_ONLY, 4 << 10);
        let idle = (0..readers.max(1)).map(open_reader).collect::<Result<_, _>>()?;
        Ok(Self { readers: Readers { idle: Mutex::new(idle), returned: Condvar::new() }, writer: Mutex::new(writer) })
    }

    /// Runs `work` on an unchanging view of the database.
    pub(crate) fn read<T>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
    ) -> domain::Result<T> {
        let reader = self.readers.take();
        let view = reader.connection().unchecked_transaction().map_err(Fault::from);
        view.and_then(|view| work(&view)).map_err(|fault| fault.while_doing(doing))
    }

    /// Runs `work` as one durable transaction; nothing of it remains when it fails.
    pub(crate) fn write<T>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
    ) -> domain::Result<T> {
        self.writer().commit(doing, work)
    }

    /// The right to write, for what must happen under it before or after the transaction.
    pub(crate) fn writer(&self) -> Writer<'_> {
        // A panic inside a transaction rolled it back: the connection is sound.
        Writer(self.writer.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The right to write; nobody else writes while it is held.
pub(crate) struct Writer<'a>(MutexGuard<'a, Connection>);

impl Writer<'_> {
    /// Runs `work` as one durable transaction; nothing of it remains when it fails.
    pub(crate) fn commit<T>(
        &mut self,
        doing: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
    ) -> domain::Result<T> {
        self.attempt(work).map_err(|fault| fault.while_doing(doing))
    }

    fn attempt<T>(&mut self, work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        let transaction = self.0.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }
}

/// The reading connections; whoever finds none idle waits.
struct Readers {
    idle: Mutex<Vec<Connection>>,
    returned: Condvar,
}

impl Readers {
    fn take(&self) -> Reader<'_> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(connection) = idle.pop() {
                return Reader { home: self, connection: Some(connection) };
            }
            idle = self.returned.wait(idle).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn give_back(&self, connection: Connection) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        self.returned.notify_one();
    }
}

/// A reading connection on loan.
struct Reader<'a> {
    home: &'a Readers,
    connection: Option<Connection>,
}

impl Reader<'_> {
    #[expect(clippy::expect_used, reason = "taken only by drop")]
    fn connection(&self) -> &Connection {
        self.connection.as_ref().expect("a reader has its connection until it is dropped")
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.home.give_back(connection);
        }
    }
}

/// SQLite gives its `-wal` and `-shm` files the permissions of the database file.
fn make_private_file(file: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(file) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map(drop),
    }
}

fn connect(file: &Path, access: OpenFlags, cache_kib: i64) -> Result<Connection, OpenError> {
    // Each connection is used by one thread at a time: SQLite's own mutex would be a second one.
    let opened = Connection::open_with_flags(file, access | OpenFlags::SQLITE_OPEN_NO_MUTEX);
    let connection = opened.map_err(OpenError::database("opening the database"))?;
    set_up(&connection, cache_kib).map_err(OpenError::database("setting up the database connection"))?;
    Ok(connection)
}

fn set_up(connection: &Connection, cache_kib: i64) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    // Nothing of what is stored shall reach a temporary file elsewhere.
    connection.pragma_update(None, "temp_store", "memory")?;
    connection.pragma_update(None, "cache_size", -cache_kib)
}

fn prepare_writer(connection: &Connection) -> rusqlite::Result<()> {
    // Two embeddings and more fit a page of 8 KiB, one and a lot of air a page of 4. Set before anything is stored.
    connection.pragma_update(None, "page_size", 8192)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    // Deleted rows are overwritten with zeros: nothing of a removed person stays in the file.
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "journal_size_limit", WAL_LIMIT)
}
