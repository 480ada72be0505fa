//! Alerts: one problem as its source reports it, and the effect of messages on it.
//!
//! [`fold()`] is the whole protocol of a keyed alert. From a state and messages it computes the new state, the
//! transitions to carry out, and the effect of each message. The result is stored with one conditional write (`version`
//! unchanged), which has these consequences:
//!
//! - The watermark only grows, and each change of status has the stamp that is the watermark at that time. When all
//!   messages are applied, the newest message decides the status, in any order of delivery, with copies, retries and
//!   crashes.
//! - A transition is committed in the same write as the watermark and stays in the ring. So a crash between the write
//!   and its publication loses nothing: the message is redelivered and recognised as stale, and its transition in the
//!   ring is carried out again.
//! - The effect of each recent message stays in the state ([`AppliedMessages`]), so a message that is redelivered after
//!   a crash is recorded with its original effect.
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
