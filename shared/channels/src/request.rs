//! One message, ready to be sent: all that the crate `post` has to know of it.
//!
//! A request says where it goes by the vendor's own host, which a signature may cover; where that host is found is the
//! sender's business. It never holds an access token: [`Http::credential`] says where the sender puts it, so that whole
//! requests can be compared and no channel can leak one.

use std::fmt;

use alerting::base::moment::Moment;
use alerting::base::secret::Secret;
use url::{Position, Url};

use crate::content::Failure;
use crate::email::mail::Mail;
use crate::email::relay::Relay;
use crate::fit::Fitted;
use crate::size::Measured;

/// What almost every vendor reads.
const JSON: &str = "application/json; charset=utf-8";

/// It holds credentials, so nothing of how it is sent is ever printed.
#[derive(Clone)]
pub struct Request {
    pub transport: Transport,
    at: Moment,
    /// How many of the post's notices this message shows, from the first; the others wait for the next message.
    pub shown: usize,
    /// Whether any of them is shown shortened. The page behind the link has everything.
    pub cut: bool,
    pub size: Measured,
    /// Why the post's own template was not used, but the channel's.
    pub template: Option<Failure>,
}

/// How a message leaves.
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
    /// Path and query as they are sent; either may hold a key.
    pub path: Secret,
    pub content_type: &'static str,
    /// Those beside host, content type and credential.
    pub headers: Vec<(&'static str, Secret)>,
    pub body: Vec<u8>,
    /// Where the access token goes, for vendors that want one.
    pub credential: Option<Place>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

/// Where an access token stands in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// `Authorization: Bearer …`
    Bearer,
    /// A header of the vendor's own.
    Header(&'static str),
    /// A parameter of the query.
    Query(&'static str),
}

impl Http {
    /// A POST of JSON to an address that a channel has checked or made itself.
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

    /// The same by another method and with a place for the access token.
    #[cfg(feature = "echo")]
    pub(crate) fn with_token(method: Method, url: &str, credential: Place, body: Fitted, at: Moment) -> Self {
        let Fitted { body, size, shown, cut, template } = body;
        let http = Http { credential: Some(credential), ..Http::json(method, url, body) };
        Self { transport: Transport::Http(http), at, shown, cut, size, template }
    }

    /// Whether it cannot be sent without an access token.
    pub fn needs_token(&self) -> bool {
        matches!(&self.transport, Transport::Http(Http { credential: Some(_), .. }))
    }

    pub(crate) fn mail(relay: &Relay, mail: Mail, fitted: Fitted<()>, at: Moment) -> Self {
        let Fitted { body: (), size, shown, cut, template } = fitted;
        let transport = Transport::Email { relay: Box::new(relay.clone()), mail: Box::new(mail) };
        Self { transport, at, shown, cut, size, template }
    }

    /// What the vendor reads: the body of an HTTP request, or a mail's parts before they are written in MIME. Beside the
    /// texts it holds what the destination's settings put there, such as a chat's number.
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
