//! Dead letters: notices that could not be delivered, and records that were received too often to be tried again.
//!
//! A worker that gives up a record stores it here, with its body as in the queue, so that it can be shown and sent
//! again. The id is made of the recorded content, so storing it a second time changes nothing.

use std::io::{Read as _, Write as _};

use alerting::base::ids::{DestinationId, IncidentId, IntegrationId};
use alerting::base::limits;
use alerting::base::moment::Moment;
use alerting::incident::notice::{Notice, NoticeRecord};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use serde::{Deserialize, Serialize};

use crate::connection::Store;
use crate::errors::{ReadError, WriteError};
use crate::item::{Item, Reader, expiry, item, json};
use crate::keys::{self, Key};
use crate::page::Page;
use crate::table::{Part, Range, Reading, Table};

/// The most bytes that a body may inflate to: more than a queue takes.
const BODY_BYTES: u64 = 2 * 1024 * 1024;

/// One notice or record that was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// Sorts by the time of what was given up.
    pub id: String,
    pub kind: DeadKind,
    pub reason: String,
    /// When it was given up.
    pub at: Moment,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<IncidentId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<DestinationId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integration: Option<IntegrationId>,
    /// The body as the queue of its kind takes it.
    #[serde(skip)]
    pub body: String,
}

/// Which queue it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeadKind {
    Message,
    Notice,
    Timer,
}

impl DeadKind {
    pub const ALL: [Self; 3] = [Self::Message, Self::Notice, Self::Timer];

    pub const fn as_str(self) -> &'static str {
        match self {
            DeadKind::Message => "message",
            DeadKind::Notice => "notice",
            DeadKind::Timer => "timer",
        }
    }
}

impl DeadLetter {
    /// The id of a record that was made at `made` and has this unique name.
    pub fn id(made: Moment, name: &str) -> String {
        format!("{}-{name}", keys::sortable(made))
    }

    pub fn id_of_notice(notice: &Notice) -> String {
        Self::id(notice.at, &notice.id())
    }

    pub fn of_notice(notice: &Notice, reason: &str, at: Moment) -> Self {
        Self {
            id: Self::id_of_notice(notice),
            kind: DeadKind::Notice,
            reason: reason.to_owned(),
            at,
            incident: Some(notice.incident.clone()),
            destination: Some(notice.destination.clone()),
            integration: None,
            body: serde_json::to_string(&NoticeRecord::Tell(notice.clone())).expect("a notice is JSON"),
        }
    }
}

impl Store {
    pub async fn put_dead_letter(&self, letter: &DeadLetter) -> Result<(), WriteError> {
        let key = keys::dead_letter(&letter.id);
        let expires = expiry(letter.at + limits::ALERT_AFTERLIFE);
        let packed = AttributeValue::B(Blob::new(deflated(&letter.body)));
        let stored = item(&key, [("doc", json(&key, letter)?), ("packed", packed), ("expires_at", expires)]);
        self.put(Table::Alerts, &key, stored, None).await?;
        Ok(())
    }

    /// The dead letters, newest first.
    pub async fn dead_letters(&self, limit: usize, after: Option<&str>) -> Result<Page<DeadLetter>, ReadError> {
        let below = after.map(str::to_owned);
        let part = Part::all(keys::DEAD_LETTER).range(Range::Newest { below }).only(&["doc"]).latest();
        let mut items: Vec<DeadLetter> = Vec::new();
        let mut from = None;
        while items.len() <= limit {
            let rows = self.query(Table::Alerts, &part.clone().limit(limit + 1 - items.len()), from).await?;
            for item in &rows.items {
                items.push(Reader::new(item).json("doc")?);
            }
            match rows.next {
                Some(next) => from = Some(next),
                None => break,
            }
        }
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(|last| last.id.clone());
        Ok(Page { items, next })
    }

    /// One dead letter with its body.
    pub async fn dead_letter(&self, id: &str) -> Result<Option<DeadLetter>, ReadError> {
        let item = self.get(Table::Alerts, &keys::dead_letter(id), Reading::Latest).await?;
        item.as_ref().map(decode).transpose()
    }

    /// Deletes a dead letter. If there is none, nothing changes.
    pub async fn delete_dead_letter(&self, id: &str) -> Result<(), WriteError> {
        let gone: [(Key, Option<Item>); 1] = [(keys::dead_letter(id), None)];
        self.write_many(Table::Alerts, &gone).await
    }
}

fn decode(item: &Item) -> Result<DeadLetter, ReadError> {
    let reader = Reader::new(item);
    let mut body = String::new();
    let packed = DeflateDecoder::new(reader.bytes("packed")?);
    packed.take(BODY_BYTES).read_to_string(&mut body).map_err(|_| ReadError::missing(reader.name(), "packed"))?;
    Ok(DeadLetter { body, ..reader.json("doc")? })
}

fn deflated(text: &str) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::with_capacity(text.len() / 2), Compression::default());
    encoder.write_all(text.as_bytes()).expect("writing to memory cannot fail");
    encoder.finish().expect("writing to memory cannot fail")
}
