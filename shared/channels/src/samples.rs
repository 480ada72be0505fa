//! Samples for the tests of this crate and of `post`: notices with fixed content, and settings with marked secrets.

use std::collections::BTreeMap;

use alerting::base::moment::Moment;
use alerting::base::severity::Severity;
use alerting::incident::Progress;
use alerting::incident::card::{Act, Card, SNOOZES, State};
use alerting::incident::link::{Link, Links};
use alerting::incident::notice::Notice;
use alerting::incident::timeline::EntryKind;
use alerting::people::Person;
use alerting::people::destination::{Language, TimeZone};
use serde_json::{Value, json};

use crate::channel::Channel;
use crate::outcome::{Outcome, Reason};
use crate::post::{Form, Post};
use crate::registry::Destination;
use crate::reply::Reply;
use crate::request::{Request, Transport};
use crate::settings::Fields;

/// Every secret in the settings below contains this, so a leak is one search.
pub const CANARY: &str = "c4nary";

/// 2026-01-05T10:00:00Z
pub const NOW: Moment = Moment::from_secs(1_767_607_200);

/// Kinds of changes that notify, by the name of the golden request.
pub const NOTIFYING: [(&str, EntryKind); 7] = [
    ("triggered", EntryKind::Triggered),
    ("severity_raised", EntryKind::SeverityRaised),
    ("acknowledged", EntryKind::Acknowledged),
    ("recovered", EntryKind::Recovered),
    ("closed", EntryKind::Closed),
    ("reopened", EntryKind::Reopened),
    ("snooze_ended", EntryKind::SnoozeEnded),
];

/// Working settings of each channel.
pub fn settings(channel: &str) -> Value {
    match channel {
        "feishu_bot" => json!({
            "url": "https://open.feishu.cn/open-apis/bot/v2/hook/c4nary00-1111-2222-3333-444444444444",
            "secret": "c4nary-feishu-secret",
        }),
        "dingtalk_bot" => json!({
            "url": "https://oapi.dingtalk.com/robot/send?access_token=c4nary0123456789abcdef",
            "secret": "SECc4nary0123456789",
        }),
        "wecom_bot" => json!({"url": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=c4nary00-1111-2222"}),
        "slack_webhook" => json!({"url": "https://hooks.slack.com/services/T0/B0/c4nary0123456789"}),
        "telegram_bot" => json!({"token": "123456:AAc4nary_0123456789-abcdef", "chat_id": -1_001_234_567_890_i64}),
        "zoom_webhook" => json!({
            "url": "https://integrations.zoom.us/chat/webhooks/incomingwebhook/c4nary0123456789",
            "verification_token": "c4nary-verification-token",
        }),
        "email" => json!({"to": "ops@example.com"}),
        "slack_app" => json!({"account": "app_4fJk2LmNpQ", "channel": "C0123456789"}),
        "echo_app" => json!({"room": "ops"}),
        other => panic!("no sample settings for {other}: add them"),
    }
}

/// Working settings of the provider of each channel that has one.
pub fn provider(channel: &str) -> Option<Value> {
    match channel {
        "email" => Some(json!({
            "host": "smtp.example.com",
            "port": 465,
            "tls": "implicit",
            "username": "larkspur",
            "password": "c4nary-smtp-password",
            "from": "Larkspur <alerts@example.com>",
        })),
        "slack_app" => Some(json!({
            "team_id": "T0123456789",
            "app_id": "A0123456789",
            "signing_secret": "c4nary-signing-secret",
            "token": "xoxb-c4nary-token",
        })),
        "echo_app" => Some(json!({"app": "app_echo", "secret": "c4nary-echo-secret"})),
        _ => None,
    }
}

pub fn destination(channel: &str) -> Destination {
    let provider = provider(channel);
    Destination::parse(channel, &settings(channel), provider.as_ref()).expect("sample settings are valid")
}

/// The settings of one bot as its own type.
pub fn channel<C: Channel>() -> C {
    let settings = settings(C::NAME);
    let fields = Fields::new(C::NAME, C::SETTINGS, &settings).expect("known fields");
    C::parse(&fields, &Fields::none()).expect("sample settings are valid")
}

/// A person whom every channel can mention.
pub fn li_lei() -> Person {
    let identities = [
        ("feishu_user_id", "ou_7d8a6e6df7621556ce0d21922b676706"),
        ("wecom_user_id", "LiLei"),
        ("slack_user_id", "U012AB3CD"),
        ("telegram_user", "1234567"),
        ("zoom_jid", "AbCdEfGh1234"),
    ];
    Person {
        name: "Li Lei".to_owned(),
        phone: Some("+8613800000000".to_owned()),
        identities: identities.map(|(name, id)| (name.to_owned(), id.to_owned())).into(),
    }
}

/// A person without ids or phone, whom no channel can mention.
pub fn wang_wei() -> Person {
    Person { name: "王伟 <b>".to_owned(), phone: None, identities: BTreeMap::new() }
}

/// A level of an escalation that mentions two people.
pub fn escalated() -> Notice {
    Notice {
        alert_count: 12,
        level: Some(2),
        flapping: true,
        assigned: vec!["Li Lei".to_owned(), "王伟 <b>".to_owned()],
        mentions: vec![li_lei(), wang_wei()],
        ..notice(EntryKind::Escalated)
    }
}

pub fn notice(kind: EntryKind) -> Notice {
    let closed = matches!(kind, EntryKind::Recovered | EntryKind::Closed);
    let person = matches!(kind, EntryKind::Acknowledged | EntryKind::Closed | EntryKind::Reopened);
    let labels = [("card_color", "red"), ("host", "db-1"), ("region", "cn-north")];
    Notice {
        destination: "dst_4fJk2LmNpQ".parse().expect("valid"),
        n: 1,
        kind,
        at: if kind == EntryKind::Triggered { NOW } else { NOW + std::time::Duration::from_secs(320) },
        actor: if person { "Li Lei" } else { "source" }.to_owned(),
        by: None,
        incident: "inc_01KE6W5Z000000000000000001abc".parse().expect("valid"),
        num: "7KQ2MD".to_owned(),
        space: "spc_4fJk2LmNpQ".parse().expect("valid"),
        space_name: "Payments".to_owned(),
        title: "disk full on db-1".to_owned(),
        description: "usage is at 97%\n/var/lib/pg".to_owned(),
        severity: Severity::Critical,
        progress: match kind {
            EntryKind::Recovered | EntryKind::Closed => Progress::Closed,
            EntryKind::Acknowledged => Progress::Processing,
            _ => Progress::Triggered,
        },
        episode: 0,
        triggered_at: NOW,
        closed_at: closed.then(|| NOW + std::time::Duration::from_secs(320)),
        labels: labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
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

/// A notice with nothing but a title and a description.
pub fn described(title: &str, description: &str) -> Notice {
    Notice {
        title: title.to_owned(),
        description: description.to_owned(),
        labels: BTreeMap::new(),
        ..notice(EntryKind::Triggered)
    }
}

/// Links that are as long as signed ones, and always the same.
#[derive(Debug)]
struct SampleLinks;

impl Links for SampleLinks {
    fn details(&self, notice: &Notice) -> String {
        link(notice)
    }

    fn acknowledge(&self, notice: &Notice) -> String {
        format!("{}?ack=1", link(notice))
    }
}

pub fn link(notice: &Notice) -> String {
    format!("https://larkspur.example/links/v1.681.{}.AAAAAAAAAAAAAAAAAAAAAA", Link::of(notice))
}

pub fn post(notices: &[Notice]) -> Post<'_> {
    Post {
        notices,
        links: &SampleLinks,
        language: Language::English,
        time_zone: &TimeZone::Offset { minutes: 480 },
        form: Form::Rich,
        template: None,
        card: None,
    }
}

/// The receipt of a message, in the form of every channel with cards.
pub const RECEIPT: &str = "C0123456789/1700000000.000100";

/// The card of an incident that nobody has acknowledged.
pub fn card() -> Card {
    Card {
        state: State::Triggered,
        severity: Severity::Critical,
        acts: [Act::Acknowledge].into_iter().chain(SNOOZES.map(Act::Snooze)).chain([Act::Close]).collect(),
        by: None,
        until: None,
        n: 7,
        episode: 0,
    }
}

/// What the vendor reads.
pub fn body(request: &Request) -> Value {
    request.body()
}

/// The same as text.
pub fn body_text(request: &Request) -> String {
    match &request.transport {
        Transport::Http(http) => String::from_utf8(http.body.clone()).expect("JSON is UTF-8"),
        Transport::Email { mail, .. } => serde_json::to_string(mail).expect("JSON serialises"),
    }
}

/// Where an HTTP request goes.
pub fn url(request: &Request) -> String {
    match &request.transport {
        Transport::Http(http) => http.url().expose().to_owned(),
        Transport::Email { .. } => panic!("mail has no URL"),
    }
}

pub fn reply(status: u16, body: impl AsRef<[u8]>) -> Reply {
    Reply { status, body: body.as_ref().to_vec(), at: NOW, ..Reply::default() }
}

pub fn delivered() -> Outcome {
    Outcome::Delivered { receipt: None }
}

/// A retry after so many seconds, or without a time.
pub fn retry(secs: impl Into<Option<u64>>, reason: Reason) -> Outcome {
    Outcome::Retry { after: secs.into().map(std::time::Duration::from_secs), reason }
}

pub fn rejected(reason: Reason) -> Outcome {
    Outcome::Rejected { reason }
}

/// Checks rows of status, body and outcome.
pub fn check_outcomes(channel: &str, rows: &[(u16, &str, Outcome)]) {
    let destination = destination(channel);
    for (status, body, outcome) in rows {
        assert_eq!(&destination.outcome(&reply(*status, body)), outcome, "{channel}: {status} {body}");
    }
}
