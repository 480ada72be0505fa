//! The API over the real router, on an emulated DynamoDB; queues, topic and data key stand at a local server.

mod actions;
mod document;
mod escalation_rules;
mod integrations;
mod invocations;
mod life_cycles;
mod links;
mod members;
mod messages;
mod pages;
mod providers;
mod refusals;
mod schedules;
mod silences;
mod spaces;
mod teams;
mod trace;
mod world;
