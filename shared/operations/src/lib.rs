//! Use cases: what a person, a button, a key press or a timer does.
//!
//! In: who acts (a [`NamedActor`](alerting::base::actor::NamedActor)), what is requested, and [`dispatch::Dispatch`]: the tables, the
//! queues and the clock. Out: the object as it then is, or the typed error of the operation, which names the field at
//! fault. Example: [`incidents::act`] with `Acknowledge` returns the acknowledged incident, its notices are queued, its
//! repetition stops.
//!
//! Reading order: [`access`] who may do what → [`idempotency`] how a repeated request is recognised → [`incidents`] acting on
//! an incident → [`silences`] → [`due`] what timers change → [`holds`]
//! what keeps incidents from notifying → [`closing`] the alerts of a closed incident → [`names`] who
//! acted, as people read it → [`addresses`] where a message goes → [`verification`] whether an address is a member's own → [`presses`] buttons of cards → [`chat_links`] which chat
//! user is which member.
//!
//! The callers are thin: the routes of the API, the pages, and `timers`. They turn their request into one of these calls, and
//! the result into an answer. Each operation is one conditional write, so a caller may repeat it after any failure.
//!
//! Not here: HTTP (no status, no header), sending to vendors, passwords, and rules about alerts (they are in
//! `alerting`).

pub mod access;
pub mod addresses;
pub mod chat_links;
pub mod closing;
pub mod due;
pub mod holds;
pub mod idempotency;
pub mod incidents;
pub mod names;
pub mod presses;
pub mod saving;
pub mod silences;
pub mod verification;

/// The most alerts of one incident that are worked on at the same time: there may be 5,000 of them.
pub const ALERTS_AT_A_TIME: usize = 32;
