//! Rules that no compiler checks: the template, the functions and the documents agree.
//!
//! Reading order: `template` functions, triggers, roles and settings → `infra` queues, tables, alarms and the key
//! layout → `dependencies` which crate may use which → `circles` no files that import each other → `sources` rules about
//! places in the code → `texts` the texts for people are in the catalogue → `claims`, `proofs` the tests of every promise →
//! `documents` commands that need an AWS account.

#![cfg(test)]

mod circles;
mod claims;
mod dependencies;
mod documents;
mod infra;
mod proofs;
mod sources;
mod template;
mod texts;
mod tree;
mod yaml;
