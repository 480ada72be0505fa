//! Faults and abuse, in the order of the list in `tests/README.md`, which names the test of each.

mod actions;
mod authentication;
mod aws;
mod bad_input;
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
