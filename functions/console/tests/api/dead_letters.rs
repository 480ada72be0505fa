//! Dead letters: the actions of an administrator on the page and through the API, and what other members see.

use serde_json::json;
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

/// Writes dead letters with these names.
async fn letters<const N: usize>(world: &World, names: [&str; N]) -> [DeadLetter; N] {
    let letters = names.map(|name| letter(name, world));
    for letter in &letters {
        world.store.put_dead_letter(letter).await.expect("written");
    }
    letters
}

// Proves: finding A3
#[tokio::test]
async fn an_administrator_sends_one_or_many_again_and_deletes_with_a_reason_and_others_only_look() {
    let world = World::start().await;
    let known = DeadLetter { reason: "received_too_often".to_owned(), ..letter("known", &world) };
    world.store.put_dead_letter(&known).await.expect("written");
    let [one, two, three] = letters(&world, ["one", "two", "three"]).await;
    let mut viewer = world.signed_in("eve@example.org", "viewer").await;
    let page = viewer.get("/dead-letters").await;
    assert!(page.text.contains("received &lt;too&gt; often") && page.text.contains("int_a"), "{}", page.text);
    assert!(page.text.contains("tried too often without success"), "a known reason is in words: {}", page.text);
    assert!(!page.text.contains("Send again"), "a viewer changes nothing: {}", page.text);

    let mut admin = world.signed_in("ada@example.org", "administrator").await;
    let page = admin.get("/dead-letters").await;
    assert!(page.text.contains("Send again") && page.text.contains("Delete selected"), "{}", page.text);
    let token = form_token(&page, "/dead-letters/resend");
    let token = ("form_token", token.as_str());
    for action in ["resend", "delete"] {
        let fields = [token, ("letter", one.id.as_str()), ("reason", "x")];
        assert_eq!(viewer.post(&format!("/dead-letters/{action}"), &fields).await.status, 403);
        let answer = admin.get(&format!("/dead-letters/{action}")).await;
        assert_eq!(location(&answer), "/dead-letters", "opening the address does nothing");
    }

    // The button of a row acts on that row although others are selected.
    let fields = [token, ("letter", two.id.as_str()), ("only", one.id.as_str())];
    assert_eq!(location(&admin.post("/dead-letters/resend", &fields).await), "/dead-letters?sent=1");
    assert_eq!(world.take_sent("messages").len(), 1);
    // Of several dead letters, those that could not be sent show the reason and stay selected.
    let fields = [token, ("letter", one.id.as_str()), ("letter", two.id.as_str()), ("letter", three.id.as_str())];
    let page = admin.post("/dead-letters/resend", &fields).await;
    assert_eq!((page.status, world.take_sent("messages").len()), (409, 2), "{}", page.text);
    assert!(page.text.contains("Queued again: 2.") && page.text.contains("Not sent again: 1."), "{}", page.text);

    let fields = [token, ("letter", known.id.as_str()), ("reason", " ")];
    let page = admin.post("/dead-letters/delete", &fields).await;
    assert!(page.status == 400 && page.text.contains("id=\"wrong-reason\""), "{}", page.text);
    assert!(page.text.contains(&format!("value=\"{}\" checked", known.id)), "what was selected stays: {}", page.text);
    let page = admin.post("/dead-letters/delete", &[token, ("reason", "typed in vain")]).await;
    assert!(page.status == 400 && page.text.contains("Nothing was selected."), "{}", page.text);
    assert!(page.text.contains("value=\"typed in vain\""), "what was typed stays: {}", page.text);
    let fields = [token, ("letter", known.id.as_str()), ("reason", "the sender is gone")];
    assert_eq!(location(&admin.post("/dead-letters/delete", &fields).await), "/dead-letters?deleted=1");
    assert!(admin.get("/dead-letters?deleted=1").await.text.contains("Nothing is stuck."));
}

#[tokio::test]
async fn the_api_sends_many_again_with_a_result_each_and_deletes_with_a_reason() {
    let world = World::start().await;
    let [one, two] = letters(&world, ["one", "two"]).await;
    let body = json!({"ids": [one.id, "gone", two.id]});
    let results = world.post("/dead-letters/resend", &body).await.is(200);
    let queued: Vec<_> = results.as_array().expect("a list").iter().map(|one| one["queued"].clone()).collect();
    assert_eq!(queued, [json!(true), json!(false), json!(true)]);
    assert!(results[1]["message"].as_str().is_some_and(|why| why.contains("gone")), "{results}");
    assert_eq!(world.take_sent("messages").len(), 2);
    for ids in [json!([]), json!(vec!["x"; 101])] {
        world.post("/dead-letters/resend", &json!({"ids": ids})).await.refuses(400, "ids");
    }
    let [left, other] = letters(&world, ["left", "other"]).await;
    let path = format!("/dead-letters/{}", left.id);
    world.call("DELETE", &path, Some(json!({"reason": ""}).to_string())).await.refuses(400, "reason");
    world.call("DELETE", &path, Some(json!({"reason": "a test"}).to_string())).await.is(204);
    world.delete(&path).await.refuses(404, "");
    world.delete(&format!("/dead-letters/{}", other.id)).await.is(204);
}
