//! The page behind the link of a notice.

use crate::world::World;

#[tokio::test]
async fn the_page_is_the_same_for_every_incident_and_carries_its_protections() {
    let world = World::start().await;
    let page = world.bare("GET", "/incidents/inc_anything", None, None).await;
    assert_eq!(page.status, 200);
    assert_eq!(page.text, world.bare("GET", "/incidents/inc_else", None, None).await.text);
    assert!(!page.text.contains("inc_"));
    for (name, value) in [
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("x-robots-tag", "noindex, nofollow"),
    ] {
        assert_eq!(page.headers[name], value);
    }
    let policy = page.headers["content-security-policy"].to_str().expect("text");
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
}

#[tokio::test]
async fn script_and_style_are_served_and_nothing_is_done_by_a_get() {
    let world = World::start().await;
    for (path, kind) in [("/assets/incident.js", "text/javascript"), ("/assets/incident.css", "text/css")] {
        let asset = world.bare("GET", path, None, None).await;
        assert_eq!(asset.status, 200);
        assert!(asset.headers["content-type"].to_str().expect("text").starts_with(kind));
    }
    world.bare("GET", "/assets/incident.html", None, None).await.refuses(404, "");
    world.bare("POST", "/incidents/inc_anything", None, None).await.refuses(405, "");
    for action in ["acknowledge", "close", "snooze"] {
        world.get(&format!("/incidents/inc_anything/{action}")).await.refuses(405, "");
    }
}
