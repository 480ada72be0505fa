//! Opening a link never changes anything, and an action needs a session. The page of an invalid link states that it is
//! invalid.

use std::collections::BTreeSet;

use alerting::incident::link::{Allows, Link};
use lambda_kit::links::LinkKeys;
use local::options::Options;
use scenarios::escalation::members;
use scenarios::mail::MailServer;
use scenarios::people::Member;
use scenarios::space::{dingtalk_bot, feishu_bot, slack_webhook, telegram_bot, wecom_bot, zoom_webhook};
use scenarios::{World, hours, minutes};
use vendors::vendor::Vendor;

const GROUPS: [(Vendor, &str); 6] = [
    (Vendor::Feishu, "feishu"),
    (Vendor::DingTalk, "dingtalk"),
    (Vendor::WeCom, "wecom"),
    (Vendor::Slack, "slack"),
    (Vendor::Telegram, "-1001234567890"),
    (Vendor::Zoom, "zoom"),
];

/// The channel of the Slack app, whose cards have buttons that need no link.
const APP_CHANNEL: &str = "C0123456789";

/// The URLs of this deployment in a text.
fn links(world: &World, text: &str) -> Vec<String> {
    let base = &world.larkspur.base_url;
    let end = |c: char| c.is_whitespace() || "\"'<>()|".contains(c);
    text.match_indices(base.as_str())
        .map(|(place, _)| text[place..].split(end).next().expect("split gives a part").to_owned())
        .collect()
}

/// A space whose incidents are notified on every channel.
async fn notify_every_channel(world: &World, server: &MailServer) -> Member {
    world.mails_by(server).await;
    let li = world.member("Li Lei").email("li@example.org").make().await;
    let space = world.space("Payments").make().await;
    let mut first = members(&[&li]);
    for bot in [
        feishu_bot("feishu"),
        dingtalk_bot("dingtalk"),
        wecom_bot("wecom"),
        slack_webhook("slack"),
        telegram_bot("-1001234567890"),
        zoom_webhook("zoom"),
    ] {
        first = first.and_group(&bot.make(world).await);
    }
    let first = first.and_group(&world.slack_app().await.channel(APP_CHANNEL).await);
    world.rule(&space, "Always").levels([first]).await;
    world.feishu_alert().into(&space).await.says("disk full").await;
    li
}

// Proves: links, fault 78
#[tokio::test]
async fn opening_any_link_of_any_message_on_any_channel_changes_nothing() {
    for personal_ack_links in [false, true] {
        let world = World::start_with(Options { personal_ack_links, ..Options::default() }).await;
        let mut server = MailServer::start(&[]).await;
        let li = notify_every_channel(&world, &server).await;
        let mut found = BTreeSet::new();
        for (vendor, group) in GROUPS {
            let shown = world.group(vendor, group).expects("disk full").await.everything();
            let of_group = links(&world, &shown);
            assert!(of_group.iter().any(|link| link.ends_with("?ack=1")), "{vendor:?}: {shown}");
            found.extend(of_group);
        }
        let card = world.group(Vendor::SlackApp, APP_CHANNEL).expects("disk full").await.everything();
        assert!(!card.contains("?ack=1"), "{card}");
        found.extend(links(&world, &card));
        let mail = server.next().await;
        for part in ["text", "html"] {
            let of_mail = links(&world, mail[part].as_str().expect("a part"));
            assert!(of_mail.len() >= 2, "{mail:#}");
            assert_eq!(of_mail.iter().all(|link| !link.ends_with("?ack=1")), personal_ack_links, "{of_mail:?}");
            found.extend(of_mail);
        }
        let incident = world.incident().await;
        let deliveries = incident.now().await["deliveries"].clone();
        let notified = deliveries.as_array().expect("a list").iter().filter_map(|one| one["channel"].as_str());
        assert_eq!(notified.collect::<BTreeSet<_>>(), channels_of_the_registry());

        let signed_in = world.visitor_as(&li).await;
        world.settle().await;
        let before = world.dump().await;
        for link in &found {
            for visitor in [&world.visitor(), &signed_in] {
                for method in ["GET", "HEAD"] {
                    let page = visitor.asks(method, link).await;
                    assert!([200, 303].contains(&page.status), "{method} {link}: {page:?}");
                }
            }
            let page = world.visitor().opens(link).await;
            let shows_nothing = !page.text.contains("disk full");
            assert!(shows_nothing && (page.location.starts_with("/sign-in?next=%2Flinks%2F") || page.status == 200));
        }
        world.rest().await;
        assert_eq!(world.dump().await, before, "{found:?}");

        if personal_ack_links {
            let own = found.iter().find(|link| is_personal(link)).expect("a personal link");
            let done = world.visitor().presses(&world.visitor().opens(own).await).await;
            assert_eq!(done.status, 200, "{done:?}");
        } else {
            let link = found.iter().find(|link| link.ends_with("?ack=1")).expect("a link");
            let done = signed_in.presses(&signed_in.opens(link).await).await;
            assert_eq!(done.status, 303, "{done:?}");
        }
        for (vendor, group) in GROUPS {
            let shown = world.group(vendor, group).expects_all(&["Acknowledged", "(Li Lei"]).await.everything();
            assert!(!shown.contains("?ack=1"), "nothing is left to acknowledge: {shown}");
        }
        world.finish_with_timers().await;
    }
}

/// Whether the link has a sixth part, the member, after incident, episode, action, expiry and destination.
fn is_personal(link: &str) -> bool {
    link.rsplit('.').nth(1).is_some_and(|payload| payload.split('-').count() == 6)
}

fn channels_of_the_registry() -> BTreeSet<&'static str> {
    channels::registry::NAMES.iter().copied().collect()
}

// Proves: fault 77, fault 80
#[tokio::test]
async fn a_link_ends_with_its_week_its_episode_its_reader_and_at_the_borders_of_the_deployment() {
    let world = World::start().await;
    let [li, viv, gone] = [
        world.member("Li Lei").make().await,
        world.member("Viv").set("role", "viewer").make().await,
        world.member("Gone").make().await,
    ];
    let space = world.space("Payments").notify(feishu_bot("ops")).await;
    world.feishu_alert().into(&space).await.says("disk full").await;
    world.feishu("ops").expects("disk full").await;
    let link = world.feishu("ops").press("Acknowledge");
    let [of_li, of_viv, of_gone] =
        [world.visitor_as(&li).await, world.visitor_as(&viv).await, world.visitor_as(&gone).await];
    let page = of_li.opens(&link).await;
    let of_gone_page = of_gone.opens(&link).await;
    let answer = world.api.call("DELETE", &format!("/members/{}", gone.id), None).await;
    assert_eq!(answer.status, 204, "{}", answer.text);
    world.settle().await;

    let before = world.dump().await;
    assert_eq!(of_gone.presses(&of_gone_page).await.status, 403, "a removed member with a live session");
    assert_eq!(of_viv.presses(&page).await.status, 403, "another session's form");
    assert!(of_viv.opens(&link).await.text.contains("Your role allows you to look only"));
    let incident = world.incident().await;
    let foreign = Link {
        incident: incident.id.parse().expect("an id"),
        episode: 0,
        allows: Allows::Acknowledge,
        destination: space.destinations[0].parse().expect("an id"),
        expires_at: world.larkspur.clock.now() + hours(24),
        member: None,
    };
    let keys = LinkKeys::of("the data key of another deployment");
    let foreign = keys.sign(&foreign, world.larkspur.clock.now());
    let (token, _) = link.rsplit_once('?').expect("a query");
    for wrong in [format!("/links/{foreign}?ack=1"), token[..token.len() - 1].to_owned(), format!("{token}A")] {
        let refused = of_li.opens(&wrong).await;
        assert!(refused.status == 404 && refused.text.contains("This link is not valid"), "{wrong}: {refused:?}");
    }
    assert_eq!(world.dump().await, before);

    incident.press("close").await;
    incident.press("reopen").await;
    world.feishu("ops").expects("Closed").await;
    world.feishu("ops").expects("Reopened").await;
    world.settle().await;
    let before = world.dump().await;
    for earlier in [of_li.opens(&link).await, of_li.presses(&page).await] {
        assert!(earlier.status == 409 && earlier.text.contains("<strong>Reopened</strong>"), "{earlier:?}");
    }
    assert_eq!(world.dump().await, before);

    world.advance(hours(7 * 24)).await;
    world.advance(minutes(1)).await;
    for expired in [of_li.opens(&link).await, of_li.presses(&page).await] {
        assert!(expired.status == 410 && expired.text.contains("This link has expired"), "{expired:?}");
    }
    assert_eq!(incident.progress().await, "triggered");
    world.finish_with_timers().await;
}
