//! Measures the cost of one message and the memory of Larkspur, from a thousand stored alerts to a million.
//!
//! At each size the program is restarted twice on the same data: once unchanged, to measure memory and times, and once
//! with the SDK's log of its AWS calls, to count the calls of a message and the bytes of their answers.

use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::calls::Calls;
use crate::program::{Program, bytes_in};
use crate::seed;
use crate::side::{Api, GROUPS, message, start_larkspur, start_larkspur_logging};
use crate::statistics::quantile;
use crate::wire::{Connection, Receiver};

const SIZES: [usize; 7] = [1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000];
/// Up to this number, alerts are sent as messages. The others are copies of rows.
const SENT: usize = 3_000;
const CONNECTIONS: usize = 4;
/// The number of messages whose time to the group is measured (`TIMED`), and whose calls are counted (`COUNTED`).
const TIMED: usize = 100;
const COUNTED: usize = 60;
/// The pause between two messages. With 20 groups, each group gets one message per second.
const PAUSE: Duration = Duration::from_millis(50);
const LISTS: usize = 20;
/// The SDK's own log, with the answers that it receives.
const LOG: &str = "error,aws_sdk_dynamodb=debug,aws_sdk_sqs=debug,aws_sdk_sns=debug,\
                   aws_smithy_runtime::client::orchestrator=trace";

pub(crate) const COLUMNS: &str = "alerts,memory_mb,peak_mb,disk_mb,start_ms,post_to_group_ms,alerts_list_ms,incidents_list_ms,\
                           dynamodb_reads,dynamodb_writes,queue_and_topic_calls,kb_read,dollars_per_million";

/// One deployment whose number of stored alerts grows.
struct Growing<'a> {
    binary: &'a Path,
    data: &'a Path,
    receiver: Receiver,
    base: String,
    /// For each group: the path to post its alerts to, its space, and the destination that the space notifies during a
    /// measurement.
    groups: Vec<(String, String, String)>,
    /// The number of stored alerts.
    stored: usize,
    models: Vec<seed::Model>,
}

/// Measures every size, and writes the results to a file.
pub(crate) async fn run(binary: &Path, figures: &Path) -> anyhow::Result<()> {
    let data = tempfile::tempdir()?;
    let (receiver, base) = Receiver::start().await?;
    let mut growing =
        Growing { binary, data: data.path(), receiver, base, groups: Vec::new(), stored: 0, models: Vec::new() };
    growing.set_up().await?;
    let mut text = format!("{COLUMNS}\n");
    for size in SIZES {
        growing.grow_to(size).await?;
        let line = growing.measure(size).await?;
        show(&line);
        text.push_str(&format!("{line}\n"));
        fs::write(figures, &text)?;
    }
    Ok(())
}

impl Growing<'_> {
    async fn set_up(&mut self) -> anyhow::Result<()> {
        let program = start_larkspur(self.binary, self.data, &self.base).await?;
        let mut api = Api::of(&program, self.data).await?;
        for group in 0..GROUPS {
            let destination = api.destination(group).await?;
            let space = api.space(&[]).await?;
            self.groups.push((api.integration(&space).await?, space, destination));
        }
        program.stop().await
    }

    async fn grow_to(&mut self, size: usize) -> anyhow::Result<()> {
        if size <= SENT {
            let program = start_larkspur(self.binary, self.data, &self.base).await?;
            self.set_destinations(&program, false).await?;
            self.send(&program, size - self.stored).await?;
            program.stop().await?;
        } else {
            if self.models.is_empty() {
                self.models = seed::models(self.data)?;
            }
            seed::add(self.data, &self.models, size - self.stored)?;
        }
        self.stored = size;
        Ok(())
    }

    /// Makes the spaces notify their groups, or nobody.
    async fn set_destinations(&self, program: &Program, groups: bool) -> anyhow::Result<()> {
        let mut api = Api::of(program, self.data).await?;
        for (_, space, destination) in &self.groups {
            let notified: &[&str] = if groups { &[destination] } else { &[] };
            api.set_destinations(space, notified).await?;
        }
        Ok(())
    }

    async fn send(&self, program: &Program, alerts: usize) -> anyhow::Result<()> {
        let senders = (0..CONNECTIONS).map(|sender| async move {
            let mut connection = Connection::open(&program.host).await?;
            for number in (sender..alerts).step_by(CONNECTIONS) {
                let (path, ..) = &self.groups[number % GROUPS];
                connection.post(path, &message(number)).await?;
            }
            anyhow::Ok(())
        });
        futures::future::try_join_all(senders).await?;
        program.rest().await?;
        Ok(())
    }

    async fn measure(&mut self, size: usize) -> anyhow::Result<String> {
        let program = start_larkspur(self.binary, self.data, &self.base).await?;
        let start_ms = program.started_in.as_secs_f64() * 1000.0;
        self.set_destinations(&program, true).await?;
        let to_group = self.measure_arrivals(&program, TIMED).await?;
        let alerts = self.list(&program, "/alerts?status=open&limit=50").await?;
        let incidents = self.list(&program, "/incidents?limit=50").await?;
        let memory = program.memory()?;
        let disk_mb = bytes_in(self.data)? as f64 / 1e6;
        program.stop().await?;
        let calls = self.count().await?;
        let per_message = |count: usize| count as f64 / COUNTED as f64;
        Ok(format!(
            "{size},{:.1},{:.1},{disk_mb:.1},{start_ms:.0},{:.2},{:.2},{:.2},{:.2},{:.2},{:.2},{:.2},{:.2}",
            memory.resident_mb,
            memory.peak_mb,
            quantile(&to_group, 0.5),
            quantile(&alerts, 0.5),
            quantile(&incidents, 0.5),
            per_message(calls.reads),
            per_message(calls.writes),
            per_message(calls.queues + calls.topics),
            per_message(calls.bytes) / 1000.0,
            calls.dollars() * 1e6 / COUNTED as f64,
        ))
    }

    /// Sends messages one at a time. Returns for each the milliseconds until it arrived in its group.
    async fn measure_arrivals(&mut self, program: &Program, messages: usize) -> anyhow::Result<Vec<f64>> {
        let mut connection = Connection::open(&program.host).await?;
        let mut times = Vec::new();
        for number in 0..messages {
            // Numbered backwards from the highest number, so that no two sizes use the same mark.
            let mark = 999_999 - self.receiver.arrived_so_far();
            let (path, ..) = &self.groups[number % GROUPS];
            let sent = Instant::now();
            connection.post(path, &message(mark)).await?;
            self.stored += 1;
            times.push(self.receiver.wait_for(mark).await?.duration_since(sent).as_secs_f64() * 1000.0);
            sleep(PAUSE).await;
        }
        program.rest().await?;
        Ok(times)
    }

    async fn list(&self, program: &Program, path: &str) -> anyhow::Result<Vec<f64>> {
        let mut api = Api::of(program, self.data).await?;
        let mut times = Vec::new();
        for _ in 0..LISTS {
            let start = Instant::now();
            let list = api.get(path).await?;
            anyhow::ensure!(list["items"].as_array().is_some_and(|items| items.len() == 50), "{path}: {list}");
            times.push(start.elapsed().as_secs_f64() * 1000.0);
        }
        Ok(times)
    }

    /// Counts the calls of some messages, without the calls at start-up and those that fill the configuration caches.
    async fn count(&mut self) -> anyhow::Result<Calls> {
        let log = self.data.join("calls.log");
        let to = Stdio::from(File::create(&log)?);
        let program = start_larkspur_logging(self.binary, self.data, &self.base, LOG, to).await?;
        self.measure_arrivals(&program, GROUPS).await?;
        let before = Calls::read(&log)?;
        self.measure_arrivals(&program, COUNTED).await?;
        let after = Calls::read(&log)?;
        program.stop().await?;
        fs::remove_file(&log)?;
        Ok(after - before)
    }
}

#[expect(clippy::print_stdout, reason = "the result")]
fn show(line: &str) {
    println!("{line}");
}

/// The results as the plot reads them: one row of numbers per size.
pub(crate) fn read(figures: &Path) -> anyhow::Result<Vec<Vec<f64>>> {
    let text = fs::read_to_string(figures)?;
    let number = |field: &str| Ok(field.parse::<f64>()?);
    text.lines().skip(1).map(|line| line.split(',').map(number).collect()).collect()
}
