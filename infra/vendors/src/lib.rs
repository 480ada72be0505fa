//! The vendors' platforms, simulated on one machine: addresses, request bodies, checks, limits and error answers as the
//! vendors document them, and the groups as their members see them.
//!
//! Reading order: [`vendor`] the names → `platform` what a platform does → one folder per platform (`feishu`, `dingtalk`,
//! `wecom`, `slack`, `telegram`, `zoom`) → `registry` the list of platforms → [`fakes`] the steps of a request →
//! [`router`] selects the platform by the `Host` header → [`pages`] the groups in a browser.
//!
//! `LARKSPUR_PROVIDER_BASE` may point at the router: it serves the vendors' own paths.
//!
//! This crate uses no code of `channels`, `intake` or any other crate that sends, signs or encrypts, so that a mistake
//! in a signature is not made here as well. The clock is passed in.
//!
//! A member of a group can press a button. A bot's button opens an address ([`fakes::Fakes::press`]); an app's makes a
//! signed request to the app, which the test sends ([`slack::app::Workspace::press`]).
//!
//! Sources: the vendors' documentation as of 2026-11. What they do not document is not simulated.

mod color;
mod dingtalk;
pub mod fakes;
mod feishu;
pub mod group;
mod journal;
pub mod pages;
mod platform;
mod registry;
pub mod reply;
pub mod rich;
pub mod router;
pub mod seen;
pub mod slack;
mod telegram;
pub mod vendor;
mod wecom;
mod zoom;

#[cfg(test)]
mod tests;
