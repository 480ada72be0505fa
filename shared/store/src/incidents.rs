//! Incidents, written only over the change that was read.
//!
//! A writer that loses the race gets the newer incident and applies its change to that one: a person's acknowledgement
//! between a read and a write survives.
//!
//! Every alert has a place in each of its spaces, named after the message that opened it. The place holds the alert's
//! own incident, or a note of its result: the incident that it joined, or the silence that dropped it. The first write
//! stays, so a copy of the message finds the same result.

use alerting::base::ids::{IncidentId, SilenceId, SpaceId};
use alerting::base::limits;
use alerting::base::moment::Moment;
use alerting::incident::timeline::Entry;
use alerting::incident::{Incident, Progress};

use crate::connection::Store;
use crate::errors::{ReadError, WriteError};
use crate::item::{Item, Reader, expiry, item, json, number, text};
use crate::keys::{self, Key};
use crate::newest_first::{Cursor, newest_first};
use crate::page::Page;
use crate::table::{Condition, Part, Range, Reading, Table, Terms, Write};

/// How long an entry is kept after its moment as an item of its own. No incident is open for longer.
const SPILLED_ENTRY: std::time::Duration = std::time::Duration::from_secs(400 * 24 * 3600);

/// The item at an alert's place in a space.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "the outcome of one call, matched where it arrives and never stored")]
pub enum Place {
    Incident(Incident),
    /// The alert belongs to this incident.
    Joined(IncidentId),
    /// No incident is made for it.
    Dropped(SilenceId),
}

/// What a write expects to replace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replaces {
    Nothing,
    /// The incident with this number.
    Incident(u64),
    /// The note that the alert joined this incident, which then could not take it.
    Joined(IncidentId),
}

/// The result of [`Store::write_incident`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "the outcome of one call, matched where it arrives and never stored")]
pub enum WriteIncident {
    Written,
    /// Another item is there. Apply the change again to this one.
    Lost(Option<Place>),
}

/// Which incidents to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentQuery {
    pub progress: Option<Progress>,
    pub spaces: Vec<SpaceId>,
    /// The `next` of the previous page.
    pub after: Option<Cursor>,
    pub limit: usize,
}

/// Sorts behind every entry of a timeline, in the ten digits that a key has for it.
const LAST_ENTRY: u64 = 9_999_999_999;

impl Store {
    /// The current incident.
    pub async fn incident(&self, id: &IncidentId) -> Result<Option<Incident>, ReadError> {
        Ok(match self.place(id).await? {
            Some(Place::Incident(incident)) => Some(incident),
            Some(Place::Joined(_) | Place::Dropped(_)) | None => None,
        })
    }

    /// The item at the place of the alert that `id` is named after.
    pub async fn place(&self, id: &IncidentId) -> Result<Option<Place>, ReadError> {
        let Some(key) = keys::incident(id) else { return Ok(None) };
        let item = self.get(Table::Alerts, &key, Reading::Latest).await?;
        item.as_ref().map(decode_place).transpose()
    }

    /// Writes an incident. A closed one expires, an open one does not. Entries for which it has no room are first
    /// written as items of their own. They never change, so writing them twice does no harm.
    pub async fn write_incident(&self, incident: &Incident, replaces: &Replaces) -> Result<WriteIncident, WriteError> {
        let key = incident_key(&incident.id)?;
        let (incident, item) = self.incident_item(incident).await?;
        match self.put(Table::Alerts, &key, item, Some(replaces.condition())).await? {
            Write::Done(_) => Ok(WriteIncident::Written),
            Write::Refused(stored) => {
                let stored = stored.as_ref().map(decode_place).transpose()?;
                let own = matches!(&stored, Some(Place::Incident(stored)) if *stored == incident);
                Ok(if own { WriteIncident::Written } else { WriteIncident::Lost(stored) })
            }
        }
    }

    /// The incident as it is stored, and its item. Entries for which it has no room are written first.
    pub(crate) async fn incident_item(&self, incident: &Incident) -> Result<(Incident, Item), WriteError> {
        let key = incident_key(&incident.id)?;
        let mut incident = incident.clone();
        let spilled = incident.spill();
        if !spilled.is_empty() {
            self.write_entries(&incident.id, &spilled).await?;
        }
        let document = json(&key, &incident)?;
        let progress = text(incident.progress.as_str());
        let mut item = item(&key, [("doc", document), ("n", number(incident.n)), ("progress", progress)]);
        if let Some(closed_at) = incident.closed_at {
            item.insert("expires_at".to_owned(), expiry(closed_at + limits::ALERT_AFTERLIFE));
        }
        Ok((incident, item))
    }

    /// Records what an alert's place is if it is not an incident of its own. Returns the stored place; it is an older
    /// one if it differs from the note. A note that the alert joined `instead_of` is replaced.
    pub async fn note_place(
        &self,
        id: &IncidentId,
        note: &Place,
        instead_of: Option<&IncidentId>,
        now: Moment,
    ) -> Result<Place, WriteError> {
        let key = incident_key(id)?;
        let (name, value) = match note {
            Place::Joined(incident) => ("joined", text(incident.as_str())),
            Place::Dropped(silence) => ("dropped", text(silence.as_str())),
            Place::Incident(_) => return Err(ReadError::missing(id, "a note that is no incident").into()),
        };
        let item = item(&key, [(name, value), ("expires_at", expiry(now + SPILLED_ENTRY))]);
        let replaces = instead_of.map_or(Replaces::Nothing, |joined| Replaces::Joined(joined.clone()));
        match self.put(Table::Alerts, &key, item, Some(replaces.condition())).await? {
            Write::Done(_) => Ok(note.clone()),
            Write::Refused(Some(stored)) => Ok(decode_place(&stored)?),
            Write::Refused(None) => Err(ReadError::missing(&key, "what is already there").into()),
        }
    }

    pub async fn incidents(&self, query: IncidentQuery) -> Result<Page<Incident>, ReadError> {
        let IncidentQuery { progress, spaces, after, limit } = query;
        let partitions = spaces.iter().map(keys::incidents_of).collect();
        let matching = |item: &Item| {
            let Some(stored) = Reader::new(item).optional_text("progress") else { return Ok(None) };
            let matches = progress.is_none_or(|progress| stored == progress.as_str());
            if matches { decode(item).map(Some) } else { Ok(None) }
        };
        newest_first(self, partitions, after, limit, matching).await
    }

    /// All entries, oldest first.
    pub async fn timeline(&self, incident: &Incident) -> Result<Vec<Entry>, ReadError> {
        if incident.spilled == 0 {
            return Ok(incident.timeline.clone());
        }
        let part = Part::all(keys::timeline_of(&incident.id));
        let mut entries: Vec<Entry> =
            self.query_all(Table::Alerts, &part, |item| Reader::new(item).json("doc")).await?;
        // An entry is written before it leaves the incident, so after a lost race it may be in both.
        entries.extend(incident.timeline.iter().cloned());
        entries.sort_by_key(|entry| entry.n);
        entries.dedup_by_key(|entry| entry.n);
        Ok(entries)
    }

    /// At most `limit` entries after the entry `after`, oldest first.
    pub async fn timeline_page(
        &self,
        incident: &Incident,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Entry>, ReadError> {
        let from = after.map_or(0, |after| after.saturating_add(1));
        let first = keys::timeline_entry(&incident.id, from).sk;
        let last = keys::timeline_entry(&incident.id, LAST_ENTRY).sk;
        self.timeline_part(incident, Range::Between(first, last), limit, |entry| entry.n >= from).await
    }

    /// At most `limit` of the newest entries, oldest first.
    pub async fn timeline_end(&self, incident: &Incident, limit: usize) -> Result<Vec<Entry>, ReadError> {
        let mut entries = self.timeline_part(incident, Range::Newest { below: None }, limit, |_| true).await?;
        entries.drain(..entries.len().saturating_sub(limit));
        Ok(entries)
    }

    /// Entries of one range of the table, with those in the incident itself.
    async fn timeline_part(
        &self,
        incident: &Incident,
        range: Range,
        limit: usize,
        is_meant: impl Fn(&Entry) -> bool,
    ) -> Result<Vec<Entry>, ReadError> {
        let is_end = matches!(range, Range::Newest { .. });
        let mut entries: Vec<Entry> = Vec::new();
        if incident.spilled > 0 {
            let part = Part::all(keys::timeline_of(&incident.id)).range(range).limit(limit);
            let mut from = None;
            loop {
                let rows = self.query(Table::Alerts, &part, from).await?;
                let read = rows.items.iter().map(|item| Reader::new(item).json("doc"));
                entries.extend(read.collect::<Result<Vec<Entry>, _>>()?);
                from = rows.next;
                if from.is_none() || entries.len() >= limit {
                    break;
                }
            }
        }
        entries.extend(incident.timeline.iter().filter(|entry| is_meant(entry)).cloned());
        entries.sort_by_key(|entry| entry.n);
        entries.dedup_by_key(|entry| entry.n);
        if !is_end {
            entries.truncate(limit);
        }
        Ok(entries)
    }

    async fn write_entries(&self, incident: &IncidentId, entries: &[Entry]) -> Result<(), WriteError> {
        let mut items = Vec::with_capacity(entries.len());
        for entry in entries {
            let key = keys::timeline_entry(incident, entry.n);
            let expires = expiry(entry.at + SPILLED_ENTRY);
            let stored = item(&key, [("doc", json(&key, entry)?), ("expires_at", expires)]);
            items.push((key, Some(stored)));
        }
        self.write_many(Table::Alerts, &items).await
    }
}

impl Replaces {
    pub(crate) fn condition(&self) -> Condition {
        match self {
            Replaces::Nothing => Condition::absent(),
            Replaces::Incident(n) => Condition::unchanged("n", Some(*n)),
            Replaces::Joined(incident) => {
                let terms = Terms::default().name("#joined", "joined").value(":joined", text(incident.as_str()));
                Condition::new("#joined = :joined", terms)
            }
        }
    }
}

fn incident_key(id: &IncidentId) -> Result<Key, WriteError> {
    keys::incident(id).ok_or_else(|| ReadError::missing(id, "the stamp in its id").into())
}

fn decode_place(item: &Item) -> Result<Place, ReadError> {
    let reader = Reader::new(item);
    if let Some(joined) = reader.optional_text("joined") {
        return joined.parse().map(Place::Joined).map_err(|_| ReadError::missing(reader.name(), "joined"));
    }
    if let Some(dropped) = reader.optional_text("dropped") {
        return dropped.parse().map(Place::Dropped).map_err(|_| ReadError::missing(reader.name(), "dropped"));
    }
    decode(item).map(Place::Incident)
}

fn decode(item: &Item) -> Result<Incident, ReadError> {
    Reader::new(item).json::<Incident>("doc").map(Incident::upgraded)
}
