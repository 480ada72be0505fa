//! Sessions of signed-in members: a cookie, and a token that each form needs for its changes.
//!
//! The cookie holds a random token; the table holds its hash, the member and the time of expiry. Every request reads
//! the member, so a removed member is signed out at once, and the account, so a new password ends earlier sessions. The
//! token of a form is bound to the session and to the object of the form. A request that changes something must also
//! come from one of our pages.

use std::time::Duration;

use alerting::base::actor::{NamedActor, Via};
use alerting::base::moment::Moment;
use alerting::people::Member;
use axum::extract::FromRequestParts;
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lambda_kit::random;
use ring::hmac;
use store::keys::secret_hash;
use store::sessions::Session;
use subtle::ConstantTimeEq as _;

use crate::app::{App, BASE, SharedApp};
use crate::extract::{Base, forwarded_scheme};
use crate::pages::error::PageError;
use operations::access::Scope;

/// How long a session lasts: one on-call week.
pub(crate) const SESSION_LIFE: Duration = Duration::from_secs(7 * 24 * 3600);
/// Random base62 characters of a session's token: 190 bits.
const TOKEN_CHARS: usize = 32;
/// How long a confirmation is valid: long enough to add a few members.
pub(crate) const CONFIRMED_FOR: Duration = Duration::from_secs(10 * 60);
/// Characters of the browser's user agent that are stored.
const BROWSER_CHARS: usize = 200;
/// The field of a form that holds its token.
pub(crate) const FORM_TOKEN: &str = "form_token";
const COOKIE: &str = "session";
/// Browsers accept a cookie with this prefix only over TLS and for this host alone. Over plain HTTP, which is used on a
/// laptop only, they would refuse it.
const SECURE: &str = "__Host-";

/// A signed-in member. As an argument of a page: without a session, the browser is redirected to the sign-in page.
#[derive(Debug, Clone)]
pub(crate) struct SignedIn {
    pub(crate) member: Member,
    token: Token,
    /// When the request was received.
    pub(crate) now: Moment,
    /// When the member last confirmed their identity in this session.
    confirmed_at: Option<Moment>,
}

#[derive(Clone)]
struct Token(String);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

impl SignedIn {
    /// Whether the member's role includes `scope`.
    pub(crate) fn may(&self, scope: Scope) -> bool {
        Scope::of(self.member.role) >= scope
    }

    /// The member as timelines show the actor.
    pub(crate) fn actor(&self) -> NamedActor {
        NamedActor::member(self.member.id.clone(), &self.member.name, Via::Page)
    }

    /// The token of a form that acts on `subject`, such as the path of an incident.
    pub(crate) fn form_token(&self, subject: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.token.0.as_bytes());
        URL_SAFE_NO_PAD.encode(&hmac::sign(&key, subject.as_bytes()).as_ref()[..16])
    }

    /// The token that a script of one of our pages sends to the API.
    pub(crate) fn csrf_token(&self) -> String {
        self.form_token(BASE)
    }

    /// Whether the member confirmed their identity recently in this session. Signing in alone does not count, because a
    /// session that is stolen right after the sign-in would then be worth as much as the password.
    pub(crate) fn is_confirmed(&self, now: Moment) -> bool {
        self.confirmed_at.is_some_and(|at| now.since(at) < CONFIRMED_FOR)
    }

    /// The hash under which the session is stored.
    pub(crate) fn session(&self) -> String {
        secret_hash(&self.token.0)
    }

    pub(crate) fn check_form(&self, subject: &str, given: &str) -> Result<(), PageError> {
        let wanted = self.form_token(subject);
        let is_right = bool::from(wanted.as_bytes().ct_eq(given.as_bytes()));
        if is_right { Ok(()) } else { Err(PageError::ForeignForm) }
    }
}

/// A new session: the signed-in member, and the value of `Set-Cookie`.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) signed_in: SignedIn,
    pub(crate) cookie: HeaderValue,
}

/// Begins a session with a new token, and ends the browser's earlier session, whose token another person may know.
/// `epoch`: the epoch of the member's account.
pub(crate) async fn begin(
    app: &App,
    headers: &HeaderMap,
    member: &Member,
    epoch: u64,
    base: &Base,
) -> Result<HeaderValue, PageError> {
    Ok(replace(app, headers, member, epoch, base, None).await?.cookie)
}

/// Replaces the session by a new one, which is confirmed. The old one ends, so a stolen copy of it is not confirmed too.
pub(crate) async fn confirm(
    app: &App,
    headers: &HeaderMap,
    member: &Member,
    epoch: u64,
    base: &Base,
) -> Result<Begun, PageError> {
    replace(app, headers, member, epoch, base, Some(app.clock.now())).await
}

async fn replace(
    app: &App,
    headers: &HeaderMap,
    member: &Member,
    epoch: u64,
    base: &Base,
    confirmed_at: Option<Moment>,
) -> Result<Begun, PageError> {
    end(app, headers, base).await?;
    let token = random::base62(TOKEN_CHARS);
    let now = app.clock.now();
    let session = Session::new(member.id.clone(), epoch, now, SESSION_LIFE);
    let session = Session { confirmed_at, browser: browser(headers), ..session };
    app.store.begin_session(&secret_hash(&token), &session).await?;
    let cookie = set_cookie(base, COOKIE, &token, SESSION_LIFE);
    Ok(Begun { signed_in: SignedIn { member: member.clone(), token: Token(token), now, confirmed_at }, cookie })
}

/// The name that the browser sends: its user agent.
fn browser(headers: &HeaderMap) -> Option<String> {
    let name = headers.get(header::USER_AGENT)?.to_str().ok()?;
    Some(name.chars().filter(|c| !c.is_control()).take(BROWSER_CHARS).collect())
}

/// Ends the session of this request, if it has one. Returns the value of `Set-Cookie` that deletes the cookie.
pub(crate) async fn end(app: &App, headers: &HeaderMap, base: &Base) -> Result<HeaderValue, PageError> {
    if let Some(token) = cookie(headers, base, COOKIE) {
        app.store.end_session(&secret_hash(token)).await?;
    }
    Ok(set_cookie(base, COOKIE, "", Duration::ZERO))
}

/// The value of `Set-Cookie`. `value` has characters of base64 only. A `life` of zero deletes the cookie.
pub(crate) fn set_cookie(base: &Base, name: &str, value: &str, life: Duration) -> HeaderValue {
    let (prefix, secure) = if is_secure(base) { (SECURE, "; Secure") } else { ("", "") };
    let life = life.as_secs();
    let text = format!("{prefix}{name}={value}; Path=/; Max-Age={life}; HttpOnly; SameSite=Lax{secure}");
    text.parse().expect("a name, base64's characters and a number")
}

fn is_secure(base: &Base) -> bool {
    base.0.starts_with("https://")
}

pub(crate) fn cookie<'a>(headers: &'a HeaderMap, base: &Base, name: &str) -> Option<&'a str> {
    let wanted = format!("{}{name}", if is_secure(base) { SECURE } else { "" });
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == wanted).map(|(_, value)| value).filter(|value| !value.is_empty())
}

/// Whether the request carries the cookie of a session, valid or not.
pub(crate) fn is_carried(headers: &HeaderMap, base: &Base) -> bool {
    cookie(headers, base, COOKIE).is_some()
}

/// The member who makes the request; `None`: there is no session, or the session has ended, or the member was deleted.
pub(crate) async fn signed_in(app: &App, headers: &HeaderMap, base: &Base) -> Result<Option<SignedIn>, PageError> {
    Ok(match owner(app, headers, base).await? {
        SessionOwner::Member(signed_in) => Some(*signed_in),
        SessionOwner::Nobody | SessionOwner::Removed => None,
    })
}

/// Who owns the session of a request.
enum SessionOwner {
    Member(Box<SignedIn>),
    /// The member was deleted.
    Removed,
    /// The request has no session, or the session has ended.
    Nobody,
}

async fn owner(app: &App, headers: &HeaderMap, base: &Base) -> Result<SessionOwner, PageError> {
    let Some(token) = cookie(headers, base, COOKIE) else { return Ok(SessionOwner::Nobody) };
    let (hash, now) = (secret_hash(token), app.clock.now());
    let Some(session) = app.store.session(&hash, now).await? else { return Ok(SessionOwner::Nobody) };
    let members = app.store.members();
    let (member, account) = futures::try_join!(members.get(&session.member), app.store.account(&session.member))?;
    let Some(member) = member else { return Ok(SessionOwner::Removed) };
    if account.map_or(0, |account| account.epoch) != session.epoch {
        return Ok(SessionOwner::Nobody);
    }
    if let Some(seen) = session.seen(now) {
        app.store.touch_session(&hash, &seen).await?;
    }
    let confirmed_at = session.confirmed_at;
    Ok(SessionOwner::Member(Box::new(SignedIn { member, token: Token(token.to_owned()), now, confirmed_at })))
}

/// Refuses a request that changes something and was not sent by one of our pages.
///
/// Browsers send `Sec-Fetch-Site`, which a page cannot forge. Over plain HTTP they send it on the loopback only (Fetch
/// Metadata, section 2: potentially trustworthy URLs). In all other cases the header `Origin` decides. Browsers send it
/// with every form, because our pages say `same-origin` and not `no-referrer` (Fetch, "append a request Origin
/// header"). It must be the origin of the public URL or of the address that the request was sent to: a deployment does
/// not answer under any other name.
pub(crate) fn same_origin(headers: &HeaderMap, base: &Base) -> Result<(), PageError> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let is_ours = match (text(HeaderName::from_static("sec-fetch-site")), text(header::ORIGIN)) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => origin == base.0 || asked(headers).is_some_and(|asked| asked == origin),
        (None, None) => false,
    };
    if is_ours { Ok(()) } else { Err(PageError::ForeignForm) }
}

/// The origin that this request was sent to, according to the headers that the gateway sets.
fn asked(headers: &HeaderMap) -> Option<String> {
    let host = headers.get(header::HOST)?.to_str().ok()?;
    Some(format!("{}://{host}", forwarded_scheme(headers)))
}

impl FromRequestParts<SharedApp> for SignedIn {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, app: &SharedApp) -> Result<Self, PageError> {
        let base = Base::from_request_parts(parts, app).await.map_err(|_| PageError::NotFound)?;
        let found = owner(app, &parts.headers, &base).await?;
        let changes = parts.method != Method::GET && parts.method != Method::HEAD;
        if changes {
            same_origin(&parts.headers, &base)?;
        }
        match found {
            SessionOwner::Member(signed_in) => Ok(*signed_in),
            SessionOwner::Removed if changes => Err(PageError::Forbidden),
            SessionOwner::Nobody if changes => Err(PageError::Unauthorized),
            SessionOwner::Removed | SessionOwner::Nobody => {
                let next = parts.uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
                Err(PageError::SignIn { next })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_pages_change_anything() {
        let base = Base("https://larkspur.example".to_owned());
        let rows: [(&[(&str, &str)], bool); 10] = [
            (&[("sec-fetch-site", "same-origin"), ("origin", "null")], true),
            (&[("sec-fetch-site", "cross-site"), ("origin", "https://larkspur.example")], false),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("origin", "https://larkspur.example")], true),
            (&[("origin", "null")], false),
            (&[("host", "192.168.1.5:9000"), ("origin", "http://192.168.1.5:9000")], true),
            (&[("host", "192.168.1.5:9000"), ("origin", "http://evil.example:9000")], false),
            (&[("host", "192.168.1.5:9000"), ("origin", "null")], false),
            (&[("host", "x.example"), ("x-forwarded-proto", "https"), ("origin", "http://x.example")], false),
            (&[], false),
        ];
        for (headers, allowed) in rows {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
            }
            assert_eq!(same_origin(&map, &base).is_ok(), allowed, "{headers:?}");
        }
    }

    #[test]
    fn a_cookie_is_found_among_others_and_only_by_the_name_that_the_scheme_has() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_static("a=b; session=plain; __Host-session=secure"));
        assert_eq!(cookie(&headers, &Base("https://a.example".to_owned()), COOKIE), Some("secure"));
        assert_eq!(cookie(&headers, &Base("http://127.0.0.1:9000".to_owned()), COOKIE), Some("plain"));
    }
}
