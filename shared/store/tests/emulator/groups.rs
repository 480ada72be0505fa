//! Where an alert goes in a space: its place, the group that it joins, the mute that holds it; and a timeline that is
//! longer than its incident.

use std::time::Duration;

use alerting::base::actor::NamedActor;
use alerting::base::ids::{AlertId, ApiKeyId, IncidentId, SilenceId};
use alerting::base::severity::Severity;
use alerting::incident::action::Action;
use alerting::incident::apply::Change;
use alerting::incident::detail::Detail;
use alerting::incident::source::{SourceChange, SourceKind};
use alerting::incident::{Incident, TIMELINE_INLINE};
use store::changes::Outcome;
use store::groups::{Group, Mute};
use store::incidents::{Place, Replaces, WriteIncident};
use store::keys::alert_key_hash;

use crate::world::{NOW, World, integration, space, stamp};

pub(crate) fn own(at: i64) -> IncidentId {
    IncidentId::of(&space("dba"), stamp(at))
}

pub(crate) fn source(at: i64) -> SourceChange {
    SourceChange {
        incident: own(at),
        alert: AlertId::of(&integration("a"), stamp(at)),
        opened_by: stamp(at),
        space: space("dba"),
        alert_n: 1,
        kind: SourceKind::Trigger,
        title: "disk full".to_owned(),
        severity: Severity::Warning,
        hold: None,
        flapping: false,
        storm_thresholds: Vec::new(),
    }
}

pub(crate) fn ada() -> NamedActor {
    NamedActor::api_key(ApiKeyId::from_suffix("a").expect("valid"), "Ada")
}

pub(crate) fn person(action: Action) -> Change {
    Change::Person { actor: ada(), action, episode: None }
}

pub(crate) async fn made(world: &World, at: i64) -> Incident {
    let made =
        world.store.change_incident(&own(at), &Change::Source(source(at)), "trigger", NOW).await.expect("written");
    made.expect("triggered").0
}

fn joined(at: i64) -> Place {
    Place::Joined(own(at))
}

fn dropped() -> Place {
    Place::Dropped(SilenceId::from_suffix("s").expect("valid"))
}

#[tokio::test]
async fn what_is_noted_first_at_an_alerts_place_stands_whoever_comes_second() {
    let world = World::start().await;
    let (one, other) = (world.another(), world.another());
    for (place, first, second) in [(1, joined(10), joined(11)), (2, joined(11), dropped()), (3, dropped(), joined(10))]
    {
        assert_eq!(one.note_place(&own(place), &first, None, NOW).await.expect("written"), first);
        assert_eq!(other.note_place(&own(place), &second, None, NOW).await.expect("refused"), first);
        assert_eq!(one.note_place(&own(place), &first, None, NOW).await.expect("a copy"), first);
        assert_eq!(world.store.place(&own(place)).await.expect("read"), Some(first));
        assert_eq!(world.store.incident(&own(place)).await.expect("read"), None, "a note is no incident");
    }
}

#[tokio::test]
async fn a_note_and_an_incident_at_the_same_place_both_orders() {
    let world = World::start().await;
    let incident = made(&world, 1).await;
    let noted = world.store.note_place(&own(1), &dropped(), None, NOW).await.expect("refused");
    assert_eq!(noted, Place::Incident(incident));

    world.store.note_place(&own(2), &dropped(), None, NOW).await.expect("written");
    let change = Change::Source(source(2));
    assert_eq!(world.store.change_by_source(&own(2), &change, None, NOW).await.expect("read"), Outcome::Nothing);
    assert_eq!(world.store.place(&own(2)).await.expect("read"), Some(dropped()));
}

#[tokio::test]
async fn a_note_is_replaced_only_by_who_names_the_incident_that_did_not_take_the_alert() {
    let world = World::start().await;
    world.store.note_place(&own(1), &joined(10), None, NOW).await.expect("written");
    let (one, other) = (world.another(), world.another());
    assert_eq!(one.note_place(&own(1), &joined(11), Some(&own(10)), NOW).await.expect("written"), joined(11));
    assert_eq!(other.note_place(&own(1), &joined(12), Some(&own(10)), NOW).await.expect("refused"), joined(11));
    let incident = Incident { id: own(1), ..made(&world, 2).await };
    let lost = world.store.write_incident(&incident, &Replaces::Joined(own(10))).await.expect("refused");
    assert_eq!(lost, WriteIncident::Lost(Some(joined(11))));
    let written = world.store.write_incident(&incident, &Replaces::Joined(own(11))).await.expect("written");
    assert_eq!(written, WriteIncident::Written);
}

#[tokio::test]
async fn an_alert_that_could_not_join_has_its_own_incident_once() {
    let world = World::start().await;
    let full = made(&world, 10).await;
    world.store.change_incident(&full.id, &Change::AutoClose, "close", NOW).await.expect("closed");
    world.store.note_place(&own(1), &joined(10), None, NOW).await.expect("written");
    let refused = world.store.change_by_source(&own(1), &Change::Source(source(1)), None, NOW).await;
    assert_eq!(refused.expect("read"), Outcome::CannotJoin);
    let alert = alerting::incident::alert::Alert {
        id: source(1).alert,
        integration: integration("a"),
        alert_key: None,
        title: "disk full".to_owned(),
        description: String::new(),
        severity: Severity::Warning,
        status: alerting::incident::alert::Status::Open,
        count: 1,
        labels: Default::default(),
        opened_by: stamp(1),
        shown: stamp(1),
        texts: None,
        closing: None,
        revision: 0,
        updated_at: NOW,
        closed_at: None,
        spaces: vec![space("dba")],
    };
    let mut seen = Vec::new();
    for store in [world.another(), world.another()] {
        let outcome = store.make_instead(&source(1), &own(10), &alert, NOW).await.expect("written");
        let Outcome::Changed(incident, entry) = outcome else { panic!("{outcome:?}") };
        seen.push((incident, entry));
    }
    assert_eq!(seen[0], seen[1], "the second finds what the first has made");
    assert_eq!(world.store.place(&own(1)).await.expect("read"), Some(Place::Incident(seen[0].0.clone())));
}

#[tokio::test]
async fn notes_and_merges_lead_to_the_incident_that_stands_in_the_end() {
    let world = World::start().await;
    let (first, second) = (made(&world, 1).await, made(&world, 2).await);
    let merged = world.store.merge_incidents(&first.id, &second.id, &ada(), "m1", NOW).await.expect("merged");
    let (second, _) = merged.into_iter().next_back().expect("both changed");
    world.store.note_place(&own(3), &joined(1), None, NOW).await.expect("written");
    let standing = world.store.standing(&own(3)).await.expect("read");
    assert_eq!(standing, Some(Place::Incident(second)));
    world.store.note_place(&own(4), &dropped(), None, NOW).await.expect("written");
    assert_eq!(world.store.standing(&own(4)).await.expect("read"), Some(dropped()));
    assert_eq!(world.store.standing(&own(5)).await.expect("read"), None);
}

#[tokio::test]
async fn of_two_alerts_that_want_to_lead_a_group_one_does_whoever_it_is() {
    let world = World::start().await;
    let (one, other) = (world.another(), world.another());
    for (winner, loser, hash) in [(&one, &other, "a"), (&other, &one, "b")] {
        let mut before: Option<Group> = None;
        for round in 0..2 {
            let won = winner.lead_group(&space("dba"), hash, &own(round), before.as_ref(), NOW).await.expect("written");
            assert_eq!((&won.incident, won.version), (&own(round), round as u64 + 1));
            let lost = loser.lead_group(&space("dba"), hash, &own(round + 10), before.as_ref(), NOW).await;
            assert_eq!(lost.expect("refused"), won);
            assert_eq!(loser.group(&space("dba"), hash).await.expect("read"), Some(won.clone()));
            before = Some(won);
        }
    }
    assert_eq!(one.group(&space("other"), "a").await.expect("read"), None, "a group is of one space");
}

#[tokio::test]
async fn a_mute_is_of_one_alert_key_in_one_space_and_the_last_one_holds() {
    let world = World::start().await;
    let (hash, dba) = (alert_key_hash("db-1"), space("dba"));
    assert_eq!(world.store.mute(&dba, &integration("a"), &hash).await.expect("read"), None);
    for minutes in [1, 2] {
        let mute = Mute { until: NOW + Duration::from_secs(60 * minutes), begun_by: stamp(minutes as i64) };
        for store in [world.another(), world.another()] {
            store.set_mute(&dba, &integration("a"), &hash, mute).await.expect("written");
        }
        assert_eq!(world.store.mute(&dba, &integration("a"), &hash).await.expect("read"), Some(mute));
    }
    for (other_space, other_integration, key) in [("other", "a", "db-1"), ("dba", "b", "db-1"), ("dba", "a", "db-2")] {
        let mute = world.store.mute(&space(other_space), &integration(other_integration), &alert_key_hash(key)).await;
        assert_eq!(mute.expect("read"), None);
    }
}

#[tokio::test]
async fn a_timeline_that_outgrows_its_incident_is_whole_and_in_order_over_its_items() {
    let world = World::start().await;
    let id = made(&world, 1).await.id;
    for number in 0..3 * TIMELINE_INLINE {
        // Every tenth is as long as a comment may be.
        let filler = if number % 10 == 0 { "警".repeat(3990) } else { String::new() };
        let comment = person(Action::Comment { text: format!("{number} {filler}") });
        world
            .store
            .act_on_incident(&id, &comment, &format!("comment {number}"), NOW)
            .await
            .expect("written")
            .expect("commented");
    }
    let incident = world.another().incident(&id).await.expect("read").expect("there");
    assert!(incident.timeline.len() <= TIMELINE_INLINE && incident.spilled > 0);
    let timeline = world.another().timeline(&incident).await.expect("read");
    let numbers: Vec<u64> = timeline.iter().map(|entry| entry.n).collect();
    assert_eq!(numbers, (1..=incident.n).collect::<Vec<_>>());
    let told = timeline.iter().skip(1).zip(0..).all(|(entry, number)| {
        entry.detail.as_ref().and_then(Detail::comment).is_some_and(|text| text.starts_with(&format!("{number} ")))
    });
    assert!(told, "each comment stands where it was made");
}

#[tokio::test]
async fn entries_that_left_an_incident_whose_write_was_lost_stand_once() {
    let world = World::start().await;
    let mut incident = made(&world, 1).await;
    for n in 0..TIMELINE_INLINE {
        let comment = person(Action::Comment { text: n.to_string() });
        let done =
            world.store.act_on_incident(&incident.id, &comment, &format!("comment {n}"), NOW).await.expect("written");
        incident = done.expect("commented").0;
    }
    // The process that lost the race has moved entries out of the incident that the stored incident still holds or has
    // moved out as well.
    let late = Incident { n: 2, ..incident.clone() };
    let lost = world.another().write_incident(&late, &Replaces::Incident(1)).await.expect("refused");
    assert!(matches!(lost, WriteIncident::Lost(Some(Place::Incident(_)))));
    let stored = world.store.incident(&incident.id).await.expect("read").expect("there");
    let timeline = world.store.timeline(&stored).await.expect("read");
    assert_eq!(timeline.len() as u64, stored.n);
    assert!(timeline.is_sorted_by(|one, next| one.n < next.n));
}
