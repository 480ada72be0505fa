//! The message log: exactly one entry with the result of every message, kept for days by TTL.
//!
//! An entry is put once and never replaced, so a redelivered message counts once, with its first outcome. Everything
//! but the ledger's two attributes is one deflated document: body and text repeat each other, and together they mostly
//! fit one write unit. Notices that no message made (a person's action, a timer) are logged apart, for the ledger.

use std::collections::BTreeMap;
use std::io::{Read, Write as _};
use std::time::Duration;

use alerting::base::ids::{AlertId, DestinationId, IncidentId, IntegrationId, SpaceId, Stamp};
use alerting::base::limits;
use alerting::base::moment::Moment;
use alerting::incident::notice::Notice;
use alerting::rules::flag::Flag;
use alerting::rules::message::RawBody;
use alerting::rules::push_mode::KeyFrom;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use serde::{Deserialize, Serialize};

use crate::connection::Store;
use crate::errors::{DOCUMENT_BYTES, ReadError, WriteError};
use crate::item::{Item, Reader, expiry, item, json, number, text};
use crate::keys::{self, Key};
use crate::page::Page;
use crate::table::{Condition, Part, Range, Reading, Table, Terms, Write};

const DAY: Duration = Duration::from_secs(24 * 3600);
/// What an entry may inflate to: body and text of the largest message, escaped, with room.
const INFLATED_BYTES: u64 = 4 * 1024 * 1024;

/// One message and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    pub stamp: Stamp,
    pub integration: IntegrationId,
    /// Empty if the message could not be read.
    pub title: String,
    pub content: String,
    /// The type of the message, if the sender gave one.
    pub msg_type: Option<String>,
    pub outcome: MessageOutcome,
    pub reason: Option<String>,
    pub alert_key: Option<String>,
    pub key_from: Option<KeyFrom>,
    /// The rule that decided, by name.
    pub rule: Option<String>,
    pub alert: Option<AlertId>,
    /// Steps that did not work as the operator configured them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<Flag>,
    /// Names of labels that were cut because newer ones took their place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cut_labels: Vec<String>,
    /// The notices that the message made. Stored apart from the rest.
    #[serde(skip)]
    pub notices: Vec<NoticeRef>,
    pub body: RawBody,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay_of: Option<Stamp>,
    /// How many messages it represents: refusals that were only counted share an entry. Stored apart from the rest.
    #[serde(skip, default = "once")]
    pub times: u64,
    /// The configuration that judged the message; `None`: the message was refused unjudged, or an earlier version of
    /// this code logged it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged_by: Option<JudgedBy>,
}

const fn once() -> u64 {
    1
}

/// Versions of the configuration that judged a message, so that a later explanation sees what was saved since. Stored under
/// short names.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct JudgedBy {
    #[serde(rename = "i")]
    pub integration: u64,
    /// The versions of the spaces that its alert was routed to.
    #[serde(rename = "s", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub spaces: BTreeMap<SpaceId, u64>,
}

/// The results of a message: a closed set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageOutcome {
    Triggered,
    Updated,
    Recovered,
    Superseded,
    Discarded,
    Refused,
}

impl MessageOutcome {
    pub const fn as_str(self) -> &'static str {
        match self {
            MessageOutcome::Triggered => "triggered",
            MessageOutcome::Updated => "updated",
            MessageOutcome::Recovered => "recovered",
            MessageOutcome::Superseded => "superseded",
            MessageOutcome::Discarded => "discarded",
            MessageOutcome::Refused => "refused",
        }
    }
}

/// Which change of which incident is sent to which destination. Stored under short names.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NoticeRef {
    #[serde(rename = "i")]
    pub incident: IncidentId,
    #[serde(rename = "d")]
    pub destination: DestinationId,
    pub n: u64,
}

impl NoticeRef {
    pub fn of(notice: &Notice) -> Self {
        Self { incident: notice.incident.clone(), destination: notice.destination.clone(), n: notice.n }
    }
}

/// The result of [`Store::log_message`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "the outcome of one call, matched where it arrives and never stored")]
pub enum Logged {
    New,
    /// A redelivery. The first outcome stays.
    Existing(LogEntry),
}

impl Store {
    /// Logs the result of a message once. The entry is kept for `keep`.
    ///
    /// A copy that came while the message was being applied may be logged first, as superseded. The worker that applied
    /// the message has the right result, so "superseded" is replaced by any other outcome; no other entry is replaced.
    pub async fn log_message(&self, entry: &LogEntry, now: Moment, keep: Duration) -> Result<Logged, WriteError> {
        let key = keys::logged(&entry.integration, entry.stamp);
        let item = encode(&key, entry, now + keep)?;
        let condition = match entry.outcome {
            MessageOutcome::Superseded => Condition::absent(),
            _ => Condition::new(
                "attribute_not_exists(pk) OR #outcome = :superseded",
                Terms::default()
                    .name("#outcome", "outcome")
                    .value(":superseded", text(MessageOutcome::Superseded.as_str())),
            ),
        };
        match self.put(Table::Alerts, &key, item, Some(condition)).await? {
            Write::Done(_) => Ok(Logged::New),
            Write::Refused(Some(stored)) => Ok(Logged::Existing(decode(&stored)?)),
            Write::Refused(None) => Err(ReadError::missing(&key, "the entry that is already there").into()),
        }
    }

    /// Logs the notices of change `n` of an incident, which a person or a timer made at `at`. Both values belong to the
    /// change, so a repetition writes the same entry.
    pub async fn log_action(
        &self,
        at: Moment,
        incident: &IncidentId,
        n: u64,
        notices: &[NoticeRef],
    ) -> Result<(), WriteError> {
        let key = keys::action(at, incident, n);
        let expires = expiry(at + limits::MESSAGE_LOG);
        let item = item(&key, [("notices", json(&key, &notices)?), ("expires_at", expires)]);
        self.put(Table::Alerts, &key, item, None).await?;
        Ok(())
    }

    /// An integration's messages, newest first, one day's partition after the other.
    pub async fn messages(
        &self,
        integration: &IntegrationId,
        after: Option<Stamp>,
        limit: usize,
        now: Moment,
    ) -> Result<Page<LogEntry>, ReadError> {
        // A stamp may be ahead of this clock, and at midnight fall into the next day.
        let newest = now + limits::STAMP_AHEAD;
        let mut day = after.map_or(newest, Stamp::received_at).min(newest);
        let first_day = now - limits::MESSAGE_LOG - DAY;
        let below = after.map(|after| after.to_string());
        let mut entries: Vec<LogEntry> = Vec::new();
        while day >= first_day {
            let mut from = None;
            let part = Part::all(keys::log_of(integration, day)).range(Range::Newest { below: below.clone() });
            while entries.len() <= limit {
                let missing = limit + 1 - entries.len();
                let rows = self.query(Table::Alerts, &part.clone().limit(missing), from).await?;
                for item in &rows.items {
                    entries.push(decode(item)?);
                }
                match rows.next {
                    Some(next) => from = Some(next),
                    None => break,
                }
            }
            day = day - DAY;
        }
        let more = entries.len() > limit;
        entries.truncate(limit);
        let next = entries.last().filter(|_| more).map(|last| last.stamp.to_string());
        Ok(Page { items: entries, next })
    }

    pub async fn message(&self, integration: &IntegrationId, stamp: Stamp) -> Result<Option<LogEntry>, ReadError> {
        let item = self.get(Table::Alerts, &keys::logged(integration, stamp), Reading::Eventual).await?;
        item.as_ref().map(decode).transpose()
    }
}

fn encode(key: &Key, entry: &LogEntry, expires: Moment) -> Result<Item, WriteError> {
    let mut packed = deflate(key, entry)?;
    if packed.len() > DOCUMENT_BYTES {
        // The body holds the whole text. Only a large body that deflates badly gets here.
        let content = limits::cut_bytes(&entry.content, limits::DESCRIPTION_BYTES);
        packed = deflate(key, &LogEntry { content, ..entry.clone() })?;
    }
    let attributes = [
        ("packed", AttributeValue::B(Blob::new(packed))),
        ("outcome", text(entry.outcome.as_str())),
        ("expires_at", expiry(expires)),
    ];
    let mut stored = item(key, attributes);
    if entry.times != 1 {
        stored.insert("times".to_owned(), number(entry.times));
    }
    if !entry.notices.is_empty() {
        stored.insert("notices".to_owned(), json(key, &entry.notices)?);
    }
    Ok(stored)
}

fn decode(item: &Item) -> Result<LogEntry, ReadError> {
    let reader = Reader::new(item);
    let mut inflated = Vec::new();
    let packed = DeflateDecoder::new(reader.bytes("packed")?);
    packed.take(INFLATED_BYTES).read_to_end(&mut inflated).map_err(|_| ReadError::missing(reader.name(), "packed"))?;
    let entry: LogEntry =
        serde_json::from_slice(&inflated).map_err(|source| ReadError::unreadable(reader.name(), "packed", source))?;
    Ok(LogEntry { notices: notices(item)?, times: times(item), ..entry })
}

/// The notices of an entry, without inflating it.
pub(crate) fn notices(item: &Item) -> Result<Vec<NoticeRef>, ReadError> {
    let reader = Reader::new(item);
    if reader.optional_text("notices").is_none() { Ok(Vec::new()) } else { reader.json("notices") }
}

/// How many messages an entry represents, without inflating it.
pub(crate) fn times(item: &Item) -> u64 {
    Reader::new(item).optional_number("times").unwrap_or(1)
}

/// The outcome of an entry, without inflating it.
pub(crate) fn outcome(item: &Item) -> Result<MessageOutcome, ReadError> {
    let reader = Reader::new(item);
    let name = serde_json::Value::from(reader.text("outcome")?);
    serde_json::from_value(name).map_err(|source| ReadError::unreadable(reader.name(), "outcome", source))
}

fn deflate(key: &Key, entry: &LogEntry) -> Result<Vec<u8>, WriteError> {
    let document = serde_json::to_vec(entry).map_err(|source| WriteError::Encode { item: key.to_string(), source })?;
    let mut encoder = DeflateEncoder::new(Vec::with_capacity(document.len() / 2), Compression::default());
    encoder.write_all(&document).expect("writing to memory cannot fail");
    Ok(encoder.finish().expect("writing to memory cannot fail"))
}
