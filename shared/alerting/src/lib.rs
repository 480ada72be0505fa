//! The decisions of Larkspur: types and pure functions, no I/O, no clock, no randomness.
//!
//! Reading order follows a message: [`message`] what arrived → [`push_mode`] what it says about which alert →
//! [`pipeline`] what the operator changes of it → [`alert`] what it does to that alert → [`routing`] which spaces →
//! [`incident`] what people work on → [`notice`] who is told.
//!
//! What is absent here, and stays absent: AWS, HTTP, a database, `tokio`, the system clock, environment variables,
//! and any vendor's JSON. `now` always comes in as a [`moment::Moment`].

pub mod actor;
pub mod alert;
pub mod assignment;
pub mod change;
mod checks;
pub mod code;
pub mod compiled;
mod cost;
pub mod destination;
pub mod escalation;
pub mod filter;
pub mod grouping;
pub mod hours;
pub mod ids;
pub mod incident;
pub mod integration;
pub mod key;
pub mod limits;
pub mod link;
mod literals;
pub mod mapping;
pub mod matcher;
pub mod message;
pub mod moment;
pub mod notice;
pub mod notified;
pub mod pattern;
pub mod people;
pub mod pipeline;
pub mod policy;
pub mod push_mode;
pub mod rate;
pub mod routing;
pub mod rules;
pub mod sample;
pub mod sandbox;
pub mod schedule;
pub mod secret;
pub mod severity;
pub mod shown;
pub mod silence;
pub mod space;
pub mod template;
pub mod timeline;
pub mod timer;
pub mod trace;
mod wall;
pub mod warning;
