//! Database connections: one writer, several readers.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};

use crate::OpenError;
use crate::error::Fault;
use crate::migrate;

/// Name of the database file.
pub(crate) const FILE: &str = "polyface.db";

/// Maximum wait when another program has locked the database.
const BUSY: Duration = Duration::from_secs(5);
/// Page cache of the writer, KiB: changes of a large transaction until it is committed.
const WRITER_CACHE_KIB: i64 = 4 << 10;
/// Page cache of a reader, KiB. The kernel also caches the file, in memory that it can reclaim.
const READER_CACHE_KIB: i64 = 1 << 10;
/// Maximum number of prepared statements cached per connection; the program has fewer.
const STATEMENTS: usize = 128;
/// Size to which the write-ahead log is truncated after a checkpoint, bytes.
const WAL_LIMIT: i64 = 16 << 20;

/// The open database.
pub(crate) struct Database {
    // Declared before the writer, so that the writer closes last and checkpoints the write-ahead log.
    readers: Readers,
    writer: Mutex<Connection>,
}

impl Database {
    /// Opens or creates the database in `dir`, migrates it to the current version and opens the readers.
    pub(crate) fn open(dir: &Path, readers: usize) -> Result<Self, OpenError> {
        let file = dir.join(FILE);
        make_private_file(&file).map_err(OpenError::file("creating the database file"))?;
        let mut writer = Self::connect_writer(&file)?;
        migrate::migrate(&mut writer, dir, migrate::STEPS)?;
        Self::with_readers(&file, writer, readers)
    }

    /// Opens the database in `dir` only if it exists and has the current version.
    pub(crate) fn open_current(dir: &Path) -> Result<Self, OpenError> {
        let file = dir.join(FILE);
        let writer = Self::connect_writer(&file)?;
        migrate::require_current(&writer, migrate::STEPS)?;
        Self::with_readers(&file, writer, 1)
    }

    fn connect_writer(file: &Path) -> Result<Connection, OpenError> {
        let writer = connect(file, OpenFlags::SQLITE_OPEN_READ_WRITE, WRITER_CACHE_KIB)?;
        migrate::identify(&writer)?;
        prepare_writer(&writer).map_err(OpenError::database("preparing the database"))?;
        Ok(writer)
    }

    fn with_readers(file: &Path, writer: Connection, readers: usize) -> Result<Self, OpenError> {
        let open_reader = |_| connect(file, OpenFlags::SQLITE_OPEN_READ_ONLY, READER_CACHE_KIB);
        let idle = (0..readers.max(1)).map(open_reader).collect::<Result<_, _>>()?;
        Ok(Self { readers: Readers { idle: Mutex::new(idle), returned: Condvar::new() }, writer: Mutex::new(writer) })
    }

    /// Runs `work` on a consistent snapshot of the database.
    pub(crate) fn read<T>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
    ) -> domain::Result<T> {
        let reader = self.readers.take();
        let view = reader.connection().unchecked_transaction().map_err(Fault::from);
        view.and_then(|view| work(&view)).map_err(|fault| fault.while_doing(doing))
    }

    /// Runs `work` as one durable transaction, which is rolled back when it fails.
    pub(crate) fn write<T>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
    ) -> domain::Result<T> {
        self.writer().commit(doing, work)
    }

    /// Locks the writer, for work that must happen under the lock before or after the transaction.
    pub(crate) fn writer(&self) -> Writer<'_> {
        // A panic inside a transaction rolls it back, so the connection is still usable.
        Writer(self.writer.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The locked writer; no other write can happen meanwhile.
pub(crate) struct Writer<'a>(MutexGuard<'a, Connection>);

impl Writer<'_> {
    /// Runs `work` as one durable transaction, which is rolled back when it fails.
    pub(crate) fn commit<T>(
        &mut self,
        doing: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
    ) -> domain::Result<T> {
        self.attempt(work).map_err(|fault| fault.while_doing(doing))
    }

    /// Returns this many unused pages to the file system.
    pub(crate) fn shrink(&mut self, pages: i64) -> domain::Result<()> {
        let shrink = || -> rusqlite::Result<()> {
            let mut statement = self.0.prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
            let mut rows = statement.query([])?;
            while rows.next()?.is_some() {}
            Ok(())
        };
        shrink().map_err(|error| Fault::from(error).while_doing("shrinking the database"))
    }

    /// Writes the write-ahead log into the database and truncates it to nothing. Waits a few seconds for readers of
    /// older content; returns `false` when they still keep it in use.
    pub(crate) fn truncate_log(&mut self) -> domain::Result<bool> {
        let busy = self.0.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
        match busy {
            Ok(busy) => Ok(busy == 0),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Ok(false),
            Err(error) => Err(Fault::from(error).while_doing("truncating the write-ahead log")),
        }
    }

    fn attempt<T>(&mut self, work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        let transaction = self.0.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }
}

/// The pool of readers; a caller that finds none idle waits.
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

/// A reader taken from the pool.
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
    // Each connection is used by only one thread at a time, so SQLite's own mutex is redundant.
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
    // Stored data must not reach temporary files elsewhere.
    connection.pragma_update(None, "temp_store", "memory")?;
    connection.pragma_update(None, "cache_size", -cache_kib)
}

fn prepare_writer(connection: &Connection) -> rusqlite::Result<()> {
    // A page of 8 KiB fits more than two embeddings; one of 4 KiB would fit one and waste the rest. Must be set before
    // the first write.
    connection.pragma_update(None, "page_size", 8192)?;
    // Allows returning unused pages a few at a time. Must be set before the first write.
    connection.pragma_update(None, "auto_vacuum", "incremental")?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    // Overwrite deleted rows with zeros: no data of a removed person stays in the file.
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "journal_size_limit", WAL_LIMIT)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use domain::Error;

    use super::*;

    fn open() -> (tempfile::TempDir, Database) {
        let dir = tempfile::tempdir().unwrap();
        let database = Database::open(dir.path(), 2).unwrap();
        (dir, database)
    }

    fn insert(db: &Transaction<'_>, value: &str) -> Result<(), Fault> {
        db.execute("INSERT OR REPLACE INTO setting (name, value) VALUES ('a', ?)", [value])?;
        Ok(())
    }

    fn value(db: &Transaction<'_>) -> Result<String, Fault> {
        Ok(db.query_row("SELECT coalesce(max(value), '') FROM setting", [], |row| row.get(0))?)
    }

    #[test]
    fn a_full_disk_is_named_and_changes_nothing() {
        let (_dir, database) = open();
        let pages: i64 = database.writer().0.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
        database.writer().0.pragma_update(None, "max_page_count", pages).unwrap();
        let full = database.write("filling", |db| insert(db, &"x".repeat(1 << 20)));
        assert!(matches!(full, Err(Error::StorageFull)), "{full:?}");
        database.writer().0.pragma_update(None, "max_page_count", 1 << 20).unwrap();
        database.write("writing", |db| insert(db, "1")).unwrap();
        assert_eq!(database.read("reading", value).unwrap(), "1");
    }

    #[test]
    fn a_transaction_that_fails_or_panics_leaves_nothing() {
        let (_dir, database) = open();
        let failed = database.write("trying", |db| {
            insert(db, "1")?;
            db.execute("INSERT INTO nowhere VALUES (1)", [])?;
            Ok(())
        });
        assert!(matches!(failed, Err(Error::Internal { doing: "trying", .. })));
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            database.write("trying", |db| -> Result<(), Fault> {
                insert(db, "2")?;
                panic!("on purpose")
            })
        }));
        assert!(panicked.is_err());
        assert_eq!(database.read("reading", value).unwrap(), "");
        database.write("writing", |db| insert(db, "3")).unwrap();
    }

    #[test]
    fn readers_see_the_last_commit_while_somebody_writes() {
        let (_dir, database) = open();
        let (ask, asked) = mpsc::channel::<()>();
        std::thread::scope(|scope| {
            let database = &database;
            scope.spawn(move || {
                database.write("writing slowly", |db| {
                    insert(db, "1")?;
                    asked.recv().unwrap();
                    Ok(())
                })
            });
            // More readers than connections: each gets its turn, and none waits for the writer.
            for reader in (0..8).map(|_| scope.spawn(move || database.read("reading", value))).collect::<Vec<_>>() {
                assert_eq!(reader.join().unwrap().unwrap(), "");
            }
            ask.send(()).unwrap();
        });
        assert_eq!(database.read("reading", value).unwrap(), "1");
    }

    #[test]
    fn what_is_promised_of_durability_is_set() {
        let (_dir, database) = open();
        let writer = database.writer();
        let pragma = |name| writer.0.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
        let journal: String = writer.0.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
        let set = ["synchronous", "secure_delete", "foreign_keys", "page_size", "auto_vacuum"].map(pragma);
        assert_eq!((&*journal, set), ("wal", [2, 1, 1, 8192, 2]));
    }
}
