//! The decisions of Larkspur: types and pure functions, no I/O, no clock, no randomness.
//!
//! Reading order follows a message:
//!
//! 1. [`rules`]: what an integration makes of a message. [`rules::message`] what arrived → [`rules::push_mode`] what it says
//!    about which alert → [`rules::pipeline`] what the operator changes of it → [`rules::routing`] which spaces.
//! 2. [`incident`]: what people work on. [`incident::alert`] what a message does to its alert → [`incident`] what that does to
//!    the incident → [`incident::escalation`] who is notified when → [`incident::notice`] what each destination is sent.
//! 3. [`people`]: who can be notified, where, and who is on call.
//! 4. [`base`]: ids, moments, limits and secrets, which all of them use.
//!
//! What is absent here, and stays absent: AWS, HTTP, a database, `tokio`, the system clock, environment variables,
//! and any vendor's JSON. `now` always comes in as a [`base::moment::Moment`].

pub mod base;
pub mod incident;
pub mod people;
pub mod rules;
