//! One message, ready to be sent by the crate `post`.
//!
//! A request names the vendor's own host, which a signature may cover; the crate `post` decides where it connects to. A
//! request never holds an access token. [`Http::credential`] says where `post` puts it, so that whole requests can be
//! compared and no channel can leak a token.

use std::fmt;

use alerting::base::moment::Moment;
use alerting::base::secret::Secret;
use url::{Position, Url};

use crate::content::Failure;
use crate::email::mail::Mail;
use crate::email::relay::Relay;
use crate::fit::Fitted;
use crate::size::Measured;

/// The content type of almost every vendor.
const JSON: &str = "application/json; charset=utf-8";

/// Holds credentials, so the transport is never printed.
#[derive(Clone)]
pub struct Request {
    pub transport: Transport,
    at: Moment,
    /// How many of the post's notices this message shows, from the first. The others wait for the next message.
    pub shown: usize,
    /// Whether a notice is shortened. The page of the link shows everything.
    pub cut: bool,
    pub size: Measured,
    /// Why the channel's template was used instead of the post's own, if so.
    pub template: Option<Failure>,
}

/// How a message is sent.
#[derive(Clone)]
pub enum Transport {
    Http(Http),
    Email { relay: Box<Relay>, mail: Box<Mail> },
}

/// One HTTPS request.
#[derive(Clone)]
pub struct Http {
    pub method: Method,
    /// The vendor's name, without a port.
    pub host: String,
    /// Path and query as sent. Either may hold a key.
    pub path: Secret,
    pub content_type: &'static str,
    /// The headers other than host, content type and credential.
    pub headers: Vec<(&'static str, Secret)>,
    pub body: Vec<u8>,
    /// Where the access token goes, for vendors that need one.
    pub credential: Option<TokenPlace>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

/// The place of an access token in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenPlace {
    /// `Authorization: Bearer …`
    Bearer,
    /// A header of the vendor's own.
    Header(&'static str),
    /// A parameter of the query.
    Query(&'static str),
}

impl Http {
    /// A POST of JSON to a URL that a channel has checked or made.
    pub(crate) fn post(url: &str, body: Vec<u8>) -> Self {
        Self::json(Method::Post, url, body)
    }

    pub(crate) fn json(method: Method, url: &str, body: Vec<u8>) -> Self {
        let url = Url::parse(url).expect("channels send to addresses that they have read as such");
        Self {
            method,
            host: url.host_str().unwrap_or_default().to_owned(),
            path: Secret::new(&url[Position::BeforePath..Position::AfterQuery]),
            content_type: JSON,
            headers: Vec::new(),
            body,
            credential: None,
        }
    }

    /// Host, path and query as one address.
    pub fn url(&self) -> Secret {
        Secret::new(format!("https://{}{}", self.host, self.path.expose()))
    }
}

impl Method {
    pub const fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        }
    }
}

impl Request {
    pub(crate) fn new(url: &str, body: Fitted, at: Moment) -> Self {
        let Fitted { body, size, shown, cut, template } = body;
        Self { transport: Transport::Http(Http::post(url, body)), at, shown, cut, size, template }
    }

    /// The same, by another method and with a place for the access token.
    #[cfg(any(test, feature = "echo"))]
    pub(crate) fn with_token(method: Method, url: &str, credential: TokenPlace, body: Fitted, at: Moment) -> Self {
        let Fitted { body, size, shown, cut, template } = body;
        let http = Http { credential: Some(credential), ..Http::json(method, url, body) };
        Self { transport: Transport::Http(http), at, shown, cut, size, template }
    }

    /// Whether it needs an access token.
    pub fn needs_token(&self) -> bool {
        matches!(&self.transport, Transport::Http(Http { credential: Some(_), .. }))
    }

    pub(crate) fn mail(relay: &Relay, mail: Mail, fitted: Fitted<()>, at: Moment) -> Self {
        let Fitted { body: (), size, shown, cut, template } = fitted;
        let transport = Transport::Email { relay: Box::new(relay.clone()), mail: Box::new(mail) };
        Self { transport, at, shown, cut, size, template }
    }

    /// The body of an HTTP request, or the parts of a mail before MIME. It also holds settings of the destination, such
    /// as a chat's number.
    pub fn body(&self) -> serde_json::Value {
        let body = match &self.transport {
            Transport::Http(http) => serde_json::from_slice(&http.body),
            Transport::Email { mail, .. } => serde_json::to_value(mail),
        };
        body.expect("what channels write is JSON")
    }

    pub(crate) fn header(mut self, name: &'static str, value: &Secret) -> Self {
        if let Transport::Http(http) = &mut self.transport {
            http.headers.push((name, value.clone()));
        }
        self
    }

    /// When it was made, and signed for those vendors that want a signature.
    pub fn at(&self) -> Moment {
        self.at
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { transport: _, at, shown, cut, size: _, template: _ } = self;
        f.debug_struct("Request").field("at", at).field("shown", shown).field("cut", cut).finish_non_exhaustive()
    }
}
