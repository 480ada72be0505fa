//! How an integration turns a message into an alert: the input is parsed text, the output is alert events and spaces.
//!
//! [`message`]: the received message → [`policy`]: the integration's compiled settings → [`push_mode`]: the alert key,
//! and trigger or close → [`pipeline`]: the operator's changes → [`routing`]: the spaces. [`filter`] and [`matcher`]
//! are the conditions of a rule, [`compiled`] limits their work, and [`trace`] observes the same functions for the
//! trace page.

pub(crate) mod alert_draft;
pub(crate) mod builder;
pub(crate) mod checks;
pub mod compiled;
pub(crate) mod cost;
pub mod filter;
pub mod flag;
pub mod integration;
pub(crate) mod literals;
pub mod mapping;
pub mod matcher;
pub mod message;
pub mod pattern;
pub mod pipeline;
pub mod policy;
pub mod push_mode;
pub mod routing;
pub(crate) mod rule_set;
pub mod sample;
pub mod sandbox;
pub mod template;
pub mod trace;
