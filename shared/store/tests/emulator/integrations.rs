//! Integrations, the keys of their URLs, and API keys.

use std::time::Duration;

use alerting::base::secret::Sealed;
use alerting::rules::integration::{IntakeLimits, Integration, PushMode, Routing, Security, Source, TitleFrom};
use alerting::rules::message::MsgType;
use store::api_keys::ApiKey;
use store::cache::TTL;
use store::config::Expect;
use store::errors::SaveError;
use store::guesses::{Asked, OF_A_SOURCE};
use store::integrations::{OldKey, StoredIntegration};
use store::keys::secret_hash;

use crate::world::{NOW, World, integration, space};

/// The address of the sender.
const HERE: &str = "203.0.113.7";

fn disk_alarms() -> StoredIntegration {
    let integration = Integration {
        id: integration("disk"),
        name: "disk alarms".to_owned(),
        version: 0,
        source: Source::Feishu,
        routing: Routing::Dedicated { space: space("dba") },
        message_types: vec![MsgType::Text, MsgType::Post],
        title_from: TitleFrom::Default,
        push_mode: PushMode::ByTitle,
        security: Security::default(),
        pipeline: Vec::new(),
        limits: IntakeLimits::default(),
        auto_close_hours: 24,
        created_at: NOW,
    };
    StoredIntegration::new(integration, Sealed("sealed".to_owned()), secret_hash("first"), "…irst".to_owned())
}

#[tokio::test]
async fn a_key_opens_its_integration_and_no_other_key_does() {
    let world = World::start().await;
    let saved = world.store.integrations().put(&disk_alarms(), Expect::New).await.expect("saved");
    assert_eq!(saved.integration.version, 1);
    let opened = world.another().intake("first", HERE, NOW).await.expect("read").known().expect("opened");
    assert_eq!(*opened, saved);
    assert!(world.another().intake("second", HERE, NOW).await.expect("read").known().is_none());
}

#[tokio::test]
async fn a_known_key_and_an_unknown_one_are_asked_for_once_in_ten_seconds() {
    let world = World::start().await;
    world.store.integrations().put(&disk_alarms(), Expect::New).await.expect("saved");
    world.wire.take_requests();
    for _ in 0..100 {
        world.store.intake("first", HERE, NOW).await.expect("read");
        world.store.intake("unknown", HERE, NOW).await.expect("read");
    }
    assert_eq!(world.wire.take_requests(), 3); // pointer and record of the one, nothing of the other
    world.store.intake("unknown", HERE, NOW + TTL).await.expect("read");
    assert_eq!(world.wire.take_requests(), 1);
}

#[tokio::test]
async fn a_key_that_was_unknown_works_as_soon_as_its_integration_is_saved_here() {
    let world = World::start().await;
    assert!(world.store.intake("first", HERE, NOW).await.expect("read").known().is_none());
    world.store.integrations().put(&disk_alarms(), Expect::New).await.expect("saved");
    assert!(world.store.intake("first", HERE, NOW).await.expect("read").known().is_some());
}

// Proves: finding C11
#[tokio::test]
async fn after_rotations_every_old_key_works_until_its_promised_time() {
    let world = World::start().await;
    let first = world.store.integrations().put(&disk_alarms(), Expect::New).await.expect("saved");
    let rotate = async |stored: StoredIntegration, key: &str, minutes: u64| {
        let expect = Expect::Version(stored.integration.version);
        let until = NOW + Duration::from_secs(60 * minutes);
        let stored = stored.rotated(Sealed("sealed".to_owned()), secret_hash(key), "…".to_owned(), until, NOW);
        world.store.integrations().put(&stored, expect).await.expect("saved")
    };
    let second = rotate(first, "second", 60).await;
    let third = rotate(second, "third", 30).await;
    rotate(third, "fourth", 0).await;
    let opens = async |minutes: u64| {
        let at = NOW + Duration::from_secs(60 * minutes);
        let mut open = Vec::new();
        for key in ["first", "second", "third", "fourth"] {
            let found = world.store.intake(key, HERE, at).await.expect("read").known();
            open.extend(found.map(|_| key));
        }
        open
    };
    assert_eq!(opens(0).await, ["first", "second", "fourth"]);
    assert_eq!(opens(29).await, ["first", "second", "fourth"]);
    assert_eq!(opens(30).await, ["first", "fourth"]);
    assert_eq!(opens(60).await, ["fourth"]);
}

#[tokio::test]
async fn the_one_old_key_of_an_earlier_version_works_on_after_the_next_rotation() {
    let world = World::start().await;
    let until = NOW + Duration::from_secs(3600);
    let old_key = Some(OldKey { hash: secret_hash("old"), until });
    let stored = StoredIntegration { old_key, ..disk_alarms() };
    let saved = world.store.integrations().put(&stored, Expect::New).await.expect("saved");
    let rotated = saved.rotated(Sealed("sealed".to_owned()), secret_hash("new"), "…".to_owned(), until, NOW);
    world.store.integrations().put(&rotated, Expect::Version(1)).await.expect("saved");
    for key in ["old", "first", "new"] {
        assert!(world.store.intake(key, HERE, NOW).await.expect("read").known().is_some(), "{key}");
    }
}

#[tokio::test]
async fn of_two_saves_the_later_one_changes_nothing_not_even_the_keys() {
    let world = World::start().await;
    let saved = world.store.integrations().put(&disk_alarms(), Expect::New).await.expect("saved");
    let winner = StoredIntegration { key_hash: secret_hash("winner"), ..saved.clone() };
    let loser = StoredIntegration { key_hash: secret_hash("loser"), ..saved };
    world.store.integrations().put(&winner, Expect::Version(1)).await.expect("saved");
    let lost = world.another().integrations().put(&loser, Expect::Version(1)).await.expect_err("lost");
    assert!(matches!(lost, SaveError::Conflict { .. }), "{lost}");
    assert!(world.another().intake("winner", HERE, NOW).await.expect("read").known().is_some());
    assert!(world.another().intake("loser", HERE, NOW).await.expect("read").known().is_none());
}

#[tokio::test]
async fn a_save_whose_answer_was_lost_is_recognised() {
    let world = World::start().await;
    world.wire.lose_the_next_answer();
    world.store.integrations().put(&disk_alarms(), Expect::New).await.expect("saved");
    assert_eq!(world.wire.take_requests(), 2);
    // The same save by another call, which the transaction's token does not cover.
    world.store.integrations().put(&disk_alarms(), Expect::New).await.expect("the same");
}

#[tokio::test]
async fn a_deleted_integration_is_closed_and_gone() {
    let world = World::start().await;
    let saved = world.store.integrations().put(&disk_alarms(), Expect::New).await.expect("saved");
    world.store.intake("first", HERE, NOW).await.expect("read");
    let id = saved.integration.id;
    assert!(world.store.integrations().delete(&id, NOW).await.expect("deleted"));
    assert!(world.store.intake("first", HERE, NOW).await.expect("read").known().is_none());
    assert!(world.store.integrations().get(&id).await.expect("read").is_none());
    assert!(world.store.integrations().list(10, None).await.expect("listed").items.is_empty());
    assert!(!world.store.integrations().delete(&id, NOW).await.expect("deleted before"));
}

#[tokio::test]
async fn an_api_key_is_found_by_its_hash_until_it_is_deleted() {
    let world = World::start().await;
    let keys = world.store.api_keys();
    assert!(!keys.any().await.expect("read"));
    let api_key = |suffix: &str, seconds: u64| ApiKey {
        id: format!("key_{suffix}").parse().expect("valid"),
        name: suffix.to_owned(),
        scopes: vec!["admin".to_owned()],
        created_at: NOW + Duration::from_secs(seconds),
        last4: "wxyz".to_owned(),
        expires_at: None,
        used_at: None,
        created_by: None,
        created_by_member: None,
    };
    let (first, second) = (api_key("first", 0), api_key("second", 1));
    keys.put(&secret_hash("1"), &first).await.expect("saved");
    keys.put(&secret_hash("2"), &second).await.expect("saved");
    assert!(keys.any().await.expect("read"));
    assert_eq!(keys.find(&secret_hash("1"), HERE, NOW).await.expect("read"), Asked::Known(first.clone()));
    assert_eq!(keys.list().await.expect("listed"), [second, first.clone()]);
    assert!(keys.delete(&first.id).await.expect("deleted"));
    assert!(!keys.delete(&first.id).await.expect("deleted before"));
    assert_eq!(keys.find(&secret_hash("1"), HERE, NOW).await.expect("read"), Asked::Unknown);
}

// Proves: fault 71, finding C10
#[tokio::test]
async fn guesses_cost_a_read_each_up_to_a_limit_for_each_source_and_a_key_that_worked_goes_on_working() {
    let world = World::start().await;
    world.store.integrations().put(&disk_alarms(), Expect::New).await.expect("saved");
    let keys = world.store.api_keys();
    let api_key = ApiKey {
        id: "key_first".parse().expect("valid"),
        name: "first".to_owned(),
        scopes: vec!["admin".to_owned()],
        created_at: NOW,
        last4: "wxyz".to_owned(),
        expires_at: None,
        used_at: None,
        created_by: None,
        created_by_member: None,
    };
    keys.put(&secret_hash("1"), &api_key).await.expect("saved");
    world.store.intake("first", HERE, NOW).await.expect("read");
    keys.find(&secret_hash("1"), HERE, NOW).await.expect("read");
    world.wire.take_requests();
    for guess in 0..500 {
        // Guesses at both kinds of keys count together.
        world.store.intake(&format!("guess{guess}"), HERE, NOW).await.expect("read");
        keys.find(&secret_hash(&format!("guess {guess}")), HERE, NOW).await.expect("read");
    }
    assert_eq!(world.wire.take_requests(), OF_A_SOURCE);
    assert!(matches!(world.store.intake("another", HERE, NOW).await.expect("read"), Asked::TooOften(_)));
    assert!(matches!(keys.find(&secret_hash("another"), HERE, NOW).await.expect("read"), Asked::TooOften(_)));

    // A key that is ours is looked up from anywhere.
    assert_eq!(world.store.intake_of_ours("another", NOW).await.expect("read"), Asked::Unknown);
    assert_eq!(keys.find_ours(&secret_hash("another one"), NOW).await.expect("read"), Asked::Unknown);

    // What has worked from there works on, also when it has to be read again, and elsewhere everything does.
    assert!(world.store.intake("first", HERE, NOW + TTL).await.expect("read").known().is_some());
    assert!(keys.find(&secret_hash("1"), HERE, NOW).await.expect("read").known().is_some());
    assert_eq!(world.store.intake("another", "198.51.100.1", NOW).await.expect("read"), Asked::Unknown);
    let later = NOW + Duration::from_secs(60);
    assert_eq!(keys.find(&secret_hash("another"), HERE, later).await.expect("read"), Asked::Unknown);
}

#[tokio::test]
async fn an_api_key_that_does_not_exist_is_asked_for_once_in_ten_seconds_and_a_deleted_one_is_known_to_be_at_once() {
    let world = World::start().await;
    let keys = world.store.api_keys();
    world.wire.take_requests();
    for _ in 0..100 {
        keys.find(&secret_hash("unknown"), HERE, NOW).await.expect("read");
    }
    assert_eq!(world.wire.take_requests(), 1);
    let id = "key_first".parse().expect("valid");
    let api_key = ApiKey {
        id,
        name: "first".to_owned(),
        scopes: Vec::new(),
        created_at: NOW,
        last4: "wxyz".to_owned(),
        expires_at: None,
        used_at: None,
        created_by: None,
        created_by_member: None,
    };
    // A key that was looked up before it was created still works.
    keys.put(&secret_hash("unknown"), &api_key).await.expect("saved");
    assert!(keys.find(&secret_hash("unknown"), HERE, NOW).await.expect("read").known().is_some());
    // By another process, at once.
    assert!(world.another().api_keys().delete(&api_key.id).await.expect("deleted"));
    assert_eq!(keys.find(&secret_hash("unknown"), HERE, NOW).await.expect("read"), Asked::Unknown);
}
