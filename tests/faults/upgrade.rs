//! 54: a new version starts on the data of an old one, which has messages, notices and due work in progress, and
//! continues that work.
//!
//! `tests/fixtures/upgrade/README.md` describes the recorded data and how it was recorded.

use std::collections::BTreeSet;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use alerting::base::moment::Moment;
use lambda_kit::clock::Clock;
use lambda_kit::queue::{Entry, Queue};
use local::aws::Request;
use local::options::Options;
use scenarios::mail::MailServer;
use scenarios::{World, hours, minutes};
use serde_json::{Value, json};
use vendors::group::Rules;
use vendors::vendor::Vendor;

const PATIENCE: Duration = Duration::from_secs(60);

/// The data of a killed Larkspur, and the answers of its API just before the kill.
struct Left {
    about: Value,
    config: Vec<Value>,
    alerts: Vec<Value>,
    queues: Vec<Value>,
    answers: Vec<Value>,
}

impl Left {
    fn recorded(name: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/upgrade").join(name);
        let read = |file: &str| std::fs::read_to_string(folder.join(file)).expect("recorded");
        let parse = |line: &str| serde_json::from_str(line).expect("JSON");
        let lines = |file: &str| read(file).lines().map(parse).collect();
        let [config, alerts, queues, answers] =
            ["config", "alerts", "queues", "answers"].map(|one| lines(&format!("{one}.jsonl")));
        Self { about: parse(&read("about.json")), config, alerts, queues, answers }
    }

    /// The same data as a later version might write it, with one more field in every item, document and record.
    fn with_more(mut self) -> Self {
        let more = |text: &mut Value| {
            let Some(Ok(Value::Object(mut document))) = text.as_str().map(serde_json::from_str) else { return };
            // A notice is nested below the name of its task.
            let inner = document.get_mut("tell").and_then(Value::as_object_mut);
            let unknown = ("from_a_version_to_come".to_owned(), json!({"unknown": [1, null]}));
            match inner {
                Some(inner) => inner.extend([unknown]),
                None => document.extend([unknown]),
            }
            *text = Value::Object(document).to_string().into();
        };
        for item in self.config.iter_mut().chain(&mut self.alerts) {
            item["from_a_version_to_come"] = json!({"S": "unknown"});
            for attribute in item.as_object_mut().expect("an item").values_mut() {
                attribute.get_mut("S").map(more);
            }
        }
        self.queues.iter_mut().for_each(|record| more(&mut record["body"]));
        self
    }

    fn id(&self, name: &str) -> &str {
        self.about["known"][name].as_str().unwrap_or_else(|| panic!("{name} was not recorded"))
    }

    fn has(&self, name: &str) -> bool {
        self.about["known"].get(name).is_some()
    }

    /// The same text with the address of the new Larkspur in place of the old one's.
    fn moved(&self, text: &str, world: &World) -> String {
        text.replace(self.about["base"].as_str().expect("a base"), &world.larkspur.base_url)
    }

    /// The kinds of items, by the first part of their partition key.
    fn kinds(&self) -> BTreeSet<&str> {
        self.config.iter().chain(&self.alerts).filter_map(|item| item["pk"]["S"].as_str()?.split('#').next()).collect()
    }

    /// Starts a new Larkspur with the old one's keys and tables, at the time at which the old one was killed.
    async fn taken_over(&self, data: &Path) -> World {
        for (file, secret) in [("api-key", "api_key"), ("data-key", "data_key")] {
            let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(data.join(file));
            let secret = self.about[secret].as_str().expect("a secret");
            std::io::Write::write_all(&mut file.expect("made"), secret.as_bytes()).expect("written");
        }
        let (clock, now) = (Clock::system(), self.about["now"].as_str().and_then(Moment::parse_rfc3339));
        clock.advance(now.expect("a moment").since(clock.now()));
        let options = Options { data: Some(data.to_owned()), clock, ..Options::default() };
        let world = World::start_with(options).await;
        for (vendor, group) in [
            (Vendor::Feishu, "ops"),
            (Vendor::Feishu, "held"),
            (Vendor::DingTalk, "slow"),
            (Vendor::WeCom, "wecom"),
            (Vendor::Slack, "slack"),
            (Vendor::Telegram, "-100"),
            (Vendor::Zoom, "zoom"),
        ] {
            world.larkspur.fakes.open(vendor, group, Rules::default());
        }
        put(&world, "CONFIG_TABLE", &self.config).await;
        put(&world, "ALERTS_TABLE", &self.alerts).await;
        world
    }

    fn waiting(&self, queue: &str) -> impl Iterator<Item = &Value> {
        self.queues.iter().filter(move |record| record["queue"].as_str().is_some_and(|name| name.contains(queue)))
    }

    /// Puts the messages of the old queues into the new ones.
    async fn deliver(&self, world: &World, queue: &str, variable: &str) {
        let evaluate = world.larkspur.stack.function("EvaluateFunction").expect("deployed");
        let sdk = world.larkspur.aws().sdk_config();
        let url = evaluate.variable(variable).expect("set");
        let text = |record: &Value, name: &str| record[name].as_str().map(str::to_owned);
        for record in self.waiting(queue) {
            let entry = Entry {
                body: text(record, "body").expect("a body"),
                group: text(record, "group"),
                deduplication_id: text(record, "dedup"),
                delay: None,
            };
            Queue::new(aws_sdk_sqs::Client::new(&sdk), url).send_batch(vec![entry]).await.expect("sent");
        }
    }

    /// Checks that the API shows all data of the old version unchanged. It may show more.
    async fn is_shown_as_before(&self, world: &World) {
        for (path, before) in self.answers() {
            let before: Value = serde_json::from_str(&self.moved(&before.to_string(), world)).expect("JSON");
            let now = world.api.get(path).await;
            if let Some(difference) = difference(&before, &now) {
                panic!("{path} differs at {difference}\nbefore: {before:#}\nnow: {now:#}");
            }
        }
    }

    /// The URL that a sender had before the upgrade, with the address of the new Larkspur.
    fn url(&self, name: &str, world: &World) -> String {
        let path = format!("/integrations/{}", self.id(&format!("to {name}")));
        let (_, shown) = self.answers().find(|(known, _)| *known == path).expect("it was shown");
        self.moved(shown["url"].as_str().expect("a URL"), world)
    }

    /// The answers of the old version's API, by address.
    fn answers(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.answers.iter().map(|answer| (answer["path"].as_str().expect("an address"), &answer["answer"]))
    }

    async fn says(&self, world: &World, name: &str, text: &str) {
        let body = json!({"msg_type": "text", "content": {"text": text}});
        let answer = world.api.post(&self.url(name, world), body.to_string()).await;
        assert_eq!(answer.body["code"], 0, "{}", answer.text);
    }
}

/// Writes the recorded items into a table.
async fn put(world: &World, table: &str, items: &[Value]) {
    let evaluate = world.larkspur.stack.function("EvaluateFunction").expect("deployed");
    let table = evaluate.variable(table).expect("set");
    for item in items {
        let put = json!({"TableName": table, "Item": item}).to_string();
        let aws = world.larkspur.aws();
        let target = Some("DynamoDB_20120810.PutItem");
        let answer = aws.answer(&Request { target, host: "aws.invalid", trace: None, body: put.as_bytes() }).await;
        assert!(answer.status().is_success(), "{item}: {}", String::from_utf8_lossy(answer.body()));
    }
}

/// The paths whose value in `before` is missing or different in `now`. Additional values are not reported.
fn difference(before: &Value, now: &Value) -> Option<String> {
    match (before, now) {
        (Value::Object(before), Value::Object(now)) => before.iter().find_map(|(name, value)| {
            let found = now.get(name).map_or(Some("nothing".to_owned()), |now| difference(value, now));
            found.map(|rest| format!("{name}.{rest}"))
        }),
        // Elements must be in the same order, but others may be between them.
        (Value::Array(before), Value::Array(now)) => {
            let mut rest = now.iter();
            let lost = |value: &&Value| !rest.any(|other| difference(value, other).is_none());
            before.iter().find(lost).map(|value| format!("[] {value} is lost or elsewhere"))
        }
        _ => (before != now && !is_the_same_time(before, now)).then(|| format!(" {before} is now {now}")),
    }
}

/// Compares times. Earlier versions wrote only the significant digits of a second: `.25`, where `.250` is written now.
fn is_the_same_time(before: &Value, now: &Value) -> bool {
    let (Some(before), Some(now)) = (before.as_str(), now.as_str()) else { return false };
    Moment::parse_rfc3339(before).is_some_and(|before| before.rfc3339() == now)
}

/// Checks that work in progress takes effect, that existing incidents continue, and that open ones accept actions.
async fn works_on(left: &Left, world: &World) {
    left.deliver(world, "MessagesQueue", "MESSAGES_QUEUE_URL").await;
    left.deliver(world, "NoticesQueue", "NOTICES_QUEUE_URL").await;
    shows(world, Vendor::Feishu, "ops", &["under way", "Recovered"]).await;
    becomes(left, world, "open", "progress", "closed").await;
    says_the_same_alert_again(left, world).await;
    acts_on_what_was_open(left, world).await;
    world.advance(minutes(2)).await;
    left.deliver(world, "DueQueue", "DUE_QUEUE_URL").await;
    world.advance(hours(4)).await; // the snooze ends, the next level is notified, the level repeats
    becomes(left, world, "snoozed", "progress", "triggered").await;
    shows(world, Vendor::Feishu, "held", &["held 0", "held 1", "held 2"]).await;
    shows(world, Vendor::DingTalk, "slow", &["slow 0.", "slow 15.", "slow 29."]).await;
}

/// Waits until a group shows these texts, in any number of messages, because simultaneous ones are folded.
async fn shows(world: &World, vendor: Vendor, group: &str, texts: &[&str]) {
    let start = Instant::now();
    loop {
        let shown: String = world.group(vendor, group).messages().iter().map(|one| one.everything()).collect();
        let Some(missing) = texts.iter().find(|text| !shown.contains(**text)) else { return };
        assert!(start.elapsed() < PATIENCE, "{group} does not show {missing}: {shown}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until a field of an old incident has this value.
async fn becomes(left: &Left, world: &World, incident: &str, field: &str, value: &str) {
    let (start, path) = (Instant::now(), format!("/incidents/{}", left.id(&format!("incident {incident}"))));
    loop {
        let shown = world.api.get(&path).await;
        if shown[field] == value {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "{incident}: {field} is not {value}: {shown:#}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn says_the_same_alert_again(left: &Left, world: &World) {
    left.says(world, "Ops", "snoozed, and worse\nkey=snoozed level=critical").await;
    left.says(world, "each", "one more of its own").await;
    shows(world, Vendor::Feishu, "ops", &["snoozed, and worse", "Feishu Alert"]).await;
    becomes(left, world, "snoozed", "severity", "Critical").await; // the old alert is the one that is updated
}

async fn acts_on_what_was_open(left: &Left, world: &World) {
    let id = left.id("incident acknowledged");
    for (action, body) in [("close", json!({})), ("reopen", json!({})), ("acknowledge", json!({}))] {
        let done = world.api.call("POST", &format!("/incidents/{id}/{action}"), Some(&body)).await;
        assert!(done.status < 300, "{action}: {}", done.text);
        world.rest().await;
    }
    let shown = world.api.get(&format!("/incidents/{id}")).await;
    assert_eq!(shown["progress"], "processing", "{shown:#}");
    for (path, _) in left.answers().filter(|(path, _)| path.contains("/messages/")) {
        world.api.get(&format!("{path}/trace")).await;
    }
    let space = format!("/spaces/{}", left.id("Ops"));
    let mut renamed = world.api.get(&space).await;
    renamed["name"] = "Operations".into();
    for name in ["id", "version", "created_at", "warnings"] {
        renamed.as_object_mut().expect("a space").remove(name);
    }
    let saved = world.api.call("PUT", &space, Some(&renamed)).await;
    assert_eq!((saved.status, &saved.body["name"]), (200, &json!("Operations")), "{}", saved.text);
}

/// Checks that sessions stay signed in, that old links still lead to their incident, and that the mail server can be
/// replaced.
async fn knows_its_people(left: &Left, world: &World) {
    let (name, token) = left.about["cookies"].as_object().and_then(|cookies| cookies.iter().next()).expect("a session");
    let person = world.visitor_with(&format!("{name}={}", token.as_str().expect("a token")));
    assert_eq!(person.opens("/incidents").await.status, 200);
    let page = person.opens(&format!("/incidents/{}", left.id("incident levels"))).await;
    assert!(page.status == 200 && page.text.contains("levels"), "{} {}", page.status, page.text);
    let shown = left.about["shown"].as_array().expect("messages").iter().filter_map(Value::as_str);
    let mut of_levels =
        shown.filter(|text| text.contains("levels")).flat_map(|text| text.split(['"', '\\', '(', ')', ' ']));
    let link = of_levels.rfind(|word| word.contains("/links/")).expect("a link");
    let page = person.opens(&left.moved(link, world)).await;
    assert!(page.status == 200 && page.text.contains("levels"), "{} {}", page.status, page.text);
    let invitation = world.visitor().opens(left.id("invitation")).await;
    assert_eq!(invitation.status, 200, "an invitation from before is good: {}", invitation.text);
    let on_call = world.api.get(&format!("/schedules/{}/on-call", left.id("primary"))).await;
    assert!(
        on_call.to_string().contains(left.id("li")) || on_call.to_string().contains(left.id("wang")),
        "{on_call:#}"
    );
}

async fn upgrades(left: &Left) {
    let data = tempfile::tempdir().expect("a directory");
    let world = left.taken_over(data.path()).await;
    left.is_shown_as_before(&world).await;
    let mut letters = None;
    if left.has("li") {
        let server = MailServer::start(&[]).await;
        world.mails_by(&server).await;
        letters = Some(server);
        knows_its_people(left, &world).await;
    }
    works_on(left, &world).await;
    if let Some(mut letters) = letters {
        shows(&world, Vendor::Slack, "slack", &["soon", "levels"]).await;
        let letter = letters.next().await;
        assert!(letter.to_string().contains("levels"), "{letter:#}");
    }
    for group in ["ops", "held"] {
        world.feishu(group).accept_all();
    }
    for (vendor, group) in [(Vendor::DingTalk, "slow"), (Vendor::Slack, "slack"), (Vendor::Telegram, "-100")] {
        world.group(vendor, group).accept_all();
    }
    world.finish_with_timers().await; // nothing has become a dead letter
}

// Proves: fault 54
#[tokio::test]
async fn data_of_the_first_schema_is_read_and_its_work_continues() {
    let left = Left::recorded("2026-11-22-intake-to-group");
    assert!(
        left.kinds().is_superset(&BTreeSet::from(["ALERT", "STATE", "INCIDENT", "DELIVERY", "LOG", "TIMER", "BUCKET"]))
    );
    upgrades(&left).await;
}

// Proves: fault 54
#[tokio::test]
async fn data_of_the_last_schema_is_read_and_its_work_continues() {
    upgrades(&Left::recorded("2026-11-22-people-and-pages")).await;
}

/// While a new version is deployed, the old one may read what the new one wrote: it ignores unknown fields.
// Proves: fault 54
#[tokio::test]
async fn data_of_a_later_version_is_read_and_its_work_continues() {
    upgrades(&Left::recorded("2026-11-22-people-and-pages").with_more()).await;
}
