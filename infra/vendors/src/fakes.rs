//! All groups of all platforms, and the steps of a request: scripted fault, rate, the vendor's own checks, then the group.
//!
//! A group opens when something is first sent to it, so any token works. A test sets the group's rules first
//! ([`Fakes::open`]). A group keeps its last [`KEPT`](crate::group::KEPT) messages; with a data directory they survive a
//! restart.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use alerting::base::moment::Moment;
use tokio::sync::watch;

use crate::group::{Attempt, AttemptResult, Fault, Group, Rules};
use crate::journal::Journal;
use crate::platform::{Platform, Request};
use crate::reply::Reply;
use crate::seen::Seen;
use crate::vendor::Vendor;

/// The most groups at once. Requests to further groups are answered as requests to an unknown address.
const GROUPS: usize = 500;

/// All groups of all vendors. Clones share them.
#[derive(Clone)]
pub struct Fakes(Arc<Inner>);

/// The clock.
type Now = Box<dyn Fn() -> Moment + Send + Sync>;

struct Inner {
    now: Now,
    groups: Mutex<BTreeMap<(Vendor, String), Group>>,
    journal: Option<Mutex<Journal>>,
    /// Counts the messages that were shown, for a test that waits for the next.
    shown: watch::Sender<u64>,
}

impl Fakes {
    /// `now`: the clock. `data`: the directory in which the groups' messages are kept.
    pub fn new(now: impl Fn() -> Moment + Send + Sync + 'static, data: Option<&Path>) -> anyhow::Result<Self> {
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
        let now = Box::new(now);
        let inner = Inner { now, groups: Mutex::new(groups), journal, shown: watch::Sender::new(0) };
        Ok(Self(Arc::new(inner)))
    }

    /// Opens a group with rules of its own, or changes those of an open one.
    pub fn open(&self, vendor: Vendor, name: &str, rules: Rules) {
        self.groups().entry((vendor, name.to_owned())).or_default().rules = rules;
    }

    /// Makes the next requests to a group fail in this way, in this order.
    pub fn script(&self, vendor: Vendor, name: &str, faults: impl IntoIterator<Item = Fault>) {
        self.groups().entry((vendor, name.to_owned())).or_default().faults.extend(faults);
    }

    /// Removes the scripted faults that have not happened yet.
    pub fn recover(&self, vendor: Vendor, name: &str) {
        self.groups().entry((vendor, name.to_owned())).or_default().faults.clear();
    }

    /// Makes a group give this answer to every request that contains the word.
    pub fn refuse(&self, vendor: Vendor, name: &str, word: &str, reply: Reply) {
        self.groups().entry((vendor, name.to_owned())).or_default().refused = Some((word.to_owned(), reply));
    }

    /// What the group's members see, oldest first.
    pub fn messages(&self, vendor: Vendor, name: &str) -> Vec<Seen> {
        let groups = self.groups();
        groups.get(&(vendor, name.to_owned())).map(|group| group.messages().cloned().collect()).unwrap_or_default()
    }

    /// A member presses a button of the group's newest message that has one of this text. The address that opens.
    pub fn press(&self, vendor: Vendor, name: &str, text: &str) -> Option<String> {
        let messages = self.messages(vendor, name);
        messages.iter().rev().find_map(|seen| seen.button(text)).map(|button| button.url.clone())
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

    pub(crate) fn now(&self) -> Moment {
        (self.0.now)()
    }

    pub(crate) async fn receive(&self, platform: &dyn Platform, request: &Request<'_>) -> Reply {
        let name = match platform.group(request) {
            Ok(name) => name,
            Err(reply) => return reply,
        };
        let fault = match self.admit(platform, &name, request) {
            Ok(fault) => fault,
            Err(reply) => return reply,
        };
        if !fault.wait.is_zero() {
            tokio::time::sleep(fault.wait).await;
        }
        let vendor = platform.vendor();
        if !fault.show {
            self.note(vendor, &name, request.now, AttemptResult::Scripted);
            return fault.reply.unwrap_or_else(|| platform.unknown());
        }
        match platform.read(request, &self.rules(vendor, &name)) {
            Err(reply) => {
                self.note(vendor, &name, request.now, AttemptResult::Refused);
                reply
            }
            Ok(seen) => {
                let n = match platform.changes(request) {
                    Some(n) => {
                        if !self.change(vendor, &name, n, seen) {
                            return platform.gone();
                        }
                        n
                    }
                    None => self.show(vendor, &name, seen),
                };
                fault.reply.unwrap_or_else(|| platform.accepted(&name, n))
            }
        }
    }

    /// The next scripted fault, or the one that changes nothing. Refused if the group is unknown or the rate is exceeded.
    fn admit(&self, platform: &dyn Platform, name: &str, request: &Request<'_>) -> Result<Fault, Reply> {
        let mut groups = self.groups();
        let open = groups.len();
        let key = (platform.vendor(), name.to_owned());
        if !groups.contains_key(&key) && (open >= GROUPS || !is_name(name)) {
            return Err(platform.unknown());
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
        let rates = group.rules.rates.clone().unwrap_or_else(|| platform.rates().to_vec());
        match group.admit(&rates, platform.block(), request.now) {
            Ok(()) => Ok(Fault::none()),
            Err(wait) => {
                group.note(request.now, AttemptResult::Throttled);
                Err(platform.throttled(wait))
            }
        }
    }

    fn rules(&self, vendor: Vendor, name: &str) -> Rules {
        self.groups().get(&(vendor, name.to_owned())).map(|group| group.rules.clone()).unwrap_or_default()
    }

    fn show(&self, vendor: Vendor, name: &str, seen: Seen) -> u64 {
        if let Some(journal) = &self.0.journal {
            // Before the answer: an answered message survives the death of this process.
            journal.lock().expect("nothing panics while it writes").append(vendor, name, &seen);
        }
        let n = {
            let mut groups = self.groups();
            let group = groups.entry((vendor, name.to_owned())).or_default();
            group.note(seen.at, AttemptResult::Shown);
            group.show(seen)
        };
        self.0.shown.send_modify(|count| *count += 1);
        n
    }

    /// Changes a message. It is not written to the journal: after a restart the message is as it was sent.
    fn change(&self, vendor: Vendor, name: &str, n: u64, seen: Seen) -> bool {
        let changed = match self.groups().get_mut(&(vendor, name.to_owned())) {
            Some(group) => {
                group.note(seen.at, AttemptResult::Shown);
                group.change(n, seen)
            }
            None => false,
        };
        self.0.shown.send_modify(|count| *count += 1);
        changed
    }

    fn note(&self, vendor: Vendor, name: &str, at: Moment, result: AttemptResult) {
        self.groups().entry((vendor, name.to_owned())).or_default().note(at, result);
    }

    fn groups(&self) -> MutexGuard<'_, BTreeMap<(Vendor, String), Group>> {
        self.0.groups.lock().expect("nothing panics while it holds the groups")
    }
}

/// Whether the text is valid as a group's name, which is part of addresses, a page and a file.
fn is_name(name: &str) -> bool {
    (1..=128).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_@:.=".contains(&byte))
}
