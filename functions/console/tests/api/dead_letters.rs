//! The page of what was given up: what an administrator does there, and what others see.

use store::dead_letters::{DeadKind, DeadLetter};

use crate::browser::{form_token, location};
use crate::world::World;

fn letter(name: &str, world: &World) -> DeadLetter {
    DeadLetter {
        id: DeadLetter::id(world.now(), name),
        kind: DeadKind::Message,
        reason: "received <too> often".to_owned(),
        at: world.now(),
        incident: None,
        destination: None,
        integration: Some("int_a".parse().expect("an id")),
        body: "{}".to_owned(),
    }
}

// Proves: finding A3
#[tokio::test]
async fn an_administrator_sends_a_dead_letter_again_and_deletes_another_and_others_only_look() {
    let world = World::start().await;
    let known = DeadLetter { reason: "received_too_often".to_owned(), ..letter("other", &world) };
    let letters = [letter("one", &world), known];
    for letter in &letters {
        world.store.put_dead_letter(letter).await.expect("written");
    }
    let mut viewer = world.signed_in("eve@example.org", "viewer").await;
    let page = viewer.get("/dead-letters").await;
    assert!(page.text.contains("received &lt;too&gt; often") && page.text.contains("int_a"), "{}", page.text);
    assert!(page.text.contains("tried too often without success"), "a known reason is in words: {}", page.text);
    assert!(!page.text.contains("Send again"), "a viewer changes nothing: {}", page.text);

    let mut admin = world.signed_in("ada@example.org", "administrator").await;
    for (letter, action) in letters.iter().zip(["resend", "delete"]) {
        let action = format!("/dead-letters/{}/{action}", letter.id);
        let page = admin.get("/dead-letters").await;
        assert!(page.text.contains("Send again") && page.text.contains("Delete"), "{}", page.text);
        let token = form_token(&page, &action);
        assert_eq!(viewer.post(&action, &[("form_token", &token)]).await.status, 403);
        assert_eq!(location(&admin.get(&action).await), "/dead-letters", "opening the address does nothing");
        assert_eq!(location(&admin.post(&action, &[("form_token", &token)]).await), "/dead-letters");
        assert_eq!(admin.post(&action, &[("form_token", &token)]).await.status, 404, "it is done");
    }
    assert!(admin.get("/dead-letters").await.text.contains("There are none."));
}
