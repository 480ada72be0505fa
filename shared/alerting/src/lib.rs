//! The decisions of Larkspur: types and pure functions, no I/O, no clock, no randomness.
//!
//! The modules, in the order in which a message passes through them:
//!
//! 1. [`rules`]: how an integration turns a message into an alert event. [`rules::message`]: the received message →
//!    [`rules::push_mode`]: which alert it triggers or closes → [`rules::pipeline`]: the operator's changes →
//!    [`rules::routing`]: the spaces.
//! 2. [`incident`]: what people work on. [`incident::alert`]: the effect of a message on its alert → [`incident`]: the
//!    effect on the incident → [`incident::escalation`]: who is notified and when → [`incident::notice`]: the notice to
//!    each destination.
//! 3. [`people`]: who can be notified, by which contacts, and who is on call.
//! 4. [`base`]: ids, moments, limits and secrets, which all other modules use.
//!
//! This crate must not depend on AWS, HTTP, a database, `tokio`, the system clock, environment variables, or the JSON
//! of a vendor. The caller passes the current time as a [`base::moment::Moment`].

pub mod base;
pub mod incident;
pub mod people;
pub mod rules;
