//! The document store and its cache.

use std::collections::BTreeMap;
use std::time::Duration;

use alerting::base::moment::Moment;
use alerting::base::secret::Sealed;
use alerting::base::severity::Severity;
use alerting::incident::space::Space;
use alerting::people::destination::{Language, Provider};
use alerting::people::hours::Zone;
use alerting::people::schedule::Schedule;
use alerting::people::{Member, Role, Team, Verified};
use store::cache::TTL;
use store::config::Expect;
use store::errors::SaveError;

use crate::world::{NOW, World, space};

fn payments() -> Space {
    named("payments", NOW)
}

fn named(name: &str, created_at: Moment) -> Space {
    Space::new(space(name), name.to_owned(), Vec::new(), created_at)
}

#[tokio::test]
async fn a_space_comes_back_as_it_was_saved_with_its_version() {
    let world = World::start().await;
    let saved = world.store.spaces().put(&payments(), Expect::New).await.expect("saved");
    assert_eq!(saved.version, 1);
    assert_eq!(world.another().spaces().get(&saved.id).await.expect("read"), Some(saved));
}

pub(crate) fn ada() -> Member {
    Member {
        id: "mem_ada".parse().expect("valid"),
        version: 0,
        name: "Ada".to_owned(),
        email: Some("ada@example.org".to_owned()),
        email_verified: Some(Verified { at: NOW, vouched_by: Some("deploy bot".to_owned()) }),
        phone: None,
        phone_verified: None,
        email_pending: None,
        phone_pending: None,
        sign_in: None,
        language: Language::Chinese,
        time_zone: "Asia/Shanghai".parse().expect("known"),
        role: Role::Responder,
        preferences: BTreeMap::from([(Severity::Critical, vec!["email".parse().expect("a channel")])]),
        identities: BTreeMap::from([("slack_user_id".to_owned(), "U012AB3CD".to_owned())]),
        links: Vec::new(),
        created_at: NOW,
    }
}

#[tokio::test]
async fn of_many_ids_those_that_exist_are_read_in_their_order() {
    let world = World::start().await;
    for n in 0..40 {
        world.store.spaces().put(&named(&format!("s{n}"), NOW), Expect::New).await.expect("saved");
    }
    let ids = (0..45).rev().map(|n| space(&format!("s{n}"))).collect();
    let found = world.another().spaces().get_all(ids).await.expect("read");
    let names: Vec<String> = found.into_iter().map(|space| space.name).collect();
    assert_eq!(names, (0..40).rev().map(|n| format!("s{n}")).collect::<Vec<_>>());
    assert_eq!(world.store.spaces().all().await.expect("read").len(), 40);
}

#[tokio::test]
async fn members_teams_schedules_and_providers_come_back_as_they_were_saved() {
    let world = World::start().await;
    let (store, other) = (&world.store, world.another());
    let member = store.members().put(&ada(), Expect::New).await.expect("saved");
    let (id, name, members, layers, overrides) = ("team_dba", "DBA", vec![ada().id], Vec::new(), Vec::new());
    let team = Team { id: id.parse().expect("valid"), version: 0, name: name.to_owned(), members, created_at: NOW };
    let team = store.teams().put(&team, Expect::New).await.expect("saved");
    let (id, time_zone) = ("sch_dba".parse().expect("valid"), Zone::utc());
    let schedule = Schedule { id, version: 0, name: name.to_owned(), time_zone, layers, overrides, created_at: NOW };
    let schedule = store.schedules().put(&schedule, Expect::New).await.expect("saved");
    let (id, settings) = ("email".parse().expect("a name"), Sealed("c2VhbGVk".to_owned()));
    let provider = Provider { id, version: 0, settings, shown: BTreeMap::new(), created_at: NOW };
    let provider = store.providers().put(&provider, Expect::New).await.expect("saved");
    let read = "read";
    assert_eq!(other.cached_member(&member.id, NOW).await.expect(read).as_deref(), Some(&member));
    assert_eq!(other.cached_team(&team.id, NOW).await.expect(read).as_deref(), Some(&team));
    assert_eq!(other.cached_schedule(&schedule.id, NOW).await.expect(read).as_deref(), Some(&schedule));
    assert_eq!(other.cached_provider(&provider.id, NOW).await.expect(read).as_deref(), Some(&provider));
    assert_eq!(other.members().list(10, None).await.expect("listed").items, [member]);
}

#[tokio::test]
async fn of_two_saves_over_one_version_the_second_is_refused_whoever_it_is() {
    let world = World::start().await;
    let first = world.store.spaces().put(&payments(), Expect::New).await.expect("saved");
    let (one, other) = (world.another(), world.another());
    for (winner, loser, version) in [(&one, &other, 1), (&other, &one, 2)] {
        let winning = Space { name: format!("winner {version}"), ..first.clone() };
        let losing = Space { name: format!("loser {version}"), ..first.clone() };
        let won = winner.spaces().put(&winning, Expect::Version(version)).await.expect("saved");
        assert_eq!(won.version, version + 1);
        let lost = loser.spaces().put(&losing, Expect::Version(version)).await.expect_err("lost");
        assert!(matches!(lost, SaveError::Conflict { .. }), "{lost}");
        assert_eq!(world.store.spaces().get(&first.id).await.expect("read"), Some(won));
    }
}

#[tokio::test]
async fn a_new_record_overwrites_nothing_and_a_deleted_one_does_not_come_back() {
    let world = World::start().await;
    let saved = world.store.spaces().put(&payments(), Expect::New).await.expect("saved");
    let again = Space { name: "other".to_owned(), ..payments() };
    let refused = world.store.spaces().put(&again, Expect::New).await.expect_err("exists");
    assert_eq!(refused.to_string(), "SPACE spc_payments was changed meanwhile");
    assert!(world.store.spaces().delete(&saved.id).await.expect("deleted"));
    assert!(!world.store.spaces().delete(&saved.id).await.expect("deleted before"));
    assert!(world.store.spaces().put(&saved, Expect::Version(1)).await.is_err());
}

#[tokio::test]
async fn a_save_whose_answer_was_lost_is_recognised() {
    let world = World::start().await;
    world.wire.lose_the_next_answer();
    let saved = world.store.spaces().put(&payments(), Expect::New).await.expect("saved");
    assert_eq!(world.wire.take_requests(), 2);
    world.wire.lose_the_next_answer();
    let saved = world.store.spaces().put(&saved, Expect::Version(1)).await.expect("saved");
    assert_eq!(saved.version, 2);
}

#[tokio::test]
async fn a_listing_is_newest_first_and_whole_over_its_pages() {
    let world = World::start().await;
    for index in 0..7_u32 {
        // Two of each moment, so that a page boundary falls between equals.
        let record = named(&format!("s{index}"), NOW + Duration::from_secs(u64::from(index / 2)));
        world.store.spaces().put(&record, Expect::New).await.expect("saved");
    }
    for limit in 1..=8 {
        let mut names = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let page = world.store.spaces().list(limit, after.as_deref()).await.expect("listed");
            assert!(page.items.len() <= limit);
            names.extend(page.items.into_iter().map(|space| space.name));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(names, ["s6", "s5", "s4", "s3", "s2", "s1", "s0"], "limit {limit}");
    }
}

#[tokio::test]
async fn a_change_is_seen_at_once_by_the_process_that_made_it_and_soon_by_the_others() {
    let world = World::start().await;
    let other = world.another();
    let id = payments().id;
    assert!(other.cached_space(&id, NOW).await.expect("read").is_none());
    world.store.cached_space(&id, NOW).await.expect("read");
    world.store.spaces().put(&payments(), Expect::New).await.expect("saved");
    assert!(world.store.cached_space(&id, NOW).await.expect("read").is_some());
    assert!(other.cached_space(&id, NOW).await.expect("remembered").is_none());
    assert!(other.cached_space(&id, NOW + TTL).await.expect("read").is_some());
    world.store.spaces().delete(&id).await.expect("deleted");
    assert!(world.store.cached_space(&id, NOW).await.expect("read").is_none());
}

#[tokio::test]
async fn what_is_known_serves_while_the_table_cannot_be_read() {
    let world = World::start().await;
    world.store.spaces().put(&payments(), Expect::New).await.expect("saved");
    world.store.cached_space(&payments().id, NOW).await.expect("read");
    world.wire.cut();
    let known = world.store.cached_space(&payments().id, NOW + 10 * TTL).await.expect("remembered");
    assert_eq!(known.expect("there").name, "payments");
    let unknown = world.store.cached_space(&space("other"), NOW).await.expect_err("nothing is remembered");
    assert_eq!(unknown.to_string(), "could not read SPACE spc_other");
}

#[tokio::test]
async fn a_record_that_no_item_can_hold_is_refused_by_name() {
    let world = World::start().await;
    let huge = Space { name: "x".repeat(400 * 1024), ..payments() };
    let refused = world.store.spaces().put(&huge, Expect::New).await.expect_err("too large");
    assert!(matches!(refused, SaveError::TooLarge { .. }), "{refused}");
}
