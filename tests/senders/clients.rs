//! Real clients as their users run them: how each one reads our answer, and the group that shows what it sent.
//!
//! The programs are `clients/send.py` and the crate in `clients/`; `tests/run.sh` makes what they need.

use std::path::{Path, PathBuf};
use std::process::Output;

use scenarios::World;
use scenarios::sender::Sender;
use scenarios::space::feishu_bot;
use serde_json::{Value, json};
use tokio::process::Command;

const SECRET: &str = "Xk2pQ9vLr4TnB7wZs1YcHd";
const TITLE: &str = "[FIRING] disk full";
/// The group shows the title without the sender's state.
const SHOWN: &str = " disk full";
const TEXT: &str = "db-01 used 96%";

/// A program that sends with several clients.
#[derive(Clone)]
struct Clients {
    program: PathBuf,
    script: Option<PathBuf>,
}

/// How a client read our answer.
struct ClientResult {
    success: bool,
    words: String,
}

// Proves: senders
#[tokio::test]
async fn the_python_clients_take_our_answer_for_success_and_the_group_shows_the_message() {
    check_shown(&python(), &["apprise-feishu", "apprise-lark", "lark-webhook-notify", "pynotifyhub"]).await;
}

#[tokio::test]
async fn the_rust_clients_take_our_answer_for_success_and_the_group_shows_the_message() {
    check_shown(&rust(), &["lark-webhook-notify", "openlark-text", "openlark-post", "openlark-card"]).await;
}

async fn check_shown(clients: &Clients, names: &[&str]) {
    let world = World::start().await;
    let ops = world.space("Ops").notify(feishu_bot("ops")).await;
    let sender = world.feishu_alert().set("message_types", all_types()).into(&ops).await;
    for name in names {
        // One of them cannot do without a secret; the integration has none and does not look at signatures.
        let secret = if *name == "lark-webhook-notify" { "any" } else { "" };
        let result = clients.send(name, &sender, secret).await;
        assert!(result.success, "{name}: {}", result.words);
        world.feishu("ops").expects_all(&[SHOWN, TEXT]).await;
    }
    assert_eq!(sender.outcomes().await, vec!["triggered"; names.len()]);
    world.finish().await;
}

#[tokio::test]
async fn a_signed_message_is_accepted_with_the_right_secret_and_its_client_reports_a_wrong_one() {
    let world = World::start().await;
    let ops = world.space("Ops").notify(feishu_bot("ops")).await;
    let plan = world.feishu_alert().set("message_types", all_types());
    let sender = plan.set("security", json!({"secret": SECRET})).into(&ops).await;
    for (clients, name) in
        [(python(), "lark-webhook-notify"), (python(), "pynotifyhub"), (rust(), "lark-webhook-notify")]
    {
        let right = clients.send(name, &sender, SECRET).await;
        assert!(right.success, "{name}: {}", right.words);
        world.feishu("ops").expects_all(&[SHOWN, TEXT]).await;

        let wrong = clients.send(name, &sender, "wrong").await;
        assert!(!wrong.success && wrong.words.contains("19021"), "{name}: {}", wrong.words);
    }
    world.settle().await;
    assert_eq!(sender.outcomes().await, ["refused", "triggered"].repeat(3));
    world.finish().await;
}

/// Its signature goes into headers of its own; the protocol has it in the body.
#[tokio::test]
async fn a_client_that_signs_in_another_way_is_refused_with_the_reason() {
    let world = World::start().await;
    let space = world.space("Ops").make().await;
    let sender = world.feishu_alert().set("security", json!({"secret": SECRET})).into(&space).await;
    let result = rust().send("openlark-text", &sender, SECRET).await;
    assert!(!result.success && result.words.contains("19021"), "{}", result.words);
    world.finish().await;
}

#[tokio::test]
async fn a_client_of_cards_reports_that_they_are_not_taken() {
    let world = World::start().await;
    let space = world.space("Ops").make().await;
    let sender = world.feishu_alert().into(&space).await;
    for (clients, name) in
        [(python(), "lark-webhook-notify"), (rust(), "lark-webhook-notify"), (rust(), "openlark-card")]
    {
        let result = clients.send(name, &sender, SECRET).await;
        assert!(!result.success && result.words.contains("400"), "{name}: {}", result.words);
    }
    world.finish().await;
}

impl Clients {
    async fn send(&self, client: &str, sender: &Sender, secret: &str) -> ClientResult {
        let mut command = Command::new(&self.program);
        command.args(&self.script).args([client, &sender.url, secret, TITLE, TEXT]);
        // A proxy of this machine does not lead back to it.
        let output = command.env("NO_PROXY", "*").output().await.expect("the client runs");
        ClientResult::of(&output)
    }
}

impl ClientResult {
    fn of(output: &Output) -> Self {
        let words = [&output.stdout[..], &output.stderr[..]].map(String::from_utf8_lossy).join("\n");
        assert!(matches!(output.status.code(), Some(0 | 1)), "{}: {words}", output.status);
        Self { success: output.status.success(), words }
    }
}

fn python() -> Clients {
    let program = std::env::var_os("LARKSPUR_TEST_PYTHON");
    let program = program.expect("LARKSPUR_TEST_PYTHON names a Python that has the clients: run tests/run.sh");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/send.py");
    Clients { program: program.into(), script: Some(script) }
}

/// Built into the same target folder as this test.
fn rust() -> Clients {
    let own = std::env::current_exe().expect("this test has a path");
    let folder = own.parent().and_then(Path::parent).expect("the test lies in target/debug/deps");
    let (program, target) = (folder.join("feishu-clients"), folder.parent().expect("target"));
    assert!(
        program.exists(),
        "{} is missing: cargo build --manifest-path tests/clients/Cargo.toml --target-dir {}, or run tests/run.sh",
        program.display(),
        target.display(),
    );
    Clients { program, script: None }
}

fn all_types() -> Value {
    json!(["text", "post", "interactive"])
}
