//! The two sides of the comparison: how each is started, set up, and sent an alert.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::program::{Program, free_host};
use crate::wire::{Connection, mark};

const ALERTMANAGER: &str = "/usr/bin/prometheus-alertmanager";
/// A Feishu group takes 100 messages a minute: over so many groups, what is measured is the way and not the waiting.
pub(crate) const GROUPS: usize = 20;

/// What many connections send at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Workload {
    /// 1 KB each, of a hundred titles: nearly all update an open alert (push mode by title).
    Titles,
    /// Each one opens an alert and an incident.
    Incidents,
}

/// A running program that takes alerts.
pub(crate) struct Side {
    pub(crate) name: &'static str,
    pub(crate) program: Program,
    intake: Intake,
}

enum Intake {
    /// A path per group, one whose alerts notify nobody, and one that takes alerts by their titles and notifies nobody.
    Larkspur { groups: Vec<String>, silent: String, titles: String },
    /// One path; a label decides.
    Alertmanager,
}

impl Side {
    /// Larkspur as `cargo run --release` runs it, with its data on disk, set up to notify the receiver.
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

    /// Alertmanager, which sends a webhook for each alert at once; `None` where it is not installed.
    pub(crate) async fn alertmanager(data: &Path, receiver: &str) -> anyhow::Result<Option<Self>> {
        let Some(program) = start_alertmanager(data, receiver).await? else { return Ok(None) };
        Ok(Some(Self { name: "Alertmanager", program, intake: Intake::Alertmanager }))
    }

    /// Path and body of an alert that notifies the receiver.
    pub(crate) fn notifying_alert(&self, number: usize) -> (&str, String) {
        match &self.intake {
            Intake::Larkspur { groups, .. } => (&groups[number % GROUPS], message(number)),
            Intake::Alertmanager => (ALERTS, alert(number, "group")),
        }
    }

    /// Path and body of an alert that notifies nobody.
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

/// `None` where it is not installed.
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

/// Its name and version, or why it is not measured.
pub(crate) fn alertmanager_version() -> String {
    let version = Command::new(ALERTMANAGER).arg("--version").output();
    let text = version.ok().and_then(|output| String::from_utf8(output.stdout).ok());
    let version = text.and_then(|text| Some(text.split_whitespace().nth(2)?.to_owned()));
    version.map_or_else(|| format!("not measured: no {ALERTMANAGER}"), |version| format!("Alertmanager {version}"))
}

const ALERTS: &str = "/api/v2/alerts";

/// Each alert is a group of its own and waits for nothing; a group is not looked at again while this lasts.
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

/// Titles of the workload that has few of them.
pub(crate) const TITLES: usize = 100;

/// A text that makes a body of a kilobyte.
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

/// What a sender posts.
pub(crate) fn message(number: usize) -> String {
    let text = format!("disk full {} on db-{number}\nused 96%, threshold 90%", mark(number));
    json!({"msg_type": "text", "content": {"text": text}}).to_string()
}

/// Larkspur's JSON API, as far as the measurements need it.
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

    /// A Feishu group's bot; its id.
    pub(crate) async fn destination(&mut self, group: usize) -> anyhow::Result<String> {
        let url = format!("https://open.feishu.cn/open-apis/bot/v2/hook/load-{group}");
        let body = json!({"name": "load", "channel": "feishu_bot", "settings": {"url": url}});
        self.make("/destinations", &body).await
    }

    /// A space that notifies these destinations; its id.
    pub(crate) async fn space(&mut self, destinations: &[&str]) -> anyhow::Result<String> {
        self.make("/spaces", &json!({"name": "load", "destinations": destinations})).await
    }

    /// Changes the destinations of a space.
    pub(crate) async fn set_destinations(&mut self, space: &str, destinations: &[&str]) -> anyhow::Result<()> {
        let body = json!({"name": "load", "destinations": destinations});
        self.connection.json("PUT", &format!("/api/v1/spaces/{space}"), &body).await?;
        Ok(())
    }

    /// An integration into a space, without limits that a load would meet; the path to post to.
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

    /// How many messages the ledger knows of: received, and triggered.
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

/// The binary that is measured: the one named, or the one that was built beside this program.
pub(crate) fn larkspur_binary(named: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let beside = own.parent().and_then(Path::parent).context("target/release/examples")?.join("larkspur");
    let binary = named.unwrap_or(beside);
    anyhow::ensure!(binary.exists(), "{} is not built: cargo build --release -p local", binary.display());
    Ok(binary)
}
