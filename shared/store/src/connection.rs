//! The client of the two tables, and what a process remembers of them.

use std::sync::Arc;

use aws_sdk_dynamodb::Client;

use crate::config::caches::Caches;
use crate::ledger::counted::Seen;
use crate::people::policies::Policies;
use crate::rates::buckets::Buckets;
use crate::tokens::cached::Tokens;

/// The names of the two tables.
#[derive(Debug, Clone)]
pub struct Tables {
    pub config: String,
    pub alerts: String,
}

/// Everything stored. Clones share connections and caches.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) client: Client,
    pub(crate) tables: Tables,
    pub(crate) config: Caches,
    pub(crate) buckets: Buckets,
    pub(crate) tokens: Tokens,
    pub(crate) received: Seen,
    pub(crate) policies: Policies,
}

impl Store {
    pub fn new(client: Client, tables: Tables) -> Self {
        let inner = Inner {
            client,
            tables,
            config: Caches::default(),
            buckets: Buckets::default(),
            tokens: Tokens::default(),
            received: Seen::default(),
            policies: Policies::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    pub(crate) fn client(&self) -> &Client {
        &self.inner.client
    }
}
