#![doc = include_str!("../README.md")]

use std::sync::Arc;

use alerting::base::ids::AccountId;
use alerting::base::moment::Moment;
use alerting::people::destination::AppAccount;
use alerting::people::medium::Medium;
use channels::callback::{Answer, Callback, Incoming, Refused};
use channels::registry::Destination;
use lambda_http::http::{StatusCode, header};
use lambda_http::{Body, Request, Response};
use lambda_kit::secrets::SealError;
use serde_json::Value;
use store::errors::ReadError;

mod answers;
mod app;
pub mod settings;

pub use app::App;

/// The largest body that is read: no vendor's callback has a tenth of it.
const BODY_BYTES: usize = 256 * 1024;

/// Why a request was not carried out.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// It is not the vendor's, or the account does not exist. The answer does not say which.
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error("the account could not be read")]
    Read(#[from] ReadError),
    #[error("the account's settings could not be opened")]
    Open(#[from] SealError),
    #[error("it could not be carried out")]
    Act(#[from] answers::AnswerError),
}

/// Answers one request. Never fails: every error is an answer.
pub async fn handle(app: &App, request: Request) -> Response<Body> {
    match answer(app, &request).await {
        Ok(answer) => response(StatusCode::OK, answer),
        Err(Failure::Refused(Refused(why))) => {
            tracing::warn!(why, "a callback was refused");
            response(StatusCode::UNAUTHORIZED, None)
        }
        Err(failure) => {
            tracing::error!(error = &failure as &dyn std::error::Error, "a callback was not carried out");
            // The vendor sends it again, or the person sees that it failed.
            response(StatusCode::SERVICE_UNAVAILABLE, None)
        }
    }
}

async fn answer(app: &App, request: &Request) -> Result<Option<Answer>, Failure> {
    let now = app.dispatch.clock.now();
    let (account, route) = account(app, request.uri().path(), now).await?;
    let opened = app.sealer.open(account.id.as_str(), &account.settings).await?;
    let settings: Value = serde_json::from_str(opened.expose()).unwrap_or_default();
    let body = body_of(request)?;
    let headers: Vec<(&str, &str)> =
        request.headers().iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect();
    let query: Vec<(String, String)> =
        url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()).into_owned().collect();
    let incoming = Incoming { route, headers: &headers, query: &query, body };
    match Destination::open_callback(&account.channel, &settings, &incoming, now)? {
        Callback::Check(answer) => Ok(Some(answer)),
        Callback::Press(pressed) => Ok(answers::press(app, &account, &pressed).await?),
        Callback::Message(said) => Ok(answers::message(app, &account, &said).await?),
        Callback::Removed => {
            tracing::error!(account.id = %account.id, "the app was removed by its vendor: nothing can be sent by this account");
            Ok(None)
        }
        Callback::Other => Ok(None),
    }
}

/// The account that the path names, and the rest of the path.
async fn account<'a>(app: &App, path: &'a str, now: Moment) -> Result<(Arc<AppAccount>, &'a str), Failure> {
    let refused = || Refused("no such account");
    let path = path.strip_prefix("/callbacks/").ok_or_else(refused)?;
    let (platform, rest) = path.split_once('/').ok_or_else(refused)?;
    let platform: Medium = platform.parse().map_err(|_| refused())?;
    let (id, route) = rest.split_once('/').unwrap_or((rest, ""));
    let id: AccountId = id.parse().map_err(|_| refused())?;
    let account = app.dispatch.store.cached_app_account(&id, now).await?;
    let is_of = |account: &Arc<AppAccount>| Destination::medium(&account.channel) == Some(platform);
    Ok((account.filter(is_of).ok_or_else(refused)?, route))
}

fn body_of(request: &Request) -> Result<&[u8], Refused> {
    let body = match request.body() {
        Body::Text(text) => text.as_bytes(),
        Body::Binary(bytes) => bytes,
        _ => &[],
    };
    if body.len() <= BODY_BYTES { Ok(body) } else { Err(Refused("the body is too large")) }
}

fn response(status: StatusCode, answer: Option<Answer>) -> Response<Body> {
    let builder = Response::builder().status(status).header(header::CACHE_CONTROL, "no-store");
    let response = match answer {
        Some(Answer { content_type, body }) => {
            builder.header(header::CONTENT_TYPE, content_type).body(Body::from(body))
        }
        None => builder.body(Body::Empty),
    };
    response.expect("status and headers are constants of their kind")
}
