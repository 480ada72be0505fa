//! Runs several reads at once, up to a limit.

use std::future::Future;

use tokio::task::JoinSet;

use crate::errors::ReadError;

/// The most reads at the same time.
const AT_ONCE: usize = 16;

/// The result of each input's read, in the order of the inputs. The first error ends all reads.
pub(crate) async fn concurrently<I, T, F>(inputs: Vec<I>, read: impl Fn(I) -> F) -> Result<Vec<T>, ReadError>
where
    T: Send + 'static,
    F: Future<Output = Result<T, ReadError>> + Send + 'static,
{
    let mut waiting = inputs.into_iter().enumerate();
    let mut running = JoinSet::new();
    let mut done = Vec::new();
    loop {
        while running.len() < AT_ONCE
            && let Some((index, input)) = waiting.next()
        {
            let reading = read(input);
            running.spawn(async move { (index, reading.await) });
        }
        match running.join_next().await {
            Some(Ok((index, result))) => done.push((index, result?)),
            Some(Err(panicked)) => std::panic::resume_unwind(panicked.into_panic()),
            None => break,
        }
    }
    done.sort_by_key(|(index, _)| *index);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}
