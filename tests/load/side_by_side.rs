//! Measures Larkspur and Alertmanager alternately on the same machine, so that other load affects both equally.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::program::{Memory, Program};
use crate::side::{Api, Side, TITLES, Workload, alertmanager_version, start_alertmanager, start_larkspur};
use crate::statistics::{median, quantile, rounded};
use crate::wire::{Connection, Receiver};

const ROUNDS: usize = 5;
const STARTS: usize = 7;
const CONNECTIONS: usize = 64;
/// The number of alerts in one round. All rounds together send 50,000.
const ALERTS: usize = 10_000;
/// The number of alerts in one round that notify the receiver. They are sent one at a time.
const NOTIFIED: usize = 120;
/// The pause between two of these alerts. With 20 groups, each group gets about one per second.
const PAUSE: Duration = Duration::from_millis(45);

/// The measurements of one side.
#[derive(Default)]
struct Figures {
    start_ms: Vec<f64>,
    titles: Rates,
    incidents: Rates,
    /// How often the side asked a sender to retry.
    refused: usize,
    to_group_ms: Vec<f64>,
    idle_mb: f64,
    /// The resident memory after each round.
    resident_mb: Vec<f64>,
    peak_mb: f64,
}

/// The measurements of one workload.
#[derive(Default)]
struct Rates {
    accepted_per_second: Vec<f64>,
    done_per_second: Vec<f64>,
    processor_us: Vec<f64>,
}

/// Measures both sides, and prints a table and a line of JSON.
pub(crate) async fn run(binary: &Path) -> anyhow::Result<()> {
    let (receiver, base) = Receiver::start().await?;
    let (mut ours, mut theirs) = (Figures::default(), Figures::default());
    for _ in 0..STARTS {
        let data = tempfile::tempdir()?;
        ours.started(start_larkspur(binary, data.path(), &base).await?).await?;
        let data = tempfile::tempdir()?;
        if let Some(program) = start_alertmanager(data.path(), &base).await? {
            theirs.started(program).await?;
        }
    }
    let (our_data, their_data) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let larkspur = Side::larkspur(binary, our_data.path(), &base).await?;
    let alertmanager = Side::alertmanager(their_data.path(), &base).await?;
    let mut sides = vec![(&larkspur, &mut ours)];
    sides.extend(alertmanager.as_ref().map(|side| (side, &mut theirs)));
    for (side, figures) in &mut sides {
        side.program.rest().await?;
        figures.idle_mb = side.program.memory()?.resident_mb;
    }
    for round in 0..ROUNDS {
        for (side, figures) in &mut sides {
            figures.measure_arrivals(side, &receiver, round).await?;
            figures.take_in(side, round).await?;
        }
    }
    // Runs after the memory was measured, because these alerts leave hardly any data behind.
    for round in 0..ROUNDS {
        for (side, figures) in &mut sides {
            figures.titles.take_in(side, Workload::Titles, round, &mut figures.refused).await?;
        }
    }
    let (received, triggered) = Api::of(&larkspur.program, our_data.path()).await?.ledger().await?;
    let (opened, updated) = ((ROUNDS * (ALERTS + NOTIFIED)) as u64, (ROUNDS * ALERTS) as u64);
    anyhow::ensure!(
        received == opened + updated && triggered == opened + TITLES as u64,
        "of {opened} and {updated} sent, {received} received, {triggered} triggered"
    );
    report(&ours, alertmanager.is_some().then_some(&theirs));
    Ok(())
}

impl Figures {
    async fn started(&mut self, program: Program) -> anyhow::Result<()> {
        self.start_ms.push(program.started_in.as_secs_f64() * 1000.0);
        program.stop().await
    }

    /// Sends alerts one at a time, and measures when each arrived.
    async fn measure_arrivals(&mut self, side: &Side, receiver: &Receiver, round: usize) -> anyhow::Result<()> {
        let mut connection = Connection::open(&side.program.host).await?;
        let first = if side.name == "Larkspur" { 0 } else { 500_000 } + round * NOTIFIED;
        for number in first..first + NOTIFIED {
            let (path, body) = side.notifying_alert(number);
            let sent = Instant::now();
            self.refused += connection.post(path, &body).await?;
            let arrived = receiver.wait_for(number).await?;
            self.to_group_ms.push(arrived.duration_since(sent).as_secs_f64() * 1000.0);
            sleep(PAUSE).await;
        }
        side.program.rest().await?;
        Ok(())
    }

    /// Sends alerts that open incidents, and measures the memory afterwards.
    async fn take_in(&mut self, side: &Side, round: usize) -> anyhow::Result<()> {
        self.incidents.take_in(side, Workload::Incidents, round, &mut self.refused).await?;
        let Memory { resident_mb, peak_mb } = side.program.memory()?;
        self.resident_mb.push(resident_mb);
        self.peak_mb = peak_mb;
        Ok(())
    }

    fn json(&self) -> Value {
        json!({
            "titles": self.titles.json(),
            "incidents": self.incidents.json(),
            "asked_to_retry": self.refused,
            "post_to_group_ms": {
                "p50": rounded(quantile(&self.to_group_ms, 0.5)),
                "p95": rounded(quantile(&self.to_group_ms, 0.95)),
                "p99": rounded(quantile(&self.to_group_ms, 0.99)),
                "messages": self.to_group_ms.len(),
            },
            "memory_mb": {
                "idle": rounded(self.idle_mb),
                "after_10000": rounded(self.resident_mb[0]),
                "after_50000": rounded(self.resident_mb[ROUNDS - 1]),
                "peak": rounded(self.peak_mb),
            },
            "start_ms": rounded(median(&self.start_ms)),
        })
    }
}

impl Rates {
    /// Sends alerts over many connections, and waits until all of them are processed.
    async fn take_in(
        &mut self,
        side: &Side,
        workload: Workload,
        round: usize,
        refused: &mut usize,
    ) -> anyhow::Result<()> {
        let processor = side.program.processor()?;
        let start = Instant::now();
        let each = ALERTS / CONNECTIONS + 1;
        let senders = (0..CONNECTIONS).map(|sender| {
            let numbers = (sender * each).min(ALERTS)..((sender + 1) * each).min(ALERTS);
            async move {
                let mut connection = Connection::open(&side.program.host).await?;
                let mut refused = 0;
                for number in numbers {
                    let (path, body) = side.silent_alert(workload, round * ALERTS + number);
                    refused += connection.post(path, &body).await?;
                }
                anyhow::Ok(refused)
            }
        });
        *refused += futures::future::try_join_all(senders).await?.into_iter().sum::<usize>();
        self.accepted_per_second.push(ALERTS as f64 / start.elapsed().as_secs_f64());
        let done = side.program.rest().await?;
        self.done_per_second.push(ALERTS as f64 / done.duration_since(start).as_secs_f64());
        self.processor_us.push((side.program.processor()? - processor) * 1e6 / ALERTS as f64);
        Ok(())
    }

    fn json(&self) -> Value {
        json!({
            "accepted_per_second": median(&self.accepted_per_second).round(),
            "done_per_second": median(&self.done_per_second).round(),
            "processor_us_per_alert": median(&self.processor_us).round(),
        })
    }
}

/// The label of each printed row, and the path of its value in the results.
const ROWS: [(&str, &str); 15] = [
    ("100 titles, 1 KB: accepted per second", "/titles/accepted_per_second"),
    ("100 titles, 1 KB: taken care of per second", "/titles/done_per_second"),
    ("100 titles, 1 KB: processor time each, µs", "/titles/processor_us_per_alert"),
    ("an incident each: accepted per second", "/incidents/accepted_per_second"),
    ("an incident each: taken care of per second", "/incidents/done_per_second"),
    ("an incident each: processor time each, µs", "/incidents/processor_us_per_alert"),
    ("asked to retry (503), in all", "/asked_to_retry"),
    ("POST to group, ms, p50", "/post_to_group_ms/p50"),
    ("POST to group, ms, p95", "/post_to_group_ms/p95"),
    ("POST to group, ms, p99", "/post_to_group_ms/p99"),
    ("memory idle, MB", "/memory_mb/idle"),
    ("memory after 10,000 alerts, MB", "/memory_mb/after_10000"),
    ("memory after 50,000 alerts, MB", "/memory_mb/after_50000"),
    ("memory at its peak, MB", "/memory_mb/peak"),
    ("start to first answer, ms", "/start_ms"),
];

#[expect(clippy::print_stdout, reason = "the result")]
fn report(ours: &Figures, theirs: Option<&Figures>) {
    let (ours, theirs) = (ours.json(), theirs.map_or(Value::Null, Figures::json));
    let shown = |figures: &Value, path| figures.pointer(path).map_or_else(|| "–".to_owned(), Value::to_string);
    println!("{:44} {:>12} {:>14}", "median of the rounds", "Larkspur", "Alertmanager");
    for (row, path) in ROWS {
        println!("{row:44} {:>12} {:>14}", shown(&ours, path), shown(&theirs, path));
    }
    println!(
        "Larkspur answers when the alert is in a file, Alertmanager when it is in memory. {}",
        alertmanager_version()
    );
    println!("{}", json!({"larkspur": ours, "alertmanager": theirs}));
}
