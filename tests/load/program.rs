//! Starts a program to be measured, watches it through `/proc`, and stops it.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::time::sleep;

use crate::wire::Connection;

/// Kernel ticks per second, as `/proc` counts processor time (`USER_HZ`, 100 on every Linux that Rust runs on).
const TICKS: f64 = 100.0;
/// A program is at rest if it uses less than this share of one processor during `LOOK`.
const RESTING: f64 = 0.03;
/// The time over which the processor time of a program is compared with `RESTING`.
const LOOK: Duration = Duration::from_millis(400);
/// No measured step takes longer than this.
const PATIENCE: Duration = Duration::from_secs(1_200);

/// Ends the program when it is dropped.
pub(crate) struct Program {
    child: Child,
    /// Host and port of the program.
    pub(crate) host: String,
    /// The time from the start of the process to its first answer.
    pub(crate) started_in: Duration,
}

impl Program {
    /// Starts `command`, which listens on `host`, and waits until a `GET` of `path` is answered with 200.
    pub(crate) async fn start(mut command: Command, host: String, path: &str) -> anyhow::Result<Self> {
        let start = Instant::now();
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        let mut program =
            Self { child: child.with_context(|| format!("{command:?}"))?, host, started_in: Duration::ZERO };
        loop {
            if let Ok(mut connection) = Connection::open(&program.host).await
                && connection.call("GET", path, "").await.is_ok_and(|(status, _)| status == 200)
            {
                program.started_in = start.elapsed();
                return Ok(program);
            }
            anyhow::ensure!(program.child.try_wait()?.is_none(), "{command:?} ended at once");
            anyhow::ensure!(start.elapsed() < PATIENCE, "{command:?} does not answer");
            sleep(Duration::from_millis(1)).await;
        }
    }

    pub(crate) fn memory(&self) -> anyhow::Result<Memory> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let kilobytes = |name: &str| -> anyhow::Result<f64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            let number = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
            number.with_context(|| format!("no {name} in the status"))
        };
        Ok(Memory { resident_mb: kilobytes("VmRSS")? / 1024.0, peak_mb: kilobytes("VmHWM")? / 1024.0 })
    }

    /// The seconds of processor time that the program has used since it started.
    pub(crate) fn processor(&self) -> anyhow::Result<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name in brackets may contain any character, even a bracket. User and system time are the 14th and 15th
        // field.
        let after_name = stat.rsplit_once(") ").context("a name in brackets")?.1;
        let fields = after_name.split(' ').skip(11).take(2).map(str::parse::<f64>);
        Ok(fields.sum::<Result<f64, _>>()? / TICKS)
    }

    /// Waits until the program is at rest, and returns when its rest began.
    pub(crate) async fn rest(&self) -> anyhow::Result<Instant> {
        let start = Instant::now();
        let mut before = self.processor()?;
        let mut since = start;
        loop {
            sleep(LOOK).await;
            let now = self.processor()?;
            if (now - before) / LOOK.as_secs_f64() < RESTING {
                return Ok(since);
            }
            anyhow::ensure!(start.elapsed() < PATIENCE, "it never comes to rest");
            (before, since) = (now, Instant::now());
        }
    }

    /// Asks the program to end, and waits until it has ended.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        Command::new("kill").arg(self.child.id().to_string()).status()?;
        while self.child.try_wait()?.is_none() {
            sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // The program has already ended if `stop` was called.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Memory {
    pub(crate) resident_mb: f64,
    pub(crate) peak_mb: f64,
}

/// An address with a port that is free now.
pub(crate) fn free_host() -> anyhow::Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

/// The bytes of all files below a folder.
pub(crate) fn bytes_in(folder: &Path) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { bytes_in(&entry.path())? } else { metadata.len() };
    }
    Ok(bytes)
}
