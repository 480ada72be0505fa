//! Sends the requests of `channels`: the only crate that connects to vendors, mail servers and sign-in providers.
//!
//! [`deliver`] sends one request to a destination, and [`fetch`] one to a sign-in provider. Both use the same client:
//! one TLS stack with bundled roots (`roots`; reading the system's roots takes longer than the rest of a cold start),
//! HTTPS only, no redirects, no proxies, and public addresses only (`addresses`). `mime` writes mail and `smtp` sends
//! it.
//!
//! How it fails: `failure` says why there is no reply. Nothing is retried here: the queue does that.

mod addresses;
pub mod deliver;
mod failure;
pub mod fetch;
mod mime;
mod roots;
mod smtp;

#[cfg(test)]
mod oracle_tests;
