//! The pages that links in messages open, and the requests that they refuse.

use std::time::Duration;

use alerting::base::ids::MemberId;
use alerting::incident::link::{Allows, Link};
use lambda_kit::links::LinkKeys;
use serde_json::json;
use store::keys::secret_hash;

use crate::actions::open;
use crate::pages::hidden;
use crate::world::{DATA_KEY, World};

const DAY: Duration = Duration::from_secs(24 * 3600);

struct Setup {
    world: World,
    incident: String,
    link: Link,
}

impl Setup {
    async fn new() -> Self {
        let world = World::start().await;
        let space = world.space(&[]).await;
        let incident = open(&world, None, &[&space]).await.incidents.remove(0);
        let link = Link {
            incident: incident.parse().expect("an id"),
            episode: 0,
            allows: Allows::Acknowledge,
            destination: "dst_4fJk2LmNpQ".parse().expect("an id"),
            expires_at: world.now() + DAY * 7,
            member: None,
        };
        Self { world, incident, link }
    }

    fn token(&self, link: &Link) -> String {
        LinkKeys::of(DATA_KEY).sign(link, self.world.now())
    }

    async fn timeline(&self) -> Vec<(String, String)> {
        let shown = self.world.get(&format!("/incidents/{}", self.incident)).await.is(200);
        let entries = shown["timeline"].as_array().expect("a timeline").clone();
        let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
        entries.iter().map(|entry| (text(&entry["kind"]), text(&entry["actor"]))).collect()
    }

    async fn reopen(&self) {
        for action in ["close", "reopen"] {
            self.world.post(&format!("/incidents/{}/{action}", self.incident), &json!({})).await.is(200);
        }
    }
}

#[tokio::test]
async fn a_link_leads_past_the_sign_in_to_the_incident_and_to_one_button() {
    let setup = Setup::new().await;
    let world = &setup.world;
    let path = format!("/links/{}", setup.token(&setup.link));
    let before = world.dump().await;
    for path in [path.clone(), format!("{path}?ack=1")] {
        let stranger = world.stranger().opens(&path).await;
        assert_eq!(stranger.status, 303);
        let mut next = form_urlencoded::Serializer::new(String::new());
        let next = next.append_pair("next", &path).finish();
        assert_eq!(stranger.headers["location"], format!("/sign-in?{next}"));
        assert!(!stranger.text.contains("disk full") && !stranger.text.contains(&setup.incident));
    }
    assert_eq!(world.dump().await, before);

    let li = world.person("Li Lei", "responder", "zh").await;
    let before = world.dump().await;
    let details = li.opens(&path).await;
    assert!(details.status == 200 && details.text.contains("disk full") && details.text.contains("时间线"));
    let page = li.opens(&format!("{path}?ack=1")).await;
    assert!(
        page.status == 200 && page.text.contains("disk full") && page.text.contains(">认领</button>"),
        "{}",
        page.text
    );
    for path in [path.clone(), format!("{path}?ack=1")] {
        assert_eq!(li.asks("HEAD", &path, &[], None).await.status, 200);
    }
    assert_eq!(world.dump().await, before, "looking changes nothing");

    let token = hidden(&page, "form_token");
    let action = format!("{path}/acknowledge");
    let acknowledged = li.posts(&action, &[("form_token", &token)]).await;
    assert_eq!(acknowledged.status, 303, "{}", acknowledged.text);
    assert_eq!(acknowledged.headers["location"], format!("/incidents/{}?done=acknowledge", setup.incident));
    assert_eq!(setup.timeline().await[1], ("acknowledged".to_owned(), "Li Lei".to_owned()));
    let before = world.dump().await;
    assert_eq!(li.posts(&action, &[("form_token", &token)]).await.status, 303, "pressed twice");
    assert_eq!(world.dump().await, before);
    let page = li.opens(&format!("{path}?ack=1")).await;
    assert!(
        page.text.contains("您已认领该故障") && !page.text.contains("<button class=\"primary big\""),
        "{}",
        page.text
    );
}

// Proves: fault 77
#[tokio::test]
async fn what_is_no_link_of_ours_is_refused_before_anything_is_read() {
    let setup = Setup::new().await;
    let world = &setup.world;
    let right = setup.token(&setup.link);
    let view = setup.token(&Link { allows: Allows::Nothing, ..setup.link.clone() });
    let foreign = LinkKeys::of("another deployment's data key 0123").sign(&setup.link, world.now());
    let li = world.person("Li Lei", "responder", "en").await;
    let before = world.dump().await;
    let altered = right.replace("-0-a-", "-1-a-");
    let long = format!("{right}{}", "A".repeat(600));
    let unsigned = right.rsplit_once('.').expect("a tag").0.to_owned();
    for token in [&foreign, &altered, &long, &unsigned, &"v1".to_owned(), &"%00".to_owned(), &right.replace("v1", "v2")]
    {
        for person in [&world.stranger(), &li] {
            let page = person.opens(&format!("/links/{token}?ack=1")).await;
            assert!(page.status == 404 && page.text.contains("This link is not valid"), "{token}: {}", page.text);
            let posted = person.posts(&format!("/links/{token}/acknowledge"), &[]).await;
            assert_eq!(posted.status, 404, "{token}");
        }
    }
    for action in [format!("/links/{right}/close"), format!("/links/{view}/acknowledge")] {
        assert_eq!(li.posts(&action, &[]).await.status, 404, "{action}");
    }
    assert_eq!(world.dump().await, before);
}

#[tokio::test]
async fn an_expired_link_and_one_of_an_earlier_episode_say_so_and_change_nothing() {
    let setup = Setup::new().await;
    let world = &setup.world;
    let path = format!("/links/{}", setup.token(&setup.link));
    let li = world.person("Li Lei", "responder", "en").await;
    let token = hidden(&li.opens(&format!("{path}?ack=1")).await, "form_token");
    setup.reopen().await;
    let before = world.dump().await;
    for answer in [
        li.opens(&format!("{path}?ack=1")).await,
        li.posts(&format!("{path}/acknowledge"), &[("form_token", &token)]).await,
    ] {
        assert_eq!(answer.status, 409);
        for words in ["reopened since", "Nothing was changed", "<strong>Reopened</strong>"] {
            assert!(answer.text.contains(words), "{words}: {}", answer.text);
        }
    }
    let details = li.opens(&path).await;
    assert!(details.status == 200 && details.text.contains("before the incident was reopened"), "{}", details.text);
    assert_eq!(world.dump().await, before);
    world.advance(7 * 24 * 3600);
    for answer in [li.opens(&path).await, li.posts(&format!("{path}/acknowledge"), &[("form_token", &token)]).await] {
        assert!(answer.status == 410 && answer.text.contains("This link has expired"), "{}", answer.text);
    }
    assert_eq!(world.dump().await, before);
}

// Proves: fault 79, fault 80
#[tokio::test]
async fn behind_a_link_too_a_post_needs_session_origin_form_and_role() {
    let setup = Setup::new().await;
    let world = &setup.world;
    let path = format!("/links/{}", setup.token(&setup.link));
    let action = format!("{path}/acknowledge");
    let li = world.person("Li Lei", "responder", "en").await;
    let viewer = world.person("Viv", "responder", "en").await;
    let [token, of_viewer] = [li.opens(&format!("{path}?ack=1")).await, viewer.opens(&format!("{path}?ack=1")).await]
        .map(|page| hidden(&page, "form_token"));
    // A member who became a viewer after opening the page still has the form.
    world.put(&format!("/members/{}", viewer.member), &json!({"name": "Viv", "role": "viewer"})).await.is(200);
    let looked = viewer.opens(&format!("{path}?ack=1")).await;
    assert!(looked.text.contains("Your role allows you to look only"), "{}", looked.text);
    let before = world.dump().await;
    let form = [("form_token", token.as_str())];
    let ours = [("sec-fetch-site", "same-origin")];
    for (status, answer) in [
        (401, world.stranger().asks("POST", &action, &ours, Some(&form)).await),
        (403, li.asks("POST", &action, &[("origin", "https://evil.example")], Some(&form)).await),
        (403, li.asks("POST", &action, &ours, Some(&[])).await),
        (403, li.asks("POST", &action, &ours, Some(&[("form_token", "AAAAAAAAAAAAAAAAAAAAAA")])).await),
        (403, viewer.asks("POST", &action, &ours, Some(&[("form_token", of_viewer.as_str())])).await),
    ] {
        assert!(answer.status == status && answer.text.contains("Nothing was changed"), "{status}: {}", answer.text);
    }
    assert_eq!(world.dump().await, before);
}

#[tokio::test]
async fn a_personal_link_acknowledges_once_for_its_member_and_shows_no_more_than_the_number() {
    let setup = Setup::new().await;
    let world = &setup.world;
    let member: MemberId = world.member("Li Lei").await.parse().expect("an id");
    let link = Link { member: Some(member), expires_at: world.now() + DAY, ..setup.link.clone() };
    let token = setup.token(&link);
    let path = format!("/links/{token}");
    let nobody = world.stranger();
    assert_eq!(nobody.opens(&path).await.status, 404, "signed, but never sent");
    world.store.keep_personal_link(&secret_hash(&token), link.expires_at).await.expect("written");
    let before = world.dump().await;
    let page = nobody.opens(&path).await;
    assert!(page.status == 200 && page.text.contains("Li Lei") && !page.text.contains("disk full"), "{}", page.text);
    assert_eq!(nobody.asks("HEAD", &path, &[], None).await.status, 200);
    let action = format!("{path}/acknowledge");
    assert_eq!(nobody.asks("POST", &action, &[("origin", "https://evil.example")], None).await.status, 403);
    assert_eq!(nobody.posts(&format!("{path}/close"), &[]).await.status, 404, "nothing else");
    assert_eq!(world.dump().await, before);

    assert_eq!(nobody.posts(&action, &[]).await.status, 200);
    assert_eq!(setup.timeline().await[1], ("acknowledged".to_owned(), "Li Lei".to_owned()));
    let before = world.dump().await;
    assert!(before.iter().all(|row| !row.contains(&token)), "a link is kept by its hash only");
    for answer in [nobody.opens(&path).await, nobody.posts(&action, &[]).await] {
        assert!(answer.status == 410 && answer.text.contains("used already"), "{}", answer.text);
    }
    assert_eq!(world.dump().await, before);
}

#[tokio::test]
async fn a_personal_link_ends_with_its_day_its_episode_and_its_members_right() {
    let setup = Setup::new().await;
    let world = &setup.world;
    let viewer = world.person("Viv", "viewer", "en").await.member;
    let li = world.member("Li Lei").await;
    let kept = async |member: &str| {
        let link =
            Link { member: Some(member.parse().expect("an id")), expires_at: world.now() + DAY, ..setup.link.clone() };
        let token = setup.token(&link);
        world.store.keep_personal_link(&secret_hash(&token), link.expires_at).await.expect("written");
        format!("/links/{token}")
    };
    let (of_viewer, of_li) = (kept(&viewer).await, kept(&li).await);
    let check = async |path: &str, status: u16| {
        let before = world.dump().await;
        let stranger = world.stranger();
        assert_eq!(stranger.opens(path).await.status, status);
        let posted = stranger.posts(&format!("{path}/acknowledge"), &[]).await;
        assert_eq!(posted.status, status, "{}", posted.text);
        assert_eq!(world.dump().await, before);
    };
    check(&of_viewer, 404).await;
    setup.reopen().await;
    check(&of_li, 409).await;
    world.advance(24 * 3600);
    check(&of_li, 410).await;
}
