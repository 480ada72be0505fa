//! What senders say and what they are told: the inbound protocol, pure.
//!
//! One request with a known key goes through [`decide`](mod@decide): [`security`] (who may send) → [`sources::feishu`]
//! (bytes → message) → [`answer`] (byte for byte). [`raw_body`] keeps the body for the record. `ingest` decides about
//! what arrives, `console` about what an operator tries or replays; both get the same decision.
//!
//! Absent here: the network, the tables, the clock, Lambda.

pub mod answer;
pub mod clean;
pub mod decide;
pub mod raw_body;
pub mod security;
pub mod sources;
