//! Where the queues and topics are kept: one file (`queues.sqlite`), and one thread that alone touches it.
//!
//! Callers hand the thread a piece of work and wait for its answer. The thread takes whatever is waiting, does it in one
//! transaction, commits, and only then answers them all, so that many concurrent sends share one commit, and an answer
//! that says "kept" is about something that is.
//!
//! **What survives what.** The journal is a write-ahead log with `synchronous = NORMAL`: a commit is in the operating
//! system's hands when it is answered, so `kill -9` of this process loses nothing. A power failure or a kernel crash
//! can lose the commits since the last checkpoint (never the file's consistency): on a laptop that is the right price
//! for not waiting for the disk on every send.
//!
//! How it fails: if a statement or the commit fails (disk full), the whole batch is rolled back, what the thread holds in
//! memory is read again from the file, and every caller of that batch hears [`Unavailable`] and tries again.

use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use anyhow::Context;
use lambda_kit::clock::Clock;
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::sns::topics::Topics;
use super::sqs::queues::Queues;

/// Pieces of work that share one commit at most: it bounds what one transaction holds, and the first caller's wait.
const BATCH: usize = 256;

/// How often the thread looks at the clock while somebody waits for a message: the clock may have been moved.
const TICK: Duration = Duration::from_millis(50);

const SCHEMA: &str = include_str!("schema.sql");

/// Takes back the receives that the process before this one did not finish: their receiver has ended with it and is not
/// going to delete the messages, so they are visible at once. These receives do not count, or a process that is killed
/// again and again would fill the dead-letter queues. What a receiver deferred stays deferred: that receive is finished.
const TAKE_BACK: &str = "UPDATE message SET visible_at = sent_at, uncounted = uncounted + 1, held = 0 WHERE held = 1";

/// A file of a version that counted every receive.
const ADD_UNCOUNTED: &str = "ALTER TABLE message ADD COLUMN uncounted INTEGER NOT NULL DEFAULT 0";
const HAS_UNCOUNTED: &str = "SELECT EXISTS (SELECT 1 FROM pragma_table_info('message') WHERE name = 'uncounted')";

/// The thread has stopped, or the batch of this work was rolled back. Nothing of it was kept.
#[derive(Debug, thiserror::Error)]
#[error("the local queue storage did not keep this")]
pub struct Unavailable;

/// Why a piece of work came to nothing.
#[derive(Debug)]
pub(crate) enum Failed<E> {
    /// Said no, having written nothing.
    Refused(E),
    /// The file failed: the batch is rolled back.
    Broken(rusqlite::Error),
}

impl<E> From<rusqlite::Error> for Failed<E> {
    fn from(error: rusqlite::Error) -> Self {
        Failed::Broken(error)
    }
}

impl<E> Failed<E> {
    /// Takes a broken file apart from a refusal, which is an answer like any other.
    pub(crate) fn apart<T>(result: Result<T, Self>) -> rusqlite::Result<Result<T, E>> {
        match result {
            Ok(value) => Ok(Ok(value)),
            Err(Failed::Refused(refusal)) => Ok(Err(refusal)),
            Err(Failed::Broken(error)) => Err(error),
        }
    }
}

/// Called after the commit.
pub(crate) type Answer = Box<dyn FnOnce() + Send>;

type Work = Box<dyn FnOnce(&mut Books) -> rusqlite::Result<Option<Answer>> + Send>;

/// The way to the thread. It ends when the last clone is gone.
#[derive(Debug, Clone)]
pub(crate) struct Storage {
    work: Sender<Work>,
}

impl Storage {
    /// `folder`: where the file is, or is made; `None`: in memory, gone with the process.
    pub(crate) fn open(folder: Option<&Path>, clock: Clock) -> anyhow::Result<Self> {
        let connection = match folder {
            Some(folder) => open_file(folder)?,
            None => Connection::open_in_memory()?,
        };
        connection.execute_batch(SCHEMA).context("cannot prepare the queue storage")?;
        if !connection.query_row(HAS_UNCOUNTED, [], |row| row.get::<_, bool>(0))? {
            connection.execute_batch(ADD_UNCOUNTED).context("cannot extend the queue storage")?;
        }
        connection.execute_batch(TAKE_BACK).context("cannot take back what was in flight")?;
        connection.set_prepared_statement_cache_capacity(64);
        let mut books = Books::read(Db { connection, dirty: Cell::new(false) }, clock)?;
        let (work, waiting) = channel();
        thread::Builder::new().name("queues".to_owned()).spawn(move || keep(&mut books, &waiting))?;
        Ok(Self { work })
    }

    /// Has the thread do `work`, and answers when it is committed.
    pub(crate) async fn run<T, E>(
        &self,
        work: impl FnOnce(&mut Books) -> Result<T, Failed<E>> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Unavailable> + Send + 'static,
    {
        let (tell, told) = oneshot::channel();
        self.submit(move |books| {
            // Nobody would hear that it was done.
            if tell.is_closed() {
                return Ok(None);
            }
            let result = Failed::apart(work(books))?;
            Ok(Some(Box::new(move || drop(tell.send(result)))))
        })?;
        told.await.unwrap_or_else(|_| Err(Unavailable.into()))
    }

    /// Has the thread do `work`, which answers in a way of its own.
    pub(crate) fn submit(
        &self,
        work: impl FnOnce(&mut Books) -> rusqlite::Result<Option<Answer>> + Send + 'static,
    ) -> Result<(), Unavailable> {
        self.work.send(Box::new(work)).map_err(|_| Unavailable)
    }
}

fn open_file(folder: &Path) -> anyhow::Result<Connection> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let file = folder.join("queues.sqlite");
    crate::data::make_private(&file).with_context(|| format!("cannot make {}", file.display()))?;
    let connection = Connection::open(&file).with_context(|| format!("cannot open {}", file.display()))?;
    // A process that has just been told to stop may still hold the file.
    connection.busy_timeout(Duration::from_secs(3))?;
    // Exclusive: a second process is told so, and no shared-memory file is needed.
    connection
        .execute_batch(
            "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
             PRAGMA journal_size_limit = 8388608;",
        )
        .with_context(|| format!("cannot use {}; does another process have it open?", file.display()))?;
    Ok(connection)
}

/// The connection, which opens a transaction at the first write.
#[derive(Debug)]
pub(crate) struct Db {
    connection: Connection,
    dirty: Cell<bool>,
}

impl Db {
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

    fn commit(&self) -> rusqlite::Result<()> {
        if self.dirty.get() {
            self.connection.prepare_cached("COMMIT")?.execute([])?;
            self.dirty.set(false);
        }
        Ok(())
    }

    fn rollback(&self) -> rusqlite::Result<()> {
        // SQLite rolls back by itself after some errors; then there is nothing left to do.
        if self.dirty.replace(false) && !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK")?;
        }
        Ok(())
    }
}

/// Everything the thread owns: the file, and what it keeps in memory of it.
pub(crate) struct Books {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) queues: Queues,
    pub(crate) topics: Topics,
}

impl Books {
    fn read(db: Db, clock: Clock) -> rusqlite::Result<Self> {
        let queues = Queues::read(&db, clock.now())?;
        let topics = Topics::read(&db)?;
        Ok(Self { db, clock, queues, topics })
    }

    /// Does a batch up to the commit; the answers are for afterwards.
    fn carry_out(&mut self, batch: &mut Vec<Work>) -> rusqlite::Result<Vec<Answer>> {
        let mut answers = Vec::with_capacity(batch.len());
        let now = self.clock.now();
        self.queues.pass_time(&self.db, now)?;
        for work in batch.drain(..) {
            answers.extend(work(self)?);
        }
        answers.extend(self.queues.serve_waiting(&self.db, self.clock.now())?);
        self.db.commit()?;
        Ok(answers)
    }

    /// After a failure: what is in memory is what is in the file again.
    fn recover(&mut self) -> rusqlite::Result<()> {
        self.db.rollback()?;
        self.queues = Queues::read(&self.db, self.clock.now())?;
        self.topics = Topics::read(&self.db)?;
        Ok(())
    }
}

/// The thread's life.
fn keep(books: &mut Books, waiting: &Receiver<Work>) {
    let mut batch = Vec::new();
    while take_batch(waiting, &mut batch, books.queues.anyone_waiting()) {
        match books.carry_out(&mut batch) {
            Ok(answers) => answers.into_iter().for_each(|answer| answer()),
            Err(error) => {
                tracing::error!(%error, "the local queue storage failed; what was not committed is rolled back");
                batch.clear();
                if let Err(error) = books.recover() {
                    tracing::error!(%error, "the local queue storage cannot be read again; it stops");
                    return;
                }
            }
        }
    }
}

/// Waits for work (or the next tick, if somebody waits for a message); false when there will be none any more.
fn take_batch(waiting: &Receiver<Work>, batch: &mut Vec<Work>, ticking: bool) -> bool {
    let first = match ticking {
        true => waiting.recv_timeout(TICK),
        false => waiting.recv().map_err(|_| RecvTimeoutError::Disconnected),
    };
    match first {
        Ok(work) => batch.push(work),
        Err(RecvTimeoutError::Timeout) => return true,
        Err(RecvTimeoutError::Disconnected) => return false,
    }
    batch.extend(waiting.try_iter().take(BATCH - 1));
    true
}
