//! What Larkspur keeps, in two DynamoDB tables.
//!
//! Reading order: [`keys`] every key format → [`config`], [`integrations`], [`api_keys`] what operators save →
//! [`accounts`], [`invitations`], [`sessions`], [`tries`], [`guesses`], [`oidc`] [`codes`] who may sign in, and whose an
//! address is →
//! [`alert_states`], [`alerts`], [`incidents`], [`groups`], [`changes`] what messages and people do → [`people`] who gets
//! an incident → [`deliveries`], [`rates`], [`digests`] what was sent → [`dead_letters`] what was given up → [`timers`] what is due → [`log`], [`ledger`] what
//! became of every message.
//!
//! - Every write may be repeated: it carries its own identity in a condition, or writes the same content under the same
//!   key. A write that took effect although its answer was lost is recognised as one's own.
//! - A lost race is a value (`Lost`, `Existing`, `Busy` …), never an error, and brings what is stored.
//! - What is absent here: decisions about alerts, the clock (`now` comes in), any unsealed secret, any index.

pub mod accounts;
pub mod alert_states;
pub mod alerts;
pub mod api_keys;
pub mod cache;
pub mod changes;
pub mod codes;
mod concurrently;
pub mod config;
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
pub mod log;
pub mod merges;
mod newest_first;
pub mod oidc;
pub mod people;
pub mod personal_links;
pub mod rates;
pub mod sessions;
mod table;
pub mod timers;
pub mod tries;

use std::sync::Arc;

use aws_sdk_dynamodb::Client;

pub use crate::newest_first::Cursor;
use crate::table::Table;

/// The names of the two tables.
#[derive(Debug, Clone)]
pub struct Tables {
    pub config: String,
    pub alerts: String,
}

/// Everything stored. Clones share connections and caches.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    client: Client,
    tables: Tables,
    config: config::Caches,
    buckets: rates::Buckets,
    received: ledger::Seen,
    policies: people::Policies,
}

/// A part of a list, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Where the next page begins: to be handed back as `after`. There may be one although this page is not full, or is
    /// empty: what it looked at did not match.
    pub next: Option<String>,
}

impl Store {
    pub fn new(client: Client, tables: Tables) -> Self {
        let inner = Inner {
            client,
            tables,
            config: config::Caches::default(),
            buckets: rates::Buckets::default(),
            received: ledger::Seen::default(),
            policies: people::Policies::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    fn client(&self) -> &Client {
        &self.inner.client
    }

    fn table_name(&self, table: Table) -> &str {
        match table {
            Table::Config => &self.inner.tables.config,
            Table::Alerts => &self.inner.tables.alerts,
        }
    }
}
