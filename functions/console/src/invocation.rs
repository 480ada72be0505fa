//! Lambda's events: requests of the HTTP API, and an operator's command.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use lambda_http::request::LambdaRequest;
use lambda_http::{Adapter, Request};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tower::{Service as _, ServiceExt as _};

use crate::app::App;
use crate::{ensure_api_key, set_up_link};

/// An operator's command, by `aws lambda invoke`. A caller with this permission is treated as an administrator.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Command {
    larkspur: CommandName,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum CommandName {
    CreateApiKey,
    CreateSetupLink,
}

/// Answers invocations.
pub struct Handler {
    app: Arc<App>,
    router: Router,
}

impl Handler {
    pub fn new(app: App) -> Self {
        let app = Arc::new(app);
        Self { router: crate::router(Arc::clone(&app)), app }
    }

    pub async fn handle(&self, event: LambdaEvent<Box<RawValue>>) -> Result<Value, Error> {
        let LambdaEvent { payload, context } = event;
        if let Ok(Command { larkspur }) = serde_json::from_str(payload.get()) {
            return match larkspur {
                CommandName::CreateApiKey => create_api_key(&self.app).await,
                CommandName::CreateSetupLink => create_setup_link(&self.app).await,
            };
        }
        let request: LambdaRequest = serde_json::from_str(payload.get())?;
        let router = self.router.clone();
        let mut adapter = Adapter::from(service_fn(move |request: Request| router.clone().oneshot(request.map(body))));
        let response = adapter.ready().await?.call(LambdaEvent::new(request, context)).await?;
        Ok(serde_json::to_value(response)?)
    }
}

/// Returns the first key once. If a key exists already, further keys are created through the API.
async fn create_api_key(app: &App) -> Result<Value, Error> {
    match ensure_api_key(app).await? {
        Some(key) => Ok(json!({ "api_key": key })),
        None => Err("there is an API key already; make another one with POST /api/v1/api-keys".into()),
    }
}

/// Returns a link for the first administrator, which replaces an earlier one.
async fn create_setup_link(app: &App) -> Result<Value, Error> {
    match set_up_link(app).await? {
        Some(url) => Ok(json!({ "setup_url": url.expose() })),
        None => Err("an administrator can sign in already; that one adds members and makes links for them".into()),
    }
}

fn body(body: lambda_http::Body) -> Body {
    match body {
        lambda_http::Body::Text(text) => text.into(),
        lambda_http::Body::Binary(bytes) => bytes.into(),
        _ => Body::empty(),
    }
}
