//! Merges of two incidents in one transaction, against each other and against other changes; and circles of merges that an
//! earlier version has left.

use alerting::base::severity::Severity;
use alerting::incident::action::{Action, ActionError};
use alerting::incident::apply::Change;
use alerting::incident::source::{SourceChange, SourceKind};
use alerting::incident::{Incident, Progress};
use store::changes::{ChangeError, Outcome};
use store::incidents::{Replaces, WriteIncident};

use crate::groups::{ada, made, own, person, source};
use crate::world::{NOW, World};

async fn now(world: &World, at: i64) -> Incident {
    world.store.incident(&own(at)).await.expect("read").expect("there")
}

// Proves: finding F4
#[tokio::test]
async fn of_two_merges_into_each_other_one_is_made_and_the_other_refused() {
    let world = World::start().await;
    for pair in 0..10 {
        let (a, b) = (own(2 * pair), own(2 * pair + 1));
        made(&world, 2 * pair).await;
        made(&world, 2 * pair + 1).await;
        let (one, other, ada) = (world.another(), world.another(), ada());
        let (first, second) =
            tokio::join!(one.merge_incidents(&a, &b, &ada, "m1", NOW), other.merge_incidents(&b, &a, &ada, "m2", NOW));
        let refused = |merged: &Result<_, ChangeError>| {
            matches!(merged, Err(ChangeError::Refused(ActionError::Merged(_) | ActionError::Closed)))
        };
        assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
        assert!(refused(&first) || refused(&second), "{first:?} {second:?}");
        let (a, b) = (now(&world, 2 * pair).await, now(&world, 2 * pair + 1).await);
        let open = if a.progress == Progress::Closed { b } else { a };
        assert_eq!((open.progress, open.alerts.len(), open.merged_into), (Progress::Triggered, 2, None));
    }
}

// Proves: finding F4
#[tokio::test]
async fn a_merge_into_an_incident_that_closes_is_refused_and_leaves_its_source_as_it_was() {
    let world = World::start().await;
    for pair in 0..10 {
        let (a, b) = (own(2 * pair), own(2 * pair + 1));
        made(&world, 2 * pair).await;
        made(&world, 2 * pair + 1).await;
        let (one, other, ada) = (world.another(), world.another(), ada());
        let close = person(Action::Close);
        let (merged, closed) =
            tokio::join!(one.merge_incidents(&a, &b, &ada, "m1", NOW), other.act_on_incident(&b, &close, "c1", NOW));
        closed.expect("closed");
        let (a, b) = (now(&world, 2 * pair).await, now(&world, 2 * pair + 1).await);
        assert_eq!(b.progress, Progress::Closed);
        match merged {
            Ok(_) => assert_eq!((a.merged_into, b.alerts.len()), (Some(b.id), 2), "before it closed"),
            Err(ChangeError::Refused(ActionError::Closed)) => {
                assert_eq!((a.progress, a.merged_into, b.alerts.len()), (Progress::Triggered, None, 1));
            }
            Err(other) => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_merge_whose_answer_was_lost_finds_what_it_has_written() {
    let world = World::start().await;
    made(&world, 1).await;
    made(&world, 2).await;
    let merged = world.store.merge_incidents(&own(1), &own(2), &ada(), "m1", NOW).await.expect("merged");
    assert_eq!(merged.len(), 2);
    let again = world.another().merge_incidents(&own(1), &own(2), &ada(), "m1", NOW).await.expect("found");
    assert_eq!(again, merged);
    let pressed = world.another().merge_incidents(&own(1), &own(2), &ada(), "m2", NOW).await.expect("so already");
    assert_eq!(pressed, []);
}

/// What an earlier version left when each was merged into the next at the same moment.
async fn circle(world: &World, ring: &[i64]) {
    for (place, at) in ring.iter().enumerate() {
        let incident = made(world, *at).await;
        let next = own(ring[(place + 1) % ring.len()]);
        let merged = Incident {
            merged_into: Some(next),
            progress: Progress::Closed,
            closed_at: Some(NOW),
            n: incident.n + 1,
            ..incident.clone()
        };
        let written = world.store.write_incident(&merged, &Replaces::Incident(incident.n)).await.expect("written");
        assert_eq!(written, WriteIncident::Written);
    }
}

// Proves: finding F4
#[tokio::test]
async fn one_incident_of_a_stored_circle_takes_what_happens_to_all_of_them() {
    for ring in [vec![1, 2], vec![3, 1, 2]] {
        let world = World::start().await;
        circle(&world, &ring).await;
        for at in &ring {
            let raised = SourceChange {
                incident: own(*at),
                alert_n: 2,
                kind: SourceKind::RaiseSeverity,
                severity: Severity::Critical,
                ..source(*at)
            };
            let outcome = world.store.change_by_source(&own(*at), &Change::Source(raised), None, NOW).await;
            // An alert that is no worse than the incident changes nothing, as always.
            if let Outcome::Changed(incident, _) = outcome.expect("evaluate does not fail") {
                assert_eq!((incident.id, incident.progress), (own(1), Progress::Triggered));
            }
        }
        let stands = now(&world, 1).await;
        assert_eq!((stands.severity, stands.alerts.len()), (Severity::Critical, ring.len()));
    }
}

#[tokio::test]
async fn people_act_on_the_incident_that_stands_for_a_circle_and_the_others_name_it() {
    let world = World::start().await;
    circle(&world, &[2, 1]).await;
    let refused = world.store.act_on_incident(&own(2), &person(Action::Acknowledge), "a1", NOW).await;
    let Err(ChangeError::Refused(ActionError::Merged(stands))) = refused else { panic!("{refused:?}") };
    assert_eq!(stands, own(1));
    let done = world.store.act_on_incident(&stands, &person(Action::Acknowledge), "a2", NOW).await.expect("allowed");
    assert_eq!(done.expect("acknowledged").0.progress, Progress::Processing);
}

#[tokio::test]
async fn incidents_merged_one_into_the_next_are_followed_however_many_they_are() {
    let world = World::start().await;
    for at in 0..12 {
        made(&world, at).await;
    }
    for at in 0..11 {
        world.store.merge_incidents(&own(at), &own(at + 1), &ada(), &format!("m{at}"), NOW).await.expect("merged");
    }
    let recover = SourceChange { alert_n: 2, kind: SourceKind::Recover, ..source(0) };
    let outcome = world.store.change_by_source(&own(0), &Change::Source(recover), None, NOW).await.expect("followed");
    let Outcome::Changed(incident, _) = outcome else { panic!("{outcome:?}") };
    assert_eq!((incident.id, incident.alerts.len()), (own(11), 12));
}
