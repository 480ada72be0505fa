//! What the targets have in common: an integration, a notice, and texts in sections.

// The crate around it would bring the AWS SDK, all of it compiled with the fuzzer's marks.
#[path = "../../../shared/lambda-kit/src/links.rs"]
pub mod links;

use std::collections::BTreeMap;

use alerting::incident::Progress;
use alerting::rules::integration::{IntakeLimits, Integration, PushMode, Routing, Security, Source, TitleFrom};
use alerting::incident::link::{Link, Links};
use alerting::rules::message::MsgType;
use alerting::base::moment::Moment;
use alerting::incident::notice::Notice;
use alerting::base::severity::Severity;
use alerting::incident::timeline::EntryKind;

/// 2026-01-05T10:00:00Z
pub const NOW: Moment = Moment::from_secs(1_767_607_200);
/// Stands in every secret, so that a leak is one search.
pub const CANARY: &str = "c4nary";

/// Takes every type of message.
pub fn integration() -> Integration {
    Integration {
        id: "int_4fJk2LmNpQ".parse().expect("valid"),
        name: "fuzzed".to_owned(),
        version: 1,
        source: Source::Feishu,
        routing: Routing::Dedicated { space: "spc_4fJk2LmNpQ".parse().expect("valid") },
        message_types: vec![MsgType::Text, MsgType::Post, MsgType::Interactive],
        title_from: TitleFrom::Default,
        push_mode: PushMode::EachMessage,
        security: Security::default(),
        pipeline: Vec::new(),
        limits: IntakeLimits::default(),
        auto_close_hours: 24,
        created_at: NOW,
    }
}

pub fn notice(kind: EntryKind, title: &str, description: &str, labels: BTreeMap<String, String>) -> Notice {
    Notice {
        destination: "dst_4fJk2LmNpQ".parse().expect("valid"),
        n: 1,
        kind,
        at: NOW,
        actor: "Li Lei".to_owned(),
        by: None,
        incident: "inc_01KE6W5Z000000000000000001abc".parse().expect("valid"),
        num: "7KQ2MD".to_owned(),
        space: "spc_4fJk2LmNpQ".parse().expect("valid"),
        space_name: "Payments".to_owned(),
        title: title.to_owned(),
        description: description.to_owned(),
        severity: Severity::Critical,
        progress: Progress::Triggered,
        episode: 0,
        triggered_at: NOW,
        closed_at: None,
        labels,
        integration_name: "Zabbix".to_owned(),
        alert_count: 1,
        rule: None,
        level: None,
        flapping: false,
        person: None,
        assigned: Vec::new(),
        mentions: Vec::new(),
    }
}

/// Links as long as signed ones are.
#[derive(Debug)]
pub struct LongLinks;

impl Links for LongLinks {
    fn details(&self, notice: &Notice) -> String {
        format!("https://larkspur.example/links/v1.681.{}.AAAAAAAAAAAAAAAAAAAAAA", Link::of(notice))
    }

    fn acknowledge(&self, notice: &Notice) -> String {
        format!("{}?ack=1", self.details(notice))
    }
}

/// Settings of a destination on `channel`, and of its provider.
pub fn settings(channel: &str) -> (serde_json::Value, Option<serde_json::Value>) {
    use serde_json::json;
    let settings = match channel {
        "feishu_bot" => {
            json!({"url": "https://open.feishu.cn/open-apis/bot/v2/hook/c4nary00-1111", "secret": "c4nary-1"})
        }
        "dingtalk_bot" => {
            json!({"url": "https://oapi.dingtalk.com/robot/send?access_token=c4nary0123456789", "secret": "SECc4nary"})
        }
        "wecom_bot" => json!({"url": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=c4nary00-1111-2222"}),
        "slack_webhook" => json!({"url": "https://hooks.slack.com/services/T0/B0/c4nary0123456789"}),
        "slack_app" => json!({"account": "app_4fJk2LmNpQ", "channel": "C0123456789"}),
        "telegram_bot" => json!({"token": "123456:AAc4nary_0123456789-abcdef", "chat_id": -1_001_234_567_890_i64}),
        "zoom_webhook" => json!({
            "url": "https://integrations.zoom.us/chat/webhooks/incomingwebhook/c4nary0123456789",
            "verification_token": "c4nary-verification-token",
        }),
        _ => json!({"to": "ops@example.com"}),
    };
    let provider = match channel {
        "email" => Some(json!({
            "host": "smtp.example.com", "port": 465, "tls": "implicit",
            "username": "larkspur", "password": "c4nary-smtp-password", "from": "alerts@example.com",
        })),
        "slack_app" => Some(json!({
            "team_id": "T0", "app_id": "A0", "signing_secret": "c4nary-signing-secret", "token": "xoxb-c4nary-token",
        })),
        _ => None,
    };
    (settings, provider)
}

/// The parts of a text between lines that are `--`.
pub fn sections(text: &str) -> Vec<&str> {
    text.split("\n--\n").collect()
}
