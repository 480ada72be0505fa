//! What follows from a change of an incident, whoever made it: an alert, a person, a timer.
//!
//! In: an incident and the entry that was written into it. Out: a [`FollowUp`] of notices (one per destination that hears
//! of it), timers (what is due next), and the change that operators' own subscribers hear. Carrying it out a second time
//! changes nothing: all of it is named after the entry.
//!
//! What is absent here: decisions. Who is told what is `alerting`'s business (`notice::plan`, `timer::timers`).

mod action;
mod alarm;
mod error;
mod follow_up;
mod queues;
mod subject;

pub use action::{PendingAction, WRITE_WITHIN};
pub use error::DispatchError;
pub use follow_up::{FollowUp, SOON};
pub use queues::Dispatch;
