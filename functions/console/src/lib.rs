//! The JSON API, and the pages behind the links of messages.
//!
//! `/api/v1/…` asks for an API key and speaks JSON (`routes`); its OpenAPI document is generated from the same code.
//! Everything else is a page for whoever is signed in (`pages`).
//!
//! What is absent here: rules about alerts (they are `alerting`'s), keys of the tables (they are the store's), and any
//! secret in an answer, an error or a log. A secret is sealed before the store sees it.

mod accounts;
mod act;
mod auth;
pub mod dead_letters;
mod devices;
mod dto;
mod error;
mod extract;
pub mod invocation;
mod levels;
mod names;
mod oidc;
mod page;
mod pages;
mod password;
mod references;
pub mod replay;
mod routes;
mod session;
pub mod settings;
mod test_notice;
mod trace;
mod trial;
mod verification;
mod visits;
mod warnings;

use std::sync::{Arc, LazyLock};

use axum::extract::DefaultBodyLimit;
use axum::http::header;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use dispatch::Dispatch;
use lambda_kit::clock::Clock;
use lambda_kit::queue::Queue;
use lambda_kit::random::StampSource;
use lambda_kit::secrets::Sealer;
use post::deliver::Deliverer;
use store::Store;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

pub use crate::accounts::{SetUpError, set_up_link};
pub use crate::auth::{CreateKeyError, EnsureKeyError, ensure_api_key};
use crate::dead_letters::DeadQueues;
use crate::error::ApiError;
pub use crate::oidc::ProviderCache;
use crate::replay::RunningCount;
pub use crate::visits::Visits;

/// Where the API is.
const BASE: &str = "/api/v1";

/// What the routes work with.
#[derive(Debug)]
pub struct App {
    pub store: Store,
    pub sealer: Arc<Sealer>,
    pub messages: Queue,
    pub dispatch: Dispatch,
    pub dead: DeadQueues,
    pub deliverer: Deliverer,
    pub clock: Clock,
    pub stamps: StampSource,
    /// Of replayed messages.
    pub replayed: RunningCount,
    /// What intake URLs and links start with; `None`: the address that the request came to.
    pub base_url: Option<String>,
    /// Whether a person may acknowledge by a link of their own without signing in.
    pub personal_ack_links: bool,
    /// What is known of the sign-in provider.
    pub oidc: ProviderCache,
    /// Who goes to it.
    pub visits: Visits,
}

pub(crate) type SharedApp = Arc<App>;

/// Everything that this function serves.
pub fn router(app: impl Into<Arc<App>>) -> Router {
    let app: SharedApp = app.into();
    let (api, document) = api().split_for_parts();
    let api = api.route_layer(middleware::from_fn_with_state(Arc::clone(&app), auth::authenticate));
    // Completed when it is asked for: few starts are for the document.
    let document = Arc::new(LazyLock::new(move || Arc::new(routes::openapi::complete(document))));
    let openapi = get(async move || Json(Arc::clone(&**document)));
    Router::new()
        .merge(api)
        .route(&format!("{BASE}/openapi.json"), openapi)
        .merge(pages::router(&app))
        .fallback(pages::unknown)
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .layer(DefaultBodyLimit::max(extract::BODY_BYTES))
        .layer(middleware::from_fn(guard))
        .with_state(app)
}

/// The routes that ask for a key, and their description.
fn api() -> OpenApiRouter<SharedApp> {
    let routes = OpenApiRouter::with_openapi(OpenApi::default())
        .merge(routes::spaces::router())
        .merge(routes::destinations::router())
        .merge(routes::providers::router())
        .merge(routes::integrations::router())
        .merge(routes::messages::router())
        .merge(routes::trace::router())
        .merge(routes::mapping_tables::router())
        .merge(routes::escalation_rules::router())
        .merge(routes::silences::router())
        .merge(routes::templates::router())
        .merge(routes::members::router())
        .merge(routes::teams::router())
        .merge(routes::schedules::router())
        .merge(routes::on_call::router())
        .merge(routes::alerts::router())
        .merge(routes::incidents::router())
        .merge(routes::incident_actions::router())
        .merge(routes::ledger::router())
        .merge(routes::dead_letters::router())
        .merge(routes::oidc::router())
        .merge(routes::api_keys::router());
    OpenApiRouter::with_openapi(OpenApi::default()).nest(BASE, routes)
}

/// Nothing of this function's answers belongs into a cache or into another type than it says.
async fn guard(request: axum::extract::Request, next: Next) -> Response {
    let mut response = next.run(request).await.into_response();
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(header::HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, header::HeaderValue::from_static("nosniff"));
    response
}
