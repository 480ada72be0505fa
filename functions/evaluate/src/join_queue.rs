//! Alerts that join one incident: a hundred of them in one write, instead of a race of each against the others.
//!
//! A change that arrives while its incident is being written waits in the incident's queue. The first waiting worker then
//! applies all waiting changes, one after another, and writes the incident once. Races with other processes are decided by the
//! incident's change number, as everywhere.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use alerting::base::ids::IncidentId;
use alerting::base::moment::Moment;
use alerting::incident::Incident;
use alerting::incident::alert::Alert;
use alerting::incident::apply::{Change, apply, assignment_query};
use alerting::incident::change_result::ChangeResult;
use alerting::incident::grouping::takes;
use alerting::incident::source::SourceChange;
use alerting::incident::space::Grouping;
use alerting::incident::timeline::Entry;
use store::Store;
use store::changes::Outcome;
use store::incidents::{Place, Replaces, WriteIncident};

use crate::error::EvaluateError;
use crate::slots;

/// Incidents whose queues are kept. Above this number, queues without a waiting worker are removed.
const KEPT: usize = 256;
/// How often a write is retried after losing a race against another process.
const RACES: usize = 12;

/// The queues of all incidents that alerts join.
#[derive(Default)]
pub(crate) struct JoinQueues {
    queues: Mutex<HashMap<IncidentId, Arc<JoinQueue>>>,
}

/// The changes that wait for one incident.
#[derive(Default)]
struct JoinQueue {
    waiting: Mutex<Vec<Waiting>>,
    /// The incident as this process wrote it last. Locked by the worker that applies the changes.
    last_written: tokio::sync::Mutex<Option<Incident>>,
}

struct Waiting {
    result: Arc<PendingResult>,
    request: JoinRequest,
}

/// A change of an alert that joins an incident, or has joined it.
#[derive(Debug, Clone)]
pub(crate) struct JoinRequest {
    pub(crate) change: SourceChange,
    /// The alert itself, from which the incident is made if it does not exist.
    pub(crate) alert: Alert,
    /// A new alert joins only while this grouping allows it; `None`: the alert has joined already.
    pub(crate) grouping: Option<Grouping>,
}

/// The result of a change; `None` until a worker has applied the change.
#[derive(Default)]
struct PendingResult(Mutex<Option<Result<Outcome, ()>>>);

impl JoinQueues {
    /// Makes the change of an alert that belongs to this incident, or is about to.
    pub(crate) async fn submit(
        &self,
        store: &Store,
        incident: &IncidentId,
        request: JoinRequest,
        now: Moment,
    ) -> Result<Outcome, EvaluateError> {
        let queue = self.queue(incident);
        let result = Arc::new(PendingResult::default());
        lock(&queue.waiting).push(Waiting { result: Arc::clone(&result), request });
        slots::without_slot(queue.work_in_turn(store, incident, &result, now)).await?;
        match lock(&result.0).take() {
            Some(Ok(outcome)) => Ok(outcome),
            // The worker that failed has reported why; the message is retried.
            Some(Err(())) | None => Err(EvaluateError::Contended),
        }
    }

    fn queue(&self, incident: &IncidentId) -> Arc<JoinQueue> {
        let mut queues = lock(&self.queues);
        if queues.len() >= KEPT {
            queues.retain(|_, queue| Arc::strong_count(queue) > 1);
        }
        Arc::clone(queues.entry(incident.clone()).or_default())
    }
}

impl JoinQueue {
    /// Waits for its turn, then applies all waiting changes, unless another worker has applied this one meanwhile.
    async fn work_in_turn(
        &self,
        store: &Store,
        incident: &IncidentId,
        result: &PendingResult,
        now: Moment,
    ) -> Result<(), EvaluateError> {
        let mut known = self.last_written.lock().await;
        if lock(&result.0).is_some() {
            return Ok(());
        }
        let all = std::mem::take(&mut *lock(&self.waiting));
        let worked = Box::pin(work(store, incident, &mut known, &all, now)).await;
        if worked.is_err() {
            *known = None;
            all.iter().for_each(|waiting| *lock(&waiting.result.0) = Some(Err(())));
        }
        worked
    }
}

/// Applies all waiting changes and writes the incident once.
async fn work(
    store: &Store,
    id: &IncidentId,
    known: &mut Option<Incident>,
    all: &[Waiting],
    now: Moment,
) -> Result<(), EvaluateError> {
    for _ in 0..RACES {
        let kept = known.take();
        let is_kept = kept.is_some();
        let before = match kept {
            Some(incident) => Some(incident),
            None => match store.place(id).await? {
                Some(Place::Incident(incident)) => Some(incident),
                Some(Place::Joined(_) | Place::Dropped(_)) | None => None,
            },
        };
        let is_usual = |incident: &Incident| incident.merged_into.is_none() && !is_raised(incident, all);
        let Some(before) = before.filter(is_usual) else {
            return Box::pin(one_by_one(store, id, all, now)).await;
        };
        let (next, results) = fold(&before, all, now);
        if is_kept && results.contains(&ChangeResult::CannotJoin) {
            continue; // it may have been reopened meanwhile
        }
        if next.n != before.n {
            match store.write_incident(&next, &Replaces::Incident(before.n)).await? {
                WriteIncident::Written => {}
                WriteIncident::Lost(_) => continue, // read again
            }
        }
        for (waiting, result) in all.iter().zip(results) {
            let outcome = match result {
                ChangeResult::Changed(then, entry) => Outcome::Changed(seen_from(then, &entry, &next), entry),
                ChangeResult::Already(entry) => Outcome::Changed(next.clone(), entry),
                ChangeResult::CannotJoin => Outcome::CannotJoin,
                ChangeResult::Nothing | ChangeResult::Moved(_) => Outcome::Nothing,
            };
            *lock(&waiting.result.0) = Some(Ok(outcome));
        }
        let mut next = next;
        next.spill(); // as the store has written it
        *known = Some(next);
        return Ok(());
    }
    Err(EvaluateError::Contended)
}

/// Whether one of the changes makes the incident more severe: then its rules are evaluated again.
fn is_raised(incident: &Incident, all: &[Waiting]) -> bool {
    all.iter()
        .any(|waiting| assignment_query(Some(incident), &Change::Source(waiting.request.change.clone())).is_some())
}

/// The incident after all changes, and the result of each.
fn fold(before: &Incident, all: &[Waiting], now: Moment) -> (Incident, Vec<ChangeResult>) {
    let mut current = before.clone();
    let mut results = Vec::with_capacity(all.len());
    for Waiting { request, .. } in all {
        let is_new = current.linked(&request.change.alert).is_none();
        let at = request.change.opened_by.received_at();
        let takes = |grouping| takes(&current, grouping, at);
        if is_new && !request.grouping.as_ref().is_none_or(takes) {
            results.push(ChangeResult::CannotJoin);
            continue;
        }
        let applied = apply(Some(&current), &Change::Source(request.change.clone()), None, now);
        let applied = applied.unwrap_or(ChangeResult::Nothing); // only people are refused
        results.push(match applied {
            ChangeResult::Changed(mut next, entry) => {
                let light = without_lists(&mut next);
                current = next;
                ChangeResult::Changed(light, entry)
            }
            other => other,
        });
    }
    (current, results)
}

/// A copy without the alerts and the timeline, which are long.
fn without_lists(incident: &mut Incident) -> Incident {
    let lists = (std::mem::take(&mut incident.alerts), std::mem::take(&mut incident.timeline));
    let light = incident.clone();
    (incident.alerts, incident.timeline) = lists;
    light
}

/// The incident as it was after one of the changes. A change that notifies nobody needs only the first alert.
fn seen_from(then: Incident, entry: &Entry, end: &Incident) -> Incident {
    let alerts = if entry.kind.notifies() { end.alerts.clone() } else { end.alerts.iter().take(1).cloned().collect() };
    Incident { alerts, ..then }
}

/// Used if the incident does not exist yet, was merged into another one, or becomes more severe: the changes are made
/// one by one, like those of an alert without a group. If another incident replaced it, a new alert joins only while
/// that one allows it.
async fn one_by_one(store: &Store, id: &IncidentId, all: &[Waiting], now: Moment) -> Result<(), EvaluateError> {
    for Waiting { result, request } in all {
        let at = request.change.opened_by.received_at();
        let joins = match (&request.grouping, store.standing(id).await?) {
            (None, _) | (_, None) => true,
            (Some(grouping), Some(Place::Incident(incident))) => {
                incident.linked(&request.change.alert).is_some() || takes(&incident, grouping, at)
            }
            (Some(_), Some(Place::Joined(_) | Place::Dropped(_))) => false,
        };
        let change = Change::Source(request.change.clone());
        let outcome = match joins {
            true => store.change_by_source(id, &change, Some(&request.alert), now).await?,
            false => Outcome::CannotJoin,
        };
        *lock(&result.0) = Some(Ok(outcome));
    }
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
