//! The levels of an incident's escalation rule. Escalating past the last one is refused.

use alerting::incident::Incident;
use alerting::incident::action::ActionError;
use store::Store;
use store::errors::ReadError;

use super::error::ActError;

/// How many levels its rule has; `None`: it has no rule, or the rule was deleted.
async fn levels(store: &Store, incident: &Incident) -> Result<Option<u32>, ReadError> {
    let Some(rule) = incident.escalation.as_ref().and_then(|at| at.rule.as_ref()) else { return Ok(None) };
    let space = store.spaces().get(&incident.space).await?;
    let rules = space.map(|space| space.escalation_rules).unwrap_or_default();
    let found = rules.into_iter().find(|known| known.id == *rule);
    Ok(found.map(|rule| u32::try_from(rule.levels.len()).unwrap_or(u32::MAX)))
}

/// The next level, counted from zero.
fn next(incident: &Incident) -> u32 {
    incident.escalation.as_ref().map_or(0, |at| if at.is_waiting { at.level } else { at.level + 1 })
}

/// Whether there is a level to escalate to.
pub async fn has_next(store: &Store, incident: &Incident) -> Result<bool, ReadError> {
    Ok(levels(store, incident).await?.is_some_and(|levels| next(incident) < levels))
}

/// Refuses to escalate to a level that the rule does not have. `level`: counted from zero; `None`: the next one.
pub(super) async fn check(store: &Store, incident: &Incident, level: Option<u32>) -> Result<(), ActError> {
    // Without a rule the action itself is refused with that reason.
    let Some(levels) = levels(store, incident).await? else { return Ok(()) };
    let wanted = level.unwrap_or_else(|| next(incident));
    if wanted < levels {
        return Ok(());
    }
    Err(ActError::Refused(ActionError::NoLevel { levels, level: wanted.saturating_add(1) }))
}
