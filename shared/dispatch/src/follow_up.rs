//! The follow-up of one entry: what it consists of, and how it is carried out.

use std::time::Duration;

use alerting::incident::alert::Alert;
use alerting::incident::change::ChangeEvent;
use alerting::incident::notice::{self, Notice, NoticeRecord};
use alerting::incident::refresh::Refresh;
use alerting::incident::timeline::{Entry, EntryKind};
use alerting::incident::timer::{self, Timer, Work};
use alerting::incident::{Incident, Progress};
use futures::StreamExt as _;
use futures::stream;
use lambda_kit::queue::{self, SendError};
use lambda_kit::topic::PublishError;
use store::log::NoticeRef;

use crate::error::DispatchError;
use crate::queues::Dispatch;
use crate::{alarm, subject};

/// Work that is due within this time goes to the queue at once. Later work waits in the table for the sweep, which runs
/// every minute, so the next one may be a minute away.
pub const SOON: Duration = Duration::from_secs(60);
/// The most timers that are written at the same time.
const CONCURRENT_WRITES: usize = 16;

/// The work that follows from one entry.
#[derive(Debug, Clone)]
pub struct FollowUp {
    pub notices: Vec<Notice>,
    pub timers: Vec<Timer>,
    /// Cards that none of the notices replaces.
    pub refreshes: Vec<Refresh>,
    pub change: ChangeEvent,
}

impl Dispatch {
    /// The follow-up of `entry`. `alert` is its alert, if the caller has it already.
    pub async fn follow_up(
        &self,
        incident: &Incident,
        entry: &Entry,
        alert: Option<&Alert>,
    ) -> Result<FollowUp, DispatchError> {
        let notices = if subject::notifies_anyone(incident, entry) {
            let subject = subject::subject(&self.store, incident, alert, self.clock.now()).await?;
            notice::plan(incident, entry, &subject)
        } else {
            Vec::new()
        };
        let mut timers = timer::timers(incident, entry);
        timers.extend(self.auto_close(incident, entry).await?);
        alarm::check(incident, entry, &notices, &timers, self.clock.now());
        let (refreshes, later) = self.refreshes(incident, entry, &notices).await?;
        timers.extend(later);
        Ok(FollowUp { notices, timers, refreshes, change: ChangeEvent::of_incident(incident, entry) })
    }

    /// The timer that closes the incident without a person.
    async fn auto_close(&self, incident: &Incident, entry: &Entry) -> Result<Option<Timer>, DispatchError> {
        if incident.progress == Progress::Closed || !matches!(entry.kind, EntryKind::Triggered | EntryKind::Reopened) {
            return Ok(None);
        }
        let space = self.store.cached_space(&incident.space, self.clock.now()).await?;
        let after = space.and_then(|space| space.auto_close).map(|auto| u64::from(auto.after_minutes) * 60);
        let work = || Work::CloseIncident { incident: incident.id.clone() };
        Ok(after.map(|secs| Timer::new(entry.at + Duration::from_secs(secs), work())))
    }

    /// Carries out the follow-up of a change that no message made. Its notices are recorded first, so that the ledger
    /// knows of every notice that is sent.
    pub async fn carry_out(&self, incident: &Incident, entry: &Entry) -> Result<(), DispatchError> {
        let FollowUp { notices, timers, refreshes, change } = self.follow_up(incident, entry, None).await?;
        if !notices.is_empty() {
            let refs: Vec<NoticeRef> = notices.iter().map(NoticeRef::of).collect();
            self.store.log_action(entry.at, &incident.id, entry.n, &refs).await?;
        }
        self.set_timers(timers).await?;
        let records = notices.into_iter().map(NoticeRecord::Tell);
        self.send_records(records.chain(refreshes.into_iter().map(NoticeRecord::Refresh))).await?;
        Ok(self.publish(&change).await?)
    }

    pub(crate) async fn send_records(&self, records: impl Iterator<Item = NoticeRecord>) -> Result<(), SendError> {
        self.notices.send_batch(records.map(|record| queue::Entry::of_notice(&record)).collect()).await
    }

    /// Schedules each timer so that it is acted on to the second. Equal timers are written once.
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
