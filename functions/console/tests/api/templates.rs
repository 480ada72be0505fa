//! Content templates: the default text of a channel, and the text with which a rule may replace it.

use serde_json::{Value, json};

use crate::world::{World, id};

const CHANNELS: [&str; 7] =
    ["feishu_bot", "dingtalk_bot", "wecom_bot", "slack_webhook", "telegram_bot", "zoom_webhook", "email"];

#[tokio::test]
async fn every_channel_shows_its_template_and_what_one_may_hold() {
    let world = World::start().await;
    for channel in CHANNELS {
        let shown = world.get(&format!("/channels/{channel}/template")).await.is(200);
        assert_eq!(shown["channel"], channel);
        for (language, word) in [("en", "- Source: {{ source }}"), ("zh", "- 来源：{{ source }}")] {
            assert!(shown["default"][language].as_str().is_some_and(|text| text.contains(word)), "{shown:#}");
        }
        let variables = shown["variables"].as_array().expect("variables");
        assert!(variables.iter().any(|one| one["name"] == "labels" && one["kind"] == "map"), "{shown:#}");
        assert!(shown["statements"].as_array().is_some_and(|all| all.contains(&json!("for"))), "{shown:#}");
        assert_eq!(shown["max_bytes"], 4096);
    }
    let sentence = world.get("/channels/pigeon/template").await.refuses(404, "");
    assert!(sentence.contains("feishu_bot"), "{sentence}");
}

#[tokio::test]
async fn the_templates_of_a_rule_are_kept_as_they_are_and_refused_by_field() {
    let world = World::start().await;
    let (space, member) = (world.space(&[]).await, world.member("Ada").await);
    let path = format!("/spaces/{space}/escalation-rules");
    let body = |templates: Value| json!({"name": "a", "levels": [{"members": [member]}], "templates": templates});
    let templates =
        json!({"feishu_bot": {"en": "- Host: {{ labels.host }}", "zh": "{{ title }}"}, "email": {"en": ""}});
    let made = world.post(&path, &body(templates.clone())).await.is(201);
    let one = format!("{path}/{}", id(&made));
    assert_eq!(world.get(&one).await.is(200)["templates"], templates);
    let without = json!({"name": "a", "levels": [{"members": [member]}]});
    assert_eq!(world.put(&one, &without).await.is(200)["templates"], json!({}));

    let rows = [
        (json!({"pigeon": {"en": ""}}), "templates.pigeon", "these are: feishu_bot"),
        (json!({"feishu_bot": {"fr": ""}}), "templates.feishu_bot.fr", "known here: `en` or `zh`"),
        (json!({"feishu_bot": {"en": 1}}), "templates.feishu_bot.en", "expected"),
        (json!({"feishu_bot": {"en": "ok\n{{ title"}}), "templates.feishu_bot.en", "in line 2"),
        (json!({"email": {"zh": "{{ tilte }}"}}), "templates.email.zh", "tilte is unknown"),
        (json!({"email": {"zh": "{% include 'x' %}"}}), "templates.email.zh", "\"include\" is not available"),
        (json!({"email": {"en": "x".repeat(4097)}}), "templates.email.en", "longer than 4096 bytes"),
    ];
    for (templates, field, problem) in rows {
        let sentence = world.post(&path, &body(templates.clone())).await.refuses(400, field);
        assert!(sentence.contains(problem), "{templates}: {sentence}");
    }
}

#[tokio::test]
async fn a_preview_needs_an_incident_and_a_channel_that_exist() {
    let world = World::start().await;
    let absent = "/incidents/inc_01KE6W5Z000000000000000001abc/preview";
    world.post(absent, &json!({"channel": "email"})).await.refuses(404, "");
    world.post(absent, &json!({"channel": "pigeon"})).await.refuses(400, "channel");
    world.post(absent, &json!({})).await.refuses(400, "channel");
    world.post(absent, &json!({"channel": "email", "language": "fr"})).await.refuses(400, "language");
}
