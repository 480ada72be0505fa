//! Who is assigned an incident: the space's rules and the people that they name, as they are configured now.
//!
//! [`alerting::incident::assignment`] decides. This module only reads what the decision needs.

pub(crate) mod policies;

use std::collections::{BTreeMap, BTreeSet};

use alerting::base::ids::{MemberId, TeamId};
use alerting::base::moment::Moment;
use alerting::base::severity::Severity;
use alerting::incident::alert::Alert;
use alerting::incident::assignment::{Assigned, AssignmentQuery, People, assign, by_hand};
use alerting::incident::escalation::{EscalationRule, Level};
use alerting::incident::silence::Silence;
use alerting::incident::space::Space;
use alerting::incident::{Hold, Reach};
use alerting::people::Member;
use alerting::rules::matcher::View;

use crate::connection::Store;
use crate::errors::ReadError;

/// An alert as a space's filters see it.
pub fn view(alert: &Alert, severity: Severity) -> View<'_> {
    View {
        title: &alert.title,
        description: &alert.description,
        content: &alert.description,
        severity,
        labels: &alert.labels,
    }
}

impl Store {
    /// The silence that applies to this alert of the space at this moment.
    pub fn silence_of<'s>(&self, space: &'s Space, alert: &Alert, at: Moment) -> Option<&'s Silence> {
        if space.silences.is_empty() {
            return None;
        }
        self.inner.policies.of(space).silence(space, &view(alert, alert.severity), at)
    }

    /// The hold on this alert by the silences of the space that are in force at this moment. It ends when the last of
    /// them ends. `None`: no silence holds the alert.
    pub fn hold_of(&self, space: &Space, alert: &Alert, at: Moment) -> Option<Hold> {
        if space.silences.is_empty() {
            return None;
        }
        self.inner.policies.of(space).hold(space, &view(alert, alert.severity), at)
    }

    /// Who is assigned an incident of this severity; `alert` represents all of its alerts.
    pub async fn assign(
        &self,
        space: &Space,
        alert: &Alert,
        severity: Severity,
        wanted: &AssignmentQuery,
        now: Moment,
    ) -> Result<Assigned, ReadError> {
        let (rule, level) = match wanted {
            AssignmentQuery::Rule => (self.rule_of(space, alert, severity, now), 0),
            AssignmentQuery::Level { rule, level } => {
                match space.escalation_rules.iter().find(|known| known.id == *rule) {
                    Some(found) => (Some(found), *level),
                    None => (self.rule_of(space, alert, severity, now), 0),
                }
            }
            AssignmentQuery::Raised { rule, level } => match self.rule_of(space, alert, severity, now) {
                Some(found) if found.id == *rule => (Some(found), *level),
                found => (found, 0),
            },
        };
        let Some(rule) = rule else { return Ok(Assigned::Space(space.destinations.clone())) };
        let people = self.people_of(rule, level, severity, now).await?;
        Ok(assign(rule, level, severity, &people, now))
    }

    fn rule_of<'s>(
        &self,
        space: &'s Space,
        alert: &Alert,
        severity: Severity,
        now: Moment,
    ) -> Option<&'s EscalationRule> {
        if space.escalation_rules.is_empty() {
            return None;
        }
        self.inner.policies.of(space).rule(space, &view(alert, severity), now)
    }

    /// Members and the members of teams, each with their preferences. Deleted members are left out.
    pub async fn reach(
        &self,
        members: &[MemberId],
        teams: &[TeamId],
        severity: Severity,
        now: Moment,
    ) -> Result<Vec<Reach>, ReadError> {
        let mut all: Vec<MemberId> = members.to_vec();
        for team in teams {
            let team = self.cached_team(team, now).await?;
            all.extend(team.iter().flat_map(|team| team.members.clone()));
        }
        let mut seen = BTreeSet::new();
        all.retain(|member| seen.insert(member.clone()));
        let people = People { members: self.members_by_id(all.iter().cloned(), now).await?, ..People::default() };
        Ok(by_hand(&all, severity, &people))
    }

    pub async fn members_by_id(
        &self,
        ids: impl IntoIterator<Item = MemberId>,
        now: Moment,
    ) -> Result<BTreeMap<MemberId, Member>, ReadError> {
        let mut members = BTreeMap::new();
        for id in ids {
            if let Some(member) = self.cached_member(&id, now).await? {
                members.insert(id, Member::clone(&member));
            }
        }
        Ok(members)
    }

    /// The people of all levels of a rule.
    pub async fn people_of_rule(&self, rule: &EscalationRule, now: Moment) -> Result<People, ReadError> {
        let mut people = People::default();
        for level in &rule.levels {
            self.add_people(&mut people, level, now).await?;
        }
        Ok(people)
    }

    /// The people of a rule from this level up to the first that reaches anyone. No further level is read.
    async fn people_of(
        &self,
        rule: &EscalationRule,
        from: u32,
        severity: Severity,
        now: Moment,
    ) -> Result<People, ReadError> {
        let mut people = People::default();
        for level in rule.levels.iter().skip(usize::try_from(from).unwrap_or(usize::MAX)) {
            self.add_people(&mut people, level, now).await?;
            if alerting::incident::assignment::reaches_anyone(level, severity, &people, now) {
                break;
            }
        }
        Ok(people)
    }

    async fn add_people(&self, people: &mut People, level: &Level, now: Moment) -> Result<(), ReadError> {
        for id in &level.teams {
            if let Some(team) = self.cached_team(id, now).await? {
                people.teams.insert(id.clone(), (*team).clone());
            }
        }
        for id in &level.schedules {
            if let Some(schedule) = self.cached_schedule(id, now).await? {
                people.schedules.insert(id.clone(), (*schedule).clone());
            }
        }
        for group in level.groups.iter().filter(|group| group.mention) {
            if let Some(known) = self.cached_destination(&group.destination, now).await? {
                people.channels.insert(group.destination.clone(), known.channel.clone());
            }
        }
        let wanted = alerting::incident::assignment::members_of(level, people, now);
        people.members.extend(self.members_by_id(wanted, now).await?);
        Ok(())
    }
}
