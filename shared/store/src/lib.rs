//! Stores Larkspur's data in two DynamoDB tables.
//!
//! Reading order: [`keys`] every key format → [`config`], [`integrations`], [`api_keys`] what operators save →
//! [`accounts`], [`invitations`], [`sessions`], [`tries`], [`guesses`], [`oidc`] [`codes`] who may sign in, and the
//! verification of addresses → [`alert_states`], [`alerts`], [`incidents`], [`groups`], [`changes`] what messages and
//! people do → [`people`] who gets an incident → [`deliveries`], [`rates`], [`tokens`], [`digests`] what was sent →
//! [`dead_letters`] what was given up → [`timers`] what is due → [`log`], [`ledger`] what became of every message.
//!
//! - Every write may be repeated: it carries its own identity in a condition, or writes the same content under the same
//!   key. A write that took effect although its answer was lost recognises itself when it is repeated.
//! - A lost race is a value (`Lost`, `Existing`, `Busy` …), never an error, and brings what is stored.
//! - Not in this crate: decisions about alerts, the clock (callers pass `now`), unsealed secrets, indexes.

pub mod accounts;
pub mod alert_states;
pub mod alerts;
pub mod api_keys;
pub mod bucket_key;
pub mod cache;
pub mod changes;
pub mod codes;
mod concurrently;
pub mod config;
mod connection;
pub mod dead_letters;
pub mod deliveries;
pub mod digests;
pub mod errors;
pub mod groups;
pub mod guesses;
pub mod incidents;
pub mod integrations;
pub mod invitations;
mod item;
pub mod keys;
pub mod ledger;
pub mod link_codes;
pub mod log;
pub mod member_pointers;
pub mod merges;
mod newest_first;
pub mod oidc;
mod page;
pub mod people;
pub mod personal_links;
pub mod rates;
pub mod replays;
pub mod sessions;
mod standing;
mod table;
pub mod timers;
pub mod tokens;
pub mod tries;

pub use crate::connection::{Store, Tables};
pub use crate::newest_first::Cursor;
pub use crate::page::Page;
