//! A deployment that is killed and started again, together with the group that it notifies.

use std::future::Future;
use std::time::{Duration, Instant};

use lambda_kit::clock::Clock;
use scenarios::process::Process;
use scenarios::wire::Wire;
use serde_json::{Value, json};
use vendors::fakes::Fakes;
use vendors::router::router;
use vendors::vendor::Vendor;

const PATIENCE: Duration = Duration::from_secs(60);
/// Longer than the lease of a delivery, and longer than a minute, after which all due work has been swept.
const LATER: Duration = Duration::from_secs(65);
/// The time without a call after which no work is left. On one machine no batch waits.
const QUIET: Duration = Duration::from_millis(700);

pub(super) struct Run {
    pub(super) wire: Wire,
    fakes: Fakes,
    data: tempfile::TempDir,
    process: Option<Process>,
    /// How far the clock has been moved.
    ahead: Duration,
    /// The path of the integration's URL, which stays the same when the process and its port change.
    path: String,
    pub(super) integration: String,
    pub(super) space: String,
}

impl Run {
    /// A deployment that groups messages into alerts by the key in their text, and that notifies one group.
    pub(super) async fn keyed() -> Self {
        let key = json!([{"field": "content", "pattern": r"key=(\w+)"}]);
        let close = json!([{"any": [{"all": [{"field": "content", "op": "match", "values": ["/RESOLVED/"]}]}]}]);
        let mode = json!({"type": "by_rules", "trigger": [{}], "close": close, "key": key, "unmatched": "discard"});
        Self::start("feishu_bot", "https://open.feishu.cn/open-apis/bot/v2/hook/ops", json!({"push_mode": mode})).await
    }

    /// A deployment that opens an alert for each message, and that notifies a group on this channel.
    pub(super) async fn each(channel: &str, url: &str) -> Self {
        Self::start(channel, url, json!({})).await
    }

    async fn start(channel: &str, group: &str, mut integration: Value) -> Self {
        let wire = Wire::start().await;
        let clock = Clock::system();
        let fakes = Fakes::new(move || clock.now(), None).expect("in memory");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        wire.providers_are_at(&format!("http://{}", listener.local_addr().expect("bound")));
        let platforms = router(&fakes);
        tokio::spawn(async move { axum::serve(listener, platforms).await });
        let data = tempfile::tempdir().expect("a directory");
        let (path, id, space) = Default::default();
        let mut run = Self { wire, fakes, data, process: None, ahead: Duration::ZERO, path, integration: id, space };
        run.begin().await;
        let settings = json!({"name": "ops", "channel": channel, "settings": {"url": group}});
        let destination = run.api().create("/destinations", &settings).await;
        let space = json!({"name": "Ops", "destinations": [destination["id"]]});
        run.space = text(&run.api().create("/spaces", &space).await, "id");
        integration["name"] = json!("a platform");
        integration["space"] = json!(run.space);
        integration["title_from"] = json!("first_line");
        integration["limits"] = json!({"per_second": 10_000, "per_minute": 100_000});
        let made = run.api().create("/integrations", &integration).await;
        run.integration = text(&made, "id");
        run.path = text(&made, "url").replace(&run.process().base_url, "");
        run
    }

    async fn begin(&mut self) {
        let ahead = self.ahead.as_secs().to_string();
        let mut environment = self.wire.environment();
        environment.push(("LARKSPUR_TEST_CLOCK", "1".to_owned()));
        environment.push(("LARKSPUR_TEST_CLOCK_AHEAD", ahead));
        let environment: Vec<_> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.process = Some(Process::start(self.data.path(), &environment).await.expect("started"));
    }

    /// Kills the process with −9, and starts a new one on the same data. Removes all faults from the wire.
    pub(super) async fn kill_and_start(&mut self) {
        self.process.take().expect("it runs").kill().await.expect("killed");
        self.wire.remove_faults();
        self.begin().await;
    }

    pub(super) fn process(&self) -> &Process {
        self.process.as_ref().expect("it runs")
    }

    pub(super) fn api(&self) -> &scenarios::api::Api {
        &self.process().api
    }

    /// Advances the clock, so that leases expire and messages in flight are received again.
    pub(super) async fn later(&mut self) {
        self.ahead += LATER;
        self.process().advance(LATER).await;
    }

    /// Sends a message as a sender does. Returns whether it was accepted before the sender gave up.
    pub(super) fn send(&self, text: &str) -> impl Future<Output = bool> + use<> {
        let url = format!("{}{}", self.process().base_url, self.path);
        let body = json!({"msg_type": "text", "content": {"text": text}}).to_string();
        async move {
            let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20)).build();
            let sent = client.expect("a client").post(url).body(body).send().await;
            let Ok(answer) = sent else { return false };
            let answer: Value = answer.json().await.unwrap_or_default();
            answer["code"] == 0
        }
    }

    /// Sends the message until it is accepted.
    pub(super) async fn says(&self, text: &str) {
        while !self.send(text).await {}
    }

    /// The number of messages in the group that contain this text.
    pub(super) fn shown(&self, text: &str) -> usize {
        self.messages().iter().filter(|message| message.contains(text)).count()
    }

    pub(super) fn messages(&self) -> Vec<String> {
        let all = Vendor::ALL.iter().flat_map(|vendor| self.fakes.messages(*vendor, "ops"));
        all.map(|seen| seen.everything()).collect()
    }

    /// Waits until no more calls are made.
    pub(super) async fn wait_until_quiet(&self) {
        let start = Instant::now();
        let (mut calls, mut since) = (0, Instant::now());
        while since.elapsed() < QUIET {
            assert!(start.elapsed() < PATIENCE * 2, "calls are made on and on");
            tokio::time::sleep(Duration::from_millis(50)).await;
            let now = self.wire.journal().len();
            if now != calls {
                (calls, since) = (now, Instant::now());
            }
        }
    }

    /// Waits until the group shows this text.
    pub(super) async fn shows(&self, text: &str) {
        let start = Instant::now();
        while self.shown(text) == 0 {
            assert!(
                start.elapsed() < PATIENCE,
                "no message with {text}: {:#?} {}",
                self.messages(),
                self.process().printed()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until the log has this many messages, and returns them.
    pub(super) async fn log(&self, count: usize) -> Vec<Value> {
        let start = Instant::now();
        loop {
            let messages = self.api().list(&format!("/integrations/{}/messages", self.integration)).await;
            if messages.len() >= count {
                return messages;
            }
            assert!(
                start.elapsed() < PATIENCE,
                "only {} of {count} messages: {}",
                messages.len(),
                self.process().printed()
            );
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// The state of every delivery of every incident, as the API shows it.
    pub(super) async fn deliveries(&self) -> Vec<String> {
        let mut states = Vec::new();
        for incident in self.api().list("/incidents").await {
            let shown = self.api().get(&format!("/incidents/{}", text(&incident, "id"))).await;
            let deliveries = shown["deliveries"].as_array().unwrap_or_else(|| panic!("{shown:#}"));
            states.extend(deliveries.iter().map(|delivery| text(delivery, "state")));
        }
        states
    }

    /// Checks that the ledger balances and that no message is waiting.
    pub(super) async fn balances(&self, received: u64) {
        let ledger = self.api().get("/ledger?hours=3").await;
        let hours = ledger["items"].as_array().expect("hours");
        let total =
            |part: &str, name: &str| -> u64 { hours.iter().map(|hour| hour[part][name].as_u64().unwrap_or(0)).sum() };
        assert_eq!((total("messages", "received"), total("messages", "waiting")), (received, 0), "{ledger:#}");
        assert!(hours.iter().all(|hour| hour["balanced"] != false), "{ledger:#}");
    }
}

pub(super) fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}")).to_owned()
}
