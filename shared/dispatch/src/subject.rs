//! The content of a notice besides its incident: names, the alert's text, the people.

use std::collections::BTreeMap;

use alerting::base::ids::{MappingTableId, MemberId};
use alerting::base::moment::Moment;
use alerting::incident::Incident;
use alerting::incident::alert::Alert;
use alerting::incident::escalation::Group;
use alerting::incident::notice::{Mentions, Subject};
use alerting::incident::space::Space;
use alerting::incident::timeline::{Audience, Entry};
use alerting::people::{AddressedBy, Member};
use alerting::rules::mapping::Lookup;
use store::Store;
use store::errors::ReadError;

/// The key by which the mapping tables of mentions are searched.
const EMAIL: &str = "email";

/// Whether the entry notifies anybody, so that its subject has to be read.
pub(crate) fn notifies_anyone(incident: &Incident, entry: &Entry) -> bool {
    entry.kind.notifies()
        && match &entry.audience {
            Audience::Everyone => !incident.destinations.is_empty(),
            Audience::Only(destinations) => !destinations.is_empty(),
        }
}

pub(crate) async fn subject(
    store: &Store,
    incident: &Incident,
    alert: Option<&Alert>,
    now: Moment,
) -> Result<Subject, ReadError> {
    let space = store.cached_space(&incident.space, now).await?;
    let stored = match (alert, incident.first_alert()) {
        (None, Some(first)) => store.alert_as_stored(first).await?,
        (Some(_), _) | (None, None) => None,
    };
    let alert = alert.or(stored.as_ref());
    let integration = match alert {
        Some(alert) => store.cached_integration(&alert.integration, now).await?,
        None => None,
    };
    let assignees: Vec<MemberId> = incident.assignees.iter().filter_map(|id| id.parse().ok()).collect();
    let people = store.members_by_id(assignees, now).await?;
    let mentions = mentions(store, incident, space.as_deref(), &people, now).await?;
    Ok(Subject {
        space_name: space.as_ref().map_or_else(String::new, |space| space.name.clone()),
        integration_name: integration.map_or_else(String::new, |stored| stored.integration.name.clone()),
        description: alert.map_or_else(String::new, |alert| alert.description.clone()),
        labels: alert.map_or_else(BTreeMap::new, |alert| alert.labels.clone()),
        people,
        mentions,
    })
}

/// The groups of the incident's level that mention people, with the people's entries in the mapping tables.
async fn mentions(
    store: &Store,
    incident: &Incident,
    space: Option<&Space>,
    people: &BTreeMap<MemberId, Member>,
    now: Moment,
) -> Result<Vec<Mentions>, ReadError> {
    let mut mentions = Vec::new();
    for group in groups(incident, space).filter(|group| group.mention) {
        let mapped = match &group.mapping_table {
            Some(table) => mapped(store, table, people, now).await?,
            None => BTreeMap::new(),
        };
        mentions.push(Mentions { destination: group.destination.clone(), mapped });
    }
    Ok(mentions)
}

async fn mapped(
    store: &Store,
    table: &MappingTableId,
    people: &BTreeMap<MemberId, Member>,
    now: Moment,
) -> Result<BTreeMap<MemberId, BTreeMap<String, String>>, ReadError> {
    let tables = store.cached_mapping_tables(now).await?;
    let Some(table) = tables.iter().find(|known| known.id == *table) else { return Ok(BTreeMap::new()) };
    let lookup = Lookup::new(table);
    let find = |member: &Member| {
        // An unverified address may belong to another person, who must not be mentioned by it.
        let email = member.verified_address(AddressedBy::Email)?.to_owned();
        lookup.find(&BTreeMap::from([(EMAIL.to_owned(), email)])).cloned()
    };
    Ok(people.iter().filter_map(|(id, member)| Some((id.clone(), find(member)?))).collect())
}

/// The groups that the incident's level notifies.
fn groups<'s>(incident: &Incident, space: Option<&'s Space>) -> impl Iterator<Item = &'s Group> {
    let escalation = incident.escalation.as_ref();
    let rule = escalation
        .and_then(|escalation| space?.escalation_rules.iter().find(|rule| Some(&rule.id) == escalation.rule.as_ref()));
    let level =
        rule.zip(escalation).and_then(|(rule, escalation)| rule.levels.get(usize::try_from(escalation.level).ok()?));
    level.into_iter().flat_map(|level| &level.groups)
}
