//! The API over the real router, on an emulated DynamoDB; queues, topic and data key stand at a local server.

mod actions;
mod codes;
mod document;
mod escalation_rules;
mod integrations;
mod invocations;
mod life_cycles;
mod links;
mod mailbox;
mod me;
mod members;
mod messages;
mod pages;
mod providers;
mod refusals;
mod schedules;
mod scopes;
mod silences;
mod spaces;
mod teams;
mod trace;
mod world;
