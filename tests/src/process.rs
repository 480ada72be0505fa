//! Larkspur as a separate process, which can be killed and started again.

use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use alerting::base::moment::Moment;
use anyhow::Context as _;
use serde_json::{Value, json};
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, Command};

use crate::api::Api;

/// The program as `cargo run` runs it, with a hook for the tests' [`wire`](crate::wire).
pub struct Process {
    child: Child,
    /// Everything it has printed, but the start line, which holds the API key on purpose.
    printed: Arc<Mutex<String>>,
    pub base_url: String,
    pub api: Api,
    pub start_line: Value,
    pub started_in: Duration,
}

impl Process {
    /// Starts it on a free port with its data in `data`.
    pub async fn start(data: &Path, environment: &[(&str, &str)]) -> anyhow::Result<Self> {
        let start = Instant::now();
        let mut child = Command::new(program()?)
            .args(["--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let printed = Arc::new(Mutex::new(String::new()));
        let stderr = child.stderr.take().context("its errors are piped")?;
        tokio::spawn(keep(BufReader::new(stderr).lines(), Arc::clone(&printed)));
        let stdout = child.stdout.take().context("its output is piped")?;
        let mut lines = BufReader::new(stdout).lines();
        while let Some(line) = lines.next_line().await? {
            let Ok(start_line) = serde_json::from_str::<Value>(&line) else { continue };
            let text = |name: &str| start_line[name].as_str().map(str::to_owned).context("a text in the start line");
            let base_url = text("listening")?;
            let api = Api::new(&base_url, &text("api_key")?);
            tokio::spawn(keep(lines, Arc::clone(&printed)));
            return Ok(Self { child, printed, base_url, api, start_line, started_in: start.elapsed() });
        }
        anyhow::bail!("it ended without its start line: {}", child.wait().await?)
    }

    /// Moves the clock, if it was started with `LARKSPUR_TEST_CLOCK=1`; what it then shows.
    pub async fn advance(&self, by: Duration) -> Moment {
        let url = format!("{}/_local/clock", self.base_url);
        let answer = self.api.post(&url, json!({"advance_seconds": by.as_secs()}).to_string()).await;
        let now = answer.body["now"].as_str().and_then(Moment::parse_rfc3339);
        now.unwrap_or_else(|| panic!("the clock cannot be moved: {}", answer.text))
    }

    /// kill −9.
    pub async fn kill(mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }

    /// What it has printed since it started, to both outputs.
    pub fn printed(&self) -> String {
        self.printed.lock().expect("not poisoned").clone()
    }

    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }
}

/// Keeps reading the output, because the program would stop at a full pipe.
async fn keep<R: AsyncBufRead + Unpin>(mut lines: Lines<R>, printed: Arc<Mutex<String>>) {
    while let Ok(Some(line)) = lines.next_line().await {
        let mut printed = printed.lock().expect("not poisoned");
        printed.push_str(&line);
        printed.push('\n');
    }
}

/// The binary beside the test's own: cargo builds it with them.
fn program() -> anyhow::Result<std::path::PathBuf> {
    let own = std::env::current_exe()?;
    let folder = own.parent().and_then(Path::parent).context("target/debug/deps")?;
    let program = folder.join("larkspur-tested");
    anyhow::ensure!(program.exists(), "{} is not built: cargo build -p scenarios", program.display());
    Ok(program)
}
