//! Incidents, written only over the change that was read.
//!
//! Whoever loses the race gets the newer incident and applies its change to that one: a person's acknowledgement
//! between a read and a write survives.

use alerting::ids::{IncidentId, SpaceId, Stamp};
use alerting::incident::{Incident, Progress};
use alerting::limits;

use crate::errors::{ReadError, WriteError};
use crate::item::{Item, Reader, expiry, item, json, number, text};
use crate::keys;
use crate::newest_first::newest_first;
use crate::table::{Condition, Reading, Table, Write};
use crate::{Page, Store};

/// What became of [`Store::write_incident`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "the outcome of one call, matched where it arrives and never stored")]
pub enum WriteIncident {
    Written,
    /// Someone changed it first. Apply again to this.
    Lost(Option<Incident>),
}

/// Which incidents to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentQuery {
    pub progress: Option<Progress>,
    pub spaces: Vec<SpaceId>,
    /// The `next` of the page before.
    pub after: Option<Stamp>,
    pub limit: usize,
}

impl Store {
    /// As it is now.
    pub async fn incident(&self, id: &IncidentId) -> Result<Option<Incident>, ReadError> {
        let Some(key) = keys::incident(id) else { return Ok(None) };
        let item = self.get(Table::Alerts, &key, Reading::Latest).await?;
        item.as_ref().map(decode).transpose()
    }

    /// `expected_n` is the number of the incident that was read; `None`: there was none.
    ///
    /// A closed incident expires, an open one does not.
    pub async fn write_incident(
        &self,
        incident: &Incident,
        expected_n: Option<u64>,
    ) -> Result<WriteIncident, WriteError> {
        let Some(key) = keys::incident(&incident.id) else {
            return Err(ReadError::missing(&incident.id, "the stamp in its id").into());
        };
        let document = json(&key, incident)?;
        let progress = text(incident.progress.as_str());
        let mut item = item(&key, [("doc", document), ("n", number(incident.n)), ("progress", progress)]);
        if let Some(closed_at) = incident.closed_at {
            item.insert("expires_at".to_owned(), expiry(closed_at + limits::ALERT_AFTERLIFE));
        }
        match self.put(Table::Alerts, &key, item, Some(Condition::unchanged("n", expected_n))).await? {
            Write::Done(_) => Ok(WriteIncident::Written),
            Write::Refused(stored) => {
                let stored = stored.as_ref().map(decode).transpose()?;
                let own = stored.as_ref() == Some(incident);
                Ok(if own { WriteIncident::Written } else { WriteIncident::Lost(stored) })
            }
        }
    }

    pub async fn incidents(&self, query: IncidentQuery) -> Result<Page<Incident>, ReadError> {
        let IncidentQuery { progress, spaces, after, limit } = query;
        let partitions = spaces.iter().map(keys::incidents_of).collect();
        let matching = |item: &Item| {
            let stored = Reader::new(item).optional_text("progress");
            let matches = progress.is_none_or(|progress| stored == Some(progress.as_str()));
            if matches { decode(item).map(Some) } else { Ok(None) }
        };
        newest_first(self, partitions, after, limit, matching).await
    }
}

fn decode(item: &Item) -> Result<Incident, ReadError> {
    Reader::new(item).json("doc")
}
