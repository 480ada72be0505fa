//! The state of one alert key.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::applied::{AppliedMessages, Effect};
use super::event::{AlertEvent, EventKind};
use crate::base::ids::Stamp;
use crate::base::moment::Moment;
use crate::base::severity::Severity;

/// The number of transitions that the state of an alert remembers. With six the item stays below one write unit.
pub const RING: usize = 6;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AlertStatus)]
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

/// The state of one alert key, a frequently written item of at most 1 KB.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertState {
    /// The stamp of the newest applied message.
    pub watermark: Stamp,
    pub status: Status,
    /// The message that opened the current or the last episode. `None`: there was no episode yet.
    pub episode: Option<Stamp>,
    /// The number of transitions so far.
    pub n: u64,
    /// The newest transitions, oldest first.
    pub ring: Vec<Transition>,
    pub count: u64,
    /// The worst severity of the episode that was notified.
    pub severity: Severity,
    /// When a message reported that the alert is below that severity. `None`: it is not below.
    pub lower_since: Option<Moment>,
    /// The [`AlertEvent::content_hash`] of the newest trigger.
    pub content: String,
    /// The newest trigger, or the first message if there was no trigger yet.
    pub texts: Stamp,
    /// The effects of the newest messages.
    pub applied: AppliedMessages,
    /// The version, which grows with every write.
    pub version: u64,
}

impl AlertState {
    /// Whether the alert shows the texts of this message.
    pub fn is_newest_trigger(&self, event: &AlertEvent) -> bool {
        event.kind == EventKind::Trigger && event.stamp == self.texts
    }

    /// The effect and the episode of a message that was applied and is still remembered.
    pub(super) fn as_applied(&self, stamp: Stamp) -> Option<(Effect, Option<Stamp>)> {
        let effect = self.applied.effect(stamp)?;
        let before = |one: &&Transition| one.stamp <= stamp;
        let episode = match effect {
            Effect::Triggered => Some(stamp),
            Effect::Updated | Effect::Recovered => {
                self.ring.iter().rfind(before).map_or(self.episode, |transition| Some(transition.episode))
            }
            Effect::NothingOpen | Effect::Superseded => None,
        };
        Some((effect, episode))
    }
}

/// One change of an alert's status, or a rise of its severity. It is stored as a row without field names, so that six
/// rows and the rest of the state fit in one write unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "TransitionRow", into = "TransitionRow")]
pub struct Transition {
    pub n: u64,
    pub stamp: Stamp,
    pub kind: TransitionKind,
    pub episode: Stamp,
    pub severity: Severity,
    /// The message count of the episode at that time.
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
    pub(super) const fn effect(self) -> Effect {
        match self {
            TransitionKind::Open => Effect::Triggered,
            TransitionKind::Raise => Effect::Updated,
            TransitionKind::Close => Effect::Recovered,
        }
    }
}
