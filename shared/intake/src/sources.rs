//! The inbound protocols, one folder each, and their registry: one line per source.
//!
//! Example: `/open-apis/bot/v2/hook/4fJk…` → [`Target::Hook`] with [`SourceVersion::Feishu`]. Everything that differs
//! between sources is a function of [`SourceVersion`] or of a parsed request.

use alerting::base::moment::Moment;
use alerting::base::secret::Secret;
use alerting::rules::integration::Source;
use alerting::rules::message::MsgType;

use crate::protocol::{Answer, HookPath, Malformed, Protocol, SentType};
use crate::reading::Reading;
use crate::result::IntakeResult;

pub mod feishu;

macro_rules! sources {
    ($($name:ident($request:ty)),+ $(,)?) => {
        /// A source with one of the versions of its protocol.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum SourceVersion { $($name(<$request as Protocol>::Version)),+ }

        impl SourceVersion {
            pub const fn source(self) -> Source { match self { $(Self::$name(_) => Source::$name),+ } }
            /// The version that the URLs of new integrations use.
            pub const fn newest(source: Source) -> Self {
                match source { $(Source::$name => Self::$name(<$request>::NEWEST)),+ }
            }
            /// The version of a logged body whose path is no longer known.
            pub fn of_body(source: Source, body: &[u8]) -> Self {
                match source { $(Source::$name => Self::$name(<$request>::version_of(body))),+ }
            }
            pub(crate) const fn default_title(self) -> &'static str {
                match self { $(Self::$name(_) => <$request>::DEFAULT_TITLE),+ }
            }
            pub fn answer(self, result: &IntakeResult) -> Answer {
                match self { $(Self::$name(version) => <$request>::answer(version, result)),+ }
            }
            pub(crate) fn parse(self, body: &[u8]) -> Result<Request, Malformed> {
                match self { $(Self::$name(version) => <$request>::parse(body, version).map(Request::$name)),+ }
            }
        }

        /// The path of the URL of an integration of this source with this key.
        pub fn path_of(source: Source, key: &str) -> String {
            match source { $(Source::$name => <$request>::path_of(key)),+ }
        }

        /// A body of this type and text, in the newest version.
        pub fn sample(source: Source, msg_type: MsgType, text: &str) -> String {
            match source { $(Source::$name => <$request>::sample(msg_type, text)),+ }
        }

        pub fn target(path: &str) -> Target<'_> {
            $(match <$request>::path(path) {
                Some(HookPath::Hook { version, key }) => {
                    return Target::Hook { version: SourceVersion::$name(version), key };
                }
                Some(HookPath::NoSuchHook) => return Target::NoSuchHook(Source::$name),
                None => {}
            })+
            Target::NotFound
        }

        /// A request whose body is parsed.
        pub(crate) enum Request { $($name($request)),+ }

        impl Request {
            pub(crate) fn is_signed(&self, secret: &Secret, now: Moment) -> bool {
                match self { $(Self::$name(request) => request.is_signed(secret, now)),+ }
            }
            pub(crate) fn message_type(&self) -> Result<SentType, Malformed> {
                match self { $(Self::$name(request) => request.message_type()),+ }
            }
            pub(crate) fn read(&self, msg_type: MsgType) -> Result<Reading, Malformed> {
                match self { $(Self::$name(request) => request.read(msg_type)),+ }
            }
            pub(crate) fn has_keyword(&self, msg_type: MsgType, keywords: &[String]) -> bool {
                match self { $(Self::$name(request) => request.has_keyword(msg_type, keywords)),+ }
            }
        }
    };
}

sources! {
    Feishu(feishu::Request),
}

/// The meaning of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<'a> {
    Hook {
        version: SourceVersion,
        key: &'a str,
    },
    /// A path of this source that cannot contain a key. It is answered like an unknown key.
    NoSuchHook(Source),
    NotFound,
}

impl Target<'_> {
    /// The version that is used to answer a request to this path.
    pub fn version(&self) -> SourceVersion {
        match self {
            Target::Hook { version, .. } => *version,
            Target::NoSuchHook(source) => SourceVersion::newest(*source),
            Target::NotFound => SourceVersion::newest(Source::default()),
        }
    }
}
