//! The checks of the intake with their results.

use alerting::rules::integration::Integration;
use alerting::rules::message::RefusalReason;
use intake::decide::Check;
use store::log::{LogEntry, MessageOutcome};
use words::text::Text;
use words::trace as texts;

use super::again::{RereadMessage, refusal};
use super::because::Voice;
use crate::dto::trace::{IntakeTrace, StepView};

/// Intake stops at the first check that fails, so the recorded reason implies the result of every check.
pub(crate) fn intake(
    voice: Voice,
    entry: &LogEntry,
    integration: Option<&Integration>,
    again: Option<&RereadMessage>,
) -> IntakeTrace {
    let refused = refusal(entry).map(|reason| refused_by(reason, again));
    let step = |check: Check| {
        let (result, because) = match refused {
            Some(by) if check == by => ("failed", reason(voice, check, again)),
            Some(by) if is_behind(check, by) => {
                ("not_reached", voice.say(texts::CHECK_REFUSED, &[("decided", by.as_str())]))
            }
            _ if entry.replay_of.is_some() && is_of_senders(check) => ("not_asked", voice.plain(texts::BY_HAND)),
            _ => ("passed", voice.plain(passed(check, integration))),
        };
        StepView { step: check.as_str().to_owned(), result, because }
    };
    let result = if entry.outcome == MessageOutcome::Refused { "refused" } else { "accepted" };
    IntakeTrace { result, steps: Check::ALL.into_iter().map(step).collect() }
}

/// Why the check refuses the message, in words. `again` supplies the reason that the answer to the sender gave.
pub(crate) fn reason(voice: Voice, check: Check, again: Option<&RereadMessage>) -> String {
    let words = match check {
        Check::Size => texts::SIZE,
        Check::Rate => texts::RATE,
        Check::Address => texts::SOURCE,
        Check::Json => texts::JSON,
        Check::Signature => texts::SIGNATURE,
        Check::MessageType => texts::MESSAGE_TYPE,
        Check::Content => texts::CONTENT,
        Check::Keyword => texts::KEYWORD,
    };
    let text = voice.plain(words);
    let fails_again = again.filter(|again| next(&again.passed) == Some(check));
    match fails_again.and_then(|again| again.cause.as_deref()) {
        Some(cause) => format!("{text} ({cause})"),
        None => text,
    }
}

/// The check that refused the message.
pub(crate) fn refused_by(reason: RefusalReason, again: Option<&RereadMessage>) -> Check {
    match reason {
        RefusalReason::TooLarge => Check::Size,
        RefusalReason::RateLimited => Check::Rate,
        RefusalReason::Source => Check::Address,
        RefusalReason::Signature => Check::Signature,
        RefusalReason::Keyword => Check::Keyword,
        RefusalReason::MessageType => Check::MessageType,
        // Several checks record this reason. Reading the body again shows which of them refused the message.
        RefusalReason::Malformed => match again.and_then(|again| next(&again.passed)) {
            Some(check @ (Check::Json | Check::MessageType)) => check,
            Some(_) | None => Check::Content,
        },
    }
}

fn next(passed: &[Check]) -> Option<Check> {
    Check::ALL.get(passed.len()).copied()
}

fn is_behind(check: Check, other: Check) -> bool {
    let place = |wanted: Check| Check::ALL.iter().position(|check| *check == wanted);
    place(check) > place(other)
}

/// Whether the check is about the sender or the rate. A replayed message skips these checks.
const fn is_of_senders(check: Check) -> bool {
    matches!(check, Check::Rate | Check::Address | Check::Signature)
}

fn passed(check: Check, integration: Option<&Integration>) -> Text {
    let Some(security) = integration.map(|integration| &integration.security) else {
        return words::pages::trace::RESULT_PASSED;
    };
    match check {
        Check::Address if security.sources.is_empty() => texts::NO_SOURCES,
        Check::Signature if security.secret.is_none() => texts::NO_SECRET,
        Check::Keyword if security.keywords.is_empty() => texts::NO_KEYWORDS,
        _ => words::pages::trace::RESULT_PASSED,
    }
}
