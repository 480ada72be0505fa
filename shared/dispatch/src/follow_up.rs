//! What follows from one entry, and carrying it out.

use std::time::Duration;

use alerting::base::ids::DestinationId;
use alerting::incident::alert::Alert;
use alerting::incident::change::ChangeEvent;
use alerting::incident::notice::{self, Notice, NoticeRecord};
use alerting::incident::timeline::{Audience, Entry, EntryKind};
use alerting::incident::timer::{self, Timer, Work};
use alerting::incident::{Incident, Progress};
use futures::StreamExt as _;
use futures::stream;
use lambda_kit::queue;
use lambda_kit::topic::PublishError;
use store::log::NoticeRef;

use crate::error::DispatchError;
use crate::queues::Dispatch;
use crate::{alarm, subject};

/// What is due within this time goes to the queue at once; what is due later waits in the table for the minute's sweep.
/// A minute, for the sweep that comes next may be that far away.
pub const SOON: Duration = Duration::from_secs(60);
/// Timers that are written at a time.
const CONCURRENT_WRITES: usize = 16;

/// What is to be done about one entry.
#[derive(Debug, Clone)]
pub struct FollowUp {
    pub notices: Vec<Notice>,
    pub timers: Vec<Timer>,
    pub change: ChangeEvent,
}

impl Dispatch {
    /// What follows from `entry`. `alert` is its alert, if the caller has it already.
    pub async fn follow_up(
        &self,
        incident: &Incident,
        entry: &Entry,
        alert: Option<&Alert>,
    ) -> Result<FollowUp, DispatchError> {
        let notices = if subject::hears_anyone(incident, entry) {
            let subject = self.subject(incident, alert).await?;
            notice::plan(incident, entry, &subject)
        } else {
            Vec::new()
        };
        let mut timers = timer::timers(incident, entry);
        timers.extend(self.auto_close(incident, entry).await?);
        alarm::check(incident, entry, &notices, &timers, self.clock.now());
        Ok(FollowUp { notices, timers, change: ChangeEvent::of_incident(incident, entry) })
    }

    /// What `destination` would be sent about the newest change that notifies. Nothing is sent.
    pub async fn sample(&self, incident: &Incident, destination: &DestinationId) -> Result<Notice, DispatchError> {
        let newest = incident.timeline.iter().rev().find(|entry| entry.kind.is_told());
        let (kind, at) = newest.map_or((EntryKind::Triggered, incident.triggered_at), |entry| (entry.kind, entry.at));
        let entry = Entry {
            n: incident.n,
            at,
            kind,
            actor: newest.map_or_else(String::new, |entry| entry.actor.clone()),
            by: newest.and_then(|entry| entry.by.clone()),
            action: None,
            detail: None,
            alert_n: None,
            alert: None,
            told: Audience::Only(vec![destination.clone()]),
        };
        self.notice(incident, &entry, destination).await
    }

    /// What `destination` is sent about this entry, for the incident as it is now.
    pub async fn notice(
        &self,
        incident: &Incident,
        entry: &Entry,
        destination: &DestinationId,
    ) -> Result<Notice, DispatchError> {
        let subject = self.subject(incident, None).await?;
        let entry = Entry { told: Audience::Only(vec![destination.clone()]), ..entry.clone() };
        Ok(notice::plan(incident, &entry, &subject).remove(0))
    }

    /// The end of an incident that closes by itself.
    async fn auto_close(&self, incident: &Incident, entry: &Entry) -> Result<Option<Timer>, DispatchError> {
        if incident.progress == Progress::Closed || !matches!(entry.kind, EntryKind::Triggered | EntryKind::Reopened) {
            return Ok(None);
        }
        let space = self.store.cached_space(&incident.space, self.clock.now()).await?;
        let after = space.and_then(|space| space.auto_close).map(|auto| u64::from(auto.after_minutes) * 60);
        let work = || Work::CloseIncident { incident: incident.id.clone() };
        Ok(after.map(|secs| Timer::new(entry.at + Duration::from_secs(secs), work())))
    }

    /// Carries out what follows from a change that no message made. Its notices are recorded first: none is on its way
    /// that the ledger does not know of.
    pub async fn tell(&self, incident: &Incident, entry: &Entry) -> Result<(), DispatchError> {
        let FollowUp { notices, timers, change } = self.follow_up(incident, entry, None).await?;
        if !notices.is_empty() {
            let refs: Vec<NoticeRef> = notices.iter().map(NoticeRef::of).collect();
            self.store.log_action(entry.at, &incident.id, entry.n, &refs).await?;
        }
        self.set_timers(timers).await?;
        let entries = notices.into_iter().map(|notice| queue::Entry::of_notice(&NoticeRecord::Tell(notice)));
        self.notices.send_batch(entries.collect()).await?;
        Ok(self.publish(&change).await?)
    }

    /// Sees to it that each is acted on to the second. What is named several times is written once.
    pub async fn set_timers(&self, mut timers: Vec<Timer>) -> Result<(), DispatchError> {
        timers.sort_by(|one, other| (one.due, &one.id).cmp(&(other.due, &other.id)));
        timers.dedup();
        let now = self.clock.now();
        let (soon, later): (Vec<Timer>, Vec<Timer>) = timers.into_iter().partition(|timer| timer.due <= now + SOON);
        let writes = stream::iter(later)
            .map(|timer| async move { self.store.put_timer(&timer).await })
            .buffer_unordered(CONCURRENT_WRITES)
            .collect::<Vec<_>>();
        for written in writes.await {
            written?;
        }
        let sent = self.clock.now();
        Ok(self.due.send_batch(soon.iter().map(|timer| queue::Entry::of_timer(timer, sent)).collect()).await?)
    }

    pub async fn publish(&self, change: &ChangeEvent) -> Result<(), PublishError> {
        self.changes.publish_batch(&[change.message()]).await
    }
}
