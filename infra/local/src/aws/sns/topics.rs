//! The topics as the storage thread holds them. A published message is sent to the subscribed queues in the transaction
//! of the publish itself, so it reaches all of them or, with an error to the publisher, none.

use std::collections::BTreeMap;

use alerting::base::moment::Moment;
use rusqlite::params;
use rusqlite::types::Type;
use serde_json::{Map, Value, json};

use super::error::SnsError;
use super::filter::Policy;
use crate::aws::database::{Db, WorkError};
use crate::aws::names::{name_of_arn, topic_arn, uuid};
use crate::aws::sqs::message::{Blob, MessageAttributes, Outgoing, Prepared};
use crate::aws::sqs::queues::Queues;

pub type SubscriptionAttributes = BTreeMap<String, String>;

/// The number of text messages that are kept: enough to look at, but few, because they contain people's numbers.
const KEPT_TEXTS: i64 = 1_000;

/// A queue that receives the messages published to a topic.
#[derive(Debug, Clone)]
pub struct Subscription {
    pub arn: String,
    pub topic: String,
    /// The queue's ARN.
    pub endpoint: String,
    pub attributes: SubscriptionAttributes,
    rules: Rules,
}

/// What a subscription's attributes mean.
#[derive(Debug, Clone, Default)]
struct Rules {
    /// Delivers the message itself, without SNS's envelope around it.
    raw: bool,
    policy: Option<Policy>,
    /// Whether the policy applies to the body.
    of_body: bool,
}

/// A message to publish.
#[derive(Debug, Clone, Default)]
pub struct Publication {
    pub message: String,
    pub subject: Option<String>,
    pub attributes: MessageAttributes,
    /// `AWSTraceHeader` of the messages in the subscribed queues.
    pub trace: Option<String>,
}

/// A text message that AWS would have sent to a telephone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextMessage {
    pub message_id: String,
    pub phone: String,
    pub message: String,
    pub sent_at: Moment,
}

#[derive(Default)]
pub(crate) struct Topics {
    topics: BTreeMap<String, Vec<Subscription>>,
}

impl Topics {
    pub(crate) fn read(db: &Db) -> rusqlite::Result<Self> {
        let mut all = Self::default();
        let mut rows = db.read().prepare("SELECT arn FROM topic")?;
        for arn in rows.query_map([], |row| row.get(0))? {
            all.topics.insert(arn?, Vec::new());
        }
        let mut rows = db.read().prepare("SELECT arn, topic, endpoint, attributes FROM subscription")?;
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            let bad = |error: String| rusqlite::Error::FromSqlConversionFailure(3, Type::Text, error.into());
            let text: String = row.get(3)?;
            let attributes: SubscriptionAttributes = serde_json::from_str(&text).map_err(|e| bad(e.to_string()))?;
            let rules = Rules::parse(&attributes).map_err(|e| bad(e.to_string()))?;
            let (arn, topic, endpoint) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let subscription = Subscription { arn, topic, endpoint, attributes, rules };
            all.topics.entry(subscription.topic.clone()).or_default().push(subscription);
        }
        Ok(all)
    }

    /// Creates a topic, or finds the one of this name. Returns its ARN.
    pub(crate) fn create(&mut self, db: &Db, name: &str, now: Moment) -> Result<String, WorkError<SnsError>> {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if !(1..=256).contains(&name.len()) || !name.bytes().all(good) {
            let reason = "Topic Name: letters, digits, hyphens and underscores; FIFO topics are not supported here";
            return Err(SnsError::BadParameter(reason.to_owned()).into());
        }
        let arn = topic_arn(name);
        if !self.topics.contains_key(&arn) {
            let mut insert = db.write()?.prepare_cached("INSERT INTO topic (arn, created_at) VALUES (?, ?)")?;
            insert.execute(params![arn, now.millis()])?;
            self.topics.insert(arn.clone(), Vec::new());
        }
        Ok(arn)
    }

    /// Deletes a topic with its subscriptions. Deleting a topic that does not exist succeeds.
    pub(crate) fn delete(&mut self, db: &Db, topic: &str) -> Result<(), WorkError<SnsError>> {
        if self.topics.remove(topic).is_some() {
            db.write()?.execute("DELETE FROM subscription WHERE topic = ?", [topic])?;
            db.write()?.execute("DELETE FROM topic WHERE arn = ?", [topic])?;
        }
        Ok(())
    }

    pub(crate) fn arns(&self) -> Vec<String> {
        self.topics.keys().cloned().collect()
    }

    pub(crate) fn subscriptions(&self, topic: &str) -> Result<&[Subscription], SnsError> {
        self.topics.get(topic).map(Vec::as_slice).ok_or(SnsError::NoSuchTopic)
    }

    /// Subscribes a queue. A queue that is already subscribed with these attributes stays subscribed.
    pub(crate) fn subscribe(
        &mut self,
        db: &Db,
        topic: &str,
        endpoint: &str,
        attributes: SubscriptionAttributes,
    ) -> Result<String, WorkError<SnsError>> {
        check_endpoint(endpoint)?;
        let rules = Rules::parse(&attributes)?;
        let existing = self.subscriptions(topic)?.iter().find(|subscription| subscription.endpoint == endpoint);
        match existing {
            Some(same) if same.attributes == attributes => return Ok(same.arn.clone()),
            Some(_) => {
                let reason = "Attributes Reason: Subscription already exists with different attributes";
                return Err(SnsError::BadParameter(reason.to_owned()).into());
            }
            None => {}
        }
        let arn = format!("{topic}:{}", uuid());
        let (topic, endpoint) = (topic.to_owned(), endpoint.to_owned());
        let subscription = Subscription { arn: arn.clone(), topic, endpoint, attributes, rules };
        subscription.save(db)?;
        self.topics.entry(subscription.topic.clone()).or_default().push(subscription);
        Ok(arn)
    }

    pub(crate) fn unsubscribe(&mut self, db: &Db, arn: &str) -> Result<(), WorkError<SnsError>> {
        db.write()?.execute("DELETE FROM subscription WHERE arn = ?", [arn])?;
        self.topics.values_mut().for_each(|all| all.retain(|subscription| subscription.arn != arn));
        Ok(())
    }

    pub(crate) fn subscription(&self, arn: &str) -> Result<&Subscription, SnsError> {
        let mut all = self.topics.values().flatten();
        all.find(|subscription| subscription.arn == arn).ok_or(SnsError::NoSuchSubscription)
    }

    /// Sets one attribute; an empty value removes it.
    pub(crate) fn set_attribute(
        &mut self,
        db: &Db,
        arn: &str,
        name: String,
        value: String,
    ) -> Result<(), WorkError<SnsError>> {
        let mut changed = self.subscription(arn)?.clone();
        match value.is_empty() {
            true => drop(changed.attributes.remove(&name)),
            false => drop(changed.attributes.insert(name, value)),
        }
        changed.rules = Rules::parse(&changed.attributes)?;
        changed.save(db)?;
        let mut all = self.topics.values_mut().flatten();
        if let Some(subscription) = all.find(|subscription| subscription.arn == arn) {
            *subscription = changed;
        }
        Ok(())
    }

    /// Sends to every queue whose filter matches. Returns the message's id.
    pub(crate) fn publish(
        &self,
        db: &Db,
        queues: &mut Queues,
        topic: &str,
        publication: &Publication,
        now: Moment,
    ) -> Result<String, WorkError<SnsError>> {
        let subscriptions = self.subscriptions(topic)?;
        let message_id = uuid();
        for subscription in subscriptions.iter().filter(|subscription| subscription.rules.take(publication)) {
            let outgoing = subscription.outgoing(publication, &message_id, now);
            let queue = name_of_arn(&subscription.endpoint);
            let sent = Prepared::new(outgoing).map_err(WorkError::Refused);
            let sent = WorkError::split(sent.and_then(|prepared| queues.send(db, queue, &prepared, now)))?;
            // As on AWS: if a subscriber's queue refuses a message, it is lost for that subscriber, and the publisher
            // gets no error.
            if let Err(error) = sent {
                tracing::warn!(queue, %error, "a subscribed queue did not take a published message");
            }
        }
        Ok(message_id)
    }
}

/// Keeps a text message so that it can be looked at. Returns its id.
pub(crate) fn keep_text(db: &Db, phone: &str, message: &str, now: Moment) -> rusqlite::Result<String> {
    let (connection, message_id) = (db.write()?, uuid());
    let seq = connection
        .prepare_cached("INSERT INTO text_message (message_id, phone, message, sent_at) VALUES (?, ?, ?, ?)")?
        .insert(params![message_id, phone, message, now.millis()])?;
    connection.prepare_cached("DELETE FROM text_message WHERE seq <= ?")?.execute([seq - KEPT_TEXTS])?;
    Ok(message_id)
}

/// The kept text messages, newest first.
pub(crate) fn texts(db: &Db) -> rusqlite::Result<Vec<TextMessage>> {
    let mut rows =
        db.read().prepare("SELECT message_id, phone, message, sent_at FROM text_message ORDER BY seq DESC")?;
    let rows = rows.query_map([], |row| {
        let sent_at = Moment::from_millis(row.get(3)?);
        Ok(TextMessage { message_id: row.get(0)?, phone: row.get(1)?, message: row.get(2)?, sent_at })
    })?;
    rows.collect()
}

fn check_endpoint(endpoint: &str) -> Result<(), SnsError> {
    let reason = match endpoint.starts_with("arn:aws:sqs:") {
        false => "Endpoint Reason: only queues can be subscribed here",
        true if endpoint.ends_with(".fifo") => {
            "Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics"
        }
        true => return Ok(()),
    };
    Err(SnsError::BadParameter(reason.to_owned()))
}

impl Rules {
    fn parse(attributes: &SubscriptionAttributes) -> Result<Self, SnsError> {
        let mut rules = Self::default();
        for (name, value) in attributes {
            match (name.as_str(), value.as_str()) {
                ("RawMessageDelivery", "true") => rules.raw = true,
                ("RawMessageDelivery", "false") | ("FilterPolicyScope", "MessageAttributes") => {}
                ("FilterPolicyScope", "MessageBody") => rules.of_body = true,
                ("FilterPolicy", text) => {
                    let policy = Policy::parse(text);
                    rules.policy = Some(policy.map_err(|why| SnsError::BadParameter(format!("FilterPolicy: {why}")))?);
                }
                _ => return Err(SnsError::BadParameter(format!("AttributeName or value: {name}"))),
            }
        }
        Ok(rules)
    }

    fn take(&self, publication: &Publication) -> bool {
        match &self.policy {
            None => true,
            Some(policy) if self.of_body => policy.takes_body(&publication.message),
            Some(policy) => policy.takes_attributes(&publication.attributes),
        }
    }
}

impl Subscription {
    fn save(&self, db: &Db) -> rusqlite::Result<()> {
        let attributes = serde_json::to_string(&self.attributes).expect("a map of texts is JSON");
        db.write()?
            .prepare_cached(
                "INSERT OR REPLACE INTO subscription (arn, topic, endpoint, attributes) VALUES (?, ?, ?, ?)",
            )?
            .execute(params![self.arn, self.topic, self.endpoint, attributes])?;
        Ok(())
    }

    fn outgoing(&self, publication: &Publication, message_id: &str, now: Moment) -> Outgoing {
        let trace = publication.trace.clone();
        if self.rules.raw {
            let (body, attributes) = (publication.message.clone(), publication.attributes.clone());
            return Outgoing { body, attributes, trace, ..Outgoing::default() };
        }
        Outgoing { body: self.envelope(publication, message_id, now).to_string(), trace, ..Outgoing::default() }
    }

    /// The envelope as SNS writes it, but unsigned, because there is no certificate here.
    fn envelope(&self, publication: &Publication, message_id: &str, now: Moment) -> Value {
        let mut envelope = json!({
            "Type": "Notification",
            "MessageId": message_id,
            "TopicArn": self.topic,
            "Message": publication.message,
            "Timestamp": now.rfc3339(),
            "SignatureVersion": "1",
            "Signature": "",
            "SigningCertURL": "",
            "UnsubscribeURL": "",
        });
        if let Some(subject) = &publication.subject {
            envelope["Subject"] = json!(subject);
        }
        if !publication.attributes.is_empty() {
            envelope["MessageAttributes"] = shown(&publication.attributes);
        }
        envelope
    }
}

/// `{"severity": {"Type": "String", "Value": "high"}}`
fn shown(attributes: &MessageAttributes) -> Value {
    let value = |text: &Option<String>, bytes: &Option<Blob>| match text {
        Some(text) => json!(text),
        None => json!(bytes),
    };
    let attributes = attributes.iter().map(|(name, attribute)| {
        let value = value(&attribute.string_value, &attribute.binary_value);
        (name.clone(), json!({"Type": attribute.data_type, "Value": value}))
    });
    Value::Object(attributes.collect::<Map<_, _>>())
}
