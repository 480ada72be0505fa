//! The conservation counter.

use std::time::Duration;

use alerting::base::ids::{IncidentId, Stamp};
use alerting::base::limits;
use alerting::base::moment::Moment;
use alerting::base::secret::Sealed;
use alerting::rules::integration::{IntakeLimits, Integration, PushMode, Routing, Security, Source, TitleFrom};
use store::config::Expect;
use store::deliveries::{DeliveryState, Mark};
use store::integrations::StoredIntegration;
use store::ledger::counted::Counted;
use store::ledger::{LedgerHour, Messages, Notices, SETTLING};
use store::log::{LogEntry, MessageOutcome, NoticeRef};

use crate::log::entry;
use crate::world::{NOW, World, destination, integration, space, stamp};

const HOUR: Duration = Duration::from_secs(3600);

async fn save(world: &World, suffix: &str) {
    let integration = Integration {
        id: integration(suffix),
        name: suffix.to_owned(),
        version: 0,
        source: Source::Feishu,
        routing: Routing::Dedicated { space: space("dba") },
        message_types: Vec::new(),
        title_from: TitleFrom::Default,
        push_mode: PushMode::EachMessage,
        security: Security::default(),
        pipeline: Vec::new(),
        limits: IntakeLimits::default(),
        auto_close_hours: 24,
        created_at: NOW,
    };
    let sealed = Sealed("sealed".to_owned());
    let stored = StoredIntegration::new(integration, sealed, suffix.to_owned(), "…".to_owned());
    world.store.integrations().put(&stored, Expect::New).await.expect("saved");
}

async fn log(world: &World, suffix: &str, at: i64, outcome: MessageOutcome, notices: Vec<NoticeRef>) {
    let entry = LogEntry { notices, ..entry(&integration(suffix), stamp(at), outcome) };
    world.store.log_message(&entry, NOW, limits::MESSAGE_LOG).await.expect("written");
}

fn notice(at: i64, n: u64) -> NoticeRef {
    NoticeRef { incident: IncidentId::of(&space("dba"), stamp(at)), destination: destination("ops"), n }
}

async fn tell(world: &World, notice: &NoticeRef, state: DeliveryState) {
    let NoticeRef { incident, destination, n } = notice;
    world.store.claim(incident, destination, *n, "me", NOW, HOUR).await.expect("claimed");
    let mark =
        Mark { at: NOW, state, outcome: None, reason: None, template: None, together: 1, asked: None, cards: None };
    world.store.mark(incident, destination, *n, "me", mark).await.expect("marked");
}

async fn books(world: &World, now: Moment) -> LedgerHour {
    world.another().ledger(NOW, now).await.expect("counted")
}

#[tokio::test]
async fn every_message_and_every_notice_of_the_hour_is_accounted_for() {
    let world = World::start().await;
    save(&world, "a").await;
    save(&world, "b").await;
    world.store.saw_received("one", NOW, Counted::all(4)).await.expect("written");
    world.store.saw_received("two", NOW, Counted::all(3)).await.expect("written");
    world.store.saw_received("two", NOW - HOUR, Counted::all(9)).await.expect("written");
    log(&world, "a", 0, MessageOutcome::Triggered, vec![notice(0, 1), notice(1, 1)]).await;
    log(&world, "a", 1, MessageOutcome::Updated, Vec::new()).await;
    log(&world, "a", 2, MessageOutcome::Recovered, vec![notice(0, 2)]).await;
    log(&world, "b", 3, MessageOutcome::Superseded, Vec::new()).await;
    log(&world, "b", 4, MessageOutcome::Discarded, Vec::new()).await;
    log(&world, "b", 5, MessageOutcome::Refused, Vec::new()).await;
    log(&world, "b", 3_600_000, MessageOutcome::Triggered, vec![notice(9, 1)]).await;
    world.store.log_action(NOW, &notice(0, 3).incident, 3, &[notice(0, 3)]).await.expect("written");
    world.store.log_action(NOW + HOUR, &notice(9, 2).incident, 2, &[notice(9, 2)]).await.expect("written");
    tell(&world, &notice(0, 2), DeliveryState::Delivered).await;
    tell(&world, &notice(0, 3), DeliveryState::Failed).await;
    let expected = LedgerHour {
        hour: NOW,
        messages: Messages {
            received: 7,
            waiting: 1,
            refused: 1,
            discarded: 1,
            superseded: 1,
            updated: 1,
            triggered: 1,
            recovered: 1,
        },
        notices: Notices { created: 4, delivered: 1, folded: 1, accepted: 0, failed: 1, pending: 1 },
        balanced: true,
    };
    assert_eq!(books(&world, NOW + HOUR).await, expected);
    let settled = books(&world, NOW + HOUR + SETTLING).await;
    assert_eq!(settled, LedgerHour { balanced: false, ..expected });
}

#[tokio::test]
async fn a_message_that_vanished_behind_the_intake_leaves_a_gap() {
    let world = World::start().await;
    save(&world, "a").await;
    world.store.saw_received("one", NOW, Counted::all(2)).await.expect("written");
    log(&world, "a", 1, MessageOutcome::Triggered, Vec::new()).await;
    let settled = books(&world, NOW + HOUR + SETTLING).await;
    assert_eq!((settled.messages.waiting, settled.balanced), (1, false));
}

// Proves: finding C9
#[tokio::test]
async fn a_request_that_was_cut_off_does_not_wait_for_ever_whether_it_was_queued_or_not() {
    for logged in [2, 3] {
        let world = World::start().await;
        save(&world, "a").await;
        // The greatest number and the greatest count may come with different messages.
        for counted in [Counted { given: 3, queued: 1 }, Counted { given: 2, queued: 2 }] {
            world.another().saw_received("one", NOW, counted).await.expect("written");
        }
        log(&world, "a", 1, MessageOutcome::Triggered, Vec::new()).await;
        assert_eq!(books(&world, NOW).await.messages.waiting, 1, "one of those that are known to be queued");
        for at in 2..=logged {
            log(&world, "a", at, MessageOutcome::Triggered, Vec::new()).await;
        }
        let settled = books(&world, NOW + HOUR + SETTLING).await;
        let received = u64::try_from(logged).expect("small");
        assert_eq!((settled.messages.received, settled.messages.waiting, settled.balanced), (received, 0, true));
    }
}

#[tokio::test]
async fn more_outcomes_than_messages_never_balance() {
    let world = World::start().await;
    save(&world, "a").await;
    log(&world, "a", 1, MessageOutcome::Triggered, Vec::new()).await;
    let open = books(&world, NOW).await;
    assert_eq!((open.messages.waiting, open.balanced), (-1, false));
}

#[tokio::test]
async fn the_greatest_count_of_a_process_counts_in_any_order_and_is_written_once() {
    let world = World::start().await;
    for count in [3, 7, 5] {
        world.another().saw_received("one", NOW, Counted::all(count)).await.expect("written");
    }
    assert_eq!(books(&world, NOW).await.messages.received, 7);
    world.store.saw_received("one", NOW, Counted::all(2)).await.expect("written");
    world.wire.take_requests();
    for count in 1..=7 {
        world.store.saw_received("one", NOW, Counted::all(count)).await.expect("known");
    }
    assert_eq!(world.wire.take_requests(), 0);
}

#[tokio::test]
async fn a_balanced_hour_is_frozen_until_a_later_count_disagrees() {
    let world = World::start().await;
    save(&world, "a").await;
    world.store.saw_received("one", NOW, Counted::all(1)).await.expect("written");
    log(&world, "a", 1, MessageOutcome::Triggered, Vec::new()).await;
    let now = NOW + HOUR + SETTLING;
    let final_hour = books(&world, now).await;
    assert!(final_hour.balanced);
    world.wire.take_requests();
    assert_eq!(books(&world, now).await, final_hour);
    assert_eq!(world.wire.take_requests(), 2, "the counts and the frozen hour");
    // A message that waited in a dead-letter queue is given back a day later.
    world.store.saw_received("one", NOW, Counted::all(2)).await.expect("written");
    log(&world, "a", 2, MessageOutcome::Superseded, Vec::new()).await;
    let counted_again = books(&world, now).await;
    assert_eq!((counted_again.messages.received, counted_again.messages.superseded), (2, 1));
    assert!(counted_again.balanced);
}

#[tokio::test]
async fn the_messages_of_a_deleted_integration_still_count() {
    let world = World::start().await;
    save(&world, "a").await;
    world.store.saw_received("one", NOW, Counted::all(1)).await.expect("written");
    log(&world, "a", 1, MessageOutcome::Triggered, Vec::new()).await;
    world.store.integrations().delete(&integration("a"), NOW).await.expect("deleted");
    assert_eq!(books(&world, NOW).await.messages.waiting, 0);
}

#[tokio::test]
async fn an_hour_may_be_named_by_any_of_its_moments() {
    let world = World::start().await;
    world.store.saw_received("one", NOW, Counted::all(1)).await.expect("written");
    let within = NOW + Duration::from_secs(1234);
    let ledger = world.store.ledger(within, within).await.expect("counted");
    assert_eq!((ledger.hour, ledger.messages.received), (NOW, 1));
    assert_eq!(Stamp::from_parts(within, 0).received_at().hour(), NOW);
}

// Proves: finding C15
#[tokio::test]
async fn the_hours_of_a_day_cost_one_read_per_integration_and_are_counted_apart() {
    let hours: Vec<Moment> = (0..24).map(|back| NOW - HOUR * back).collect();
    let mut requests = Vec::new();
    for suffixes in [&[][..], &["a", "b", "c", "d", "e", "f", "g", "h"]] {
        let world = World::start().await;
        for suffix in suffixes {
            save(&world, suffix).await;
            world.store.saw_received(suffix, NOW, Counted::all(2)).await.expect("written");
            world.store.saw_received(suffix, NOW - HOUR, Counted::all(1)).await.expect("written");
            for at in [0, 1, -1] {
                log(&world, suffix, at, MessageOutcome::Discarded, Vec::new()).await;
            }
        }
        world.wire.take_requests();
        let books = world.another().ledgers(hours.clone(), NOW).await.expect("counted");
        requests.push(world.wire.take_requests());
        let discarded: Vec<u64> = books.iter().map(|one| one.messages.discarded).collect();
        let count = u64::try_from(suffixes.len()).expect("a few");
        assert_eq!(discarded[..3], [2 * count, count, 0]);
        assert!(books.iter().all(|one| one.messages.waiting == 0), "{books:?}");
    }
    let (days, integrations) = (2, 8);
    assert!(requests[1] <= requests[0] + days * integrations, "{requests:?}");
}
