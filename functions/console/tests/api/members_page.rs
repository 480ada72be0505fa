//! The members' page: the actions of an administrator, and what other members see.

use serde_json::json;

use crate::browser::{Browser, PASSWORD, form_token, location, path_of};
use crate::world::World;

#[tokio::test]
async fn an_administrator_adds_a_member_and_hands_over_a_link() {
    let world = World::start().await;
    let mut admin = world.signed_in("ada@example.org", "administrator").await;
    let token = form_token(&admin.get("/members").await, "/members#add");
    let filled = [("form_token", token.as_str()), ("name", "李雷 <b>"), ("email", "li@example.org")];
    let wrong = [&filled[..], &[("phone", "138"), ("time_zone", "Asia/Shanghai"), ("language", "zh")]].concat();
    let page = admin.post_confirmed("/members", &wrong).await;
    let beside = "id=\"wrong-phone\">Enter +, the country code and the number";
    assert!(page.status == 400 && page.text.contains(beside), "{}", page.text);
    let token = form_token(&page, "/members#add");
    let filled = [("form_token", token.as_str()), ("name", "李雷 <b>"), ("email", "li@example.org")];
    assert!(
        page.text.contains("value=\"李雷 &lt;b&gt;\"") && page.text.contains("value=\"Asia&#x2f;Shanghai\""),
        "{}",
        page.text
    );

    let right = [&filled[..], &[("phone", ""), ("role", "viewer"), ("time_zone", "Asia/Shanghai"), ("language", "zh")]];
    assert_eq!(location(&admin.post("/members", &right.concat()).await), "/members");
    let made = world.get("/members").await.is(200)["items"][0].clone();
    for (field, value) in [("name", "李雷 <b>"), ("role", "viewer"), ("time_zone", "Asia/Shanghai"), ("language", "zh")]
    {
        assert_eq!(made[field], value);
    }
    let page = admin.get("/members").await;
    assert!(page.text.contains("李雷 &lt;b&gt;") && page.text.contains("has no password"), "{}", page.text);
    let action = format!("/members/{}/invitation", made["id"].as_str().expect("an id"));
    let token = form_token(&page, &action);
    assert_eq!(location(&admin.get(&action).await), "/members", "opening the address makes no link");
    let shown = admin.post(&action, &[("form_token", &token)]).await;
    let (_, url) = shown.text.split_once("readonly value=\"").expect("the link");
    let url = url.split_once('"').expect("its end").0.replace("&#x2f;", "/");
    let mut li = Browser::new(&world);
    location(&li.post(&path_of(&url), &[("password", PASSWORD)]).await);
    let page = li.get("/members").await;
    assert!(page.text.contains("<html lang=\"zh-CN\">") && page.text.contains("已设密码"), "{}", page.text);
    assert!(!page.text.contains("/invitation") && !page.text.contains("#add"), "a viewer changes nothing");
}

#[tokio::test]
async fn only_a_current_administrator_changes_anything() {
    let world = World::start().await;
    let mut ada = world.signed_in("ada@example.org", "administrator").await;
    let bob = world.account("bob@example.org", "responder").await;
    let page = ada.get("/members").await;
    let invite = format!("/members/{bob}/invitation");
    let forms =
        [("/members".to_owned(), form_token(&page, "/members#add")), (invite.clone(), form_token(&page, &invite))];
    let members = world.get("/members").await.is(200);
    let ada_id = members["items"].as_array().expect("a list").iter().find(|one| one["email"] == "ada@example.org");
    let path = format!("/members/{}", ada_id.expect("there")["id"].as_str().expect("an id"));
    world.put(&path, &json!({"name": "Ada", "email": "ada@example.org"})).await.is(200);
    for (path, token) in forms {
        let answer = ada.post(&path, &[("form_token", &token), ("name", "Eve")]).await;
        assert!(
            answer.status == 403 && answer.text.contains("Your role does not allow that."),
            "{path} {}",
            answer.text
        );
    }
    assert_eq!(world.get("/members").await.is(200)["items"].as_array().expect("a list").len(), 2);
    let open = world.store.invitation(Some(&bob.parse().expect("an id")), world.now()).await.expect("read");
    assert!(open.is_none(), "no link was made");
}
