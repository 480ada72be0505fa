//! Senders as they are in the field: recorded bodies and requests, real clients, and the answers that the protocol owes
//! them. All over HTTP, against the whole of Larkspur.

mod answers;
mod captures;
mod clients;
mod pairs;
mod recorded;
mod recordings;
