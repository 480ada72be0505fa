//! Signing in by a provider: `OpenID` Connect's authorization code with PKCE, state and nonce, against whatever issuer the
//! operator has configured.
//!
//! [`begin`] sends the browser there with what it has to bring back in a sealed cookie; [`finish`] holds the answer against
//! that cookie, exchanges the code, and reads who it is from a token whose signature, issuer, audience, nonce and end are
//! checked. Members are found, never made: by the subject that an administrator has noted, or by an address that the
//! provider has verified.

use std::time::Duration;

use alerting::moment::Moment;
use alerting::people::Member;
use alerting::secret::Sealed;
use axum::http::{HeaderMap, HeaderValue};
use channels::deliver::{Deliverer, FetchError};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreIdTokenClaims, CoreProviderMetadata, CoreUserInfoClaims,
};
use openidconnect::{
    AccessToken, AsyncHttpClient, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet,
    EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, IssuerUrl, Nonce, OAuth2TokenResponse as _,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, TokenResponse as _,
};
use serde::{Deserialize, Serialize};
use store::errors::ReadError;
use store::oidc::OidcProvider;
use subtle::ConstantTimeEq as _;

use crate::App;
use crate::extract::Base;
use crate::session::{cookie, set_cookie};

/// How long a person has at the provider.
const LIFE: Duration = Duration::from_secs(10 * 60);
const COOKIE: &str = "oidc";
/// Where the provider sends the browser back to.
pub(crate) const CALLBACK: &str = "/sign-in/oidc/callback";
/// What the cookie and the client's secret are sealed for.
pub(crate) const COOKIE_OWNER: &str = "oidc sign-in";
pub(crate) const SECRET_OWNER: &str = "oidc";

type Client =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// What the browser has to bring back. Sealed: the verifier is a secret until the code is exchanged.
#[derive(Serialize, Deserialize)]
struct Started {
    state: String,
    nonce: String,
    verifier: String,
    next: String,
    at: Moment,
}

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OidcError {
    #[error("the sign-in began too long ago, or in another browser")]
    Stale,
    #[error("the provider said {0}")]
    Refused(String),
    #[error("the provider cannot be asked: {0}")]
    Unreachable(String),
    #[error("what the provider answered does not hold: {0}")]
    Invalid(String),
    #[error("the provider has not verified the address")]
    Unverified,
    #[error("nobody here is who the provider says, or several are")]
    Unknown,
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("the data key is out of reach")]
    Seal(#[from] lambda_kit::secrets::SealError),
}

/// Who the provider says it is.
struct Claimed {
    subject: String,
    email: Option<String>,
    email_verified: Option<bool>,
}

/// Where to send the browser, and the cookie to give it.
pub(crate) async fn begin(
    app: &App,
    provider: &OidcProvider,
    base: &Base,
    next: &str,
) -> Result<(String, HeaderValue), OidcError> {
    let client = client(app, provider, base).await?;
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let flow = CoreAuthenticationFlow::AuthorizationCode;
    let request = client.authorize_url(flow, CsrfToken::new_random, Nonce::new_random);
    let request = request.add_scope(Scope::new("email".to_owned())).add_scope(Scope::new("profile".to_owned()));
    let (url, state, nonce) = request.set_pkce_challenge(challenge).url();
    let started = Started {
        state: state.into_secret(),
        nonce: nonce.secret().clone(),
        verifier: verifier.into_secret(),
        next: next.to_owned(),
        at: app.clock.now(),
    };
    let started = serde_json::to_string(&started).expect("texts are JSON");
    let Sealed(sealed) = app.sealer.seal(COOKIE_OWNER, &started).await?;
    Ok((url.to_string(), set_cookie(base, COOKIE, &sealed, LIFE)))
}

/// Forgets the cookie: a sign-in is finished once.
pub(crate) fn forget(base: &Base) -> HeaderValue {
    set_cookie(base, COOKIE, "", Duration::ZERO)
}

/// What the provider sends back with the browser.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Returned {
    #[serde(default)]
    state: String,
    code: Option<String>,
    error: Option<String>,
}

/// The member, and where they wanted to go.
pub(crate) async fn finish(
    app: &App,
    provider: &OidcProvider,
    base: &Base,
    headers: &HeaderMap,
    returned: Returned,
) -> Result<(Member, String), OidcError> {
    let started = started(app, base, headers).await?;
    let is_ours = bool::from(started.state.as_bytes().ct_eq(returned.state.as_bytes()));
    if !is_ours {
        return Err(OidcError::Stale);
    }
    let code = match (returned.error, returned.code) {
        (None, Some(code)) => code,
        (error, _) => return Err(OidcError::Refused(plain(&error.unwrap_or_default()))),
    };
    let claimed = claimed(app, provider, base, &started, code).await?;
    let member = find(app, provider, &claimed).await?;
    Ok((member, started.next))
}

async fn started(app: &App, base: &Base, headers: &HeaderMap) -> Result<Started, OidcError> {
    let sealed = cookie(headers, base, COOKIE).ok_or(OidcError::Stale)?;
    let opened = app.sealer.open(COOKIE_OWNER, &Sealed(sealed.to_owned())).await;
    let opened = opened.map_err(|error| match error {
        lambda_kit::secrets::SealError::Open(_) => OidcError::Stale,
        error => OidcError::Seal(error),
    })?;
    let started: Started = serde_json::from_str(opened.expose()).map_err(|_| OidcError::Stale)?;
    if app.clock.now().since(started.at) >= LIFE {
        return Err(OidcError::Stale);
    }
    Ok(started)
}

/// The provider's own description of itself, read anew: sign-ins are rare, and its keys change.
async fn client(app: &App, provider: &OidcProvider, base: &Base) -> Result<Client, OidcError> {
    let issuer = IssuerUrl::new(provider.issuer.clone()).map_err(|_| invalid("the issuer is no URL"))?;
    let http = Http(app.deliverer.clone());
    let metadata = CoreProviderMetadata::discover_async(issuer, &http).boxed().await;
    let metadata = metadata.map_err(|error| OidcError::Unreachable(in_full(&error)))?;
    let secret = match &provider.client_secret {
        Some(sealed) => Some(ClientSecret::new(app.sealer.open(SECRET_OWNER, sealed).await?.expose().to_owned())),
        None => None,
    };
    let back = RedirectUrl::new(format!("{}{CALLBACK}", base.0)).map_err(|_| invalid("our own address is no URL"))?;
    let id = ClientId::new(provider.client_id.clone());
    Ok(CoreClient::from_provider_metadata(metadata, id, secret).set_redirect_uri(back))
}

async fn claimed(
    app: &App,
    provider: &OidcProvider,
    base: &Base,
    started: &Started,
    code: String,
) -> Result<Claimed, OidcError> {
    let client = client(app, provider, base).await?;
    let http = Http(app.deliverer.clone());
    let exchange =
        client.exchange_code(AuthorizationCode::new(code)).map_err(|_| invalid("it has no token endpoint"))?;
    let exchange = exchange.set_pkce_verifier(PkceCodeVerifier::new(started.verifier.clone()));
    let answer = exchange.request_async(&http).boxed().await.map_err(|error| invalid(&in_full(&error)))?;
    let token = answer.id_token().ok_or_else(|| invalid("there is no ID token"))?;
    let nonce = Nonce::new(started.nonce.clone());
    let claims: &CoreIdTokenClaims =
        token.claims(&client.id_token_verifier(), &nonce).map_err(|error| invalid(&in_full(&error)))?;
    let claimed = Claimed {
        subject: claims.subject().to_string(),
        email: claims.email().map(|email| email.to_string()),
        email_verified: claims.email_verified(),
    };
    if claimed.email.is_some() {
        return Ok(claimed);
    }
    asked(app, &client, answer.access_token().clone(), claims, claimed).await
}

/// Some providers tell the address only to who asks for it with the access token.
async fn asked(
    app: &App,
    client: &Client,
    token: AccessToken,
    claims: &CoreIdTokenClaims,
    claimed: Claimed,
) -> Result<Claimed, OidcError> {
    let Ok(request) = client.user_info(token, Some(claims.subject().clone())) else { return Ok(claimed) };
    let http = Http(app.deliverer.clone());
    let answer: Result<CoreUserInfoClaims, _> = request.request_async(&http).boxed().await;
    let answer = answer.map_err(|error| invalid(&in_full(&error)))?;
    let email = answer.email().map(|email| email.to_string());
    Ok(Claimed { email, email_verified: answer.email_verified(), ..claimed })
}

/// The one member who is this subject, or has this address.
async fn find(app: &App, provider: &OidcProvider, claimed: &Claimed) -> Result<Member, OidcError> {
    let known = app.store.members_with_subject(&claimed.subject).await?;
    if !known.is_empty() {
        return only(known);
    }
    let Some(email) = &claimed.email else { return Err(OidcError::Unknown) };
    // A provider where anybody may claim any address says `false` or nothing.
    if !claimed.email_verified.unwrap_or(provider.trust_email) {
        return Err(OidcError::Unverified);
    }
    only(app.store.members_with_email(email).await?)
}

fn only(mut found: Vec<Member>) -> Result<Member, OidcError> {
    match (found.pop(), found.is_empty()) {
        (Some(member), true) => Ok(member),
        _ => Err(OidcError::Unknown),
    }
}

/// The library's way out: the one guarded client.
struct Http(Deliverer);

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = FetchError;
    type Future = BoxFuture<'c, Result<HttpResponse, FetchError>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        self.0.fetch(request).boxed()
    }
}

fn invalid(why: &str) -> OidcError {
    OidcError::Invalid(why.to_owned())
}

/// An error with its causes, for the log: the library's own texts, which name no token and no code.
fn in_full(error: &dyn std::error::Error) -> String {
    let mut text = plain(&error.to_string());
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {}", plain(&cause.to_string()));
        source = cause.source();
    }
    text
}

/// What somebody else wrote, on one line and short.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}
