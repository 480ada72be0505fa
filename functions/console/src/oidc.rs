//! Signing in by an external provider: `OpenID` Connect's authorization code flow with PKCE, state and nonce. The
//! operator configures the issuer.
//!
//! [`begin`] redirects the browser to the provider and keeps the state in a sealed cookie. [`finish`] compares the
//! provider's answer with that cookie, exchanges the code, and reads the identity from a token. It checks the token's
//! signature, issuer, audience, nonce and expiry. A sign-in never creates a member. The first sign-in finds the member
//! by an address that both the provider and Larkspur have verified, or by the subject that an administrator has
//! entered. Later sign-ins find the member by issuer and subject alone.

mod error;
pub(crate) mod metadata;

use std::time::Duration;

use alerting::base::moment::Moment;
use alerting::base::secret::Sealed;
use alerting::people::{AddressedBy, Member, SignInIdentity};
use axum::http::{HeaderMap, HeaderValue};
use futures::FutureExt as _;
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreIdTokenClaims, CoreIdTokenVerifier, CoreJwsSigningAlgorithm as Signing,
    CoreUserInfoClaims,
};
use openidconnect::{
    AccessToken, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet,
    EndpointNotSet, EndpointSet, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    Scope, SignatureVerificationError, TokenResponse as _,
};
use serde::{Deserialize, Serialize};
use store::config::Expect;
use store::errors::SaveError;
use store::oidc::OidcProvider;
use subtle::ConstantTimeEq as _;

use crate::app::App;
use crate::extract::Base;
use crate::oidc::error::{in_full, invalid, plain};
use crate::session::{CONFIRMED_FOR, cookie, set_cookie};

pub(crate) use error::OidcError;
use metadata::Http;

/// How long a sign-in at the provider may take.
const LIFE: Duration = Duration::from_secs(10 * 60);
const COOKIE: &str = "oidc";
/// The path to which the provider redirects the browser.
pub(crate) const CALLBACK: &str = "/sign-in/oidc/callback";
/// The owner name under which the cookie and the client's secret are sealed.
pub(crate) const COOKIE_OWNER: &str = "oidc sign-in";
pub(crate) const SECRET_OWNER: &str = "oidc";

/// How often pinning a member is retried after a conflict.
const RACES: usize = 4;
/// The accepted signature algorithms of ID tokens (RFC 7518, section 3.1). All of them sign with a private key.
const SIGNED_BY: [Signing; 10] = [
    Signing::RsaSsaPkcs1V15Sha256,
    Signing::RsaSsaPkcs1V15Sha384,
    Signing::RsaSsaPkcs1V15Sha512,
    Signing::RsaSsaPssSha256,
    Signing::RsaSsaPssSha384,
    Signing::RsaSsaPssSha512,
    Signing::EcdsaP256Sha256,
    Signing::EcdsaP384Sha384,
    Signing::EcdsaP521Sha512,
    Signing::EdDsa,
];

type Client =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// The state of a sign-in in progress, kept in the browser's cookie. It is sealed because it contains the PKCE
/// verifier, which is secret until the code is exchanged.
#[derive(Serialize, Deserialize)]
struct Started {
    state: String,
    nonce: String,
    verifier: String,
    next: String,
    /// Whether the sign-in confirms an existing session.
    #[serde(default)]
    again: bool,
    at: Moment,
}

/// The result of a sign-in by the provider.
pub(crate) struct Finished {
    pub(crate) member: Member,
    /// The page to which the browser is redirected.
    pub(crate) next: String,
    /// Whether the provider asked the person to sign in again.
    pub(crate) again: bool,
}

/// The person whom the provider identified.
struct Claimed {
    subject: String,
    email: Option<String>,
    email_verified: Option<bool>,
}

/// Starts a sign-in. Returns the provider's address to redirect to, and the cookie to set.
pub(crate) async fn begin(
    app: &App,
    provider: &OidcProvider,
    base: &Base,
    next: &str,
    again: bool,
) -> Result<(String, HeaderValue), OidcError> {
    let client = client(app, provider, base, Duration::MAX).await?;
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let flow = CoreAuthenticationFlow::AuthorizationCode;
    let request = client.authorize_url(flow, CsrfToken::new_random, Nonce::new_random);
    let request = request.add_scope(Scope::new("email".to_owned())).add_scope(Scope::new("profile".to_owned()));
    // The provider must ask the person to sign in now, not use an earlier sign-in (OpenID Connect Core 1.0, 3.1.2.1).
    let request = if again { request.set_max_age(Duration::ZERO) } else { request };
    let (url, state, nonce) = request.set_pkce_challenge(challenge).url();
    let started = Started {
        state: state.into_secret(),
        nonce: nonce.secret().clone(),
        verifier: verifier.into_secret(),
        next: next.to_owned(),
        again,
        at: app.clock.now(),
    };
    let started = serde_json::to_string(&started).expect("texts are JSON");
    let Sealed(sealed) = app.sealer.seal(COOKIE_OWNER, &started).await?;
    Ok((url.to_string(), set_cookie(base, COOKIE, &sealed, LIFE)))
}

/// The cookie header that deletes the state, so that a sign-in cannot be finished twice.
pub(crate) fn forget(base: &Base) -> HeaderValue {
    set_cookie(base, COOKIE, "", Duration::ZERO)
}

/// The parameters with which the provider redirects the browser back.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Returned {
    #[serde(default)]
    state: String,
    code: Option<String>,
    error: Option<String>,
}

pub(crate) async fn finish(
    app: &App,
    provider: &OidcProvider,
    base: &Base,
    headers: &HeaderMap,
    returned: Returned,
) -> Result<Finished, OidcError> {
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
    Ok(Finished { member, next: started.next, again: started.again })
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

/// The client of the library, with provider metadata that is not older than `oldest`.
async fn client(app: &App, provider: &OidcProvider, base: &Base, oldest: Duration) -> Result<Client, OidcError> {
    let metadata = app.oidc.metadata(&app.deliverer, &app.clock, &provider.issuer, oldest).await?;
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
    let client = client(app, provider, base, Duration::MAX).await?;
    let http = Http(app.deliverer.clone());
    let exchange =
        client.exchange_code(AuthorizationCode::new(code)).map_err(|_| invalid("it has no token endpoint"))?;
    let exchange = exchange.set_pkce_verifier(PkceCodeVerifier::new(started.verifier.clone()));
    let answer = exchange.request_async(&http).boxed().await.map_err(|error| invalid(&in_full(&error)))?;
    let token = answer.id_token().ok_or_else(|| invalid("there is no ID token"))?;
    let nonce = Nonce::new(started.nonce.clone());
    let claims = match token.claims(&verifier(&client), &nonce) {
        Ok(claims) => claims.clone(),
        // The provider may sign with a new key, so its keys are read again.
        Err(ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey)) => {
            let client = self::client(app, provider, base, metadata::REFRESH).await?;
            let claims = token.claims(&verifier(&client), &nonce).map_err(|error| invalid(&in_full(&error)))?;
            claims.clone()
        }
        Err(error) => return Err(invalid(&in_full(&error))),
    };
    if started.again && is_old(&claims) {
        return Err(OidcError::NotAgain);
    }
    let claimed = Claimed {
        subject: claims.subject().to_string(),
        email: claims.email().map(|email| email.to_string()),
        email_verified: claims.email_verified(),
    };
    if claimed.email.is_some() {
        return Ok(claimed);
    }
    asked(app, &client, answer.access_token().clone(), &claims, claimed).await
}

/// Accepts signatures by a private key only. With HS256, anyone who knows the client secret could sign a token for any
/// person.
fn verifier(client: &Client) -> CoreIdTokenVerifier<'_> {
    client.id_token_verifier().set_allowed_algs(SIGNED_BY)
}

/// Whether the person signed in too long ago for a confirmation. Both times are by the provider's clock. If the
/// provider does not send the time, the token is accepted: the person has at least a session there.
fn is_old(claims: &CoreIdTokenClaims) -> bool {
    let age = claims.auth_time().map(|at| (claims.issue_time() - at).to_std().unwrap_or_default());
    age.is_some_and(|age| age > CONFIRMED_FOR)
}

/// Reads the address by a request with the access token. Some providers do not put it into the ID token.
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

/// The member with this issuer and subject; at the first sign-in, the one member with this verified address.
async fn find(app: &App, provider: &OidcProvider, claimed: &Claimed) -> Result<Member, OidcError> {
    let known = app.store.members_with_subject(&provider.issuer, &claimed.subject).await?;
    if !known.is_empty() {
        return pin(app, provider, claimed, only(known)?).await;
    }
    let Some(email) = &claimed.email else { return Err(OidcError::Unknown) };
    // A provider where anyone may enter any address sends `false` or nothing.
    if !claimed.email_verified.unwrap_or(provider.trust_email) {
        return Err(OidcError::Unverified);
    }
    let named = app.store.members_with_email(email).await?;
    let is_named = !named.is_empty();
    let verified = |member: &Member| member.verified_address(AddressedBy::Email).is_some();
    let named: Vec<Member> = named.into_iter().filter(verified).collect();
    if is_named && named.is_empty() {
        return Err(OidcError::Unconfirmed);
    }
    pin(app, provider, claimed, only(named)?).await
}

/// Saves the provider's subject in the member, so that no other subject can sign in as this member.
async fn pin(app: &App, provider: &OidcProvider, claimed: &Claimed, mut member: Member) -> Result<Member, OidcError> {
    for _ in 0..RACES {
        match pinned(&member, provider, claimed) {
            Some(true) => return Ok(member),
            Some(false) => return Err(OidcError::Pinned),
            None => {}
        }
        let (issuer, subject) = (provider.issuer.clone(), claimed.subject.clone());
        let sign_in = Some(SignInIdentity { issuer, subject, since: app.clock.now() });
        let wanted = Member { sign_in, ..member.clone() };
        match app.store.members().put(&wanted, Expect::Version(member.version)).await {
            Ok(saved) => return Ok(saved),
            Err(SaveError::Conflict { .. }) => {
                member = app.store.members().get(&member.id).await?.ok_or(OidcError::Unknown)?;
            }
            Err(error) => return Err(OidcError::Save(error)),
        }
    }
    Err(OidcError::Stale)
}

/// Whether the member has this subject of the provider. `Some(false)`: it has another one; `None`: it has none yet.
fn pinned(member: &Member, provider: &OidcProvider, claimed: &Claimed) -> Option<bool> {
    match &member.sign_in {
        Some(known) if known.issuer == provider.issuer => Some(known.subject == claimed.subject),
        Some(_) => None,
        None => {
            let noted = member.identities.get(store::member_pointers::SUBJECT)?;
            (*noted != claimed.subject).then_some(false)
        }
    }
}

fn only(mut found: Vec<Member>) -> Result<Member, OidcError> {
    match (found.pop(), found.is_empty()) {
        (Some(member), true) => Ok(member),
        _ => Err(OidcError::Unknown),
    }
}

#[cfg(test)]
mod tests;
