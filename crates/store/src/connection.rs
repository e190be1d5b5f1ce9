//! Database connections: one writer, several readers.

use std::fs::{self, File};
use std::io;
use std::ops::Deref;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};

use crate::OpenError;
use crate::damage::Damage;
use crate::error::Fault;
use crate::migrate;
use crate::owner::create_private;
use crate::seal::Keys;
use crate::texts::Texts;

/// Name of the database file.
pub(crate) const FILE: &str = "polyface.db";

/// Name of a database that is being written.
pub(crate) const PART: &str = "polyface.db.part";

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
    keys: Arc<Keys>,
    texts: Texts,
    damage: Arc<Damage>,
}

/// A transaction, and the keys of the values in it.
pub(crate) struct View<'a> {
    transaction: &'a Transaction<'a>,
    pub(crate) keys: &'a Keys,
    pub(crate) texts: &'a Texts,
}

impl Deref for View<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.transaction
    }
}

impl Database {
    /// Opens or creates the database in `dir`, migrates it to the current version and opens the readers.
    pub(crate) fn open(dir: &Path, keys: &Arc<Keys>, readers: usize) -> Result<Self, OpenError> {
        let file = dir.join(FILE);
        make_private_file(&file).map_err(OpenError::file("creating the database file"))?;
        let mut writer = Self::connect_writer(&file)?;
        migrate::migrate(&mut writer, dir, keys, migrate::STEPS)?;
        Self::with_readers(&file, writer, keys, readers)
    }

    /// Copies the rows of the database into a new file, changed by a statement, and puts that in its place. No other
    /// process may have it open. After a crash there is the former database or the new one.
    pub(crate) fn rewrite(self, dir: &Path, change: &str) -> Result<(), OpenError> {
        let (file, part) = (dir.join(FILE), dir.join(PART));
        let doing = "copying the database into a new file";
        migrate::start_copy(&part).map_err(OpenError::file(doing))?;
        let copied = self.writer().copy_into(&part, change).map_err(OpenError::database(doing))?;
        if !copied {
            return Err(OpenError::File { doing, source: io::ErrorKind::ResourceBusy.into() });
        }
        // The last connection that is closed removes the write-ahead log, which is empty.
        drop(self);
        let renamed = File::open(&part).and_then(|part| part.sync_all()).and_then(|()| fs::rename(&part, &file));
        renamed.and_then(|()| File::open(dir)?.sync_all()).map_err(OpenError::file(doing))
    }

    /// For tests within this crate.
    #[cfg(test)]
    pub(crate) fn testing(dir: &Path, readers: usize) -> Self {
        Self::open(dir, &Arc::new(crate::seal::test_keys()), readers).unwrap()
    }

    /// Opens the database in `dir` only if it exists and has the current version.
    pub(crate) fn open_current(dir: &Path, keys: &Arc<Keys>) -> Result<Self, OpenError> {
        let file = dir.join(FILE);
        let writer = Self::connect_writer(&file)?;
        migrate::require_current(&writer, migrate::STEPS)?;
        Self::with_readers(&file, writer, keys, 1)
    }

    fn connect_writer(file: &Path) -> Result<Connection, OpenError> {
        let writer = connect(file, OpenFlags::SQLITE_OPEN_READ_WRITE, WRITER_CACHE_KIB)?;
        migrate::identify(&writer)?;
        prepare_writer(&writer).map_err(OpenError::database("preparing the database"))?;
        Ok(writer)
    }

    fn with_readers(file: &Path, writer: Connection, keys: &Arc<Keys>, readers: usize) -> Result<Self, OpenError> {
        let open_reader = |_| connect(file, OpenFlags::SQLITE_OPEN_READ_ONLY, READER_CACHE_KIB);
        let idle = (0..readers.max(1)).map(open_reader).collect::<Result<_, _>>()?;
        let readers = Readers { idle: Mutex::new(idle), returned: Condvar::new() };
        let (writer, keys, texts) = (Mutex::new(writer), Arc::clone(keys), Texts::default());
        Ok(Self { readers, writer, keys, texts, damage: Arc::default() })
    }

    /// Runs `work` on a consistent snapshot of the database.
    pub(crate) fn read<T>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&View<'_>) -> Result<T, Fault>,
    ) -> domain::Result<T> {
        let reader = self.readers.take();
        let view = reader.connection().unchecked_transaction().map_err(Fault::from);
        let work = |transaction: Transaction<'_>| {
            work(&View { transaction: &transaction, keys: &self.keys, texts: &self.texts })
        };
        let read = view.and_then(work);
        read.inspect_err(|fault| self.damage.note(fault)).map_err(|fault| fault.while_doing(doing))
    }

    /// Whether the database was found damaged.
    pub(crate) fn damage(&self) -> &Arc<Damage> {
        &self.damage
    }

    /// Runs `work` as one durable transaction, which is rolled back when it fails.
    pub(crate) fn write<T>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&View<'_>) -> Result<T, Fault>,
    ) -> domain::Result<T> {
        self.writer().commit(doing, work)
    }

    /// Forgets the opened texts of candidates, after some were removed.
    pub(crate) fn forget_candidates(&self) {
        self.texts.forget_candidates();
    }

    /// Locks the writer, for work that must happen under the lock before or after the transaction.
    pub(crate) fn writer(&self) -> Writer<'_> {
        // A panic inside a transaction rolls it back, so the connection is still usable.
        let connection = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        Writer { connection, keys: &self.keys, texts: &self.texts, damage: &self.damage }
    }
}

/// The locked writer; no other write can happen meanwhile.
pub(crate) struct Writer<'a> {
    connection: MutexGuard<'a, Connection>,
    keys: &'a Keys,
    texts: &'a Texts,
    damage: &'a Damage,
}

impl Writer<'_> {
    /// Runs `work` as one durable transaction, which is rolled back when it fails.
    pub(crate) fn commit<T>(
        &mut self,
        doing: &'static str,
        work: impl FnOnce(&View<'_>) -> Result<T, Fault>,
    ) -> domain::Result<T> {
        let done = self.attempt(work);
        done.inspect_err(|fault| self.damage.note(fault)).map_err(|fault| fault.while_doing(doing))
    }

    /// Returns this many unused pages to the file system.
    pub(crate) fn shrink(&mut self, pages: i64) -> domain::Result<()> {
        let shrink = || -> rusqlite::Result<()> {
            let mut statement = self.connection.prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
            let mut rows = statement.query([])?;
            while rows.next()?.is_some() {}
            Ok(())
        };
        shrink().map_err(|error| Fault::from(error).while_doing("shrinking the database"))
    }

    /// Writes the write-ahead log into the database and truncates it to nothing. Waits a few seconds for readers of
    /// older content; returns `false` when they still keep it in use.
    pub(crate) fn truncate_log(&mut self) -> domain::Result<bool> {
        let busy = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
        match busy {
            Ok(busy) => Ok(busy == 0),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Ok(false),
            Err(error) => Err(Fault::from(error).while_doing("truncating the write-ahead log")),
        }
    }

    /// Copies all rows into an empty file. Returns `false` when another process keeps the write-ahead log in use.
    fn copy_into(&mut self, part: &Path, change: &str) -> rusqlite::Result<bool> {
        self.connection.execute("VACUUM INTO ?", [part.to_string_lossy()])?;
        Connection::open(part)?.execute(change, [])?;
        let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
        self.connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map(|busy| busy == 0)
    }

    fn attempt<T>(&mut self, work: impl FnOnce(&View<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&View { transaction: &transaction, keys: self.keys, texts: self.texts })?;
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
    match create_private(file) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map(drop),
    }
}

/// A connection that only reads, of an existing database in `dir`.
pub(crate) fn connect_reader(dir: &Path) -> Result<Connection, OpenError> {
    connect(&dir.join(FILE), OpenFlags::SQLITE_OPEN_READ_ONLY, READER_CACHE_KIB)
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
        let database = Database::testing(dir.path(), 2);
        (dir, database)
    }

    fn insert(db: &View<'_>, value: &str) -> Result<(), Fault> {
        db.execute("INSERT OR REPLACE INTO setting (name, sealed) VALUES ('a', ?)", [value.as_bytes()])?;
        Ok(())
    }

    fn value(db: &View<'_>) -> Result<String, Fault> {
        Ok(db.query_row("SELECT coalesce(max(CAST(sealed AS TEXT)), '') FROM setting", [], |row| row.get(0))?)
    }

    #[test]
    fn a_full_disk_is_named_and_changes_nothing() {
        let (_dir, database) = open();
        let pages: i64 = database.writer().connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
        database.writer().connection.pragma_update(None, "max_page_count", pages).unwrap();
        let full = database.write("filling", |db| insert(db, &"x".repeat(1 << 20)));
        assert!(matches!(full, Err(Error::StorageFull)), "{full:?}");
        database.writer().connection.pragma_update(None, "max_page_count", 1 << 20).unwrap();
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
        let pragma = |name| writer.connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
        let journal: String = writer.connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
        let set = ["synchronous", "secure_delete", "foreign_keys", "page_size", "auto_vacuum"].map(pragma);
        assert_eq!((&*journal, set), ("wal", [2, 1, 1, 8192, 2]));
    }
}
