//! The follow-up of a change of an incident by an alert, a person or a timer.
//!
//! In: an incident and the entry that was written into it. Out: a [`FollowUp`] of notices (one per notified
//! destination), timers (what is due next), refreshes of cards, and the change for operators' own subscribers. All of
//! it is named after the entry, so carrying it out a second time changes nothing.
//!
//! Not here: decisions. `alerting` decides who is notified of what (`notice::plan`, `timer::timers`).

mod action;
mod alarm;
mod error;
mod follow_up;
mod queues;
mod refresh;
mod sample;
mod subject;

pub use action::{PendingAction, WRITE_WITHIN};
pub use error::DispatchError;
pub use follow_up::{FollowUp, SOON};
pub use queues::Dispatch;
pub use sample::newest_notice;
