//! The environment of every function: settings, clients, queues, secrets, stamps, time. This crate knows nothing about
//! alerts.

pub mod aws;
pub mod checked_key;
pub mod clock;
pub mod links;
pub mod logging;
pub mod metric;
pub mod queue;
pub mod random;
pub mod secrets;
pub mod settings;
pub mod sqs_batch;
pub mod topic;
