//! The notification channels: what each vendor is sent, and what its answer means.
//!
//! A channel is three facts: its limits, how to ask, and how to read the answer. It does no I/O, reads no clock and
//! never retries: the crate `post` sends what is written here, and waiting is the queue's job.
//!
//! Bots write to a group: a destination's settings are all they need. Other channels write to people: mail, and what
//! leaves by telephone. Those serve a medium ([`channel::Channel::MEDIUM`]), which is what people choose. A destination of
//! theirs has one setting, `to`. They share a provider, such as a mail server, whose settings are made once per deployment
//! ([`channel::Channel::PROVIDER`]). The two kinds of settings are checked, sealed and masked apart ([`catalogue`]) and
//! come together when a message is sent ([`registry::Destination::parse`]).
//!
//! Reading order:
//!
//! 1. What a channel is: [`channel`] → [`registry`] all of them → [`catalogue`] what is known of a channel by its name →
//!    [`settings`] what an operator configures.
//! 2. What a message says, the same for all channels: [`post`] → `layout` → [`content`] the part that templates decide →
//!    `mention` whom it mentions → [`fit`] what is left out when it is too long.
//! 3. How a vendor says it: one file each, such as [`feishu`].
//! 4. Sending: [`request`] → [`reply`] → [`outcome`].
//!
//! Adding a channel: its file, its line in the registry, and `tests/fixtures/{vendor}/`, where the vendor is the name up to its
//! first `_`. The contract tests loop over [`registry::NAMES`] and fail until the fixtures exist.

pub mod callback;
pub mod catalogue;
pub mod channel;
mod clean;
pub mod content;
pub mod dingtalk;
#[cfg(any(test, feature = "echo"))]
pub mod echo;
pub mod email;
mod facts;
pub mod feishu;
pub mod fit;
mod layout;
mod mention;
pub mod outcome;
pub mod post;
mod rate;
pub mod registry;
pub mod reply;
pub mod request;
pub mod settings;
pub mod size;
pub mod slack;
pub mod telegram;
pub mod token;
pub mod wecom;
pub mod zoom;

#[cfg(test)]
mod card_tests;
#[cfg(test)]
mod contract_tests;
#[cfg(any(test, feature = "samples"))]
pub mod samples;
#[cfg(test)]
mod template_tests;
