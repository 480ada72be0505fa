//! One problem as its source reports it, and what a message does to it.
//!
//! [`fold`] is the whole protocol of a keyed alert: state + messages → new state, the transitions to carry out, and
//! what became of each message. It is written down with one conditional write (`version` unchanged), so:
//!
//! - the watermark only grows, and each change of status carries the stamp that is then in it: at rest the status is the
//!   verdict of the newest message, whatever the order, the copies, the retries and the crashes;
//! - a transition is committed in the same write as the watermark and stays in the ring, so a crash between the write
//!   and its publication loses nothing: the message comes back, is found stale, and its ring entry is carried out again;
//! - what each of the last messages did stays in the state ([`Applied`]), so a message that comes back after a crash is
//!   recorded as what the alert counted it as.
//!
//! Given up: episodes that open and close within one reordering window may merge; their messages are superseded, and
//! listed as such.

mod applied;
mod decide;
mod detail;
mod event;
mod fold;
mod state;

pub use applied::{Applied, Effect, RECENT};
pub use detail::{Alert, ClosingMessage};
pub use event::{AlertEvent, AlertKey, Verdict};
pub use fold::{Folded, fold, sort_key};
pub use state::{AlertState, RING, Status, Transition, TransitionKind};

#[cfg(test)]
mod tests;
