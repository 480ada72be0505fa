//! Tests of the rule that matches an incident, and of the people whom its levels reach.

use std::collections::BTreeMap;

use super::*;
use crate::incident::escalation::Group;
use crate::people::destination::Language;
use crate::people::hours::{WeeklyHours, Zone};
use crate::people::schedule::{Layer, Rotation, RotationUnit};
use crate::people::{Contact, Role};
use crate::rules::filter::{Condition, Filter, Group as FilterGroup, Op};

const NOW: Moment = Moment::from_secs(1_767_607_200); // Monday, 2026-01-05 10:00 UTC

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("valid")
}

fn member(name: &str, preferences: &[(Severity, &[&str])]) -> (MemberId, Member) {
    let preferences = preferences.iter().map(|(severity, contacts)| {
        (*severity, contacts.iter().map(|contact| contact.parse::<Contact>().expect("valid")).collect())
    });
    let member = Member {
        id: id(&format!("mem_{name}")),
        version: 1,
        name: name.to_owned(),
        email: Some(format!("{name}@example.com")),
        email_verified: None,
        phone: None,
        phone_verified: None,
        email_pending: None,
        phone_pending: None,
        sign_in: None,
        language: Language::English,
        time_zone: Zone::utc(),
        role: Role::Responder,
        preferences: preferences.collect(),
        identities: BTreeMap::new(),
        links: Vec::new(),
        created_at: NOW,
    };
    (member.id.clone(), member)
}

fn people() -> People {
    let schedule = |name: &str, layers: Vec<Layer>| {
        let schedule = Schedule {
            id: id(&format!("sch_{name}")),
            version: 1,
            name: name.to_owned(),
            time_zone: Zone::utc(),
            layers,
            overrides: Vec::new(),
            created_at: NOW,
        };
        (schedule.id.clone(), schedule)
    };
    let layer = Layer {
        name: String::new(),
        members: vec![id("mem_wang")],
        rotation: Rotation {
            unit: RotationUnit::Week,
            every: 1,
            starts_at: "2026-01-01T00:00:00".parse().expect("a date"),
        },
        restrictions: Vec::new(),
        from: None,
        until: None,
    };
    let team = Team {
        id: id("team_dba"),
        version: 1,
        name: "DBA".to_owned(),
        members: vec![id("mem_li"), id("mem_wang")],
        created_at: NOW,
    };
    People {
        members: BTreeMap::from([
            member("li", &[(Severity::Critical, &["dst_phone", "email"]), (Severity::Info, &[])]),
            member("wang", &[]),
        ]),
        teams: BTreeMap::from([(team.id.clone(), team)]),
        schedules: BTreeMap::from([schedule("primary", vec![layer]), schedule("empty", vec![])]),
        channels: BTreeMap::new(),
    }
}

fn level(text: serde_json::Value) -> Level {
    serde_json::from_value(text).expect("a level")
}

fn rule(levels: Vec<Level>) -> EscalationRule {
    EscalationRule {
        id: id("esc_a"),
        name: "Payments".to_owned(),
        hours: None,
        filter: Filter::default(),
        levels,
        templates: Default::default(),
    }
}

/// A remark in short form.
fn short(remark: &Remark) -> String {
    match remark {
        Remark::LevelReachesNobody { level, why } => {
            format!("not {level}: {}", why.iter().map(short).collect::<Vec<_>>().join(" + "))
        }
        Remark::NobodyOnCall { schedule } => format!("nobody on call in {schedule}"),
        Remark::MemberDeleted { member } => format!("no {member}"),
        Remark::ScheduleDeleted { schedule } => format!("no {schedule}"),
        Remark::TeamDeleted { team } => format!("no {team}"),
        Remark::NoContact { member } => format!("no contact of {member}"),
        other => format!("{other:?}"),
    }
}

/// Checks who is reached at the first level that reaches anyone, as `member: contacts` and groups.
fn check(levels: Vec<serde_json::Value>, severity: Severity, expected: &str) {
    let rule = rule(levels.into_iter().map(level).collect());
    let shown = match assign(&rule, 0, severity, &people(), NOW) {
        Assigned::Level(assignment) => {
            let people = assignment.people.iter().map(|reach| {
                let contacts: Vec<&str> = reach.contacts.iter().map(DestinationId::as_str).collect();
                format!("{}: {}", reach.member, contacts.join(" "))
            });
            let groups = assignment.groups.iter().map(ToString::to_string);
            let all: Vec<String> = people.chain(groups).collect();
            let remarks: Vec<String> = assignment.remarks.iter().map(short).collect();
            let remarks = if remarks.is_empty() { String::new() } else { format!(" ({})", remarks.join(", ")) };
            format!("{}: {}{remarks}", assignment.level + 1, all.join(", "))
        }
        Assigned::Nobody(Unreached { rule, remarks }) => {
            format!("{}: {}", rule.expect("a rule"), remarks.iter().map(short).collect::<Vec<_>>().join(", "))
        }
        Assigned::Space(_) => "space".to_owned(),
    };
    assert_eq!(shown, expected);
}

#[test]
fn a_member_is_reached_as_preferred_for_the_severity() {
    let li = serde_json::json!({"members": ["mem_li"]});
    check(vec![li.clone()], Severity::Critical, "1: mem_li: dst_phone dst_email_li");
    check(vec![li.clone()], Severity::Warning, "1: mem_li: dst_email_li");
    check(vec![li], Severity::Info, "Payments: not 1: no contact of li");
}

#[test]
fn unified_contacts_are_the_same_for_everyone() {
    let unified = serde_json::json!({"teams": ["team_dba"], "notify": {"by": "unified", "contacts": ["email"]}});
    check(vec![unified], Severity::Critical, "1: mem_li: dst_email_li, mem_wang: dst_email_wang");
}

#[test]
fn a_member_named_twice_is_reached_once_and_so_is_the_member_on_call() {
    let both = serde_json::json!({"members": ["mem_wang"], "teams": ["team_dba"], "schedules": ["sch_primary"]});
    check(vec![both], Severity::Warning, "1: mem_wang: dst_email_wang, mem_li: dst_email_li");
}

#[test]
fn a_level_that_reaches_nobody_is_passed_over_at_once_with_the_reason() {
    let empty = serde_json::json!({"schedules": ["sch_empty"], "members": ["mem_gone"]});
    let group = serde_json::json!({"groups": [{"destination": "dst_ops"}]});
    check(vec![empty.clone(), group], Severity::Warning, "2: dst_ops (not 1: nobody on call in empty + no mem_gone)");
    let gone = serde_json::json!({"schedules": ["sch_gone"], "teams": ["team_gone"]});
    check(
        vec![empty, gone],
        Severity::Warning,
        "Payments: not 1: nobody on call in empty + no mem_gone, not 2: no sch_gone + no team_gone",
    );
}

#[test]
fn the_last_level_has_no_next_one() {
    let group = || level(serde_json::json!({"groups": [{"destination": "dst_ops"}]}));
    let next = |from| match assign(&rule(vec![group(), group()]), from, Severity::Warning, &people(), NOW) {
        Assigned::Level(assignment) => assignment.next.map(|next| next.after_minutes),
        other => panic!("{other:?}"),
    };
    assert_eq!((next(0), next(1)), (Some(30), None));
}

fn matching(pattern: &str) -> Filter {
    let condition = Condition { field: "title".to_owned(), op: Op::Match, values: vec![pattern.to_owned()] };
    Filter { any: vec![FilterGroup { all: vec![condition] }] }
}

#[test]
fn the_first_rule_whose_hours_and_filter_match_is_used() {
    let windows = |from: &str, until: &str| WeeklyHours {
        time_zone: id("Asia/Shanghai"),
        windows: serde_json::from_value(serde_json::json!([{"weekdays": ["mon"], "from": from, "until": until}]))
            .expect("windows"),
    };
    let named = |name: &str, hours, filter| EscalationRule { name: name.to_owned(), hours, filter, ..rule(vec![]) };
    // 10:00 UTC is 18:00 in Shanghai.
    let rules = vec![
        named("office", Some(windows("09:00", "18:00")), Filter::default()),
        named("disks at night", Some(windows("18:00", "24:00")), matching("/disk/")),
        named("broken", None, matching("/(/")),
        named("the rest", None, Filter::default()),
    ];
    let space = Space { escalation_rules: rules, ..Space::new(id("spc_a"), "Ops".to_owned(), vec![], NOW) };
    let policy = SpacePolicy::new(&space);
    let chosen = |title: &str| {
        let labels = BTreeMap::new();
        let view = View { title, description: "", content: "", severity: Severity::Warning, labels: &labels };
        let (rule, trace) = policy.trace_rule(&space, &view, NOW);
        assert_eq!(policy.rule(&space, &view, NOW), rule, "someone looks on");
        let outcomes: Vec<TriedResult> = trace.tried.into_iter().map(|tried| tried.outcome).collect();
        (rule.map(|rule| rule.name.clone()), outcomes)
    };
    let (rule, tried) = chosen("disk full");
    assert_eq!(
        (rule.as_deref(), &tried[..]),
        (Some("disks at night"), &[TriedResult::NotNow, TriedResult::Matched][..])
    );
    let (rule, tried) = chosen("cpu hot");
    assert_eq!(rule.as_deref(), Some("the rest"));
    assert_eq!(tried, [TriedResult::NotNow, TriedResult::NoMatch, TriedResult::Unusable, TriedResult::Matched]);
}

#[test]
fn groups_of_a_level_are_notified_with_its_people() {
    let mut both = level(serde_json::json!({"members": ["mem_wang"]}));
    both.groups = vec![Group { destination: id("dst_ops"), mention: true, mapping_table: None }];
    let Assigned::Level(assigned) = assign(&rule(vec![both]), 0, Severity::Warning, &people(), NOW) else {
        panic!("someone is reached")
    };
    assert_eq!((assigned.people.len(), assigned.groups.len()), (1, 1));
}
