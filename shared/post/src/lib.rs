//! Sends what `channels` has written: the only crate that speaks to vendors, to mail servers and to sign-in providers.
//!
//! [`deliver`] sends one request to a destination, and [`fetch`] one to a sign-in provider. Both use the same client: one
//! TLS stack with bundled roots (`roots`; reading the system's costs more than all the rest of a cold start), HTTPS only,
//! no redirects, no proxies, and public addresses only (`addresses`). Mail leaves by `smtp`, written by `mime`.
//!
//! How it fails: `failure` says why no answer came. Nothing is tried twice here: retrying is the queue's job.

mod addresses;
pub mod deliver;
mod failure;
pub mod fetch;
mod mime;
mod roots;
mod smtp;

#[cfg(test)]
mod oracle_tests;
