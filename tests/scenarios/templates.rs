//! Operators configure the text of messages, and no template prevents a message from being sent.

use scenarios::World;
use scenarios::escalation::group;
use scenarios::sender::Sender;
use scenarios::space::{Space, dingtalk_bot, feishu_bot, slack_webhook};
use serde_json::{Value, json};
use vendors::vendor::Vendor;

/// The unit in which a vendor limits the size of each channel's messages, and the limit.
const CHANNELS: [(&str, &str, u64); 7] = [
    ("feishu_bot", "bytes", 20_000),
    ("dingtalk_bot", "bytes", 20_000),
    ("wecom_bot", "bytes", 4096),
    ("slack_webhook", "chars", 12_000),
    ("telegram_bot", "utf16", 4096),
    ("zoom_webhook", "chars", 4000),
    ("email", "bytes", 100_000),
];

/// A sender whose alerts have their own title and the label `host`.
async fn sender(world: &World, space: &Space) -> Sender {
    world.feishu_alert().monitoring().into(space).await
}

#[tokio::test]
async fn a_rules_template_is_what_a_group_shows_in_its_language_and_other_channels_keep_their_own() {
    let world = World::start().await;
    let ops = feishu_bot("ops").make(&world).await;
    let chinese = feishu_bot("yunwei").speaking("zh").make(&world).await;
    let slack = slack_webhook("ops").make(&world).await;
    let space = world.space("Payments").make().await;
    let templates = json!({"feishu_bot": {
        "en": "- Where: {{ labels.host }}\n---\n{{ kind }} #{{ num }}, see the runbook of {{ labels.app|upper }}",
        "zh": "- 位置：{{ labels.host }}\n请查看手册",
    }});
    let rule = world.rule(&space, "Always").set("templates", templates);
    rule.levels([group(&ops).and_group(&chinese).and_group(&slack)]).await;
    sender(&world, &space).await.says("disk full\nkey=a host=db-1 app=shop").await;

    let num = world.incident().await.now().await["num"].as_str().expect("a number").to_owned();
    let own = format!("triggered #{num}, see the runbook of SHOP");
    let shown = world.feishu("ops").expects_all(&["disk full", "Where", "db-1", &own]).await.everything();
    assert!(!shown.contains("Payments") && !shown.contains("key=a"), "nothing but the template's content: {shown}");
    let shown = world.feishu("yunwei").expects_all(&["disk full", "位置", "db-1", "请查看手册"]).await.everything();
    assert!(!shown.contains("协作空间") && !shown.contains("Where"), "{shown}");
    let shown = world.group(Vendor::Slack, "ops").expects_all(&["disk full", "Payments", "key=a"]).await.everything();
    assert!(!shown.contains("Where"), "{shown}");

    world.incident().await.press("acknowledge").await;
    world.feishu("ops").expects_all(&["Acknowledged", "Where", "acknowledged #"]).await;
    world.feishu("yunwei").expects_all(&["已认领", "请查看手册"]).await;
    // The channel's own template adds nothing to the headline.
    let shown = world.group(Vendor::Slack, "ops").expects_all(&["Acknowledged", "(local"]).await.everything();
    assert!(!shown.contains("Payments") && !shown.contains("Where"), "{shown}");
    for detail in world.incident().await.details("notified").await {
        assert!(detail.ends_with(": delivered"), "{detail}");
    }
    world.finish_with_timers().await;
}

#[tokio::test]
async fn a_template_that_fails_loops_or_grows_is_stopped_the_usual_message_is_sent_and_the_timeline_says_so() {
    let world = World::start().await;
    let feishu = feishu_bot("ops").make(&world).await;
    let slack = slack_webhook("ops").make(&world).await;
    let dingtalk = dingtalk_bot("ops").make(&world).await;
    let space = world.space("Payments").make().await;
    let templates = json!({
        "feishu_bot": {"en": "a rack:\n{{ labels.rack }}"},
        "slack_webhook": {"en": "{% for a in description %}".repeat(6) + &"{% endfor %}".repeat(6)},
        "dingtalk_bot": {"en": format!("{{% for a in description %}}{}{{% endfor %}}", "{{ description }}".repeat(60))},
    });
    let rule = world.rule(&space, "Always").set("templates", templates);
    rule.levels([group(&feishu).and_group(&slack).and_group(&dingtalk)]).await;
    let text = format!("disk full\nkey=a host=db-1 {}", "used 97% ".repeat(100));
    sender(&world, &space).await.says(&text).await;

    for vendor in [Vendor::Feishu, Vendor::Slack, Vendor::DingTalk] {
        let shown = world.group(vendor, "ops").expects_all(&["disk full", "Payments", "used 97%"]).await.everything();
        assert!(!shown.contains("a rack"), "{shown}");
    }
    let incident = world.incident().await;
    let mut notified = incident.details("notified").await;
    notified.sort();
    let failed = |channel: &str, why: &str| {
        format!("{channel}: delivered; the rule's template failed ({why}), the default was used")
    };
    let expected = [
        failed("dingtalk_bot", "it printed more than 512 KiB"),
        failed("feishu_bot", "line 2: undefined value"),
        failed("slack_webhook", "it ran for too long"),
    ];
    assert_eq!(notified, expected);
    for delivery in incident.now().await["deliveries"].as_array().expect("deliveries") {
        let reason = delivery["attempts"][0]["template"].as_str().expect("a reason");
        assert!(expected.iter().any(|detail| detail.contains(reason)), "{reason}");
    }
    world.finish_with_timers().await;
}

#[tokio::test]
async fn a_preview_shows_what_each_channel_would_be_sent_of_a_real_incident_and_sends_nothing() {
    let world = World::start().await;
    let ops = feishu_bot("ops").make(&world).await;
    let space = world.space("Payments").make().await;
    let templates = json!({"feishu_bot": {"zh": "请查看手册 {{ labels.host }}"}});
    world.rule(&space, "Always").set("templates", templates).levels([group(&ops)]).await;
    let text = format!("disk full\nkey=a host=db-1 {}", "告警 used 97% ".repeat(400));
    sender(&world, &space).await.says(&text).await;
    world.feishu("ops").expects("disk full").await;
    let incident = world.incident().await;

    for (channel, unit, max) in CHANNELS {
        let preview = async |body: Value| {
            let mut body = body;
            body["channel"] = json!(channel);
            let shown = incident.does("preview", &body).await;
            assert_eq!((&shown["size"]["unit"], &shown["size"]["max"]), (&json!(unit), &json!(max)), "{channel}");
            let used = shown["size"]["used"].as_u64().expect("a number");
            assert!(0 < used && used <= max, "{channel}: {used}");
            let request = shown["request"].to_string();
            // The number of the incident is its id without the common prefix.
            let id = incident.id.trim_start_matches("inc_");
            assert!(request.contains("INC #") && request.contains(id), "{channel}: {request}");
            assert!(!request.contains("/hook/"), "{channel}: {request}");
            (shown, request)
        };
        let (shown, request) = preview(json!({"template": "- Where: {{ labels.host }}\nall of it"})).await;
        assert!(request.contains("Where") && request.contains("all of it"), "{channel}: {request}");
        assert_eq!((&shown["cut"], &shown["error"]), (&json!(false), &Value::Null), "{channel}");
        let (shown, request) = preview(json!({"template": "{{ labels.rack }}"})).await;
        assert_eq!(shown["error"], "line 1: undefined value");
        assert!(request.contains("Payments"), "the channel's own instead: {request}");
        let (shown, _) = preview(json!({"template": "a\n{{ title"})).await;
        assert!(shown["error"].as_str().is_some_and(|error| error.contains("line 2")), "{shown:#}");
        let (shown, request) = preview(json!({"language": "zh"})).await;
        let own = channel == "feishu_bot";
        assert_eq!((request.contains("请查看手册"), request.contains("协作空间")), (own, !own), "{channel}");
        // The channel's own template supplies the parts that the rule leaves out, up to the vendor's limit.
        assert_eq!(shown["cut"], max < 5000, "{channel}: {}", shown["size"]);
    }
    world.rest().await;
    assert_eq!(incident.details("notified").await, ["feishu_bot: delivered"]);
    world.finish_with_timers().await;
}
