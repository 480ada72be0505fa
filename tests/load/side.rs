//! The two sides of the comparison: how each is started and set up, and how an alert is sent to it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::program::{Program, free_host};
use crate::wire::{Connection, mark};

const ALERTMANAGER: &str = "/usr/bin/prometheus-alertmanager";
/// A Feishu group accepts 100 messages a minute. With so many groups the measurement shows the processing time and not
/// the waiting for this limit.
pub(crate) const GROUPS: usize = 20;

/// The alerts that many connections send at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Workload {
    /// Messages of 1 KB with a hundred different titles. Nearly all of them update an open alert (push mode by title).
    Titles,
    /// Each message opens an alert and an incident.
    Incidents,
}

/// A running program that receives alerts.
pub(crate) struct Side {
    pub(crate) name: &'static str,
    pub(crate) program: Program,
    intake: Intake,
}

enum Intake {
    /// One path for each group, one path whose alerts notify nobody, and one path that identifies alerts by title and
    /// notifies nobody.
    Larkspur { groups: Vec<String>, silent: String, titles: String },
    /// One path for all alerts. A label decides whether the alert notifies the receiver.
    Alertmanager,
}

impl Side {
    /// Starts Larkspur as `cargo run --release` does, with its data on disk, and configures it to notify the receiver.
    pub(crate) async fn larkspur(binary: &Path, data: &Path, receiver: &str) -> anyhow::Result<Self> {
        let program = start_larkspur(binary, data, receiver).await?;
        let mut api = Api::of(&program, data).await?;
        let mut groups = Vec::new();
        for group in 0..GROUPS {
            let destination = api.destination(group).await?;
            let space = api.space(&[&destination]).await?;
            groups.push(api.integration(&space).await?);
        }
        let nobody = api.space(&[]).await?;
        let silent = api.integration(&nobody).await?;
        let titles = api.integration_in_mode(&nobody, "by_title").await?;
        Ok(Self { name: "Larkspur", program, intake: Intake::Larkspur { groups, silent, titles } })
    }

    /// Starts Alertmanager, which sends a webhook for each alert at once. `None`: Alertmanager is not installed.
    pub(crate) async fn alertmanager(data: &Path, receiver: &str) -> anyhow::Result<Option<Self>> {
        let Some(program) = start_alertmanager(data, receiver).await? else { return Ok(None) };
        Ok(Some(Self { name: "Alertmanager", program, intake: Intake::Alertmanager }))
    }

    /// The path and the body of an alert that notifies the receiver.
    pub(crate) fn notifying_alert(&self, number: usize) -> (&str, String) {
        match &self.intake {
            Intake::Larkspur { groups, .. } => (&groups[number % GROUPS], message(number)),
            Intake::Alertmanager => (ALERTS, alert(number, "group")),
        }
    }

    /// The path and the body of an alert that notifies nobody.
    pub(crate) fn silent_alert(&self, workload: Workload, number: usize) -> (&str, String) {
        match (&self.intake, workload) {
            (Intake::Larkspur { silent, .. }, Workload::Incidents) => (silent, message(number)),
            (Intake::Larkspur { titles, .. }, Workload::Titles) => (titles, titled_message(number)),
            (Intake::Alertmanager, Workload::Incidents) => (ALERTS, alert(number, "nobody")),
            (Intake::Alertmanager, Workload::Titles) => (ALERTS, titled_alert(number)),
        }
    }
}

pub(crate) async fn start_larkspur(binary: &Path, data: &Path, receiver: &str) -> anyhow::Result<Program> {
    start_larkspur_logging(binary, data, receiver, "off", Stdio::inherit()).await
}

pub(crate) async fn start_larkspur_logging(
    binary: &Path,
    data: &Path,
    receiver: &str,
    log: &str,
    to: Stdio,
) -> anyhow::Result<Program> {
    let host = free_host()?;
    let mut command = Command::new(binary);
    command.args(["--listen", &host, "--data"]).arg(data).stderr(to);
    command.env("LARKSPUR_PROVIDER_BASE", receiver).env("LARKSPUR_LOG", log);
    Program::start(command, host, "/groups").await
}

/// Starts Alertmanager. `None`: Alertmanager is not installed.
pub(crate) async fn start_alertmanager(data: &Path, receiver: &str) -> anyhow::Result<Option<Program>> {
    if !Path::new(ALERTMANAGER).exists() {
        return Ok(None);
    }
    let host = free_host()?;
    let config = data.join("alertmanager.yml");
    fs::write(&config, configuration(receiver))?;
    let mut command = Command::new(ALERTMANAGER);
    command.arg(format!("--config.file={}", config.display()));
    command.arg(format!("--storage.path={}", data.display()));
    command.arg(format!("--web.listen-address={host}"));
    command.args(["--cluster.listen-address=", "--log.level=error"]).stderr(Stdio::null());
    Program::start(command, host, "/-/ready").await.map(Some)
}

/// The name and version of Alertmanager, or why it is not measured.
pub(crate) fn alertmanager_version() -> String {
    let version = Command::new(ALERTMANAGER).arg("--version").output();
    let text = version.ok().and_then(|output| String::from_utf8(output.stdout).ok());
    let version = text.and_then(|text| Some(text.split_whitespace().nth(2)?.to_owned()));
    version.map_or_else(|| format!("not measured: no {ALERTMANAGER}"), |version| format!("Alertmanager {version}"))
}

const ALERTS: &str = "/api/v2/alerts";

/// Each alert is a group of its own and is sent without waiting. `group_interval` is longer than a measurement, so no
/// group is processed again during it.
fn configuration(receiver: &str) -> String {
    format!(
        "route:
  receiver: nobody
  group_by: ['...']
  group_wait: 0s
  group_interval: 1h
  repeat_interval: 24h
  routes:
    - receiver: group
      matchers: ['route=\"group\"']
receivers:
  - name: nobody
  - name: group
    webhook_configs: [{{url: '{receiver}/', send_resolved: false}}]
"
    )
}

fn alert(number: usize, route: &str) -> String {
    json!([{
        "labels": {"alertname": format!("disk full {}", mark(number)), "host": format!("db-{number}"), "route": route},
        "annotations": {"description": "used 96%, threshold 90%"},
    }])
    .to_string()
}

/// The number of different titles in the workload `Titles`.
pub(crate) const TITLES: usize = 100;

/// A text that makes the body one kilobyte long.
fn long_text(number: usize) -> String {
    format!("{number:0>8}: used 96%, threshold 90%. {}", "inodes free 1234567, reads 42/s, writes 17/s. ".repeat(19))
}

fn titled_message(number: usize) -> String {
    let text = format!("disk full on db-{}\n{}", number % TITLES, long_text(number));
    json!({"msg_type": "text", "content": {"text": text}}).to_string()
}

fn titled_alert(number: usize) -> String {
    json!([{
        "labels": {"alertname": "disk full", "host": format!("db-{}", number % TITLES), "route": "nobody"},
        "annotations": {"description": long_text(number)},
    }])
    .to_string()
}

/// The body of a message to Larkspur.
pub(crate) fn message(number: usize) -> String {
    let text = format!("disk full {} on db-{number}\nused 96%, threshold 90%", mark(number));
    json!({"msg_type": "text", "content": {"text": text}}).to_string()
}

/// Larkspur's JSON API, as far as the measurements use it.
pub(crate) struct Api {
    connection: Connection,
}

impl Api {
    pub(crate) async fn of(program: &Program, data: &Path) -> anyhow::Result<Self> {
        let key = fs::read_to_string(data.join("api-key"))?;
        Ok(Self { connection: Connection::authorized(&program.host, key.trim()).await? })
    }

    pub(crate) async fn get(&mut self, path: &str) -> anyhow::Result<Value> {
        self.connection.json("GET", &format!("/api/v1{path}"), &Value::Null).await
    }

    /// Creates a destination for the bot of a Feishu group, and returns its id.
    pub(crate) async fn destination(&mut self, group: usize) -> anyhow::Result<String> {
        let url = format!("https://open.feishu.cn/open-apis/bot/v2/hook/load-{group}");
        let body = json!({"name": "load", "channel": "feishu_bot", "settings": {"url": url}});
        self.make("/destinations", &body).await
    }

    /// Creates a space that notifies these destinations, and returns its id.
    pub(crate) async fn space(&mut self, destinations: &[&str]) -> anyhow::Result<String> {
        self.make("/spaces", &json!({"name": "load", "destinations": destinations})).await
    }

    /// Changes the destinations of a space.
    pub(crate) async fn set_destinations(&mut self, space: &str, destinations: &[&str]) -> anyhow::Result<()> {
        let body = json!({"name": "load", "destinations": destinations});
        self.connection.json("PUT", &format!("/api/v1/spaces/{space}"), &body).await?;
        Ok(())
    }

    /// Creates an integration of the space, with limits that the load does not reach. Returns the path to post to.
    pub(crate) async fn integration(&mut self, space: &str) -> anyhow::Result<String> {
        self.integration_in_mode(space, "each_message").await
    }

    pub(crate) async fn integration_in_mode(&mut self, space: &str, mode: &str) -> anyhow::Result<String> {
        let limits = json!({"per_second": 1_000_000, "per_minute": 10_000_000, "open_alerts": 1_000_000});
        let body = json!({"name": "load", "space": space, "title_from": "first_line", "push_mode": {"type": mode}, "limits": limits});
        let made = self.connection.json("POST", "/api/v1/integrations", &body).await?;
        let url = made["url"].as_str().with_context(|| format!("no url in {made}"))?;
        Ok(url[url.find("/open-apis").context("an intake path")?..].to_owned())
    }

    /// The numbers of received and of triggered messages in the ledger.
    pub(crate) async fn ledger(&mut self) -> anyhow::Result<(u64, u64)> {
        let ledger = self.get("/ledger?hours=2").await?;
        let hours = ledger["items"].as_array().context("a list of hours")?;
        let sum = |name: &str| hours.iter().filter_map(|hour| hour["messages"][name].as_u64()).sum();
        Ok((sum("received"), sum("triggered")))
    }

    async fn make(&mut self, path: &str, body: &Value) -> anyhow::Result<String> {
        let made = self.connection.json("POST", &format!("/api/v1{path}"), body).await?;
        Ok(made["id"].as_str().with_context(|| format!("no id in {made}"))?.to_owned())
    }
}

/// The binary to measure: the given one, or the one that was built beside this program.
pub(crate) fn larkspur_binary(named: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let beside = own.parent().and_then(Path::parent).context("target/release/examples")?.join("larkspur");
    let binary = named.unwrap_or(beside);
    anyhow::ensure!(binary.exists(), "{} is not built: cargo build --release -p local", binary.display());
    Ok(binary)
}
