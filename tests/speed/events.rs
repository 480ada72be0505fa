//! The events that each function gets: a message of some hundred bytes, ten of them in a batch, ten notices to ten groups,
//! a list. Every event is new, because repeated work is cheaper.

use std::sync::atomic::{AtomicU64, Ordering};

use alerting::base::ids::{DestinationId, IntegrationId, SpaceId, Stamp};
use alerting::base::severity::Severity;
use alerting::incident::Progress;
use alerting::rules::message::{Acceptance, Message, MsgType, Origin, RawBody, Received};
use anyhow::Context as _;
use lambda_kit::clock::Clock;
use local::Larkspur;
use scenarios::api::Api;
use serde_json::{Value, json};

/// Records of a batch.
pub(crate) const BATCH: usize = 10;
/// So many that no group gets more messages than its rate allows, on any machine.
const GROUPS: usize = 6 * BATCH;

const TEXT: &str = "[FIRING] High CPU on web-01\ncpu_usage=97% threshold=90%";

/// What was configured for the functions to work with.
pub(crate) struct Setting {
    clock: Clock,
    path: String,
    api_key: String,
    integration: IntegrationId,
    space: SpaceId,
    groups: Vec<DestinationId>,
    events: AtomicU64,
}

impl Setting {
    pub(crate) async fn make(larkspur: &Larkspur) -> anyhow::Result<Self> {
        let api = Api::new(&larkspur.base_url, larkspur.api_key.expose());
        let mut groups = Vec::new();
        for n in 0..GROUPS {
            let url = format!("https://open.feishu.cn/open-apis/bot/v2/hook/speed-{n}");
            let body = json!({"name": format!("group {n}"), "channel": "feishu_bot", "settings": {"url": url}});
            groups.push(text(&api.create("/destinations", &body).await, "id")?.parse()?);
        }
        let space = api.create("/spaces", &json!({"name": "speed", "destinations": [groups[0]]})).await;
        let limits = json!({"per_second": 100_000, "per_minute": 1_000_000});
        let integration = json!({"name": "speed", "space": space["id"], "limits": limits});
        let integration = api.create("/integrations", &integration).await;
        let url = text(&integration, "url")?;
        Ok(Self {
            clock: larkspur.clock.clone(),
            path: url[url.find("/open-apis").context("a path")?..].to_owned(),
            api_key: larkspur.api_key.expose().to_owned(),
            integration: text(&integration, "id")?.parse()?,
            space: text(&space, "id")?.parse()?,
            groups,
            events: AtomicU64::new(0),
        })
    }

    pub(crate) fn is_batch(function: &str) -> bool {
        matches!(function, "EvaluateFunction" | "NotifyFunction")
    }

    /// The next event for this function, of so many records if it is given batches.
    pub(crate) fn event(&self, function: &str, batch: usize) -> Value {
        match function {
            "EvaluateFunction" => records(function, (0..batch).map(|_| self.message())),
            "NotifyFunction" => records(function, (0..batch).map(|_| self.notice())),
            "ConsoleFunction" => {
                let bearer = format!("Bearer {}", self.api_key);
                request("GET", "/api/v1/spaces", &json!({"authorization": bearer}), "")
            }
            _ => {
                let body = json!({"msg_type": "text", "content": {"text": TEXT}}).to_string();
                request("POST", &self.path, &json!({"content-type": "application/json"}), &body)
            }
        }
    }

    fn message(&self) -> Value {
        let count = self.events.fetch_add(1, Ordering::Relaxed);
        let message = Message {
            msg_type: MsgType::Text,
            title: "Feishu Alert".to_owned(),
            content: TEXT.to_owned(),
            labels: std::collections::BTreeMap::new(),
        };
        let received = Received {
            stamp: self.stamp(count),
            integration: self.integration.clone(),
            origin: Origin { process: "speed".to_owned(), count, queued: None },
            acceptance: Acceptance::Accepted(message),
            body: RawBody::Text(json!({"msg_type": "text", "content": {"text": TEXT}}).to_string()),
            replay_of: None,
            times: 1,
        };
        serde_json::to_value(&received).expect("a message is JSON")
    }

    fn notice(&self) -> Value {
        let count = self.events.fetch_add(1, Ordering::Relaxed);
        let (stamp, group) = (self.stamp(count), &self.groups[count as usize % GROUPS]);
        let incident = alerting::base::ids::IncidentId::of(&self.space, stamp);
        json!({"tell": {
            "destination": group, "n": 1, "kind": "triggered", "at": self.clock.now(), "actor": "source",
            "incident": incident, "num": incident.num(), "space": self.space, "space_name": "speed",
            "title": "Feishu Alert", "description": TEXT, "severity": Severity::Warning,
            "progress": Progress::Triggered, "triggered_at": self.clock.now(), "closed_at": null,
            "integration_name": "speed",
        }})
    }

    fn stamp(&self, number: u64) -> Stamp {
        Stamp::from_parts(self.clock.now(), u128::from(number))
    }
}

fn text<'a>(made: &'a Value, name: &str) -> anyhow::Result<&'a str> {
    made[name].as_str().with_context(|| format!("no {name} in {made}"))
}

fn records(function: &str, bodies: impl Iterator<Item = Value>) -> Value {
    let record = |body: Value| {
        let group = body["tell"]["destination"].as_str().unwrap_or(function).to_owned();
        let id = alerting::base::ids::hash128(&[&body.to_string()]);
        json!({
            "messageId": id, "receiptHandle": id, "body": body.to_string(), "md5OfBody": "", "messageAttributes": {},
            "attributes": {"ApproximateReceiveCount": "1", "MessageGroupId": group, "SentTimestamp": "0"},
            "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:q", "awsRegion": "us-east-1",
        })
    };
    json!({"Records": bodies.map(record).collect::<Vec<_>>()})
}

/// An event of the HTTP API, payload format 2.0.
fn request(method: &str, path: &str, headers: &Value, body: &str) -> Value {
    let host = "abcdefghij.execute-api.us-east-1.amazonaws.com";
    let mut headers = headers.clone();
    headers["host"] = host.into();
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "", "headers": headers,
        "requestContext": {
            "accountId": "000000000000", "apiId": "abcdefghij", "domainName": host, "domainPrefix": "abcdefghij",
            "requestId": "r", "routeKey": "$default", "stage": "$default", "time": "", "timeEpoch": 0,
            "http": {
                "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7", "userAgent": "x",
            },
        },
        "body": body, "isBase64Encoded": false,
    })
}
