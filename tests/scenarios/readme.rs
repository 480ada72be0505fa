//! Tests README.md and the recipes: their commands run as printed, and each recipe distinguishes two alerts.
//!
//! In the documents, an ellipsis stands for a value from an earlier answer: `dst_…` is the destination that was created
//! last.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use scenarios::World;
use scenarios::process::Process;
use scenarios::space::feishu_bot;
use serde_json::{Value, json};
use tokio::process::Command;

/// The documents, in the order in which they are read.
const DOCUMENTS: [&str; 2] = [include_str!("../../README.md"), include_str!("../../shared/intake/README.md")];

/// Blocks that need something that a test does not have: a fresh build, the package index, an AWS account or a reverse
/// proxy. `tidy/documents.rs` checks the parts of them that can be checked.
const NOT_RUN: [&str; 4] = ["cargo run ", "python3 -m pip install ", "sam build ", "larkspur "];

// Proves: finding E7
#[tokio::test]
async fn every_command_of_the_readme_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join(".larkspur");
    let larkspur = Process::start(&data, &[("LARKSPUR_TEST_CLOCK", "1")]).await.expect("Larkspur starts");
    let mut reader = Reader::new(&larkspur, folder.path());
    let is_run = |block: &String| !block.lines().any(|line| NOT_RUN.iter().any(|start| line.starts_with(start)));
    for block in blocks("sh").filter(is_run) {
        for command in commands(&block) {
            reader.run(&command).await;
        }
    }
    let made: Vec<&str> = reader.ids.keys().map(String::as_str).collect();
    assert_eq!(made, ["app", "dst", "esc", "inc", "int", "mem", "sch", "spc"]);
    larkspur.kill().await.expect("killed");
}

// Proves: finding C1
#[tokio::test]
async fn each_sender_of_the_readme_opens_two_alerts_and_closes_the_one_that_recovered() {
    let world = World::start().await;
    let senders = include_str!("../fixtures/feishu/readme.json");
    for sender in serde_json::from_str::<Vec<Value>>(senders).expect("a list") {
        let name = sender["name"].as_str().expect("a name");
        let space = world.space(name).notify(feishu_bot(name)).await;
        let integration = integration(name, &space.id);
        let made = world.api.create("/integrations", &integration).await;
        assert_eq!(made["warnings"].as_array().map_or(0, Vec::len), 0, "{name}: {}", made["warnings"]);
        let url = made["url"].as_str().expect("a URL");
        let severity = if sender["critical"] == true { "Critical" } else { "Warning" };
        for body in [&sender["firing"][0], &sender["firing"][1]] {
            post(&world, url, body).await;
            world.feishu(name).expects_all(&[&format!("[{severity}]")]).await;
        }
        post(&world, url, &sender["resolved"]).await;
        world.feishu(name).expects_all(&["Recovered", severity]).await;
        if sender["left_out"].is_object() {
            post(&world, url, &sender["left_out"]).await;
        }
        world.settle().await;
        let mut alerts = world.api.list(&format!("/alerts?space={}", space.id)).await;
        alerts.sort_by_key(|alert| alert["id"].as_str().map(str::to_owned));
        let seen: Vec<_> = alerts.iter().map(|alert| (&alert["alert_key"], &alert["status"])).collect();
        let keys = &sender["keys"];
        assert_eq!(seen, [(&keys[0], &json!("closed")), (&keys[1], &json!("open"))], "{name}");
    }
    world.finish_with_timers().await;
}

async fn post(world: &World, url: &str, body: &Value) {
    let answer = world.api.post(url, body.to_string()).await;
    assert_eq!((answer.status, answer.body["code"].as_i64()), (200, Some(0)), "{}", answer.text);
}

/// The integration with this name, as the documents create it.
fn integration(name: &str, space: &str) -> Value {
    let start = format!("api POST /integrations '{{\"name\":\"{name}\"");
    let block =
        blocks("sh").find(|block| block.starts_with(&start)).unwrap_or_else(|| panic!("no document has {name}"));
    let json = block.split('\'').nth(1).expect("a quoted body").replace("spc_…", space);
    serde_json::from_str(&json).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The fenced blocks of one language, without their indentation.
fn blocks(language: &str) -> impl Iterator<Item = String> {
    let mut found = Vec::new();
    let mut lines = DOCUMENTS.iter().flat_map(|text| text.lines());
    while let Some(line) = lines.next() {
        let Some(fence) = line.trim_start().strip_prefix("```") else { continue };
        let inside: Vec<&str> = lines.by_ref().map(str::trim_start).take_while(|line| *line != "```").collect();
        if fence == language {
            found.push(inside.join("\n"));
        }
    }
    found.into_iter()
}

/// The commands of a block. A command ends at a line without an open quote and without a trailing backslash.
fn commands(block: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut command = String::new();
    for line in block.lines() {
        command.push_str(line);
        command.push('\n');
        if command.matches('\'').count().is_multiple_of(2) && !line.ends_with('\\') {
            commands.push(std::mem::take(&mut command));
        }
    }
    assert!(command.trim().is_empty(), "this command has no end: {command}");
    commands
}

/// A person who types the commands of README.md.
struct Reader<'a> {
    larkspur: &'a Process,
    folder: &'a Path,
    /// The variables and functions that the commands have defined so far.
    shell: String,
    /// The newest id of each kind.
    ids: BTreeMap<String, String>,
}

impl<'a> Reader<'a> {
    fn new(larkspur: &'a Process, folder: &'a Path) -> Self {
        // The only addition to the commands: a refused request fails the command.
        let shell = "curl() { command curl --fail-with-body \"$@\"; }\n".to_owned();
        Self { larkspur, folder, shell, ids: BTreeMap::new() }
    }

    async fn run(&mut self, command: &str) {
        let typed = self.filled(command).await;
        let definition = typed
            .split(['=', '('])
            .next()
            .is_some_and(|name| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
        if definition {
            self.shell.push_str(&typed);
            return;
        }
        let script = format!("set -euo pipefail\n{}{typed}", self.shell);
        let run = Command::new("bash").args(["-c", &script]).current_dir(self.folder).kill_on_drop(true).output();
        let output = tokio::time::timeout(Duration::from_secs(20), run).await.expect("it ends").expect("bash runs");
        let answer = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "a command of the documents fails:\n{typed}\n{answer}\n{errors}");
        let answer: Value =
            serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{typed} answers no JSON: {answer}"));
        if let Some((kind, _)) = answer["id"].as_str().and_then(|id| id.split_once('_')) {
            self.ids.insert(kind.to_owned(), answer["id"].as_str().expect("text").to_owned());
        }
    }

    /// Replaces the ellipses in a command.
    async fn filled(&mut self, command: &str) -> String {
        if command.contains("inc_…") && !self.ids.contains_key("inc") {
            let incident = self.first_incident().await;
            self.ids.insert("inc".to_owned(), incident);
        }
        let integration = self.larkspur.start_line["demo"]["integration_url"].as_str().expect("a URL");
        let mut typed = command
            .replace("http://127.0.0.1:9000/open-apis/bot/v2/hook/…", integration)
            .replace("http://127.0.0.1:9000", &self.larkspur.base_url)
            .replace("/bot/v2/hook/…", "/bot/v2/hook/00000000-1111-2222-3333-444444444444")
            .replace("xoxb-…", "xoxb-example");
        for (kind, id) in &self.ids {
            typed = typed.replace(&format!("{kind}_…"), id);
        }
        assert!(!typed.replace("\"…\"", "").contains('…'), "nothing is known for the ellipsis in:\n{typed}");
        typed.replace("\"…\"", "\"example\"")
    }

    async fn first_incident(&self) -> String {
        for _ in 0..100 {
            if let Some(incident) = self.larkspur.api.list("/incidents").await.first() {
                return incident["id"].as_str().expect("an id").to_owned();
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("README.md's first message opened no incident")
    }
}
