//! The record of every message: its log entry, and the count of messages that the intake has received.

use std::collections::HashMap;

use alerting::base::moment::Moment;
use alerting::incident::alert::AlertKey;
use alerting::rules::flag::Flag;
use alerting::rules::message::Acceptance;
use alerting::rules::policy::{Decision, Judgement};
use futures::StreamExt as _;
use futures::stream;
use store::errors::WriteError;
use store::ledger::counted::Counted;
use store::log::{JudgedBy, LogEntry};

use crate::app::App;
use crate::batch::{Batch, Item, MessageResult};
use crate::slots::CONCURRENT_KEYS;

/// Writes the counts, then the log entries of all messages that are done. In between, the ledger shows a message as
/// waiting. A message whose record fails is retried.
pub(crate) async fn write(app: &App, batch: &mut Batch) {
    count_received(app, batch).await;
    let entries: Vec<(usize, LogEntry)> = batch
        .items
        .iter()
        .enumerate()
        .filter(|(_, item)| item.is_done())
        .filter_map(|(place, item)| Some((place, entry(item)?)))
        .collect();
    let now = app.clock.now();
    let written = stream::iter(entries)
        .map(|(place, entry)| async move { (place, app.store.log_message(&entry, now, app.message_log).await) })
        .buffer_unordered(CONCURRENT_KEYS)
        .collect::<Vec<_>>()
        .await;
    for (place, result) in written {
        if let Err(error) = result {
            report(&error);
            batch.items[place].fail();
        }
    }
}

/// The highest counts that each process of the intake gave to a message of this batch, by hour.
async fn count_received(app: &App, batch: &mut Batch) {
    let mut counts: HashMap<(String, Moment), Counted> = HashMap::new();
    for item in &batch.items {
        let origin = &item.received.origin;
        let counted = counts.entry((origin.process.clone(), item.received.stamp.received_at().hour())).or_default();
        *counted = counted.max(Counted { given: origin.count, queued: origin.queued() });
    }
    for ((process, hour), counted) in counts {
        if let Err(error) = app.store.saw_received(&process, hour, counted).await {
            report(&error);
            batch.items.iter_mut().filter(|item| item.received.origin.process == process).for_each(Item::fail);
        }
    }
}

fn report(error: &WriteError) {
    tracing::error!(error = error as &dyn std::error::Error, "the record of a message was not written");
}

fn entry(item: &Item) -> Option<LogEntry> {
    let result = item.result.as_ref()?;
    let (title, content, msg_type) = match &item.received.acceptance {
        Acceptance::Accepted(message) => {
            (message.title.clone(), message.content.clone(), Some(message.msg_type.as_str().to_owned()))
        }
        Acceptance::Refused { msg_type, message, .. } => {
            let (title, content) =
                message.as_ref().map(|message| (message.title.clone(), message.content.clone())).unwrap_or_default();
            (title, content, msg_type.clone())
        }
    };
    let judgement = item.judgement.as_ref();
    let alert_key = judgement.and_then(|judgement| match &judgement.decision {
        Decision::Event(event) => match &event.key {
            AlertKey::Named(key) => Some(key.clone()),
            AlertKey::Unique => None,
        },
        Decision::Discard(_) => None,
    });
    Some(LogEntry {
        stamp: item.received.stamp,
        integration: item.received.integration.clone(),
        title,
        content,
        msg_type,
        outcome: result.outcome?,
        reason: result.reason.clone(),
        alert_key,
        key_from: judgement.and_then(|judgement| judgement.key_from),
        rule: judgement.and_then(|judgement| judgement.rule.clone()),
        alert: result.alert.clone(),
        flags: flags(judgement, result),
        cut_labels: result.cut_labels.clone(),
        notices: item.notices.clone(),
        body: item.received.body.clone(),
        replay_of: item.received.replay_of,
        times: item.received.times,
        judged_by: item.version.map(|integration| JudgedBy { integration, spaces: result.spaces.clone() }),
    })
}

fn flags(judgement: Option<&Judgement>, result: &MessageResult) -> Vec<Flag> {
    let mut flags = judgement.map(|judgement| judgement.flags.clone()).unwrap_or_default();
    if !result.cut_labels.is_empty() && !flags.contains(&Flag::LabelsCut) {
        flags.push(Flag::LabelsCut);
    }
    flags
}
