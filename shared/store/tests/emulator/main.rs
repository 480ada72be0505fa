//! The store against an embedded DynamoDB: round trips, both orders of each race, repetitions, page boundaries, lost
//! answers. The SDK is the production one; nothing is scripted.

mod alerts;
mod callbacks;
mod claims;
mod codes;
mod config;
mod deliveries;
mod groups;
mod integrations;
mod ledger;
mod log;
mod merges;
mod rates;
mod timers;
mod tokens;
mod wire;
mod world;
