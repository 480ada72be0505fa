//! Browsers with an earlier sign-in, so that a stranger's guesses do not lock the member out.
//!
//! OWASP's "device cookies" (Slow Down Online Guessing Attacks with Device Cookies): a sign-in with a password
//! sets a cookie that names the address and carries a keyed hash. Tries with the cookie are counted separately from those of
//! strangers. The cookie grants no access.

use std::time::Duration;

use alerting::base::moment::Moment;
use axum::http::{HeaderMap, HeaderValue};
use lambda_kit::random;
use lambda_kit::secrets::SealError;
use subtle::ConstantTimeEq as _;

use crate::app::App;
use crate::extract::Base;
use crate::session::{cookie, set_cookie};

const COOKIE: &str = "device";
/// How long a browser counts as known after its last sign-in.
const LIFE: Duration = Duration::from_secs(180 * 24 * 3600);
/// Random base62 characters: enough that no two browsers share a count.
const NONCE_CHARS: usize = 22;

/// The value of `Set-Cookie` for a browser in which this address has just signed in.
pub(crate) async fn remember(app: &App, base: &Base, email: &str) -> Result<HeaderValue, SealError> {
    let (nonce, until) = (random::base62(NONCE_CHARS), (app.clock.now() + LIFE).secs());
    let seal = seal(app, email, &nonce, until).await?;
    Ok(set_cookie(base, COOKIE, &format!("{nonce}.{until}.{seal}"), LIFE))
}

/// The counter for the tries of this browser for this address; `None`: the address never signed in from this browser.
pub(crate) async fn known(
    app: &App,
    headers: &HeaderMap,
    base: &Base,
    email: &str,
) -> Result<Option<String>, SealError> {
    let Some(value) = cookie(headers, base, COOKIE) else { return Ok(None) };
    let mut parts = value.splitn(3, '.');
    let (Some(nonce), Some(until), Some(given)) = (parts.next(), parts.next(), parts.next()) else { return Ok(None) };
    let Ok(until) = until.parse::<i64>() else { return Ok(None) };
    let wanted = seal(app, email, nonce, until).await?;
    let is_ours = bool::from(wanted.as_bytes().ct_eq(given.as_bytes()));
    let is_alive = app.clock.now() < Moment::from_secs(until);
    Ok((is_ours && is_alive).then(|| format!("device {nonce}")))
}

async fn seal(app: &App, email: &str, nonce: &str, until: i64) -> Result<String, SealError> {
    app.sealer.keyed_hash(&["device cookie", &email.to_lowercase(), nonce, &until.to_string()]).await
}
