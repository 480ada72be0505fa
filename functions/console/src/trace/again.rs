//! The decisions made again, by the functions that made them: the intake's checks of the body as it was received, then the
//! integration's rules of the message that it holds.

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

/// What the message comes to under the configuration of now.
#[derive(Debug)]
pub(crate) enum Again {
    /// It was refused for what is not kept of it, by a check that asks for nothing else.
    NotAsked,
    BodyGone,
    Read(Box<ReadAgain>),
}

#[derive(Debug)]
pub(crate) struct ReadAgain {
    pub(crate) passed: Vec<Check>,
    pub(crate) acceptance: Acceptance,
    /// The fault, as the answer to its sender names it.
    pub(crate) cause: Option<String>,
    /// `None`: it was, or would be, refused.
    pub(crate) judged: Option<JudgedAgain>,
}

#[derive(Debug)]
pub(crate) struct JudgedAgain {
    pub(crate) judgement: Judgement,
    pub(crate) trace: Trace,
    pub(crate) problems: Vec<FieldError>,
}

/// Reads and judges the message again, at the time at which it was received.
pub(crate) async fn again(app: &App, integration: &Integration, entry: &LogEntry) -> Result<Again, ApiError> {
    if refusal(entry).is_some_and(is_of_what_is_not_kept) {
        return Ok(Again::NotAsked);
    }
    let Some(body) = restored(&entry.body) else { return Ok(Again::BodyGone) };
    // Who takes a message in again by hand is not asked for the sender's signature.
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
            Some(JudgedAgain { judgement, trace, problems: policy.problems().to_vec() })
        }
        Acceptance::Accepted(_) | Acceptance::Refused { .. } => None,
    };
    Ok(Again::Read(Box::new(ReadAgain { passed, acceptance: decision.acceptance, cause, judged })))
}

impl Again {
    pub(crate) fn read(&self) -> Option<&ReadAgain> {
        match self {
            Again::Read(read) => Some(read),
            Again::NotAsked | Again::BodyGone => None,
        }
    }

    pub(crate) fn judged(&self) -> Option<&JudgedAgain> {
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
