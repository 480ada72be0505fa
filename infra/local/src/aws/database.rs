//! The file of the queues and topics (`queues.sqlite`): how it is opened, its transactions, and its errors.

use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use rusqlite::Connection;

const SCHEMA: &str = include_str!("schema.sql");

/// Releases the messages that the previous process received and did not finish: their receiver has ended with it, so they
/// are visible at once. These receives do not count; otherwise a process that is killed repeatedly would fill the
/// dead-letter queues. Deferred messages stay deferred: their receive is finished.
const RELEASE_HELD: &str =
    "UPDATE message SET visible_at = sent_at, uncounted = uncounted + 1, held = 0 WHERE held = 1";

/// Upgrades a file of a version that counted every receive.
const ADD_UNCOUNTED: &str = "ALTER TABLE message ADD COLUMN uncounted INTEGER NOT NULL DEFAULT 0";
const HAS_UNCOUNTED: &str = "SELECT EXISTS (SELECT 1 FROM pragma_table_info('message') WHERE name = 'uncounted')";

/// The thread has stopped, or the batch of this work was rolled back. None of the work was kept.
#[derive(Debug, thiserror::Error)]
#[error("the local queue storage did not keep this")]
pub struct Unavailable;

/// Why a piece of work failed.
#[derive(Debug)]
pub(crate) enum WorkError<E> {
    /// The request was refused; nothing was written.
    Refused(E),
    /// The file failed, and the batch is rolled back.
    Broken(rusqlite::Error),
}

impl<E> From<rusqlite::Error> for WorkError<E> {
    fn from(error: rusqlite::Error) -> Self {
        WorkError::Broken(error)
    }
}

impl<E> WorkError<E> {
    /// Separates a failure of the file from a refusal, which is an ordinary answer.
    pub(crate) fn split<T>(result: Result<T, Self>) -> rusqlite::Result<Result<T, E>> {
        match result {
            Ok(value) => Ok(Ok(value)),
            Err(WorkError::Refused(refusal)) => Ok(Err(refusal)),
            Err(WorkError::Broken(error)) => Err(error),
        }
    }
}

/// Called after the commit.
pub(crate) type Answer = Box<dyn FnOnce() + Send>;

/// The connection, which opens a transaction at the first write.
#[derive(Debug)]
pub(crate) struct Db {
    connection: Connection,
    dirty: Cell<bool>,
}

impl Db {
    /// `folder`: the directory of the file, which is made if needed; `None`: in memory, lost when the process ends.
    pub(super) fn open(folder: Option<&Path>) -> anyhow::Result<Self> {
        let connection = match folder {
            Some(folder) => open_file(folder)?,
            None => Connection::open_in_memory()?,
        };
        connection.execute_batch(SCHEMA).context("cannot prepare the queue storage")?;
        if !connection.query_row(HAS_UNCOUNTED, [], |row| row.get::<_, bool>(0))? {
            connection.execute_batch(ADD_UNCOUNTED).context("cannot extend the queue storage")?;
        }
        connection.execute_batch(RELEASE_HELD).context("cannot release the messages in flight")?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(Self { connection, dirty: Cell::new(false) })
    }

    pub(crate) fn read(&self) -> &Connection {
        &self.connection
    }

    pub(crate) fn write(&self) -> rusqlite::Result<&Connection> {
        if !self.dirty.get() {
            self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
            self.dirty.set(true);
        }
        Ok(&self.connection)
    }

    pub(super) fn commit(&self) -> rusqlite::Result<()> {
        if self.dirty.get() {
            self.connection.prepare_cached("COMMIT")?.execute([])?;
            self.dirty.set(false);
        }
        Ok(())
    }

    pub(super) fn rollback(&self) -> rusqlite::Result<()> {
        // SQLite rolls back by itself after some errors; then no rollback is needed.
        if self.dirty.replace(false) && !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK")?;
        }
        Ok(())
    }
}

fn open_file(folder: &Path) -> anyhow::Result<Connection> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let file = folder.join("queues.sqlite");
    crate::data::make_private(&file).with_context(|| format!("cannot make {}", file.display()))?;
    let connection = Connection::open(&file).with_context(|| format!("cannot open {}", file.display()))?;
    // A process that is stopping may still hold the file.
    connection.busy_timeout(Duration::from_secs(3))?;
    // Exclusive: a second process gets an error, and no shared-memory file is needed.
    connection
        .execute_batch(
            "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
             PRAGMA journal_size_limit = 8388608;",
        )
        .with_context(|| format!("cannot use {}; does another process have it open?", file.display()))?;
    Ok(connection)
}
