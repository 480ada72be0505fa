//! The people to whom a request assigns an incident.

use alerting::base::field_error::FieldError;
use alerting::base::ids::{MemberId, TeamId};
use alerting::base::moment::Moment;
use alerting::incident::{Incident, Reach};
use store::Store;

use super::error::ActError;

/// What to do about people who can't be reached.
const REMEDY: &str = "choose someone else, or add a contact to their preferences";

/// The people of a request, each with their own preferences of contact. People without a contact are refused, because
/// the caller that names them would assume that they were notified.
pub(super) async fn reached(
    store: &Store,
    incident: &Incident,
    members: &[MemberId],
    teams: &[TeamId],
    now: Moment,
) -> Result<Vec<Reach>, ActError> {
    if members.is_empty() && teams.is_empty() {
        return Err(FieldError::new("members", "expected at least one member or team").into());
    }
    let severity = incident.severity;
    for (index, id) in members.iter().enumerate() {
        let invalid = |message: String| FieldError::new(format!("members[{index}]"), message);
        let Some(member) = store.members().get(id).await? else {
            return Err(invalid(format!("there is no member {id}")).into());
        };
        if member.contacts(severity).is_empty() {
            return Err(invalid(format!("{} has no contact for severity {severity}; {REMEDY}", member.name)).into());
        }
    }
    for (index, id) in teams.iter().enumerate() {
        let invalid = |message: String| FieldError::new(format!("teams[{index}]"), message);
        let Some(team) = store.teams().get(id).await? else {
            return Err(invalid(format!("there is no team {id}")).into());
        };
        if store.reach(&[], std::slice::from_ref(id), severity, now).await?.is_empty() {
            let message = format!("nobody in {} has a contact for severity {severity}; {REMEDY}", team.name);
            return Err(invalid(message).into());
        }
    }
    Ok(store.reach(members, teams, severity, now).await?)
}
