//! One request with a known key → what becomes of it and what its sender is told. Pure.
//!
//! Checks, in this order: size, source address, JSON, signature, rate, message type, content, keyword. The first that
//! fails decides. What is refused for a setting is recorded with its body and what can be read of it, within a budget: an
//! operator finds it, with the reason, and can replay it once the setting is changed. What is refused for who sends it, how
//! often or how much is kept as samples and counted.

use alerting::base::limits;
use alerting::base::moment::Moment;
use alerting::base::secret::Secret;
use alerting::rules::integration::{Integration, TitleFrom};
use alerting::rules::message::{Message, MsgType, RefusalReason, Verdict};

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
    Source,
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
        Check::Source,
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
    // After the checks of who sends: what anyone can send must not use up the rate of those who may.
    if !arrival.within_rate {
        return too_many();
    }
    passed(Check::Rate);
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
                    message: None,
                },
                answer: Answer::Keyword,
            };
        }
    }
    passed(Check::Keyword);
    let message = reading.into_message(msg_type, integration.title_from);
    Decision { verdict: Verdict::Accepted(message), answer: Answer::Accepted(version) }
}

/// The decision about a request that passes [`Check::Signature`] and for which the rate has no room.
pub fn too_many() -> Decision {
    refused(RefusalReason::RateLimited, Answer::TooMany)
}

/// What can be read of a refused body, for the list in which an operator chooses what to replay: the text cut to
/// [`limits::DESCRIPTION_BYTES`].
pub fn preview(body: &[u8], version: Version, title_from: TitleFrom) -> Option<Message> {
    let serde_json::Value::Object(root) = json::parse(body).ok()? else { return None };
    let Ok(Kind::Known(msg_type)) = feishu::kind(&root, version) else { return None };
    let message = feishu::read(&root, version, msg_type, Links::Shown).ok()?.into_message(msg_type, title_from);
    let title = limits::cut_chars(&message.title, limits::TITLE_CHARS);
    let content = limits::cut_bytes(&message.content, limits::DESCRIPTION_BYTES);
    Some(Message { title, content, ..message })
}

fn refused(reason: RefusalReason, answer: Answer) -> Decision {
    Decision { verdict: Verdict::Refused { reason, msg_type: None, message: None }, answer }
}

fn malformed(cause: String, msg_type: Option<MsgType>) -> Decision {
    let msg_type = msg_type.map(|msg_type| msg_type.as_str().to_owned());
    let verdict = Verdict::Refused { reason: RefusalReason::Malformed, msg_type, message: None };
    Decision { verdict, answer: Answer::Params(cause.into()) }
}

fn not_taken(name: String, why: &str) -> Decision {
    let cause = format!("msg_type \"{name}\" {why} (setting message_types)");
    let verdict = Verdict::Refused { reason: RefusalReason::MessageType, msg_type: Some(name), message: None };
    Decision { verdict, answer: Answer::Params(cause.into()) }
}
