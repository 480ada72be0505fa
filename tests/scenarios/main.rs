//! The whole, as people meet it: one file per promise.

mod channels;
mod conservation;
mod crash;
mod ordering;
mod people;
mod push_modes;
mod routes;
mod secrets;
mod storm;
