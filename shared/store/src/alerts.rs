//! The detail of an alert: what people see of one episode.
//!
//! An alert of the mode "each message" is stored only here: it is opened with one put that never overwrites. The
//! content of an alert is replaced only by newer content, so copies and late workers cannot restore old content.

use std::collections::HashMap;
use std::time::Duration;

use alerting::base::ids::{AlertId, IntegrationId, SpaceId, Stamp};
use alerting::base::limits;
use alerting::base::moment::Moment;
use alerting::incident::alert::{Alert, Status};

use crate::alert_states;
use crate::connection::Store;
use crate::errors::{ReadError, WriteError};
use crate::item::{Item, Reader, expiry, item, json, number, text};
use crate::keys::{self, Key};
use crate::newest_first::{Cursor, newest_first};
use crate::page::Page;
use crate::table::{Condition, Part, Range, Reading, Table, Terms, Write};

/// How often a change of an alert is retried after a lost race. With two evaluators and a person, it rarely loses
/// twice.
const RACES: usize = 12;

/// The result of [`Store::open_alert`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "the outcome of one call, matched where it arrives and never stored")]
pub enum Opened {
    Created,
    /// The alert is stored already: by a copy, or by this call before its answer was lost.
    Existing(Alert),
}

/// The result of [`Store::write_alert`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteAlert {
    /// The alert with its new revision.
    Written(Alert),
    /// Another writer was first; this is the alert that it stored.
    Lost(Option<Alert>),
}

/// Which alerts to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertQuery {
    pub status: Option<Status>,
    pub space: Option<SpaceId>,
    pub integrations: Vec<IntegrationId>,
    /// The `next` of the previous page.
    pub after: Option<Cursor>,
    pub limit: usize,
}

impl Store {
    /// Stores an alert unless it is stored already.
    pub async fn open_alert(&self, alert: &Alert, now: Moment) -> Result<Opened, WriteError> {
        let (key, item) = encode(alert, now)?;
        match self.put(Table::Alerts, &key, item, Some(Condition::absent())).await? {
            Write::Done(_) => Ok(Opened::Created),
            Write::Refused(Some(stored)) => Ok(Opened::Existing(decode(&stored)?)),
            Write::Refused(None) => Err(ReadError::missing(&key, "the alert that is already there").into()),
        }
    }

    /// Writes an alert if the stored one is still the one that was read (`None`: there was none).
    pub async fn write_alert(
        &self,
        alert: &Alert,
        previous: Option<&Alert>,
        now: Moment,
    ) -> Result<WriteAlert, WriteError> {
        let alert = Alert { revision: previous.map_or(0, |previous| previous.revision + 1), ..alert.clone() };
        let (key, item) = encode(&alert, now)?;
        let condition = previous.map_or_else(Condition::absent, is_at);
        match self.put(Table::Alerts, &key, item, Some(condition)).await? {
            Write::Done(_) => Ok(WriteAlert::Written(alert)),
            Write::Refused(Some(stored)) => {
                let stored = decode(&stored)?;
                // An equal stored alert is this call's own write, whose answer was lost.
                Ok(if stored == alert { WriteAlert::Written(alert) } else { WriteAlert::Lost(Some(stored)) })
            }
            Write::Refused(None) => Ok(WriteAlert::Lost(None)),
        }
    }

    /// Changes an alert, and retries if another writer changes it meanwhile. Returns the alert as it then is, and
    /// whether this call has changed it. `previous`: the alert as the caller read it, if it did.
    pub async fn change_alert(
        &self,
        mut previous: Option<Alert>,
        mut change: impl FnMut(Option<&Alert>) -> Alert,
        now: Moment,
    ) -> Result<(Alert, bool), WriteError> {
        for _ in 0..RACES {
            let alert = change(previous.as_ref());
            if previous.as_ref() == Some(&alert) {
                return Ok((alert, false));
            }
            match self.write_alert(&alert, previous.as_ref(), now).await? {
                WriteAlert::Written(alert) => return Ok((alert, true)),
                WriteAlert::Lost(stored) => previous = stored,
            }
        }
        let name = previous.map_or_else(|| "an alert".to_owned(), |alert| alert.id.to_string());
        Err(WriteError::Read(ReadError::throttled(name)))
    }

    /// The current alert, with the count that was last shown. Read before a change.
    pub async fn alert_as_stored(&self, id: &AlertId) -> Result<Option<Alert>, ReadError> {
        let Some(key) = keys::alert(id) else { return Ok(None) };
        let item = self.get(Table::Alerts, &key, Reading::Latest).await?;
        item.as_ref().map(decode).transpose()
    }

    /// The alert as people see it: the count of an open keyed alert comes from its state, which is newer.
    pub async fn alert(&self, id: &AlertId) -> Result<Option<Alert>, ReadError> {
        let Some(key) = keys::alert(id) else { return Ok(None) };
        let Some(item) = self.get(Table::Alerts, &key, Reading::Eventual).await? else { return Ok(None) };
        let mut alerts = vec![decode(&item)?];
        self.count_open(&mut alerts).await?;
        Ok(alerts.pop())
    }

    pub async fn alerts(&self, query: AlertQuery) -> Result<Page<Alert>, ReadError> {
        let AlertQuery { status, space, integrations, after, limit } = query;
        let partitions = integrations.iter().map(keys::alerts_of).collect();
        let matching = |item: &Item| {
            let reader = Reader::new(item);
            if status.is_some_and(|status| reader.optional_text("status") != Some(status.as_str())) {
                return Ok(None);
            }
            let alert = decode(item)?;
            Ok(space.as_ref().is_none_or(|space| alert.spaces.contains(space)).then_some(alert))
        };
        let mut page = newest_first(self, partitions, after, limit, matching).await?;
        self.count_open(&mut page.items).await?;
        Ok(page)
    }

    /// The alerts without a key that were opened in this time and are still open. No message closes such alerts.
    pub async fn open_unkeyed_alerts(
        &self,
        integration: &IntegrationId,
        from: Moment,
        until: Moment,
    ) -> Result<Vec<AlertId>, ReadError> {
        let last = Stamp::from_parts(until - Duration::from_millis(1), u128::MAX);
        let range = Range::Between(Stamp::from_parts(from, 0).to_string(), last.to_string());
        let part = Part::all(keys::alerts_of(integration)).range(range).latest();
        let alerts = self.query_all(Table::Alerts, &part, decode).await?;
        let open = |alert: &Alert| alert.status == Status::Open && alert.alert_key.is_none();
        Ok(alerts.into_iter().filter(open).map(|alert| alert.id).collect())
    }

    /// Sets the counts of open alerts from their states. An update that changes nothing shown is counted only in the
    /// state.
    async fn count_open(&self, alerts: &mut [Alert]) -> Result<(), ReadError> {
        let states: Vec<Key> = alerts.iter().filter_map(state_key).collect();
        if states.is_empty() {
            return Ok(());
        }
        let mut counts = HashMap::new();
        for item in self.get_many(Table::Alerts, &states).await? {
            let state = alert_states::decode(&item)?;
            counts.insert(Reader::new(&item).name(), (state.episode, state.count));
        }
        for alert in alerts {
            match state_key(alert).and_then(|key| counts.get(&key)) {
                Some((episode, count)) if *episode == Some(alert.opened_by) => alert.count = alert.count.max(*count),
                _ => {}
            }
        }
        Ok(())
    }
}

/// The condition that the stored alert has this revision. The first revision has no number, because rows of older
/// versions have none.
fn is_at(previous: &Alert) -> Condition {
    match previous.revision {
        0 => {
            let terms = Terms::default().name("#revision", "revision");
            Condition::new("attribute_exists(pk) AND attribute_not_exists(#revision)", terms)
        }
        revision => Condition::unchanged("revision", Some(revision)),
    }
}

/// The key of the state that counts an open alert with a key of its own.
fn state_key(alert: &Alert) -> Option<Key> {
    let alert_key = alert.alert_key.as_ref().filter(|_| alert.status == Status::Open)?;
    Some(keys::alert_state(&alert.integration, &keys::alert_key_hash(alert_key)))
}

fn encode(alert: &Alert, now: Moment) -> Result<(Key, Item), WriteError> {
    let key = Key::new(keys::alerts_of(&alert.integration), alert.opened_by);
    let shown = text(alert.shown.to_string());
    let status = text(alert.status.as_str());
    let mut item = item(&key, [("doc", json(&key, alert)?), ("shown", shown), ("status", status)]);
    if alert.revision > 0 {
        item.insert("revision".to_owned(), number(alert.revision));
    }
    if alert.status == Status::Closed {
        item.insert("expires_at".to_owned(), expiry(now + limits::ALERT_AFTERLIFE));
    }
    Ok((key, item))
}

fn decode(item: &Item) -> Result<Alert, ReadError> {
    Reader::new(item).json("doc")
}
