//! The actions of people on incidents, and their effects.

use alerting::base::ids::{AlertId, IncidentId, IntegrationId, SpaceId, Stamp};
use alerting::base::severity::Severity;
use alerting::incident::alert::{Alert, AlertEvent, AlertKey, EventKind, Status, fold};
use alerting::incident::apply::Change;
use alerting::incident::source::{SourceChange, SourceKind};
use lambda_kit::random::StampSource;
use serde_json::{Value, json};
use store::keys::alert_key_hash;

use crate::pages::hidden;
use crate::world::{World, id};

/// An open alert with its incidents, as `evaluate` leaves them.
pub(crate) struct Opened {
    pub(crate) alert: Alert,
    pub(crate) incidents: Vec<String>,
}

pub(crate) async fn open(world: &World, key: Option<&str>, spaces: &[&str]) -> Opened {
    open_saying(world, key, spaces, "disk full", "on db-1").await
}

pub(crate) async fn open_saying(
    world: &World,
    key: Option<&str>,
    spaces: &[&str],
    title: &str,
    description: &str,
) -> Opened {
    let now = world.now();
    let space_ids: Vec<SpaceId> = spaces.iter().map(|space| space.parse().expect("an id")).collect();
    let made = world.post("/integrations", &json!({"name": "Disks", "space": spaces[0]})).await.is(201);
    let integration: IntegrationId = id(&made).parse().expect("an id");
    let event = AlertEvent {
        stamp: StampSource::new().next(now),
        kind: EventKind::Trigger,
        key: key.map_or(AlertKey::Unique, |key| AlertKey::Named(key.to_owned())),
        title: title.to_owned(),
        description: description.to_owned(),
        severity: Severity::Warning,
        labels: [("host".to_owned(), "db-1".to_owned())].into(),
        spaces: space_ids.clone(),
    };
    if let Some(key) = key {
        let state = fold(None, std::slice::from_ref(&event)).state.expect("opened");
        world.store.write_alert_state(&integration, &alert_key_hash(key), &state, None, now).await.expect("written");
    }
    let alert = Alert {
        id: AlertId::of(&integration, event.stamp),
        integration: integration.clone(),
        alert_key: key.map(str::to_owned),
        title: event.title,
        description: event.description,
        severity: event.severity,
        status: Status::Open,
        count: 1,
        labels: event.labels,
        opened_by: event.stamp,
        shown: event.stamp,
        texts: None,
        closing: None,
        revision: 0,
        updated_at: now,
        closed_at: None,
        spaces: space_ids.clone(),
    };
    world.store.open_alert(&alert, now).await.expect("written");
    world.store.add_open(&integration, 1).await.expect("written");
    let mut incidents = Vec::new();
    for space in space_ids {
        incidents.push(open_incident(world, &alert, space, event.stamp).await);
    }
    Opened { alert, incidents }
}

async fn open_incident(world: &World, alert: &Alert, space: SpaceId, opened_by: Stamp) -> String {
    let incident = IncidentId::of(&space, opened_by);
    let change = Change::Source(SourceChange {
        incident: incident.clone(),
        alert: alert.id.clone(),
        opened_by,
        space,
        alert_n: 1,
        kind: SourceKind::Trigger,
        title: alert.title.clone(),
        severity: alert.severity,
        hold: None,
        flapping: false,
        storm_thresholds: Vec::new(),
    });
    world.store.change_incident(&incident, &change, "trigger", world.now()).await.expect("written").expect("made");
    incident.to_string()
}

fn kinds(incident: &Value) -> Vec<&str> {
    incident["timeline"].as_array().expect("a timeline").iter().filter_map(|entry| entry["kind"].as_str()).collect()
}

#[tokio::test]
async fn an_acknowledgement_notifies_every_destination_once_under_the_keys_name() {
    let world = World::start().await;
    let (one, two) = (world.destination().await, world.destination().await);
    let space = world.space(&[&one, &two]).await;
    let opened = open(&world, None, &[&space]).await;
    let path = format!("/incidents/{}", opened.incidents[0]);

    let incident = world.post(&format!("{path}/acknowledge"), &json!({})).await.is(200);
    assert_eq!(incident["progress"], "processing");
    assert_eq!(incident["assignees"], json!(["first key"]));
    assert_eq!(kinds(&incident), ["triggered", "acknowledged"]);
    assert_eq!(incident["timeline"][1]["actor"], "first key");

    let notices = world.take_sent("notices.fifo");
    assert_eq!(notices.len(), 2);
    let tell = &notices[0]["tell"];
    assert_eq!((&tell["n"], &tell["title"], &tell["actor"]), (&json!(2), &json!("disk full"), &json!("first key")));
    assert_eq!((&tell["space_name"], &tell["integration_name"]), (&json!("Payments"), &json!("Disks")));
    let changes = world.take_sent("changes");
    assert_eq!((changes.len(), &changes[0]["type"]), (1, &json!("incident.changed")));

    // A repeated acknowledgement changes nothing. Its notices are sent again with the same change number.
    let again = world.post(&format!("{path}/acknowledge"), &json!({})).await.is(200);
    assert_eq!(kinds(&again).len(), 2);
    assert!(world.take_sent("notices.fifo").iter().all(|notice| notice["tell"]["n"] == 2));

    let listed = world.get("/incidents?progress=processing").await.is(200);
    assert_eq!(id(&listed["items"][0]), opened.incidents[0]);
    assert_eq!(world.get("/incidents?progress=closed").await.is(200)["items"], json!([]));

    let back = world.post(&format!("{path}/unacknowledge"), &json!({})).await.is(200);
    assert_eq!((&back["progress"], &back["acknowledged_at"]), (&json!("triggered"), &Value::Null));
    world.post(&format!("{path}/unacknowledge"), &json!({})).await.is(409);
    assert_eq!(kinds(&world.get(&path).await.is(200)).len(), 3, "there is nothing to take back any more");
}

#[tokio::test]
async fn closing_an_incident_makes_its_alerts_due_to_close_and_nothing_else_is_left_to_do() {
    let world = World::start().await;
    let destination = world.destination().await;
    let space = world.space(&[&destination]).await;
    let opened = open(&world, Some("db-1"), &[&space]).await;
    let close = format!("/incidents/{}/close", opened.incidents[0]);

    let closed = world.post(&close, &json!({})).await.is(200);
    assert_eq!(closed["progress"], "closed");
    assert!(closed["closed_at"].is_string());
    let due = world.take_sent("due");
    assert_eq!(due.len(), 1, "{due:#?}");
    let work = &due[0]["work"]["close_alerts"];
    assert_eq!((&work["incident"], &work["n"]), (&json!(opened.incidents[0]), &json!(2)));
    assert_eq!(work["by"]["name"], "first key");
    assert_eq!(world.take_sent("notices.fifo").len(), 1);
    world.advance(3600);
    assert_eq!(world.store.due_timers(world.now(), 10).await.expect("read"), [], "the follow-up was deleted");

    world.post(&close, &json!({})).await.is(200);
    world.post(&format!("/incidents/{}/acknowledge", opened.incidents[0]), &json!({})).await.refuses(409, "");
}

// Proves: finding D2
#[tokio::test]
async fn a_timeline_says_who_acted_by_id_and_by_the_name_of_now() {
    let world = World::start().await;
    let space = world.space(&[]).await;
    let opened = open(&world, None, &[&space]).await;
    let path = format!("/incidents/{}", opened.incidents[0]);
    let member = world.post("/members", &json!({"name": "timer"})).await.is(201);
    world.post(&format!("{path}/acknowledge"), &json!({"member": member["id"]})).await.is(200);
    world.post(&format!("{path}/comments"), &json!({"text": "hm"})).await.is(200);
    let renamed = json!({"name": "Li Lei"});
    world.put(&format!("/members/{}", id(&member)), &renamed).await.is(200);
    world.advance(11);

    let incident = world.get(&path).await.is(200);
    let row = |place: usize| {
        let entry = &incident["timeline"][place];
        let actor = &entry["actor_ref"];
        [&entry["actor"], &actor["type"], &actor["member"]].map(|value| value.as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(row(0), ["source", "source", ""]);
    assert_eq!(row(1), ["Li Lei", "api_key", &id(&member)]);
    assert_eq!(row(2), ["first key", "api_key", ""]);
    assert!(incident["timeline"][2]["actor_ref"]["id"].as_str().is_some_and(|id| id.starts_with("key_")));
}

#[tokio::test]
async fn the_same_idempotency_key_acts_once_and_gets_the_same_answer() {
    let world = World::start().await;
    let space = id(&world.post("/spaces", &json!({"name": "DBA"})).await.is(201)).to_owned();
    let Opened { incidents, .. } = open(&world, Some("db-1"), &[&space]).await;
    let path = |action: &str| format!("/incidents/{}/{action}", incidents[0]);
    let comment = json!({"text": "hm"});
    let comments = path("comments");

    let first = world.post_once(&comments, &comment, "k-1").await.is(200);
    world.advance(3600);
    let again = world.post_once(&comments, &comment, "k-1").await.is(200);
    assert_eq!(again, first, "the same answer an hour later");
    world.post_once(&comments, &comment, "k-2").await.is(200);
    world.post_once(&comments, &json!({"text": "other"}), "k-1").await.is(200);
    for _ in 0..2 {
        world.post(&comments, &comment).await.is(200);
    }
    let incident = world.get(&format!("/incidents/{}", incidents[0])).await.is(200);
    let commented = kinds(&incident).into_iter().filter(|kind| *kind == "commented").count();
    assert_eq!(
        commented, 5,
        "one for k-1, one for k-2, one for the other text, and one for each request without a key"
    );

    // Without the idempotency key, the state of the incident would refuse each second request.
    world.post(&path("close"), &json!({})).await.is(200);
    let reopened = world.post_once(&path("reopen"), &json!({}), "k-3").await.is(200);
    assert_eq!(world.post_once(&path("reopen"), &json!({}), "k-3").await.is(200), reopened);
    world.post_once(&path("reopen"), &json!({}), "k-4").await.refuses(409, "");
    world.post(&path("reopen"), &json!({})).await.refuses(409, "");

    let minutes = json!({"minutes": 60});
    let silence = world.post_once(&path("silence"), &minutes, "k-5").await.is(201);
    assert_eq!(world.post_once(&path("silence"), &minutes, "k-5").await.is(201), silence);
    assert_ne!(world.post(&path("silence"), &minutes).await.is(201)["id"], silence["id"]);

    for wrong in ["a b", &"k".repeat(256), ""] {
        world.post_once(&comments, &comment, wrong).await.refuses(400, "Idempotency-Key");
    }
}

#[tokio::test]
async fn a_form_that_is_posted_twice_acts_once_and_the_same_form_shown_again_acts_again() {
    let world = World::start().await;
    let space = id(&world.post("/spaces", &json!({"name": "DBA"})).await.is(201)).to_owned();
    let Opened { incidents, .. } = open(&world, Some("db-1"), &[&space]).await;
    let li = world.person("Li Lei", "responder", "en").await;
    let page = format!("/incidents/{}", incidents[0]);
    for posted in 1..=2 {
        let shown = li.opens(&page).await;
        let fields = ["form_token", "episode", "action_key"].map(|name| (name, hidden(&shown, name)));
        let mut fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        fields.push(("text", "looking into it"));
        for _ in 0..2 {
            assert_eq!(li.posts(&format!("{page}/comment"), &fields).await.status, 303);
        }
        let incident = world.get(&page).await.is(200);
        let commented = kinds(&incident).into_iter().filter(|kind| *kind == "commented").count();
        assert_eq!(commented, posted);
    }
}

#[tokio::test]
async fn a_reopened_incident_is_triggered_again() {
    let world = World::start().await;
    let space = world.space(&[]).await;
    let opened = open(&world, None, &[&space]).await;
    let path = format!("/incidents/{}", opened.incidents[0]);
    world.post(&format!("{path}/reopen"), &json!({})).await.refuses(409, "");
    world.post(&format!("{path}/close"), &json!({})).await.is(200);
    let reopened = world.post(&format!("{path}/reopen"), &json!({})).await.is(200);
    assert_eq!((&reopened["progress"], &reopened["closed_at"]), (&json!("triggered"), &Value::Null));
}

#[tokio::test]
async fn a_snooze_is_written_with_the_timer_that_ends_it() {
    let world = World::start().await;
    let space = world.space(&[]).await;
    let opened = open(&world, None, &[&space]).await;
    let path = format!("/incidents/{}/snooze", opened.incidents[0]);
    for minutes in [json!(0), json!(1441)] {
        world.post(&path, &json!({"minutes": minutes})).await.refuses(400, "minutes");
    }
    world.post(&path, &json!({})).await.refuses(400, "minutes");
    let snoozed = world.post(&path, &json!({"minutes": 120})).await.is(200);
    assert!(snoozed["snoozed_until"].is_string());
    world.advance(120 * 60 + 1);
    let due = world.store.due_timers(world.now(), 10).await.expect("read");
    assert_eq!(due.len(), 1, "{due:?}");
}

#[tokio::test]
async fn alerts_are_listed_by_status_and_space() {
    let world = World::start().await;
    let (one, two) = (world.space(&[]).await, world.space(&[]).await);
    let first = open(&world, None, &[&one]).await;
    world.advance(1);
    let second = open(&world, Some("db-1"), &[&two]).await;
    let ids = async |path: &str| -> Vec<String> {
        world.get(path).await.is(200)["items"].as_array().expect("items").iter().map(id).collect()
    };
    let (first, second) = (first.alert.id.to_string(), second.alert.id.to_string());
    assert_eq!(ids("/alerts").await, [second.clone(), first.clone()]);
    assert_eq!(ids(&format!("/alerts?space={one}")).await, [first]);
    assert_eq!(ids("/alerts?status=open&limit=1").await, [second]);
    assert_eq!(ids("/alerts?status=closed").await, Vec::<String>::new());
}

#[tokio::test]
async fn the_ledger_has_a_line_per_hour_newest_first() {
    let world = World::start().await;
    let ledger = world.get("/ledger?hours=3").await.is(200);
    let items = ledger["items"].as_array().expect("items");
    assert_eq!((items.len(), &ledger["next"]), (3, &Value::Null));
    assert_eq!(items[0]["hour"], world.now().hour().rfc3339());
    assert_eq!(items[0]["messages"]["received"], 0);
    assert_eq!(items[0]["balanced"], true);
    assert_eq!(world.get("/ledger").await.is(200)["items"].as_array().map(Vec::len), Some(24));
}

// Proves: finding F11
#[tokio::test]
async fn a_long_timeline_is_shown_up_to_a_megabyte_and_listed_whole() {
    let world = World::start().await;
    let space = world.space(&[]).await;
    let opened = open(&world, None, &[&space]).await;
    let path = format!("/incidents/{}", opened.incidents[0]);
    for n in 0..120 {
        let text = format!("{n} {}", "磁".repeat(3_900));
        world.post(&format!("{path}/comments"), &json!({"text": text})).await.is(200);
    }
    let answer = world.get(&path).await;
    assert!(answer.text.len() < 1_300_000, "{} bytes", answer.text.len());
    let incident = answer.is(200);
    assert_eq!(incident["timeline_count"], 121);
    let shown = incident["timeline"].as_array().expect("a list");
    assert!((80..100).contains(&shown.len()), "{}", shown.len());
    let last = shown.last().and_then(|entry| entry["detail"].as_str()).expect("a comment");
    assert!(last.starts_with("119 "), "the newest are shown");

    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let page = world.get(&format!("{path}/timeline?limit=50{after}")).await.is(200);
        all.extend(page["items"].as_array().expect("a list").clone());
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!((all.len(), &all[0]["kind"]), (121, &json!("triggered")));
    world.get(&format!("{path}/timeline?after=x")).await.refuses(400, "after");
    let alerts = world.get(&format!("{path}/alerts")).await.is(200);
    assert_eq!((&alerts["items"][0]["id"], &alerts["next"]), (&incident["alerts"][0], &json!(null)));
}
