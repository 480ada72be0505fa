//! Summarizes in one sentence why someone was, or was not, notified.

use alerting::incident::Progress;
use alerting::incident::timeline::EntryKind;
use alerting::rules::flag::Flag;
use store::incidents::Place;
use store::log::{LogEntry, MessageOutcome};
use words::text::Text;
use words::{sentence, trace as texts};

use super::again::{Rejudgement, refusal};
use super::arrival;
use super::because::Voice;
use super::changed::OPEN_ALERT_CAP;
use super::escalation::gives;
use super::notices;
use super::space_record::SpaceRecord;

/// The summary of a recorded message. `records` describes its alert in every space. `None`: the alert is no longer
/// stored.
pub(crate) fn summary(voice: Voice, entry: &LogEntry, again: &Rejudgement, records: Option<&[SpaceRecord]>) -> String {
    let key = voice.values(&[entry.alert_key.as_deref().unwrap_or("–")]);
    let alone = |words: Text| voice.say(words, &[("key", &key), ("rule", entry.rule.as_deref().unwrap_or("–"))]);
    let sentences = match entry.outcome {
        MessageOutcome::Refused => refused(voice, entry, again),
        MessageOutcome::Discarded => match entry.reason.as_deref() {
            Some("unmatched") => alone(texts::S_UNMATCHED),
            Some("dropped") => alone(texts::S_DROPPED),
            Some("nothing_open") => alone(texts::S_NOTHING_OPEN),
            Some("integration_deleted") => alone(texts::S_DELETED),
            reason => voice.say(texts::S_DISCARDED, &[("reason", reason.unwrap_or("–"))]),
        },
        MessageOutcome::Superseded => alone(texts::S_SUPERSEDED),
        MessageOutcome::Triggered | MessageOutcome::Updated | MessageOutcome::Recovered => match records {
            None => alone(texts::S_NO_PLACE),
            Some([]) if entry.flags.contains(&Flag::Unrouted) => alone(texts::S_UNROUTED),
            Some([]) => alone(texts::S_IN_NO_SPACE),
            Some(records) => of_alert(voice, entry, records),
        },
    };
    voice.say(sentence::FULL_STOP, &[("text", &capital(&sentences))])
}

fn refused(voice: Voice, entry: &LogEntry, again: &Rejudgement) -> String {
    let reason = match refusal(entry) {
        Some(reason) => arrival::reason(voice, arrival::refused_by(reason, again.read()), again.read()),
        None => entry.reason.clone().unwrap_or_default(),
    };
    voice.say(texts::S_REFUSED, &[("reason", &reason)])
}

fn of_alert(voice: Voice, entry: &LogEntry, records: &[SpaceRecord]) -> String {
    let sentence = |record: &SpaceRecord| match entry.outcome {
        MessageOutcome::Triggered => Some(opened(voice, record)),
        // Later messages are explained only if they caused notices of their own.
        _ => notices::summary(voice, record.notices.iter()),
    };
    let sentences: Vec<String> = records
        .iter()
        .filter_map(|record| Some((record, sentence(record)?)))
        .map(|(record, text)| voice.say(texts::IN_SPACE, &[("space", record.name()), ("text", &text)]))
        .collect();
    let lead = match entry.outcome {
        _ if entry.reason.as_deref() == Some(OPEN_ALERT_CAP) => Some(texts::S_CAP),
        MessageOutcome::Updated if sentences.is_empty() => Some(texts::S_UPDATED),
        MessageOutcome::Updated => Some(texts::S_RAISED),
        MessageOutcome::Recovered if sentences.is_empty() => Some(texts::S_NOBODY_RECOVERED),
        MessageOutcome::Recovered => Some(texts::S_RECOVERED),
        _ => None,
    };
    let lead = lead.map(|lead| voice.plain(lead));
    let parts: Vec<String> = lead.into_iter().chain(sentences).collect();
    voice.join(&parts, sentence::SEMICOLON)
}

/// The result in a space for the message that opened the alert.
fn opened(voice: Voice, record: &SpaceRecord) -> String {
    if let Some(silence) = record.dropped_by() {
        return voice.say(texts::S_SILENCED, &[("silence", &record.silence_name(silence))]);
    }
    let Some(incident) = &record.incident else {
        return voice.plain(if record.space.is_none() { texts::S_SPACE_GONE } else { texts::S_NO_INCIDENT });
    };
    if matches!(record.place, Some(Place::Joined(_))) {
        let num = incident.num.as_str();
        return match notices::summary(voice, record.notices.iter()) {
            None => voice.say(texts::S_JOINED, &[("num", num)]),
            Some(notified) => voice.say(texts::S_JOINED_TOLD, &[("num", num), ("told", &notified)]),
        };
    }
    let opening = record.notices.iter().filter(|notice| notice.kind.is_none_or(tells_of_the_opening));
    match notices::summary(voice, opening) {
        Some(notified) => by_whom(voice, record, &notified),
        None => nobody(voice, record),
    }
}

/// Whether a change of this kind belongs to the opening of the incident. Changes that report its end or its handling do
/// not.
const fn tells_of_the_opening(kind: EntryKind) -> bool {
    gives(kind) || matches!(kind, EntryKind::SeverityRaised | EntryKind::StormWarning)
}

fn by_whom(voice: Voice, record: &SpaceRecord, notified: &str) -> String {
    let escalation = record.incident.as_ref().and_then(|incident| incident.escalation.as_ref());
    if let Some(escalation) = escalation {
        let level = (escalation.level + 1).to_string();
        let with = [("rule", escalation.rule_name.as_str()), ("level", &level), ("told", notified)];
        return voice.say(texts::S_BY_RULE, &with);
    }
    let has_rules = record.space.as_ref().is_some_and(|space| !space.escalation_rules.is_empty());
    voice.say(if has_rules { texts::S_BY_OWN } else { texts::S_BY_ONLY }, &[("told", notified)])
}

/// Why nobody was notified, or why nobody has been notified yet.
fn nobody(voice: Voice, record: &SpaceRecord) -> String {
    let Some(incident) = &record.incident else { return voice.plain(texts::S_NO_INCIDENT) };
    if let Some(held) = &incident.held {
        let by = voice.held_by(&held.by);
        return match held.until {
            None => voice.say(texts::S_HELD, &[("by", &by)]),
            Some(until) => voice.say(texts::S_HELD_UNTIL, &[("by", &by), ("until", &until.rfc3339())]),
        };
    }
    let is_over = incident.progress == Progress::Closed;
    if let Some(waiting) = incident.escalation.as_ref().filter(|escalation| escalation.is_waiting) {
        let (level, until) = ((waiting.level + 1).to_string(), waiting.since.rfc3339());
        let with = [("level", level.as_str()), ("rule", &waiting.rule_name), ("until", &until)];
        return voice.say(if is_over { texts::S_WAITED_OVER } else { texts::S_WAITS }, &with);
    }
    if is_over && record.held_back().is_some() {
        return voice.plain(texts::S_HELD_OVER);
    }
    // The timeline records which level reaches nobody, and why.
    let sentences =
        record.entries.iter().rev().filter(|entry| gives(entry.kind)).find_map(|entry| entry.detail.as_ref());
    sentences.map_or_else(|| voice.plain(texts::S_NOBODY_AT_ALL), |detail| voice.detail(detail))
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
