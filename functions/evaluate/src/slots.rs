//! Limits how many alert keys of a batch are worked on at a time. A key that only waits for others gives its slot to another one,
//! so that all alerts of a batch that join one incident can wait in its queue together and be written at once.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Alert keys that one invocation works on at a time: enough to hide the table's latency on 128 MB.
pub(crate) const CONCURRENT_KEYS: usize = 16;

tokio::task_local! {
    static SLOT: Slot;
}

/// The slots of one batch.
#[derive(Clone)]
pub(crate) struct Slots(Arc<Semaphore>);

/// The slot of a key. It has no permit while the key waits.
struct Slot {
    slots: Slots,
    permit: Mutex<Option<OwnedSemaphorePermit>>,
}

impl Slots {
    pub(crate) fn new(at_a_time: usize) -> Self {
        Self(Arc::new(Semaphore::new(at_a_time)))
    }

    /// Waits for a slot, then does the work.
    pub(crate) async fn work<T>(&self, work: impl Future<Output = T>) -> T {
        let slot = Slot { slots: self.clone(), permit: Mutex::new(self.take().await) };
        SLOT.scope(slot, work).await
    }

    async fn take(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0).acquire_owned().await.ok() // it is never closed
    }
}

/// Waits without occupying a slot.
pub(crate) async fn without_slot<T>(wait: impl Future<Output = T>) -> T {
    let set = |permit| {
        let put = |slot: &Slot| *slot.permit.lock().unwrap_or_else(PoisonError::into_inner) = permit;
        SLOT.try_with(put).unwrap_or_default(); // outside a slot there is nothing to set
    };
    set(None);
    let done = wait.await;
    if let Ok(slots) = SLOT.try_with(|slot| slot.slots.clone()) {
        set(slots.take().await);
    }
    done
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Barrier;

    use super::*;

    #[tokio::test]
    async fn no_more_work_at_a_time_than_there_are_slots_and_all_of_it_waits_together() {
        let slots = Slots::new(2);
        let (working, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let all = Barrier::new(10);
        let step = async || {
            most.fetch_max(working.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            working.fetch_sub(1, Ordering::SeqCst);
        };
        let work = (0..10).map(|_| {
            slots.work(async {
                step().await;
                without_slot(all.wait()).await; // only all ten together pass it
                step().await;
            })
        });
        futures::future::join_all(work).await;
        assert_eq!((most.into_inner(), slots.0.available_permits()), (2, 2));
    }
}
