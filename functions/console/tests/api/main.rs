//! The API over the real router, on an emulated DynamoDB; queues, topic and data key stand at a local server.

mod actions;
mod document;
mod integrations;
mod invocations;
mod life_cycles;
mod messages;
mod page;
mod refusals;
mod world;
