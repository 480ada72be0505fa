//! One problem as its source reports it, and what a message does to it.
//!
//! [`fold()`] is the whole protocol of a keyed alert: state + messages → new state, the transitions to carry out, and the
//! effect of each message. The result is stored with one conditional write (`version` unchanged), so:
//!
//! - the watermark only grows, and each change of status carries the stamp that is then the watermark. When all
//!   messages are applied, the newest message decides the status, in any order of delivery, with copies, retries and
//!   crashes;
//! - a transition is committed in the same write as the watermark and stays in the ring, so a crash between the write
//!   and its publication loses nothing: the message is redelivered, found stale, and its ring entry is carried out
//!   again;
//! - the effect of each of the last messages stays in the state ([`AppliedMessages`]), so a message that is redelivered
//!   after a crash is recorded with the effect that it had.
//!
//! Accepted loss: episodes that open and close within one reordering window may merge. Their messages are recorded as
//! superseded.

mod applied;
mod decide;
mod detail;
mod event;
mod fold;
mod state;

pub use applied::{AppliedMessages, Effect, RECENT};
pub use detail::{Alert, ClosingMessage};
pub use event::{AlertEvent, AlertKey, EventKind};
pub use fold::{Folded, fold, sort_key};
pub use state::{AlertState, RING, Status, Transition, TransitionKind};

#[cfg(test)]
mod tests;
