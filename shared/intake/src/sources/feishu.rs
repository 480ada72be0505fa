//! The protocol of the Feishu (Lark) custom bot.
//!
//! Example: `POST /open-apis/bot/v2/hook/{key}` `{"msg_type":"text","content":{"text":"disk full"}}` → text
//! `disk full`, no title → `{"StatusCode":0,…}`.
//!
//! Reading order: [`path`] (version and key) → `json` (bytes → JSON) → `authenticate` (signature, keyword) → `parse`
//! (JSON → text, with `card`, `post`, `markup` and `languages`) → `answer` (result → bytes).
//!
//! Source: the vendor's "Custom bot usage guide" (page of 2025-10-30), and recorded requests of real senders.

use alerting::base::moment::Moment;
use alerting::base::secret::Secret;
use alerting::rules::message::MsgType;
use serde_json::{Map, Value};

use crate::protocol::{Answer, HookPath, Malformed, Protocol, SentType};
use crate::reading::Reading;
use crate::result::IntakeResult;
use crate::sources::feishu::markup::Links;
use crate::sources::feishu::path::Version;

mod answer;
mod authenticate;
mod card;
mod json;
mod languages;
mod markup;
mod parse;
pub mod path;
mod post;
mod sample;

/// A parsed request to a bot.
pub struct Request {
    version: Version,
    root: Map<String, Value>,
}

impl Protocol for Request {
    type Version = Version;
    const NEWEST: Version = Version::V2;
    const DEFAULT_TITLE: &'static str = "Feishu Alert";

    fn path(path: &str) -> Option<HookPath<'_, Version>> {
        path::parse(path)
    }

    fn path_of(key: &str) -> String {
        path::of(key)
    }

    fn version_of(body: &[u8]) -> Version {
        parse::version_of(body)
    }

    fn parse(body: &[u8], version: Version) -> Result<Self, Malformed> {
        Ok(Self { version, root: json::object(body)? })
    }

    fn is_signed(&self, secret: &Secret, now: Moment) -> bool {
        authenticate::is_signed(&self.root, secret, now)
    }

    fn message_type(&self) -> Result<SentType, Malformed> {
        parse::message_type(&self.root, self.version)
    }

    fn read(&self, msg_type: MsgType) -> Result<Reading, Malformed> {
        parse::read(&self.root, self.version, msg_type, Links::Shown)
    }

    fn has_keyword(&self, msg_type: MsgType, keywords: &[String]) -> bool {
        // The message is read again without addresses, because a keyword in a link does not count.
        let reading = parse::read(&self.root, self.version, msg_type, Links::Hidden);
        reading.is_ok_and(|reading| authenticate::has_keyword(keywords, &reading))
    }

    fn sample(msg_type: MsgType, text: &str) -> String {
        sample::body(msg_type, text)
    }

    fn answer(version: Version, result: &IntakeResult) -> Answer {
        answer::answer(version, result)
    }
}
