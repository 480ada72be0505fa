//! What an integration makes of a message: parsed text in, alert events and spaces out.
//!
//! [`message`] what arrived → [`policy`] the integration's compiled settings → [`push_mode`] which alert, trigger or
//! close → [`pipeline`] what the operator changes → [`routing`] which spaces. [`filter`] and [`matcher`] are the
//! conditions of a rule, [`compiled`] bounds their work, and [`trace`] observes the same functions for the trace page.

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
