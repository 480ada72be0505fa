//! Callbacks that come again, codes that link chat users, and members by their chat users.

use std::time::Duration;

use alerting::base::ids::AccountId;
use alerting::people::chat_link::{self, ChatLink};
use store::config::Expect;
use store::keys::secret_hash;
use store::link_codes::LinkCode;
use store::replays::Seen;

use crate::config::ada;
use crate::world::{NOW, World};

fn account(name: &str) -> AccountId {
    AccountId::from_suffix(name).expect("valid")
}

// Proves: fault 73
#[tokio::test]
async fn a_callback_is_new_then_begun_until_it_is_finished() {
    let world = World::start().await;
    let (store, other) = (&world.store, world.another());
    let (acme, beta) = (account("acme"), account("beta"));
    assert_eq!(store.begin_callback(&acme, "t1", NOW).await.expect("written"), Seen::New);
    assert_eq!(other.begin_callback(&acme, "t1", NOW).await.expect("written"), Seen::Begun);
    store.finish_callback(&acme, "t1", NOW).await.expect("written");
    assert_eq!(other.begin_callback(&acme, "t1", NOW).await.expect("written"), Seen::Finished);
    assert_eq!(other.begin_callback(&acme, "t2", NOW).await.expect("written"), Seen::New);
    assert_eq!(other.begin_callback(&beta, "t1", NOW).await.expect("written"), Seen::New);
}

#[tokio::test]
async fn a_link_code_is_used_once_and_not_after_its_time() {
    let world = World::start().await;
    let (store, other) = (&world.store, world.another());
    let hash = secret_hash("aB3");
    let code = LinkCode { account: account("acme"), member: ada().id, until: NOW + Duration::from_secs(60) };
    store.keep_link_code(&hash, &code).await.expect("written");
    assert_eq!(other.link_code(&hash, NOW).await.expect("read"), Some(code));
    assert_eq!(other.link_code(&hash, NOW + Duration::from_secs(60)).await.expect("read"), None);
    assert!(other.use_link_code(&hash).await.expect("deleted"));
    assert!(!store.use_link_code(&hash).await.expect("asked"));
    assert_eq!(store.link_code(&hash, NOW).await.expect("read"), None);
}

#[tokio::test]
async fn a_member_is_found_by_a_chat_user_while_they_are_linked() {
    let world = World::start().await;
    let (store, other) = (&world.store, world.another());
    let mut member = ada();
    let link = ChatLink {
        account: account("acme"),
        user: "U1".to_owned(),
        chat: Some("D1".to_owned()),
        name: "ada".to_owned(),
        since: NOW,
    };
    chat_link::link(&mut member.links, link);
    let saved = store.members().put(&member, Expect::New).await.expect("saved");
    let found = |account: &'static str, user: &'static str| {
        let other = other.clone();
        async move { other.member_with_link(&self::account(account), user).await.expect("read") }
    };
    assert_eq!(found("acme", "U1").await, Some(saved.clone()));
    assert_eq!((found("beta", "U1").await, found("acme", "U2").await), (None, None));
    let mut unlinked = saved.clone();
    chat_link::unlink(&mut unlinked.links, &account("acme"));
    store.members().put(&unlinked, Expect::Version(saved.version)).await.expect("saved");
    assert_eq!(found("acme", "U1").await, None, "the pointer stays, the link does not count");
}
