//! Access tokens: one process asks, all use the token.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use alerting::base::ids::AccountId;
use alerting::base::moment::Moment;
use alerting::base::secret::Sealed;
use store::Store;
use store::tokens::cached::AccessToken;
use store::tokens::{Granted, TokenError};
use tokio::task::JoinSet;

use crate::world::{NOW, World};

const TWO_HOURS: Duration = Duration::from_secs(7200);
const LEASE: Duration = Duration::from_secs(10);

fn account() -> AccountId {
    AccountId::from_suffix("feishu").expect("valid")
}

#[derive(Debug, PartialEq, Eq)]
struct Down;

/// The vendor: it numbers its tokens.
#[derive(Clone, Default)]
struct Vendor {
    asked: Arc<AtomicU64>,
}

impl Vendor {
    fn asked(&self) -> u64 {
        self.asked.load(Ordering::SeqCst)
    }

    async fn grant(self, lasts: Duration) -> Result<Granted, Down> {
        let n = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        // Long enough for everybody to find that somebody asks.
        tokio::time::sleep(Duration::from_millis(50)).await;
        Ok(Granted { sealed: Sealed(format!("sealed-{n}")), lasts })
    }

    async fn fail(self) -> Result<Granted, Down> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        Err(Down)
    }
}

async fn token_at(store: &Store, vendor: &Vendor, now: Moment) -> AccessToken {
    let vendor = vendor.clone();
    store.access_token(&account(), || now, || vendor.grant(TWO_HOURS)).await.expect("a token")
}

async fn token_after(store: &Store, vendor: &Vendor, rejected: u64, now: Moment) -> AccessToken {
    let vendor = vendor.clone();
    store.access_token_after(&account(), rejected, || now, || vendor.grant(TWO_HOURS)).await.expect("a token")
}

async fn token_of_fifty(world: &World, vendor: &Vendor, rejected: u64, now: Moment) -> Vec<AccessToken> {
    let mut holders = JoinSet::new();
    for _ in 0..50 {
        let (store, vendor) = (world.another(), vendor.clone());
        holders.spawn(async move { token_after(&store, &vendor, rejected, now).await });
    }
    holders.join_all().await
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_processes_without_a_token_make_one_request() {
    let (world, vendor) = (World::start().await, Vendor::default());
    let tokens = token_of_fifty(&world, &vendor, 0, NOW).await;
    assert_eq!(vendor.asked(), 1);
    assert!(tokens.iter().all(|token| token.sealed == Sealed("sealed-1".to_owned())), "{tokens:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_processes_with_an_expired_token_make_one_request() {
    let (world, vendor) = (World::start().await, Vendor::default());
    token_at(&world.store, &vendor, NOW).await;
    let tokens = token_of_fifty(&world, &vendor, 0, NOW + TWO_HOURS).await;
    assert_eq!(vendor.asked(), 2);
    assert!(tokens.iter().all(|token| token.version == 2 && token.sealed.0 == "sealed-2"), "{tokens:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_processes_whose_token_was_rejected_make_one_request() {
    let (world, vendor) = (World::start().await, Vendor::default());
    let rejected = token_at(&world.store, &vendor, NOW).await.version;
    let tokens = token_of_fifty(&world, &vendor, rejected, NOW).await;
    assert_eq!(vendor.asked(), 2);
    assert!(tokens.iter().all(|token| token.version == 2), "{tokens:?}");
}

#[tokio::test]
async fn a_newer_token_than_the_rejected_one_is_used_without_asking() {
    let (world, vendor) = (World::start().await, Vendor::default());
    let (one, other) = (world.another(), world.another());
    let first = token_at(&one, &vendor, NOW).await;
    assert_eq!(token_at(&other, &vendor, NOW).await, first);
    let second = token_after(&other, &vendor, first.version, NOW).await;
    assert_eq!(vendor.asked(), 2);
    assert_eq!(token_after(&one, &vendor, first.version, NOW).await, second);
    assert_eq!(vendor.asked(), 2);
}

#[tokio::test]
async fn a_token_is_renewed_with_five_minutes_left_and_the_others_go_on_with_the_old_one() {
    let (world, vendor) = (World::start().await, Vendor::default());
    let first = token_at(&world.store, &vendor, NOW).await;
    let due = NOW + TWO_HOURS - Duration::from_secs(300);
    let just_before = Moment::from_millis(due.millis() - 1);
    assert_eq!(token_at(&world.another(), &vendor, just_before).await, first);
    assert_eq!(vendor.asked(), 1);
    // One process asks and does not return; another one needs a token meanwhile.
    let (asking, stuck) = (world.another(), vendor.clone());
    let asking = tokio::spawn(async move {
        let ask = || async move {
            stuck.asked.fetch_add(1, Ordering::SeqCst);
            std::future::pending::<Result<Granted, Down>>().await
        };
        asking.access_token(&account(), || due, ask).await
    });
    while vendor.asked() < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(token_at(&world.another(), &vendor, due).await, first);
    assert_eq!(vendor.asked(), 2);
    // It dies; after its lease another one asks.
    asking.abort();
    let within = due + LEASE - Duration::from_millis(1);
    assert_eq!(token_at(&world.another(), &vendor, within).await, first);
    let next = token_at(&world.another(), &vendor, due + LEASE).await;
    assert_eq!((vendor.asked(), next.version), (3, 2));
}

#[tokio::test]
async fn a_token_is_remembered_for_ten_minutes_and_costs_no_request_meanwhile() {
    let (world, vendor) = (World::start().await, Vendor::default());
    let first = token_at(&world.store, &vendor, NOW).await;
    world.wire.take_requests();
    let minutes = |minutes: u64| NOW + Duration::from_secs(60 * minutes);
    assert_eq!(token_at(&world.store, &vendor, minutes(9)).await, first);
    assert_eq!(world.wire.take_requests(), 0);
    let second = token_after(&world.another(), &vendor, first.version, minutes(9)).await;
    world.wire.take_requests();
    assert_eq!(token_at(&world.store, &vendor, minutes(10)).await, second);
    assert_eq!(world.wire.take_requests(), 1);
}

/// A vendor that is down is asked once per lease.
#[tokio::test]
async fn after_a_failed_request_nobody_asks_before_the_lease_ends() {
    let (world, vendor) = (World::start().await, Vendor::default());
    let ask = |vendor: &Vendor| {
        let vendor = vendor.clone();
        move || vendor.fail()
    };
    let failed = world.store.access_token(&account(), || NOW, ask(&vendor)).await.expect_err("down");
    assert!(matches!(failed, TokenError::Refused(Down)), "{failed:?}");
    let busy = world.another().access_token(&account(), || NOW, ask(&vendor)).await.expect_err("nobody asks");
    assert!(matches!(busy, TokenError::Busy(_)), "{busy:?}");
    assert_eq!(vendor.asked(), 1);
    token_at(&world.another(), &vendor, NOW + LEASE).await;
    assert_eq!(vendor.asked(), 2);
}

#[tokio::test]
async fn a_lease_or_a_token_whose_answer_was_lost_is_recognised_as_ones_own() {
    let (world, vendor) = (World::start().await, Vendor::default());
    let wire = world.wire.clone();
    let granting = vendor.clone();
    let ask = || async move {
        // The write of the token.
        wire.lose_the_next_answer();
        granting.grant(TWO_HOURS).await
    };
    let token = world.store.access_token(&account(), || NOW, ask).await.expect("a token");
    assert_eq!(token_at(&world.another(), &vendor, NOW).await, token);
    assert_eq!((vendor.asked(), token.version), (1, 1));
}

#[tokio::test]
async fn a_token_is_not_printed() {
    let (world, vendor) = (World::start().await, Vendor::default());
    let token = token_at(&world.store, &vendor, NOW).await;
    for printed in [format!("{token:?}"), format!("{:?}", world.store)] {
        assert!(!printed.contains("sealed-1"), "{printed}");
    }
}
