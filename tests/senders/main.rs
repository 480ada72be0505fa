//! Real senders: recorded bodies and requests, real clients, and the answers that the protocol requires. All over HTTP,
//! against the whole product.

mod answers;
mod captures;
mod clients;
mod pairs;
mod recorded;
mod recordings;
