//! Silences of a space.

use std::time::Duration;

use serde_json::{Value, json};

use crate::world::{World, id};

/// The time this many minutes from now, in RFC 3339.
fn minutes(world: &World, minutes: u64) -> String {
    (world.now() + Duration::from_secs(minutes * 60)).rfc3339()
}

/// A one-time silence. Both times come from one reading of the clock, so that equal minutes give equal times.
fn once(world: &World, from: u64, until: u64) -> Value {
    let now = world.now();
    let [from, until] = [from, until].map(|minutes| (now + Duration::from_secs(minutes * 60)).rfc3339());
    json!({"name": "Backups", "time": {"type": "once", "from": from, "until": until}})
}

#[tokio::test]
async fn a_silence_lives_from_201_to_204_and_says_whether_it_is_active() {
    let world = World::start().await;
    let path = format!("/spaces/{}/silences", world.space(&[]).await);
    let mut body = once(&world, 10, 20);
    body["filter"] = json!({"any": [{"all": [{"field": "severity", "op": "not_match", "values": ["Critical"]}]}]});
    let made = world.post(&path, &body).await.is(201);
    let one = format!("{path}/{}", id(&made));
    assert_eq!((&made["time"], &made["filter"], &made["then"]), (&body["time"], &body["filter"], &json!("keep")));
    assert_eq!((&made["active"], &made["created_by"]), (&json!(false), &json!("first key")));
    assert_eq!(world.get(&one).await.is(200), made);

    for (secs, active) in [(10 * 60, true), (10 * 60, false)] {
        world.advance(secs);
        assert_eq!(world.get(&one).await.is(200)["active"], active);
    }

    let weekly = json!({"name": "Weekends", "then": "drop", "time": {"type": "weekly", "time_zone": "Europe/Berlin",
        "windows": [{"weekdays": ["sat", "sun"], "from": "00:00", "until": "24:00"}]}});
    let replaced = world.put(&one, &weekly).await.is(200);
    assert_eq!((&replaced["time"], &replaced["then"]), (&weekly["time"], &json!("drop")));
    assert_eq!((&replaced["filter"], &replaced["created_at"]), (&json!({}), &made["created_at"]));

    world.delete(&one).await.is(204);
    world.get(&one).await.refuses(404, "");
    world.put(&one, &weekly).await.refuses(404, "");
    world.delete(&one).await.refuses(404, "");
    world.get("/spaces/spc_absent/silences").await.refuses(404, "");
}

#[tokio::test]
async fn a_silence_that_cannot_be_is_refused_by_field() {
    let world = World::start().await;
    let path = format!("/spaces/{}/silences", world.space(&[]).await);
    let time = |time: Value| json!({"name": "a", "time": time});
    let rows = [
        (json!({"name": "a"}), "time"),
        (once(&world, 20, 20), "time.until"),
        (time(json!({"type": "once", "from": "2020-01-01T00:00:00Z", "until": "2020-01-02T00:00:00Z"})), "time.until"),
        (once(&world, 10, 10 + 366 * 24 * 60 + 1), "time.until"),
        (time(json!({"type": "once", "from": minutes(&world, 1)})), "time.until"),
        (time(json!({"type": "once", "from": "tomorrow", "until": minutes(&world, 1)})), "time.from"),
        (time(json!({"type": "weekly"})), "time.time_zone"),
        (time(json!({"type": "weekly", "time_zone": "UTC", "from": minutes(&world, 1)})), "time.from"),
        (
            time(json!({"type": "weekly", "time_zone": "UTC", "windows": [{"from": "9:00", "until": "10:00"}]})),
            "time.windows[0].from",
        ),
        (time(json!({"type": "daily"})), "time.type"),
        (json!({"name": "a", "time": {"type": "weekly", "time_zone": "UTC"}, "then": "snooze"}), "then"),
        (
            json!({"name": "a", "time": {"type": "weekly", "time_zone": "UTC"}, "filter":
            {"any": [{"all": [{"field": "content", "op": "match", "values": ["x"]}]}]}}),
            "filter.any[0].all[0].field",
        ),
    ];
    for (body, field) in rows {
        let answer = world.post(&path, &body).await;
        assert_eq!((answer.status, &answer.json()["error"]["field"]), (400, &json!(field)), "{body} {}", answer.text);
    }
}

#[tokio::test]
async fn silences_that_are_over_make_room_for_new_ones() {
    let world = World::start().await;
    let path = format!("/spaces/{}/silences", world.space(&[]).await);
    let short = id(&world.post(&path, &once(&world, 0, 1)).await.is(201));
    for _ in 0..99 {
        world.post(&path, &once(&world, 0, 100)).await.is(201);
    }
    let sentence = world.post(&path, &once(&world, 0, 100)).await.refuses(409, "");
    assert!(sentence.contains("100"), "{sentence}");
    world.advance(120);
    world.get(&format!("{path}/{short}")).await.is(200);
    let newest = world.post(&path, &once(&world, 0, 100)).await.is(201);
    world.get(&format!("{path}/{short}")).await.refuses(404, "");
    let listed = world.get(&format!("{path}?limit=100")).await.is(200);
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(100));
    assert_eq!((&listed["items"][0]["id"], &listed["next"]), (&newest["id"], &Value::Null));
}
