//! Checks that the objects a request refers to exist, and finds the objects that refer to one before it is deleted.
//!
//! Both checks read before the write and not in one transaction with it: if an object is deleted while another one that
//! refers to it is saved, a dangling reference remains. The functions that resolve references tolerate that.

use std::collections::HashSet;

use alerting::base::ids::{AccountId, DestinationId, MappingTableId, MemberId, ScheduleId, TeamId};
use alerting::base::moment::Moment;
use alerting::incident::escalation::{EscalationRule, Level, Notify};
use alerting::people::destination::Destination;
use alerting::people::schedule::Schedule;
use alerting::people::{Contact, Member};
use alerting::rules::integration::{Action, Integration};
use channels::channel::ACCOUNT;
use store::config::Record;
use store::config::documents::Documents;
use store::errors::ReadError;

use crate::app::App;
use crate::error::ApiError;

/// Objects per read where all objects of a kind are needed.
const ALL_AT_A_TIME: usize = 100;

/// Refuses a request that refers to an object that does not exist; the error names the field.
pub(crate) async fn all_exist<R: Record>(
    documents: Documents<'_, R>,
    what: &str,
    named: &[(String, &R::Id)],
) -> Result<(), ApiError> {
    let mut seen = HashSet::new();
    let ids: Vec<R::Id> = named.iter().filter(|(_, id)| seen.insert(*id)).map(|(_, id)| (*id).clone()).collect();
    let found = documents.get_all(ids).await?;
    let found: HashSet<&R::Id> = found.iter().map(Record::id).collect();
    match named.iter().find(|(_, id)| !found.contains(id)) {
        Some((field, id)) => Err(ApiError::invalid(field.clone(), format!("there is no {what} {id}"))),
        None => Ok(()),
    }
}

/// The items of a list, each with its field: `members[0]`, `members[1]` …
pub(crate) fn each<'a, T>(path: &str, list: &'a [T]) -> Vec<(String, &'a T)> {
    list.iter().enumerate().map(|(n, one)| (format!("{path}[{n}]"), one)).collect()
}

/// The destinations among contacts, each with its field.
pub(crate) fn destinations_of<'a>(path: &str, contacts: &'a [Contact]) -> Vec<(String, &'a DestinationId)> {
    let destination = |(field, contact): (String, &'a Contact)| match contact {
        Contact::Destination(id) => Some((field, id)),
        Contact::Medium(_) => None,
    };
    each(path, contacts).into_iter().filter_map(destination).collect()
}

/// The objects that refer to a member, except in expired overrides.
pub(crate) async fn users_of_member(app: &App, id: &MemberId) -> Result<Vec<String>, ApiError> {
    let now = app.clock.now();
    let teams = app.store.teams().all().await?.into_iter().filter(|team| team.members.contains(id));
    let mut users: Vec<String> = teams.map(|team| format!("team {} ({})", team.name, team.id)).collect();
    let schedules = app.store.schedules().all().await?.into_iter().filter(|schedule| has_turn(schedule, id, now));
    users.extend(schedules.map(|schedule| format!("schedule {} ({})", schedule.name, schedule.id)));
    users.extend(rules_with(app, |level| level.members.contains(id)).await?);
    Ok(users)
}

fn has_turn(schedule: &Schedule, member: &MemberId, now: Moment) -> bool {
    let in_override = schedule.overrides.iter().any(|one| one.member == *member && one.until > now);
    in_override || schedule.layers.iter().any(|layer| layer.members.contains(member))
}

/// The destinations of an account.
pub(crate) async fn users_of_account(app: &App, id: &AccountId) -> Result<Vec<String>, ApiError> {
    let is_of = |destination: &Destination| {
        destination.shown.get(ACCOUNT).and_then(serde_json::Value::as_str) == Some(id.as_str())
    };
    let destinations = app.store.destinations().all().await?.into_iter().filter(is_of);
    Ok(destinations.map(|one| format!("destination {} ({})", one.name, one.id)).collect())
}

/// The escalation rules that name a team.
pub(crate) async fn users_of_team(app: &App, id: &TeamId) -> Result<Vec<String>, ApiError> {
    Ok(rules_with(app, |level| level.teams.contains(id)).await?)
}

/// The escalation rules that name a schedule.
pub(crate) async fn users_of_schedule(app: &App, id: &ScheduleId) -> Result<Vec<String>, ApiError> {
    Ok(rules_with(app, |level| level.schedules.contains(id)).await?)
}

/// The pipelines and escalation rules that name a mapping table.
pub(crate) async fn users_of_mapping_table(app: &App, id: &MappingTableId) -> Result<Vec<String>, ApiError> {
    let maps = |action: &Action| matches!(action, Action::MapLabels { table } if table == id);
    let in_pipeline = |one: &Integration| one.pipeline.iter().any(|step| maps(&step.action));
    let mut users = integrations_that(app, in_pipeline).await?;
    let names = |level: &Level| level.groups.iter().any(|group| group.mapping_table.as_ref() == Some(id));
    users.extend(rules_with(app, names).await?);
    Ok(users)
}

/// The escalation rules and members that refer to a destination. The list of a space does not prevent deleting it.
pub(crate) async fn users_of_destination(app: &App, id: &DestinationId) -> Result<Vec<String>, ApiError> {
    let leads_to =
        |contacts: &[Contact]| contacts.iter().any(|one| matches!(one, Contact::Destination(to) if to == id));
    let in_level = |level: &Level| {
        let unified = matches!(&level.notify, Notify::Unified { contacts } if leads_to(contacts));
        unified || level.groups.iter().any(|group| group.destination == *id)
    };
    let mut users = rules_with(app, in_level).await?;
    let prefers = |member: &Member| member.preferences.values().any(|contacts| leads_to(contacts));
    let members = app.store.members().all().await?.into_iter().filter(prefers);
    users.extend(members.map(|member| format!("member {} ({})", member.name, member.id)));
    Ok(users)
}

/// The escalation rules of all spaces with a level for which `is_user` holds.
async fn rules_with(app: &App, is_user: impl Fn(&Level) -> bool) -> Result<Vec<String>, ReadError> {
    let mut users = Vec::new();
    for space in app.store.spaces().all().await? {
        let rules = space.escalation_rules.iter().filter(|rule: &&EscalationRule| rule.levels.iter().any(&is_user));
        users.extend(rules.map(|rule| format!("escalation rule {} ({}) of space {}", rule.name, rule.id, space.name)));
    }
    Ok(users)
}

/// Every integration for which `is_user` holds, as `name (id)`.
pub(crate) async fn integrations_that(
    app: &App,
    is_user: impl Fn(&Integration) -> bool,
) -> Result<Vec<String>, ApiError> {
    let mut users = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = app.store.integrations().list(ALL_AT_A_TIME, after.as_deref()).await?;
        let integrations = page.items.iter().map(|stored| &stored.integration);
        users.extend(integrations.filter(|one| is_user(one)).map(|one| format!("{} ({})", one.name, one.id)));
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(users),
        }
    }
}
