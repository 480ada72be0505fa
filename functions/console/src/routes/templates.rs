//! Content templates: what a channel says by itself, and what a template makes of a real incident.

mod types;

use alerting::base::ids::{DestinationId, IncidentId};
use alerting::incident::notice::Notice;
use alerting::people::destination::{Language, TimeZone};
use axum::Json;
use axum::extract::State;
use channels::post::{Form, Post};
use channels::registry::Destination;
use lambda_kit::links::SignedLinks;
use operations::incidents::existing;

use self::types::{PreviewBody, PreviewView, TemplateView};
use super::Shared;
use crate::app::App;
use crate::auth::scope::{Routes, routes};
use crate::error::ApiError;
use crate::extract::{ApiJson, ApiPath, Base};

pub(crate) fn router() -> Routes {
    Routes::new().read(routes!(read)).respond(routes!(preview))
}

#[utoipa::path(get, path = "/channels/{channel}/template", tag = "templates", operation_id = "read_channel_template",
    summary = "Reads the content template of a channel, and what a template may hold",
    params(("channel" = String, Path, example = "feishu_bot")),
    responses((status = 200, description = "The template", body = TemplateView)))]
async fn read(ApiPath(channel): ApiPath<String>) -> Result<Json<TemplateView>, ApiError> {
    match Destination::content(&channel) {
        Some(texts) => Ok(Json(TemplateView::new(channel, texts))),
        None => {
            Err(ApiError::not_found(format_args!("such channel; these are: {}", channels::registry::NAMES.join(", "))))
        }
    }
}

#[utoipa::path(post, path = "/incidents/{id}/preview", tag = "templates", operation_id = "preview_incident",
    summary = "Shows the message about an incident's newest change that a template makes; sends nothing",
    params(("id" = String, Path)), request_body = PreviewBody,
    responses((status = 200, description = "The message", body = PreviewView)))]
async fn preview(
    State(app): Shared,
    Base(base): Base,
    ApiPath(id): ApiPath<IncidentId>,
    ApiJson(body): ApiJson<PreviewBody>,
) -> Result<Json<PreviewView>, ApiError> {
    let PreviewBody { channel, language, template } = body;
    let destination = Destination::example(&channel).map_err(|error| ApiError::invalid(error.field, error.message))?;
    let incident = existing(&app.store, &id).await?;
    let nowhere = DestinationId::from_suffix("preview").expect("a word makes an id");
    let notice = app.dispatch.sample(&incident, &nowhere).await?;
    let template = match template {
        Some(template) => Some(template),
        None => own(&app, &notice, &channel, language).await?,
    };
    let links = SignedLinks { keys: app.sealer.link_keys().await?, base: &base };
    let post = Post {
        notices: std::slice::from_ref(&notice),
        links: &links,
        language,
        time_zone: &TimeZone::default(),
        form: Form::Rich,
        template: template.as_deref(),
        card: None,
    };
    Ok(Json(destination.request(&post, app.clock.now())?.into()))
}

/// What the incident's escalation rule has, as it is saved now.
async fn own(app: &App, notice: &Notice, channel: &str, language: Language) -> Result<Option<String>, ApiError> {
    let Some(id) = &notice.rule else { return Ok(None) };
    let space = app.store.spaces().get(&notice.space).await?;
    let rule = space.as_ref().and_then(|space| space.escalation_rules.iter().find(|rule| rule.id == *id));
    Ok(rule.and_then(|rule| rule.template(channel, language)).map(str::to_owned))
}
