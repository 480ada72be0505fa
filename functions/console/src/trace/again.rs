//! Repeats the decisions about a message with the functions that first made them: the intake's checks of the stored
//! body, then the integration's rules for the message in it.

use alerting::base::field_error::FieldError;
use alerting::rules::integration::Integration;
use alerting::rules::message::{Acceptance, RefusalReason};
use alerting::rules::policy::{Judgement, Policy};
use alerting::rules::trace::Trace;
use intake::decide::{Arrival, Check, decide_passing};
use intake::result::IntakeResult;
use intake::sources::SourceVersion;
use store::log::{LogEntry, MessageOutcome};

use crate::app::App;
use crate::error::ApiError;
use crate::replay::restored;
use crate::trial;

/// The result for the message under the current configuration.
#[derive(Debug)]
pub(crate) enum Rejudgement {
    /// A check refused the message because of data that is not stored, so the check cannot be repeated.
    NotAsked,
    BodyGone,
    Read(Box<RereadMessage>),
}

#[derive(Debug)]
pub(crate) struct RereadMessage {
    pub(crate) passed: Vec<Check>,
    pub(crate) acceptance: Acceptance,
    /// The reason for the refusal, as the answer to the sender gave it.
    pub(crate) cause: Option<String>,
    /// `None`: the message was refused, or would be refused now.
    pub(crate) judged: Option<Rejudged>,
}

#[derive(Debug)]
pub(crate) struct Rejudged {
    pub(crate) judgement: Judgement,
    pub(crate) trace: Trace,
    pub(crate) problems: Vec<FieldError>,
}

/// Reads the message again and applies the current rules to it, as of the time at which it was received.
pub(crate) async fn again(app: &App, integration: &Integration, entry: &LogEntry) -> Result<Rejudgement, ApiError> {
    if refusal(entry).is_some_and(is_of_what_is_not_kept) {
        return Ok(Rejudgement::NotAsked);
    }
    let Some(body) = restored(&entry.body) else { return Ok(Rejudgement::BodyGone) };
    // The signature of a message that was replayed by hand is not checked.
    let secret = match entry.replay_of {
        None => trial::secret(app, integration).await?,
        Some(_) => None,
    };
    let mut passed = Vec::new();
    let version = SourceVersion::of_body(integration.source, &body);
    let arrival = Arrival { version, body: &body, address: None, within_rate: true };
    let without_sources = trial::without_sources(integration);
    let received_at = entry.stamp.received_at();
    let decision =
        decide_passing(&arrival, &without_sources, secret.as_ref(), received_at, &mut |check| passed.push(check));
    let cause = match decision.result {
        IntakeResult::Unusable(cause) => Some(cause.into_owned()),
        _ => None,
    };
    let judged = match &decision.acceptance {
        Acceptance::Accepted(message) if entry.outcome != MessageOutcome::Refused => {
            let tables = app.store.cached_mapping_tables(app.clock.now()).await?;
            let policy = Policy::lenient(integration, &tables);
            let (judgement, trace) = policy.trace(message, entry.stamp);
            Some(Rejudged { judgement, trace, problems: policy.problems().to_vec() })
        }
        Acceptance::Accepted(_) | Acceptance::Refused { .. } => None,
    };
    Ok(Rejudgement::Read(Box::new(RereadMessage { passed, acceptance: decision.acceptance, cause, judged })))
}

impl Rejudgement {
    pub(crate) fn read(&self) -> Option<&RereadMessage> {
        match self {
            Rejudgement::Read(read) => Some(read),
            Rejudgement::NotAsked | Rejudgement::BodyGone => None,
        }
    }

    pub(crate) fn judged(&self) -> Option<&Rejudged> {
        self.read()?.judged.as_ref()
    }
}

/// Why the message was refused, as recorded.
pub(crate) fn refusal(entry: &LogEntry) -> Option<RefusalReason> {
    let reason = entry.reason.as_deref().filter(|_| entry.outcome == MessageOutcome::Refused)?;
    serde_json::from_value(reason.into()).ok()
}

const fn is_of_what_is_not_kept(reason: RefusalReason) -> bool {
    match reason {
        RefusalReason::Source | RefusalReason::RateLimited | RefusalReason::TooLarge => true,
        RefusalReason::Signature | RefusalReason::Keyword | RefusalReason::Malformed | RefusalReason::MessageType => {
            false
        }
    }
}
