//! The JSON API, and the pages behind the links of messages.
//!
//! `/api/v1/…` requires an API key and speaks JSON (`routes`); its OpenAPI document is generated from the same code.
//! Everything else is a page for a signed-in member (`pages`).
//!
//! This crate has no rules about alerts (they are in `alerting`), no table keys (they are in `store`), and no secret in
//! an answer, an error or a log. A secret is sealed before it is passed to the store.

mod accounts;
mod app;
mod auth;
mod dead_letters;
pub mod dead_queues;
mod devices;
mod dto;
mod error;
mod extract;
mod incidents;
pub mod invocation;
mod members;
mod oidc;
mod page;
mod pages;
mod password;
mod references;
mod replay;
mod router;
mod routes;
pub mod running_count;
mod saved;
mod session;
pub mod settings;
mod test_notice;
mod trace;
mod trial;
mod verification;
mod visits;
mod warnings;

pub use crate::accounts::{SetUpError, set_up_link};
pub use crate::app::App;
pub use crate::auth::{CreateKeyError, EnsureKeyError, ensure_api_key};
pub use crate::oidc::metadata::ProviderCache;
pub use crate::router::router;
pub use crate::visits::Visits;
