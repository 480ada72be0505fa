//! The notices of an incident: the change, the destination and the result of each.

use std::collections::{BTreeMap, BTreeSet};

use alerting::base::ids::DestinationId;
use alerting::incident::Incident;
use alerting::incident::timeline::{Audience, Entry, EntryKind};
use store::deliveries::{Delivery, DeliveryState};
use store::log::NoticeRef;

use super::because::Voice;
use words::{sentence, trace as texts};

use crate::app::App;
use crate::dto::Time;
use crate::dto::incident::AttemptView;
use crate::dto::trace::NoticeTrace;
use crate::error::ApiError;
use crate::incidents::destination_name;

/// One notice, with the fields that the summary needs.
#[derive(Debug)]
pub(crate) struct TracedNotice {
    /// The number of the change in its incident.
    pub(crate) n: u64,
    pub(crate) kind: Option<EntryKind>,
    pub(crate) state: DeliveryState,
    pub(crate) view: NoticeTrace,
}

/// Which notices of an incident are requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoticeFilter {
    All,
    /// Only the notices that the message caused.
    OfTheMessage,
}

/// The notices of an incident by change and destination. `caused` lists the notices that the message caused, as
/// recorded.
pub(crate) async fn notices(
    app: &App,
    incident: &Incident,
    entries: &[Entry],
    caused: &[NoticeRef],
    wanted: NoticeFilter,
) -> Result<Vec<TracedNotice>, ApiError> {
    let deliveries: BTreeMap<DestinationId, Delivery> = app.store.deliveries(&incident.id).await?.into_iter().collect();
    let caused = caused.iter().filter(|notice| notice.incident == incident.id);
    let mut all: BTreeSet<(u64, DestinationId)> = caused.map(|notice| (notice.n, notice.destination.clone())).collect();
    if wanted == NoticeFilter::All {
        all.extend(planned(entries));
        all.extend(deliveries.iter().flat_map(|(destination, delivery)| {
            let attempts = delivery.attempts.iter().map(|attempt| attempt.n);
            attempts.chain(delivery.changes.iter().map(|change| change.n)).map(|n| (n, destination.clone()))
        }));
    }
    let kinds: BTreeMap<u64, EntryKind> = entries.iter().map(|entry| (entry.n, entry.kind)).collect();
    let mut names = BTreeMap::new();
    let mut notices = Vec::with_capacity(all.len());
    for (n, destination) in all {
        if !names.contains_key(&destination) {
            names.insert(destination.clone(), destination_name(app, &destination).await?);
        }
        let (name, channel) = names[&destination].clone();
        let delivery = deliveries.get(&destination);
        let state = delivery.map_or(DeliveryState::Pending, |delivery| delivery.state_of(n));
        let kind = kinds.get(&n).copied();
        let change = kind.map(EntryKind::as_str);
        let attempts = attempts(delivery, n);
        let view = NoticeTrace { destination, name, channel, change, state: state.as_str(), attempts };
        notices.push(TracedNotice { n, kind, state, view });
    }
    Ok(notices)
}

/// The notices that the timeline addresses to individual destinations.
fn planned(entries: &[Entry]) -> impl Iterator<Item = (u64, DestinationId)> {
    let notifying = entries.iter().filter(|entry| entry.kind.notifies());
    notifying.flat_map(|entry| {
        let destinations: &[DestinationId] = match &entry.audience {
            Audience::Everyone => &[],
            Audience::Only(destinations) => destinations,
        };
        destinations.iter().map(|destination| (entry.n, destination.clone()))
    })
}

fn attempts(delivery: Option<&Delivery>, n: u64) -> Vec<AttemptView> {
    let of_n = delivery.into_iter().flat_map(|delivery| &delivery.attempts).filter(|attempt| attempt.n == n);
    let view = |attempt: &store::deliveries::Attempt| AttemptView {
        at: Time(attempt.at),
        outcome: attempt.outcome.as_str(),
        reason: attempt.reason.clone(),
        template: attempt.template.clone(),
    };
    of_n.map(view).collect()
}

/// One sentence that lists which destinations were notified, failed or are pending. Each destination is listed once,
/// with its best result. `None`: there is no destination.
pub(crate) fn summary<'n>(voice: Voice, notices: impl Iterator<Item = &'n TracedNotice>) -> Option<String> {
    let mut best: BTreeMap<&DestinationId, &TracedNotice> = BTreeMap::new();
    for notice in notices {
        let known = best.entry(&notice.view.destination).or_insert(notice);
        if rank(notice.state) >= rank(known.state) {
            *known = notice;
        }
    }
    let group = |wanted: u8, words| {
        let names: Vec<String> =
            best.values().filter(|notice| rank(notice.state) == wanted).map(|notice| whom(voice, notice)).collect();
        (!names.is_empty()).then(|| voice.say(words, &[("names", &voice.join(&names, sentence::LIST))]))
    };
    let parts: Vec<String> =
        [group(NOTIFIED, texts::S_TOLD), group(FAILED, texts::S_FAILED), group(PENDING, texts::S_PENDING)]
            .into_iter()
            .flatten()
            .collect();
    (!parts.is_empty()).then(|| voice.join(&parts, sentence::SEMICOLON))
}

const FAILED: u8 = 0;
const PENDING: u8 = 1;
const NOTIFIED: u8 = 2;

const fn rank(state: DeliveryState) -> u8 {
    match state {
        DeliveryState::Failed => FAILED,
        DeliveryState::Pending | DeliveryState::Accepted => PENDING,
        DeliveryState::Delivered | DeliveryState::Folded => NOTIFIED,
    }
}

fn whom(voice: Voice, notice: &TracedNotice) -> String {
    let view = &notice.view;
    let name = view.name.as_deref().unwrap_or(view.destination.as_str());
    let channel = view.channel.as_deref().unwrap_or("?");
    let reason = view.attempts.last().and_then(|attempt| attempt.reason.as_deref());
    match reason.filter(|_| rank(notice.state) != NOTIFIED) {
        Some(reason) => voice.say(texts::WHOM_WHY, &[("name", name), ("channel", channel), ("reason", reason)]),
        None => voice.say(texts::WHOM, &[("name", name), ("channel", channel)]),
    }
}
