//! What a person does to an incident, and what follows from it.
//!
//! The change itself is one conditional write. Its notices and its SNS change are sent after it, and a close goes on to
//! the incident's alerts and from those to their incidents in other spaces. If any of that fails, the person is told so
//! and presses again: the same action finds itself done, and carries out again what follows, under the same names.

use std::collections::BTreeMap;
use std::time::Duration;

use alerting::alert::{Alert, Status};
use alerting::change::{ChangeEvent, ChangeKind};
use alerting::ids::IncidentId;
use alerting::incident::{Action, Change, Entry, EntryKind, Incident};
use alerting::moment::Moment;
use alerting::notice::{self, Notice, NoticeRecord, Subject};
use lambda_kit::queue;
use store::changes::ChangeError;
use store::log::NoticeRef;
use store::timers::{Timer, Work};

use crate::App;
use crate::error::ApiError;

/// What a button says; the snooze's end is counted from now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    Acknowledge,
    Unacknowledge,
    Snooze(Duration),
    Close,
    Reopen,
}

impl Wish {
    fn action(self, now: Moment) -> Action {
        match self {
            Wish::Acknowledge => Action::Acknowledge,
            Wish::Unacknowledge => Action::Unacknowledge,
            Wish::Snooze(length) => Action::Snooze { until: now + length },
            Wish::Close => Action::Close,
            Wish::Reopen => Action::Reopen,
        }
    }

    fn entry(self) -> EntryKind {
        match self {
            Wish::Acknowledge => EntryKind::Acknowledged,
            Wish::Unacknowledge => EntryKind::Unacknowledged,
            Wish::Snooze(_) => EntryKind::Snoozed,
            Wish::Close => EntryKind::Closed,
            Wish::Reopen => EntryKind::Reopened,
        }
    }
}

/// Carries out the wish; the incident as it then is.
pub(crate) async fn act(app: &App, id: &IncidentId, wish: Wish, actor: &str) -> Result<Incident, ApiError> {
    let now = app.clock.now();
    let not_found = || ApiError::not_found(format_args!("incident {id}"));
    app.store.incident(id).await?.ok_or_else(not_found)?;
    let action = wish.action(now);
    if let Action::Snooze { until } = action {
        // Before the incident: a timer whose snooze was never written does nothing.
        let work = Work::SnoozeEnd { incident: id.clone(), until };
        app.store.put_timer(&Timer::new(until, work)).await?;
    }
    let changed = change(app, id, Change::Person { actor: actor.to_owned(), action }, now).await?;
    let incident = match changed {
        Some((incident, entry)) => {
            tell(app, &incident, &entry).await?;
            incident
        }
        None => {
            // It was done before, perhaps by a request that failed on the way: what follows is carried out again.
            let incident = app.store.incident(id).await?.ok_or_else(not_found)?;
            if let Some(entry) = incident.timeline.last().filter(|entry| entry.kind == wish.entry()) {
                tell(app, &incident, entry).await?;
            }
            incident
        }
    };
    if wish == Wish::Close {
        for alert in &incident.alerts {
            if let Some(alert) = app.store.alert(alert).await? {
                close_alert(app, &alert, actor, now).await?;
            }
        }
    }
    Ok(incident)
}

async fn change(
    app: &App,
    id: &IncidentId,
    change: Change,
    now: Moment,
) -> Result<Option<(Incident, Entry)>, ApiError> {
    match app.store.act_on_incident(id, &change, now).await {
        Ok(changed) => Ok(changed),
        Err(ChangeError::Refused(refusal)) => Err(ApiError::conflict(refusal.to_string())),
        Err(error @ ChangeError::Write(_)) => Err(error.into()),
    }
}

/// Closes an alert of a closed incident, and its incidents in other spaces: nothing would ever recover them.
async fn close_alert(app: &App, alert: &Alert, actor: &str, now: Moment) -> Result<(), ApiError> {
    if alert.status == Status::Open
        && let Some(closed) = app.store.close_alert(alert, app.stamps.next(now), now).await?
    {
        app.store.add_open(&closed.integration, -1).await?;
        let event = ChangeEvent::of_alert(ChangeKind::AlertClosed, &closed, &closed.shown.to_string(), now);
        publish(app, &event).await?;
    }
    for space in &alert.spaces {
        let id = IncidentId::of(space, alert.opened_by);
        let close = Change::Person { actor: actor.to_owned(), action: Action::Close };
        if let Some((incident, entry)) = change(app, &id, close, now).await? {
            tell(app, &incident, &entry).await?;
        }
    }
    Ok(())
}

/// Sends a change's notices, publishes it, and records the notices for the ledger.
async fn tell(app: &App, incident: &Incident, entry: &Entry) -> Result<(), ApiError> {
    let notices = notices(app, incident, entry).await?;
    if !notices.is_empty() {
        // Recorded first: no notice is on its way that the ledger does not know of.
        let refs: Vec<NoticeRef> = notices.iter().map(NoticeRef::of).collect();
        app.store.log_action(entry.at, &incident.id, entry.n, &refs).await?;
        app.notices
            .send_batch(
                notices.into_iter().map(|notice| queue::Entry::of_notice(&NoticeRecord::Tell(notice))).collect(),
            )
            .await?;
    }
    publish(app, &ChangeEvent::of_incident(incident, entry)).await
}

async fn notices(app: &App, incident: &Incident, entry: &Entry) -> Result<Vec<Notice>, ApiError> {
    if !entry.kind.is_told() {
        return Ok(Vec::new());
    }
    let now = app.clock.now();
    let space = app.store.cached_space(&incident.space, now).await?;
    let alert = match incident.alerts.first() {
        Some(alert) => app.store.alert(alert).await?,
        None => None,
    };
    let integration = match &alert {
        Some(alert) => app.store.cached_integration(&alert.integration, now).await?,
        None => None,
    };
    let no_labels = BTreeMap::new();
    let subject = Subject {
        space_name: space.as_ref().map_or("", |space| &space.name),
        integration_name: integration.as_ref().map_or("", |stored| &stored.integration.name),
        description: alert.as_ref().map_or("", |alert| &alert.description),
        labels: alert.as_ref().map_or(&no_labels, |alert| &alert.labels),
    };
    Ok(notice::plan(incident, entry, &subject))
}

async fn publish(app: &App, event: &ChangeEvent) -> Result<(), ApiError> {
    let message = serde_json::to_string(event).expect("a change is JSON");
    Ok(app.changes.publish_batch(&[message]).await?)
}
