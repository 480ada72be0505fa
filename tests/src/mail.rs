//! An independent mail server, and the mailboxes behind it.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::World;

/// How long a mail may take before the scenario fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// `tools/smtp_server.py`: aiosmtpd, which Python's own `email` package reads the messages back for.
pub struct MailServer {
    pub port: u16,
    lines: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl MailServer {
    pub async fn start(arguments: &[&str]) -> Self {
        let python = std::env::var_os("LARKSPUR_TEST_PYTHON");
        let python = python.expect("LARKSPUR_TEST_PYTHON names a Python that has aiosmtpd: run tests/run.sh");
        let mut child = Command::new(python)
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/smtp_server.py"))
            .args(arguments)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the mail server starts");
        let lines = BufReader::new(child.stdout.take().expect("its output is piped")).lines();
        let mut server = Self { port: 0, lines, _child: child };
        server.port = server.next().await["port"].as_u64().and_then(|port| port.try_into().ok()).expect("a port");
        server
    }

    /// The next mail that it takes.
    pub async fn next(&mut self) -> Value {
        let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await;
        let line = line.expect("a mail arrives").expect("readable").expect("the mail server runs");
        serde_json::from_str(&line).expect("a JSON line")
    }
}

impl World {
    /// Mail leaves by this server from now on.
    pub async fn mails_by(&self, server: &MailServer) {
        let settings = json!({"host": "127.0.0.1", "port": server.port, "tls": "none", "from": "alerts@example.com"});
        let answer = self.api.call("PUT", "/providers/email", Some(&json!({"settings": settings}))).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
}
