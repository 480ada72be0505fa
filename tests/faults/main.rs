//! Faults and abuse, in the order of `tests/proofs.md`, which lists the tests of each fault.

mod actions;
mod authentication;
mod aws;
mod bad_input;
mod cards;
mod channels;
mod chaos;
mod configuration;
mod crash_loop;
mod crashes;
mod duplicates;
mod embedded;
mod exhaustion;
mod leases;
mod secrets;

mod upgrade;
mod wire;
