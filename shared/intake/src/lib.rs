//! The inbound protocols: how a sender's request is read, checked and answered. No I/O.
//!
//! [`sources::target`] finds the source, version and key in the path. A request with a known key goes through
//! [`decide`](mod@decide). It makes the checks that are the same for all sources (size, sender's address, rate), and
//! calls the request's [`Protocol`](protocol::Protocol) for the others: signature, message type, text, keyword. The
//! source then turns the [`IntakeResult`](result::IntakeResult) into its answer, byte for byte. [`raw_body`] keeps the
//! body for the record. `ingest` decides about arriving requests, and `console` about bodies that an operator tries or
//! replays. Both get the same decision.
//!
//! This crate does not access the network, the tables, the clock or Lambda.

pub(crate) mod addresses;
pub mod clean;
pub mod decide;
pub mod protocol;
pub mod raw_body;
pub mod reading;
pub mod result;
pub mod sources;
