//! Applies messages of one key to its state.

use super::applied::{AppliedMessages, Effect};
use super::decide::{decide, lower_since};
use super::event::{AlertEvent, EventKind};
use super::state::{AlertState, RING, Status, Transition, TransitionKind};
use crate::base::ids::Stamp;

/// The result of [`fold`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folded {
    /// The state to write if the version is unchanged. `None`: every message was stale, so there is nothing to write.
    pub state: Option<AlertState>,
    /// New transitions, each with the index of its message. The caller carries them out after the write.
    pub transitions: Vec<(usize, Transition)>,
    /// Committed transitions that leave the ring with this write. The caller carries them out before the write.
    pub evicted: Vec<Transition>,
    /// Transitions that redelivered messages committed earlier. The caller carries them out again.
    pub again: Vec<(usize, Transition)>,
    /// The effect of each message taken, with the episode that the message found or opened.
    pub effects: Vec<(Effect, Option<Stamp>)>,
}

impl Folded {
    /// The number of messages taken. The rest wait for the next round, so that no transition leaves the ring before it
    /// is committed.
    pub fn taken(&self) -> usize {
        self.effects.len()
    }
}

/// Applies messages of one key to its state (`None`: the key has none yet).
///
/// `events` are sorted by stamp, then kind, as [`sort_key`] orders them.
pub fn fold(state: Option<&AlertState>, events: &[AlertEvent]) -> Folded {
    let mut folding = Folding::new(state);
    for (index, event) in events.iter().enumerate() {
        if !folding.take(index, event) {
            break;
        }
    }
    folding.finish(state)
}

/// The order in which [`fold`] takes messages.
pub fn sort_key(event: &AlertEvent) -> (Stamp, EventKind) {
    (event.stamp, event.kind)
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

    /// Takes one message. Returns `false` if the message must wait for the next round.
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

    /// Takes a message that is not newer than the watermark: it is superseded, or was applied earlier and redelivered.
    fn take_stale(&mut self, index: usize, event: &AlertEvent) -> (Effect, Option<Stamp>) {
        let Some(state) = &self.state else { return (Effect::Superseded, None) };
        let mine = state.ring.iter().filter(|transition| transition.stamp == event.stamp);
        let mine: Vec<Transition> = mine.copied().collect();
        // For a second copy in this batch nothing is carried out again: the transitions of the first copy are in the
        // list.
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
        match event.kind {
            // An older version wrote the state without marks.
            EventKind::Trigger if state.is_newest_trigger(event) => (Effect::Updated, state.episode),
            EventKind::Close if event.stamp == state.watermark => (Effect::NothingOpen, None),
            EventKind::Trigger | EventKind::Close => (Effect::Superseded, None),
        }
    }

    /// Applies the message to the state. Returns the episode to which the message belongs.
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
            applied: AppliedMessages::default(),
            version: 0,
        });
        state.watermark = event.stamp;
        state.applied.push(event.stamp, effect);
        if event.kind == EventKind::Trigger {
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
