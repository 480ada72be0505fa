//! Decides about one request with a known key: returns the message to queue, or the reason for the refusal, and the
//! result for the source's answer. No I/O.
//!
//! Checks, in this order: size, sender's address, JSON, signature, rate, message type, content, keyword. The first
//! check that fails decides. A request that a setting refuses is recorded with its body and its readable part, within a
//! budget. So an operator finds the request with the reason, and can replay it after the setting is changed. Requests
//! that are refused because of their sender, rate or size are only counted, with samples of them.

use std::borrow::Cow;

use alerting::base::limits;
use alerting::base::moment::Moment;
use alerting::base::secret::Secret;
use alerting::rules::integration::{Integration, TitleFrom};
use alerting::rules::message::{Acceptance, Message, MsgType, RefusalReason};

use crate::addresses;
use crate::protocol::{Malformed, SentType};
use crate::result::IntakeResult;
use crate::sources::{Request, SourceVersion};

/// A request as received.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    pub version: SourceVersion,
    pub body: &'a [u8],
    /// The address of the sender, if known.
    pub address: Option<&'a str>,
    /// Whether the request is within the integration's rate.
    pub within_rate: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    pub acceptance: Acceptance,
    /// The result once the request is queued. If an accepted message cannot be queued, its result is
    /// [`IntakeResult::Busy`].
    pub result: IntakeResult,
}

/// The checks that a request must pass, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Check {
    Size,
    /// The address of the sender.
    Address,
    Json,
    Signature,
    Rate,
    MessageType,
    Content,
    Keyword,
}

impl Check {
    pub const ALL: [Self; 8] = [
        Check::Size,
        Check::Address,
        Check::Json,
        Check::Signature,
        Check::Rate,
        Check::MessageType,
        Check::Content,
        Check::Keyword,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Check::Size => "size",
            Check::Rate => "rate",
            Check::Address => "source",
            Check::Json => "json",
            Check::Signature => "signature",
            Check::MessageType => "message_type",
            Check::Content => "content",
            Check::Keyword => "keyword",
        }
    }
}

/// Decides about a request. `secret` is the decrypted secret of the integration; `None`: it has none.
pub fn decide(arrival: &Arrival<'_>, integration: &Integration, secret: Option<&Secret>, now: Moment) -> Decision {
    decide_passing(arrival, integration, secret, now, &mut |_| {})
}

/// Decides as [`decide`] does, and calls `passed` with each check that the request passes. If the request is refused,
/// the next check in order refused it.
pub fn decide_passing(
    arrival: &Arrival<'_>,
    integration: &Integration,
    secret: Option<&Secret>,
    now: Moment,
    passed: &mut impl FnMut(Check),
) -> Decision {
    if arrival.body.len() > limits::BODY_BYTES {
        let cause = format!("the body is over {} KiB", limits::BODY_BYTES / 1024);
        return refused(RefusalReason::TooLarge, IntakeResult::Unusable(cause.into()));
    }
    passed(Check::Size);
    if !addresses::is_allowed(&integration.security.sources, arrival.address) {
        return refused(RefusalReason::Source, IntakeResult::AddressNotAllowed);
    }
    passed(Check::Address);
    let request = match arrival.version.parse(arrival.body) {
        Ok(request) => request,
        Err(Malformed(cause)) => return malformed(cause, None),
    };
    passed(Check::Json);
    if secret.is_some_and(|secret| !request.is_signed(secret, now)) {
        return refused(RefusalReason::Signature, IntakeResult::NotSigned);
    }
    passed(Check::Signature);
    // The rate is checked after the sender, so that requests of strangers do not use up the rate of the real sender.
    if !arrival.within_rate {
        return too_many();
    }
    passed(Check::Rate);
    match request.message_type() {
        Err(Malformed(cause)) => malformed(cause, None),
        Ok(SentType::Other(name)) => not_taken(name, "is not one of those that can be taken: text, post, interactive"),
        Ok(SentType::Known(msg_type)) if !integration.message_types.contains(&msg_type) => {
            not_taken(msg_type.as_str().to_owned(), "is not taken by this integration")
        }
        Ok(SentType::Known(msg_type)) => {
            passed(Check::MessageType);
            content(&request, arrival.version, msg_type, integration, passed)
        }
    }
}

fn content(
    request: &Request,
    version: SourceVersion,
    msg_type: MsgType,
    integration: &Integration,
    passed: &mut impl FnMut(Check),
) -> Decision {
    let reading = match request.read(msg_type) {
        Ok(reading) => reading,
        Err(Malformed(cause)) => return malformed(cause, Some(msg_type)),
    };
    passed(Check::Content);
    let keywords = &integration.security.keywords;
    if !keywords.is_empty() && !request.has_keyword(msg_type, keywords) {
        let msg_type = Some(msg_type.as_str().to_owned());
        let acceptance = Acceptance::Refused { reason: RefusalReason::Keyword, msg_type, message: None };
        return Decision { acceptance, result: IntakeResult::NoKeyword };
    }
    passed(Check::Keyword);
    let message = reading.into_message(msg_type, integration.title_from, version.default_title());
    Decision { acceptance: Acceptance::Accepted(message), result: IntakeResult::Accepted }
}

/// The decision about a request that passes [`Check::Signature`] but exceeds the rate.
pub fn too_many() -> Decision {
    refused(RefusalReason::RateLimited, IntakeResult::TooMany)
}

/// The readable part of a refused body, for the list in which an operator chooses messages to replay. The text is cut
/// to [`limits::DESCRIPTION_BYTES`].
pub fn preview(body: &[u8], version: SourceVersion, title_from: TitleFrom) -> Option<Message> {
    let request = version.parse(body).ok()?;
    let Ok(SentType::Known(msg_type)) = request.message_type() else { return None };
    let message = request.read(msg_type).ok()?.into_message(msg_type, title_from, version.default_title());
    let title = limits::cut_chars(&message.title, limits::TITLE_CHARS);
    let content = limits::cut_bytes(&message.content, limits::DESCRIPTION_BYTES);
    Some(Message { title, content, ..message })
}

fn refused(reason: RefusalReason, result: IntakeResult) -> Decision {
    Decision { acceptance: Acceptance::Refused { reason, msg_type: None, message: None }, result }
}

fn malformed(cause: Cow<'static, str>, msg_type: Option<MsgType>) -> Decision {
    let msg_type = msg_type.map(|msg_type| msg_type.as_str().to_owned());
    let acceptance = Acceptance::Refused { reason: RefusalReason::Malformed, msg_type, message: None };
    Decision { acceptance, result: IntakeResult::Unusable(cause) }
}

fn not_taken(name: String, why: &str) -> Decision {
    let cause = format!("msg_type \"{name}\" {why} (setting message_types)");
    let acceptance = Acceptance::Refused { reason: RefusalReason::MessageType, msg_type: Some(name), message: None };
    Decision { acceptance, result: IntakeResult::Unusable(cause.into()) }
}
