//! Lists neither skip nor repeat an object, and a deletion hides no open alert or incident.

use std::collections::BTreeMap;

use alerting::base::ids::{IncidentId, Stamp};
use alerting::base::severity::Severity;
use alerting::incident::alert::{Alert, AlertEvent, AlertKey, EventKind};
use alerting::incident::apply::Change;
use alerting::incident::source::{SourceChange, SourceKind};
use serde_json::{Value, json};

use crate::world::{World, id};

/// Opens an alert of the integration, with an incident in each of these spaces.
async fn open(world: &World, integration: &str, spaces: &[String]) -> Alert {
    let stamp = Stamp::from_parts(world.now(), 7);
    let event = AlertEvent {
        stamp,
        kind: EventKind::Trigger,
        key: AlertKey::Named("disk".to_owned()),
        title: "disk full".to_owned(),
        description: String::new(),
        severity: Severity::Warning,
        labels: BTreeMap::new(),
        spaces: spaces.iter().map(|space| space.parse().expect("an id")).collect(),
    };
    let alert = Alert::new(&integration.parse().expect("an id"), &event, stamp, world.now());
    world.store.open_alert(&alert, world.now()).await.expect("written");
    for space in &alert.spaces {
        let incident = IncidentId::of(space, stamp);
        let source = SourceChange {
            incident: incident.clone(),
            alert: alert.id.clone(),
            opened_by: stamp,
            space: space.clone(),
            alert_n: 1,
            kind: SourceKind::Trigger,
            title: alert.title.clone(),
            severity: alert.severity,
            hold: None,
            flapping: false,
            storm_thresholds: Vec::new(),
        };
        let change = Change::Source(source);
        world.store.change_by_source(&incident, &change, Some(&alert), world.now()).await.expect("written");
    }
    alert
}

async fn integration(world: &World, space: &str) -> String {
    id(&world.post("/integrations", &json!({"name": "Disks", "space": space})).await.is(201))
}

// Proves: finding C4
#[tokio::test]
async fn of_one_alert_in_two_spaces_a_page_of_one_shows_each_once() {
    let world = World::start().await;
    let mut spaces = vec![world.space(&[]).await, world.space(&[]).await, world.space(&[]).await];
    let of = integration(&world, &spaces[0]).await;
    open(&world, &of, &spaces).await;
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = world.get(&format!("/incidents?limit=1{after}")).await.is(200);
        seen.extend(page["items"].as_array().expect("a list").iter().map(|item| item["space"].clone()));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    spaces.sort_unstable();
    assert_eq!(Value::from(seen), json!(spaces));
}

// Proves: finding C12
#[tokio::test]
async fn a_cursor_that_is_none_is_refused_by_name_and_a_far_one_costs_nothing() {
    let world = World::start().await;
    let space = world.space(&[]).await;
    let of = integration(&world, &space).await;
    let messages = format!("/integrations/{of}/messages");
    let silences = format!("/spaces/{space}/silences");
    let document = world.bare("GET", "/api/v1/openapi.json", None, None).await.is(200);
    let paths = document["paths"].as_object().expect("paths");
    let is_list = |path: &str| {
        let parameters = paths[path]["get"]["parameters"].as_array();
        parameters.is_some_and(|all| all.iter().any(|one| one["name"] == "after"))
            && !path.contains('{')
            && path != "/api/v1/dead-letters"
    };
    let lists = paths.keys().filter(|path| is_list(path)).filter_map(|path| path.strip_prefix("/api/v1"));
    let lists: Vec<&str> = lists.chain([messages.as_str(), silences.as_str()]).collect();
    assert!(lists.len() > 10, "{lists:?}");
    for list in lists {
        for garbage in ["zzz", "-1", "..", "1.%23"] {
            world.get(&format!("{list}?after={garbage}")).await.refuses(400, "after");
        }
    }
    for list in ["/alerts", "/incidents", &messages] {
        let far = world.get(&format!("{list}?after=7ZZZZZZZZZZZZZZZZZZZZZZZZZ")).await.is(200);
        assert_eq!(far["next"], Value::Null, "{list}");
    }
}

// Proves: finding C5
#[tokio::test]
async fn a_space_with_an_open_incident_is_not_deleted_and_a_deleted_integrations_alert_stays_listed() {
    let world = World::start().await;
    let space = world.space(&[]).await;
    let of = integration(&world, &space).await;
    let alert = open(&world, &of, std::slice::from_ref(&space)).await;
    world.delete(&format!("/integrations/{of}")).await.is(204);
    let listed = world.get("/alerts?status=open").await.is(200);
    assert_eq!(listed["items"][0]["id"], json!(alert.id));

    let incident = IncidentId::of(&alert.spaces[0], alert.opened_by);
    let sentence = world.delete(&format!("/spaces/{space}")).await.refuses(409, "");
    assert!(sentence.contains(incident.as_str()), "{sentence}");
    world.post(&format!("/incidents/{incident}/close"), &json!({})).await.is(200);
    world.delete(&format!("/spaces/{space}")).await.is(204);
}

// Proves: finding C15
#[tokio::test]
async fn what_a_get_shows_a_put_takes() {
    let world = World::start().await;
    let space = world.space(&[]).await;
    let of = integration(&world, &space).await;
    let team = id(&world.post("/teams", &json!({"name": "Night"})).await.is(201));
    let table = json!({"name": "hosts", "source_labels": ["host"], "result_labels": ["team"]});
    let table = id(&world.post("/mapping-tables", &table).await.is(201));
    for path in [
        format!("/spaces/{space}"),
        format!("/integrations/{of}"),
        format!("/destinations/{}", world.destination().await),
        format!("/teams/{team}"),
        format!("/mapping-tables/{table}"),
    ] {
        let shown = world.get(&path).await.is(200);
        assert_eq!(world.put(&path, &shown).await.is(200), shown, "{path}");
        world.put(&path, &json!({"name": "a", "bogus": 1})).await.refuses(400, "bogus");
    }
}
