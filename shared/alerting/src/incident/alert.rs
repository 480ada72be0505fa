//! One problem as its source reports it, and what a message does to it.
//!
//! [`fold`] is the whole protocol of a keyed alert: state + messages → new state, the transitions to carry out, and
//! what became of each message. It is written down with one conditional write (`version` unchanged), so:
//!
//! - the watermark only grows, and each change of status carries the stamp that is then in it: at rest the status is the
//!   verdict of the newest message, whatever the order, the copies, the retries and the crashes;
//! - a transition is committed in the same write as the watermark and stays in the ring, so a crash between the write
//!   and its publication loses nothing: the message comes back, is found stale, and its ring entry is carried out again;
//! - what each of the last messages did stays in the state ([`Applied`]), so a message that comes back after a crash is
//!   recorded as what the alert counted it as.
//!
//! Given up: episodes that open and close within one reordering window may merge; their messages are superseded, and
//! listed as such.

mod applied;
mod decide;
mod detail;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::ids::{AlertId, IntegrationId, SpaceId, Stamp, hash128};
use crate::base::moment::Moment;
use crate::base::severity::Severity;

pub use applied::{Applied, RECENT};
use decide::{decide, lower_since};
pub use detail::ClosingMessage;

/// Transitions that an alert's state remembers. Six keep the item under one write unit.
pub const RING: usize = 6;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Open,
    Closed,
}

impl Status {
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Open => "open",
            Status::Closed => "closed",
        }
    }
}

/// What a message says about one alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertEvent {
    pub stamp: Stamp,
    pub verdict: Verdict,
    pub key: AlertKey,
    pub title: String,
    pub description: String,
    pub severity: Severity,
    pub labels: BTreeMap<String, String>,
    /// Where it goes if it triggers.
    pub spaces: Vec<SpaceId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    // The order matters: of equal stamps the trigger is applied last, so that the doubt leaves the alert open.
    Close,
    Trigger,
}

/// What ties messages to one open alert of one integration.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AlertKey {
    /// A key of its own: push mode "each message".
    Unique,
    Named(String),
}

impl AlertEvent {
    /// A hash of what the alert would show, so that an update which changes nothing writes nothing.
    pub fn content_hash(&self) -> String {
        let labels: Vec<&str> = self.labels.iter().flat_map(|(k, v)| [k.as_str(), v.as_str()]).collect();
        let mut parts = vec![self.title.as_str(), &self.description, self.severity.as_str()];
        parts.extend(labels);
        hash128(&parts)[..12].to_owned()
    }
}

/// One episode of an alert as people see it: the detail item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    pub id: AlertId,
    pub integration: IntegrationId,
    /// `None` in the mode "each message": there the alert is its own key.
    pub alert_key: Option<String>,
    pub title: String,
    pub description: String,
    pub severity: Severity,
    pub status: Status,
    /// Messages that triggered or updated it. Of an open keyed alert the state's count is newer.
    pub count: u64,
    pub labels: BTreeMap<String, String>,
    /// The message that opened it.
    pub opened_by: Stamp,
    /// The newest message that changed it.
    pub shown: Stamp,
    /// The trigger whose title, description, severity and labels it shows; without it, `shown` (see [`Alert::texts`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub texts: Option<Stamp>,
    pub updated_at: Moment,
    pub closed_at: Option<Moment>,
    /// The message that closed it, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closing: Option<ClosingMessage>,
    /// Where it was routed when it was triggered; updates and recovery follow.
    pub spaces: Vec<SpaceId>,
    /// Grows with every write after the first.
    #[serde(default)]
    pub revision: u64,
}

/// The state of one alert key: the hot item, at most 1 KB.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertState {
    /// Stamp of the newest applied message.
    pub watermark: Stamp,
    pub status: Status,
    /// The message that opened the current episode, or the last one; `None` if there was none yet.
    pub episode: Option<Stamp>,
    /// Transitions so far.
    pub n: u64,
    /// The last transitions, oldest first.
    pub ring: Vec<Transition>,
    pub count: u64,
    /// The worst severity of the episode that was told.
    pub severity: Severity,
    /// When a message said that it is less severe than that; `None`: it is not.
    pub lower_since: Option<Moment>,
    /// [`AlertEvent::content_hash`] of the newest trigger.
    pub content: String,
    /// The newest trigger, or the first message if there was none yet.
    pub texts: Stamp,
    /// What the newest messages did.
    pub applied: Applied,
    /// Grows with every write.
    pub version: u64,
}

impl AlertState {
    /// Whether the alert shows what this message says.
    pub fn is_newest_trigger(&self, event: &AlertEvent) -> bool {
        event.verdict == Verdict::Trigger && event.stamp == self.texts
    }
}

/// One change of an alert's status (or a rise of its severity). Stored as a row without names: six of them, with all
/// the rest of the state, are one write unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "TransitionRow", into = "TransitionRow")]
pub struct Transition {
    pub n: u64,
    pub stamp: Stamp,
    pub kind: TransitionKind,
    pub episode: Stamp,
    pub severity: Severity,
    /// What the episode had counted by then.
    pub count: u64,
}

type TransitionRow = (u64, Stamp, TransitionKind, Stamp, Severity, u64);

impl From<TransitionRow> for Transition {
    fn from((n, stamp, kind, episode, severity, count): TransitionRow) -> Self {
        Self { n, stamp, kind, episode, severity, count }
    }
}

impl From<Transition> for TransitionRow {
    fn from(transition: Transition) -> Self {
        let Transition { n, stamp, kind, episode, severity, count } = transition;
        (n, stamp, kind, episode, severity, count)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransitionKind {
    Open,
    Raise,
    Close,
}

impl TransitionKind {
    const fn effect(self) -> Effect {
        match self {
            TransitionKind::Open => Effect::Triggered,
            TransitionKind::Raise => Effect::Updated,
            TransitionKind::Close => Effect::Recovered,
        }
    }
}

/// What became of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    Triggered,
    Updated,
    Recovered,
    /// A close with nothing open.
    NothingOpen,
    /// Overtaken by a newer message of its key before it was applied.
    Superseded,
}

/// What [`fold`] decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folded {
    /// To be written if the version is unchanged; `None`: every message was stale, nothing to write.
    pub state: Option<AlertState>,
    /// New transitions, each with the index of its message. Carry out after the write.
    pub transitions: Vec<(usize, Transition)>,
    /// Committed before, and leaving the ring now. Carry out before the write.
    pub evicted: Vec<Transition>,
    /// Committed before by messages that came back. Carry out again.
    pub again: Vec<(usize, Transition)>,
    /// One per message taken, each with the episode that it found or made.
    pub effects: Vec<(Effect, Option<Stamp>)>,
}

impl Folded {
    /// How many messages were taken; the rest wait for the next round, so that no transition leaves the ring before
    /// it is committed.
    pub fn taken(&self) -> usize {
        self.effects.len()
    }
}

/// Applies messages of one key to its state (`None`: the key has none yet).
///
/// `events` are sorted by stamp, then verdict, as [`sort_key`] orders them.
pub fn fold(state: Option<&AlertState>, events: &[AlertEvent]) -> Folded {
    let mut folding = Folding::new(state);
    for (index, event) in events.iter().enumerate() {
        if !folding.take(index, event) {
            break;
        }
    }
    folding.finish(state)
}

/// The order in which [`fold`] wants its messages.
pub fn sort_key(event: &AlertEvent) -> (Stamp, Verdict) {
    (event.stamp, event.verdict)
}

struct Folding {
    state: Option<AlertState>,
    applied: bool,
    transitions: Vec<(usize, Transition)>,
    evicted: Vec<Transition>,
    again: Vec<(usize, Transition)>,
    effects: Vec<(Effect, Option<Stamp>)>,
}

impl Folding {
    fn new(state: Option<&AlertState>) -> Self {
        Self {
            state: state.cloned(),
            applied: false,
            transitions: Vec::new(),
            evicted: Vec::new(),
            again: Vec::new(),
            effects: Vec::new(),
        }
    }

    /// Takes one message, or says that it has to wait for the next round.
    fn take(&mut self, index: usize, event: &AlertEvent) -> bool {
        if let Some(state) = &self.state
            && event.stamp <= state.watermark
        {
            let taken = self.take_stale(index, event);
            self.effects.push(taken);
            return true;
        }
        let decided = decide(self.state.as_ref(), event);
        if decided.1.is_some() && self.transitions.len() == RING {
            return false;
        }
        let (effect, kind) = decided;
        let episode = self.advance(index, event, effect, kind);
        self.effects.push((effect, episode));
        true
    }

    /// A message that is not newer than the watermark: overtaken, or one that was applied and has come back.
    fn take_stale(&mut self, index: usize, event: &AlertEvent) -> (Effect, Option<Stamp>) {
        let Some(state) = &self.state else { return (Effect::Superseded, None) };
        let mine = state.ring.iter().filter(|transition| transition.stamp == event.stamp);
        let mine: Vec<Transition> = mine.copied().collect();
        // A copy within this very batch has nothing to carry out again: the first one's transitions are in the list.
        let fresh = self.transitions.iter().any(|(_, transition)| transition.stamp == event.stamp);
        if !fresh {
            self.again.extend(mine.iter().map(|transition| (index, *transition)));
        }
        if let Some(transition) = mine.first() {
            return (transition.kind.effect(), Some(transition.episode));
        }
        if let Some(known) = state.as_applied(event.stamp) {
            return known;
        }
        match event.verdict {
            // The state is older than its marks.
            Verdict::Trigger if state.is_newest_trigger(event) => (Effect::Updated, state.episode),
            Verdict::Close if event.stamp == state.watermark => (Effect::NothingOpen, None),
            Verdict::Trigger | Verdict::Close => (Effect::Superseded, None),
        }
    }

    /// The state after the message; the episode that it belongs to.
    fn advance(
        &mut self,
        index: usize,
        event: &AlertEvent,
        effect: Effect,
        kind: Option<TransitionKind>,
    ) -> Option<Stamp> {
        self.applied = true;
        let mut state = self.state.take().unwrap_or_else(|| AlertState {
            watermark: event.stamp,
            status: Status::Closed,
            episode: None,
            n: 0,
            ring: Vec::new(),
            count: 0,
            severity: event.severity,
            lower_since: None,
            content: String::new(),
            texts: event.stamp,
            applied: Applied::default(),
            version: 0,
        });
        state.watermark = event.stamp;
        state.applied.push(event.stamp, effect);
        if event.verdict == Verdict::Trigger {
            state.content = event.content_hash();
            state.texts = event.stamp;
        }
        match effect {
            Effect::Triggered => {
                state.status = Status::Open;
                state.episode = Some(event.stamp);
                state.count = 1;
                (state.severity, state.lower_since) = (event.severity, None);
            }
            Effect::Updated => {
                state.count += 1;
                state.lower_since = lower_since(&state, event);
                state.severity = state.severity.max(event.severity);
            }
            Effect::Recovered => state.status = Status::Closed,
            Effect::NothingOpen | Effect::Superseded => {}
        }
        if let (Some(kind), Some(episode)) = (kind, state.episode) {
            state.n += 1;
            let (n, count) = (state.n, state.count);
            let transition = Transition { n, stamp: event.stamp, kind, episode, severity: event.severity, count };
            if state.ring.len() == RING {
                self.evicted.push(state.ring.remove(0));
            }
            state.ring.push(transition);
            self.transitions.push((index, transition));
        }
        let episode = if effect == Effect::NothingOpen { None } else { state.episode };
        self.state = Some(state);
        episode
    }

    fn finish(self, before: Option<&AlertState>) -> Folded {
        let state = self.state.filter(|_| self.applied).map(|mut state| {
            state.applied.forget(self.effects.len());
            state.version = before.map_or(0, |state| state.version) + 1;
            state
        });
        Folded { state, transitions: self.transitions, evicted: self.evicted, again: self.again, effects: self.effects }
    }
}

#[cfg(test)]
mod tests;
