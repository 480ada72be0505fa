//! Detects that the configuration has changed since a decision. Compares recorded versions with the current ones, and
//! recorded decisions with those that the current configuration gives.

use alerting::incident::alert::{AlertEvent, AlertKey};
use alerting::incident::detail::Detail;
use alerting::rules::integration::Integration;
use alerting::rules::message::{Acceptance, Message};
use alerting::rules::policy::Decision;
use store::log::{LogEntry, MessageOutcome};
use words::text::Text;
use words::timeline::english;
use words::{sentence, trace as texts};

use super::again::{Rejudged, Rejudgement, refusal};
use super::because::Voice;
use super::space_record::{MessageAlert, SpaceRecord};
use super::spaces::{CurrentChoice, SilenceResult};

/// The recorded reason of a message that exceeded the cap of open alerts. Such a message updates the alert that reports
/// the cap instead of opening its own.
pub(crate) const OPEN_ALERT_CAP: &str = "open_alert_cap";

/// The changes since the decision, one sentence each.
pub(crate) struct Changes {
    voice: Voice,
    pub(crate) all: Vec<String>,
}

impl Changes {
    pub(crate) const fn new(voice: Voice) -> Self {
        Self { voice, all: Vec::new() }
    }

    fn add(&mut self, words: Text, with: &[(&str, &str)]) {
        self.all.push(self.voice.say(words, with));
    }

    /// Appends a sentence that explains what the changes mean, if there are any.
    pub(crate) fn finish(mut self) -> Vec<String> {
        if !self.all.is_empty() {
            self.add(texts::WHAT_STANDS, &[]);
        }
        self.all
    }

    /// Compares the recorded decision with the integration's current one.
    pub(crate) fn integration(&mut self, entry: &LogEntry, integration: Option<&Integration>, again: &Rejudgement) {
        let Some(integration) = integration else { return self.add(texts::INTEGRATION_GONE, &[]) };
        if let Some(judged_by) = &entry.judged_by
            && judged_by.integration != integration.version
        {
            let (then, now) = (judged_by.integration.to_string(), integration.version.to_string());
            self.add(texts::INTEGRATION_SAVED, &[("then", &then), ("now", &now)]);
        }
        let Some(read) = again.read() else { return };
        let now = match &read.acceptance {
            Acceptance::Accepted(_) => None,
            Acceptance::Refused { reason, .. } => Some(*reason),
        };
        let then = refusal(entry);
        if (entry.outcome == MessageOutcome::Refused, then) != (now.is_some(), now) {
            let words = |reason: Option<&str>| match reason {
                None => self.voice.plain(texts::ACCEPTED),
                Some(reason) => self.voice.say(texts::REFUSED, &[("reason", reason)]),
            };
            let then = words(entry.reason.as_deref().filter(|_| entry.outcome == MessageOutcome::Refused));
            let now = words(now.map(alerting::rules::message::RefusalReason::as_str));
            return self.add(texts::INTAKE_DIFFERS, &[("then", &then), ("now", &now)]);
        }
        if let Acceptance::Accepted(message) = &read.acceptance {
            self.message(entry, message);
        }
        if let Some(judged) = again.judged() {
            self.decision(entry, judged);
        }
    }

    fn message(&mut self, entry: &LogEntry, message: &Message) {
        if message.title != entry.title {
            let [then, now] = [&entry.title, &message.title].map(|title| self.voice.values(&[title]));
            self.add(texts::MESSAGE_DIFFERS, &[("then", &then), ("now", &now)]);
        }
    }

    fn decision(&mut self, entry: &LogEntry, judged: &Rejudged) {
        let (now_key, now_discards) = match &judged.judgement.decision {
            Decision::Event(event) => (key(event), false),
            Decision::Discard(_) => (None, true),
        };
        let then_discards = matches!(entry.reason.as_deref(), Some("unmatched" | "dropped"));
        let then = (entry.rule.as_deref(), entry.alert_key.as_deref(), then_discards);
        let now = (judged.judgement.rule.as_deref(), now_key, now_discards);
        if then == now {
            return;
        }
        let words = |(rule, key, discards): (Option<&str>, Option<&str>, bool)| {
            let rule = rule.unwrap_or("–");
            match key {
                _ if discards => self.voice.say(texts::DISCARDED, &[("rule", rule)]),
                None => rule.to_owned(),
                Some(key) => self.voice.say(texts::KEYED, &[("rule", rule), ("key", &self.voice.values(&[key]))]),
            }
        };
        let (then, now) = (words(then), words(now));
        self.add(texts::DECISION_DIFFERS, &[("then", &then), ("now", &now)]);
    }

    /// Reports the fields that would differ if the alert were opened now. Skips an alert whose texts come from a later
    /// message.
    pub(crate) fn alert(&mut self, of: MessageAlert<'_>, judged: Option<&Rejudged>) {
        let is_as_opened = of.opens && of.alert.texts() == of.entry.stamp;
        let Some(Decision::Event(event)) = judged.map(|judged| &judged.judgement.decision) else { return };
        if !is_as_opened || of.entry.reason.as_deref() == Some(OPEN_ALERT_CAP) {
            return;
        }
        let fields: Vec<String> = [
            ("title", event.title != of.alert.title),
            ("description", event.description != of.alert.description),
            ("severity", event.severity != of.alert.severity),
            ("labels", event.labels != of.alert.labels),
            ("spaces", event.spaces != of.alert.spaces),
        ]
        .into_iter()
        .filter(|(_, differs)| *differs)
        .map(|(field, _)| field.to_owned())
        .collect();
        if !fields.is_empty() {
            let fields = self.voice.join(&fields, sentence::LIST);
            self.add(texts::ALERT_DIFFERS, &[("fields", &fields)]);
        }
    }

    pub(crate) fn space(&mut self, record: &Recorded, chosen: &CurrentChoice, entry: &LogEntry) {
        let name = record.name.as_str();
        let then = entry.judged_by.as_ref().and_then(|judged_by| judged_by.spaces.get(&record.id).copied());
        match (then, record.version) {
            (_, None) => return self.add(texts::SPACE_GONE, &[("space", name)]),
            (Some(then), Some(now)) if then != now => {
                let (then, now) = (then.to_string(), now.to_string());
                self.add(texts::SPACE_SAVED, &[("space", name), ("then", &then), ("now", &now)]);
            }
            (Some(_) | None, Some(_)) => {}
        }
        if let Some(taken) = &chosen.silence {
            self.silence(record, taken);
        }
        if let (Some(now), Some(then)) = (&chosen.rule, &record.rule)
            && now != then
        {
            let nothing = self.voice.plain(texts::NOTHING);
            let [then, now] = [then, now].map(|rule| rule.as_deref().unwrap_or(&nothing));
            self.add(texts::RULE_DIFFERS, &[("space", name), ("then", then), ("now", now)]);
        }
    }

    fn silence(&mut self, record: &Recorded, taken: &SilenceResult) {
        let is_same = match taken {
            SilenceResult::Dropped(silence) => record.dropped_by.as_deref() == Some(silence.as_str()),
            // Compares in English because an earlier version stored the English sentence.
            SilenceResult::Kept { detail, .. } => record.held_back.as_ref().map(english) == Some(english(detail)),
            // A mute is not a silence: muting is checked after the silences.
            SilenceResult::None => record.dropped_by.is_none() && (record.held_back.is_none() || record.muted),
        };
        if is_same {
            return;
        }
        let nothing = self.voice.plain(texts::NOTHING);
        let now = match taken {
            SilenceResult::None => nothing.clone(),
            SilenceResult::Kept { by, .. } => self.voice.held_by(by),
            SilenceResult::Dropped(silence) => silence.to_string(),
        };
        let held_back = || record.held_back.as_ref().map(|detail| self.voice.detail(detail));
        let then = record.dropped_by.clone().or_else(held_back).unwrap_or(nothing);
        self.add(texts::SILENCE_DIFFERS, &[("space", &record.name), ("then", &then), ("now", &now)]);
    }
}

/// The recorded decisions about an alert in a space, to be compared with those of the current configuration.
#[derive(Debug)]
pub(crate) struct Recorded {
    id: alerting::base::ids::SpaceId,
    name: String,
    /// The current version of the space. `None`: the space has been deleted.
    version: Option<u64>,
    dropped_by: Option<String>,
    held_back: Option<Detail>,
    muted: bool,
    /// The name of the rule, or `Some(None)` if no rule matched. `None`: the incident has been assigned again since.
    rule: Option<Option<String>>,
}

impl Recorded {
    pub(crate) fn of(record: &SpaceRecord) -> Self {
        use alerting::incident::timeline::EntryKind::{Reassigned, Reopened, SnoozeEnded};
        let again = record.entries.iter().any(|entry| matches!(entry.kind, Reassigned | Reopened | SnoozeEnded));
        let rule = record
            .incident
            .as_ref()
            .filter(|_| !again)
            .map(|incident| incident.escalation.as_ref().map(|escalation| escalation.rule_name.clone()));
        // Only the timeline records that a rule reaches nobody.
        let nobody = record.entries.iter().any(|entry| entry.detail.as_ref().is_some_and(Detail::is_nobody));
        Self {
            id: record.id.clone(),
            name: record.name().to_owned(),
            version: record.space.as_ref().map(|space| space.version),
            dropped_by: record.dropped_by().map(ToString::to_string),
            held_back: record.held_back().cloned(),
            muted: record.held_back().is_some_and(Detail::is_muted),
            rule: rule.filter(|rule| rule.is_some() || !nobody),
        }
    }
}

fn key(event: &AlertEvent) -> Option<&str> {
    match &event.key {
        AlertKey::Unique => None,
        AlertKey::Named(key) => Some(key),
    }
}
