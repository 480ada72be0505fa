//! What people do to incidents. Each is one conditional change with its actor; pressed twice, it is done once.

use std::collections::BTreeMap;
use std::time::Duration;

use alerting::base::actor::{Actor as By, NamedActor};
use alerting::base::ids::{DestinationId, IncidentId, MemberId, SilenceId};
use alerting::base::limits::TITLE_CHARS;
use alerting::incident::silence::{Silence, SilenceAction, SilenceTime};
use alerting::incident::{COMMENT_CHARS, SNOOZE_MAX};
use alerting::rules::filter::{Condition, Filter, Group, Op};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use lambda_kit::random;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Shared;
use super::incidents::detail;
use crate::act::{Wish, act, existing, merge as merge_into};
use crate::app::{App, SharedApp};
use crate::auth::Actor;
use crate::auth::scope::Scope;
use crate::dead_letters;
use crate::dto::incident::{
    ActBody, CommentBody, EditBody, EscalateBody, IncidentDetail, MergeBody, NoArguments, PeopleBody, QuickSilenceBody,
    SnoozeBody,
};
use crate::dto::silence::SilenceView;
use crate::dto::warning::WithWarnings;
use crate::error::ApiError;
use crate::extract::{ApiJson, ApiPath};
use crate::levels;

/// Incidents that are merged at a time.
const MERGED_AT_A_TIME: usize = 50;
/// The longest quick silence: what has to be longer is planned, in the space.
const QUICK_SILENCE_MINUTES: u32 = 30 * 24 * 60;

type Answer = Result<Json<IncidentDetail>, ApiError>;

pub(crate) fn router() -> OpenApiRouter<SharedApp> {
    OpenApiRouter::new()
        .routes(routes!(acknowledge))
        .routes(routes!(unacknowledge))
        .routes(routes!(snooze))
        .routes(routes!(close))
        .routes(routes!(reopen))
        .routes(routes!(escalate))
        .routes(routes!(reassign))
        .routes(routes!(add_responders))
        .routes(routes!(comment))
        .routes(routes!(merge))
        .routes(routes!(silence))
        .routes(routes!(resend_delivery))
}

#[utoipa::path(post, path = "/incidents/{id}/acknowledge", tag = "incidents", operation_id = "acknowledge_incident",
    summary = "Acknowledges: the one who asks works on it; repetition stops", params(("id" = String, Path)),
    request_body(content = Option<ActBody>),
    responses((status = 200, description = "The incident", body = IncidentDetail)))]
async fn acknowledge(app: Shared, actor: Actor, id: ApiPath<IncidentId>, body: ApiJson<ActBody>) -> Answer {
    simple(app, actor, id, body, Wish::Acknowledge).await
}

#[utoipa::path(post, path = "/incidents/{id}/unacknowledge", tag = "incidents",
    operation_id = "unacknowledge_incident", summary = "Takes an acknowledgement back", params(("id" = String, Path)),
    request_body(content = Option<ActBody>),
    responses((status = 200, description = "The incident", body = IncidentDetail)))]
async fn unacknowledge(app: Shared, actor: Actor, id: ApiPath<IncidentId>, body: ApiJson<ActBody>) -> Answer {
    simple(app, actor, id, body, Wish::Unacknowledge).await
}

#[utoipa::path(post, path = "/incidents/{id}/close", tag = "incidents", operation_id = "close_incident",
    summary = "Closes an incident and its alerts", params(("id" = String, Path)),
    request_body(content = Option<ActBody>),
    responses((status = 200, description = "The incident", body = IncidentDetail)))]
async fn close(app: Shared, actor: Actor, id: ApiPath<IncidentId>, body: ApiJson<ActBody>) -> Answer {
    simple(app, actor, id, body, Wish::Close).await
}

#[utoipa::path(post, path = "/incidents/{id}/reopen", tag = "incidents", operation_id = "reopen_incident",
    summary = "Returns a closed incident to triggered and assigns it again; its alerts stay closed",
    params(("id" = String, Path)), request_body(content = Option<ActBody>),
    responses((status = 200, description = "The incident", body = IncidentDetail)))]
async fn reopen(app: Shared, actor: Actor, id: ApiPath<IncidentId>, body: ApiJson<ActBody>) -> Answer {
    simple(app, actor, id, body, Wish::Reopen).await
}

async fn simple(
    State(app): Shared,
    actor: Actor,
    ApiPath(id): ApiPath<IncidentId>,
    ApiJson(body): ApiJson<ActBody>,
    wish: Wish,
) -> Answer {
    let who = who(&app, actor, body.member).await?;
    detail(&app, act(&app, &id, wish, &who).await?).await
}

#[utoipa::path(post, path = "/incidents/{id}/snooze", tag = "incidents", operation_id = "snooze_incident",
    summary = "Stops escalation and repeat notices for a while; then it is assigned again",
    params(("id" = String, Path)), request_body = SnoozeBody,
    responses((status = 200, description = "The incident", body = IncidentDetail)))]
async fn snooze(
    State(app): Shared,
    actor: Actor,
    ApiPath(id): ApiPath<IncidentId>,
    ApiJson(body): ApiJson<SnoozeBody>,
) -> Answer {
    let length = snooze_length(body.minutes)?;
    let who = who(&app, actor, body.member).await?;
    detail(&app, act(&app, &id, Wish::Snooze(length), &who).await?).await
}

pub(crate) fn snooze_length(minutes: u32) -> Result<Duration, ApiError> {
    let length = Duration::from_secs(u64::from(minutes) * 60);
    if length.is_zero() || length > SNOOZE_MAX {
        return Err(ApiError::invalid("minutes", format!("expected 1 to {}", SNOOZE_MAX.as_secs() / 60)));
    }
    Ok(length)
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
    dead_letters::resend_delivery(&app, &existing(&app, &id).await?, &destination).await?;
    Ok(StatusCode::ACCEPTED)
}

#[utoipa::path(post, path = "/incidents/{id}/escalate", tag = "incidents", operation_id = "escalate_incident",
    summary = "Tells the next level of the escalation rule now, or the level named", params(("id" = String, Path)),
    request_body(content = Option<EscalateBody>),
    responses((status = 200, description = "The incident", body = IncidentDetail)))]
async fn escalate(
    State(app): Shared,
    actor: Actor,
    ApiPath(id): ApiPath<IncidentId>,
    ApiJson(body): ApiJson<EscalateBody>,
) -> Answer {
    let level = match body.level {
        Some(level) => {
            let counted = level.checked_sub(1);
            Some(counted.ok_or_else(|| ApiError::invalid("level", "levels are counted from 1"))?)
        }
        None => None,
    };
    levels::check(&app, &existing(&app, &id).await?, level).await?;
    let who = who(&app, actor, body.member).await?;
    detail(&app, act(&app, &id, Wish::Escalate { level }, &who).await?).await
}

#[utoipa::path(post, path = "/incidents/{id}/reassign", tag = "incidents", operation_id = "reassign_incident",
    summary = "Gives it to other people instead; its escalation rule ends", params(("id" = String, Path)),
    request_body = PeopleBody, responses((status = 200, description = "The incident", body = IncidentDetail)))]
async fn reassign(
    State(app): Shared,
    actor: Actor,
    ApiPath(id): ApiPath<IncidentId>,
    ApiJson(body): ApiJson<PeopleBody>,
) -> Answer {
    let who = who(&app, actor, body.member).await?;
    let wish = Wish::Reassign { members: body.members, teams: body.teams };
    detail(&app, act(&app, &id, wish, &who).await?).await
}

#[utoipa::path(post, path = "/incidents/{id}/responders", tag = "incidents", operation_id = "add_responders",
    summary = "Gives it to more people; whatever goes on goes on", params(("id" = String, Path)),
    request_body = PeopleBody, responses((status = 200, description = "The incident", body = IncidentDetail)))]
async fn add_responders(
    State(app): Shared,
    actor: Actor,
    ApiPath(id): ApiPath<IncidentId>,
    ApiJson(body): ApiJson<PeopleBody>,
) -> Answer {
    let who = who(&app, actor, body.member).await?;
    let wish = Wish::AddResponders { members: body.members, teams: body.teams };
    detail(&app, act(&app, &id, wish, &who).await?).await
}

#[utoipa::path(post, path = "/incidents/{id}/comments", tag = "incidents", operation_id = "comment_on_incident",
    summary = "Writes a comment into the timeline", params(("id" = String, Path)), request_body = CommentBody,
    responses((status = 200, description = "The incident", body = IncidentDetail)))]
async fn comment(
    State(app): Shared,
    actor: Actor,
    ApiPath(id): ApiPath<IncidentId>,
    ApiJson(body): ApiJson<CommentBody>,
) -> Answer {
    let text = comment_text(&body.text)?;
    let who = who(&app, actor, body.member).await?;
    detail(&app, act(&app, &id, Wish::Comment { text }, &who).await?).await
}

pub(crate) fn comment_text(text: &str) -> Result<String, ApiError> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > COMMENT_CHARS {
        return Err(ApiError::invalid("text", format!("expected 1 to {COMMENT_CHARS} characters")));
    }
    Ok(text.to_owned())
}

#[utoipa::path(put, path = "/incidents/{id}", tag = "incidents", operation_id = "edit_incident",
    summary = "Sets title and severity, and fixes them", params(("id" = String, Path)), request_body = EditBody,
    responses((status = 200, description = "The incident", body = IncidentDetail)))]
pub(super) async fn edit(
    State(app): Shared,
    actor: Actor,
    ApiPath(id): ApiPath<IncidentId>,
    ApiJson(body): ApiJson<EditBody>,
) -> Answer {
    let title = body.title.as_deref().map(edited_title).transpose()?;
    let who = who(&app, actor, body.member).await?;
    detail(&app, act(&app, &id, Wish::Edit { title, severity: body.severity }, &who).await?).await
}

pub(crate) fn edited_title(title: &str) -> Result<String, ApiError> {
    let title = title.trim();
    if title.is_empty() || title.chars().count() > TITLE_CHARS || title.chars().any(char::is_control) {
        return Err(ApiError::invalid("title", format!("expected one line of 1 to {TITLE_CHARS} characters")));
    }
    Ok(title.to_owned())
}

#[utoipa::path(post, path = "/incidents/{id}/merge", tag = "incidents", operation_id = "merge_incidents",
    summary = "Merges other incidents of the same space into this one", params(("id" = String, Path)),
    request_body = MergeBody, responses((status = 200, description = "The incident", body = IncidentDetail)))]
async fn merge(
    State(app): Shared,
    actor: Actor,
    ApiPath(id): ApiPath<IncidentId>,
    ApiJson(body): ApiJson<MergeBody>,
) -> Answer {
    if !(1..=MERGED_AT_A_TIME).contains(&body.incidents.len()) {
        return Err(ApiError::invalid("incidents", format!("expected 1 to {MERGED_AT_A_TIME} incidents")));
    }
    existing(&app, &id).await?;
    let who = who(&app, actor, body.member).await?;
    for (index, other) in body.incidents.iter().enumerate() {
        let field = format!("incidents[{index}]");
        if *other == id {
            return Err(ApiError::invalid(field, "an incident cannot be merged into itself"));
        }
        if app.store.incident(other).await?.is_none() {
            return Err(ApiError::invalid(field, format!("there is no incident {other}")));
        }
        merge_into(&app, &id, other, &who).await?;
    }
    detail(&app, existing(&app, &id).await?).await
}

#[utoipa::path(post, path = "/incidents/{id}/silence", tag = "incidents", operation_id = "silence_like_incident",
    summary = "Makes a silence in the space for alerts like this incident's", params(("id" = String, Path)),
    request_body = QuickSilenceBody, responses((status = 201, description = "The silence", body = WithWarnings<SilenceView>)))]
async fn silence(
    State(app): Shared,
    actor: Actor,
    ApiPath(id): ApiPath<IncidentId>,
    ApiJson(body): ApiJson<QuickSilenceBody>,
) -> Result<(StatusCode, Json<WithWarnings<SilenceView>>), ApiError> {
    let who = who(&app, actor, body.member).await?;
    let silence = silence_like(&app, &id, body.minutes, body.labels.as_deref(), who.name).await?;
    Ok((StatusCode::CREATED, Json(super::silences::view(silence, app.clock.now()))))
}

/// Makes a silence for what is like an incident: the same title, and the same values of `labels` (`None`: of all).
pub(crate) async fn silence_like(
    app: &App,
    id: &IncidentId,
    minutes: u32,
    labels: Option<&[String]>,
    created_by: String,
) -> Result<Silence, ApiError> {
    if !(1..=QUICK_SILENCE_MINUTES).contains(&minutes) {
        return Err(ApiError::invalid("minutes", format!("expected 1 to {QUICK_SILENCE_MINUTES}")));
    }
    let incident = existing(app, id).await?;
    let alert = match incident.first_alert() {
        Some(alert) => app.store.alert(alert).await?,
        None => None,
    };
    let alert = alert.ok_or_else(|| ApiError::conflict("the alert of this incident is gone"))?;
    let now = app.clock.now();
    let silence = Silence {
        id: SilenceId::from_suffix(&random::base62(10)).expect("ten base62 characters make an id"),
        name: format!("like INC #{}", incident.num),
        filter: like(&alert.title, &alert.labels, labels)?,
        time: SilenceTime::Once { from: now, until: now + Duration::from_secs(u64::from(minutes) * 60) },
        then: SilenceAction::Keep,
        created_by,
        created_at: now,
    };
    super::silences::add_for(app, &incident, &silence, now).await?;
    Ok(silence)
}

/// A filter for alerts of this title, and of these values of the labels that are named; `None`: of all labels.
fn like(title: &str, labels: &BTreeMap<String, String>, named: Option<&[String]>) -> Result<Filter, ApiError> {
    let exactly = |field: String, value: &str| Condition { field, op: Op::Match, values: vec![exact(value)] };
    let mut all = vec![exactly("title".to_owned(), title)];
    match named {
        None => all.extend(labels.iter().map(|(name, value)| exactly(format!("labels.{name}"), value))),
        Some(named) => {
            for (index, name) in named.iter().enumerate() {
                let value = labels.get(name).ok_or_else(|| {
                    ApiError::invalid(format!("labels[{index}]"), format!("the alert has no label {name}"))
                })?;
                all.push(exactly(format!("labels.{name}"), value));
            }
        }
    }
    Ok(Filter { any: vec![Group { all }] })
}

/// A value that matches only itself: what would be read as a pattern is written as a regex of its characters.
fn exact(value: &str) -> String {
    let is_special = value.contains(['*', '?'])
        || value.starts_with('/')
        || value.starts_with("cidr:")
        || value.starts_with("num:")
        || value.chars().count() > alerting::base::limits::LABEL_VALUE_CHARS;
    if !is_special {
        return value.to_owned();
    }
    let pattern = format!("/^{}$/", alerting::rules::pattern::escape(value));
    if pattern.len() <= alerting::base::limits::PATTERN_BYTES {
        return pattern;
    }
    // Too long for a pattern. With `?` for what would be special it matches itself, and what differs only there.
    let special = |(place, c): (usize, char)| if place == 0 || matches!(c, '*' | '?') { '?' } else { c };
    value.chars().enumerate().map(special).collect()
}

/// Who acts: the member named, whose role has to allow it, or else the API key.
async fn who(app: &App, key: Actor, member: Option<MemberId>) -> Result<NamedActor, ApiError> {
    let Some(id) = member else { return Ok(NamedActor::api_key(key.key, key.name)) };
    match app.store.members().get(&id).await? {
        // A key with the scope `respond` speaks for people, but gives nobody more than their role does.
        Some(member) if Scope::of(member.role) < Scope::Respond => {
            let message =
                format!("{id} is a viewer, who may not act on incidents; an administrator can change the role");
            Err(ApiError::invalid("member", message))
        }
        Some(member) => {
            let actor = By::ApiKey { id: key.key, for_member: Some(id) };
            Ok(NamedActor { actor, name: member.name })
        }
        None => Err(ApiError::invalid("member", format!("there is no member {id}"))),
    }
}
