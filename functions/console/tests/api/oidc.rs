//! The settings of the sign-in provider. A scenario tests the sign-in itself, with an independent provider.

use serde_json::json;

use crate::browser::Browser;
use crate::world::{CANARY, World};

const PATH: &str = "/sign-in/oidc";

#[tokio::test]
async fn the_provider_is_kept_with_its_secret_masked_and_belongs_to_its_issuer() {
    let world = World::start().await;
    world.get(PATH).await.refuses(404, "");
    let mut body = json!({"name": "Example", "issuer": "https://id.example.com", "client_id": "larkspur",
        "client_secret": CANARY});
    let made = world.put(PATH, &body).await.is(200);
    assert_eq!(made["client_secret"], "…6789");
    assert_eq!(made["trust_email"], false);
    assert_eq!(world.get(PATH).await.is(200), made);
    let page = Browser::new(&world).get("/sign-in?next=/members").await;
    assert!(page.text.contains("oidc?next=%2Fmembers\"") && page.text.contains("Example"), "{}", page.text);

    body.as_object_mut().expect("an object").remove("client_secret");
    assert_eq!(world.put(PATH, &body).await.is(200)["client_secret"], "…6789", "left out, it is kept");
    body["client_secret"] = "…6789".into();
    world.put(PATH, &body).await.refuses(400, "client_secret");
    body.as_object_mut().expect("an object").remove("client_secret");
    body["issuer"] = "https://evil.example.com".into();
    assert_eq!(world.put(PATH, &body).await.is(200)["client_secret"], json!(null), "another issuer does not get it");
    world.delete(PATH).await.is(204);
    world.delete(PATH).await.refuses(404, "");
    assert_eq!(Browser::new(&world).get("/sign-in/oidc").await.status, 404);
}

#[tokio::test]
async fn an_issuer_is_a_url_on_https_and_by_name() {
    let world = World::start().await;
    for (field, value) in [
        ("issuer", "http://id.example.com"),
        ("issuer", "https://10.0.0.1"),
        ("issuer", "https://169.254.169.254/latest"),
        ("issuer", "https://[::1]/"),
        ("issuer", "https://user:pass@id.example.com"),
        ("issuer", "https://id.example.com/?a=b"),
        ("issuer", "https://id.example.com/#a"),
        ("issuer", "id.example.com"),
        ("issuer", ""),
        ("client_id", " "),
        ("client_secret", ""),
        ("name", "\n"),
        ("unknown", "x"),
    ] {
        let mut body = json!({"name": "Example", "issuer": "https://id.example.com", "client_id": "larkspur"});
        body[field] = value.into();
        world.put(PATH, &body).await.refuses(400, field);
    }
}

#[tokio::test]
async fn a_provider_that_is_on_no_public_address_is_not_asked() {
    let world = World::start().await;
    let body = json!({"name": "Example", "issuer": "https://localhost:1", "client_id": "larkspur"});
    world.put(PATH, &body).await.is(200);
    let page = Browser::new(&world).get("/sign-in/oidc").await;
    assert!(page.status == 502 && page.text.contains("cannot be reached"), "{}", page.text);
    let page = Browser::new(&world).get("/sign-in/oidc/callback?code=x&state=y").await;
    assert!(page.status == 400 && page.text.contains("took too long"), "{}", page.text);
}

// Proves: finding D3
#[tokio::test]
async fn a_source_goes_to_the_provider_sixty_times_a_minute_and_no_more() {
    let world = World::start().await;
    let mut stranger = Browser::new(&world);
    stranger.source = Some("203.0.113.7");
    for n in 0..60 {
        let path = if n % 2 == 0 { "/sign-in/oidc" } else { "/sign-in/oidc/callback?code=a&state=b" };
        assert_eq!(stranger.get(path).await.status, 404, "no provider yet");
    }
    for path in ["/sign-in/oidc", "/sign-in/oidc/callback?code=a&state=b"] {
        let refused = stranger.get(path).await;
        assert_eq!(refused.status, 429, "{}", refused.text);
        assert!(refused.headers.contains_key("retry-after"));
    }
    assert_eq!(Browser::new(&world).get("/sign-in/oidc").await.status, 404, "another source");
}
