//! Applies messages to the state of their alert key: read, fold, write unless another process did, carry out.

use alerting::base::ids::{AlertId, Stamp};
use alerting::incident::alert::{
    AlertEvent, AlertState, Effect, EventKind, Folded, Status, Transition, TransitionKind, fold,
};
use alerting::rules::integration::Integration;
use store::alert_states::WriteState;
use store::keys::alert_key_hash;
use store::log::MessageOutcome;

use crate::app::App;
use crate::batch::MessageResult;
use crate::carry_out;
use crate::error::EvaluateError;
use crate::outgoing::Outgoing;

/// How often a write is tried before the messages are returned to the queue. A process that loses the race and has
/// nothing newer than the winner writes nothing more. A process that loses again holds the newest message, which would
/// otherwise wait minutes for the visibility timeout of the queue.
const RACES: usize = 12;

/// Messages of one key of one integration, in order.
pub(crate) struct Keyed<'a> {
    pub(crate) integration: &'a Integration,
    pub(crate) key: &'a str,
    pub(crate) events: &'a [AlertEvent],
}

/// Applies all messages, in as many writes as the ring needs. Returns the result of each, in their order.
pub(crate) async fn apply(app: &App, keyed: &Keyed<'_>) -> Result<Vec<MessageResult>, EvaluateError> {
    let key_hash = alert_key_hash(keyed.key);
    let mut results: Vec<MessageResult> = Vec::new();
    while results.len() < keyed.events.len() {
        let rest = &keyed.events[results.len()..];
        let round = write_round(app, keyed, &key_hash, rest).await?;
        results.extend(carry_out_round(app, keyed.integration, rest, &round).await?);
    }
    Ok(results)
}

pub(crate) async fn is_open(app: &App, integration: &Integration, key: &str) -> Result<bool, EvaluateError> {
    let state = app.store.alert_state(&integration.id, &alert_key_hash(key)).await?;
    Ok(state.is_some_and(|state| state.status == Status::Open))
}

/// One committed write (or none, if every message was stale).
struct Round {
    folded: Folded,
    /// The state after the write.
    state: AlertState,
    /// Whether the texts of the alert may have to be written again.
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

/// Carries out the transitions that are about to leave the ring, notices included: the message that caused one may
/// still be retried, and would not find it. Nearly always this was done long ago, and changes nothing.
async fn evict(
    app: &App,
    integration: &Integration,
    events: &[AlertEvent],
    folded: &Folded,
) -> Result<(), EvaluateError> {
    for transition in &folded.evicted {
        let Some(event) = substitute(events, transition) else { return Ok(()) };
        let mut result = MessageResult::default();
        carry_out::carry_out(app, integration, &event, *transition, &folded.evicted, &mut result).await?;
        let mut outgoing = Outgoing { timers: std::mem::take(&mut result.timers), ..Outgoing::default() };
        result.notices.into_iter().for_each(|notice| outgoing.notice(notice));
        result.refreshes.into_iter().for_each(|refresh| outgoing.refresh(refresh));
        result.changes.iter().for_each(|change| outgoing.change(change));
        outgoing.send(app).await?;
    }
    Ok(())
}

/// The message of a transition that leaves the ring, or a substitute under its stamp: a trigger if there is one,
/// because a trigger knows the spaces. The texts of a substitute are shown only where no others are.
fn substitute(events: &[AlertEvent], transition: &Transition) -> Option<AlertEvent> {
    if let Some(same) = events.iter().find(|event| event.stamp == transition.stamp) {
        return Some(same.clone());
    }
    let trigger = events.iter().find(|event| event.kind == EventKind::Trigger);
    let event = trigger.or(events.first())?.clone();
    let event = AlertEvent { stamp: transition.stamp, severity: transition.severity, ..event };
    Some(match transition.kind {
        // The message that closed the alert is not known any more.
        TransitionKind::Close => AlertEvent { kind: EventKind::Close, title: String::new(), ..event },
        TransitionKind::Open | TransitionKind::Raise => event,
    })
}

async fn carry_out_round(
    app: &App,
    integration: &Integration,
    events: &[AlertEvent],
    round: &Round,
) -> Result<Vec<MessageResult>, EvaluateError> {
    let mut results: Vec<MessageResult> = Vec::with_capacity(round.folded.taken());
    for (effect, episode) in &round.folded.effects {
        results.push(message_result(integration, *effect, *episode));
    }
    for (index, transition) in round.folded.transitions.iter().chain(&round.folded.again) {
        let ring = &round.state.ring;
        carry_out::carry_out(app, integration, &events[*index], *transition, ring, &mut results[*index]).await?;
    }
    if let Some(index) = newest_shown(events, round) {
        carry_out::show(app, integration, &events[index], &round.state, &mut results[index]).await?;
    }
    Ok(results)
}

/// The trigger that the alert has to show, unless opening the alert wrote it already.
fn newest_shown(events: &[AlertEvent], round: &Round) -> Option<usize> {
    let taken = &events[..round.folded.taken()];
    let index = taken.iter().rposition(|event| round.state.is_newest_trigger(event))?;
    let writes = |(at, transition): &(usize, Transition)| *at == index && transition.kind == TransitionKind::Open;
    let written = round.folded.transitions.iter().chain(&round.folded.again).any(writes);
    (round.shows && !written).then_some(index)
}

fn message_result(integration: &Integration, effect: Effect, episode: Option<Stamp>) -> MessageResult {
    let (outcome, reason) = match effect {
        Effect::Triggered => (MessageOutcome::Triggered, None),
        Effect::Updated => (MessageOutcome::Updated, None),
        Effect::Recovered => (MessageOutcome::Recovered, None),
        Effect::NothingOpen => (MessageOutcome::Discarded, Some("nothing_open")),
        Effect::Superseded => (MessageOutcome::Superseded, None),
    };
    let alert = episode.map(|episode| AlertId::of(&integration.id, episode));
    MessageResult { outcome: Some(outcome), reason: reason.map(str::to_owned), alert, ..MessageResult::default() }
}
