//! All faults at once: messages in all push modes, copies, reordering, failures of one call in a hundred, and kill −9
//! every few seconds. Afterwards the results are compared with a model that does not depend on the implementation.
//!
//! All random choices follow from one seed. `LARKSPUR_SEED` repeats a run as far as two processes and a scheduler can
//! be repeated. `LARKSPUR_CHAOS_MESSAGES`, `LARKSPUR_CHAOS_KEYS` and `LARKSPUR_CHAOS_KILLS` set the size of the run.

mod group;
mod killer;
mod model;
mod plan;
mod senders;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use alerting::rules::message::Received;
use local::options::Options;
use scenarios::World;
use scenarios::process::Process;
use scenarios::wire::{Fault, Refusal, Seed, Service, Strike, Wire, dynamodb, provider, sns, sqs};

use group::Groups;
use model::Observed;
use plan::{Plan, Sizes};
use tokio::sync::watch;

/// The share of queued messages that are delivered once more at the end.
const LATE_COPIES: f64 = 0.02;
/// The longest time to wait until no work is left.
const PATIENCE: Duration = Duration::from_secs(3600);
/// The time without a call after which the clock is moved to the next due work.
const IDLE: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_faults_copies_and_kills_the_ledger_equals_that_of_the_sequential_model() {
    let sizes = Sizes::from_environment();
    let wire = Arc::new(Wire::start_seeded(Seed::choose()).await);
    let groups = Groups::start(&wire).await;
    let data = tempfile::tempdir().expect("a directory");
    let environment = wire.environment();
    let process = Process::start(data.path(), &plan::borrowed(&environment)).await.expect("started");
    let plan = Plan::make(&process.api, &sizes, wire.seed()).await;

    let start = Instant::now();
    let strikes = let_one_in_a_hundred_go_wrong(&wire);
    let seen = Arc::new(Mutex::new(Seen::default()));
    let reading = tokio::spawn(read_the_wire(Arc::clone(&wire), Arc::clone(&seen)));
    let killer = killer::Killer::new(process, data.path(), environment, &groups, wire.seed());
    let base = killer.base();
    let (all_sent, is_sent) = watch::channel(false);
    let ((kills, refused_starts), sent) = tokio::join!(killer.run(sizes.kills, is_sent), async {
        let sent = senders::send_all(&plan, base).await;
        all_sent.send_replace(true);
        sent
    });
    let stormed = start.elapsed();

    wire.remove_faults();
    let world = World::start_with(Options { data: Some(data.path().to_owned()), ..wire.options() }).await;
    wait_until_quiet(&world, &wire).await;
    let late = late_copies(&seen, wire.seed());
    world.deliver(late.iter()).await;
    wait_until_quiet(&world, &wire).await;
    // Long enough for the ledger of every hour to be complete, but too short for alerts that close automatically after
    // a day.
    world.larkspur.advance(Duration::from_secs(2 * 3600)).await;
    wait_until_quiet(&world, &wire).await;
    reading.abort();
    seen.lock().expect("not poisoned").add(&wire.take_journal());

    let observed = Observed::read(&world, &plan).await;
    let struck: u64 = strikes.iter().map(Strike::count).sum();
    let figures = {
        let seen = seen.lock().expect("not poisoned");
        let received = groups.check(&observed, &seen.unknown);
        format!(
            "seed {}: {} messages over {} keys, {} attempts, {kills} kills, {refused_starts} starts in vain; {} calls, {struck} \
             of them struck; {} late copies; {}; {received}; stormed {stormed:.0?}, all {:.0?}",
            wire.seed(),
            plan.messages(),
            sizes.keys,
            sent.attempts(),
            seen.calls,
            late.len(),
            model::check(&plan, &sent, &observed),
            start.elapsed(),
        )
    };
    assert_eq!(world.dead_letters().await.len(), 0, "dead letters; {figures}");
    world.larkspur.stop().await;
    #[expect(clippy::print_stdout, reason = "the figures")]
    {
        println!("{figures}");
    }
}

/// Makes one in a hundred calls to each service fail, in every way in which a call can fail, and delivers two in a
/// hundred messages twice.
fn let_one_in_a_hundred_go_wrong(wire: &Wire) -> Vec<Strike> {
    let third = 1.0 / 300.0;
    let bad_gateway = || Fault::Answer(502, "<html>bad gateway</html>".to_owned());
    let mut strikes = vec![wire.before(sqs("SendMessage").chance(0.02), Fault::Duplicate)];
    strikes.push(wire.before(sqs("SendMessageBatch").chance(0.02), Fault::Duplicate));
    for calls in [dynamodb(""), sqs(""), sns("")] {
        strikes.push(wire.before(calls.clone().chance(third), Fault::Refuse(Refusal::THROTTLED)));
        strikes.push(wire.before(calls.clone().chance(third), Fault::Refuse(Refusal::INTERNAL)));
        strikes.push(wire.after(calls.chance(third), Fault::Drop));
    }
    strikes.push(wire.before(provider().chance(third), Fault::Drop));
    strikes.push(wire.before(provider().chance(third), bad_gateway()));
    strikes.push(wire.after(provider().chance(third), Fault::Drop));
    strikes
}

/// The calls on the wire that later checks need.
#[derive(Default)]
struct Seen {
    calls: usize,
    /// Messages to a group whose answer was lost.
    unknown: Vec<String>,
    /// The messages as the intake queued them.
    received: Vec<Received>,
}

impl Seen {
    fn add(&mut self, calls: &[scenarios::wire::Call]) {
        self.calls += calls.len();
        let lost = calls.iter().filter(|call| call.service == Service::Provider && call.struck);
        self.unknown.extend(lost.map(|call| call.body.clone()));
        let sends = calls.iter().filter(|call| call.action == "SendMessage");
        self.received.extend(sends.filter_map(|call| {
            let body: serde_json::Value = serde_json::from_str(&call.body).ok()?;
            serde_json::from_str(body["MessageBody"].as_str()?).ok()
        }));
    }
}

async fn read_the_wire(wire: Arc<Wire>, seen: Arc<Mutex<Seen>>) {
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        seen.lock().expect("not poisoned").add(&wire.take_journal());
    }
}

fn late_copies(seen: &Mutex<Seen>, seed: Seed) -> Vec<Received> {
    let seen = seen.lock().expect("not poisoned");
    let drawn = |(number, _): &(usize, &Received)| seed.happens(LATE_COPIES, &[77, *number as u64]);
    seen.received.iter().enumerate().filter(drawn).map(|(_, received)| received.clone()).collect()
}

/// Waits until all queues are empty. Meanwhile the clock runs faster, so that rate limits and leases end sooner, but
/// not so fast that running work could lose its lease. While no calls are made, the clock is moved in steps.
async fn wait_until_quiet(world: &World, wire: &Wire) {
    let patience = Instant::now();
    while tokio::time::timeout(IDLE, world.larkspur.drained()).await.is_err() {
        assert!(patience.elapsed() < PATIENCE, "it never comes to rest");
        let leap = if wire.since_last_call() > IDLE { 20 } else { 5 };
        world.larkspur.advance(Duration::from_secs(leap)).await;
    }
}
