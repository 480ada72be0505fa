//! A timeline in words: each event, and each attempt to notify somebody with its result, newest first.

use alerting::base::moment::Moment;
use alerting::incident::Incident;
use alerting::incident::timeline::{Entry, EntryKind};
use operations::names;
use serde::Serialize;
use store::deliveries::Attempt;

use super::deliveries::NamedDelivery;
use crate::app::App;
use crate::pages::error::PageError;
use crate::pages::render::{Reader, When};

/// The most rows that one page shows.
pub(crate) const ROWS: usize = 100;

/// One line of the timeline.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Row {
    at: When,
    /// What happened, in the reader's words.
    what: String,
    /// Who did it, or who was notified. Empty if no person did it.
    who: String,
    detail: String,
    /// Whether a person wrote the detail. Line breaks of such a text are kept.
    is_comment: bool,
    /// Whether somebody who should have been notified was not.
    is_failure: bool,
}

/// The rows of a timeline that a page shows.
#[derive(Debug, Serialize)]
pub(crate) struct TimelineRows {
    rows: Vec<Row>,
    /// The number of older rows that are not shown.
    pub(crate) older: usize,
}

impl TimelineRows {
    pub(super) fn new(entries: &[Entry], deliveries: &[NamedDelivery], whole: bool, reader: &Reader) -> Self {
        let mut rows: Vec<(Moment, Row)> = entries.iter().map(|entry| (entry.at, of_entry(entry, reader))).collect();
        for one in deliveries {
            rows.extend(one.delivery.attempts.iter().map(|attempt| (attempt.at, of_attempt(one, attempt, reader))));
        }
        rows.sort_by_key(|(at, _)| *at);
        let shown = if whole { rows.len() } else { ROWS };
        let older = rows.len().saturating_sub(shown);
        Self { rows: rows.into_iter().skip(older).rev().map(|(_, row)| row).collect(), older }
    }
}

/// What happened since an episode ended, newest first, starting with the reopening that followed it.
pub(super) async fn since(
    app: &App,
    incident: &Incident,
    episode: u32,
    reader: &Reader,
) -> Result<Vec<Row>, PageError> {
    let entries = names::timeline(&app.store, incident, app.clock.now()).await?;
    let reopened: Vec<usize> = (0..entries.len()).filter(|place| entries[*place].kind == EntryKind::Reopened).collect();
    // Counts back from the newest reopening, because earlier versions did not count episodes.
    let ago = usize::try_from(incident.episode.saturating_sub(episode)).unwrap_or(usize::MAX);
    let first = reopened.len().checked_sub(ago).and_then(|place| reopened.get(place)).copied().unwrap_or(0);
    Ok(entries[first..].iter().rev().take(ROWS).map(|entry| of_entry(entry, reader)).collect())
}

fn of_entry(entry: &Entry, reader: &Reader) -> Row {
    let detail = entry.detail.as_ref().map_or_else(String::new, |detail| reader.detail(detail));
    Row {
        at: reader.when(entry.at),
        what: reader.word(&format!("kind_{}", entry.kind.as_str())).to_owned(),
        who: if entry.is_by_person() { entry.actor.clone() } else { String::new() },
        detail,
        is_comment: entry.kind == EntryKind::Commented,
        is_failure: matches!(entry.kind, EntryKind::ContactFailed | EntryKind::NobodyReached),
    }
}

fn of_attempt(delivery: &NamedDelivery, attempt: &Attempt, reader: &Reader) -> Row {
    Row {
        at: reader.when(attempt.at),
        what: reader.word(&format!("attempt_{}", attempt.outcome.as_str())).to_owned(),
        who: delivery.who(),
        detail: attempt.reason.as_deref().map_or(String::new(), |reason| reason_in_words(reason, reader)),
        is_comment: false,
        is_failure: attempt.outcome.is_failure(),
    }
}

/// Why a provider refused a message, in words. A reason that the words lack, as of an earlier version, is shown as
/// stored.
pub(crate) fn reason_in_words(reason: &str, reader: &Reader) -> String {
    reader.known_word(&format!("reason_{reason}")).unwrap_or(reason).to_owned()
}

#[cfg(test)]
mod tests {
    use channels::outcome::Reason;
    use store::deliveries::AttemptOutcome;

    use super::*;

    #[test]
    fn everything_that_can_happen_has_words() {
        let reader = Reader::default();
        let kinds = EntryKind::ALL.iter().map(|kind| format!("kind_{}", kind.as_str()));
        let outcomes = [
            AttemptOutcome::Delivered,
            AttemptOutcome::Accepted,
            AttemptOutcome::Retry,
            AttemptOutcome::Rejected,
            AttemptOutcome::Unknown,
        ];
        let outcomes = outcomes.map(|outcome| format!("attempt_{}", outcome.as_str()));
        let reasons = [
            Reason::RateLimited,
            Reason::BadDestination,
            Reason::Unauthorized,
            Reason::TooLarge,
            Reason::Refused,
            Reason::ProviderDown,
            Reason::TimedOut,
            Reason::Unreadable,
            Reason::NoAddress,
            Reason::NotVerified,
            Reason::NotConfigured,
            Reason::QuotaExhausted,
            Reason::CardGone,
            Reason::ContentRefused,
            Reason::NotAnswered,
            Reason::Undelivered,
        ];
        let reasons = reasons.map(|reason| format!("reason_{}", reason.as_str()));
        for key in kinds.chain(outcomes).chain(reasons) {
            assert!(reader.known_word(&key).is_some(), "{key} has no words");
        }
        assert_eq!(reason_in_words("of_an_earlier_version", &reader), "of_an_earlier_version");
    }
}
