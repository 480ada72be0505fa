//! What no compiler checks and every reader relies on: the template, the functions and the documents agree.
//!
//! Reading order: `template` functions, triggers, roles and settings → `infra` queues, tables, alarms and the key
//! layout → `dependencies` who may use whom → `circles` no files that import each other → `sources` what stands
//! where in the code → `texts` where the texts for people stand → `claims`, `proofs` what keeps what is promised →
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
