//! All routes: the API with its OpenAPI document, and the pages.

use std::sync::{Arc, LazyLock};

use axum::extract::DefaultBodyLimit;
use axum::http::header;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};

use crate::app::{App, BASE, SharedApp};
use crate::auth::scope::Routes;
use crate::error::ApiError;
use crate::{auth, extract, pages, routes};

/// All routes of this function.
pub fn router(app: impl Into<Arc<App>>) -> Router {
    let app: SharedApp = app.into();
    let (api, descriptions, scopes) = api().split();
    let scopes = Arc::new(scopes);
    let guarded_by = (Arc::clone(&app), Arc::clone(&scopes));
    let api = Router::new()
        .nest(BASE, api)
        .route_layer(middleware::from_fn_with_state(guarded_by, auth::member::authenticate));
    // Made at the first request for it, because most processes never serve the document.
    let document = move || Arc::new(routes::openapi::complete(descriptions.document(BASE), &scopes));
    let document = Arc::new(LazyLock::new(document));
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

/// The routes of the API that need a caller, and their description.
fn api() -> Routes {
    Routes::new()
        .merge(routes::spaces::router())
        .merge(routes::destinations::router())
        .merge(routes::providers::router())
        .merge(routes::accounts::router())
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
        .merge(routes::api_keys::router())
}

/// Answers are not cached, and browsers do not guess another content type.
async fn guard(request: axum::extract::Request, next: Next) -> Response {
    let mut response = next.run(request).await.into_response();
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(header::HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, header::HeaderValue::from_static("nosniff"));
    response
}
