//! Decides who is notified: finds the escalation rule of a space that matches an incident, and the people and groups
//! that one of its levels reaches now.
//!
//! Input: the space's compiled rules ([`SpacePolicy`]) and the configured people ([`People`]). Output: an
//! [`Assignment`], or the reason why there is none, for the timeline.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::base::ids::{DestinationId, EscalationRuleId, MemberId, ScheduleId, TeamId};
use crate::base::moment::Moment;
use crate::base::severity::Severity;
use crate::incident::detail::{Remark, Unreached};
use crate::incident::escalation::{EscalationRule, Level, Next, Notify, Repeat};
use crate::incident::silence::Silence;
use crate::incident::space::Space;
use crate::incident::{Hold, Reach};
use crate::people::schedule::Schedule;
use crate::people::{Member, Team};
use crate::rules::compiled::{Fuel, Patterns};
use crate::rules::matcher::{Matcher, View};
use crate::rules::trace::{Observer, Place, Trace, TriedResult};

/// The limit on the work of one space's rules for one incident; see [`crate::rules::compiled`].
const FUEL: Fuel = 2_000_000;

/// The compiled escalation rules and silences of a space. A filter that does not compile (stored by an older version)
/// matches nothing.
#[derive(Debug)]
pub struct SpacePolicy {
    rules: Vec<Option<Matcher>>,
    silences: Vec<Option<Matcher>>,
    patterns: Patterns,
}

impl SpacePolicy {
    pub fn new(space: &Space) -> Self {
        let mut patterns = Patterns::default();
        let mut ready = |filter| Matcher::new(filter, "filter", &mut patterns).ok();
        let rules = space.escalation_rules.iter().map(|rule| ready(&rule.filter)).collect();
        let silences = space.silences.iter().map(|silence| ready(&silence.filter)).collect();
        Self { rules, silences, patterns }
    }

    /// The first rule of `space` whose hours and filter match. `space` is the one from which this policy was made.
    pub fn rule<'s>(&self, space: &'s Space, view: &View<'_>, now: Moment) -> Option<&'s EscalationRule> {
        self.first_rule(space, view, now, &mut ())
    }

    /// Finds the rule as [`SpacePolicy::rule`] does, and also returns every rule that was tried.
    pub fn trace_rule<'s>(
        &self,
        space: &'s Space,
        view: &View<'_>,
        now: Moment,
    ) -> (Option<&'s EscalationRule>, Trace) {
        let mut trace = Trace::default();
        (self.first_rule(space, view, now, &mut trace), trace)
    }

    fn first_rule<'s, O: Observer>(
        &self,
        space: &'s Space,
        view: &View<'_>,
        now: Moment,
        seen: &mut O,
    ) -> Option<&'s EscalationRule> {
        let is_now = |rule: &EscalationRule| rule.hours.as_ref().is_none_or(|hours| hours.contains(now));
        let all = space.escalation_rules.iter().zip(&self.rules).enumerate();
        let mut all = all.filter(|(n, (rule, matcher))| {
            self.takes(is_now(rule), matcher.as_ref(), view, Place::EscalationRule(*n), seen)
        });
        all.next().map(|(_, (rule, _))| rule)
    }

    /// The first silence of `space` that is active now and matches.
    pub fn silence<'s>(&self, space: &'s Space, view: &View<'_>, now: Moment) -> Option<&'s Silence> {
        self.first_silence(space, view, now, &mut ())
    }

    /// Finds the silence as [`SpacePolicy::silence`] does, and also returns every silence that was tried.
    pub fn trace_silence<'s>(&self, space: &'s Space, view: &View<'_>, now: Moment) -> (Option<&'s Silence>, Trace) {
        let mut trace = Trace::default();
        (self.first_silence(space, view, now, &mut trace), trace)
    }

    /// The hold by the active silences that match. It ends when the last of them ends. `None`: no silence matches. A
    /// silence that makes no incidents also holds existing ones.
    pub fn hold(&self, space: &Space, view: &View<'_>, now: Moment) -> Option<Hold> {
        let all = space.silences.iter().zip(&self.silences).enumerate().rev();
        let holding = all.filter(|(n, (silence, matcher))| {
            self.takes(silence.is_active(now), matcher.as_ref(), view, Place::Silence(*n), &mut ())
        });
        let holds = holding.map(|(_, (silence, _))| silence.hold(now));
        holds.max_by_key(|hold| (hold.until.is_none(), hold.until))
    }

    fn first_silence<'s, O: Observer>(
        &self,
        space: &'s Space,
        view: &View<'_>,
        now: Moment,
        seen: &mut O,
    ) -> Option<&'s Silence> {
        let all = space.silences.iter().zip(&self.silences).enumerate();
        let mut all = all.filter(|(n, (silence, matcher))| {
            self.takes(silence.is_active(now), matcher.as_ref(), view, Place::Silence(*n), seen)
        });
        all.next().map(|(_, (silence, _))| silence)
    }

    /// Whether a rule or silence is active and matches. A rule that cannot be evaluated within its fuel does not match:
    /// the next rule is tried, and finally the space's own destinations are notified.
    fn takes<O: Observer>(
        &self,
        is_now: bool,
        matcher: Option<&Matcher>,
        view: &View<'_>,
        place: Place,
        seen: &mut O,
    ) -> bool {
        let outcome = match matcher {
            _ if !is_now => TriedResult::NotNow,
            None => TriedResult::Unusable,
            Some(matcher) => {
                let mut run = self.patterns.run();
                run.refuel(FUEL);
                let matches = matcher.matches(view, &mut run, seen);
                TriedResult::of_filter(matches, run.failures() > 0)
            }
        };
        let takes = outcome == TriedResult::Matched;
        seen.tried(|| (place, outcome));
        takes
    }
}

/// The current people and schedules that a level may name. Deleted ones are missing.
#[derive(Debug, Clone, Default)]
pub struct People {
    pub members: BTreeMap<MemberId, Member>,
    pub teams: BTreeMap<TeamId, Team>,
    pub schedules: BTreeMap<ScheduleId, Schedule>,
    /// The channels of the groups that mention people.
    pub channels: BTreeMap<DestinationId, String>,
}

/// The assignment that a change needs before it can be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AssignmentQuery {
    /// The rule of the space that matches the incident, starting at its first level.
    Rule,
    /// This level of this rule, or the first later level that reaches anyone. If the rule was deleted: the rule that
    /// matches the incident now, starting at its first level.
    Level { rule: EscalationRuleId, level: u32 },
    /// The rule that matches the incident with its higher severity. If this is still the same rule: starting at this
    /// level.
    Raised { rule: EscalationRuleId, level: u32 },
}

/// A level with the people and groups that it notifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    pub rule: Option<EscalationRuleId>,
    pub rule_name: String,
    /// The number of the level, counted from zero.
    pub level: u32,
    /// How long the level waits before it notifies anyone.
    pub delay: Duration,
    pub repeat: Option<Repeat>,
    /// The next level. `None`: this is the last level.
    pub next: Option<Next>,
    pub people: Vec<Reach>,
    pub groups: Vec<DestinationId>,
    /// Remarks for the timeline: skipped levels that reach nobody, people whom this level does not reach, and the
    /// reasons.
    pub remarks: Vec<Remark>,
}

/// The people and destinations to which an incident is assigned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Assigned {
    /// The space's own destinations. They act as a last rule with one level that matches every incident.
    Space(Vec<DestinationId>),
    Level(Box<Assignment>),
    /// Nobody is notified, with the reason.
    Nobody(Unreached),
}

/// The members of a level at `now`: the members that it names, the members of its teams, and the members on call.
pub fn members_of(level: &Level, people: &People, now: Moment) -> Vec<MemberId> {
    let teams = level.teams.iter().filter_map(|team| people.teams.get(team));
    let on_call = level.schedules.iter().filter_map(|schedule| people.schedules.get(schedule)?.on_call(now));
    let named = level.members.iter().cloned();
    let all = named.chain(teams.flat_map(|team| team.members.clone())).chain(on_call.map(|on_call| on_call.member));
    let mut seen = BTreeSet::new();
    all.filter(|member| seen.insert(member.clone())).collect()
}

/// Whether a level notifies anyone at `now`: a group, or people who can be reached.
pub fn reaches_anyone(level: &Level, severity: Severity, people: &People, now: Moment) -> bool {
    !level.groups.is_empty() || !reach(level, severity, people, now).is_empty()
}

/// Returns the first level of `rule` that reaches anyone, starting at level `from`. Earlier levels that reach nobody
/// are skipped without delay.
pub fn assign(rule: &EscalationRule, from: u32, severity: Severity, people: &People, now: Moment) -> Assigned {
    let mut remarks = Vec::new();
    for (index, level) in (0_u32..).zip(&rule.levels).skip(usize::try_from(from).unwrap_or(usize::MAX)) {
        let reached = reach(level, severity, people, now);
        if reached.is_empty() && level.groups.is_empty() {
            let why = unreachable(level, &reached, people, now);
            remarks.push(Remark::LevelReachesNobody { level: index + 1, why });
            continue;
        }
        remarks.extend(unreachable(level, &reached, people, now));
        let is_last = usize::try_from(index).is_ok_and(|index| index + 1 >= rule.levels.len());
        return Assigned::Level(Box::new(Assignment {
            rule: Some(rule.id.clone()),
            rule_name: rule.name.clone(),
            level: index,
            delay: Duration::from_secs(u64::from(level.delay_minutes) * 60),
            repeat: level.repeat,
            next: level.next.filter(|_| !is_last),
            people: reached,
            groups: level.groups.iter().map(|group| group.destination.clone()).collect(),
            remarks,
        }));
    }
    if remarks.is_empty() {
        remarks.push(Remark::NoLevel { rule: rule.name.clone(), level: from + 1 });
    }
    Assigned::Nobody(Unreached { rule: Some(rule.name.clone()), remarks })
}

/// The chosen people, each reached by their own preferences.
pub fn by_hand(members: &[MemberId], severity: Severity, people: &People) -> Vec<Reach> {
    members.iter().filter_map(|member| reach_of(member, &Notify::Preferences, severity, people)).collect()
}

/// The people of a level who have a contact or are mentioned by one of its groups.
fn reach(level: &Level, severity: Severity, people: &People, now: Moment) -> Vec<Reach> {
    let mentioned = |member: &MemberId| {
        let known = people.members.get(member).is_some_and(|member| is_mentioned(member, level, people));
        known.then(|| Reach { member: member.clone(), contacts: Vec::new(), at: 0, added: false })
    };
    let reach = |member| reach_of(member, &level.notify, severity, people).or_else(|| mentioned(member));
    members_of(level, people, now).iter().filter_map(reach).collect()
}

/// Whether a group of the level mentions this member. The name of an identity begins with the vendor's name, such as
/// `slack_user_id` for `slack_webhook`.
fn is_mentioned(member: &Member, level: &Level, people: &People) -> bool {
    let vendor = |name: &str| name.split('_').next().unwrap_or_default().to_owned();
    let channels = level.groups.iter().filter(|group| group.mention);
    let mut vendors = channels.filter_map(|group| people.channels.get(&group.destination)).map(|name| vendor(name));
    vendors.any(|wanted| member.identities.keys().any(|name| vendor(name) == wanted))
}

/// How a member is reached. `None`: the member was deleted or has no contact.
fn reach_of(member: &MemberId, notify: &Notify, severity: Severity, people: &People) -> Option<Reach> {
    let found = people.members.get(member)?;
    let contacts = match notify {
        Notify::Preferences => found.contacts(severity),
        Notify::Unified { contacts } => contacts.clone(),
    };
    let contacts: Vec<DestinationId> = contacts.iter().map(|contact| contact.destination(member)).collect();
    (!contacts.is_empty()).then(|| Reach { member: member.clone(), contacts, at: 0, added: false })
}

/// The reasons why people whom the level names are not notified, as remarks for the timeline.
fn unreachable(level: &Level, reached: &[Reach], people: &People, now: Moment) -> Vec<Remark> {
    let mut reasons = Vec::new();
    for id in &level.schedules {
        match people.schedules.get(id) {
            None => reasons.push(Remark::ScheduleDeleted { schedule: id.clone() }),
            Some(schedule) if schedule.on_call(now).is_none() => {
                reasons.push(Remark::NobodyOnCall { schedule: schedule.name.clone() });
            }
            Some(_) => {}
        }
    }
    for id in &level.teams {
        match people.teams.get(id) {
            None => reasons.push(Remark::TeamDeleted { team: id.clone() }),
            Some(team) if team.members.is_empty() => reasons.push(Remark::TeamEmpty { team: team.name.clone() }),
            Some(_) => {}
        }
    }
    let is_reached = |id: &MemberId| reached.iter().any(|reach| reach.member == *id);
    for id in members_of(level, people, now).into_iter().filter(|id| !is_reached(id)) {
        match people.members.get(&id) {
            None => reasons.push(Remark::MemberDeleted { member: id }),
            Some(member) => reasons.push(Remark::NoContact { member: member.name.clone() }),
        }
    }
    reasons
}

#[cfg(test)]
mod tests;
