//! The detail of an alert: what people see of one episode.
//!
//! An alert of the mode "each message" exists only here: opening it is one put that never overwrites. What an alert
//! shows is replaced only by something newer, so copies and late workers cannot turn it back.

use std::collections::HashMap;
use std::time::Duration;

use alerting::alert::{Alert, Status};
use alerting::ids::{AlertId, IntegrationId, SpaceId, Stamp};
use alerting::limits;
use alerting::moment::Moment;

use crate::errors::{ReadError, WriteError};
use crate::item::{Item, Reader, expiry, item, json, text};
use crate::keys::{self, Key};
use crate::newest_first::newest_first;
use crate::table::{Condition, Part, Range, Reading, Table, Terms, Write};
use crate::{Page, Store, alert_states};

/// What became of [`Store::open_alert`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "the outcome of one call, matched where it arrives and never stored")]
pub enum Opened {
    Created,
    /// A copy, or a repetition after a lost answer.
    Existing(Alert),
}

/// Which alerts to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertQuery {
    pub status: Option<Status>,
    pub space: Option<SpaceId>,
    pub integrations: Vec<IntegrationId>,
    /// The `next` of the page before.
    pub after: Option<Stamp>,
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

    /// Replaces what an alert shows, or stores it if it is not stored; `false` if what it shows is as new or newer.
    ///
    /// Newer is a later `shown`, or the same one closed. A version that equals `previous` is not written at all.
    pub async fn show_in_alert(
        &self,
        alert: &Alert,
        previous: Option<&Alert>,
        now: Moment,
    ) -> Result<bool, WriteError> {
        if previous == Some(alert) {
            return Ok(true);
        }
        let (key, item) = encode(alert, now)?;
        match self.put(Table::Alerts, &key, item, Some(is_newer(alert))).await? {
            Write::Done(_) => Ok(true),
            Write::Refused(Some(stored)) => Ok(decode(&stored)? == *alert),
            Write::Refused(None) => Ok(false),
        }
    }

    /// As it is now, with the count that was last shown: for those who are about to change it.
    pub async fn alert_as_stored(&self, id: &AlertId) -> Result<Option<Alert>, ReadError> {
        let Some(key) = keys::alert(id) else { return Ok(None) };
        let item = self.get(Table::Alerts, &key, Reading::Latest).await?;
        item.as_ref().map(decode).transpose()
    }

    /// As people see it: the count of an open keyed alert comes from its state, which is newer.
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

    /// The alerts without a key, which no message closes, that were opened in this time and are still open.
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

    /// An update that changes nothing of what is shown counts in the state alone: takes the open alerts' counts there.
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

/// What is stored is older than what `alert` shows, or there is nothing.
fn is_newer(alert: &Alert) -> Condition {
    let terms = Terms::default().name("#shown", "shown").value(":shown", text(alert.shown.to_string()));
    let older = "attribute_not_exists(pk) OR #shown < :shown";
    match alert.status {
        Status::Open => Condition::new(older, terms),
        Status::Closed => {
            let terms = terms.name("#status", "status").value(":open", text(Status::Open.as_str()));
            Condition::new(&format!("{older} OR (#shown = :shown AND #status = :open)"), terms)
        }
    }
}

/// Where an open alert with a key of its own is counted.
fn state_key(alert: &Alert) -> Option<Key> {
    let alert_key = alert.alert_key.as_ref().filter(|_| alert.status == Status::Open)?;
    Some(keys::alert_state(&alert.integration, &keys::alert_key_hash(alert_key)))
}

fn encode(alert: &Alert, now: Moment) -> Result<(Key, Item), WriteError> {
    let key = Key::new(keys::alerts_of(&alert.integration), alert.opened_by);
    let shown = text(alert.shown.to_string());
    let status = text(alert.status.as_str());
    let mut item = item(&key, [("doc", json(&key, alert)?), ("shown", shown), ("status", status)]);
    if alert.status == Status::Closed {
        item.insert("expires_at".to_owned(), expiry(now + limits::ALERT_AFTERLIFE));
    }
    Ok((key, item))
}

fn decode(item: &Item) -> Result<Alert, ReadError> {
    Reader::new(item).json("doc")
}
