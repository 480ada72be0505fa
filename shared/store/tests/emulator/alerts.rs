//! Alert states, alerts and incidents.

use std::collections::BTreeMap;
use std::time::Duration;

use alerting::base::actor::NamedActor;
use alerting::base::ids::{AlertId, ApiKeyId, IncidentId};
use alerting::base::moment::Moment;
use alerting::base::severity::Severity;
use alerting::incident::action::Action;
use alerting::incident::alert::{Alert, AlertState, Status};
use alerting::incident::apply::Change;
use alerting::incident::source::{SourceChange, SourceKind};
use alerting::incident::timeline::EntryKind;
use alerting::incident::{Incident, Progress};
use store::Page;
use store::alert_states::WriteState;
use store::alerts::{AlertQuery, Opened, WriteAlert};
use store::incidents::{IncidentQuery, Place, Replaces, WriteIncident};
use store::keys::alert_key_hash;

use crate::world::{NOW, World, integration, space, stamp};

fn state(version: u64, at: i64) -> AlertState {
    AlertState {
        watermark: stamp(at),
        status: Status::Open,
        episode: Some(stamp(0)),
        n: 1,
        ring: Vec::new(),
        count: version,
        severity: Severity::Warning,
        lower_since: None,
        content: "0123456789abcdef".to_owned(),
        texts: stamp(at),
        applied: alerting::incident::alert::AppliedMessages::default(),
        version,
    }
}

fn alert(suffix: &str, at: i64) -> Alert {
    let integration = integration(suffix);
    Alert {
        id: AlertId::of(&integration, stamp(at)),
        integration,
        alert_key: None,
        title: format!("{suffix} {at}"),
        description: String::new(),
        severity: Severity::Warning,
        status: Status::Open,
        count: 1,
        labels: BTreeMap::new(),
        opened_by: stamp(at),
        shown: stamp(at),
        texts: None,
        closing: None,
        revision: 0,
        updated_at: NOW,
        closed_at: None,
        spaces: vec![space("dba")],
    }
}

fn closed(alert: &Alert) -> Alert {
    Alert { status: Status::Closed, closed_at: Some(NOW), ..alert.clone() }
}

fn trigger(at: i64) -> Change {
    Change::Source(SourceChange {
        incident: IncidentId::of(&space("dba"), stamp(at)),
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
    })
}

fn acknowledge(name: &str) -> Change {
    let actor = NamedActor::api_key(ApiKeyId::from_suffix(name).expect("valid"), name);
    Change::Person { actor, action: Action::Acknowledge, episode: None }
}

async fn incident(world: &World, at: i64) -> Incident {
    let id = IncidentId::of(&space("dba"), stamp(at));
    let changed = world.store.change_incident(&id, &trigger(at), "trigger", NOW).await.expect("written");
    changed.expect("triggered").0
}

#[tokio::test]
async fn a_state_comes_back_as_it_was_written() {
    let world = World::start().await;
    let (integration, hash) = (integration("a"), alert_key_hash("db-1"));
    assert_eq!(world.store.alert_state(&integration, &hash).await.expect("read"), None);
    let written = world.store.write_alert_state(&integration, &hash, &state(1, 0), None, NOW).await;
    assert_eq!(written.expect("written"), WriteState::Written);
    assert_eq!(world.another().alert_state(&integration, &hash).await.expect("read"), Some(state(1, 0)));
}

// Proves: fault 23
#[tokio::test]
async fn of_two_evaluators_the_loser_gets_the_winners_state_whoever_it_is() {
    let world = World::start().await;
    let hash = alert_key_hash("db-1");
    let (one, other) = (world.another(), world.another());
    for (winner, loser, suffix) in [(&one, &other, "a"), (&other, &one, "b")] {
        let integration = integration(suffix);
        for (expected, won, lost) in [(None, state(1, 0), state(1, 1)), (Some(1), state(2, 2), state(2, 3))] {
            let written = winner.write_alert_state(&integration, &hash, &won, expected, NOW).await;
            assert_eq!(written.expect("written"), WriteState::Written);
            let written = loser.write_alert_state(&integration, &hash, &lost, expected, NOW).await;
            assert_eq!(written.expect("written"), WriteState::Lost(Some(won)));
        }
    }
    let gone = one.write_alert_state(&integration("c"), &hash, &state(2, 0), Some(1), NOW).await;
    assert_eq!(gone.expect("written"), WriteState::Lost(None));
}

#[tokio::test]
async fn a_conditional_write_that_succeeded_but_timed_out_is_recognised() {
    let world = World::start().await;
    let (integration, hash) = (integration("a"), alert_key_hash("db-1"));
    for (expected, next) in [(None, state(1, 0)), (Some(1), state(2, 1))] {
        world.wire.lose_the_next_answer();
        let written = world.store.write_alert_state(&integration, &hash, &next, expected, NOW).await;
        assert_eq!(written.expect("written"), WriteState::Written);
        assert_eq!(world.wire.take_requests(), 2, "the SDK has sent it twice");
    }
}

#[tokio::test]
async fn an_alert_opens_once() {
    let world = World::start().await;
    let first = alert("a", 0);
    assert_eq!(world.store.open_alert(&first, NOW).await.expect("written"), Opened::Created);
    let copy = Alert { title: "a copy".to_owned(), ..first.clone() };
    assert_eq!(world.another().open_alert(&copy, NOW).await.expect("written"), Opened::Existing(first.clone()));
    assert_eq!(world.store.alert(&first.id).await.expect("read"), Some(first));
}

#[tokio::test]
async fn an_alert_is_written_only_over_the_revision_that_was_read() {
    let world = World::start().await;
    let first = alert("a", 0);
    assert_eq!(world.store.open_alert(&first, NOW).await.expect("written"), Opened::Created);
    let second = Alert { title: "second".to_owned(), ..first.clone() };
    let WriteAlert::Written(second) = world.store.write_alert(&second, Some(&first), NOW).await.expect("written")
    else {
        panic!("it was still what was read")
    };
    assert_eq!(second.revision, 1);
    for (previous, title) in [(Some(&first), "late"), (None, "a copy")] {
        let late = Alert { title: title.to_owned(), ..first.clone() };
        let written = world.store.write_alert(&late, previous, NOW).await.expect("refused");
        assert_eq!(written, WriteAlert::Lost(Some(second.clone())), "{title}");
    }
    let again = world.store.write_alert(&second, Some(&first), NOW).await.expect("its own write");
    assert_eq!(again, WriteAlert::Written(second));
}

#[tokio::test]
async fn a_change_of_an_alert_is_made_again_on_what_another_left_and_nothing_is_written_for_no_change() {
    let world = World::start().await;
    let first = alert("a", 0);
    world.store.open_alert(&first, NOW).await.expect("written");
    let shut = |stored: Option<&Alert>| closed(stored.expect("it is there"));
    let title = |stored: Option<&Alert>| Alert { title: "new".to_owned(), ..stored.expect("it is there").clone() };
    let (_, changed) = world.store.change_alert(Some(first.clone()), shut, NOW).await.expect("written");
    assert!(changed);
    let (both, changed) = world.store.change_alert(Some(first), title, NOW).await.expect("written");
    assert_eq!((both.title.as_str(), both.status, changed), ("new", Status::Closed, true));
    assert_eq!(world.store.alert(&both.id).await.expect("read"), Some(both.clone()));
    world.wire.take_requests();
    assert!(!world.store.change_alert(Some(both.clone()), title, NOW).await.expect("the same").1);
    assert_eq!(world.wire.take_requests(), 0);
}

#[tokio::test]
async fn an_open_keyed_alert_shows_the_count_of_its_state() {
    let world = World::start().await;
    let keyed = Alert { alert_key: Some("db-1".to_owned()), ..alert("a", 0) };
    world.store.open_alert(&keyed, NOW).await.expect("written");
    let hash = alert_key_hash("db-1");
    world.store.write_alert_state(&keyed.integration, &hash, &state(41, 5), None, NOW).await.expect("written");
    assert_eq!(world.store.alert(&keyed.id).await.expect("read").expect("there").count, 41);
    let later = Alert { alert_key: Some("db-1".to_owned()), ..alert("a", 9) };
    world.store.open_alert(&later, NOW).await.expect("written");
    let counts: Vec<u64> = all_alerts(&world, 10, None).await.iter().map(|alert| alert.count).collect();
    assert_eq!(counts, [1, 41], "the state counts the episode that it is in");
}

async fn all_alerts(world: &World, limit: usize, status: Option<Status>) -> Vec<Alert> {
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let integrations = ["a", "b", "c"].map(integration).to_vec();
        let query = AlertQuery { status, space: Some(space("dba")), integrations, after, limit };
        let Page { items, next } = world.store.alerts(query).await.expect("listed");
        assert!(items.len() <= limit);
        found.extend(items);
        match next {
            Some(next) => after = Some(next.parse().expect("a stamp")),
            None => return found,
        }
    }
}

#[tokio::test]
async fn alerts_of_several_integrations_come_newest_first_and_whole_over_their_pages() {
    let world = World::start().await;
    let mut expected = Vec::new();
    for at in 0..60 {
        // Most belong to one integration, a few to the second, none to the third.
        let open = alert(if at % 7 == 0 { "b" } else { "a" }, at);
        world.store.open_alert(&open, NOW).await.expect("written");
        expected.push(open);
    }
    let elsewhere = Alert { spaces: vec![space("other")], ..alert("a", 100) };
    world.store.open_alert(&elsewhere, NOW).await.expect("written");
    expected.reverse();
    for limit in [1, 2, 7, 59, 60, 100] {
        assert_eq!(all_alerts(&world, limit, None).await, expected, "limit {limit}");
    }
}

#[tokio::test]
async fn a_rare_match_is_found_without_reading_everything_for_one_page() {
    let world = World::start().await;
    let open = alert("a", 0);
    world.store.open_alert(&open, NOW).await.expect("written");
    for at in 1..700 {
        world.store.open_alert(&closed(&alert("a", at)), NOW).await.expect("written");
    }
    let query = AlertQuery {
        status: Some(Status::Open),
        space: None,
        integrations: vec![integration("a")],
        after: None,
        limit: 1,
    };
    world.wire.take_requests();
    let page = world.store.alerts(query).await.expect("listed");
    assert!(page.items.is_empty() && page.next.is_some());
    assert_eq!(world.wire.take_requests(), 65);
    assert_eq!(all_alerts(&world, 1, Some(Status::Open)).await, [open]);
}

#[tokio::test]
async fn open_alerts_are_counted_up_and_down() {
    let world = World::start().await;
    let integration = integration("a");
    assert_eq!(world.store.open_count(&integration).await.expect("read"), 0);
    assert_eq!(world.store.add_open(&integration, 5).await.expect("written"), 5);
    assert_eq!(world.another().add_open(&integration, -2).await.expect("written"), 3);
    assert_eq!(world.store.open_count(&integration).await.expect("read"), 3);
}

#[tokio::test]
async fn an_incident_is_written_only_over_the_change_that_was_read() {
    let world = World::start().await;
    let first = incident(&world, 0).await;
    assert_eq!(world.another().incident(&first.id).await.expect("read"), Some(first.clone()));
    let acknowledged = Incident { n: 2, progress: Progress::Processing, ..first.clone() };
    let recovered = Incident { n: 2, progress: Progress::Closed, closed_at: Some(NOW), ..first.clone() };
    let written = world.store.write_incident(&acknowledged, &Replaces::Incident(1)).await.expect("written");
    assert_eq!(written, WriteIncident::Written);
    let repeated = world.store.write_incident(&acknowledged, &Replaces::Incident(1)).await.expect("its own write");
    assert_eq!(repeated, WriteIncident::Written);
    let lost = world.another().write_incident(&recovered, &Replaces::Incident(1)).await.expect("refused");
    assert_eq!(lost, WriteIncident::Lost(Some(Place::Incident(acknowledged.clone()))));
    assert_eq!(
        world.store.write_incident(&first, &Replaces::Nothing).await.expect("refused"),
        WriteIncident::Lost(Some(Place::Incident(acknowledged)))
    );
}

#[tokio::test]
async fn a_copy_of_a_trigger_finds_the_first_ones_entry_and_changes_nothing() {
    let world = World::start().await;
    let first = incident(&world, 0).await;
    let (same, entry) = world
        .another()
        .change_incident(&first.id, &trigger(0), "trigger", NOW + Duration::from_secs(60))
        .await
        .expect("written")
        .expect("told again");
    assert_eq!((same, entry.n, entry.at), (first, 1, NOW));
}

#[tokio::test]
async fn an_acknowledgement_between_read_and_write_survives() {
    let world = World::start().await;
    let first = incident(&world, 0).await;
    world.store.act_on_incident(&first.id, &acknowledge("Ada"), "a1", NOW).await.expect("acknowledged");
    let Change::Source(source) = trigger(0) else { unreachable!("made so") };
    let recover = Change::Source(SourceChange { alert_n: 2, kind: SourceKind::Recover, ..source });
    // Both workers read the incident before either wrote; the second one decides again.
    let (one, two) = (world.another(), world.another());
    let by_bo = acknowledge("Bo");
    let (recovered, second) = tokio::join!(
        one.change_incident(&first.id, &recover, "recover", NOW),
        two.act_on_incident(&first.id, &by_bo, "a2", NOW)
    );
    recovered.expect("written").expect("recovered");
    let closed = world.store.incident(&first.id).await.expect("read").expect("there");
    assert_eq!(closed.progress, Progress::Closed);
    assert!(closed.assignees.contains(&"Ada".to_owned()));
    let kinds: Vec<EntryKind> = closed.timeline.iter().map(|entry| entry.kind).collect();
    // The second acknowledgement came before the recovery, or was refused because of it.
    let acknowledged = if second.is_ok() { 2 } else { 1 };
    assert_eq!(kinds.iter().filter(|kind| **kind == EntryKind::Acknowledged).count(), acknowledged);
}

#[tokio::test]
async fn a_closed_alert_overtakes_what_came_before_and_the_next_trigger_opens_a_new_one() {
    let world = World::start().await;
    let keyed = Alert { alert_key: Some("db-1".to_owned()), ..alert("a", 0) };
    let hash = alert_key_hash("db-1");
    world.store.open_alert(&keyed, NOW).await.expect("written");
    world.store.write_alert_state(&keyed.integration, &hash, &state(3, 5), None, NOW).await.expect("written");
    let closed = world.store.close_alert(&keyed, stamp(50), NOW).await.expect("written").expect("closed");
    assert_eq!((closed.status, closed.count, closed.texts()), (Status::Closed, 3, stamp(0)));
    assert_eq!(closed.shown, stamp(50));
    let state = world.store.alert_state(&keyed.integration, &hash).await.expect("read").expect("there");
    assert_eq!((state.status, state.watermark, state.version), (Status::Closed, stamp(50), 4));
    // After a crash before it was shown, the key is found closed, and the same alert to show.
    let again = world.store.close_alert(&keyed, stamp(55), NOW).await.expect("read").expect("closed");
    assert_eq!((again.status, again.shown), (Status::Closed, stamp(50)));
    assert!(world.store.show_closed(&closed, &keyed, NOW).await.expect("written"));
    let shown = Alert { revision: 1, ..closed.clone() };
    assert_eq!(world.store.alert(&keyed.id).await.expect("read"), Some(shown));
    assert_eq!(world.store.close_alert(&closed, stamp(60), NOW).await.expect("read"), None);
}

#[tokio::test]
async fn incidents_of_several_spaces_come_newest_first_by_progress() {
    let world = World::start().await;
    let mut open = Vec::new();
    for at in 0..20 {
        let triggered = incident(&world, at).await;
        if at % 3 == 0 {
            world.store.change_incident(&triggered.id, &Change::AutoClose, "close", NOW).await.expect("closed");
        } else {
            open.insert(0, triggered.id);
        }
    }
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let spaces = vec![space("dba"), space("other")];
        let query = IncidentQuery { progress: Some(Progress::Triggered), spaces, after, limit: 4 };
        let page = world.store.incidents(query).await.expect("listed");
        found.extend(page.items.into_iter().map(|incident| incident.id));
        match page.next {
            Some(next) => after = Some(next.parse().expect("a stamp")),
            None => break,
        }
    }
    assert_eq!(found, open);
}

#[tokio::test]
async fn what_is_closed_expires_and_what_is_open_does_not() {
    let world = World::start().await;
    let expiry = async |pk: String, sk: String| {
        let item = world
            .client
            .get_item()
            .table_name("alerts")
            .key("pk", aws_sdk_dynamodb::types::AttributeValue::S(pk))
            .key("sk", aws_sdk_dynamodb::types::AttributeValue::S(sk))
            .send()
            .await
            .expect("read");
        item.item.expect("there").get("expires_at").map(|at| at.as_n().expect("a number").parse::<i64>().expect("secs"))
    };
    let month = |from: Moment| Some(from.secs() + 30 * 24 * 3600);
    let open = alert("a", 0);
    world.store.open_alert(&open, NOW).await.expect("written");
    assert_eq!(expiry("ALERT#int_a".to_owned(), stamp(0).to_string()).await, None);
    world.store.write_alert(&closed(&open), Some(&open), NOW).await.expect("written");
    assert_eq!(expiry("ALERT#int_a".to_owned(), stamp(0).to_string()).await, month(NOW));
    let first = incident(&world, 0).await;
    assert_eq!(expiry("INCIDENT#spc_dba".to_owned(), stamp(0).to_string()).await, None);
    world.store.change_incident(&first.id, &Change::AutoClose, "close", NOW).await.expect("closed");
    assert_eq!(expiry("INCIDENT#spc_dba".to_owned(), stamp(0).to_string()).await, month(NOW));
    let hash = alert_key_hash("k");
    let key = format!("STATE#int_a#{hash}");
    world.store.write_alert_state(&open.integration, &hash, &state(1, 0), None, NOW).await.expect("written");
    assert_eq!(expiry(key.clone(), "-".to_owned()).await, None);
    let shut = AlertState { status: Status::Closed, ..state(2, 1) };
    world.store.write_alert_state(&open.integration, &hash, &shut, Some(1), NOW).await.expect("written");
    assert_eq!(expiry(key, "-".to_owned()).await, month(NOW));
}

#[tokio::test]
async fn alerts_that_close_by_themselves_are_found_by_when_they_were_opened() {
    let world = World::start().await;
    let keyed = Alert { alert_key: Some("db-1".to_owned()), ..alert("a", 7) };
    for alert in
        [alert("a", 4), alert("a", 5), alert("b", 5), keyed, alert("a", 9), closed(&alert("a", 6)), alert("a", 10)]
    {
        world.store.open_alert(&alert, NOW).await.expect("written");
    }
    let (from, until) = (stamp(5).received_at(), stamp(10).received_at());
    let found = world.store.open_unkeyed_alerts(&integration("a"), from, until).await.expect("read");
    assert_eq!(found, [alert("a", 5).id, alert("a", 9).id]);
}
