//! The sessions of a member: they are listed, and another session can end them.

use crate::browser::{Browser, PASSWORD, form_token, location};
use crate::world::World;

// Proves: finding D6
#[tokio::test]
async fn members_see_where_they_are_signed_in_and_end_one_session_or_all_others() {
    let world = World::start().await;
    let mut here = world.signed_in("ada@example.org", "responder").await;
    let mut others = Vec::new();
    for _ in 0..3 {
        let mut other = Browser::new(&world);
        location(&other.sign_in("ada@example.org", PASSWORD).await);
        others.push(other);
    }
    let mut bob = world.signed_in("bob@example.org", "responder").await;
    let page = here.get("/me").await;
    // The page lists the three sessions and the one in which the password was chosen.
    assert_eq!(page.text.matches("name=\"session\"").count(), 4, "all but this one can be ended: {}", page.text);
    assert_eq!(page.text.matches("(this session)").count(), 1, "{}", page.text);

    // A session of another member is not ended, even if its id is known.
    let token = form_token(&page, "/me/sessions/end");
    let theirs = hidden_of(&others[0].get("/me").await.text);
    let foreign = form_token(&bob.get("/me").await, "/me");
    location(&bob.post("/me/sessions/end", &[("form_token", &foreign), ("session", &theirs[0])]).await);
    assert!(others[2].is_signed_in().await, "the newest is the first in the list");

    let listed = hidden_of(&page.text);
    location(&here.post("/me/sessions/end", &[("form_token", &token), ("session", &listed[0])]).await);
    assert!(!others[2].is_signed_in().await);
    assert!(others[0].is_signed_in().await && others[1].is_signed_in().await);

    location(&here.post("/me/sessions/end-others", &[("form_token", &token)]).await);
    assert!(here.is_signed_in().await && bob.is_signed_in().await);
    assert!(!others[0].is_signed_in().await && !others[1].is_signed_in().await);
}

/// The sessions that a page offers to end.
fn hidden_of(page: &str) -> Vec<String> {
    let fields = page.split("name=\"session\" value=\"").skip(1);
    fields.filter_map(|rest| rest.split('"').next().map(str::to_owned)).collect()
}
