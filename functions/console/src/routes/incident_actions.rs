//! Actions on incidents. Each is one conditional change with its actor. A request that is repeated with the same
//! `Idempotency-Key` takes effect once.

use alerting::base::actor::{NamedActor, Via};
use alerting::base::ids::{DestinationId, IncidentId, MemberId};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use operations::access::actor_of_key;
use operations::incidents::requested::RequestedAction;
use operations::incidents::{self, ActionRequest, MergeRequest};
use operations::silences::like::{LikeIncident, create_like_incident};

use super::Shared;
use crate::app::App;
use crate::auth::scope::{Routes, routes};
use crate::auth::{Actor, Caller};
use crate::dead_letters;
use crate::dto::incident::{
    ActBody, CommentBody, EditBody, EscalateBody, IncidentDetail, MergeBody, NoArguments, PeopleBody, QuickSilenceBody,
    SnoozeBody,
};
use crate::dto::silence::SilenceView;
use crate::dto::warning::WithWarnings;
use crate::error::ApiError;
use crate::extract::{ApiJson, ApiPath, Idempotency};
use crate::incidents::detail;

type Answer = Result<Json<IncidentDetail>, ApiError>;

pub(crate) fn router() -> Routes {
    Routes::new()
        .respond(routes!(acknowledge))
        .respond(routes!(unacknowledge))
        .respond(routes!(snooze))
        .respond(routes!(close))
        .respond(routes!(reopen))
        .respond(routes!(escalate))
        .respond(routes!(reassign))
        .respond(routes!(add_responders))
        .respond(routes!(comment))
        .respond(routes!(edit))
        .respond(routes!(merge))
        .respond(routes!(silence))
        .respond(routes!(resend_delivery))
}

#[utoipa::path(post, path = "/incidents/{id}/acknowledge", tag = "incidents", operation_id = "acknowledge_incident",
    summary = "Acknowledges an incident: the caller works on it; repeated notices stop", params(("id" = String, Path), Idempotency),
    request_body(content = Option<ActBody>),
    responses((status = 200, description = "The incident", body = IncidentDetail)))]
async fn acknowledge(app: Shared, by: By, id: ApiPath<IncidentId>, body: ApiJson<ActBody>) -> Answer {
    simple(app, by, id, body, RequestedAction::Acknowledge).await
}

#[utoipa::path(post, path = "/incidents/{id}/unacknowledge", tag = "incidents",
    operation_id = "unacknowledge_incident", summary = "Withdraws an acknowledgement", params(("id" = String, Path), Idempotency),
    request_body(content = Option<ActBody>),
    responses((status = 200, description = "The incident", body = IncidentDetail)))]
async fn unacknowledge(app: Shared, by: By, id: ApiPath<IncidentId>, body: ApiJson<ActBody>) -> Answer {
    simple(app, by, id, body, RequestedAction::Unacknowledge).await
}

#[utoipa::path(post, path = "/incidents/{id}/close", tag = "incidents", operation_id = "close_incident",
    summary = "Closes an incident and its alerts", params(("id" = String, Path), Idempotency),
    request_body(content = Option<ActBody>),
    responses((status = 200, description = "The incident", body = IncidentDetail)))]
async fn close(app: Shared, by: By, id: ApiPath<IncidentId>, body: ApiJson<ActBody>) -> Answer {
    simple(app, by, id, body, RequestedAction::Close).await
}

#[utoipa::path(post, path = "/incidents/{id}/reopen", tag = "incidents", operation_id = "reopen_incident",
    summary = "Returns a closed incident to triggered and assigns it again; its alerts stay closed",
    params(("id" = String, Path), Idempotency), request_body(content = Option<ActBody>),
    responses((status = 200, description = "The incident", body = IncidentDetail)))]
async fn reopen(app: Shared, by: By, id: ApiPath<IncidentId>, body: ApiJson<ActBody>) -> Answer {
    simple(app, by, id, body, RequestedAction::Reopen).await
}

async fn simple(
    State(app): Shared,
    by: By,
    ApiPath(id): ApiPath<IncidentId>,
    ApiJson(body): ApiJson<ActBody>,
    action: RequestedAction,
) -> Answer {
    perform(&app, by, body.member, id, action).await
}

/// The caller, and the key by which a repeated request is recognised.
type By = (Actor, Idempotency);

async fn perform(
    app: &App,
    (actor, idempotency): By,
    member: Option<MemberId>,
    incident: IncidentId,
    action: RequestedAction,
) -> Answer {
    let actor = acting(app, actor, member).await?;
    let request = ActionRequest { incident, episode: None, action, actor, key: idempotency.key };
    detail(app, incidents::act(&app.dispatch, &request).await?).await
}

#[utoipa::path(post, path = "/incidents/{id}/snooze", tag = "incidents", operation_id = "snooze_incident",
    summary = "Snoozes an incident: stops escalation and repeated notices for a while; then it is assigned again",
    params(("id" = String, Path), Idempotency), request_body = SnoozeBody,
    responses((status = 200, description = "The incident", body = IncidentDetail)))]
async fn snooze(
    State(app): Shared,
    by: By,
    ApiPath(id): ApiPath<IncidentId>,
    ApiJson(body): ApiJson<SnoozeBody>,
) -> Answer {
    perform(&app, by, body.member, id, RequestedAction::snooze(body.minutes)?).await
}

#[utoipa::path(post, path = "/incidents/{id}/deliveries/{destination}/resend", tag = "incidents",
    operation_id = "resend_delivery", summary = "Sends a destination the incident's newest notice once more",
    params(("id" = String, Path), ("destination" = String, Path)), request_body(content = Option<NoArguments>),
    responses((status = 202, description = "It is queued")))]
async fn resend_delivery(
    State(app): Shared,
    ApiPath((id, destination)): ApiPath<(IncidentId, DestinationId)>,
    ApiJson(NoArguments {}): ApiJson<NoArguments>,
) -> Result<StatusCode, ApiError> {
    dead_letters::resend_delivery(&app, &incidents::existing(&app.store, &id).await?, &destination).await?;
    Ok(StatusCode::ACCEPTED)
}

#[utoipa::path(post, path = "/incidents/{id}/escalate", tag = "incidents", operation_id = "escalate_incident",
    summary = "Notifies the next level of the escalation rule now, or the level named", params(("id" = String, Path), Idempotency),
    request_body(content = Option<EscalateBody>),
    responses((status = 200, description = "The incident", body = IncidentDetail)))]
async fn escalate(
    State(app): Shared,
    by: By,
    ApiPath(id): ApiPath<IncidentId>,
    ApiJson(body): ApiJson<EscalateBody>,
) -> Answer {
    perform(&app, by, body.member, id, RequestedAction::escalate(body.level)?).await
}

#[utoipa::path(post, path = "/incidents/{id}/reassign", tag = "incidents", operation_id = "reassign_incident",
    summary = "Assigns an incident to other people instead; its escalation rule ends", params(("id" = String, Path), Idempotency),
    request_body = PeopleBody, responses((status = 200, description = "The incident", body = IncidentDetail)))]
async fn reassign(
    State(app): Shared,
    by: By,
    ApiPath(id): ApiPath<IncidentId>,
    ApiJson(body): ApiJson<PeopleBody>,
) -> Answer {
    let action = RequestedAction::Reassign { members: body.members, teams: body.teams };
    perform(&app, by, body.member, id, action).await
}

#[utoipa::path(post, path = "/incidents/{id}/responders", tag = "incidents", operation_id = "add_responders",
    summary = "Assigns an incident to more people as well; its escalation continues", params(("id" = String, Path), Idempotency),
    request_body = PeopleBody, responses((status = 200, description = "The incident", body = IncidentDetail)))]
async fn add_responders(
    State(app): Shared,
    by: By,
    ApiPath(id): ApiPath<IncidentId>,
    ApiJson(body): ApiJson<PeopleBody>,
) -> Answer {
    let action = RequestedAction::AddResponders { members: body.members, teams: body.teams };
    perform(&app, by, body.member, id, action).await
}

#[utoipa::path(post, path = "/incidents/{id}/comments", tag = "incidents", operation_id = "comment_on_incident",
    summary = "Writes a comment into the timeline", params(("id" = String, Path), Idempotency), request_body = CommentBody,
    responses((status = 200, description = "The incident", body = IncidentDetail)))]
async fn comment(
    State(app): Shared,
    by: By,
    ApiPath(id): ApiPath<IncidentId>,
    ApiJson(body): ApiJson<CommentBody>,
) -> Answer {
    perform(&app, by, body.member, id, RequestedAction::comment(&body.text)?).await
}

#[utoipa::path(put, path = "/incidents/{id}", tag = "incidents", operation_id = "edit_incident",
    summary = "Sets title and severity; later messages do not change them", params(("id" = String, Path), Idempotency), request_body = EditBody,
    responses((status = 200, description = "The incident", body = IncidentDetail)))]
async fn edit(
    State(app): Shared,
    by: By,
    ApiPath(id): ApiPath<IncidentId>,
    ApiJson(body): ApiJson<EditBody>,
) -> Answer {
    perform(&app, by, body.member, id, RequestedAction::edit(body.title.as_deref(), body.severity)?).await
}

#[utoipa::path(post, path = "/incidents/{id}/merge", tag = "incidents", operation_id = "merge_incidents",
    summary = "Merges other incidents of the same space into this one", params(("id" = String, Path), Idempotency),
    request_body = MergeBody, responses((status = 200, description = "The incident", body = IncidentDetail)))]
async fn merge(
    State(app): Shared,
    by: By,
    ApiPath(id): ApiPath<IncidentId>,
    ApiJson(body): ApiJson<MergeBody>,
) -> Answer {
    let (actor, Idempotency { key: idempotency }) = by;
    let actor = acting(&app, actor, body.member).await?;
    let request = MergeRequest { target: id, sources: body.incidents, actor, key: idempotency };
    detail(&app, incidents::merge(&app.dispatch, &request).await?).await
}

#[utoipa::path(post, path = "/incidents/{id}/silence", tag = "incidents", operation_id = "silence_like_incident",
    summary = "Makes a silence in the space for alerts like this incident's", params(("id" = String, Path), Idempotency),
    request_body = QuickSilenceBody, responses((status = 201, description = "The silence", body = WithWarnings<SilenceView>)))]
async fn silence(
    State(app): Shared,
    by: By,
    ApiPath(id): ApiPath<IncidentId>,
    ApiJson(body): ApiJson<QuickSilenceBody>,
) -> Result<(StatusCode, Json<WithWarnings<SilenceView>>), ApiError> {
    let (actor, Idempotency { key: idempotency }) = by;
    let actor = acting(&app, actor, body.member).await?;
    let QuickSilenceBody { minutes, labels, .. } = body;
    let request = LikeIncident { incident: id, minutes, labels, actor, key: idempotency };
    let silence = create_like_incident(&app.dispatch, request).await?;
    let view = SilenceView::new(silence, app.clock.now());
    Ok((StatusCode::CREATED, Json(WithWarnings::none(view))))
}

/// The actor: the signed-in member, or the API key, for the member that it names.
async fn acting(app: &App, actor: Actor, member: Option<MemberId>) -> Result<NamedActor, ApiError> {
    match actor.caller {
        Caller::Key(key) => Ok(actor_of_key(&app.store, key, actor.name, member).await?),
        Caller::Member(own) if member.as_ref().is_none_or(|named| *named == own) => {
            Ok(NamedActor::member(own, actor.name, Via::Page))
        }
        Caller::Member(_) => Err(ApiError::invalid("member", "a signed-in member acts as themselves; leave this out")),
    }
}
