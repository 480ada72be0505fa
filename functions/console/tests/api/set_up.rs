//! One-time links, for the first administrator and for a member.

use serde_json::json;

use crate::browser::{Browser, PASSWORD, form_token, location, path_of};
use crate::world::World;

const ADA: [(&str, &str); 3] = [("name", "Ada"), ("email", "ada@example.org"), ("password", PASSWORD)];

#[tokio::test]
async fn the_first_administrator_is_made_once_and_signed_in() {
    let world = World::start().await;
    let link = world.set_up_link().await;
    for method in ["GET", "HEAD", "GET"] {
        let page = Browser::new(&world).ask(method, &link, None, "").await;
        assert_eq!(page.status, 200, "opening the link uses nothing up");
    }
    for (field, value, named) in [
        ("password", "short", "id=\"wrong-password\""),
        ("email", "ada", "id=\"wrong-email\""),
        ("email", "", "id=\"wrong-email\""),
        ("name", "", "id=\"wrong-name\""),
    ] {
        let fields = ADA.map(|(name, given)| if name == field { (name, value) } else { (name, given) });
        let page = Browser::new(&world).post(&link, &fields).await;
        assert!(page.status == 400 && page.text.contains(named), "{field}: {}", page.text);
    }
    assert_eq!(Browser::new(&world).post_from(Some("https://evil.example"), &link, &ADA).await.status, 403);
    assert_eq!(world.get("/members").await.is(200)["items"], json!([]));

    let mut browser = Browser::new(&world);
    assert_eq!(location(&browser.post(&link, &ADA).await), "/incidents");
    assert!(browser.is_signed_in().await);
    let made = &world.get("/members").await.is(200)["items"];
    assert_eq!((&made[0]["name"], &made[0]["role"]), (&json!("Ada"), &json!("administrator")));

    for answer in [Browser::new(&world).get(&link).await, Browser::new(&world).post(&link, &ADA).await] {
        assert!(answer.status == 410 && answer.text.contains("This link is not valid any more."), "{}", answer.text);
    }
    assert!(console::set_up_link(&world.app).await.expect("answered").is_none(), "there is an administrator");
}

// Proves: finding E3
#[tokio::test]
async fn while_nobody_can_sign_in_the_sign_in_page_says_how_to_get_the_set_up_link() {
    let world = World::start().await;
    let page = Browser::new(&world).get("/sign-in").await;
    assert!(page.text.contains("Nobody can sign in yet.") && page.text.contains("FirstAdministrator"), "{}", page.text);
    let link = world.set_up_link().await;
    assert_eq!(location(&Browser::new(&world).post(&link, &ADA).await), "/incidents");
    let page = Browser::new(&world).get("/sign-in").await;
    assert!(!page.text.contains("Nobody can sign in yet."), "{}", page.text);
}

// Proves: sign-in
#[tokio::test]
async fn of_two_who_use_a_link_at_once_one_succeeds() {
    let world = World::start().await;
    let link = world.set_up_link().await;
    let (mut one, mut other) = (Browser::new(&world), Browser::new(&world));
    let eve = [("name", "Eve"), ("email", "eve@example.org"), ("password", PASSWORD)];
    let (first, second) = futures::join!(one.post(&link, &ADA), other.post(&link, &eve));
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 410]);
    assert_eq!(world.get("/members").await.is(200)["items"].as_array().expect("a list").len(), 1);
}

#[tokio::test]
async fn a_link_ends_with_its_day_with_a_newer_one_and_when_there_is_an_administrator() {
    let world = World::start().await;
    let old = world.set_up_link().await;
    let new = world.set_up_link().await;
    assert_eq!(Browser::new(&world).get(&old).await.status, 410, "replaced");
    assert_eq!(Browser::new(&world).get(&new).await.status, 200);
    world.advance(24 * 3600 + 1);
    assert_eq!(Browser::new(&world).get(&new).await.status, 410, "expired");
    assert_eq!(Browser::new(&world).post(&new, &ADA).await.status, 410);
    let newest = world.set_up_link().await;
    world.account("bob@example.org", "administrator").await;
    assert_eq!(Browser::new(&world).post(&newest, &ADA).await.status, 410, "there is an administrator");
    for unknown in ["first", "first.x", "mem_x.y", "x.y", ".", "first.%00", "%2e%2e"] {
        assert_eq!(Browser::new(&world).get(&format!("/set-up/{unknown}")).await.status, 410, "{unknown}");
    }
}

#[tokio::test]
async fn a_member_with_the_address_becomes_the_first_administrator() {
    let world = World::start().await;
    let body = json!({"name": "A.", "email": "Ada@example.org", "phone": "+8613800000000"});
    let id = world.post("/members", &body).await.is(201)["id"].clone();
    let link = world.set_up_link().await;
    location(&Browser::new(&world).post(&link, &ADA).await);
    let members = &world.get("/members").await.is(200)["items"];
    assert_eq!(members.as_array().expect("a list").len(), 1);
    assert_eq!((&members[0]["id"], &members[0]["role"]), (&id, &json!("administrator")));
    assert_eq!(members[0]["phone"], "+8613800000000");
}

#[tokio::test]
async fn an_invitation_lets_a_member_choose_a_password_and_another_one_resets_it() {
    let world = World::start().await;
    let member = json!({"name": "Bob", "email": "bob@example.org"});
    let member = world.post("/members", &member).await.is(201)["id"].as_str().expect("an id").to_owned();
    let made = world.call("POST", &format!("/members/{member}/invitation"), None).await.is(201);
    assert_eq!(made["expires_at"].as_str().map(|at| at.ends_with('Z')), Some(true), "{made}");
    let link = path_of(made["url"].as_str().expect("a url"));
    let page = Browser::new(&world).get(&link).await;
    assert!(page.status == 200 && page.text.contains("Bob · bob@example.org"), "{}", page.text);
    let mut bob = Browser::new(&world);
    location(&bob.post(&link, &[("password", PASSWORD)]).await);
    assert!(bob.is_signed_in().await);
    assert_eq!(Browser::new(&world).post(&link, &[("password", PASSWORD)]).await.status, 410);

    let reset = world.invitation(&member).await;
    location(&Browser::new(&world).post(&reset, &[("password", "another horse battery")]).await);
    assert!(!bob.is_signed_in().await, "a reset ends what was");
    assert_eq!(bob.sign_in("bob@example.org", PASSWORD).await.status, 401);
    location(&bob.sign_in("bob@example.org", "another horse battery").await);

    let late = world.invitation(&member).await;
    world.advance(72 * 3600 + 1);
    assert_eq!(Browser::new(&world).get(&late).await.status, 410);
    let gone = world.invitation(&member).await;
    world.delete(&format!("/members/{member}")).await.is(204);
    assert_eq!(Browser::new(&world).get(&gone).await.status, 410);
    world.call("POST", &format!("/members/{member}/invitation"), None).await.refuses(404, "");
    let without = world.member("Carol").await;
    world.call("POST", &format!("/members/{without}/invitation"), None).await.refuses(409, "");
}

#[tokio::test]
async fn a_link_is_kept_nowhere_in_the_clear() {
    let world = World::start().await;
    let member = world.account("ada@example.org", "administrator").await;
    let link = world.invitation(&member).await;
    let token = link.rsplit('.').next().expect("a token").to_owned();
    let stored = world.store.invitation(Some(&member.parse().expect("an id")), world.now()).await.expect("read");
    let stored = stored.expect("there");
    assert!(!format!("{stored:?}").contains(&token));
    assert_eq!(stored.hash, store::keys::secret_hash(&token));
    let mut browser = Browser::new(&world);
    location(&browser.sign_in("ada@example.org", PASSWORD).await);
    let _ = form_token(&browser.get("/members").await, "/members#add");
}
