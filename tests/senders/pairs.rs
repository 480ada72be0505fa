//! The words by which senders mark a recovery: with a rule that closes on them and a key that both messages have, the
//! recovery closes the alert that the firing opened, and the group is notified.

use scenarios::World;
use scenarios::sender::Sender;
use scenarios::space::{Space, feishu_bot};
use serde_json::{Value, json};

use crate::recordings::{self, Recording};

/// How an operator sets up one sender.
struct Pair {
    sender: &'static str,
    /// Field and value of the rule that closes.
    close: (&'static str, &'static str),
    /// Fields and patterns that the key is taken from.
    key: &'static [(&'static str, &'static str)],
    /// The expected keys of the firing and of the recovery.
    alert_key: &'static str,
}

const fn pair(
    sender: &'static str,
    close: (&'static str, &'static str),
    key: &'static [(&'static str, &'static str)],
    alert_key: &'static str,
) -> Pair {
    Pair { sender, close, key, alert_key }
}

const GREEN: (&str, &str) = ("labels.card_color", "green");
const RESOLVED: (&str, &str) = ("content", r"/^\[RESOLVED\]/");
/// The rest of the line after the state.
const AFTER_STATE: &[(&str, &str)] = &[("content", r"/^\[\w+\] (.*)/")];

const PAIRS: [Pair; 25] = [
    // The title says it.
    pair(
        "alertmanager-webhook-adapter",
        ("title", "/RESOLVED/"),
        &[("title", r"/\[(?:FIRING|RESOLVED):\d+\] (.*)/")],
        "NodeDown",
    ),
    pair("cloudpods", ("title", "/恢复/"), &[("title", r"/\] (.*)/")], "主机 host-3 CPU > 90%"),
    pair("lark-webhook-notify", ("title", "/RESOLVED/"), &[("title", r"/\] (.*)/")], "disk full"),
    pair("nikoksr-notify", ("title", "*Success"), &[("content", r"/^([\w.]+)/")], "example.com"),
    pair("prometheusalert-v1", ("title", "Prometheus恢复信息"), &[("content", r"/[\w-]+:\d+/")], "db-01:9100"),
    pair("versus-incident", ("title", "/resolved/i"), &[("content", r"/Service: (\S+)/")], "checkout"),
    // The colour says it: for some it is the only difference.
    pair("alertmanager-webhook-feishu", GREEN, &[("title", r"/\](\S+) \[/")], "NodeDown"),
    pair("dynamic-tp", GREEN, &[("content", "/服务名称：(.*)/")], "order"),
    pair("jenkins-lark-notice", GREEN, &[("title", r"/📢 (\S+)/")], "shop-build"),
    pair("prometheusalert-v2", GREEN, &[("content", r"/实例：(\S+)/")], "db-01:9100"),
    pair("zadig", GREEN, &[("title", r"/工作流 (\S+)/")], "build-shop"),
    pair(
        "flux-notification-controller",
        ("labels.card_color", "turquoise"),
        &[("title", r"/\S+\/\S+/")],
        "kustomization/apps.flux-system",
    ),
    // Only the text says it; title and colour stay as they are.
    pair("hertzbeat", ("content", "/Status: resolved/"), &[("content", r"/Alert Name: (\S+)/")], "mysql_conn_high"),
    pair("apprise-feishu", RESOLVED, AFTER_STATE, "High CPU on web-01"),
    pair("apprise-lark", RESOLVED, AFTER_STATE, "High CPU on web-01"),
    pair("ipush", RESOLVED, AFTER_STATE, "High CPU on web-01"),
    pair("pushoo", RESOLVED, AFTER_STATE, "High CPU on web-01"),
    pair("kubesphere-notification-manager", RESOLVED, AFTER_STATE, "Pod demo/shop-7f restarting"),
    pair("dolphinscheduler", ("content", "/processState:SUCCESS/"), &[("content", r"/Workflow (\S+)/")], "etl_orders"),
    pair("frostmourne", ("content", r"/\[恢复\]/"), &[("content", r"/^\[[^\]]+\]\[([^\]]+)\]/")], "错误日志突增"),
    pair("metersphere", ("content", "/执行成功/"), &[("content", r"/计划 (\S+)/")], "smoke"),
    pair("spug", ("content", "/发布结果： 成功/"), &[("content", "/申请标题： (.*)/")], "订单服务v2"),
    pair("tiamxu-alertmanager-webhook", ("content", "/已恢复/"), &[("content", r"/服务: (\S+)/")], "cashier"),
    pair("shoutrrr", ("content", "/back below/"), &[("content", r"/^(\w+) (?:above|back below)/")], "CPU"),
    // The key stands in the title when it fails, and in a text without a title when it recovers.
    pair(
        "airflow-lark-provider",
        ("content", "/^DAG recovered/"),
        &[("title", r"/DAG failed: (\S+)/"), ("content", r"/DAG recovered: (\S+)/")],
        "etl_orders",
    ),
];

#[tokio::test]
async fn the_recovery_closes_the_alert_that_the_firing_opened_and_the_group_is_notified() {
    let world = World::start().await;
    let mut played = Vec::new();
    for pair in &PAIRS {
        let space = world.space(pair.sender).notify(feishu_bot(pair.sender)).await;
        let plan = world.feishu_alert().set("message_types", json!(["text", "post", "interactive"]));
        let sender = plan.set("push_mode", push_mode(pair)).into(&space).await;
        played.push((pair, recordings::pair(pair.sender), space, sender));
    }
    for (index, state) in ["Warning", "Recovered"].into_iter().enumerate() {
        for (pair, both, _, sender) in &played {
            let recording = &both[index];
            let answer = world.api.post(&recording.program.url(&sender.url), recording.body.clone()).await;
            assert_eq!(answer.status, 200, "{}: {}", pair.sender, answer.text);
        }
        for (pair, both, ..) in &played {
            // A recovery is a headline.
            let words = if index == 0 { first_words(&both[index]) } else { "INC #" };
            world.feishu(pair.sender).expects_all(&[state, words]).await;
        }
    }
    world.settle().await;
    for (pair, _, space, sender) in &played {
        check_closed(&world, pair, space, sender).await;
    }
    world.finish().await;
}

async fn check_closed(world: &World, pair: &Pair, space: &Space, sender: &Sender) {
    let name = pair.sender;
    assert_eq!(sender.outcomes().await, ["recovered", "triggered"], "{name}");
    let alerts = world.api.list(&format!("/alerts?space={}", space.id)).await;
    assert_eq!(alerts.len(), 1, "{name}: {alerts:#?}");
    assert_eq!(alerts[0]["alert_key"], pair.alert_key, "{name}");
    assert_eq!((alerts[0]["status"].as_str(), alerts[0]["count"].as_u64()), (Some("closed"), Some(1)), "{name}");
}

fn push_mode(pair: &Pair) -> Value {
    let (field, value) = pair.close;
    let close = json!({"any": [{"all": [{"field": field, "op": "match", "values": [value]}]}]});
    let key: Vec<Value> = pair.key.iter().map(|(field, pattern)| json!({"field": field, "pattern": pattern})).collect();
    json!({"type": "by_rules", "trigger": [{}], "close": [close], "key": key, "unmatched": "discard"})
}

/// Something that the group has to show of it: the first line of the text, up to an address, which is shown as a link.
fn first_words(recording: &Recording) -> &str {
    let line = recording.expected.text.lines().next().expect("a line");
    line.split("http").next().unwrap_or(line)
}
