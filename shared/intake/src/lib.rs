//! The inbound protocols: how a sender's request is read, checked and answered. Pure.
//!
//! [`sources::target`] finds source, version and key in the path. A request with a known key goes through
//! [`decide`](mod@decide), which makes the checks that are the same for all sources (size, sender's address, rate) and asks the
//! request's [`Protocol`](protocol::Protocol) for the others: signature, message type, text, keyword. The source then turns
//! the [`IntakeResult`](result::IntakeResult) into its answer, byte for byte. [`raw_body`] keeps the body for the record.
//! `ingest` decides about requests that arrive, `console` about bodies that an operator tries or replays; both get the same decision.
//!
//! Absent here: the network, the tables, the clock, Lambda.

pub(crate) mod addresses;
pub mod clean;
pub mod decide;
pub mod protocol;
pub mod raw_body;
pub mod reading;
pub mod result;
pub mod sources;
