//! The hot item: the state of one alert key, written once per batch that holds messages of that key.
//!
//! One write unit is 1 KB. The item never exceeds it, with everything that it can hold; a property test checks this.
//! This is why names are short and the version is the only attribute that the condition needs. The state is written
//! only over the version that was read. A refused write returns the newer state, or recognises its own earlier write
//! whose answer was lost. The state of an open alert does not expire; that of a closed alert outlives every queue.

use alerting::base::ids::{IntegrationId, Stamp};
use alerting::base::limits;
use alerting::base::moment::Moment;
use alerting::base::severity::Severity;
use alerting::incident::alert::{AlertState, AppliedMessages, Status, Transition};
use serde::{Deserialize, Serialize};

use crate::connection::Store;
use crate::errors::{ReadError, WriteError};
use crate::item::{Item, Reader, expiry, item, json, number};
use crate::keys::{self, Key};
use crate::table::{Condition, Reading, Table, Terms, Update, Write};

/// The result of [`Store::write_alert_state`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteState {
    Written,
    /// Another evaluator wrote first. Fold the messages again over this state.
    Lost(Option<AlertState>),
}

/// The state without its version, under short names.
#[derive(Debug, Serialize, Deserialize)]
struct Document {
    w: Stamp,
    s: Status,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    e: Option<Stamp>,
    n: u64,
    r: Vec<Transition>,
    c: u64,
    v: Severity,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    l: Option<Moment>,
    h: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    t: Option<Stamp>,
    #[serde(default, skip_serializing_if = "AppliedMessages::is_empty")]
    a: AppliedMessages,
}

impl Store {
    /// The current state. `key_hash` is [`keys::alert_key_hash`].
    pub async fn alert_state(
        &self,
        integration: &IntegrationId,
        key_hash: &str,
    ) -> Result<Option<AlertState>, ReadError> {
        let key = keys::alert_state(integration, key_hash);
        let item = self.get(Table::Alerts, &key, Reading::Latest).await?;
        item.as_ref().map(decode).transpose()
    }

    /// `expected` is the version that was read; `None`: there was no state.
    pub async fn write_alert_state(
        &self,
        integration: &IntegrationId,
        key_hash: &str,
        state: &AlertState,
        expected: Option<u64>,
        now: Moment,
    ) -> Result<WriteState, WriteError> {
        let key = keys::alert_state(integration, key_hash);
        let item = encode(&key, state, now)?;
        let condition = Condition::unchanged("version", expected);
        match self.put(Table::Alerts, &key, item, Some(condition)).await? {
            Write::Done(_) => Ok(WriteState::Written),
            Write::Refused(stored) => {
                let stored = stored.as_ref().map(decode).transpose()?;
                let own = stored.as_ref() == Some(state);
                Ok(if own { WriteState::Written } else { WriteState::Lost(stored) })
            }
        }
    }

    /// Counts alerts that opened (or, below zero, closed) and returns how many are open now.
    ///
    /// An estimate, for the limit of open alerts: a repeated call counts twice.
    pub async fn add_open(&self, integration: &IntegrationId, delta: i64) -> Result<i64, WriteError> {
        let update = Update {
            key: keys::open_alerts(integration),
            expression: "ADD #open :delta".to_owned(),
            condition: None,
            terms: Terms::default().name("#open", "open").value(":delta", number(delta)),
        };
        match self.update(Table::Alerts, update).await? {
            Write::Done(item) | Write::Refused(Some(item)) => Ok(Reader::new(&item).number("open")?),
            Write::Refused(None) => Ok(0),
        }
    }

    pub async fn open_count(&self, integration: &IntegrationId) -> Result<i64, ReadError> {
        let item = self.get(Table::Alerts, &keys::open_alerts(integration), Reading::Eventual).await?;
        Ok(item.and_then(|item| Reader::new(&item).optional_number("open")).unwrap_or(0))
    }
}

fn encode(key: &Key, state: &AlertState, now: Moment) -> Result<Item, WriteError> {
    let AlertState {
        watermark,
        status,
        episode,
        n,
        ring,
        count,
        severity,
        lower_since,
        content,
        texts,
        applied,
        version,
    } = state;
    let document = Document {
        w: *watermark,
        s: *status,
        e: *episode,
        n: *n,
        r: ring.clone(),
        c: *count,
        v: *severity,
        l: *lower_since,
        h: content.clone(),
        // Left out if it equals the watermark: the newest message is nearly always a trigger.
        t: (texts != watermark).then_some(*texts),
        a: applied.clone(),
    };
    let mut item = item(key, [("doc", json(key, &document)?), ("version", number(version))]);
    if *status == Status::Closed {
        item.insert("expires_at".to_owned(), expiry(now + limits::ALERT_AFTERLIFE));
    }
    Ok(item)
}

pub(crate) fn decode(item: &Item) -> Result<AlertState, ReadError> {
    let reader = Reader::new(item);
    let Document { w, s, e, n, r, c, v, l, h, t, a } = reader.json("doc")?;
    let version = reader.number("version")?;
    Ok(AlertState {
        watermark: w,
        status: s,
        episode: e,
        n,
        ring: r,
        count: c,
        severity: v,
        lower_since: l,
        content: h,
        texts: t.unwrap_or(w),
        applied: a,
        version,
    })
}

#[cfg(test)]
mod tests {
    use alerting::incident::alert::{RECENT, RING, TransitionKind};
    use aws_sdk_dynamodb::types::AttributeValue;
    use proptest::prelude::*;

    use super::*;

    /// The size that DynamoDB bills: names and texts in UTF-8, and for a number one byte per two digits and one more.
    fn billed_bytes(item: &Item) -> usize {
        let value = |value: &AttributeValue| match value {
            AttributeValue::S(text) => text.len(),
            AttributeValue::N(digits) => digits.len().div_ceil(2) + 1,
            other => panic!("unexpected attribute {other:?}"),
        };
        item.iter().map(|(name, attribute)| name.len() + value(attribute)).sum()
    }

    fn stamp() -> impl Strategy<Value = Stamp> {
        (0..(1_i64 << 48), any::<u128>()).prop_map(|(at, random)| Stamp::from_parts(Moment::from_millis(at), random))
    }

    fn severity() -> impl Strategy<Value = Severity> {
        prop_oneof![Just(Severity::Info), Just(Severity::Warning), Just(Severity::Critical)]
    }

    fn transition() -> impl Strategy<Value = Transition> {
        let kind = prop_oneof![Just(TransitionKind::Open), Just(TransitionKind::Raise), Just(TransitionKind::Close)];
        (number_up_to_the_greatest(), stamp(), kind, stamp(), severity(), number_up_to_the_greatest()).prop_map(
            |(n, stamp, kind, episode, severity, count)| Transition { n, stamp, kind, episode, severity, count },
        )
    }

    /// A thousand messages a second for thirty years.
    const GREATEST: u64 = 999_999_999_999;

    fn number_up_to_the_greatest() -> impl Strategy<Value = u64> {
        prop_oneof![0..=GREATEST, Just(GREATEST)]
    }

    fn status() -> impl Strategy<Value = Status> {
        prop_oneof![Just(Status::Open), Just(Status::Closed)]
    }

    prop_compose! {
        fn state()(
            watermark in stamp(), status in status(), episode in proptest::option::of(stamp()),
            n in number_up_to_the_greatest(), ring in proptest::collection::vec(transition(), 0..=RING),
            count in number_up_to_the_greatest(), severity in severity(), content in "[0-9a-f]{12}",
            texts in stamp(), lower_since in proptest::option::of(stamp()),
            applied in "([0-9A-Za-z+/]{4}){0,22}", version in number_up_to_the_greatest(),
        ) -> AlertState {
            let applied = AppliedMessages::try_from(applied).expect("marks");
            let lower_since = lower_since.map(Stamp::received_at);
            AlertState {
                watermark, status, episode, n, ring, count, severity, lower_since, content, texts, applied, version
            }
        }
    }

    proptest! {
        // Proves: fault 92
        #[test]
        fn whatever_it_holds_the_state_is_one_write_unit_and_comes_back_the_same(state in state()) {
            let integration: IntegrationId = "int_4fJk2LmNpQ".parse().expect("valid");
            let key = keys::alert_state(&integration, &keys::alert_key_hash("any"));
            let item = encode(&key, &state, Moment::from_secs(1_767_607_200)).expect("can be encoded");
            prop_assert!(billed_bytes(&item) <= 1024, "{} bytes", billed_bytes(&item));
            prop_assert_eq!(decode(&item).expect("can be read"), state);
        }
    }

    // Proves: fault 92
    #[test]
    fn a_full_state_with_the_greatest_numbers_is_one_write_unit() {
        let last = Stamp::from_parts(Moment::from_millis((1 << 48) - 1), u128::MAX);
        let full = Transition {
            n: GREATEST,
            stamp: last,
            kind: TransitionKind::Raise,
            episode: last,
            severity: Severity::Critical,
            count: GREATEST,
        };
        let state = AlertState {
            watermark: last,
            status: Status::Closed,
            episode: Some(last),
            n: GREATEST,
            ring: vec![full; RING],
            count: GREATEST,
            severity: Severity::Critical,
            lower_since: Some(last.received_at()),
            content: "0123456789ab".to_owned(),
            texts: Stamp::from_parts(Moment::from_millis(0), 0),
            applied: AppliedMessages::try_from("AAAA".repeat(RECENT)).expect("marks"),
            version: GREATEST,
        };
        let integration: IntegrationId = "int_4fJk2LmNpQ".parse().expect("valid");
        let key = keys::alert_state(&integration, &keys::alert_key_hash("any"));
        let item = encode(&key, &state, Moment::from_secs(1_767_607_200)).expect("can be encoded");
        assert!(billed_bytes(&item) <= 1024, "{} bytes", billed_bytes(&item));
    }
}
