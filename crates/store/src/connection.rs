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
/// Pages that the writing connection keeps, KiB: what a large transaction changes, until it is committed.
const WRITER_CACHE_KIB: i64 = 4 << 10;
/// Pages that a reading connection keeps, KiB. The kernel keeps the file's as well, in memory that it can take back.
const READER_CACHE_KIB: i64 = 1 << 10;
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
        let mut writer = Self::connect_writer(&file)?;
        migrate::migrate(&mut writer, dir, migrate::STEPS)?;
        Self::with_readers(&file, writer, readers)
    }

    /// Opens `dir`'s database only if it exists and is of the current version.
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

    /// Gives so many unused pages back to the file system.
    pub(crate) fn shrink(&mut self, pages: i64) -> domain::Result<()> {
        let shrink = || -> rusqlite::Result<()> {
            let mut statement = self.0.prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
            let mut rows = statement.query([])?;
            while rows.next()?.is_some() {}
            Ok(())
        };
        shrink().map_err(|error| Fault::from(error).while_doing("shrinking the database"))
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
    // Unused pages can be given back a few at a time. Set before anything is stored, too.
    connection.pragma_update(None, "auto_vacuum", "incremental")?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    // Deleted rows are overwritten with zeros: nothing of a removed person stays in the file.
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
