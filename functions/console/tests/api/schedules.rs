//! Schedules: who is on call at which time, through the API.

use std::time::Duration;

use serde_json::{Value, json};

use crate::world::{World, id};

/// A schedule of two members who alternate every week, at nine o'clock in Berlin.
async fn weekly(world: &World) -> (String, [String; 2]) {
    let (ada, grace) = (world.member("Ada").await, world.member("Grace").await);
    let body = json!({"name": "Primary", "time_zone": "Europe/Berlin", "layers": [
        {"members": [ada, grace], "rotation": {"unit": "week", "starts_at": "2026-10-19T09:00"}}]});
    let schedule = id(&world.post("/schedules", &body).await.is(201));
    (format!("/schedules/{schedule}"), [ada, grace])
}

#[tokio::test]
async fn a_schedule_lives_from_201_to_204() {
    let world = World::start().await;
    let (ada, grace) = (world.member("Ada").await, world.member("Grace").await);
    let body = json!({"name": "Primary", "time_zone": "Asia/Shanghai",
        "layers": [{"name": "Nights", "members": [ada, grace, ada],
            "rotation": {"unit": "day", "every": 2, "starts_at": "2026-11-02T09:00:00"},
            "restrictions": [{"weekdays": ["mon"], "from": "18:00", "until": "09:00"}],
            "from": "2026-11-01T00:00:00Z", "until": null}],
        "overrides": [{"member": grace, "from": "2026-11-22T05:00:00Z", "until": "2026-11-22T06:00:00.500Z"}]});
    let made = world.post("/schedules", &body).await.is(201);
    let path = format!("/schedules/{}", id(&made));
    assert_eq!((&made["layers"], &made["time_zone"]), (&body["layers"], &body["time_zone"]));
    let mut shown = made["overrides"][0].clone();
    assert!(shown.as_object_mut().expect("an object").remove("id").is_some_and(|id| id.is_string()));
    assert_eq!(shown, body["overrides"][0]);
    assert_eq!(world.get(&path).await.is(200)["layers"], made["layers"]);
    assert_eq!(world.get("/schedules").await.is(200)["items"][0]["id"], made["id"]);

    let replaced = world.put(&path, &json!({"name": "Secondary"})).await.is(200);
    assert_eq!((&replaced["layers"], &replaced["overrides"]), (&json!([]), &made["overrides"]), "left out: kept");
    assert_eq!(world.put(&path, &json!({"name": "Secondary", "overrides": []})).await.is(200)["overrides"], json!([]));

    world.delete(&path).await.is(204);
    world.get(&path).await.refuses(404, "");
    world.put(&path, &body).await.refuses(404, "");
    world.delete(&path).await.refuses(404, "");
    for rest in ["on-call", "shifts"] {
        world.get(&format!("{path}/{rest}")).await.refuses(404, "");
    }
}

#[tokio::test]
async fn a_hand_over_stays_at_nine_on_the_wall_across_a_clock_change() {
    let world = World::start().await;
    let (path, [ada, grace]) = weekly(&world).await;
    // Summer time ends on 25 October: nine o'clock in Berlin is 07:00 UTC before it and 08:00 UTC after it.
    let at = async |at: &str| world.get(&format!("{path}/on-call?at={at}")).await.is(200);
    let on_call = |at: &str, member: &str, name: &str| json!({"at": at, "member": {"id": member, "name": name}, "source": "layer", "layer": 0});
    for (moment, member, name) in [
        ("2026-10-19T07:00:00Z", &ada, "Ada"),
        ("2026-10-26T07:59:59Z", &ada, "Ada"),
        ("2026-10-26T08:00:00Z", &grace, "Grace"),
        ("2026-11-02T08:00:00Z", &ada, "Ada"),
    ] {
        assert_eq!(at(moment).await, on_call(moment, member, name), "{moment}");
    }
    let before = at("2026-10-19T06:59:59Z").await;
    assert_eq!((&before["member"], &before["source"], &before["layer"]), (&Value::Null, &Value::Null, &Value::Null));

    let shifts = format!("{path}/shifts?from=2026-10-18T00:00:00Z&until=2026-11-01T00:00:00%2B01:00");
    let shifts = world.get(&shifts).await.is(200);
    let shift = |from: &str, until: &str, who: Value| {
        let mut shift = json!({"from": from, "until": until});
        shift.as_object_mut().expect("an object").append(&mut who.as_object().cloned().expect("an object"));
        shift
    };
    let layer = |id: &str, name: &str| json!({"member": {"id": id, "name": name}, "source": "layer", "layer": 0});
    assert_eq!(
        shifts["items"],
        json!([
            shift(
                "2026-10-18T00:00:00Z",
                "2026-10-19T07:00:00Z",
                json!({"member": null, "source": null, "layer": null})
            ),
            shift("2026-10-19T07:00:00Z", "2026-10-26T08:00:00Z", layer(&ada, "Ada")),
            shift("2026-10-26T08:00:00Z", "2026-10-31T23:00:00Z", layer(&grace, "Grace")),
        ])
    );
    assert_eq!(shifts["gaps"], json!([{"from": "2026-10-18T00:00:00Z", "until": "2026-10-19T07:00:00Z"}]));
    assert_eq!(shifts["cut_at"], Value::Null);
}

#[tokio::test]
async fn an_override_wins_until_it_is_taken_back() {
    let world = World::start().await;
    let (path, [ada, grace]) = weekly(&world).await;
    let body = json!({"member": grace, "from": "2026-10-20T00:00:00Z", "until": "2026-10-21T00:00:00Z"});
    let made = world.post(&format!("{path}/overrides"), &body).await.is(201);
    assert_eq!((&made["member"], &made["from"], &made["until"]), (&body["member"], &body["from"], &body["until"]));
    assert_eq!(world.get(&path).await.is(200)["overrides"], json!([made]));
    world.post(&format!("{path}/overrides"), &body).await.refuses(409, "");

    let at = format!("{path}/on-call?at=2026-10-20T12:00:00Z");
    let instead = world.get(&at).await.is(200);
    assert_eq!((&instead["member"]["id"], &instead["source"]), (&json!(grace), &json!("override")));
    assert_eq!(instead["layer"], Value::Null);
    let one = format!("{path}/overrides/{}", id(&made));
    world.delete(&one).await.is(204);
    world.delete(&one).await.refuses(404, "");
    assert_eq!(world.get(&at).await.is(200)["member"]["id"], json!(ada));

    let rows = [
        (json!({"member": "mem_absent", "from": body["from"], "until": body["until"]}), "member"),
        (json!({"member": grace, "from": body["until"], "until": body["from"]}), "until"),
        (json!({"member": grace, "from": body["from"], "until": "2027-12-01T00:00:00Z"}), "until"),
        (json!({"member": grace, "from": 7, "until": body["until"]}), "from"),
        (json!({"member": grace, "from": body["from"]}), "until"),
    ];
    for (body, field) in rows {
        world.post(&format!("{path}/overrides"), &body).await.refuses(400, field);
    }
    world.post("/schedules/sch_absent/overrides", &body).await.refuses(404, "");
}

#[tokio::test]
async fn the_gaps_of_the_next_two_weeks_are_shown() {
    let world = World::start().await;
    let ada = world.member("Ada").await;
    let empty = world.post("/schedules", &json!({"name": "Nobody"})).await.is(201);
    let gaps = empty["gaps"].as_array().expect("gaps");
    assert_eq!(gaps.len(), 1);
    let moment =
        |at: &Value| alerting::base::moment::Moment::parse_rfc3339(at.as_str().expect("a time")).expect("RFC 3339");
    let length = moment(&gaps[0]["until"]).since(moment(&gaps[0]["from"]));
    assert_eq!(length, Duration::from_secs(14 * 24 * 3600));

    let always = json!({"name": "Always", "layers": [
        {"members": [ada], "rotation": {"unit": "hour", "starts_at": "2020-01-01T00:00"}}]});
    assert_eq!(world.post("/schedules", &always).await.is(201)["gaps"], json!([]));
    let by_day = json!({"name": "By day", "layers": [{"members": [ada],
        "rotation": {"unit": "week", "starts_at": "2020-01-01T00:00"},
        "restrictions": [{"from": "08:00", "until": "20:00"}]}]});
    let by_day = world.post("/schedules", &by_day).await.is(201);
    assert!((14..=15).contains(&by_day["gaps"].as_array().expect("gaps").len()), "{by_day}");
}

#[tokio::test]
async fn a_schedule_that_cannot_be_is_refused_by_field() {
    let world = World::start().await;
    let ada = world.member("Ada").await;
    let rotation = json!({"unit": "day", "starts_at": "2026-11-02T09:00"});
    let layer = |layer: Value| json!({"name": "a", "layers": [layer]});
    let rotating = |rotation: Value| layer(json!({"members": [ada], "rotation": rotation}));
    let (from, until) = ("2026-11-22T05:00:00Z", "2026-11-22T06:00:00Z");
    let one = json!({"member": ada, "from": from, "until": until});
    let rows = [
        (json!({"name": ""}), "name"),
        (json!({"name": "a", "time_zone": "Mars/Olympus"}), "time_zone"),
        (layer(json!({"rotation": rotation})), "layers[0].members"),
        (layer(json!({"members": [], "rotation": rotation})), "layers[0].members"),
        (layer(json!({"members": [ada, "mem_absent"], "rotation": rotation})), "layers[0].members[1]"),
        (layer(json!({"members": [ada], "rotation": rotation, "name": "a\nb"})), "layers[0].name"),
        (layer(json!({"members": [ada], "rotation": rotation, "from": until, "until": from})), "layers[0].until"),
        (
            layer(
                json!({"members": [ada], "rotation": rotation, "restrictions": [{"from": "24:00", "until": "01:00"}]}),
            ),
            "layers[0].restrictions[0].from",
        ),
        (rotating(json!({"unit": "month", "starts_at": "2026-11-02T09:00"})), "layers[0].rotation.unit"),
        (rotating(json!({"unit": "day", "every": 0, "starts_at": "2026-11-02T09:00"})), "layers[0].rotation.every"),
        (rotating(json!({"unit": "day", "starts_at": "2026-11-02T09:00:00Z"})), "layers[0].rotation.starts_at"),
        (rotating(json!({"unit": "day", "starts_at": "1969-11-02T09:00"})), "layers[0].rotation.starts_at"),
        (rotating(json!({"unit": "day"})), "layers[0].rotation.starts_at"),
        (
            json!({"name": "a", "overrides": [one, {"member": "mem_absent", "from": from, "until": until}]}),
            "overrides[1].member",
        ),
        (json!({"name": "a", "overrides": [one, one]}), "overrides[1]"),
        (json!({"name": "a", "overrides": [{"member": ada, "from": until, "until": from}]}), "overrides[0].until"),
        (json!({"name": "a", "gaps": []}), "gaps"),
    ];
    for (body, field) in rows {
        let answer = world.post("/schedules", &body).await;
        assert_eq!((answer.status, &answer.json()["error"]["field"]), (400, &json!(field)), "{body} {}", answer.text);
    }
}

#[tokio::test]
async fn a_time_that_cannot_be_asked_for_is_refused_by_name() {
    let world = World::start().await;
    let (path, _) = weekly(&world).await;
    for (query, field) in [
        ("on-call?at=now", "at"),
        ("on-call?at=9999-12-31T23:59:59Z", "at"),
        ("on-call?when=now", "when"),
        ("shifts?from=2026-11-22", "from"),
        ("shifts?until=2020-01-01T00:00:00Z", "until"),
        ("shifts?from=2026-01-01T00:00:00Z&until=2026-04-11T00:00:01Z", "until"),
    ] {
        world.get(&format!("{path}/{query}")).await.refuses(400, field);
    }
    world.get(&format!("{path}/shifts?from=2026-01-01T00:00:00Z&until=2026-04-11T00:00:00Z")).await.is(200);
    world.get(&format!("{path}/shifts?from=1970-01-01T00:00:00Z")).await.is(200);
    world.get(&format!("{path}/shifts?from=2199-12-31T23:59:59Z")).await.is(200);
}

#[tokio::test]
async fn a_member_with_a_turn_on_call_is_not_deleted_until_it_is_over() {
    let world = World::start().await;
    let (path, [ada, _]) = weekly(&world).await;
    let linus = world.member("Linus").await;
    let cover = json!({"member": linus, "from": world.now().rfc3339(),
        "until": (world.now() + Duration::from_secs(60)).rfc3339()});
    world.post(&format!("{path}/overrides"), &cover).await.is(201);
    for member in [&ada, &linus] {
        let sentence = world.delete(&format!("/members/{member}")).await.refuses(409, "");
        assert!(sentence.contains("schedule Primary"), "{sentence}");
    }
    world.advance(61);
    world.delete(&format!("/members/{linus}")).await.is(204);
    // For a time in the past, the answer still names the deleted member's id.
    let then = world.get(&format!("{path}/on-call?at={}", cover["from"].as_str().expect("a time"))).await.is(200);
    assert_eq!(then["member"], json!({"id": linus, "name": null}));
}

#[tokio::test]
async fn a_schedule_that_a_rule_names_stays_and_the_answer_names_the_rule() {
    let world = World::start().await;
    let (path, _) = weekly(&world).await;
    let schedule = path.rsplit('/').next().expect("an id");
    let rules = format!("/spaces/{}/escalation-rules", world.space(&[]).await);
    let rule = json!({"name": "Night", "levels": [{"schedules": [schedule]}]});
    let rule = id(&world.post(&rules, &rule).await.is(201));
    let sentence = world.delete(&path).await.refuses(409, "");
    assert!(sentence.contains("escalation rule Night") && sentence.contains(&rule), "{sentence}");
    world.delete(&format!("{rules}/{rule}")).await.is(204);
    world.delete(&path).await.is(204);
}
