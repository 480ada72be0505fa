//! Lines that wait to be sent together: one per change of an incident, per destination.
//!
//! A line is stored under its incident and change, so adding it again changes nothing. It is a notice without its
//! description and labels, which a folded message does not show. Lines are removed only after the message that holds
//! them was marked; a crash in between repeats the message, and loses none.

use std::collections::BTreeMap;

use alerting::base::ids::DestinationId;
use alerting::base::limits;
use alerting::base::moment::Moment;
use alerting::incident::notice::Notice;

use crate::connection::Store;
use crate::errors::{ReadError, WriteError};
use crate::item::{Item, Reader, expiry, item, json};
use crate::keys::{self, Key};
use crate::table::{Part, Table};

impl Store {
    pub async fn add_digest_lines(
        &self,
        destination: &DestinationId,
        notices: &[Notice],
        now: Moment,
    ) -> Result<(), WriteError> {
        let mut lines: BTreeMap<String, (Key, Option<Item>)> = BTreeMap::new();
        for notice in notices {
            let key = keys::digest_line(destination, &notice.incident, notice.n);
            let line = Notice { description: String::new(), labels: BTreeMap::new(), rule: None, ..notice.clone() };
            let expires = expiry(now + limits::ALERT_AFTERLIFE);
            let stored = item(&key, [("doc", json(&key, &line)?), ("expires_at", expires)]);
            lines.insert(key.sk.clone(), (key, Some(stored)));
        }
        self.write_many(Table::Alerts, &lines.into_values().collect::<Vec<_>>()).await
    }

    /// The oldest lines: incidents in the order in which they were triggered, and the changes of each in their order.
    pub async fn digest_lines(&self, destination: &DestinationId, limit: usize) -> Result<Vec<Notice>, ReadError> {
        let part = Part::all(keys::digest_of(destination));
        let mut lines = Vec::new();
        let mut from = None;
        while lines.len() < limit {
            let rows = self.query(Table::Alerts, &part.clone().limit(limit - lines.len()), from).await?;
            for item in &rows.items {
                lines.push(Reader::new(item).json("doc")?);
            }
            match rows.next {
                Some(next) => from = Some(next),
                None => break,
            }
        }
        Ok(lines)
    }

    pub async fn remove_digest_lines(&self, destination: &DestinationId, notices: &[Notice]) -> Result<(), WriteError> {
        let key = |notice: &Notice| keys::digest_line(destination, &notice.incident, notice.n);
        let gone: BTreeMap<String, (Key, Option<Item>)> =
            notices.iter().map(key).map(|key| (key.sk.clone(), (key, None))).collect();
        self.write_many(Table::Alerts, &gone.into_values().collect::<Vec<_>>()).await
    }
}
