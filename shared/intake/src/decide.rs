//! One request with a known key → what becomes of it and what its sender is told. Pure.
//!
//! Checks, in this order: size, rate, source address, JSON, signature, message type, content, keyword. The first that
//! fails decides. It is recorded with the body, whichever it is: an operator finds every refused message, with the
//! reason, and can replay it once the setting that refused it is changed.

use alerting::integration::Integration;
use alerting::limits;
use alerting::message::{MsgType, RefusalReason, Verdict};
use alerting::moment::Moment;
use alerting::secret::Secret;

use crate::answer::Answer;
use crate::security;
use crate::sources::feishu::markup::Links;
use crate::sources::feishu::path::Version;
use crate::sources::feishu::{self, Kind, Malformed, json};

/// A request as it came in.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    pub version: Version,
    pub body: &'a [u8],
    pub source: Option<&'a str>,
    /// Whether the integration's limits left room for it.
    pub within_rate: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    pub verdict: Verdict,
    /// Given once the verdict is queued; an accepted message that could not be queued is answered [`Answer::Busy`].
    pub answer: Answer,
}

/// What a request has to pass, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Check {
    Size,
    Rate,
    Source,
    Json,
    Signature,
    MessageType,
    Content,
    Keyword,
}

impl Check {
    pub const ALL: [Self; 8] = [
        Check::Size,
        Check::Rate,
        Check::Source,
        Check::Json,
        Check::Signature,
        Check::MessageType,
        Check::Content,
        Check::Keyword,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Check::Size => "size",
            Check::Rate => "rate",
            Check::Source => "source",
            Check::Json => "json",
            Check::Signature => "signature",
            Check::MessageType => "message_type",
            Check::Content => "content",
            Check::Keyword => "keyword",
        }
    }
}

/// `secret` is the integration's, opened; `None` if it has none.
pub fn decide(arrival: &Arrival<'_>, integration: &Integration, secret: Option<&Secret>, now: Moment) -> Decision {
    decide_passing(arrival, integration, secret, now, &mut |_| {})
}

/// The same decision; `passed` hears of each check that the request passes. The first one that it does not hear of is the
/// one that refused it.
pub fn decide_passing(
    arrival: &Arrival<'_>,
    integration: &Integration,
    secret: Option<&Secret>,
    now: Moment,
    passed: &mut impl FnMut(Check),
) -> Decision {
    if arrival.body.len() > limits::BODY_BYTES {
        let cause = format!("the body is over {} KiB", limits::BODY_BYTES / 1024);
        return refused(RefusalReason::TooLarge, Answer::Params(cause.into()));
    }
    passed(Check::Size);
    if !arrival.within_rate {
        return refused(RefusalReason::RateLimited, Answer::TooMany);
    }
    passed(Check::Rate);
    if !security::is_source_allowed(&integration.security.sources, arrival.source) {
        return refused(RefusalReason::Source, Answer::Source);
    }
    passed(Check::Source);
    let root = match json::parse(arrival.body) {
        Ok(serde_json::Value::Object(root)) => root,
        Ok(_) => return malformed("the body is not a JSON object".to_owned(), None),
        Err(cause) => return malformed(cause, None),
    };
    passed(Check::Json);
    if secret.is_some_and(|secret| !security::is_signed(&root, secret, now)) {
        return refused(RefusalReason::Signature, Answer::Signature);
    }
    passed(Check::Signature);
    match feishu::kind(&root, arrival.version) {
        Err(Malformed(cause)) => malformed(cause.to_owned(), None),
        Ok(Kind::Other(name)) => not_taken(name, "is not one of those that can be taken: text, post, interactive"),
        Ok(Kind::Known(msg_type)) if !integration.message_types.contains(&msg_type) => {
            not_taken(msg_type.as_str().to_owned(), "is not taken by this integration")
        }
        Ok(Kind::Known(msg_type)) => {
            passed(Check::MessageType);
            content(&root, arrival.version, msg_type, integration, passed)
        }
    }
}

fn content(
    root: &serde_json::Map<String, serde_json::Value>,
    version: Version,
    msg_type: MsgType,
    integration: &Integration,
    passed: &mut impl FnMut(Check),
) -> Decision {
    let reading = match feishu::read(root, version, msg_type, Links::Shown) {
        Ok(reading) => reading,
        Err(Malformed(cause)) => return malformed(cause.to_owned(), Some(msg_type)),
    };
    passed(Check::Content);
    let keywords = &integration.security.keywords;
    if !keywords.is_empty() {
        // Read once more without addresses: a keyword in a link does not count.
        let said = feishu::read(root, version, msg_type, Links::Hidden);
        if !said.is_ok_and(|said| security::has_keyword(keywords, &said)) {
            return Decision {
                verdict: Verdict::Refused {
                    reason: RefusalReason::Keyword,
                    msg_type: Some(msg_type.as_str().to_owned()),
                },
                answer: Answer::Keyword,
            };
        }
    }
    passed(Check::Keyword);
    let message = reading.into_message(msg_type, integration.title_from);
    Decision { verdict: Verdict::Accepted(message), answer: Answer::Accepted(version) }
}

fn refused(reason: RefusalReason, answer: Answer) -> Decision {
    Decision { verdict: Verdict::Refused { reason, msg_type: None }, answer }
}

fn malformed(cause: String, msg_type: Option<MsgType>) -> Decision {
    let msg_type = msg_type.map(|msg_type| msg_type.as_str().to_owned());
    let verdict = Verdict::Refused { reason: RefusalReason::Malformed, msg_type };
    Decision { verdict, answer: Answer::Params(cause.into()) }
}

fn not_taken(name: String, why: &str) -> Decision {
    let cause = format!("msg_type \"{name}\" {why} (setting message_types)");
    let verdict = Verdict::Refused { reason: RefusalReason::MessageType, msg_type: Some(name) };
    Decision { verdict, answer: Answer::Params(cause.into()) }
}
