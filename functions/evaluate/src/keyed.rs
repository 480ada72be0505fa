//! Applies messages to the state of their alert key: read, fold, write if nobody else did, carry out.

use alerting::base::ids::{AlertId, Stamp};
use alerting::incident::alert::{
    AlertEvent, AlertState, Effect, Folded, Status, Transition, TransitionKind, Verdict, fold,
};
use alerting::rules::integration::Integration;
use store::alert_states::WriteState;
use store::keys::alert_key_hash;
use store::log::MessageOutcome;

use crate::app::App;
use crate::batch::Settled;
use crate::carry_out;
use crate::error::EvaluateError;
use crate::told::Told;

/// How often a write is tried before the messages are handed back. A loser that has nothing newer than the winner gives way,
/// so who loses again holds what decides, and handed back it would wait for the queue's visibility: minutes.
const RACES: usize = 12;

/// Messages of one key of one integration, in order.
pub(crate) struct Keyed<'a> {
    pub(crate) integration: &'a Integration,
    pub(crate) key: &'a str,
    pub(crate) events: &'a [AlertEvent],
}

/// Applies all messages, in as many writes as the ring needs; what became of each, in their order.
pub(crate) async fn apply(app: &App, keyed: &Keyed<'_>) -> Result<Vec<Settled>, EvaluateError> {
    let key_hash = alert_key_hash(keyed.key);
    let mut settled: Vec<Settled> = Vec::new();
    while settled.len() < keyed.events.len() {
        let rest = &keyed.events[settled.len()..];
        let round = write_round(app, keyed, &key_hash, rest).await?;
        settled.extend(carry_out_round(app, keyed.integration, rest, &round).await?);
    }
    Ok(settled)
}

pub(crate) async fn is_open(app: &App, integration: &Integration, key: &str) -> Result<bool, EvaluateError> {
    let state = app.store.alert_state(&integration.id, &alert_key_hash(key)).await?;
    Ok(state.is_some_and(|state| state.status == Status::Open))
}

/// One committed write (or none, if every message was stale).
struct Round {
    folded: Folded,
    /// The state that it left.
    state: AlertState,
    /// Whether what the alert shows may have to be written again.
    shows: bool,
}

async fn write_round(
    app: &App,
    Keyed { integration, key, .. }: &Keyed<'_>,
    key_hash: &str,
    events: &[AlertEvent],
) -> Result<Round, EvaluateError> {
    let mut current = app.store.alert_state(&integration.id, key_hash).await?;
    for _ in 0..RACES {
        let folded = fold(current.as_ref(), events);
        let Some(state) = folded.state.clone() else {
            let state = current.expect("without a state no message is stale");
            let shows = events.iter().any(|event| state.is_newest_trigger(event));
            return Ok(Round { folded, state, shows });
        };
        evict(app, integration, events, &folded).await?;
        let before = current.as_ref().map(|state| state.version);
        match app.store.write_alert_state(&integration.id, key_hash, &state, before, app.clock.now()).await? {
            WriteState::Written => {
                app.open_counts.count(&integration.id, key, &folded);
                let shows = current.is_none_or(|before| before.content != state.content);
                return Ok(Round { folded, state, shows });
            }
            WriteState::Lost(theirs) => current = theirs,
        }
    }
    Err(EvaluateError::Contended)
}

/// Carries out what is about to leave the ring, notices included: the message that caused it may still be on its way
/// back, and would find nothing. Nearly always this was done long ago, and is absorbed by name.
async fn evict(
    app: &App,
    integration: &Integration,
    events: &[AlertEvent],
    folded: &Folded,
) -> Result<(), EvaluateError> {
    for transition in &folded.evicted {
        let Some(event) = stand_in(events, transition) else { return Ok(()) };
        let mut settled = Settled::default();
        carry_out::carry_out(app, integration, &event, *transition, &folded.evicted, &mut settled).await?;
        let mut told = Told { timers: std::mem::take(&mut settled.timers), ..Told::default() };
        settled.notices.into_iter().for_each(|notice| told.notice(notice));
        settled.changes.iter().for_each(|change| told.change(change));
        told.send(app).await?;
    }
    Ok(())
}

/// The message of a transition that leaves the ring, or a stand-in for it under its stamp: a trigger if there is one, for
/// it knows the spaces. Its texts are shown only where nothing else is.
fn stand_in(events: &[AlertEvent], transition: &Transition) -> Option<AlertEvent> {
    if let Some(same) = events.iter().find(|event| event.stamp == transition.stamp) {
        return Some(same.clone());
    }
    let trigger = events.iter().find(|event| event.verdict == Verdict::Trigger);
    let event = trigger.or(events.first())?.clone();
    let event = AlertEvent { stamp: transition.stamp, severity: transition.severity, ..event };
    Some(match transition.kind {
        // What closed the alert is not at hand: no message is kept for it.
        TransitionKind::Close => AlertEvent { verdict: Verdict::Close, title: String::new(), ..event },
        TransitionKind::Open | TransitionKind::Raise => event,
    })
}

async fn carry_out_round(
    app: &App,
    integration: &Integration,
    events: &[AlertEvent],
    round: &Round,
) -> Result<Vec<Settled>, EvaluateError> {
    let mut settled: Vec<Settled> = Vec::with_capacity(round.folded.taken());
    for (effect, episode) in &round.folded.effects {
        settled.push(settle(integration, *effect, *episode));
    }
    for (index, transition) in round.folded.transitions.iter().chain(&round.folded.again) {
        let ring = &round.state.ring;
        carry_out::carry_out(app, integration, &events[*index], *transition, ring, &mut settled[*index]).await?;
    }
    if let Some(index) = newest_shown(events, round) {
        carry_out::show(app, integration, &events[index], &round.state, &mut settled[index]).await?;
    }
    Ok(settled)
}

/// The trigger that the alert has to show, unless opening it has already written it.
fn newest_shown(events: &[AlertEvent], round: &Round) -> Option<usize> {
    let taken = &events[..round.folded.taken()];
    let index = taken.iter().rposition(|event| round.state.is_newest_trigger(event))?;
    let writes = |(at, transition): &(usize, Transition)| *at == index && transition.kind == TransitionKind::Open;
    let written = round.folded.transitions.iter().chain(&round.folded.again).any(writes);
    (round.shows && !written).then_some(index)
}

fn settle(integration: &Integration, effect: Effect, episode: Option<Stamp>) -> Settled {
    let (outcome, reason) = match effect {
        Effect::Triggered => (MessageOutcome::Triggered, None),
        Effect::Updated => (MessageOutcome::Updated, None),
        Effect::Recovered => (MessageOutcome::Recovered, None),
        Effect::NothingOpen => (MessageOutcome::Discarded, Some("nothing_open")),
        Effect::Superseded => (MessageOutcome::Superseded, None),
    };
    let alert = episode.map(|episode| AlertId::of(&integration.id, episode));
    Settled { outcome: Some(outcome), reason: reason.map(str::to_owned), alert, ..Settled::default() }
}
