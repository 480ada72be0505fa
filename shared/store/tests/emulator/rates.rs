//! Buckets that many processes share.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use alerting::base::ids::AccountId;
use alerting::base::moment::Moment;
use alerting::base::rate::Rate;
use store::Store;
use store::bucket_key::{BucketKey, Callee};
use store::rates::Permit;
use tokio::task::JoinSet;

use crate::world::{NOW, World, destination};

const FIFTY_A_SECOND: [Rate; 1] = [Rate { burst: 50, per: Duration::from_secs(1) }];
const PROCESSES: usize = 20;

fn account() -> AccountId {
    AccountId::from_suffix("slack").expect("valid")
}

fn app() -> BucketKey {
    BucketKey::Account(account(), "app")
}

async fn take(store: &Store, key: &BucketKey, now: Moment) -> Permit {
    store.take_permit(key, &FIFTY_A_SECOND, now).await.expect("written")
}

/// The vendor: it counts what arrived in the last second, and answers 429 to the fifty-first.
#[derive(Default)]
struct Vendor {
    arrived: VecDeque<Moment>,
    accepted: usize,
    refused: usize,
}

impl Vendor {
    fn receive(&mut self, now: Moment) {
        while self.arrived.front().is_some_and(|at| now.since(*at) >= Duration::from_secs(1)) {
            self.arrived.pop_front();
        }
        if self.arrived.len() < 50 {
            self.arrived.push_back(now);
            self.accepted += 1;
        } else {
            self.refused += 1;
        }
    }
}

/// What became of the sends of all processes.
struct Run {
    vendor: Vendor,
    took: Duration,
    requests: u32,
}

impl Run {
    fn per_second(&self) -> f64 {
        self.vendor.accepted as f64 / self.took.as_secs_f64()
    }
}

/// So many sends by 20 processes that each send one after the other; a send takes `send`. Time is simulated: those who
/// act at the same moment do so concurrently.
async fn run(sends: usize, send: Duration) -> Run {
    let world = World::start().await;
    let stores: Vec<Store> = (0..PROCESSES).map(|_| world.another()).collect();
    let mut vendor = Vendor::default();
    let mut agenda: BTreeMap<Moment, Vec<usize>> = BTreeMap::from([(NOW, (0..PROCESSES).collect())]);
    let mut end = NOW;
    while vendor.accepted + vendor.refused < sends {
        let (now, processes) = agenda.pop_first().expect("somebody still sends");
        let mut asked = JoinSet::new();
        for process in processes {
            let store = stores[process].clone();
            asked.spawn(async move { (process, take(&store, &app(), now).await) });
        }
        for (process, permit) in asked.join_all().await {
            let next = match permit {
                Permit::Granted => {
                    vendor.receive(now);
                    end = now;
                    now + send
                }
                Permit::Wait(wait) => now + wait,
            };
            agenda.entry(next).or_default().push(process);
        }
    }
    Run { vendor, took: end.since(NOW), requests: world.wire.take_requests() }
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_processes_share_fifty_a_second_without_a_refusal_and_reach_forty() {
    let run = run(500, Duration::from_millis(10)).await;
    eprintln!("{:.1} a second, {} requests to the table", run.per_second(), run.requests);
    assert_eq!(run.vendor.refused, 0);
    assert!(run.per_second() >= 40.0, "{} a second", run.per_second());
    // Asked again by all at the moment when a slice is free, the table gets 3,340 requests.
    assert!(run.requests <= 1200, "{} requests to the table", run.requests);
}

/// Who sends slowly takes fewer permits at once, instead of losing them: three of them, each lost but for one, would leave
/// fourteen a second.
#[tokio::test(flavor = "multi_thread")]
async fn processes_that_send_slowly_share_the_rate_too() {
    let run = run(150, Duration::from_millis(200)).await;
    assert_eq!(run.vendor.refused, 0);
    assert!(run.per_second() >= 28.0, "{} a second", run.per_second());
}

#[tokio::test]
async fn a_slice_costs_one_write_and_what_is_not_spent_in_time_is_lost() {
    let world = World::start().await;
    for _ in 0..3 {
        assert_eq!(take(&world.store, &app(), NOW).await, Permit::Granted);
    }
    assert_eq!(world.wire.take_requests(), 1);
    // One permit is there at once, but not a whole slice of three.
    let Permit::Wait(wait) = take(&world.store, &app(), NOW).await else { panic!("more than may be taken at once") };
    let later = NOW + wait;
    assert_eq!(take(&world.store, &app(), later).await, Permit::Granted);
    world.wire.take_requests();
    let too_late = later + Duration::from_millis(50);
    assert_eq!(take(&world.store, &app(), too_late).await, Permit::Granted);
    assert_eq!(world.wire.take_requests(), 1, "two permits were lost, and one was taken");
}

#[tokio::test]
async fn tasks_of_one_process_share_its_slice() {
    let world = World::start().await;
    let mut tasks = JoinSet::new();
    for _ in 0..3 {
        let store = world.store.clone();
        tasks.spawn(async move { take(&store, &app(), NOW).await });
    }
    assert_eq!(tasks.join_all().await, [Permit::Granted; 3]);
    assert_eq!(world.wire.take_requests(), 1);
}

#[tokio::test]
async fn a_block_counts_for_its_scope_in_every_process_and_for_nothing_else() {
    let world = World::start().await;
    let update = BucketKey::Account(account(), "chat.update");
    assert_eq!(take(&world.store, &update, NOW).await, Permit::Granted);
    world.store.block(&update, NOW + Duration::from_secs(30)).await.expect("written");
    for store in [&world.store, &world.another()] {
        assert_eq!(take(store, &update, NOW).await, Permit::Wait(Duration::from_secs(30)));
    }
    let callee = BucketKey::Callee(Callee::of("sms_tencent", "+8613800000000"));
    for free in [app(), BucketKey::Destination(destination("ops")), callee] {
        assert_eq!(take(&world.store, &free, NOW).await, Permit::Granted, "{free}");
    }
}
