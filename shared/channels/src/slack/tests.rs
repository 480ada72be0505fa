use serde_json::json;

use alerting::people::Person;

use super::message::{SECTION_CHARS, escape, mentions, sections};
use super::*;
use crate::outcome::Reason::{BadDestination, ProviderDown, RateLimited, Refused, TooLarge, Unauthorized, Unreadable};
use crate::registry::Destination;
use crate::samples::{self, check_outcomes, delivered, described, rejected, retry};

#[test]
fn answers_and_what_they_mean() {
    check_outcomes(
        "slack_webhook",
        &[
            (200, "ok", delivered()),
            (200, "OK", retry(None, Unreadable)),
            (200, "{\"ok\":true}", retry(None, Unreadable)),
            (200, "no_text", rejected(Refused)),
            (400, "invalid_payload", rejected(Refused)),
            (400, "invalid_blocks", rejected(Refused)),
            (400, "too_many_attachments", rejected(Refused)),
            (400, "user_not_found", rejected(BadDestination)),
            (400, "msg_blocks_too_long", rejected(TooLarge)),
            (403, "action_prohibited", rejected(Unauthorized)),
            (403, "invalid_token", rejected(Unauthorized)),
            (403, "posting_to_general_channel_denied", rejected(Unauthorized)),
            (403, "team_disabled", rejected(Unauthorized)),
            (404, "channel_not_found", rejected(BadDestination)),
            (404, "no_service", rejected(BadDestination)),
            (404, "no_active_hooks", rejected(BadDestination)),
            (410, "channel_is_archived", rejected(BadDestination)),
            (429, "rate_limited", retry(None, RateLimited)),
            (429, "{\"ok\":false,\"error\":\"rate_limited\"}", retry(None, RateLimited)),
            (500, "rollup_error", retry(None, ProviderDown)),
            (503, "<html></html>", retry(None, ProviderDown)),
        ],
    );
}

#[test]
fn the_reply_names_its_error() {
    let destination = samples::destination("slack_webhook");
    assert_eq!(destination.provider(&samples::reply(404, "no_service")).code.as_deref(), Some("no_service"));
    assert_eq!(destination.provider(&samples::reply(502, "<html>bad gateway</html>")).code, None);
}

#[test]
fn a_workflows_url_is_refused_by_what_it_is() {
    let settings = json!({"url": "https://hooks.slack.com/triggers/T0/1/x"});
    let refused = Destination::parse("slack_webhook", &settings, None).expect_err("refused");
    assert_eq!(refused.field, "settings.url");
    assert!(refused.message.starts_with("is a workflow's"), "{refused}");
}

// Proves: fault 14
#[test]
fn nothing_in_an_alert_mentions_anyone_or_makes_markup() {
    assert_eq!(escape("<!channel> & *b* a_b"), "&lt;!channel&gt; &amp; \u{200B}*b* a_b");
    let notices = [described("<!here> <https://evil.example|x>", "<@U123>")];
    let request =
        samples::destination("slack_webhook").request(&samples::post(&notices), samples::NOW).expect("renders");
    let body = samples::body_text(&request);
    assert!(!body.contains("<!") && !body.contains("<@") && !body.contains("<https://evil"), "{body}");
}

#[test]
fn no_section_is_longer_than_slack_takes_and_nothing_is_lost_between_them() {
    for text in ["<&>*".repeat(2500), "告警\n".repeat(3000), "`code` ".repeat(900)] {
        let sections = sections(&text);
        let texts = sections.iter().map(|section| section["text"]["text"].as_str().expect("text"));
        let mut whole = String::new();
        for part in texts {
            assert!(part.chars().count() <= SECTION_CHARS, "{}", part.chars().count());
            whole += part;
        }
        let raw = whole.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").replace('\u{200B}', "");
        assert_eq!(raw, text);
    }
}

#[test]
fn only_members_are_mentioned_never_a_channel_or_a_group_of_users() {
    for (id, line) in [("U012AB3CD", "<@U012AB3CD>"), ("W012AB3CD", "<@W012AB3CD>"), ("S012AB3CD", "Li"), ("C1", "Li")]
    {
        let identities = [(MENTIONED_BY.to_owned(), id.to_owned())].into();
        assert_eq!(mentions(&[Person { name: "Li".to_owned(), phone: None, identities }]), line, "{id}");
    }
}
