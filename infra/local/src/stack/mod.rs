//! The deployment's templates, read for their tables, queues, functions, event sources and routes.
//!
//! Nothing in them is repeated in code: a changed visibility, batch size, timeout or route has the same effect here as on
//! AWS. A resource with an unknown type fails the start, unless it has no meaning on one machine (`read::IGNORED`), so that
//! no resource is silently missing here.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;

mod naming;
mod read;
mod resources;
pub(crate) mod route;
mod scope;
mod template;

use self::route::Route;

/// Where the stack is deployed; known before its values can be resolved.
#[derive(Debug, Clone)]
pub struct Place {
    /// The URL of the public listener, which is the HTTP API's endpoint on AWS.
    pub base_url: String,
    /// The base of the URLs of queues.
    pub aws_endpoint: String,
    /// The template parameter of the same name.
    pub provider_base: Option<String>,
    /// The template parameter of the same name.
    pub personal_ack_links: bool,
    /// Further parameters of the template.
    pub parameters: Vec<(&'static str, String)>,
}

/// The deployed resources.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Stack {
    pub tables: Vec<Table>,
    /// The queues. Dead queues come before those that redrive to them.
    pub queues: Vec<Queue>,
    /// Names of topics.
    pub topics: Vec<String>,
    /// Names of secrets.
    pub secrets: Vec<String>,
    pub functions: BTreeMap<String, Function>,
    pub event_sources: Vec<EventSource>,
    pub schedules: Vec<Schedule>,
    pub routes: Vec<Route>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    pub name: String,
    /// The body of `CreateTable`.
    pub definition: Value,
    /// The attribute by which items expire.
    pub expiry: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    pub name: String,
    /// The attributes in the form that `CreateQueue` takes.
    pub attributes: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    pub timeout: Duration,
    /// `RecursiveLoop: Allow`: the function may feed a queue that leads back to it.
    pub may_loop: bool,
    /// How often a failed asynchronous call is repeated.
    pub retries: u8,
    pub environment: BTreeMap<String, String>,
}

/// A queue whose messages a function is called with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventSource {
    pub function: String,
    pub queue: String,
    pub batch_size: usize,
    pub window: Duration,
    pub maximum_concurrency: Option<usize>,
    pub report_batch_item_failures: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    pub function: String,
    pub every: Duration,
    pub input: Value,
}

impl Stack {
    pub fn function(&self, name: &str) -> anyhow::Result<&Function> {
        self.functions.get(name).with_context(|| format!("template.yaml has no function {name}"))
    }
}

impl Function {
    /// An environment variable that the template sets.
    pub fn variable(&self, name: &str) -> anyhow::Result<&str> {
        self.environment.get(name).map(String::as_str).with_context(|| format!("template.yaml does not set {name}"))
    }
}

#[cfg(test)]
mod tests;
