//! One recorded call.

use std::time::Instant;

use serde_json::Value;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    DynamoDb,
    Sqs,
    Sns,
    SecretsManager,
    Provider,
}

#[derive(Debug, Clone)]
pub struct Call {
    pub service: Service,
    /// `UpdateItem`, `SendMessageBatch`, `PublishBatch`; of a vendor, the HTTP method.
    pub action: String,
    /// Table, queue's URL, topic, secret; of a vendor, the path.
    pub resource: String,
    pub body: String,
    pub at: Instant,
    /// Whether it was passed on to the service or vendor.
    pub passed_on: bool,
    /// The status that was answered, if anything was.
    pub status: Option<u16>,
    /// Whether a rule applied to it.
    pub struck: bool,
}

impl Call {
    /// `target`: the header that names an action of all but SNS.
    pub(super) fn read(is_provider: bool, method: &str, path: &str, target: Option<&str>, body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body).into_owned();
        let (service, action, resource) = match target.and_then(|target| target.split_once('.')) {
            _ if is_provider => (Service::Provider, method.to_owned(), path.to_owned()),
            Some((service, action)) => {
                let json = serde_json::from_str(&text).unwrap_or_default();
                (named(service), action.to_owned(), resource(&json))
            }
            None => {
                let field = |name: &str| {
                    let found = form_urlencoded::parse(body).find(|(key, _)| key == name);
                    found.map(|(_, value)| value.into_owned()).unwrap_or_default()
                };
                (Service::Sns, field("Action"), field("TopicArn"))
            }
        };
        let at = Instant::now();
        Self { service, action, resource, body: text, at, passed_on: false, status: None, struck: false }
    }
}

fn named(service: &str) -> Service {
    match service {
        "AmazonSQS" => Service::Sqs,
        "secretsmanager" => Service::SecretsManager,
        service if service.starts_with("DynamoDB") => Service::DynamoDb,
        other => panic!("the wire does not know the service {other}"),
    }
}

/// The names of several tables, joined.
fn resource(json: &Value) -> String {
    let direct = ["TableName", "QueueUrl", "SecretId"].iter().find_map(|name| json[*name].as_str());
    if let Some(direct) = direct {
        return direct.to_owned();
    }
    let by_table = json["RequestItems"].as_object().into_iter().flat_map(|items| items.keys().cloned());
    let transaction = json["TransactItems"].as_array().into_iter().flatten();
    let parts = transaction.filter_map(|item| item.as_object()?.values().next()?["TableName"].as_str());
    by_table.chain(parts.map(str::to_owned)).collect::<Vec<_>>().join(" ")
}
