//! Alerts that join one incident: a hundred at a time in one write, not each in a race against the others.
//!
//! Whoever comes while an incident is being written waits; who is first in line then applies the changes of all who wait,
//! one after another, and writes the result once. Other processes are kept apart by the incident's number, as always.

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

/// Incidents whose lines are kept; above this many, those that nobody stands in go.
const KEPT: usize = 256;
/// How often a lost race against another process is run again.
const RACES: usize = 12;

/// The lines before all incidents that alerts join.
#[derive(Default)]
pub(crate) struct Joining {
    lines: Mutex<HashMap<IncidentId, Arc<Line>>>,
}

/// The line before one incident.
#[derive(Default)]
struct Line {
    waiting: Mutex<Vec<Waiting>>,
    /// The incident as this process has written it last. Held by whoever works.
    turn: tokio::sync::Mutex<Option<Incident>>,
}

struct Waiting {
    ticket: Arc<Ticket>,
    wish: Wish,
}

/// One change that is to be made.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    pub(crate) change: SourceChange,
    /// The alert itself, for whoever makes the incident of it.
    pub(crate) alert: Alert,
    /// A new alert joins only as long as the incident takes it.
    pub(crate) grouping: Option<Grouping>,
}

/// Where the result is left; `None` until then.
#[derive(Default)]
struct Ticket {
    result: Mutex<Option<Result<Outcome, ()>>>,
}

impl Joining {
    /// Makes the change of an alert that belongs to this incident, or is about to.
    pub(crate) async fn submit(
        &self,
        store: &Store,
        incident: &IncidentId,
        wish: Wish,
        now: Moment,
    ) -> Result<Outcome, EvaluateError> {
        let line = self.line(incident);
        let ticket = Arc::new(Ticket::default());
        lock(&line.waiting).push(Waiting { ticket: Arc::clone(&ticket), wish });
        slots::aside(line.pass(store, incident, &ticket, now)).await?;
        match lock(&ticket.result).take() {
            Some(Ok(outcome)) => Ok(outcome),
            // Who worked for all of us has reported why; the message comes back.
            Some(Err(())) | None => Err(EvaluateError::Contended),
        }
    }

    fn line(&self, incident: &IncidentId) -> Arc<Line> {
        let mut lines = lock(&self.lines);
        if lines.len() >= KEPT {
            lines.retain(|_, line| Arc::strong_count(line) > 1);
        }
        Arc::clone(lines.entry(incident.clone()).or_default())
    }
}

impl Line {
    /// Waits for its turn, and then works for all who wait, unless someone has worked for it meanwhile.
    async fn pass(
        &self,
        store: &Store,
        incident: &IncidentId,
        ticket: &Ticket,
        now: Moment,
    ) -> Result<(), EvaluateError> {
        let mut known = self.turn.lock().await;
        if lock(&ticket.result).is_some() {
            return Ok(());
        }
        let all = std::mem::take(&mut *lock(&self.waiting));
        let worked = Box::pin(work(store, incident, &mut known, &all, now)).await;
        if worked.is_err() {
            *known = None;
            all.iter().for_each(|waiting| *lock(&waiting.ticket.result) = Some(Err(())));
        }
        worked
    }
}

/// Applies all that wait, and writes once.
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
            continue; // someone may have reopened it since
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
            *lock(&waiting.ticket.result) = Some(Ok(outcome));
        }
        let mut next = next;
        next.spill(); // as the store has written it
        *known = Some(next);
        return Ok(());
    }
    Err(EvaluateError::Contended)
}

/// Whether one of the changes makes the incident more severe: then its rules are asked again.
fn is_raised(incident: &Incident, all: &[Waiting]) -> bool {
    all.iter().any(|waiting| assignment_query(Some(incident), &Change::Source(waiting.wish.change.clone())).is_some())
}

/// The incident after all changes, and what became of each of them.
fn fold(before: &Incident, all: &[Waiting], now: Moment) -> (Incident, Vec<ChangeResult>) {
    let mut current = before.clone();
    let mut results = Vec::with_capacity(all.len());
    for Waiting { wish, .. } in all {
        let is_new = current.linked(&wish.change.alert).is_none();
        let at = wish.change.opened_by.received_at();
        let takes = |grouping| takes(&current, grouping, at);
        if is_new && !wish.grouping.as_ref().is_none_or(takes) {
            results.push(ChangeResult::CannotJoin);
            continue;
        }
        let applied = apply(Some(&current), &Change::Source(wish.change.clone()), None, now);
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

/// The incident as one of the changes has left it. What nobody is told of needs to know its alerts no more than by name.
fn seen_from(then: Incident, entry: &Entry, end: &Incident) -> Incident {
    let alerts = if entry.kind.is_told() { end.alerts.clone() } else { end.alerts.iter().take(1).cloned().collect() };
    Incident { alerts, ..then }
}

/// The incident does not exist yet, was merged away, or becomes more severe: the usual way knows what to do. What would be new to the one that
/// took its place joins only as long as that one takes it.
async fn one_by_one(store: &Store, id: &IncidentId, all: &[Waiting], now: Moment) -> Result<(), EvaluateError> {
    for Waiting { ticket, wish } in all {
        let at = wish.change.opened_by.received_at();
        let joins = match (&wish.grouping, store.standing(id).await?) {
            (None, _) | (_, None) => true,
            (Some(grouping), Some(Place::Incident(incident))) => {
                incident.linked(&wish.change.alert).is_some() || takes(&incident, grouping, at)
            }
            (Some(_), Some(Place::Joined(_) | Place::Dropped(_))) => false,
        };
        let change = Change::Source(wish.change.clone());
        let outcome = match joins {
            true => store.change_by_source(id, &change, Some(&wish.alert), now).await?,
            false => Outcome::CannotJoin,
        };
        *lock(&ticket.result) = Some(Ok(outcome));
    }
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
