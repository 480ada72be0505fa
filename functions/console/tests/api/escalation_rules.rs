//! Escalation rules of a space: their order, and the people that they name.

use serde_json::{Value, json};

use crate::world::{World, id};

/// A space with a member to notify.
struct Payments {
    world: World,
    path: String,
    member: String,
}

async fn payments() -> Payments {
    let world = World::start().await;
    let (space, member) = (world.space(&[]).await, world.member("Ada").await);
    Payments { world, path: format!("/spaces/{space}/escalation-rules"), member }
}

impl Payments {
    fn body(&self, name: &str) -> Value {
        json!({"name": name, "levels": [{"members": [self.member]}]})
    }

    async fn add(&self, name: &str, position: Option<u32>) -> Value {
        let mut body = self.body(name);
        if let Some(position) = position {
            body["position"] = position.into();
        }
        self.world.post(&self.path, &body).await.is(201)
    }

    async fn order(&self) -> Vec<String> {
        let listed = self.world.get(&self.path).await.is(200);
        let items = listed["items"].as_array().expect("items").iter().enumerate();
        let name = |(n, rule): (usize, &Value)| {
            assert_eq!(rule["position"], n);
            rule["name"].as_str().expect("a name").to_owned()
        };
        items.map(name).collect()
    }
}

#[tokio::test]
async fn a_rule_lives_from_201_to_204() {
    let Payments { world, path, member } = payments().await;
    let destination = world.destination().await;
    let team = id(&world.post("/teams", &json!({"name": "DBA", "members": [member]})).await.is(201));
    let body = json!({"name": "Critical", "hours": {"time_zone": "Asia/Shanghai", "windows": [
            {"weekdays": ["sat", "sun"], "from": "18:00", "until": "09:00"}]},
        "filter": {"any": [{"all": [{"field": "labels.host", "op": "match", "values": ["/^db-/"]}]}]},
        "levels": [
            {"members": [member], "notify": {"by": "unified", "contacts": ["email", destination]}, "delay_minutes": 5},
            {"teams": [team], "groups": [{"destination": destination, "mention": true}],
                "repeat": {"times": 3, "every_seconds": 60}, "next": null}]});
    let made = world.post(&path, &body).await.is(201);
    let one = format!("{path}/{}", id(&made));
    assert_eq!((&made["filter"], &made["hours"], &made["position"]), (&body["filter"], &body["hours"], &json!(0)));
    let first = json!({"members": [member], "teams": [], "schedules": [], "groups": [], "delay_minutes": 5,
        "notify": {"by": "unified", "contacts": ["email", destination]}, "repeat": null,
        "next": {"after_minutes": 30, "unless": "acknowledged"}});
    assert_eq!(made["levels"][0], first);
    assert_eq!(made["levels"][1]["next"], Value::Null);
    assert_eq!(world.get(&one).await.is(200), made);

    let replaced = world.put(&one, &json!({"name": "All", "levels": [{"teams": [team]}]})).await.is(200);
    assert_eq!((&replaced["hours"], &replaced["filter"]), (&Value::Null, &json!({})));
    assert_eq!(replaced["id"], made["id"]);

    world.delete(&one).await.is(204);
    world.get(&one).await.refuses(404, "");
    world.put(&one, &body).await.refuses(404, "");
    world.delete(&one).await.refuses(404, "");
    world.get("/spaces/spc_absent/escalation-rules").await.refuses(404, "");
    world.post("/spaces/spc_absent/escalation-rules", &json!({"name": "a", "levels": []})).await.refuses(404, "");
}

#[tokio::test]
async fn rules_stand_in_the_order_of_trial_and_can_be_moved() {
    let payments = payments().await;
    let last = payments.add("last", None).await;
    payments.add("later", None).await;
    payments.add("first", Some(0)).await;
    payments.add("second", Some(1)).await;
    assert_eq!(payments.order().await, ["first", "second", "last", "later"]);

    let path = format!("{}/{}", payments.path, id(&last));
    let put = async |position: Option<u32>| {
        let mut body = payments.body("last");
        body["position"] = position.into();
        payments.world.put(&path, &body).await
    };
    assert_eq!(put(Some(3)).await.is(200)["position"], 3);
    assert_eq!(payments.order().await, ["first", "second", "later", "last"]);
    put(None).await.is(200);
    assert_eq!(payments.order().await, ["first", "second", "later", "last"]);
    put(Some(0)).await.is(200);
    assert_eq!(payments.order().await, ["last", "first", "second", "later"]);
    put(Some(4)).await.refuses(400, "position");
    let beyond = json!({"name": "a", "levels": [{"members": [payments.member]}], "position": 5});
    payments.world.post(&payments.path, &beyond).await.refuses(400, "position");

    let page = payments.world.get(&format!("{}?limit=3", payments.path)).await.is(200);
    assert_eq!(page["items"].as_array().map(Vec::len), Some(3));
    let next = format!("{}?limit=3&after={}", payments.path, page["next"].as_str().expect("there is more"));
    let rest = payments.world.get(&next).await.is(200);
    assert_eq!((&rest["items"][0]["name"], &rest["next"]), (&json!("later"), &Value::Null));
    payments.world.get(&format!("{}?after=x", payments.path)).await.refuses(400, "after");
}

#[tokio::test]
async fn a_space_has_at_most_fifty_rules() {
    let payments = payments().await;
    for n in 0..50 {
        payments.add(&format!("rule {n}"), None).await;
    }
    let sentence = payments.world.post(&payments.path, &payments.body("one too many")).await.refuses(409, "");
    assert!(sentence.contains("50"), "{sentence}");
}

#[tokio::test]
async fn a_rule_that_cannot_be_carried_out_is_refused_by_field() {
    let Payments { world, path, member } = payments().await;
    let destination = world.destination().await;
    let level = |more: Value| {
        let mut level = json!({"members": [member]});
        level.as_object_mut().expect("an object").append(&mut more.as_object().cloned().expect("an object"));
        json!({"name": "a", "levels": [{"members": [member]}, level]})
    };
    let filter = |field: &str, value: &str| {
        json!({"name": "a", "levels": [{"members": [member]}],
            "filter": {"any": [{"all": [{"field": field, "op": "match", "values": [value]}]}]}})
    };
    let group = |destination: &str| json!({"destination": destination});
    let rows = [
        (json!({"name": "a"}), "levels"),
        (json!({"name": "a", "levels": []}), "levels"),
        (json!({"name": "a", "levels": [{}]}), "levels[0]"),
        (json!({"name": " ", "levels": [{"members": [member]}]}), "name"),
        (json!({"name": "a", "levels": [{"members": [member]}], "hours": {"time_zone": "Mars"}}), "hours.time_zone"),
        (
            json!({"name": "a", "levels": [{"members": [member]}],
                "hours": {"time_zone": "UTC", "windows": [{"from": "24:00", "until": "01:00"}]}}),
            "hours.windows[0].from",
        ),
        (filter("content", "x"), "filter.any[0].all[0].field"),
        (filter("title", "/host=(/"), "filter.any[0].all[0].values[0]"),
        (level(json!({"members": [member, "mem_absent"]})), "levels[1].members[1]"),
        (level(json!({"members": [member, member]})), "levels[1].members[1]"),
        (level(json!({"teams": ["team_absent"]})), "levels[1].teams[0]"),
        (level(json!({"schedules": ["sch_absent"]})), "levels[1].schedules[0]"),
        (level(json!({"groups": [group("dst_absent")]})), "levels[1].groups[0].destination"),
        (
            level(json!({"groups": [group(&destination), {"destination": destination}]})),
            "levels[1].groups[1].destination",
        ),
        (
            level(json!({"groups": [{"destination": destination, "mapping_table": "map_absent"}]})),
            "levels[1].groups[0].mapping_table",
        ),
        (level(json!({"notify": {"by": "unified", "contacts": ["dst_absent"]}})), "levels[1].notify.contacts[0]"),
        (level(json!({"notify": {"by": "unified", "contacts": []}})), "levels[1].notify.contacts"),
        (level(json!({"notify": {"by": "unified", "contacts": ["sms"]}})), "levels[1].notify.contacts[0]"),
        (level(json!({"delay_minutes": 61})), "levels[1].delay_minutes"),
        (level(json!({"repeat": {"times": 1, "every_seconds": 29}})), "levels[1].repeat.every_seconds"),
        (level(json!({"next": {"after_minutes": 0}})), "levels[1].next.after_minutes"),
        (level(json!({"pager": true})), "levels[1].pager"),
    ];
    for (body, field) in rows {
        let answer = world.post(&path, &body).await;
        assert_eq!((answer.status, &answer.json()["error"]["field"]), (400, &json!(field)), "{body} {}", answer.text);
    }
    let sentence = world.post(&path, &filter("title", "/host=(/")).await.refuses(400, "filter.any[0].all[0].values[0]");
    assert!(sentence.contains("at character 7"), "{sentence}");
    assert_eq!(world.get(&path).await.is(200)["items"], json!([]));
}

#[tokio::test]
async fn a_recipient_that_a_rule_names_is_not_deleted_and_the_answer_names_the_rule() {
    let Payments { world, path, member } = payments().await;
    let (group, contact) = (world.destination().await, world.destination().await);
    let team = id(&world.post("/teams", &json!({"name": "DBA"})).await.is(201));
    let table = json!({"name": "jids", "source_labels": ["email"], "result_labels": ["zoom_jid"], "rows": []});
    let table = id(&world.post("/mapping-tables", &table).await.is(201));
    let body = json!({"name": "Night", "levels": [{"members": [member], "teams": [team],
        "groups": [{"destination": group, "mapping_table": table}],
        "notify": {"by": "unified", "contacts": [contact]}}]});
    let rule = id(&world.post(&path, &body).await.is(201));
    let named = [
        format!("/members/{member}"),
        format!("/teams/{team}"),
        format!("/destinations/{group}"),
        format!("/destinations/{contact}"),
        format!("/mapping-tables/{table}"),
    ];
    for path in &named {
        let sentence = world.delete(path).await.refuses(409, "");
        assert!(sentence.contains("escalation rule Night") && sentence.contains(&rule), "{sentence}");
    }
    world.delete(&format!("{path}/{rule}")).await.is(204);
    for path in &named {
        world.delete(path).await.is(204);
    }
}
