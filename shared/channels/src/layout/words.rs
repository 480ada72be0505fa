//! The fixed texts of a message, in the reader's language, from the crate `words`.

use std::time::Duration;

use alerting::base::moment::Moment;
use alerting::base::severity::Severity;
use alerting::incident::card::{Act, Card, Hours, State};
use alerting::incident::notice::Notice;
use alerting::incident::timeline::EntryKind;
use alerting::people::destination::{Language, TimeZone};
use time::{OffsetDateTime, UtcOffset};
use words::text::Text;
use words::{incident, message, sentence};

use crate::clean::clean_line;
use crate::layout::tone::Tone;

/// The texts of one language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Words(Language);

impl Words {
    pub(crate) const fn of(language: Language) -> Self {
        Self(language)
    }

    /// As HTML names the language.
    pub(crate) const fn lang(self) -> &'static str {
        words::html_lang(self.0)
    }

    pub(crate) const fn details(self) -> &'static str {
        incident::DETAILS.of(self.0)
    }

    pub(crate) const fn acknowledge(self) -> &'static str {
        incident::ACKNOWLEDGE.of(self.0)
    }

    /// The label of a button.
    pub(crate) fn act(self, act: Act) -> String {
        match act {
            Act::Acknowledge => incident::ACKNOWLEDGE.of(self.0).to_owned(),
            Act::Unacknowledge => incident::TAKE_BACK.of(self.0).to_owned(),
            Act::Snooze(Hours(hours)) => incident::SNOOZE_HOURS.fill(self.0, &[("hours", &hours.to_string())]),
            Act::Close => incident::CLOSE.of(self.0).to_owned(),
        }
    }

    /// The name of a list of buttons that snooze.
    pub(crate) const fn snooze(self) -> &'static str {
        incident::SNOOZE.of(self.0)
    }

    pub(crate) const fn state(self, state: &State) -> &'static str {
        match state {
            State::Triggered => incident::PROGRESS_TRIGGERED,
            State::Processing => incident::PROGRESS_PROCESSING,
            State::Snoozed => incident::KIND_SNOOZED,
            State::Held => incident::HELD,
            State::Closed => incident::PROGRESS_CLOSED,
            State::Merged { .. } => incident::KIND_MERGED_AWAY,
        }
        .of(self.0)
    }

    /// Who has the incident of a card, and how long it rests, for the end of a headline.
    pub(crate) fn card_note(self, card: &Card, zone: &TimeZone) -> String {
        let by = card.by.as_deref().map(clean_line).filter(|by| !by.is_empty());
        let until = card.until.map(|until| message::UNTIL.fill(self.0, &[("time", &local_time(until, zone))]));
        self.noted(by.into_iter().chain(until))
    }

    fn noted(self, parts: impl Iterator<Item = String>) -> String {
        let parts: Vec<String> = parts.collect();
        if parts.is_empty() {
            return String::new();
        }
        message::NOTE.fill(self.0, &[("parts", &parts.join(sentence::REMARK.of(self.0)))])
    }

    pub(crate) const fn shortened(self) -> &'static str {
        message::SHORTENED.of(self.0)
    }

    pub(crate) const fn colon(self) -> &'static str {
        sentence::COLON.of(self.0)
    }

    /// Between the names of a list.
    pub(crate) const fn comma(self) -> &'static str {
        sentence::LIST.of(self.0)
    }

    pub(crate) const fn severity(self, severity: Severity) -> &'static str {
        incident::severity(severity).of(self.0)
    }

    /// The change in a word or two.
    pub(crate) const fn event(self, kind: EntryKind) -> &'static str {
        message::event(kind).of(self.0)
    }

    /// The change, and who made it if a person or an API key did.
    pub(crate) fn status_of(self, notice: &Notice) -> String {
        let event = self.happened(notice);
        match self.alerts(notice.kind) {
            Some(alerts) => message::EVENT_ALERTS.fill(self.0, &[("event", &event), ("alerts", alerts)]),
            None => event,
        }
    }

    /// A note that the alerts of a reopened incident stay closed.
    fn alerts(self, kind: EntryKind) -> Option<&'static str> {
        (kind == EntryKind::Reopened).then_some(message::ALERTS_STAY_CLOSED.of(self.0))
    }

    fn happened(self, notice: &Notice) -> String {
        match (self.event(notice.kind), person(notice)) {
            (event, "") => event.to_owned(),
            (event, actor) => message::EVENT_BY.fill(self.0, &[("event", event), ("actor", actor)]),
        }
    }

    /// Who made the change and how long after the trigger, for the end of a headline. Empty for a trigger.
    pub(crate) fn note(self, notice: &Notice) -> String {
        let lasted = notice.closed_at.unwrap_or(notice.at).since(notice.triggered_at);
        let actor = Some(clean_line(person(notice))).filter(|actor| !actor.is_empty());
        let after = (lasted >= Duration::from_secs(1))
            .then(|| message::AFTER.fill(self.0, &[("duration", &self.duration(lasted))]));
        let alerts = self.alerts(notice.kind).map(str::to_owned);
        if notice.kind == EntryKind::Triggered {
            return String::new();
        }
        self.noted(actor.into_iter().chain(after).chain(alerts))
    }

    /// The number of changes of each kind: `3 Critical, 1 acknowledged, 2 over`.
    pub(crate) fn counts(self, tones: impl Iterator<Item = Tone>) -> String {
        let tones: Vec<Tone> = tones.collect();
        let kinds = [
            (Tone::Critical, incident::SEVERITY_CRITICAL),
            (Tone::Warning, incident::SEVERITY_WARNING),
            (Tone::Info, incident::SEVERITY_INFO),
            (Tone::Acknowledged, message::ACKNOWLEDGED),
            (Tone::Closed, message::OVER),
        ];
        let counted = kinds.map(|(tone, name)| (tones.iter().filter(|other| **other == tone).count(), name));
        let counted = counted.into_iter().filter(|(count, _)| *count > 0);
        counted.map(|(count, name)| format!("{count} {}", name.of(self.0))).collect::<Vec<_>>().join(self.comma())
    }

    /// The two largest units: `2d 3h`, `5m 20s`.
    pub(crate) fn duration(self, lasted: Duration) -> String {
        let units = [message::DAYS, message::HOURS, message::MINUTES, message::SECONDS];
        let secs = lasted.as_secs();
        let counts = [secs / 86_400, secs / 3600 % 24, secs / 60 % 60, secs % 60];
        let first = counts.iter().position(|count| *count > 0).unwrap_or(3);
        let shown = counts.iter().zip(units).skip(first).take(2).filter(|(count, _)| **count > 0);
        let parts: Vec<String> = shown.map(|(count, unit)| self.counted(unit, *count)).collect();
        if parts.is_empty() { self.counted(message::SECONDS, 0) } else { parts.join(" ") }
    }

    pub(crate) fn more_labels(self, count: usize) -> String {
        let text = if count == 1 { message::ONE_MORE_LABEL } else { message::MORE_LABELS };
        self.counted(text, count)
    }

    pub(crate) fn changes(self, count: usize) -> String {
        self.counted(message::CHANGES, count)
    }

    pub(crate) fn more_changes(self, count: usize) -> String {
        self.counted(message::MORE_CHANGES, count)
    }

    fn counted(self, text: Text, count: impl ToString) -> String {
        text.fill(self.0, &[("count", &count.to_string())])
    }
}

/// `2026-11-22 13:00:05 +08:00`; UTC by name.
pub(crate) fn local_time(at: Moment, zone: &TimeZone) -> String {
    let offset = UtcOffset::from_whole_seconds(zone.offset_secs(at)).unwrap_or(UtcOffset::UTC);
    let Ok(utc) = OffsetDateTime::from_unix_timestamp(at.secs()) else { return at.to_string() };
    let Some(local) = utc.checked_to_offset(offset) else { return at.to_string() };
    let (date, (hour, minute, second)) = (local.date(), local.to_hms());
    let (offset_hours, offset_minutes, _) = offset.as_hms();
    let sign = if offset.is_negative() { '-' } else { '+' };
    let zone = if offset.is_utc() {
        "UTC".to_owned()
    } else {
        format!("{sign}{:02}:{:02}", offset_hours.unsigned_abs(), offset_minutes.unsigned_abs())
    };
    format!("{date} {hour:02}:{minute:02}:{second:02} {zone}")
}

/// The name of the member or API key that made the change. Empty: a source or a timer did.
fn person(notice: &Notice) -> &str {
    let is_person = match &notice.by {
        Some(by) => by.is_person(),
        // A notice of an earlier version has only the name.
        None => !matches!(notice.actor.as_str(), "source" | "timer"),
    };
    if is_person { &notice.actor } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_the_destinations_zone() {
        let at = Moment::parse_rfc3339("2026-11-22T05:00:05Z").expect("valid");
        let local = |zone: &str| local_time(at, &zone.parse().expect("known"));
        assert_eq!(local("+00:00"), "2026-11-22 05:00:05 UTC");
        assert_eq!(local("Asia/Shanghai"), "2026-11-22 13:00:05 +08:00");
        assert_eq!(local("-03:30"), "2026-11-22 01:30:05 -03:30");
    }

    #[test]
    fn a_duration_shows_its_two_largest_units() {
        let words = Words::of(Language::English);
        for (secs, text) in [(0, "0s"), (45, "45s"), (320, "5m 20s"), (3600, "1h"), (3605, "1h"), (183_600, "2d 3h")] {
            assert_eq!(words.duration(Duration::from_secs(secs)), text);
        }
        assert_eq!(Words::of(Language::Chinese).duration(Duration::from_secs(320)), "5 分 20 秒");
    }
}
