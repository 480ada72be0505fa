//! Reads the bodies of requests within limits, so that unfinished bodies do not fill the memory.
//!
//! - A body has to come within [`WHOLE`], with no pause longer than [`PAUSE`].
//! - All bodies that are held, from their first byte to the end of their call, share [`ROOM`]. The first [`SMALL`] bytes of
//!   each are free, so that messages of the usual size are accepted while the rest is full.
//! - Of a message for the intake, only as many bytes are kept as are needed to see that it is too large.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http_body_util::BodyExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};

/// The most bytes that Lambda accepts as an event, and so the largest body that reaches a function (Lambda quotas, read
/// 2026-11). API Gateway answers a larger one with 413.
const BODY_BYTES: usize = 6 * 1024 * 1024 - 1;
/// How long API Gateway waits for an integration (the same quotas).
const WHOLE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_secs(10);
/// The most bytes that all bodies together may hold beyond the first bytes of each: room for eight of the largest
/// events, or 170 of the largest messages.
const ROOM: usize = 48 * 1024 * 1024;
const SMALL: usize = 16 * 1024;
/// The room is counted in units of this size.
const UNIT: usize = 1024;

/// The limits of one deployment's bodies.
#[derive(Debug, Clone)]
pub(crate) struct Bodies {
    room: Arc<Semaphore>,
    pause: Duration,
}

/// A body that was read; its share of [`ROOM`] is free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) bytes: Vec<u8>,
    room: Option<OwnedSemaphorePermit>,
}

/// Why a body was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyError {
    TooLarge,
    TooSlow,
    NoMemory,
    Broken,
}

impl Bodies {
    pub(crate) fn new() -> Self {
        Self { room: Arc::new(Semaphore::new(ROOM / UNIT)), pause: PAUSE }
    }

    /// Reads a body to its end, and keeps up to `most` bytes of it.
    pub(crate) async fn read(&self, mut body: Body, most: usize) -> Result<Held, BodyError> {
        let end = Instant::now() + WHOLE;
        let mut held = Held { bytes: Vec::new(), room: None };
        let mut taken = 0;
        loop {
            let frame = timeout_at(end, timeout(self.pause, body.frame())).await;
            let Ok(Ok(frame)) = frame else { return Err(BodyError::TooSlow) };
            let Some(frame) = frame else { return Ok(held) };
            let Ok(data) = frame.map_err(|_| BodyError::Broken)?.into_data() else { continue };
            taken += data.len();
            if taken > BODY_BYTES {
                return Err(BodyError::TooLarge);
            }
            let part = &data[..data.len().min(most - held.bytes.len())];
            self.make_room(&mut held, part.len())?;
            held.bytes.extend_from_slice(part);
        }
    }

    fn make_room(&self, held: &mut Held, more: usize) -> Result<(), BodyError> {
        let wanted = (held.bytes.len() + more).saturating_sub(SMALL).div_ceil(UNIT);
        let missing = wanted.saturating_sub(held.room.as_ref().map_or(0, OwnedSemaphorePermit::num_permits));
        if missing == 0 {
            return Ok(());
        }
        let missing = u32::try_from(missing).map_err(|_| BodyError::TooLarge)?;
        let more = Arc::clone(&self.room).try_acquire_many_owned(missing).map_err(|_| BodyError::NoMemory)?;
        match &mut held.room {
            Some(room) => room.merge(more),
            None => held.room = Some(more),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1024 * 1024;

    #[tokio::test]
    async fn only_the_requested_bytes_are_kept_and_larger_bodies_are_refused() {
        let bodies = Bodies::new();
        let kept = bodies.read(Body::from(vec![b'x'; 3 * MIB]), 1000).await.expect("read");
        assert_eq!(kept.bytes.len(), 1000);
        let refused = bodies.read(Body::from(vec![b'x'; 7 * MIB]), 1000).await.expect_err("too large");
        assert_eq!(refused, BodyError::TooLarge);
    }

    // Proves: finding B4
    #[tokio::test]
    async fn while_memory_for_bodies_is_full_small_ones_are_accepted_and_large_ones_refused() {
        let bodies = Bodies::new();
        let large = || bodies.read(Body::from(vec![b'x'; 5 * MIB]), 5 * MIB);
        let mut held = Vec::new();
        let refused = loop {
            match large().await {
                Ok(body) => held.push(body),
                Err(refused) => break refused,
            }
        };
        assert_eq!((refused, held.len()), (BodyError::NoMemory, 9));
        assert!(bodies.read(Body::from(vec![b'x'; SMALL]), MIB).await.is_ok());
        held.pop();
        assert!(large().await.is_ok(), "the room of a body that is done with is free again");
    }

    #[tokio::test]
    async fn a_body_that_pauses_too_long_is_refused() {
        let begun = futures::stream::iter([Ok::<_, std::io::Error>(vec![b'x'])]);
        let body = Body::from_stream(futures::StreamExt::chain(begun, futures::stream::pending()));
        let bodies = Bodies { pause: Duration::from_millis(20), ..Bodies::new() };
        assert_eq!(bodies.read(body, MIB).await.expect_err("too slow"), BodyError::TooSlow);
    }
}
