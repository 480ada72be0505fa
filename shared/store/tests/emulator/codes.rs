//! One-time codes: guesses at the same time are counted one after the other.

use std::time::Duration;

use alerting::base::ids::MemberId;
use alerting::people::AddressedBy;
use alerting::people::code::{Code, Entered, TRIES, Void};
use store::codes::Guess;

use crate::world::{NOW, World};

fn ada() -> MemberId {
    "mem_ada".parse().expect("valid")
}

#[tokio::test]
async fn of_many_guesses_at_the_same_time_no_more_than_the_tries_are_answered() {
    let world = World::start().await;
    let code = Code::new("right".to_owned(), NOW);
    world.store.begin_code(&ada(), AddressedBy::Email, &code, NOW).await.expect("written");
    let stores = [world.another(), world.another(), world.another(), world.another()];
    let mut guesses = tokio::task::JoinSet::new();
    for n in 0..24 {
        let store = stores[n % stores.len()].clone();
        guesses.spawn(async move { store.enter_code(&ada(), AddressedBy::Email, &format!("wrong {n}"), NOW).await });
    }
    let answers = guesses.join_all().await;
    // A guess that lost too many races gets no answer.
    let wrong = answers.iter().flatten().filter(|answer| matches!(answer, Guess::Judged(Entered::Wrong(_)))).count();
    assert!(wrong <= TRIES as usize, "{answers:?}");
    assert!(!answers.iter().flatten().any(|answer| *answer == Guess::Judged(Entered::Right)));
}

#[tokio::test]
async fn the_right_code_is_used_by_one_of_two_who_enter_it_and_a_new_one_voids_the_old() {
    let world = World::start().await;
    let enter = |hash: &'static str| {
        let store = world.another();
        async move { store.enter_code(&ada(), AddressedBy::Email, hash, NOW).await.expect("answered") }
    };
    assert_eq!(enter("right").await, Guess::NoneSent);
    for hash in ["old", "right"] {
        let code = Code::new(hash.to_owned(), NOW);
        world.store.begin_code(&ada(), AddressedBy::Email, &code, NOW).await.expect("written");
    }
    assert_eq!(enter("old").await, Guess::Judged(Entered::Wrong(TRIES - 1)));
    let answers = tokio::join!(enter("right"), enter("right"));
    let answers = [answers.0, answers.1];
    assert!(
        answers.contains(&Guess::Judged(Entered::Right)) && answers.contains(&Guess::Void(Void::Used)),
        "{answers:?}"
    );
    let other = world.store.enter_code(&ada(), AddressedBy::Phone, "right", NOW).await.expect("answered");
    assert_eq!(other, Guess::NoneSent, "a code is for one address");
}

#[tokio::test]
async fn codes_are_counted_by_member_and_by_address() {
    let world = World::start().await;
    let take = async |member: &str, address: &str, minutes: u64| {
        let member: MemberId = member.parse().expect("valid");
        let now = NOW + Duration::from_secs(minutes * 60);
        world.another().take_code(&member, address, now).await.expect("decided")
    };
    for _ in 0..3 {
        assert_eq!(take("mem_ada", "ada@example.org", 0).await, Ok(()));
    }
    let quarter = Duration::from_secs(15 * 60);
    assert_eq!(take("mem_ada", "other@example.org", 0).await, Err(quarter), "whichever address of hers");
    assert_eq!(take("mem_eve", "Ada@example.org", 0).await, Err(quarter), "whoever sends to it");
    assert_eq!(take("mem_eve", "eve@example.org", 0).await, Ok(()));
    assert_eq!(take("mem_ada", "ada@example.org", 15).await, Ok(()));
}
