//! Claims, marks, rate buckets and digests.

use std::collections::BTreeMap;
use std::time::Duration;

use alerting::base::ids::{DestinationId, IncidentId};
use alerting::base::moment::Moment;
use alerting::base::rate::Rate;
use alerting::base::severity::Severity;
use alerting::incident::Progress;
use alerting::incident::notice::Notice;
use alerting::incident::timeline::EntryKind;
use store::Store;
use store::bucket_key::BucketKey;
use store::dead_letters::DeadLetter;
use store::deliveries::cards::SentCard;
use store::deliveries::{ATTEMPTS, AttemptOutcome, Claim, Delivery, DeliveryState, Mark, Marked};
use store::rates::Permit;

use crate::world::{NOW, World, destination, space, stamp};

const LEASE: Duration = Duration::from_secs(45);
const TEN_A_SECOND: [Rate; 1] = [Rate { burst: 10, per: Duration::from_secs(1) }];

fn incident() -> IncidentId {
    IncidentId::of(&space("dba"), stamp(0))
}

fn ops() -> DestinationId {
    destination("ops")
}

fn bucket() -> BucketKey {
    BucketKey::Destination(ops())
}

async fn claim(store: &Store, n: u64, owner: &str, now: Moment) -> Claim {
    store.claim(&incident(), &ops(), n, owner, now, LEASE).await.expect("written")
}

async fn claimed(store: &Store, n: u64, owner: &str, now: Moment) -> Delivery {
    match claim(store, n, owner, now).await {
        Claim::Claimed(delivery) => delivery,
        other => panic!("not claimed: {other:?}"),
    }
}

async fn mark(store: &Store, n: u64, owner: &str, mark: Mark) -> Marked {
    store.mark(&incident(), &ops(), n, owner, mark).await.expect("written")
}

fn delivered() -> Mark {
    Mark {
        at: NOW,
        state: DeliveryState::Delivered,
        outcome: Some(AttemptOutcome::Delivered),
        reason: None,
        template: None,
        together: 1,
        asked: None,
        cards: None,
    }
}

fn to_be_retried(at: Moment) -> Mark {
    let reason = Some("provider_down".to_owned());
    Mark {
        at,
        state: DeliveryState::Pending,
        outcome: Some(AttemptOutcome::Retry),
        reason,
        template: None,
        together: 1,
        asked: None,
        cards: None,
    }
}

async fn only_delivery(world: &World) -> Delivery {
    let mut all = world.store.deliveries(&incident()).await.expect("listed");
    assert_eq!(all.len(), 1);
    let (destination, delivery) = all.remove(0);
    assert_eq!(destination, ops());
    delivery
}

// Proves: delivered-or-alarm
#[tokio::test]
async fn one_worker_sends_and_the_other_waits_whoever_comes_first() {
    let world = World::start().await;
    let (one, other) = (world.another(), world.another());
    for (n, first, second) in [(1, &one, &other), (2, &other, &one)] {
        claimed(first, n, "first", NOW).await;
        assert_eq!(claim(second, n, "second", NOW).await, Claim::Busy { until: NOW + LEASE });
        assert_eq!(mark(second, n, "second", delivered()).await, Marked::NotOurs);
        assert_eq!(mark(first, n, "first", delivered()).await, Marked::Recorded);
        assert_eq!(claim(second, n, "second", NOW).await, Claim::AlreadySent);
    }
    let delivery = only_delivery(&world).await;
    assert_eq!((delivery.sent, delivery.attempts.len(), delivery.state()), (2, 2, DeliveryState::Delivered));
}

// Proves: fault 27
#[tokio::test]
async fn an_older_change_never_lands_after_a_newer_one() {
    let world = World::start().await;
    claimed(&world.store, 2, "a", NOW).await;
    mark(&world.store, 2, "a", delivered()).await;
    assert_eq!(claim(&world.store, 1, "b", NOW).await, Claim::AlreadySent);
    assert_eq!(only_delivery(&world).await.state_of(1), DeliveryState::Folded);
}

#[tokio::test]
async fn after_a_crash_the_lease_runs_out_and_another_worker_sends() {
    let world = World::start().await;
    claimed(&world.store, 1, "crashed", NOW).await;
    let late = NOW + LEASE;
    claimed(&world.store, 1, "next", late).await;
    assert_eq!(mark(&world.store, 1, "crashed", delivered()).await, Marked::NotOurs);
    assert_eq!(mark(&world.store, 1, "next", delivered()).await, Marked::Recorded);
    assert_eq!(only_delivery(&world).await.attempts.len(), 1);
}

#[tokio::test]
async fn a_claim_and_a_mark_whose_answers_were_lost_are_recognised() {
    let world = World::start().await;
    world.wire.lose_the_next_answer();
    claimed(&world.store, 1, "a", NOW).await;
    world.wire.lose_the_next_answer();
    assert_eq!(mark(&world.store, 1, "a", delivered()).await, Marked::Recorded);
    assert_eq!(world.wire.take_requests(), 4);
    let delivery = only_delivery(&world).await;
    assert_eq!((delivery.attempts.len(), delivery.changes.len()), (1, 1));
}

#[tokio::test]
async fn what_is_to_be_sent_again_stays_pending_and_can_be_claimed_at_once() {
    let world = World::start().await;
    claimed(&world.store, 1, "a", NOW).await;
    mark(&world.store, 1, "a", to_be_retried(NOW)).await;
    let delivery = claimed(&world.store, 1, "b", NOW).await;
    assert_eq!((delivery.sent, delivery.failures(1), delivery.state()), (0, 1, DeliveryState::Pending));
    assert_eq!(delivery.attempts[0].reason.as_deref(), Some("provider_down"));
    let failed = Mark { state: DeliveryState::Failed, outcome: None, ..to_be_retried(NOW) };
    assert_eq!(mark(&world.store, 1, "b", failed).await, Marked::Recorded);
    assert_eq!(only_delivery(&world).await.state(), DeliveryState::Failed);
    // It was given up, not delivered: a copy that comes back, from a dead-letter queue say, is sent.
    claimed(&world.store, 1, "c", NOW).await;
    assert_eq!(mark(&world.store, 1, "c", delivered()).await, Marked::Recorded);
    assert_eq!(claim(&world.store, 1, "d", NOW).await, Claim::AlreadySent);
    assert_eq!(only_delivery(&world).await.state(), DeliveryState::Delivered);
}

#[tokio::test]
async fn what_a_person_asks_for_is_sent_once_for_each_request_and_never_behind_something_newer() {
    let world = World::start().await;
    claimed(&world.store, 1, "a", NOW).await;
    mark(&world.store, 1, "a", delivered()).await;
    let again = async |n, asked, owner: &str| {
        world.store.claim_again(&incident(), &ops(), n, asked, owner, NOW, LEASE).await.expect("written")
    };
    for (asked, owner) in [(NOW, "b"), (NOW + LEASE, "c")] {
        assert!(matches!(again(1, asked, owner).await, Claim::Claimed(_)));
        assert_eq!(again(1, asked, "another").await, Claim::Busy { until: NOW + LEASE });
        mark(&world.store, 1, owner, Mark { asked: Some(asked), ..delivered() }).await;
        assert_eq!(again(1, asked, "another").await, Claim::AlreadySent, "a copy of the request");
    }
    claimed(&world.store, 2, "d", NOW).await;
    mark(&world.store, 2, "d", delivered()).await;
    assert_eq!(again(1, NOW + LEASE + LEASE, "e").await, Claim::AlreadySent);
}

#[tokio::test]
async fn dead_letters_are_listed_newest_first_with_their_bodies_apart() {
    let world = World::start().await;
    let at = |secs: u64| NOW + Duration::from_secs(secs);
    let letters: Vec<DeadLetter> = (0..5)
        .map(|n| DeadLetter::of_notice(&Notice { at: at(n), ..notice(n.cast_signed(), 1) }, "refused", at(100)))
        .collect();
    for letter in letters.iter().chain(&letters) {
        world.store.put_dead_letter(letter).await.expect("written");
    }
    let first = world.store.dead_letters(3, None).await.expect("listed");
    let rest = world.store.dead_letters(3, first.next.as_deref()).await.expect("listed");
    assert_eq!(rest.next, None);
    let listed: Vec<String> = first.items.into_iter().chain(rest.items).map(|letter| letter.id).collect();
    assert_eq!(listed, letters.iter().rev().map(|letter| letter.id.clone()).collect::<Vec<_>>());
    assert_eq!(world.store.dead_letter(&letters[2].id).await.expect("read").as_ref(), Some(&letters[2]));
    world.store.delete_dead_letter(&letters[2].id).await.expect("deleted");
    world.store.delete_dead_letter(&letters[2].id).await.expect("deleted again");
    assert_eq!(world.store.dead_letter(&letters[2].id).await.expect("read"), None);
}

#[tokio::test]
async fn of_very_many_attempts_the_first_and_the_newest_are_kept() {
    let world = World::start().await;
    let at = |index: usize| NOW + Duration::from_secs(index as u64);
    for index in 0..ATTEMPTS + 10 {
        claimed(&world.store, 1, "a", NOW).await;
        assert_eq!(mark(&world.store, 1, "a", to_be_retried(at(index))).await, Marked::Recorded);
    }
    let delivery = only_delivery(&world).await;
    assert_eq!(delivery.attempts.len(), ATTEMPTS);
    assert_eq!(delivery.attempts[0].at, at(0));
    assert_eq!(delivery.attempts[1].at, at(11));
    assert_eq!(delivery.attempts[ATTEMPTS - 1].at, at(ATTEMPTS + 9));
    assert_eq!(delivery.changes.len(), 1);
    claimed(&world.store, 1, "b", NOW).await;
    mark(&world.store, 1, "b", delivered()).await;
    assert_eq!(only_delivery(&world).await.state(), DeliveryState::Delivered);
}

fn card(n: u64) -> SentCard {
    SentCard { n, shown: n, receipt: format!("message {n}"), at: NOW, live: true, offers: true }
}

#[tokio::test]
async fn receipts_are_stored_with_the_mark_at_no_further_write_and_stay_until_there_are_new_ones() {
    let world = World::start().await;
    claimed(&world.store, 1, "a", NOW).await;
    world.wire.take_requests();
    mark(&world.store, 1, "a", Mark { cards: Some(vec![card(1)]), ..delivered() }).await;
    assert_eq!(world.wire.take_requests(), 1);
    assert_eq!(claimed(&world.store, 2, "a", NOW).await.cards, [card(1)]);
    mark(&world.store, 2, "a", to_be_retried(NOW)).await;
    assert_eq!(only_delivery(&world).await.cards, [card(1)]);
    claimed(&world.store, 2, "a", NOW).await;
    mark(&world.store, 2, "a", Mark { cards: Some(vec![card(2), card(1)]), ..delivered() }).await;
    assert_eq!(only_delivery(&world).await.cards, [card(2), card(1)]);
}

#[tokio::test]
async fn a_delivery_with_very_many_attempts_keeps_its_receipts() {
    let world = World::start().await;
    for _ in 0..ATTEMPTS + 2 {
        claimed(&world.store, 1, "a", NOW).await;
        mark(&world.store, 1, "a", to_be_retried(NOW)).await;
    }
    claimed(&world.store, 1, "a", NOW).await;
    mark(&world.store, 1, "a", Mark { cards: Some(vec![card(1)]), ..delivered() }).await;
    let delivery = only_delivery(&world).await;
    assert_eq!((delivery.cards, delivery.attempts.len()), (vec![card(1)], ATTEMPTS));
}

#[tokio::test]
async fn a_token_costs_one_write_and_a_wait_that_is_known_costs_nothing() {
    let world = World::start().await;
    assert_eq!(world.store.take_permit(&bucket(), &TEN_A_SECOND, NOW).await.expect("written"), Permit::Granted);
    assert_eq!(world.store.take_permit(&bucket(), &TEN_A_SECOND, NOW).await.expect("written"), Permit::Granted);
    assert_eq!(world.wire.take_requests(), 2);
    let Permit::Wait(wait) = world.store.take_permit(&bucket(), &TEN_A_SECOND, NOW).await.expect("decided") else {
        panic!("more than a fifth of the rate at once")
    };
    assert_eq!(world.wire.take_requests(), 0);
    let granted = world.store.take_permit(&bucket(), &TEN_A_SECOND, NOW + wait).await.expect("written");
    assert_eq!(granted, Permit::Granted);
}

#[tokio::test]
async fn two_processes_share_one_bucket() {
    let world = World::start().await;
    let (one, other) = (world.another(), world.another());
    assert_eq!(one.take_permit(&bucket(), &TEN_A_SECOND, NOW).await.expect("written"), Permit::Granted);
    assert_eq!(other.take_permit(&bucket(), &TEN_A_SECOND, NOW).await.expect("written"), Permit::Granted);
    for store in [&one, &other] {
        let token = store.take_permit(&bucket(), &TEN_A_SECOND, NOW).await.expect("decided");
        assert!(matches!(token, Permit::Wait(_)));
    }
}

#[tokio::test]
async fn a_token_whose_answer_was_lost_is_taken_once() {
    let world = World::start().await;
    world.wire.lose_the_next_answer();
    assert_eq!(world.store.take_permit(&bucket(), &TEN_A_SECOND, NOW).await.expect("written"), Permit::Granted);
    let other = world.another();
    assert_eq!(other.take_permit(&bucket(), &TEN_A_SECOND, NOW).await.expect("written"), Permit::Granted);
    assert!(matches!(other.take_permit(&bucket(), &TEN_A_SECOND, NOW).await.expect("decided"), Permit::Wait(_)));
}

#[tokio::test]
async fn a_providers_block_holds_for_every_process_and_a_shorter_one_does_not_end_it() {
    let world = World::start().await;
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    world.store.block(&bucket(), NOW + minutes(10)).await.expect("written");
    world.another().block(&bucket(), NOW + minutes(5)).await.expect("written");
    let token = world.another().take_permit(&bucket(), &TEN_A_SECOND, NOW).await.expect("decided");
    assert_eq!(token, Permit::Wait(minutes(10)));
    let token = world.another().take_permit(&bucket(), &TEN_A_SECOND, NOW + minutes(10)).await.expect("written");
    assert_eq!(token, Permit::Granted);
}

fn notice(at: i64, n: u64) -> Notice {
    Notice {
        destination: ops(),
        n,
        kind: EntryKind::Triggered,
        at: NOW,
        actor: "source".to_owned(),
        by: None,
        incident: IncidentId::of(&space("dba"), stamp(at)),
        num: "ABC123".to_owned(),
        space: space("dba"),
        space_name: "DBA".to_owned(),
        title: format!("disk full {at}"),
        description: "long".repeat(1000),
        severity: Severity::Warning,
        progress: Progress::Triggered,
        episode: 0,
        triggered_at: NOW,
        closed_at: None,
        labels: BTreeMap::from([("host".to_owned(), "db-1".to_owned())]),
        integration_name: "disk alarms".to_owned(),
        alert_count: 1,
        rule: None,
        level: None,
        flapping: false,
        person: None,
        assigned: Vec::new(),
        mentions: Vec::new(),
    }
}

#[tokio::test]
async fn digest_lines_wait_in_order_once_each_until_they_are_removed() {
    let world = World::start().await;
    let notices: Vec<Notice> = (0..30).flat_map(|at| [notice(at, 1), notice(at, 2)]).collect();
    let mut mixed = notices.clone();
    mixed.reverse();
    mixed.push(notice(3, 1)); // twice in one call
    world.store.add_digest_lines(&ops(), &mixed, NOW).await.expect("written");
    world.store.add_digest_lines(&ops(), &notices[..5], NOW).await.expect("written again");
    let lines = world.store.digest_lines(&ops(), 100).await.expect("listed");
    let order = |notices: &[Notice]| notices.iter().map(|line| (line.incident.clone(), line.n)).collect::<Vec<_>>();
    assert_eq!(order(&lines), order(&notices));
    assert!(lines.iter().all(|line| line.description.is_empty() && line.labels.is_empty()));
    let first = world.store.digest_lines(&ops(), 40).await.expect("listed");
    assert_eq!(order(&first), order(&notices[..40]));
    world.store.remove_digest_lines(&ops(), &first).await.expect("removed");
    world.store.remove_digest_lines(&ops(), &first).await.expect("removed again");
    assert_eq!(order(&world.store.digest_lines(&ops(), 100).await.expect("listed")), order(&notices[40..]));
    assert!(world.store.digest_lines(&destination("other"), 100).await.expect("listed").is_empty());
}

#[tokio::test]
async fn cards_are_replaced_only_by_who_knows_them_and_a_repeated_write_is_recognised() {
    let world = World::start().await;
    let card = |shown| SentCard { n: 1, shown, receipt: "m1".to_owned(), at: NOW, live: true, offers: true };
    claimed(&world.store, 1, "first", NOW).await;
    mark(&world.store, 1, "first", Mark { cards: Some(vec![card(1)]), ..delivered() }).await;
    let replace = async |known: u64, shown: u64| {
        let (known, cards) = ([card(known)], [card(shown)]);
        world.store.replace_cards(&incident(), &ops(), &known, &cards).await.expect("written")
    };
    assert!(replace(1, 2).await);
    assert!(!replace(1, 3).await, "they show the second change by now");
    assert!(replace(1, 2).await, "this very write was done before");
    assert_eq!(only_delivery(&world).await.cards, [card(2)]);
}
