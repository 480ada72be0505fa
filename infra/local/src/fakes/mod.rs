//! The six vendors' group bots, played on this machine: what they document of addresses, bodies, checks, limits and
//! error answers, and the groups behind them, as a member would see them.
//!
//! Each vendor is one file that reads a request (`Bot::read`) and words the answers; order of events, rates, scripted
//! faults and keeping are the same for all and stand here. A group opens when something is first sent to it, so any
//! token works; a test sets its rules first ([`Fakes::open`]).
//!
//! The router serves the vendors' own paths, so `LARKSPUR_PROVIDER_BASE` may point at it. A group keeps its last
//! [`group::KEPT`] messages; with a data directory they survive a restart.
//!
//! Sources: the vendors' documentation as of 2026-11; what they do not document is not played.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use alerting::base::moment::Moment;
use alerting::base::rate::Rate;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use http::HeaderMap;
use lambda_kit::clock::Clock;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

mod dingtalk;
mod feishu;
pub mod group;
mod journal;
pub mod pages;
mod reply;
pub mod rich;
pub mod seen;
mod slack;
mod telegram;
mod wecom;
mod zoom;

pub use group::{Attempt, Fault, Rules, Verdict};
pub use reply::Reply;
pub use seen::{Button, Seen};

use group::Group;
use journal::Journal;

/// Groups at once. What is sent to further ones is answered as an unknown address.
const GROUPS: usize = 500;
/// Bytes of a request; every vendor's own limit is far lower and answered in its own words.
const BODY_BYTES: usize = 1024 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Vendor {
    Feishu,
    DingTalk,
    WeCom,
    Slack,
    Telegram,
    Zoom,
}

impl Vendor {
    pub const ALL: [Vendor; 6] =
        [Vendor::Feishu, Vendor::DingTalk, Vendor::WeCom, Vendor::Slack, Vendor::Telegram, Vendor::Zoom];

    /// As it stands in a page's address.
    pub const fn as_str(self) -> &'static str {
        match self {
            Vendor::Feishu => "feishu",
            Vendor::DingTalk => "dingtalk",
            Vendor::WeCom => "wecom",
            Vendor::Slack => "slack",
            Vendor::Telegram => "telegram",
            Vendor::Zoom => "zoom",
        }
    }

    /// As people write it.
    pub const fn title(self) -> &'static str {
        match self {
            Vendor::Feishu => "Feishu",
            Vendor::DingTalk => "DingTalk",
            Vendor::WeCom => "WeCom",
            Vendor::Slack => "Slack",
            Vendor::Telegram => "Telegram",
            Vendor::Zoom => "Zoom",
        }
    }
}

/// What one vendor does with one request.
trait Bot {
    const VENDOR: Vendor;
    /// Requests that it takes per group, in any window.
    const RATES: &'static [Rate];
    /// How long it takes nothing more once a rate was exceeded.
    const BLOCK: Duration = Duration::ZERO;

    /// The message as its members see it, or the answer that refuses it.
    fn read(request: &Incoming<'_>, rules: &Rules) -> Result<Seen, Reply>;
    /// The answer to the group's `n`th message.
    fn accepted(group: &str, n: u64) -> Reply;
    fn throttled(wait: Duration) -> Reply;
    /// The answer to an address that nobody has.
    fn unknown() -> Reply;
}

/// One request to a bot.
struct Incoming<'a> {
    now: Moment,
    query: &'a BTreeMap<String, String>,
    headers: &'a HeaderMap,
    body: &'a [u8],
}

/// All groups of all vendors. Clones share them.
#[derive(Clone)]
pub struct Fakes(Arc<Inner>);

struct Inner {
    clock: Clock,
    groups: Mutex<BTreeMap<(Vendor, String), Group>>,
    journal: Option<Mutex<Journal>>,
    /// Counts what was shown, for those who wait for the next.
    shown: watch::Sender<u64>,
}

impl Fakes {
    /// `data`: the directory in which the groups' messages are kept.
    pub fn new(clock: Clock, data: Option<&Path>) -> anyhow::Result<Self> {
        let mut groups = BTreeMap::new();
        let journal = match data {
            None => None,
            Some(directory) => {
                let (journal, kept) = Journal::open(&directory.join("groups.jsonl"))?;
                for (vendor, name, seen) in kept {
                    groups.entry((vendor, name)).or_insert_with(Group::default).show(seen);
                }
                Some(Mutex::new(journal))
            }
        };
        let inner = Inner { clock, groups: Mutex::new(groups), journal, shown: watch::Sender::new(0) };
        Ok(Self(Arc::new(inner)))
    }

    /// The vendors' own paths.
    pub fn router(&self) -> Router {
        Router::new()
            .merge(feishu::routes())
            .merge(dingtalk::routes())
            .merge(wecom::routes())
            .merge(slack::routes())
            .merge(telegram::routes())
            .merge(zoom::routes())
            .layer(DefaultBodyLimit::max(BODY_BYTES))
            .with_state(self.clone())
    }

    /// Opens a group with rules of its own, or changes those of an open one.
    pub fn open(&self, vendor: Vendor, name: &str, rules: Rules) {
        self.groups().entry((vendor, name.to_owned())).or_default().rules = rules;
    }

    /// Lets the next requests to a group go wrong, in this order.
    pub fn script(&self, vendor: Vendor, name: &str, faults: impl IntoIterator<Item = Fault>) {
        self.groups().entry((vendor, name.to_owned())).or_default().faults.extend(faults);
    }

    /// Nothing that was scripted goes wrong any more.
    pub fn recover(&self, vendor: Vendor, name: &str) {
        self.groups().entry((vendor, name.to_owned())).or_default().faults.clear();
    }

    /// A group answers this to every request that holds the word.
    pub fn refuse(&self, vendor: Vendor, name: &str, word: &str, reply: Reply) {
        self.groups().entry((vendor, name.to_owned())).or_default().refused = Some((word.to_owned(), reply));
    }

    /// What the group's members see, oldest first.
    pub fn messages(&self, vendor: Vendor, name: &str) -> Vec<Seen> {
        let groups = self.groups();
        groups.get(&(vendor, name.to_owned())).map(|group| group.messages().cloned().collect()).unwrap_or_default()
    }

    /// Every request to the group, the refused ones too, oldest first.
    pub fn attempts(&self, vendor: Vendor, name: &str) -> Vec<Attempt> {
        let groups = self.groups();
        groups.get(&(vendor, name.to_owned())).map(|group| group.attempts().copied().collect()).unwrap_or_default()
    }

    /// The groups that are open, with the number of messages that each has seen.
    pub fn list(&self) -> Vec<(Vendor, String, u64)> {
        self.groups().iter().map(|((vendor, name), group)| (*vendor, name.clone(), group.seen())).collect()
    }

    /// The vendor of the group with this name; names are rarely used twice, then the first of [`Vendor::ALL`].
    pub fn vendor_of(&self, name: &str) -> Option<Vendor> {
        self.groups().keys().find(|(_, known)| known == name).map(|(vendor, _)| *vendor)
    }

    /// Changes whenever a group has seen something more.
    pub fn shown(&self) -> watch::Receiver<u64> {
        self.0.shown.subscribe()
    }

    /// The way of every request: scripted fault, rate, the vendor's own checks, then the group.
    async fn receive<B: Bot>(
        &self,
        name: &str,
        query: &BTreeMap<String, String>,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Reply {
        let request = Incoming { now: self.0.clock.now(), query, headers, body };
        let fault = match self.admit::<B>(name, &request) {
            Ok(fault) => fault,
            Err(reply) => return reply,
        };
        if !fault.wait.is_zero() {
            tokio::time::sleep(fault.wait).await;
        }
        if !fault.show {
            self.note(B::VENDOR, name, request.now, Verdict::Scripted);
            return fault.reply.unwrap_or_else(B::unknown);
        }
        let rules =
            self.groups().get(&(B::VENDOR, name.to_owned())).map(|group| group.rules.clone()).unwrap_or_default();
        match B::read(&request, &rules) {
            Err(reply) => {
                self.note(B::VENDOR, name, request.now, Verdict::Refused);
                reply
            }
            Ok(seen) => {
                let n = self.show(B::VENDOR, name, seen);
                fault.reply.unwrap_or_else(|| B::accepted(name, n))
            }
        }
    }

    /// The next scripted fault, or the one that does nothing; refused if the group is unknown or the rate is exceeded.
    fn admit<B: Bot>(&self, name: &str, request: &Incoming<'_>) -> Result<Fault, Reply> {
        let mut groups = self.groups();
        let open = groups.len();
        let key = (B::VENDOR, name.to_owned());
        if !groups.contains_key(&key) && (open >= GROUPS || !is_name(name)) {
            return Err(B::unknown());
        }
        let group = groups.entry(key).or_default();
        if let Some(fault) = group.faults.pop_front() {
            return Ok(fault);
        }
        if let Some((word, reply)) = &group.refused
            && String::from_utf8_lossy(request.body).contains(word)
        {
            return Ok(Fault::reply(reply.clone()));
        }
        let rates = group.rules.rates.clone().unwrap_or_else(|| B::RATES.to_vec());
        match group.admit(&rates, B::BLOCK, request.now) {
            Ok(()) => Ok(Fault::none()),
            Err(wait) => {
                group.note(request.now, Verdict::Throttled);
                Err(B::throttled(wait))
            }
        }
    }

    fn show(&self, vendor: Vendor, name: &str, seen: Seen) -> u64 {
        if let Some(journal) = &self.0.journal {
            // Before the answer: what a group has seen survives any end of this process.
            journal.lock().expect("nothing panics while it writes").append(vendor, name, &seen);
        }
        let n = {
            let mut groups = self.groups();
            let group = groups.entry((vendor, name.to_owned())).or_default();
            group.note(seen.at, Verdict::Shown);
            group.show(seen)
        };
        self.0.shown.send_modify(|count| *count += 1);
        n
    }

    fn note(&self, vendor: Vendor, name: &str, at: Moment, verdict: Verdict) {
        self.groups().entry((vendor, name.to_owned())).or_default().note(at, verdict);
    }

    fn groups(&self) -> MutexGuard<'_, BTreeMap<(Vendor, String), Group>> {
        self.0.groups.lock().expect("nothing panics while it holds the groups")
    }
}

/// What may name a group: it stands in addresses, in a page and in a file.
fn is_name(name: &str) -> bool {
    (1..=128).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_@:.=".contains(&byte))
}

#[cfg(test)]
mod tests;
