//! Secrets never appear in a log, an error or a listing: every secret contains a mark, every operation fails, and no
//! mark is visible.

use std::time::Duration;

use scenarios::process::Process;
use serde_json::{Value, json};

/// The mark that every secret of the scenario contains.
const MARK: &str = "CANARY7f3a";

fn destinations() -> [Value; 6] {
    let url = |base: &str| format!("{base}{MARK}-and-more");
    [
        json!({"channel": "feishu_bot", "settings": {"url": url("https://open.feishu.cn/open-apis/bot/v2/hook/"), "secret": format!("s-{MARK}-1234")}}),
        json!({"channel": "dingtalk_bot", "settings": {"url": url("https://oapi.dingtalk.com/robot/send?access_token="), "secret": format!("SEC{MARK}-1234")}}),
        json!({"channel": "wecom_bot", "settings": {"url": url("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=")}}),
        json!({"channel": "slack_webhook", "settings": {"url": url("https://hooks.slack.com/services/T0000001/B0000001/")}}),
        json!({"channel": "telegram_bot", "settings": {"token": format!("123456:AA{MARK}xxssbnSxE6Y8mTcOBT5rxxxxx"), "chat_id": -100}}),
        json!({"channel": "zoom_webhook", "settings": {
            "url": url("https://integrations.zoom.us/chat/webhooks/incomingwebhook/"), "verification_token": format!("v-{MARK}-1234"),
        }}),
    ]
}

// Proves: secrets
#[tokio::test]
async fn marked_secrets_are_nowhere_in_logs_answers_and_lists_while_everything_fails() {
    let data = tempfile::tempdir().expect("a directory");
    // Nothing listens on this address, so every send fails and every failure is logged.
    let environment = [("LARKSPUR_PROVIDER_BASE", "http://127.0.0.1:9"), ("LARKSPUR_LOG", "debug,dynoxide=error")];
    let larkspur = Process::start(data.path(), &environment).await.expect("started");
    let api = &larkspur.api;
    let mut printed = String::new();
    let mut ids = Vec::new();
    for mut body in destinations() {
        body["name"] = "a group".into();
        let made = api.create("/destinations", &body).await;
        ids.push(made["id"].clone());
        printed += &made.to_string();
        let id = made["id"].as_str().expect("an id");
        printed += &api.call("POST", &format!("/destinations/{id}/test"), Some(&json!({}))).await.text;
        printed += &api.call("GET", &format!("/destinations/{id}"), None).await.text;
        body["settings"]["unknown"] = 1.into();
        printed += &api.call("PUT", &format!("/destinations/{id}"), Some(&body)).await.text;
        body["settings"] = json!({"url": format!("https://elsewhere.example/{MARK}")});
        printed += &api.call("POST", "/destinations", Some(&body)).await.text;
    }
    let space = api.create("/spaces", &json!({"name": "Ops", "destinations": ids})).await;
    let security = json!({"secret": format!("intake-{MARK}-1234")});
    let made =
        api.create("/integrations", &json!({"name": "a platform", "space": space["id"], "security": security})).await;
    printed += &made.to_string();
    let open = api.create("/integrations", &json!({"name": "another", "space": space["id"]})).await;
    for url in [&made["url"], &open["url"]] {
        let body = r#"{"msg_type":"text","content":{"text":"disk full"}}"#;
        printed += &api.post(url.as_str().expect("a url"), body).await.text;
    }
    tokio::time::sleep(Duration::from_secs(4)).await;
    for path in ["/destinations", "/integrations", "/spaces", "/incidents", "/alerts", "/ledger?hours=1"] {
        printed += &api.call("GET", path, None).await.text;
    }
    let incidents = api.list("/incidents").await;
    let incident = api.get(&format!("/incidents/{}", incidents[0]["id"].as_str().expect("an id"))).await;
    assert!(incident["deliveries"].to_string().contains("provider_down"), "the sends have failed: {incident:#}");
    printed += &incident.to_string();

    let printed = larkspur.printed();
    assert!(!printed.contains(MARK), "an answer of the API shows a secret");
    let line = printed.lines().find(|line| line.contains(MARK));
    assert_eq!(line, None, "the log shows a secret");
    // An intake URL is also a secret: only the integration itself shows its key.
    let key = open["url"].as_str().and_then(|url| url.rsplit('/').next()).expect("a key");
    assert!(!printed.contains(key), "the log shows an intake key");
    let lists = api.call("GET", "/integrations", None).await.text;
    assert!(!lists.contains(key), "a list shows an intake key");
    larkspur.kill().await.expect("killed");
}
