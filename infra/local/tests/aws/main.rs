//! The embedded AWS services, as their callers see them.

mod queues;
mod races;
mod restart;
mod sdk;
mod support;
mod tables;
mod topics;
