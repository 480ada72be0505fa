//! Stores the queues and topics: one file (`queues.sqlite`, see `database`), used by one thread only.
//!
//! Callers hand the thread a piece of work and wait for its answer. The thread does all waiting work in one
//! transaction, commits, and only then answers. So many concurrent sends share one commit, and every answer is about
//! committed work.
//!
//! **Durability.** The journal is a write-ahead log with `synchronous = NORMAL`: when a commit is answered, the
//! operating system has its data, so `kill -9` of this process loses nothing. A power failure or a kernel crash can
//! lose the commits since the last checkpoint, but the file stays consistent. On a laptop this is acceptable, because
//! no send waits for the disk.
//!
//! How it fails: if a statement or the commit fails (disk full), the whole batch is rolled back, the thread reads its
//! memory again from the file, and every caller of that batch gets `Unavailable` and retries.

use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use lambda_kit::clock::Clock;
use tokio::sync::oneshot;

use super::database::{Answer, Db, Unavailable, WorkError};
use super::sns::topics::Topics;
use super::sqs::queues::Queues;

/// The most pieces of work in one commit. This bounds the size of a transaction and the wait of its first caller.
const BATCH: usize = 256;

/// How often the thread reads the clock while a receiver waits for a message: the clock may have been moved.
const TICK: Duration = Duration::from_millis(50);

type Work = Box<dyn FnOnce(&mut State) -> rusqlite::Result<Option<Answer>> + Send>;

/// A handle to the thread, which ends when the last clone is dropped.
#[derive(Debug, Clone)]
pub(crate) struct Storage {
    work: Sender<Work>,
}

impl Storage {
    /// `folder`: the directory of the file, which is made if needed; `None`: in memory, lost when the process ends.
    pub(crate) fn open(folder: Option<&Path>, clock: Clock) -> anyhow::Result<Self> {
        let mut state = State::read(Db::open(folder)?, clock)?;
        let (work, waiting) = channel();
        thread::Builder::new().name("queues".to_owned()).spawn(move || run_thread(&mut state, &waiting))?;
        Ok(Self { work })
    }

    /// Runs `work` on the thread, and returns its result when it is committed.
    pub(crate) async fn run<T, E>(
        &self,
        work: impl FnOnce(&mut State) -> Result<T, WorkError<E>> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Unavailable> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.submit(move |state| {
            // The caller no longer waits and could not learn that the work was done.
            if reply.is_closed() {
                return Ok(None);
            }
            let result = WorkError::split(work(state))?;
            Ok(Some(Box::new(move || drop(reply.send(result)))))
        })?;
        answer.await.unwrap_or_else(|_| Err(Unavailable.into()))
    }

    /// Runs `work` on the thread; `work` makes its own answer.
    pub(crate) fn submit(
        &self,
        work: impl FnOnce(&mut State) -> rusqlite::Result<Option<Answer>> + Send + 'static,
    ) -> Result<(), Unavailable> {
        self.work.send(Box::new(work)).map_err(|_| Unavailable)
    }
}

/// Everything that the thread owns: the file, and the state that it keeps in memory.
pub(crate) struct State {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) queues: Queues,
    pub(crate) topics: Topics,
}

impl State {
    fn read(db: Db, clock: Clock) -> rusqlite::Result<Self> {
        let queues = Queues::read(&db, clock.now())?;
        let topics = Topics::read(&db)?;
        Ok(Self { db, clock, queues, topics })
    }

    /// Does a batch up to the commit. The answers are to be sent after it.
    fn run_batch(&mut self, batch: &mut Vec<Work>) -> rusqlite::Result<Vec<Answer>> {
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

    /// After a failure, reads the state in memory again from the file.
    fn recover(&mut self) -> rusqlite::Result<()> {
        self.db.rollback()?;
        self.queues = Queues::read(&self.db, self.clock.now())?;
        self.topics = Topics::read(&self.db)?;
        Ok(())
    }
}

/// The loop of the thread.
fn run_thread(state: &mut State, waiting: &Receiver<Work>) {
    let mut batch = Vec::new();
    while take_batch(waiting, &mut batch, state.queues.anyone_waiting()) {
        match state.run_batch(&mut batch) {
            Ok(answers) => answers.into_iter().for_each(|answer| answer()),
            Err(error) => {
                tracing::error!(%error, "the local queue storage failed; what was not committed is rolled back");
                batch.clear();
                if let Err(error) = state.recover() {
                    tracing::error!(%error, "the local queue storage cannot be read again; it stops");
                    return;
                }
            }
        }
    }
}

/// Waits for work, or for the next tick if a receiver waits for a message. Returns false when no more work can come.
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
