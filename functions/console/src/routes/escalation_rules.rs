//! Escalation rules of a space, in the order in which they are tried.

use alerting::base::ids::{EscalationRuleId, SpaceId};
use alerting::incident::escalation::{EscalationRule, Level, Notify, RULES};
use alerting::incident::space::Space;
use alerting::incident::warning::nobody;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use channels::catalogue::media;
use lambda_kit::random;
use store::config::Expect;

use super::Shared;
use crate::app::App;
use crate::auth::scope::{Routes, routes};
use crate::dto::escalation::{EscalationRuleBody, EscalationRuleView};
use crate::dto::field_error;
use crate::dto::warning::WithWarnings;
use crate::error::ApiError;
use crate::extract::{ApiJson, ApiPath, ApiQuery};
use crate::page::{Listed, Page, PageQuery};
use crate::references::{all_exist, destinations_of, each};
use crate::saved::{self, save_over};

pub(crate) fn router() -> Routes {
    Routes::new().read(routes!(list)).admin(routes!(create)).read(routes!(read)).admin(routes!(replace, delete))
}

#[utoipa::path(get, path = "/spaces/{id}/escalation-rules", tag = "escalation rules",
    operation_id = "list_escalation_rules", summary = "Lists a space's escalation rules in the order of trial",
    params(("id" = String, Path), PageQuery),
    responses((status = 200, description = "A page", body = Listed<EscalationRuleView>)))]
async fn list(
    State(app): Shared,
    ApiPath(space): ApiPath<SpaceId>,
    ApiQuery(query): ApiQuery<PageQuery>,
) -> Result<Json<Listed<EscalationRuleView>>, ApiError> {
    let page = Page::try_from(query)?;
    let rules = saved::space(&app, &space).await?.escalation_rules;
    let rules = rules.into_iter().enumerate().map(|(position, rule)| EscalationRuleView::new(position, rule));
    Ok(Json(Listed::part(rules.collect(), &page)?))
}

#[utoipa::path(post, path = "/spaces/{id}/escalation-rules", tag = "escalation rules",
    operation_id = "create_escalation_rule", summary = "Creates an escalation rule, tried last unless it says otherwise",
    params(("id" = String, Path)), request_body = EscalationRuleBody,
    responses((status = 201, description = "The rule", body = WithWarnings<EscalationRuleView>)))]
async fn create(
    State(app): Shared,
    ApiPath(space): ApiPath<SpaceId>,
    ApiJson(body): ApiJson<EscalationRuleBody>,
) -> Result<(StatusCode, Json<WithWarnings<EscalationRuleView>>), ApiError> {
    saved::space(&app, &space).await?;
    let id = EscalationRuleId::from_suffix(&random::base62(10)).expect("ten base62 characters make an id");
    let (rule, position) = body.parse(id)?;
    let saved = save_over(|| async {
        let mut space = saved::space(&app, &space).await?;
        let last = space.escalation_rules.len();
        if last >= RULES {
            return Err(ApiError::conflict(format!("a space has at most {RULES} escalation rules; delete one first")));
        }
        let position = place(position, last)?.unwrap_or(last);
        check(&app, &rule, &space).await?;
        space.escalation_rules.insert(position, rule.clone());
        Ok(app.store.spaces().put(&space, Expect::Version(space.version)).await)
    });
    Ok((StatusCode::CREATED, view(&app, saved.await?, &rule.id).await?))
}

#[utoipa::path(get, path = "/spaces/{id}/escalation-rules/{rule}", tag = "escalation rules",
    operation_id = "read_escalation_rule", summary = "Reads an escalation rule",
    params(("id" = String, Path), ("rule" = String, Path)),
    responses((status = 200, description = "The rule", body = WithWarnings<EscalationRuleView>)))]
async fn read(
    State(app): Shared,
    ApiPath((space, id)): ApiPath<(SpaceId, EscalationRuleId)>,
) -> Result<Json<WithWarnings<EscalationRuleView>>, ApiError> {
    view(&app, saved::space(&app, &space).await?, &id).await
}

#[utoipa::path(put, path = "/spaces/{id}/escalation-rules/{rule}", tag = "escalation rules",
    operation_id = "replace_escalation_rule", summary = "Replaces an escalation rule, and moves it if it says where to",
    params(("id" = String, Path), ("rule" = String, Path)), request_body = EscalationRuleBody,
    responses((status = 200, description = "The rule", body = WithWarnings<EscalationRuleView>)))]
async fn replace(
    State(app): Shared,
    ApiPath((space, id)): ApiPath<(SpaceId, EscalationRuleId)>,
    ApiJson(body): ApiJson<EscalationRuleBody>,
) -> Result<Json<WithWarnings<EscalationRuleView>>, ApiError> {
    position_of(&saved::space(&app, &space).await?, &id)?;
    let (rule, position) = body.parse(id.clone())?;
    let saved = save_over(|| async {
        let mut space = saved::space(&app, &space).await?;
        let before = position_of(&space, &id)?;
        let position = place(position, space.escalation_rules.len() - 1)?.unwrap_or(before);
        check(&app, &rule, &space).await?;
        space.escalation_rules.remove(before);
        space.escalation_rules.insert(position, rule.clone());
        Ok(app.store.spaces().put(&space, Expect::Version(space.version)).await)
    });
    view(&app, saved.await?, &id).await
}

#[utoipa::path(delete, path = "/spaces/{id}/escalation-rules/{rule}", tag = "escalation rules",
    operation_id = "delete_escalation_rule", summary = "Deletes an escalation rule",
    params(("id" = String, Path), ("rule" = String, Path)),
    responses((status = 204, description = "It is gone; open incidents keep to it until their next level")))]
async fn delete(
    State(app): Shared,
    ApiPath((space, id)): ApiPath<(SpaceId, EscalationRuleId)>,
) -> Result<StatusCode, ApiError> {
    let saved = save_over(|| async {
        let mut space = saved::space(&app, &space).await?;
        space.escalation_rules.remove(position_of(&space, &id)?);
        Ok(app.store.spaces().put(&space, Expect::Version(space.version)).await)
    });
    saved.await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A rule with its warnings.
async fn view(
    app: &App,
    space: Space,
    id: &EscalationRuleId,
) -> Result<Json<WithWarnings<EscalationRuleView>>, ApiError> {
    let position = position_of(&space, id)?;
    let rule = space.escalation_rules.into_iter().nth(position).expect("it was found there");
    let now = app.clock.now();
    let warnings = nobody::of_rule(&rule, &app.store.people_of_rule(&rule, now).await?, now);
    Ok(Json(WithWarnings::new(EscalationRuleView::new(position, rule), warnings)))
}

fn position_of(space: &Space, id: &EscalationRuleId) -> Result<usize, ApiError> {
    let position = space.escalation_rules.iter().position(|rule| rule.id == *id);
    position.ok_or_else(|| ApiError::not_found(format_args!("escalation rule {id} in space {}", space.id)))
}

fn place(wanted: Option<usize>, last: usize) -> Result<Option<usize>, ApiError> {
    match wanted {
        Some(position) if position > last => Err(ApiError::invalid("position", format!("expected 0 to {last}"))),
        wanted => Ok(wanted),
    }
}

/// Checks that the rule is valid and that everything it names exists.
async fn check(app: &App, rule: &EscalationRule, space: &Space) -> Result<(), ApiError> {
    space.check_rule(rule, &media()).map_err(field_error)?;
    channels::catalogue::check_templates(rule).map_err(field_error)?;
    let named = Named::of(&rule.levels);
    all_exist(app.store.members(), "member", &named.members).await?;
    all_exist(app.store.teams(), "team", &named.teams).await?;
    all_exist(app.store.schedules(), "schedule", &named.schedules).await?;
    all_exist(app.store.destinations(), "destination", &named.destinations).await?;
    all_exist(app.store.mapping_tables(), "mapping table", &named.mapping_tables).await
}

/// The objects that levels name, each with its field.
#[derive(Default)]
struct Named<'a> {
    members: Vec<(String, &'a alerting::base::ids::MemberId)>,
    teams: Vec<(String, &'a alerting::base::ids::TeamId)>,
    schedules: Vec<(String, &'a alerting::base::ids::ScheduleId)>,
    destinations: Vec<(String, &'a alerting::base::ids::DestinationId)>,
    mapping_tables: Vec<(String, &'a alerting::base::ids::MappingTableId)>,
}

impl<'a> Named<'a> {
    fn of(levels: &'a [Level]) -> Self {
        let mut named = Self::default();
        for (path, level) in each("levels", levels) {
            named.members.extend(each(&format!("{path}.members"), &level.members));
            named.teams.extend(each(&format!("{path}.teams"), &level.teams));
            named.schedules.extend(each(&format!("{path}.schedules"), &level.schedules));
            if let Notify::Unified { contacts } = &level.notify {
                named.destinations.extend(destinations_of(&format!("{path}.notify.contacts"), contacts));
            }
            for (path, group) in each(&format!("{path}.groups"), &level.groups) {
                named.destinations.push((format!("{path}.destination"), &group.destination));
                let table = group.mapping_table.as_ref();
                named.mapping_tables.extend(table.map(|table| (format!("{path}.mapping_table"), table)));
            }
        }
        named
    }
}
